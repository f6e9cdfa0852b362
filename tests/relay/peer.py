# SPDX-License-Identifier: MIT
"""Clients and services of the tests of unixmsg-relay, by plain system calls.

usage: peer.py ROLE ADDRESS...

What a client sees goes to standard output, so that two runs can be compared.
"""
import array
import os
import socket
import struct
import sys
import threading
import time

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


def chatter(server):
    """Sends for ever, whether answers come or not."""
    sock = bound("chatter", server)
    sock.settimeout(0.01)
    while True:
        try:
            sock.send(b"chat")
            sock.recv(100)
        except TimeoutError:
            pass


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


def reach(address):
    """A connection that works, from a relay that may only just be well."""
    end = time.monotonic() + LIMIT
    while True:
        try:
            sock = packets(address)
            sock.send(b"first")
            if sock.recv(100):
                return sock
        except OSError:
            pass
        if time.monotonic() > end:
            raise TimeoutError
        time.sleep(0.05)


def numbers(address, ready, limit="0", is_patient=""):
    """Sends numbers, 16 on their way, until an end; what comes back must be
    0, 1, 2 ... Says when the first has come back."""
    sock = reach(address) if is_patient else packets(address)
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


def deaf(address, go):
    """Reads nothing, will never read from a go on, and says so then."""
    listener = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    listener.bind(address)
    listener.listen()
    print(": listening on " + address, file=sys.stderr, flush=True)
    sock, _ = listener.accept()
    with open(go) as file:
        file.read()
    sock.shutdown(socket.SHUT_RD)
    sock.send(b"deaf")
    threading.Event().wait()


def insist(address, ready, count):
    """Sends until there is no room, and is told why there is room again."""
    sock = packets(address)
    sock.settimeout(1)
    try:
        while True:
            sock.send(b"i" * 4096)
    except TimeoutError:
        with open(ready, "w") as file:
            file.write("ready\n")
    sock.settimeout(LIMIT)
    print(read(sock))
    for _ in range(int(count)):
        sock.send(b"i" * 4096)
    print("sent")


def talker(address):
    """Reads nothing before all that it has to say is sent."""
    listener = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    listener.bind(address)
    listener.listen()
    print(": listening on " + address, file=sys.stderr, flush=True)
    sock, _ = listener.accept()
    sock.settimeout(LIMIT)
    for _ in range(300):
        sock.send(b"t" * 4096)
    count = 0
    while True:
        try:
            if not sock.recv(5000):
                break
            count += 1
        except ConnectionResetError:
            pass  # nobody has read all of ours; theirs is still there
    print(count)


def leave(address, count):
    """Sends, reads nothing, and is gone."""
    sock = packets(address)
    for _ in range(int(count)):
        sock.send(b"l" * 4096)


def crowd(address, ready, go, count):
    """Many clients, of which each sends a small message and a large one."""
    socks = [packets(address) for _ in range(int(count))]
    for sock in socks:
        sock.send(b"first")
        sock.recv(100)
    with open(ready, "w") as file:
        file.write("ready\n")
    with open(go) as file:
        file.read()
    for sock in socks:
        sock.send(b"c" * 200000)
    print(sum(len(sock.recv(300000)) == 200000 for sock in socks))


def bulk(address, count):
    """Answers each client by many messages, and ends its direction then."""
    listener = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    listener.bind(address)
    listener.listen()
    print(": listening on " + address, file=sys.stderr, flush=True)

    def serve(sock):
        try:
            sock.recv(100)
            for _ in range(int(count)):
                sock.send(b"b" * 4096)
            sock.shutdown(socket.SHUT_WR)
            while sock.recv(100):
                pass
        except OSError:
            pass
        sock.close()

    while True:
        sock, _ = listener.accept()
        threading.Thread(target=serve, args=(sock,), daemon=True).start()


def late(address, go, end=""):
    """Asks, with an end or not, and reads the answers only after a go."""
    sock = packets(address)
    sock.send(b"ask")
    if end:
        sock.shutdown(socket.SHUT_WR)
    with open(go) as file:
        file.read()
    count = 0
    while sock.recv(5000):
        count += 1
    print(count)


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


def blast(address, ready, go, count, size):
    """Connects, says so, and then sends large messages; all come back."""
    sock = packets(address)
    sock.send(b"first")
    sock.recv(100)
    with open(ready, "w") as file:
        file.write("ready\n")
    with open(go) as file:
        file.read()
    if os.fork() == 0:
        for number in range(int(count)):
            sock.send((b"%08d" % number) * (int(size) // 8))
        os._exit(0)
    for number in range(int(count)):
        data = sock.recv(300000)
        if data != (b"%08d" % number) * (int(size) // 8):
            print("instead of %d: %d bytes %r" % (number, len(data), data[:8]))
            sys.exit(1)
    print("all")


def on_demand(address):
    """Sends some large messages for each line of standard input."""
    sock = packets(address)
    for _ in iter(sys.stdin.readline, ""):
        for _ in range(5):
            sock.send(b"d" * 200000)


def pair(address):
    """Sends a large datagram and a small one, which begin with numbers."""
    sock = bound("client", address)
    # With a time limit Python waits until the first one is received.
    sock.settimeout(None)
    sock.send(b"1" * 100000)
    sock.send(b"2")


def nobody(address, count):
    """Sends from a socket without a name."""
    sock = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
    sock.connect(address)
    for number in range(int(count)):
        sock.send(b"%d" % number)


def flood(address):
    """Sends large datagrams until nobody is there."""
    sock = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
    sock.connect(address)
    try:
        while True:
            sock.send(b"f" * 100000)
    except OSError:
        pass


def publisher(address, count, pause):
    """Sends numbers to the first client, each after a pause, and an end."""
    sock = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
    sock.bind(address)
    print(": listening on " + address, file=sys.stderr, flush=True)
    _, subscriber = sock.recvfrom(100)
    for number in range(int(count)):
        time.sleep(float(pause))
        sock.sendto(b"%d" % number, subscriber)
    sock.sendto(b"end", subscriber)


def subscriber(address):
    """Says one word, and listens to the end: nothing may be missing."""
    sock = bound("", address)
    sock.settimeout(None)
    sock.send(b"subscribe")
    count = 0
    while True:
        data = sock.recv(100)
        if data == b"end":
            break
        if data != b"%d" % count:
            print("instead of %d comes %r" % (count, data))
            sys.exit(1)
        count += 1
    print("all of", count)


def idle(address, pause):
    """A connection that says nothing for long."""
    sock = packets(address)
    for data in b"before", b"after":
        sock.send(data)
        print(read(sock), flush=True)
        time.sleep(float(pause) if data == b"before" else 0)


class Engine:
    """A client of nats-server that may do everything."""

    def __init__(self, address):
        host, port = address.split(":")
        self.sock = socket.create_connection((host, int(port)), LIMIT)
        self.file = self.sock.makefile("rb")
        self.sock.sendall(b'CONNECT {"verbose":false,"headers":true,'
                          b'"no_responders":true,"echo":false}\r\n')

    def settle(self):
        """Waits until the server has taken all."""
        self.sock.sendall(b"PING\r\n")
        while not self.file.readline().startswith(b"PONG"):
            pass

    def publish(self, subject, data, reply=""):
        self.sock.sendall(b"PUB %s %s %d\r\n%s\r\n" % (
            subject.encode(), reply.encode(), len(data), data))

    def publish_status(self, subject, status):
        head = b"NATS/1.0 %d\r\n\r\n" % status
        self.sock.sendall(b"HPUB %s %d %d\r\n%s\r\n" % (
            subject.encode(), len(head), len(head), head))

    def messages(self, subject):
        """Subject, reply and data of what others publish."""
        self.subscribe(subject)
        print(": listening on " + subject, file=sys.stderr, flush=True)
        yield from self.read()

    def subscribe(self, subject):
        self.sock.sendall(b"SUB %s 1\r\n" % subject.encode())
        self.settle()

    def read(self):
        while True:
            words = self.file.readline().split()
            if words and words[0] == b"MSG":
                data = self.file.read(int(words[-1]) + 2)[:-2]
                reply = words[3].decode() if len(words) == 5 else ""
                yield words[1].decode(), reply, data


def frame(kind, sequence=0, credit=0, data=b""):
    return struct.pack(">BBHIQQ", 1, kind, 0, 0, sequence, credit) + data


def early(engine, address, go):
    """Sends a message into a session whose service is not connected yet. The
    number of its subject is that of the session before and one more."""
    listener = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    listener.bind(address)
    # One connection, which nobody accepts, fills this.
    listener.listen(0)
    own = "uxg.1.s.it.h.i.%d"
    print(": bound", file=sys.stderr, flush=True)
    with open(go) as file:
        file.read()
    nats = Engine(engine)
    nats.subscribe(own.replace("%d", "*"))
    nats.publish("uxg.1.q.it.open", frame(2, 0, 1 << 20), own % 1)
    _, other, data = next(nats.read())
    assert data[1] == 3, data
    nats.publish("uxg.1.q.it.open", frame(2, 0, 1 << 20), own % 2)
    other, number = other.rsplit(".", 1)
    nats.publish("%s.%d" % (other, int(number) + 1),
                 frame(5, 1, 0, b"too early"), own % 2)
    for subject, _, data in nats.read():
        if subject == own % 2:
            break
    print("frame of type", data[1])


def skip(engine):
    """Injects a message with a number from the future into a session."""
    other = Engine(engine)
    for subject, reply, data in Engine(engine).messages("uxg.1.s.>"):
        if data[1] == 5:
            other.publish(subject, frame(5, 1000, 0, b"injected"), reply)
            other.settle()
            break


def statuses(engine, network):
    """Injects statuses that are not 503 for both relays of a client, and for
    the answers to their questions."""
    other = Engine(engine)
    kind = "r" if network == "unixgram" else "s"
    for subject, reply, _ in Engine(engine).messages("uxg.1.%s.>" % kind):
        if not reply or reply.endswith(".%d" % (2 ** 64 - 1)):
            continue
        for one in subject, reply:
            for status in 100, 404, 408:
                other.publish_status(one, status)
                other.publish_status(
                    "%s.%d" % (one.rsplit(".", 1)[0], 2 ** 64 - 1), status)
        other.settle()
        break


def order(engine, host):
    """Prints how the datagrams to a host begin that come from a client with a
    name, until that ends."""
    for subject, reply, data in Engine(engine).messages("uxg.1.r.>"):
        if subject.split(".")[4] != host or reply.endswith(".0"):
            continue
        if data[1] == 8:
            break
        print(data[24:25].decode())


def end_twice(engine, host):
    """Waits until a session has ended in both directions, and resets it then
    for the relay on that host."""
    other = Engine(engine)
    fins = {}
    for subject, reply, data in Engine(engine).messages("uxg.1.s.>"):
        if data[1] == 7:
            fins[subject] = reply
            if fins.get(reply) == subject:
                break
    if subject.split(".")[4] != host:
        subject, reply = reply, subject
    other.publish(subject, frame(8), reply)
    other.settle()


def garbage(engine):
    """Sends what is no frame, or none there, to all subjects of relays."""
    nats = Engine(engine)
    own = "uxg.1.s.it.h.i.1"
    for kind in "d.it", "q.it.open", "h.it", "s.it.h.i.1", "r.it.h.i.1":
        for data in (b"", b"x", b"\0" * 24, b"\xff" * 24, frame(0), frame(5),
                     frame(99), frame(2, 0, 1 << 63), frame(8), frame(1),
                     frame(9, 1, 1), b"\1\1" + b"\xff" * 22):
            for reply in ("", own, "uxg.1.s.it.h.i.x", "elsewhere",
                          "uxg.1.r.it.h.i.18446744073709551616",
                          "a." * 90 + "b", "uxg.1.s.it.a>.i.1"):
                nats.publish("uxg.1." + kind, data, reply)
    nats.settle()


def port():
    """Has a port that others cannot get while no engine listens there; an
    engine can, as both use SO_REUSEADDR, and this one does not listen."""
    sock = socket.socket(socket.AF_INET)
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    sock.bind(("127.0.0.1", 0))
    print(": listening on", sock.getsockname()[1], file=sys.stderr, flush=True)
    threading.Event().wait()


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
