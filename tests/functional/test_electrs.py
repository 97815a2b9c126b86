"""electrs up to 0.11, played by what it says and takes on the peer port: it reads all through
one connection, tells version 70001, and ends itself at a message that it does not know."""
import chain
import framework
import p2p
from framework import Failure, equal, wait_until

VERSION = 70001
KNOWN = {"version", "verack", "inv", "notfound", "block", "headers", "ping", "pong", "reject",
         "alert", "addr", "getheaders"}


class Electrs:
    """Its handshake and its three questions: new headers, blocks, and news of a block."""

    def __init__(self, context, node):
        self.unknown = []
        self.peer = p2p.connect(context, node, shake=False, on_message=self.take, number=VERSION,
                                services=0, relay=False, agent=b"/electrs:0.11.0/")
        self.peer.say_version()
        self.peer.wait("verack")

    def take(self, peer, name, payload):
        if name not in KNOWN:
            self.unknown.append(name)
            peer.close()
        elif name == "version":
            peer.send("verack")
        elif name == "getheaders":
            peer.send("headers", p2p.headers([]))
        elif name == "ping":
            peer.send("pong", payload)
        return True

    def lives(self):
        if self.unknown or self.peer.closed.is_set():
            raise Failure(f"electrs ends: {self.unknown}")

    def new_headers(self, have):
        n = self.peer.count["headers"]
        self.peer.send("getheaders", p2p.locator([have]))
        wait_until(lambda: self.peer.count["headers"] > n or self.unknown, 10, "headers")
        self.lives()
        return p2p.read_headers(self.peer.got("headers")[-1])

    def blocks(self, hashes):
        n = self.peer.count["block"]
        self.peer.send("getdata", p2p.inv([(p2p.INV_BLOCK | p2p.INV_WITNESS, h) for h in hashes]))
        wait_until(lambda: self.peer.count["block"] == n + len(hashes), 10, "blocks")
        return [chain.sha256d(raw[:80]) for raw in self.peer.got("block")[-len(hashes):]]


def test_electrs_indexes_and_follows_the_chain(context):
    node = p2p.node(context)
    node.rpc.generatetoaddress(110, chain.TRUE_ADDRESS)
    electrs = Electrs(context, node)
    hashes = [chain.sha256d(header) for header in electrs.new_headers(chain.GENESIS)]
    equal(len(hashes), 110)
    equal(electrs.blocks(hashes), hashes)
    equal(electrs.new_headers(hashes[-1]), [])
    told = electrs.peer.count["inv"]
    new = chain.wire(node.rpc.generatetoaddress(1, chain.TRUE_ADDRESS)[0])
    wait_until(lambda: electrs.peer.count["inv"] > told or electrs.unknown, 10, "news of a block")
    equal([digest for _, digest in p2p.read_inv(electrs.peer.got("inv")[-1])], [new])
    equal([chain.sha256d(header) for header in electrs.new_headers(hashes[-1])], [new])
    node.rpc.ping()  # all that a node says to a peer on its own account
    wait_until(lambda: electrs.peer.count["ping"] >= 2, 10, "a ping")
    electrs.lives()
    equal(electrs.peer.count["headers"], 3, "headers come as answers only: it counts on that")
    node.stop()


if __name__ == "__main__":
    framework.main(globals())
