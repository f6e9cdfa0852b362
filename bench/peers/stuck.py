# SPDX-License-Identifier: MIT
"""Sends until there is no room, reads nothing, and stays.

usage: stuck.py ADDRESS
"""
import os
import socket
import sys

sock = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
sock.connect(sys.argv[1])
sock.settimeout(1)
try:
    while True:
        sock.send(b"s" * 4096)
except TimeoutError:
    pass
# The caller waits for the end of our output.
os.close(1)
sys.stdin.read()
