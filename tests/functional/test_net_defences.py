"""What a hostile peer may not take from a node: places, addresses, bandwidth, the log.

More rows of doc/hazards.md, beside those of test_net_hazards.py. Peers speak v1 or v2, as
--transport says.
"""
import os
import struct
import time

import chain
import framework
import p2p
from framework import equal, wait_until
from test_addresses import addresses
from test_net_hazards import is_alive, recent, spend_to_hash, started

NODE_BLOOM = 4
LOG_BYTES_MAX = 1 << 20       # an hour, of lines that begin alike
TOLD_AT_ONCE_MAX = 100
PATIENCE_S, LAST_CHANCE_S = 20 * 60, 2 * 60


def test_nothing_is_asked_of_the_local_network(context):
    """Row 39: no UPnP, neither its names nor its group address; a node is not told to use it
    either. (The gateway, which can be asked by PCP: unit test of port_map.c.)"""
    with open(os.path.join(context.bin, "cairnd"), "rb") as file:
        program = file.read().lower()
    for name in (b"miniupnp", b"ssdp:", b"igddevice", b"239.255.255.250"):
        assert name not in program, name
    node = context.started("-upnp=1")  # of an old bitcoin.conf
    assert "upnp" in node.log().lower()
    node.stop()


def test_addresses_are_taken_at_their_rate(context):
    """Rows 40 and 67: ten thousand addresses, of which the first and one each ten seconds count.
    One more than a message may have ends the connection."""
    node = p2p.node(context)
    peer = p2p.connect(context, node)
    start = time.monotonic()
    for n in range(10):
        peer.send("addr", addresses(1000 * n, 1000, seconds_ago=10))
    peer.sync()
    info = node.rpc.getpeerinfo()[0]
    most = 2 + (time.monotonic() - start) / 10
    assert info["addr_processed"] <= most, info["addr_processed"]
    equal(info["addr_processed"] + info["addr_rate_limited"], 10_000)
    assert node.rpc.getaddrmaninfo()["all_networks"]["total"] <= most
    peer.send("addr", addresses(0, 1001))
    peer.wait_closed(5)
    node.stop()


def test_filters_that_are_not_offered_cost_the_connection(context):
    """Row 45, CVE-2013-5700 and CVE-2013-4627: what needs a Bloom filter is not offered, and who
    asks for it all the same has to go. Where it is offered a filter of no bytes divides nothing."""
    node, blocks = started(context)
    empty = b"\0" + struct.pack("<IIB", 50, 0, 0)
    block = p2p.inv([(3, blocks[0].hash())])
    for name, payload in (("filterload", empty), ("filteradd", b"\1a"), ("filterclear", b""),
                          ("mempool", b""), ("getdata", block)):
        peer = p2p.connect(context, node)
        offered = struct.unpack_from("<Q", peer.wait("version"), 4)[0]
        equal(offered & NODE_BLOOM, 0)
        peer.send(name, payload)
        peer.wait_closed(5)
    is_alive(node)
    node.restart("-peerbloomfilters=1")
    peer = p2p.connect(context, node)
    peer.send("filterload", empty)
    peer.send("filteradd", b"\1a")
    peer.send("getdata", block)
    peer.wait("merkleblock")
    for name, payload in (("filteradd", chain.var_bytes(bytes(521))),
                          ("filterload", chain.var_bytes(bytes(36_001)) + bytes(9))):
        peer = p2p.connect(context, node)
        peer.send("filterload", empty)
        peer.sync()
        peer.send(name, payload)
        peer.wait_closed(5)
    node.stop()


def test_transactions_are_told_in_portions(context):
    """Row 56: however many wait, a peer is told of some at a time, so that nobody has to sort and
    send them all. The clock of the peers stands still while they gather."""
    node, blocks = started(context, n=5, spendable=True)
    now = int(time.time())
    node.rpc.setmocktime(now)
    peer = p2p.connect(context, node, mute=["getdata"])
    for block in blocks[:5]:
        value = block.txs[0].vout[0].value // 60
        parent = chain.spend_true_p2wsh([(block.txs[0].txid(), 0)], [
            chain.TxOut(value - 1000, chain.TRUE_P2WSH) for _ in range(60)])
        node.rpc.sendrawtransaction(parent.encode().hex())
        for n in range(60):
            child = chain.spend_true_p2wsh([(parent.txid(), n)],
                                           [chain.TxOut(value - 3000, chain.TRUE_P2WSH)])
            node.rpc.sendrawtransaction(child.encode().hex())
    told, most = 0, 0
    while told < 305:
        before = peer.count["inv"]
        now += 60
        node.rpc.setmocktime(now)
        payload = peer.wait("inv", before + 1)
        n = len(p2p.read_inv(payload))
        told, most = told + n, max(most, n)
    print(f"{told} transactions, at most {most} at once")
    assert most <= TOLD_AT_ONCE_MAX, most
    node.stop()


def test_invalid_blocks_do_not_fill_the_log(context):
    """Row 58, CVE-2025-54604 and CVE-2025-54605: what a peer can have logged, whatever the user
    asks to see, is limited; without that limit the same flood shows."""
    count = 8000 if context.soak else 400
    sizes = []
    for n, limit in enumerate(("-logratelimit=1", "-logratelimit=0")):
        node, blocks = started(context, "-debug=0", "-whitelist=noban@127.0.0.1", limit,
                               name=f"node{n}")
        peer = p2p.connect(context, node)
        before = len(node.log())
        for i in range(count):
            peer.send("block", blocks[-1].child(seconds=i + 1, coinbase_tx=chain.coinbase(
                len(blocks) + 1, value=1 << 40)).encode())
        peer.sync(120)
        wait_until(lambda: {"invalid", "active"} == {tip["status"] for tip in
                                                     node.rpc.getchaintips()}, 120, "all refused")
        sizes.append(len(node.log()) - before)
        is_alive(node)
        node.stop()
    print(f"{count} invalid blocks: {sizes[0]} bytes of log, without the limit {sizes[1]}")
    assert 0 < sizes[0] <= LOG_BYTES_MAX + 1000, sizes
    if context.soak:
        assert sizes[1] > LOG_BYTES_MAX * 1.2, sizes


def test_a_withheld_block_is_asked_of_another(context):
    """Rows 60 and 61, CVE-2024-52922: who is asked for a block and says nothing loses the place to
    the next who has it, within a moment."""
    node, blocks = started(context)
    new = blocks[-1].child(seconds=60)
    peers = [p2p.connect(context, node, mute=["getdata"]) for _ in range(2)]
    for peer in peers:
        peer.send("headers", p2p.headers([new.header()]))
        peer.sync()
    wait_until(lambda: peers[0].asked or peers[1].asked, 5, "the question")
    start = time.monotonic()
    wait_until(lambda: peers[0].asked and peers[1].asked, 4, "the second question")
    print(f"asked of the second after {time.monotonic() - start:.2f} s more")
    peers[1].send("block", new.encode())
    node.wait_tip(new.id(), 10)
    node.stop()


def test_a_pruned_node_serves_what_all_its_peers_have(context):
    """Row 68: the last 288 blocks and two more; a deeper one would tell how far it has pruned."""
    node = p2p.node(context, "-prune=1")
    ids = node.rpc.generatetoaddress(300, chain.TRUE_ADDRESS)
    peer = p2p.connect(context, node)
    services = struct.unpack_from("<Q", peer.wait("version"), 4)[0]
    equal(services & (p2p.NODE_NETWORK | p2p.NODE_NETWORK_LIMITED), p2p.NODE_NETWORK_LIMITED)
    for depth, is_served in ((290, True), (291, False)):
        block = chain.wire(ids[299 - depth])
        peer.send("getdata", p2p.inv([(p2p.INV_BLOCK | p2p.INV_WITNESS, block)]))
        if is_served:
            equal(chain.sha256d(peer.wait("block")[:80]), block)
        else:
            peer.wait_closed(5)
    node.stop()


def test_who_gave_us_a_block_keeps_its_place(context):
    """Row 71: a crowd from one place fills all places and comes again and again; who has given us
    something stays, and who comes later still gets in."""
    node, blocks = started(context, "-maxconnections=30")
    crowd = [p2p.connect(context, node) for _ in range(6)]  # four have the first places anyway
    giver = p2p.connect(context, node)
    new = blocks[-1].child(seconds=60)
    giver.send("block", new.encode())
    node.wait_tip(new.id(), 20)
    crowd += [p2p.connect(context, node) for _ in range(60)]
    assert giver.ping() is not None, "the giver is gone"
    n_open = sum(not peer.closed.is_set() for peer in crowd)
    assert 0 < n_open < 30, n_open
    assert not crowd[-1].closed.is_set()
    node.stop()


def test_who_never_comes_up_to_our_tip_is_replaced(context):
    """Row 72: of the peers that we chose, one that knows less than we do is asked once more after
    twenty minutes and goes two minutes later; one that has told us of our tip stays."""
    node, blocks = started(context)
    now = int(time.time())
    node.rpc.setmocktime(now)
    silent = p2p.Listener(context, mute=["getheaders"])
    honest = p2p.Listener(context, p2p.Store(blocks))
    for listener in (silent, honest):
        node.rpc.addconnection(listener.address, "outbound-full-relay", context.v2)
        listener.peer()
    for seconds in range(300, PATIENCE_S + 1, 300):  # nobody may be silent for twenty minutes
        node.rpc.setmocktime(now + seconds)
        for listener in (silent, honest):
            listener.peers[0].sync()
    asked = silent.peers[0].count["getheaders"]
    node.rpc.setmocktime(now + PATIENCE_S + 1)
    silent.peers[0].wait("getheaders", asked + 1, 10)
    node.rpc.setmocktime(now + PATIENCE_S + LAST_CHANCE_S + 2)
    silent.peers[0].wait_closed()
    honest.peers[0].sync()
    node.stop()


if __name__ == "__main__":
    framework.main(globals())
