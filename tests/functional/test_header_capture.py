"""A new node and a peer that answers each question for headers with the same first ones."""
import time

import chain
import framework
import p2p
from framework import Failure, equal

HEIGHT = 2500
CAPTORS = 4


class Captor:
    """Inbound; says 2,000 headers again and again, and counts how often it may."""

    def __init__(self, context, node, first):
        self.first, self.asked = first, 0
        self.peer = p2p.connect(context, node, on_message=self.take)

    def take(self, peer, name, _):
        if name == "getheaders":
            self.asked += 1
            peer.send("headers", self.first)
        return name in ("getheaders", "getdata")


def test_the_same_headers_again_and_again_keep_a_new_node_from_nobody(context):
    source = p2p.node(context, name="source")
    when = int(time.time()) - 10 * 86400  # a chain that is far behind, as a new node sees it
    source.rpc.setmocktime(when)
    tip = source.rpc.generatetoaddress(HEIGHT, chain.TRUE_ADDRESS)[-1]
    raw = [bytes.fromhex(source.rpc.getblockheader(source.rpc.getblockhash(h), False))
           for h in range(1, 2001)]
    node = p2p.node(context, "-debug=0", name="new")
    captors = [Captor(context, node, p2p.headers(raw)) for _ in range(CAPTORS)]
    time.sleep(2)
    start = time.monotonic()
    node.rpc.addnode(source.p2p, "onetry")
    try:
        node.wait_tip(tip, 60)
    except Failure as error:
        raise Failure(f"{error}; {[captor.asked for captor in captors]} questions") from error
    took = time.monotonic() - start
    questions = [captor.asked for captor in captors]
    print(f"{HEIGHT} blocks {took:.2f} s after an honest peer was there, beside {CAPTORS} that "
          f"captured, which were asked {questions} times")
    assert max(questions) <= 6, questions
    assert took < 20, took
    equal(node.rpc.getblockcount(), HEIGHT)
    node.stop()
    source.stop()


if __name__ == "__main__":
    framework.main(globals())
