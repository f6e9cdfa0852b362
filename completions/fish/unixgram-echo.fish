# SPDX-License-Identifier: MIT
# fish completion for unixgram-echo; its sisters have the same command line.

# The abstract names of a network, but for those of five digits, which the
# kernel has chosen for clients; paths come by themselves. They are other
# people's text, which fish quotes: nothing here may evaluate it.
function __unixmsg_echo_names -a network
    unixmsg-inspect --names 2>/dev/null |
        string match -rv ' @[0-9a-f]{5}$' |
        string replace -rf "^$network @" '@'
end

# A tool that wraps another (complete -w) is not told by its name any more when
# names are asked for: so each has all of it.
function __unixmsg_echo_complete -a tool network
    set -l echo complete -c $tool

    $echo -s l -l listen -d 'Serve'
    $echo -s m -l mode -x -a '0600 0660 0666' -d 'Permissions of the socket file'
    $echo -s u -l user -x -a '(__fish_complete_users)' -d 'Owner of the socket file'
    $echo -s g -l group -x -a '(__fish_complete_groups)' -d 'Its group'
    $echo -l replace -d 'Take the name over from a live owner'
    $echo -l inherit -d 'Serve the sockets of a supervisor'
    $echo -l allow-user -x -a '(__fish_complete_users)' -d 'User who may send'
    $echo -l allow-group -x -a '(__fish_complete_groups)' \
        -d 'Group that may send'
    $echo -l allow-anyone -d 'All users may send'
    $echo -l max-clients -x -d 'Clients at once'
    $echo -l max-clients-per-user -x -d 'Clients of one user'
    $echo -l idle-timeout -x -d 'Close silent connections'
    $echo -l batch -x -d 'Datagrams in one system call'
    $echo -l backlog -x -d 'Connections that may wait to be accepted'
    $echo -l max-messages -x -d 'Exit after so many'

    $echo -s b -l bind -r -d 'Own address'
    $echo -s W -l timeout -x -d 'Longest wait for an answer'
    $echo -l wait -x -d 'Longest wait for the server'
    $echo -l server-user -x -a '(__fish_complete_users)' \
        -d 'Refuse a server of another user'
    $echo -s c -l count -x -d 'Generate messages'
    $echo -s s -l size -x -d 'Their size'
    $echo -s i -l interval -x -d 'Time between them'

    $echo -l format -x -a 'text hex json frames raw' \
        -d 'Format of records'
    $echo -l max-size -x -d 'Largest message'
    $echo -l lane -d 'Use shared memory'
    $echo -l spin -x -d 'Look for messages before sleeping'
    $echo -l stats -d 'Print counters'
    $echo -s v -l verbose -d 'Report more'
    $echo -s q -l quiet -d 'Print only errors'
    $echo -s h -l help -d 'Print the options'
    $echo -s V -l version -d 'Print the version'
    $echo -a "(__unixmsg_echo_names $network)"
end

__unixmsg_echo_complete unixgram-echo unixgram
