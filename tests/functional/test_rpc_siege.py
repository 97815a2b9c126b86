"""RPC under siege: strangers without a password, calls that wait, clients of all manners."""
import base64
import json
import os
import re
import resource
import socket
import time

import framework
from framework import equal


class Raw:
    """A connection to the RPC port on which a test says what it likes."""

    def __init__(self, node, login=None):
        if login is None:
            with open(node.path(".cookie"), encoding="ascii") as file:
                login = file.read()
        self.login = base64.b64encode(login.encode()).decode()
        self.socket = socket.create_connection(("127.0.0.1", node.port), 10)
        self.socket.settimeout(10)

    def head(self, length, target="/", host="Host: localhost\r\n"):
        return (f"POST {target} HTTP/1.1\r\n{host}Authorization: Basic {self.login}\r\n"
                f"Content-Length: {length}\r\n\r\n").encode()

    def call(self, method, *params, **how):
        body = json.dumps({"id": 1, "method": method, "params": params}).encode()
        self.socket.sendall(self.head(len(body), **how) + body)
        return self

    def answer(self, text=b""):
        """What comes until the connection ends or an answer is whole, behind text of its start."""
        while b"\r\n\r\n" not in text:
            piece = self.socket.recv(65536)
            if not piece:
                return text
            text += piece
        head, body = text.split(b"\r\n\r\n", 1)
        found = re.search(rb"(?i)\r\ncontent-length: *(\d+)", head)
        pieces, missing = [body], (int(found.group(1)) if found else 0) - len(body)
        while missing > 0:
            pieces.append(self.socket.recv(1 << 20))
            if not pieces[-1]:
                break
            missing -= len(pieces[-1])
        return head + b"\r\n\r\n" + b"".join(pieces)

    def read_all(self, pause=0):
        """All that comes until the connection ends, or the last chunk of an answer."""
        pieces, tail = [], b""
        while not tail.endswith(b"\r\n0\r\n\r\n"):
            try:
                pieces.append(self.socket.recv(1 << 20))
            except ConnectionResetError:
                break
            if not pieces[-1]:
                break
            tail = (tail + pieces[-1])[-8:]
            time.sleep(pause)
        return b"".join(pieces)

    def read_whole(self, pause=0):
        """The body of an answer that is sent in parts, read with pauses."""
        head, body = self.read_all(pause).split(b"\r\n\r\n", 1)
        assert b"Content-Length" not in head, head
        if b"Transfer-Encoding: chunked" not in head:
            return body
        parts, at = [], 0
        while True:
            end = body.index(b"\r\n", at)
            size = int(body[at:end], 16)
            if size == 0:
                equal(body[end:], b"\r\n\r\n")
                return b"".join(parts)
            parts.append(body[end + 2:end + 2 + size])
            equal(body[end + 2 + size:end + 4 + size], b"\r\n")
            at = end + 4 + size

    def close(self):
        self.socket.close()


def slowest_light_call_ms(node, calls=40):
    """The slowest of some calls of one client, in milliseconds, and the median."""
    client, took = node.connect_rpc(), []
    for _ in range(calls):
        start = time.monotonic()
        client.getblockcount()
        took.append((time.monotonic() - start) * 1000)
    client.close()
    took.sort()
    return took[-1], took[len(took) // 2]


def stop_ms(node):
    """How long `stop` takes to be answered, by a client that has not called before."""
    start = time.monotonic()
    answer = Raw(node).call("stop").answer()
    took = (time.monotonic() - start) * 1000
    assert b"200 OK" in answer, answer
    node.wait_exit(0, 30)
    return took


def test_strangers_shut_nobody_out(context):
    """Held bodies of 32 MB and wrong passwords: who knows the password notices nothing."""
    node = context.node().start()
    strangers = []
    for _ in range(5):
        stranger = Raw(node, "a:b")
        stranger.socket.sendall(stranger.head(32 << 20) + b" " * 100000)
        strangers.append(stranger)
    for _ in range(120):
        strangers.append(Raw(node, "a:b").call("uptime"))
    slowest, median = slowest_light_call_ms(node)
    print(f"while 125 strangers try: slowest light call {slowest:.1f} ms, median {median:.1f} ms")
    assert slowest < 1000, slowest
    refused = sum(b" 401 " in stranger.answer() for stranger in strangers[:5])
    equal(refused, 5)  # long before their bodies were whole
    took = stop_ms(node)
    print(f"stop answered in {took:.1f} ms")
    for stranger in strangers:
        stranger.close()


def test_calls_that_wait_shut_nobody_out(context):
    """240 that wait for a block and 200 long polls: light calls and stop are served at once."""
    node = context.node().start()
    node.rpc.generatetoaddress(1, framework_address(node))
    poll = node.rpc.getblocktemplate({"rules": ["segwit"]})["longpollid"]
    waiting = [Raw(node).call("waitfornewblock", 0) for _ in range(240)]
    waiting += [Raw(node).call("getblocktemplate", {"rules": ["segwit"], "longpollid": poll})
                for _ in range(200)]
    framework.wait_until(lambda: len(node.rpc.getrpcinfo()["active_commands"]) > 440, 20,
                         "all calls wait")
    slowest, median = slowest_light_call_ms(node)
    print(f"while 440 calls wait: slowest light call {slowest:.1f} ms, median {median:.1f} ms")
    assert slowest < 1000, slowest
    node.rpc.generatetoaddress(1, framework_address(node))
    answered = sum(b"200 OK" in call.answer() for call in waiting)
    equal(answered, 440)
    waiting = [Raw(node).call("waitfornewblock", 0) for _ in range(440)]
    took = stop_ms(node)
    print(f"stop answered in {took:.1f} ms while 440 calls wait")
    for call in waiting:
        call.close()


def framework_address(node):
    """Any address of the chain."""
    return node.rpc.decodescript("0014" + "11" * 20)["address"]


def test_clients_of_all_manners_are_answered(context):
    """No Host (electrs, esplora), a whole URL, an empty line, /wallet/NAME, a side that is shut."""
    node = context.node().start()
    for how in ({"host": ""}, {"target": "http://localhost/"}, {"target": "/wallet/any"},
                {"host": "Host: 192.168.1.2:8332\r\n"}):
        client = Raw(node).call("getblockcount", **how)
        assert b'"result":0' in client.answer(), how
        client.close()
    client = Raw(node)
    client.socket.sendall(b"\r\n")
    assert b'"result":0' in client.call("getblockcount").answer()
    client.close()
    client = Raw(node).call("waitfornewblock", 0)
    client.socket.shutdown(socket.SHUT_WR)
    node.rpc.generatetoaddress(1, framework_address(node))
    assert b'"height":1' in client.answer()  # its answer, and its block
    client.close()
    node.stop()


def limit_descriptors(count):
    return lambda: resource.setrlimit(resource.RLIMIT_NOFILE, (count, count))


def test_few_descriptors_are_set_aside_for_the_node(context):
    """150 idle connections and more under a hard limit of 128: blocks are stored all the same."""
    node = context.node(options=["-txindex", "-listen=1", "-bind=127.0.0.1:0"])
    port = framework.free_port()
    node.options[-1] = f"-bind=127.0.0.1:{port}"
    node.start("-maxconnections=125", preexec=limit_descriptors(128))
    assert "Reducing -maxconnections from 125 to " in node.output(), node.output()
    idle = []
    for number in range(300):
        idle.append(socket.create_connection(("127.0.0.1", (port, node.port)[number % 2]), 10))
    address = framework_address(node)
    for _ in range(5):
        node.rpc.generatetoaddress(3, address)
        node.rpc.gettxoutsetinfo()
    open_files = len(os.listdir(f"/proc/{node.process.pid}/fd"))
    print(f"{open_files} of 128 descriptors in use beside 300 connections that say nothing")
    equal(node.rpc.getblockcount(), 15)
    for connection in idle:
        connection.close()
    node.stop()


def test_too_few_descriptors_refuse_the_start(context):
    node = context.node()
    node.launch(preexec=limit_descriptors(63))
    node.wait_exit(1, 20)
    assert "Not enough file descriptors available. 63 available, 64 required" in node.output()
    node.start(preexec=limit_descriptors(64))
    node.stop()


def test_a_foreign_host_is_told_what_to_do(context):
    node = context.node().start()
    foreign = "Host: bitcoind:8332\r\n"
    answer = Raw(node).call("getblockcount", host=foreign).answer()
    assert b" 403 " in answer and b"-rpcallowhost=" in answer, answer
    assert "-rpcallowhost=" in node.log()
    node.stop()
    node.start("-rpcallowhost=bitcoind")
    assert b'"result":0' in Raw(node).call("getblockcount", host=foreign).answer()
    node.stop()
    node.start("-rpcallowip=10.0.0.0/8")  # others call, by names of their own: as bitcoind
    assert b'"result":0' in Raw(node).call("getblockcount", host=foreign).answer()
    page = foreign + "Origin: http://192.168.1.2\r\n"
    assert b" 403 " in Raw(node).call("getblockcount", host=page).answer()
    node.stop()


if __name__ == "__main__":
    framework.main(globals())
