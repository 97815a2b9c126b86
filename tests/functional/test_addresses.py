"""Addresses of other nodes: what is taken in, told and kept from whom."""
import struct
import time

import chain
import framework
import p2p
from framework import equal, wait_until

N_TOLD = 1000


def addresses(first, n, seconds_ago=3600):
    """An addr message with n addresses, each of a network of its own."""
    when = int(time.time()) - seconds_ago
    entry = struct.pack("<IQ", when, p2p.NODE_NETWORK | p2p.NODE_WITNESS)
    hosts = (bytes([11 + i // 250, 1 + i % 250, 3, 4]) for i in range(first, first + n))
    return chain.compact_size(n) + b"".join(
        entry + bytes(10) + b"\xff\xff" + host + struct.pack(">H", 8333) for host in hosts)


def informed(context, *options):
    """A node that has been told of addresses by whom it called."""
    source = p2p.Listener(context)
    port = framework.free_port()
    node = context.node("node", ("-listen=1", f"-bind=0.0.0.0:{port}", "-debug=net",
                                 f"-connect={source.address}", *options))
    node.p2p_port = port
    node.start()
    source.peer().send("addr", addresses(0, N_TOLD))
    source.peer().sync()
    wait_until(lambda: node.rpc.getaddrmaninfo()["all_networks"]["total"] > N_TOLD / 2, 20,
               "the addresses")
    return node


def told(context, node, host):
    """What a peer is told that asks at that address of the node's."""
    peer = p2p.Peer(p2p.dial(node.p2p_port, host=host)).start()
    context.cleanups.append(peer.close)
    peer.say_version()
    peer.ready().send("getaddr")
    return peer.wait("addrv2")


def test_each_address_of_ours_has_an_answer_of_its_own(context):
    """Who asks at two addresses does not learn that they are one node's; asking again tells no
    more."""
    node = informed(context)
    here, there = told(context, node, "127.0.0.1"), told(context, node, "127.0.0.2")
    assert len(here) > 1000 and here != there
    equal(told(context, node, "127.0.0.1"), here)
    equal(told(context, node, "127.0.0.2"), there)


if __name__ == "__main__":
    framework.main(globals())
