# SPDX-License-Identifier: MIT
# fish completion for unixmsg-tap

set -l tap complete -c unixmsg-tap

$tap -s w -l write -r -F -d 'Record to a new file'
$tap -l format -x -a 'text hex json' -d 'Format of the messages'
$tap -l decode -x -d 'Dissector for Wireshark'
$tap -l snap -x -d 'First bytes of each message'
$tap -s c -l count -x -d 'End after so many messages'
$tap -l stats -d 'Print counters'
$tap -s l -l listen -r -F -d 'Serve at another name'
$tap -l max-size -x -d 'Largest message'
$tap -l network -x -a 'unixgram unixpacket unix' -d 'The network'
$tap -l restore -d 'Give a name back'
$tap -l replay -r -F -d 'Send a recording again'
$tap -l speed -x -d 'So many times as fast'
$tap -s v -l verbose -d 'Report more'
$tap -s q -l quiet -d 'Print only errors'
$tap -s h -l help -d 'Print the options'
$tap -s V -l version -d 'Print the version'
