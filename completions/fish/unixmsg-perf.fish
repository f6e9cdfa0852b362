# SPDX-License-Identifier: MIT
# fish completion for unixmsg-perf

set -l perf complete -c unixmsg-perf

$perf -f -a 'unixgram unixpacket unix tcp udp' -d 'Network'
$perf -s m -l mode -x -a 'latency throughput connect fan' \
    -d 'Job to measure'
$perf -s s -l size -x -d 'Sizes of messages'
$perf -s n -l count -x -d 'Messages in a round'
$perf -s r -l rounds -x -d 'Rounds'
$perf -s w -l warm-up -x -d 'Rounds that are not counted'
$perf -l baseline -x -a 'plain none' -d 'Compare with this'
$perf -l server -x -d 'Measure this echo server'
$perf -s c -l clients -x -d 'Clients of --mode fan'
$perf -s b -l batch -x -d 'Messages a call'
$perf -l spin -x -d 'Try before sleeping'
$perf -l lane -d 'Use shared memory'
$perf -l cpus -x -d 'Processors of client and service'
$perf -l json -d 'One JSON document'
$perf -l plot -r -F -d 'And a picture'
$perf -s q -l quiet -d 'No progress, no remarks'
$perf -s h -l help -d 'Print the options'
$perf -s V -l version -d 'Print the version'
