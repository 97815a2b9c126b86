"""test_proxy.py - a node behind SOCKS5 proxies: what they are asked, and nobody else."""
import os
import struct

import framework
from framework import equal, wait_until

ONION = "pg6mmjiyjmcrsslvykfwnntlaru7p5svn6y2ymmju6nubxndf4pscryd.onion"


class Proxy(framework.Listener):
    """Notes what it is asked, and then stays silent as the peer."""

    def __init__(self, path=None, wants_login=False):
        self.wants_login, self.asked = wants_login, []
        super().__init__(path)
        self.text = f"unix:{path}" if path else f"127.0.0.1:{self.port}"

    def serve(self, stream):
        file = stream.makefile("rb")
        version, n = file.read(2)
        methods = set(file.read(n))
        credential = None
        stream.sendall(bytes([5, 2 if self.wants_login else 0]))
        if self.wants_login:
            assert 2 in methods and file.read(1) == b"\1"
            user = file.read(file.read(1)[0])
            credential = (user, file.read(file.read(1)[0]))
            stream.sendall(b"\1\0")
        head = file.read(4)
        assert version == 5 and head == b"\5\1\0\3", head
        name = file.read(file.read(1)[0]).decode()
        (port,) = struct.unpack(">H", file.read(2))
        self.asked.append((name, port, credential))
        stream.sendall(b"\5\0\0\1" + bytes(6))


def ask(node, proxy, what):
    n = len(proxy.asked)
    node.rpc.addnode(what, "onetry")
    wait_until(lambda: len(proxy.asked) > n, 20, f"{what} at the proxy")
    return proxy.asked[-1]


def test_addresses_and_names_go_through_the_proxy(context):
    proxy = Proxy()
    node = context.started(f"-proxy={proxy.text}")
    equal(ask(node, proxy, "15.61.23.23:1234")[:2], ("15.61.23.23", 1234))
    equal(ask(node, proxy, "[1233:3432::1]:5443")[:2], ("1233:3432::1", 5443))
    equal(ask(node, proxy, ONION + ":8333")[:2], (ONION, 8333))
    equal(ask(node, proxy, "node.invalid:8333")[:2], ("node.invalid", 8333))
    wait_until(lambda: "node.invalid:8333" in [p["addr"] for p in node.rpc.getpeerinfo()], 20, "it")
    networks = {n["name"]: n for n in node.rpc.getnetworkinfo()["networks"]}
    equal(networks["onion"]["reachable"], True)
    equal(networks["i2p"]["reachable"], False)
    equal(networks["ipv4"]["proxy"], proxy.text)
    equal(networks["ipv4"]["proxy_randomize_credentials"], True)
    node.stop()
    proxy.close()


def test_each_connection_logs_in_as_somebody_else(context):
    proxy = Proxy(wants_login=True)
    node = context.started(f"-proxy={proxy.text}")
    asked = [ask(node, proxy, f"node{i}.invalid") for i in range(4)]
    equal(len({credential for _, _, credential in asked}), 4)
    assert all(user == password for _, _, (user, password) in asked)
    node.stop()
    proxy.close()


def test_a_proxy_can_be_a_path(context):
    path = os.path.join(context.scratch, "p")
    proxy = Proxy(path)
    node = context.started(f"-onion=unix:{path}")
    equal(ask(node, proxy, ONION)[0], ONION)
    networks = {n["name"]: n for n in node.rpc.getnetworkinfo()["networks"]}
    equal(networks["onion"]["proxy"], f"unix:{path}")
    equal(networks["ipv4"]["proxy"], "")
    node.stop()
    proxy.close()


if __name__ == "__main__":
    framework.main(globals())
