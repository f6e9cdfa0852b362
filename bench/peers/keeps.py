# SPDX-License-Identifier: MIT
"""Prints, as columns of a table, which messages an echo server sends back
intact: an empty one, many small ones at once, a large one, and one that was
sent just before the end of that direction.

usage: keeps.py ADDRESS
"""
import socket
import sys

MANY = [b"%d" % number for number in range(100)]


def try_with(sent, is_ended=False):
    """Returns "yes" if all messages come back as they were sent."""
    sock = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    sock.settimeout(5)
    try:
        sock.connect(sys.argv[1])
        for data in sent:
            sock.send(data)
        if is_ended:
            sock.shutdown(socket.SHUT_WR)
        kept = all(sock.recv(300000) == data for data in sent)
    except OSError:
        kept = False
    sock.close()
    return "yes" if kept else "no"


print("|", " | ".join((try_with([b"", b"x"]), try_with(MANY),
                        try_with([b"l" * 200000]),
                        try_with([b"e"], True))))
