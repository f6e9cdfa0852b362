# SPDX-License-Identifier: 0BSD
"""An echo server of one client as plain as Python has it: NETWORK ADDRESS."""

import socket
import sys

TYPES = {
    "unixgram": socket.SOCK_DGRAM,
    "unixpacket": socket.SOCK_SEQPACKET,
    "unix": socket.SOCK_STREAM,
}


def main(network, address):
    service = socket.socket(socket.AF_UNIX, TYPES[network])
    service.bind(address)
    if network != "unixgram":
        service.listen()
    print("python: listening on", address, file=sys.stderr, flush=True)
    if network == "unixgram":
        while True:
            data, sender = service.recvfrom(1 << 18)
            service.sendto(data, sender)
    while True:
        link, _ = service.accept()
        while data := link.recv(1 << 18):
            link.sendall(data)


main(*sys.argv[1:])
