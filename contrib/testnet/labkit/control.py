"""control.py - one JSON object in, one out, at the Unix socket of a running lab."""
import json
import os
import queue
import socket
import threading
import time

from labkit.units import LabError

REQUEST_BYTES_MAX = 1 << 20
WAITING_MAX = 64
BEGIN_S = 30  # from the lock to the socket, with a bad end cleaned up


def _read_line(stream):
    data = b""
    while not data.endswith(b"\n") and len(data) < REQUEST_BYTES_MAX:
        piece = stream.recv(65536)
        if not piece:
            break
        data += piece
    return data


class _At:
    """A short path to a socket in a folder: sockets have paths of 107 characters at most."""

    def __init__(self, folder, name):
        self.fd = os.open(folder, os.O_PATH | os.O_CLOEXEC)
        self.path = f"/proc/self/fd/{self.fd}/{name}"

    def __enter__(self):
        return self.path

    def __exit__(self, *what):
        os.close(self.fd)


class Server:
    """Takes requests in a thread of its own; the lab's main thread answers them in turn."""

    def __init__(self, folder):
        self.requests = queue.Queue(WAITING_MAX)
        self.socket = socket.socket(socket.AF_UNIX)
        with _At(folder, "control") as path:
            self.socket.bind(path)
        self.socket.listen(WAITING_MAX)
        threading.Thread(target=self._accept, daemon=True).start()

    def next(self, seconds):
        """The next request and the queue of its answer; None if none comes in that time."""
        try:
            return self.requests.get(timeout=seconds) if seconds else self.requests.get_nowait()
        except queue.Empty:
            return None

    def _accept(self):
        while True:
            stream, _ = self.socket.accept()
            threading.Thread(target=self._serve, args=(stream,), daemon=True).start()

    def _serve(self, stream):
        with stream:
            try:
                stream.settimeout(10)
                request = json.loads(_read_line(stream))
                answer = queue.Queue(1)
                self.requests.put((request, answer), timeout=10)
                stream.settimeout(None)
                stream.sendall(json.dumps(answer.get()).encode() + b"\n")
            except (OSError, ValueError, queue.Full):
                pass


def _connect(folder, seconds):
    """Raises LabError unless a lab is there; one that begins may not listen yet."""
    end = time.monotonic() + BEGIN_S
    while True:
        stream = socket.socket(socket.AF_UNIX)
        stream.settimeout(seconds)
        try:
            with _At(folder.path, "control") as path:
                stream.connect(path)
            return stream
        except OSError as error:
            stream.close()
            if not folder.is_running() or time.monotonic() > end:
                raise LabError(f"no lab is running in {folder.path}") from error
            time.sleep(0.02)


def ask(folder, request, seconds=600):
    """What the lab in that folder answers. Raises LabError with what it says is wrong."""
    try:
        with _connect(folder, seconds) as stream:
            stream.sendall(json.dumps(request).encode() + b"\n")
            answer = json.loads(_read_line(stream))
    except (OSError, ValueError) as error:
        raise LabError(f"no lab is running in {folder.path}") from error
    if "error" in answer:
        raise LabError(answer["error"])
    return answer
