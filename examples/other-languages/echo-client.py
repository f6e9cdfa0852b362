#!/usr/bin/env python3
# SPDX-License-Identifier: 0BSD
"""Sends its arguments to an echo server, each as one message.

Run:    seqpacket-echo --listen /tmp/echo.sock &
        python3 echo-client.py unixpacket /tmp/echo.sock one "" three
        For unixgram-echo use unixgram, for unixstream-echo use unix. The
        address may be an abstract name, @echo.
See:    answer of 3 bytes: one
        answer of 0 bytes:
        answer of 5 bytes: three
"""

import socket
import struct
import sys

KINDS = {
    "unixgram": socket.SOCK_DGRAM,
    "unixpacket": socket.SOCK_SEQPACKET,
    "unix": socket.SOCK_STREAM,
}
LARGEST = 1 << 20
SECONDS = 5
FRAME_HEAD = struct.Struct(">I")  # the size of what follows
CRED = struct.Struct("3i")


def socket_address(text):
    """An abstract name ends without a NUL: a NUL would be part of it."""
    return b"\0" + text[1:].encode() if text.startswith("@") else text


def open_socket(network, text):
    sock = socket.socket(socket.AF_UNIX, KINDS[network])
    sock.settimeout(SECONDS)
    if network == "unixgram":
        # The kernel chooses an abstract name: the server could not answer
        # without one. A connected socket receives from the server only.
        sock.bind(b"")
    if network == "unixpacket":
        # Then each message comes with credentials, and the end without.
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_PASSCRED, 1)
    sock.connect(socket_address(text))
    return sock


def send(sock, network, message):
    if network == "unix":
        sock.sendall(FRAME_HEAD.pack(len(message)) + message)
    else:
        sock.send(message)


def receive_bytes(sock, size):
    data = b""
    while len(data) < size:
        part = sock.recv(size - len(data))
        if not part:
            raise ConnectionError("the server has closed the connection")
        data += part
    return data


def receive_packet(sock):
    """recv returns b"" for an empty message and for the end."""
    data, control, flags, _ = sock.recvmsg(
        LARGEST, socket.CMSG_SPACE(CRED.size)
    )
    if not control:
        raise ConnectionError("the server has closed the connection")
    if flags & socket.MSG_TRUNC:
        raise ConnectionError("an answer was too big, and cut")
    return data


def receive(sock, network):
    if network == "unix":
        size = FRAME_HEAD.unpack(receive_bytes(sock, FRAME_HEAD.size))[0]
        if size > LARGEST:
            raise ConnectionError("an answer is too big")
        return receive_bytes(sock, size)
    if network == "unixpacket":
        return receive_packet(sock)
    return sock.recv(LARGEST)


def main(network, text, *messages):
    with open_socket(network, text) as sock:
        for message in messages:
            send(sock, network, message.encode())
            answer = receive(sock, network)
            print(f"answer of {len(answer)} bytes: {answer.decode()}")


if __name__ == "__main__":
    if len(sys.argv) < 3 or sys.argv[1] not in KINDS:
        sys.exit("usage: echo-client.py unixgram|unixpacket|unix ADDRESS MESSAGE...")
    try:
        main(*sys.argv[1:])
    except OSError as error:
        sys.exit(f"echo-client: {error}")
