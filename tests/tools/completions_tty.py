# SPDX-License-Identifier: MIT
"""completions_tty.py SHELL FOLDER INSPECT TOOL...

Types addresses into SHELL on a terminal, with a tab behind, where sockets and
files have names that other users may choose. The tools are stand-ins that tell
which arguments they get. Whatever is completed has to be one word that names
that very socket, and nothing that stands in a name may run.

FOLDER has the completions, INSPECT is unixmsg-inspect. Works in the current
directory, which has to be empty.
"""

import os
import pty
import re
import select
import signal
import socket
import sys
import time

PATIENCE = float(os.environ.get("PATIENCE", "120"))  # seconds for anything
ANOTHER = 1.0  # seconds until keys that may be lost are typed anew

# Each would make a file "ran", or become something else, if it was evaluated.
HOSTILE = [
    b"plain",
    b"a b",
    b"a'b",
    b'a"b',
    b"a'b\"c",
    b"$(touch ran)",
    b"`touch ran`",
    b";touch ran;",
    b"'$(touch ran)'",
    b"\"$(touch ran)\"",
    b"'; touch ran; '",
    b"x$((1+1))",
    b"$HOME",
    b"${HOME}",
    b"$'x'",
    b"|touch ran",
    b"&touch ran&",
    b">ran",
    b"<(touch ran)",
    b"(touch ran)",
    b"*",
    b"?[a-z]*",
    b"{a,b}",
    b"~",
    b"#x",
    b"!!",
    b"!touch",
    b"^a^b",
    b"%s%n%d%%",
    b"-rf",
    b"--clean",
    b"=ls",
    b"a:b=c",
    b"a@b",
    b"\\",
    b"\\n\\x41\\",
    b"\\$(touch ran)",
    b"\ntouch ran\n",
    b"x\n$(touch ran)",
    b"a\tb",
    b"\r",
    b"\x1b[2J\x07\x03\x04",
    b"\x7f",
    "\u00e4\u20ac".encode(),
    b"\xc2\x9b1m",
    b"\xff\xfe",
]
ABSTRACT_ONLY = [b"a/b", b"\0", b"\0" * 40, b"x\0y", b"../../x"]

STAND_IN = """#!/bin/sh
[ "$1" != --names ] || exec '%s' --names
printf '%%s\\0' "$@" >'%s/told.new'
mv '%s/told.new' '%s/told'
"""


def decode(text):
    """The bytes that an address names, as unixaddr_parse has it."""
    out = bytearray()
    at = 0
    while at < len(text):
        escape = re.compile(rb"\\(?:(\\)|x([0-9a-f]{2})|\{([0-9]+)\})")
        match = escape.match(text, at)
        if match is None:
            out.append(text[at])
            at += 1
            continue
        if match.group(1):
            out.append(0x5C)
        elif match.group(2):
            out.append(int(match.group(2), 16))
        else:
            out.extend(out[-1:] * (int(match.group(3)) - 1))
        at = match.end()
    return bytes(out)


class Shell:
    """A shell that believes that a person sits in front of it."""

    def __init__(self, command, environment):
        self.seen = b""
        self.pid, self.fd = pty.fork()
        if self.pid == 0:
            os.execvpe(command[0], command, environment)

    def read(self, seconds):
        ready, _, _ = select.select([self.fd], [], [], seconds)
        if not ready:
            return
        try:
            new = os.read(self.fd, 65536)
        except OSError:
            new = b""
        if not new:
            raise SystemExit("the shell has left: %r" % self.seen[-500:])
        self.seen += new
        # fish asks who the terminal is, and waits for the answer.
        if b"\x1b[c" in new or b"\x1b[0c" in new:
            self.type(b"\x1b[?1;2c")

    def type(self, keys):
        os.write(self.fd, keys)

    def wait_until(self, is_done, patience=PATIENCE):
        end = time.monotonic() + patience
        while not is_done():
            if time.monotonic() > end:
                return False
            self.read(0.05)
        return True

    def close(self):
        os.kill(self.pid, signal.SIGKILL)
        os.close(self.fd)
        os.waitpid(self.pid, 0)


def quote(text):
    return "'" + text.replace("'", "'\\''") + "'"


def start_bash(folder, tools, environment):
    with open("setup", "w") as setup:
        setup.write("PS1='ready> '\nbind 'set bell-style none'\n")
        setup.write("bind 'set enable-bracketed-paste off'\n")
        for tool in tools:
            setup.write(". %s/bash/%s\n" % (quote(folder), tool))
    return Shell(["bash", "--noprofile", "--rcfile", "setup", "-i"],
                 environment)


def start_zsh(folder, tools, environment):
    os.mkdir("zdot")
    with open("zdot/.zshrc", "w") as setup:
        setup.write("PS1='ready> ' RPS1= PS2=\nunsetopt beep prompt_sp\n"
                    "unset zle_bracketed_paste\n"
                    "fpath=(%s/zsh $fpath)\n"
                    "autoload -Uz compinit && compinit -u -D\n"
                    % quote(folder))
    environment["ZDOTDIR"] = os.path.abspath("zdot")
    return Shell(["zsh", "-i"], environment)


def start_fish(folder, tools, environment):
    setup = ("set -p fish_complete_path %s/fish; "
             "function fish_prompt; echo -n 'ready> '; end; "
             "function fish_greeting; end" % quote(folder))
    return Shell(["fish", "--no-config", "-i", "-C", setup], environment)


START = {"bash": start_bash, "zsh": start_zsh, "fish": start_fish}


class Lost(Exception):
    """Nobody knows any more what the shell waits for."""


class Trial:
    def __init__(self, name, folder, inspect, tools):
        self.home = os.getcwd()
        self.name = name
        self.failures = []
        self.sockets = []
        os.mkdir("bin")
        for tool in tools + ["unixmsg-inspect"]:
            with open("bin/" + tool, "w") as file:
                file.write(STAND_IN % (inspect, self.home, self.home,
                                       self.home))
            os.chmod("bin/" + tool, 0o755)
        environment = {
            "PATH": os.path.abspath("bin") + ":" + os.environ["PATH"],
            "TERM": "xterm",
            "HOME": self.home,
            "LC_ALL": os.environ.get("COMPLETIONS_LOCALE", "C.UTF-8"),
        }
        self.shell = START[name](folder, tools, environment)
        self.shell.wait_until(lambda: b"ready> " in self.shell.seen)

    def bind(self, kind, address):
        made = socket.socket(socket.AF_UNIX, kind)
        made.bind(address)
        if kind != socket.SOCK_DGRAM:
            made.listen(1)
        self.sockets.append(made)

    def get_told(self, line, keys):
        """The arguments that the tool gets from that line, or None."""
        if os.path.exists("told"):
            os.unlink("told")
        self.shell.type(line + keys)
        if not self.shell.wait_until(lambda: os.path.exists("told")):
            return None
        with open("told", "rb") as file:
            return file.read().split(b"\0")[:-1]

    def is_told(self, word):
        try:
            with open("told", "rb") as file:
                return file.read() == word + b"\0"
        except FileNotFoundError:
            return False

    def cancel(self, tool):
        """Forgets what was typed before.

        A prompt may be the old one, drawn anew, and a shell that is on its way
        to the next loses keys: so a command is typed until one was run. They
        run one after the other, so that none comes after the last.
        """
        end = time.monotonic() + PATIENCE
        number = 0
        self.shell.type(b"\x03")
        while time.monotonic() < end:
            number += 1
            word = b"settled-%d" % number
            self.shell.type(b"\x15%s %s\r" % (tool, word))
            if self.shell.wait_until(lambda: self.is_told(word), ANOTHER):
                return
        raise Lost()

    def expect(self, line, wanted):
        before = len(self.shell.seen)
        told = self.get_told(line, b"\t\r")
        if told is not None and len(told) == 1 and \
                decode(told[0]) in wanted:
            result = None
        elif told is None:
            result = "nothing, showing %r" % self.shell.seen[before:][-300:]
        else:
            result = repr(told)
        if os.path.exists("ran"):
            os.unlink("ran")
            result = "a command out of the name, and " + str(result)
        if result is not None:
            self.failures.append("%s: %r: %s instead of %r" % (
                self.name, line, result, wanted[0]))
            if told is None:
                raise Lost()

    def try_abstract(self, tool, kind, names):
        names = names + ABSTRACT_ONLY
        for number, name in enumerate(names):
            self.bind(kind, b"\0%d-%d-" % (os.getpid(), number) + name)
        for number, name in enumerate(names):
            begin = b"%d-%d-" % (os.getpid(), number)
            for mark in (b"", b"'", b'"'):
                if mark and tool != b"unixmsg-inspect":
                    continue
                self.expect(b"%s %s@%s" % (tool, mark, begin),
                            [b"@" + begin + name])
        # All of them at once, without choosing any.
        self.shell.type(b"%s @%d-\t\t\t" % (tool, os.getpid()))
        self.cancel(tool)
        if os.path.exists("ran"):
            self.failures.append("%s: ran when all are shown" % self.name)
            os.unlink("ran")

    def try_paths(self, tool, kind, names):
        for number, name in enumerate(names):
            # Those two shells leave such files to who types them.
            if self.name != "bash" and (b"\\" in name or b"\t" in name):
                continue
            folder = b"%s-%d" % (tool, number)
            os.mkdir(folder)
            path = folder + b"/" + name
            self.bind(kind, path)
            for mark in (b"", b"'", b'"'):
                # What zsh does about files in quotes is its own affair.
                if mark and (tool != b"unixmsg-inspect" or
                             self.name == "zsh"):
                    continue
                self.expect(b"%s %s%s/" % (tool, mark, folder),
                            [path, b"./" + path])

    def try_here(self, tool, kind):
        """Names that stand at the beginning of a word."""
        for number, name in enumerate((b"-rf", b"@x", b"~", b"=ls", b"#x",
                                       b"$(touch ran)")):
            folder = b"here-%s-%d" % (tool, number)
            os.mkdir(folder)
            self.bind(kind, folder + b"/" + name)
            self.get_told(b"cd %s; %s in" % (folder, tool), b"\r")
            self.expect(tool + b" ./", [b"./" + name])
            # That one offers networks, too.
            if self.name == "bash" and tool != b"unixmsg-cat":
                self.expect(tool + b" ", [name, b"./" + name]
                            if name[0:1] not in b"-@" else [b"./" + name])
            if os.path.exists(folder + b"/ran"):
                self.failures.append("%s: ran in %r" % (self.name, folder))
            self.get_told(b"cd ..; %s out" % tool, b"\r")


    def try_all(self, tool, kind, names):
        self.try_abstract(tool, kind, names)
        self.try_paths(tool, kind, names)
        self.try_here(tool, kind)


KINDS = {
    "unixgram-echo": socket.SOCK_DGRAM,
    "seqpacket-echo": socket.SOCK_SEQPACKET,
    "unixstream-echo": socket.SOCK_STREAM,
    "unixmsg-cat": socket.SOCK_SEQPACKET,
    "unixmsg-inspect": socket.SOCK_DGRAM,
}


def main():
    name, folder, inspect = sys.argv[1:4]
    tools = sys.argv[4:]
    for tool in tools:
        # What is one for all is tried with all names once only.
        names = HOSTILE if tool == tools[-1] else HOSTILE[:8]
        os.mkdir(tool)
        os.chdir(tool)
        trial = Trial(name, folder, inspect, tools)
        try:
            trial.try_all(tool.encode(), KINDS[tool], names)
        except Lost:
            trial.failures.append("%s: no more prompt" % name)
        trial.shell.close()
        for failure in trial.failures:
            print(failure)
        os.chdir("..")
        if trial.failures:
            return 1
    return 0


sys.exit(main())
