"""zmtp.py - a subscriber that speaks ZeroMQ's protocol itself: ZMTP 3.0, without a library."""
import socket
import struct

from framework import Failure, equal

MORE, LONG, COMMAND = 1, 2, 4


class Subscriber:
    """Connects to an address and asks for topics. The publisher has heard of them when the first
    message is here, not before."""

    def __init__(self, address, *topics, timeout=30):
        if address.startswith("tcp://"):
            host, port = address[len("tcp://"):].rsplit(":", 1)
            self.socket = socket.create_connection((host.strip("[]"), int(port)), timeout)
        else:
            self.socket = socket.socket(socket.AF_UNIX)
            self.socket.settimeout(timeout)
            self.socket.connect(address.split(":", 1)[1])
        self.socket.sendall(b"\xff" + bytes(8) + b"\x7f" + bytes([3, 0])
                            + b"NULL".ljust(20, b"\0") + bytes(32))
        greeting = self._read(64)
        equal((greeting[0], greeting[10], greeting[12:16]), (0xFF, 3, b"NULL"), "greeting")
        ready = b"\x05READY\x0bSocket-Type" + struct.pack(">I", 3) + b"SUB"
        self.socket.sendall(bytes([COMMAND, len(ready)]) + ready)
        flags, body = self._frame()
        equal((flags, body[:6]), (COMMAND, b"\x05READY"), "handshake")
        for topic in topics:
            self.socket.sendall(bytes([0, 1 + len(topic)]) + b"\x01" + topic.encode())

    def _read(self, n):
        data = b""
        while len(data) < n:
            piece = self.socket.recv(n - len(data))
            if not piece:
                raise Failure("the publisher has closed the connection")
            data += piece
        return data

    def _frame(self):
        flags = self._read(1)[0]
        n = struct.unpack(">Q", self._read(8))[0] if flags & LONG else self._read(1)[0]
        return flags & ~LONG, self._read(n)

    def receive(self):
        """Returns (topic, body, number) of the next message."""
        parts = []
        while True:
            flags, body = self._frame()
            if flags & COMMAND:
                continue
            parts.append(body)
            if not flags & MORE:
                break
        equal(len(parts), 3, "parts of a message")
        return parts[0].decode(), parts[1], struct.unpack("<I", parts[2])[0]

    def close(self):
        self.socket.close()
