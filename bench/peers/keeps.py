# SPDX-License-Identifier: MIT
"""What a connection to an echo server keeps of its messages, as columns of a
table: an empty message, many small ones at once, a large one, and the answer
to what was sent before one direction was ended.

usage: keeps.py ADDRESS
"""
import socket
import sys

MANY = [b"%d" % number for number in range(100)]


def try_with(sent, is_ended=False):
    """Whether all comes back as it was sent."""
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
