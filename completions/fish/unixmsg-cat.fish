# SPDX-License-Identifier: MIT
# fish completion for unixmsg-cat

set -l cat complete -c unixmsg-cat

$cat -s l -l listen -d 'Serve'
$cat -s m -l mode -x -a '0600 0660 0666' -d 'Permissions of the socket file'
$cat -s u -l user -x -a '(__fish_complete_users)' -d 'Owner of the socket file'
$cat -s g -l group -x -a '(__fish_complete_groups)' -d 'Its group'
$cat -l replace -d 'Take the name over from a live owner'
$cat -l inherit -d 'Serve the sockets of a supervisor'
$cat -l allow-user -x -a '(__fish_complete_users)' -d 'User who may send'
$cat -l allow-group -x -a '(__fish_complete_groups)' -d 'Group that may send'
$cat -l allow-anyone -d 'All users may send'
$cat -l max-clients -x -d 'Clients at once'
$cat -l max-clients-per-user -x -d 'Clients of one user'
$cat -l idle-timeout -x -d 'Close silent connections'
$cat -l batch -x -d 'Datagrams in one system call'
$cat -l backlog -x -d 'Connections that may wait to be accepted'
$cat -l max-messages -x -d 'Exit after so many'
$cat -s r -l reply -x -d 'Answer every message'
$cat -s e -l exec -r -d 'Let a program answer'
$cat -l recv-fds -r -d 'Keep the files behind descriptors'
$cat -l exec-each -x -a 'message connection' -d 'One program for each'
$cat -l exec-timeout -x -d 'Kill the program after so long'
$cat -l max-jobs -x -d 'Programs at once'
$cat -l max-fds -x -d 'Descriptors of a message'

$cat -s n -l send-only -d 'Send, and wait for no answer'
$cat -s 1 -l ask -d 'One request, one answer'
$cat -s f -l follow -d 'Print until the server ends'
$cat -l send-fd -x -d 'Send a descriptor'
$cat -l reconnect -d 'Connect again'
$cat -s W -l timeout -x -d 'Longest wait for an answer'
$cat -l wait -x -d 'Longest wait for the server'
$cat -s b -l bind -r -d 'Own address'
$cat -l server-user -x -a '(__fish_complete_users)' \
    -d 'Refuse a server of another user'

$cat -l format -x -a 'text hex json frames raw' \
    -d 'Format of records'
$cat -l block -x -d 'Input in pieces of that size'
$cat -l whole -d 'All of the input is one message'
$cat -l from-json -d 'Send what --format json has printed'
$cat -l tee -r -d 'Append the output to a file'
$cat -l max-size -x -d 'Largest message'
$cat -l spin -x -d 'Look for messages before sleeping'
$cat -l stats -d 'Print counters'
$cat -s v -l verbose -d 'Report more'
$cat -s q -l quiet -d 'Print only errors'
$cat -s h -l help -d 'Print the options'
$cat -s V -l version -d 'Print the version'

# The abstract names that somebody has, but for those of five digits, which the
# kernel has chosen for clients; paths come by themselves. They are other
# people's text, which fish quotes: nothing here may evaluate it.
function __unixmsg_cat_names
    unixmsg-inspect --names 2>/dev/null |
        string match -rv ' @[0-9a-f]{5}$' |
        string replace -rf '^[a-z]+ @' '@'
end
$cat -a 'unixgram unixpacket unix'
$cat -a '(__unixmsg_cat_names)'
