# SPDX-License-Identifier: MIT
"""Clients and services of the tests of unixmsg-relay, by plain system calls.

usage: peer.py ROLE ADDRESS...

What a client sees goes to standard output, so that two runs can be compared.
"""
import array
import os
import socket
import sys

LIMIT = 20


def connect(kind, address):
    sock = socket.socket(socket.AF_UNIX, kind)
    sock.settimeout(LIMIT)
    sock.connect(address)
    return sock


def packets(address):
    return connect(socket.SOCK_SEQPACKET, address)


def read(sock, size=300000):
    """What one receive gives, as text."""
    try:
        data = sock.recv(size)
    except OSError as error:
        return os.strerror(error.errno) if error.errno else repr(error)
    return "%d bytes %r" % (len(data), data[:4])


def packet(echo, half):
    """A client of an echo server, and of one that answers after the end."""
    sock = packets(echo)
    for data in b"", b"a", b"", b"bc":
        sock.send(data)
    print("small", [read(sock) for _ in range(4)])
    for size in 150000, 212900:
        sock.send(b"z" * size)
        print("large", read(sock))
    sock.shutdown(socket.SHUT_WR)
    print("end", read(sock))
    sock = packets(half)
    sock.send(b"one")
    sock.send(b"")
    sock.shutdown(socket.SHUT_WR)
    print("half-close", [read(sock) for _ in range(4)])


def bound(name, server):
    sock = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
    sock.settimeout(LIMIT)
    # A service answers to no relative name.
    sock.bind(name and os.path.abspath(name))
    sock.connect(server)
    return sock


def gram(echo):
    sock = bound("client", echo)
    for data in b"", b"x\0y", b"q" * 200000, b"q" * 212900:
        sock.send(data)
        print("gram", read(sock))
    sock = bound("", echo)
    sock.send(b"autobound")
    print("autobound", read(sock))
    for number, name in enumerate(("a\nb", "a\r\nPUB x 1\r\nb", ">", "*", "a.b c")):
        sock = bound(name, echo)
        sock.send(b"odd %d" % number)
        print("odd", read(sock))
    sock = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
    sock.connect(echo)
    sock.send(b"from nobody")


def bytes_(echo, size=1000000):
    """Bytes, of which all but the order is up to the system."""
    sock = connect(socket.SOCK_STREAM, echo)
    sent = bytes(i * 7 % 251 for i in range(size))
    if os.fork() == 0:
        sock.sendall(sent)
        sock.shutdown(socket.SHUT_WR)
        os._exit(0)
    got = b""
    while True:
        data = sock.recv(65536)
        if not data:
            break
        got += data
    print("bytes", len(got), got == sent)
    os.wait()


def half(address):
    """Counts until the client has ended its direction, and answers then."""
    listener = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    # An empty message comes with credentials, the end without.
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_PASSCRED, 1)
    listener.bind(address)
    listener.listen()
    print(": listening on " + address, file=sys.stderr, flush=True)
    while True:
        sock, _ = listener.accept()
        count = 0
        while sock.recvmsg(300000, 1024)[1]:
            count += 1
        sock.send(b"%d" % count)
        sock.send(b"")
        sock.close()


def numbers(address, ready, limit="0"):
    """Sends numbers, 16 on their way, until an end; what comes back must be
    0, 1, 2 ... Says when the first has come back."""
    sock = packets(address)
    sent = got = 0
    try:
        while not int(limit) or got < int(limit):
            while sent - got < 16:
                sock.send(b"%d" % sent)
                sent += 1
            data = sock.recv(100)
            if not data:
                break
            if data != b"%d" % got:
                print("after %d comes %r" % (got - 1, data))
                sys.exit(1)
            got += 1
            if got == 100:
                with open(ready, "w") as file:
                    file.write("ready\n")
    except TimeoutError:
        print("no end comes")
        sys.exit(1)
    except OSError:
        pass
    print("a prefix")


def stuck(address, ready):
    """Sends until there is no room, and reads nothing."""
    sock = packets(address)
    sock.settimeout(1)
    try:
        while True:
            sock.send(b"s" * 4096)
    except TimeoutError:
        with open(ready, "w") as file:
            file.write("ready\n")
    sys.stdin.read()


def descriptors(address):
    sock = packets(address)
    sock.send(b"before")
    print(read(sock))
    sock.sendmsg([b"with"], [(socket.SOL_SOCKET, socket.SCM_RIGHTS,
                              array.array("i", [0]).tobytes())])
    print("ended" if read(sock) in ("0 bytes b''", "Connection reset by peer")
          else "passed")


def large(address, size):
    sock = packets(address)
    sock.send(b"l" * int(size))
    print(read(sock))


def activate(address, *command):
    """Starts the command with a socket, as a supervisor does."""
    listener = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    listener.bind(address)
    listener.listen()
    os.dup2(listener.fileno(), 3)
    os.set_inheritable(3, True)
    os.environ.update(LISTEN_FDS="1", LISTEN_PID=str(os.getpid()))
    os.execvp(command[0], command)


if __name__ == "__main__":
    globals()[sys.argv[1]](*sys.argv[2:])
