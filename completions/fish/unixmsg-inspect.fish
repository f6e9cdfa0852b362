# SPDX-License-Identifier: MIT
# fish completion for unixmsg-inspect

set -l inspect complete -c unixmsg-inspect

$inspect -l json -d 'One JSON document'
$inspect -l dot -d 'A picture for Graphviz'
$inspect -l names -d 'Network and address only'
$inspect -l clean -d 'Remove dead socket files'
$inspect -s n -l dry-run -d 'Remove nothing'
$inspect -s v -l verbose -d 'Name all peers and processes'
$inspect -s q -l quiet -d 'Print only errors'
$inspect -s h -l help -d 'Print the options'
$inspect -s V -l version -d 'Print the version'

# The abstract names that somebody has, but for those of five digits, which the
# kernel has chosen for clients; paths come by themselves. They are other
# people's text, which fish quotes: nothing here may evaluate it.
function __unixmsg_inspect_names
    unixmsg-inspect --names 2>/dev/null |
        string match -rv ' @[0-9a-f]{5}$' |
        string replace -rf '^[a-z]+ @' '@'
end
$inspect -a '(__unixmsg_inspect_names)'
