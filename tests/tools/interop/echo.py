# SPDX-License-Identifier: MIT
"""An echo server and client over the socket module, for interop/python.sh.

usage: echo.py serve KIND ADDRESS
       echo.py talk KIND ADDRESS OWN
       echo.py unnamed ADDRESS

KIND is dgram, seqpacket or stream; an ADDRESS that begins with @ is abstract,
and exactly as long as it is written.
"""

import os
import socket
import struct
import sys

KINDS = {
    "dgram": socket.SOCK_DGRAM,
    "seqpacket": socket.SOCK_SEQPACKET,
    "stream": socket.SOCK_STREAM,
}
LARGEST = 1 << 20
PATIENCE = 60


def address_of(text):
    return b"\0" + text[1:].encode() if text.startswith("@") else text


def open_socket(kind):
    sock = socket.socket(socket.AF_UNIX, KINDS[kind])
    sock.settimeout(PATIENCE)
    return sock


def listen(kind, text):
    sock = open_socket(kind)
    sock.bind(address_of(text))
    if kind != "dgram":
        sock.listen()
    print("python: listening on", text, file=sys.stderr, flush=True)
    return sock


def echo_datagrams(sock):
    while True:
        data, sender = sock.recvfrom(LARGEST)
        sock.sendto(data, sender)
        if data == b"end":
            return


def echo_packets(sock):
    """Ends with the client: recv has one result for empty messages and the
    end, so that the client has to say which message is its last."""
    connection, _ = sock.accept()
    connection.settimeout(PATIENCE)
    with connection:
        while True:
            data = connection.recv(LARGEST)
            connection.send(data)
            if data == b"end":
                return


def echo_bytes(sock):
    connection, _ = sock.accept()
    connection.settimeout(PATIENCE)
    with connection:
        while data := connection.recv(65536):
            connection.sendall(data)


def serve(kind, text):
    sock = listen(kind, text)
    echo = {
        "dgram": echo_datagrams,
        "seqpacket": echo_packets,
        "stream": echo_bytes,
    }[kind]
    try:
        echo(sock)
    finally:
        sock.close()
        if not text.startswith("@"):
            os.unlink(text)


def expect(what, came, wanted):
    if came != wanted:
        sys.exit(f"{what}: {came[:40]!r} came back, not {wanted[:40]!r}")


def receive_all(sock, size):
    parts = []
    while size > 0:
        part = sock.recv(min(size, 65536))
        if not part:
            sys.exit("the server has closed the connection")
        parts.append(part)
        size -= len(part)
    return b"".join(parts)


def exchange_messages(sock):
    largest = sock.getsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF) - 32
    messages = [b"hello", b"", b"\0\n\xff", b"x" * 4096, b"", os.urandom(largest)]
    for message in messages:
        sock.send(message)
        expect("a message", sock.recv(LARGEST), message)
    # Several on their way at once stay apart.
    for message in (b"one", b"", b"three"):
        sock.send(message)
    for message in (b"one", b"", b"three"):
        expect("a message", sock.recv(LARGEST), message)


def exchange_bytes(sock):
    for size in (1, 100, 100000):
        data = os.urandom(size)
        sock.sendall(data)
        expect("the bytes", receive_all(sock, size), data)
    # What unixstream-echo calls a message is but bytes to others.
    frame = struct.pack(">I", 5) + b"hello"
    sock.sendall(frame)
    expect("a frame", receive_all(sock, len(frame)), frame)
    sock.shutdown(socket.SHUT_WR)
    expect("the end", sock.recv(10), b"")


def talk(kind, text, own):
    with open_socket(kind) as sock:
        sock.bind(address_of(own))
        try:
            sock.connect(address_of(text))
            if kind == "stream":
                exchange_bytes(sock)
            else:
                exchange_messages(sock)
        finally:
            if not own.startswith("@"):
                os.unlink(own)


def send_unnamed(text):
    with open_socket("dgram") as sock:
        sock.sendto(b"hello", address_of(text))
        sock.sendto(b"", address_of(text))


def main(role, *arguments):
    {"serve": serve, "talk": talk, "unnamed": send_unnamed}[role](*arguments)


if __name__ == "__main__":
    main(*sys.argv[1:])
