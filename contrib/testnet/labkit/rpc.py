"""rpc.py - calls methods of nodes over HTTP, from inside their network namespaces where they have
one: a socket belongs to the namespace in which it was made, whoever uses it later."""
import base64
import ctypes
import http.client
import json
import os
import socket
import threading

CLONE_NEWNET = 0x40000000
LIBC = ctypes.CDLL(None, use_errno=True)


class RpcError(Exception):
    """An error answer."""

    def __init__(self, error):
        super().__init__(error.get("message", "unknown"))
        self.code = error.get("code")


def _enter(path):
    fd = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        if LIBC.setns(fd, CLONE_NEWNET) != 0:
            code = ctypes.get_errno()
            raise OSError(code, os.strerror(code), path)
    finally:
        os.close(fd)


def socket_in(namespace):
    """A TCP socket that belongs to a namespace (a path; None: here). This thread stays here."""
    if not namespace:
        return socket.socket()
    home = f"/proc/self/task/{threading.get_native_id()}/ns/net"
    fd = os.open(home, os.O_RDONLY | os.O_CLOEXEC)
    try:
        _enter(namespace)
        try:
            return socket.socket()
        finally:
            if LIBC.setns(fd, CLONE_NEWNET) != 0:
                os._exit(1)  # a thread in a wrong namespace would talk to strangers
    finally:
        os.close(fd)


class Connection(http.client.HTTPConnection):
    """An HTTP connection from inside a namespace."""

    def __init__(self, host, port, namespace, timeout):
        super().__init__(host, port, timeout=timeout)
        self.namespace = namespace

    def connect(self):
        self.sock = socket_in(self.namespace)
        self.sock.settimeout(self.timeout)
        self.sock.connect((self.host, self.port))
        self.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)


class Rpc:
    """The methods of one node; one thread at a time. The cookie is read anew with each
    connection, since a node makes another one with each start."""

    def __init__(self, host, port, namespace, cookie_path, timeout=10):
        self.where = (host, port, namespace, timeout)
        self.cookie_path = cookie_path
        self.connection, self.token = None, ""
        self.lock = threading.Lock()

    def answers(self, calls):
        """[(method, params...)] in one request. Returns the whole answers, in this order; raises
        OSError if the node does not answer."""
        body = json.dumps([{"jsonrpc": "1.0", "id": i, "method": call[0], "params": call[1:]}
                           for i, call in enumerate(calls)])
        with self.lock:
            answers = self._post(body)
        if isinstance(answers, dict):  # an error of the whole request
            raise RpcError(answers.get("error") or {})
        return sorted(answers, key=lambda a: a["id"])

    def batch(self, calls):
        """The results alone. Raises RpcError with the first error."""
        answers = self.answers(calls)
        for answer in answers:
            if answer.get("error"):
                raise RpcError(answer["error"])
        return [answer["result"] for answer in answers]

    def call(self, method, *params):
        return self.batch([(method, *params)])[0]

    def _post(self, body):
        for is_last in (False, True):
            is_fresh = self.connection is None
            try:
                if is_fresh:
                    self._open()
                self.connection.request("POST", "/", body, {"Authorization": self.token})
                answer = self.connection.getresponse()
                content = answer.read()
                if answer.status == 401:
                    raise OSError("the cookie is old")
                return json.loads(content)
            except (http.client.HTTPException, OSError, ValueError) as error:
                self.close()
                # The server ends idle connections.
                if is_fresh or is_last:
                    raise OSError(str(error)) from error
        return None

    def _open(self):
        with open(self.cookie_path, encoding="ascii") as file:
            self.token = "Basic " + base64.b64encode(file.read().encode()).decode()
        self.connection = Connection(*self.where)

    def close(self):
        if self.connection:
            self.connection.close()
        self.connection = None
