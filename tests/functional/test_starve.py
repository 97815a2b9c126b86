"""Peers that ask and talk as fast as they can: an honest peer has each block at once all the same.

One node is flooded, an honest one is connected to it. Blocks are mined on the first while the flood
lasts, and it is measured how long each takes to the second.
"""
import os
import threading
import time

import chain
import framework
import p2p
from framework import Failure

LIMIT_S = 0.5
ONCE_S = 2  # one of the blocks: the flood takes the processors from this program, too
BLOCKS = 8
BURST_BYTES = 1 << 17

FLOODS = {
    "pings": p2p.frame("ping", bytes(8)),
    "pongs": p2p.frame("pong", bytes(8)),
    "unknown names": p2p.frame("zz"),
    "questions for headers": p2p.frame("getheaders", p2p.locator([chain.GENESIS])),
    "questions for lists": p2p.frame("getblocks", p2p.locator([chain.GENESIS])),
    "longest locators": p2p.frame("getheaders", p2p.locator([os.urandom(32) for _ in range(101)])),
    "questions for nothing": p2p.frame("getdata", p2p.inv([(1, bytes(32))] * 3)),
    "wrong checksums": p2p.frame("ping", bytes(8), checksum=b"\1\2\3\4"),
    "announcements": p2p.frame("inv", p2p.inv([(2, bytes([1]) * 32)])),
}


class Flooder:
    """One inbound peer with two threads: one sends without pause, one throws away what comes."""

    def __init__(self, context, node, message):
        self.sock, self.sent = p2p.dial(node.p2p_port), 0
        context.cleanups.append(self.close)
        self.burst = message * max(1, BURST_BYTES // len(message))
        self.sock.sendall(p2p.frame("version", p2p.version()) + p2p.frame("verack"))
        for run in (self.send, self.drop):
            threading.Thread(target=run, daemon=True).start()

    def send(self):
        try:
            while True:
                self.sock.sendall(self.burst)
                self.sent += len(self.burst)
        except OSError:
            pass

    def drop(self):
        try:
            while self.sock.recv(1 << 20):
                pass
        except OSError:
            pass

    def close(self):
        self.sock.close()


def delay(one, two):
    """Seconds from a block's being mined by one to its being the tip of two."""
    tip = one.rpc.generatetoaddress(1, chain.TRUE_ADDRESS)[0]
    start = time.monotonic()
    while two.rpc.getbestblockhash() != tip:
        if time.monotonic() - start > 10:
            raise Failure("a block does not arrive within 10 s")
        time.sleep(0.002)
    return time.monotonic() - start


def pair(context, blocks):
    """A node that will be flooded, and an honest one that knows it, without a log of messages."""
    one = p2p.node(context, "-debug=0", name="one")
    two = p2p.node(context, f"-connect={one.p2p}", name="two")
    two.wait_tip(one.rpc.generatetoaddress(blocks, chain.TRUE_ADDRESS)[-1], 30)
    return one, two


def flood(context, one, two, what, n):
    peers = [Flooder(context, one, FLOODS[what]) for _ in range(n)]
    time.sleep(1)
    before = sum(peer.sent for peer in peers)
    start = time.monotonic()
    delays = [delay(one, two) for _ in range(BLOCKS)]
    rate = (sum(peer.sent for peer in peers) - before) / (time.monotonic() - start) / 1e6
    for peer in peers:
        peer.close()
    print(f"{n} peers flood with {what}, {rate:.1f} MB/s taken: the slowest of {BLOCKS} blocks "
          f"took {max(delays) * 1000:.0f} ms")
    if sorted(delays)[-2] > LIMIT_S or max(delays) > ONCE_S:
        raise Failure(f"blocks took {[round(s, 3) for s in delays]} s")


def run(context, n, blocks):
    one, two = pair(context, blocks)
    for what in FLOODS:
        flood(context, one, two, what, n)
    two.stop()
    one.stop()


def test_one_peer_that_floods_holds_up_no_block(context):
    run(context, 1, 120)


def test_ten_peers_that_flood_hold_up_no_block(context):
    run(context, 10, 2100)


def half_a_message(name, sent=60_000, announced=3_999_000):
    """The header of a large message and a part of it."""
    return p2p.frame(name, bytes(sent), length=announced, checksum=bytes(4))


def with_large_output(block, size):
    """A standard transaction of that many bytes or a little more."""
    n = size // 43
    value = (block.txs[0].vout[0].value - 1_000_000) // n
    outputs = [chain.TxOut(value, chain.TRUE_P2WSH)] * n
    return chain.spend_true_p2wsh([(block.txs[0].txid(), 0)], outputs)


def seconds(what, done, limit):
    start = time.monotonic()
    framework.wait_until(done, limit, what)
    return time.monotonic() - start


def test_half_sent_large_messages_hold_up_nobody(context):
    """Thirty inbound peers announce 4 MB each, send 60 kB and then nothing (30 more do so while the
    honest one delivers). A large block and a large transaction, both asked for, and a large list
    that was not, come through."""
    node = p2p.node(context, "-debug=0")
    blocks = []
    for height in range(1, 111):
        parent = blocks[-1].hash() if blocks else chain.GENESIS
        blocks.append(chain.Block(parent, height, int(time.time()) - 60 * (111 - height),
                                  coinbase_tx=chain.coinbase(height, chain.TRUE_P2WSH)))
        framework.equal(node.rpc.submitblock(blocks[-1].hex()), None)
    honest = p2p.connect(context, node)
    names = ("block", "tx", "headers", "inv", "zz", "merkleblock", "addrv2", "getdata")

    def attack():
        for i in range(30):
            name = names[i % len(names)]
            announced = {"headers": 178_003, "addrv2": 533_003, "inv": 1_800_003,
                         "getdata": 1_800_003}.get(name, 3_999_000)
            peer = p2p.connect(context, node)
            peer.send_raw(half_a_message(name, announced=announced))
    attack()
    time.sleep(0.5)
    before = p2p.resident_kb(node.process)
    big = with_large_output(blocks[1], 80_000)
    honest.store.add_tx(big)
    honest.send("inv", p2p.inv([(p2p.INV_WTX, big.wtxid())]))
    honest.wait_asked(big.wtxid(), 60)
    txid = chain.display(big.txid())
    tx_s = seconds("the transaction", lambda: txid in node.rpc.getrawmempool(), 30)
    honest.send("inv", p2p.inv([(1, os.urandom(32)) for _ in range(2000)]))
    list_s = honest.ping(90)
    block = blocks[-1].child([with_large_output(blocks[0], 900_000)])
    honest.store.add(*blocks, block)
    second = threading.Thread(target=attack)
    second.start()
    honest.send("headers", p2p.headers([block.header()]))
    block_s = seconds("the block", lambda: node.rpc.getbestblockhash() == block.id(), 90)
    second.join()
    grown = p2p.resident_kb(node.process) - before
    print(f"beside 30 to 60 half-sent messages: a transaction of 80 kB after {tx_s:.2f} s, a list "
          f"of 72 kB that nobody asked for {list_s:.2f} s, a block of 900 kB {block_s:.2f} s; "
          f"memory grew by {grown} kB")
    assert max(tx_s, list_s, block_s) < 3, (tx_s, list_s, block_s)
    node.stop()


def large_block(parent, height, when):
    """A block of 950 kB."""
    big = chain.TxOut(0, b"\x6a\x4e" + (950_000).to_bytes(4, "little") + os.urandom(950_000))
    return chain.Block(parent, height, when, coinbase_tx=chain.coinbase(height, outputs=[big]))


def test_old_blocks_for_those_who_do_not_read_are_bounded(context):
    """Sixty peers ask for ten old blocks each and read nothing: what they hold is bounded by 64 MB,
    new blocks go out at once, and who reads has his old block when others have given way."""
    readers = 60
    node = p2p.node(context, "-debug=0")
    when, blocks, parent = int(time.time()) - 1000, [], chain.GENESIS
    for height in range(1, readers + 1):
        blocks.append(large_block(parent, height, when + height))
        parent = blocks[-1].hash()
        framework.equal(node.rpc.submitblock(blocks[-1].hex()), None)
    node.rpc.generatetoaddress(5, chain.TRUE_ADDRESS)
    node.restart()
    honest = p2p.node(context, f"-connect={node.p2p}", name="honest")
    honest.wait_tip(node.rpc.getbestblockhash(), 60)
    node.restart()  # what the allocator keeps of that is gone
    framework.wait_until(lambda: node.rpc.getconnectioncount() == 1, 30, "the honest node")
    reader = p2p.connect(context, node)
    before = p2p.resident_kb(node.process)
    peers = [p2p.connect(context, node, receive_buffer=4096) for _ in range(readers)]
    for i, peer in enumerate(peers):
        peer.stop_reading()
        asked = [blocks[(i + n) % readers].hash() for n in range(10)]
        peer.send("getdata", p2p.inv([(p2p.INV_BLOCK | p2p.INV_WITNESS, h) for h in asked]))
    time.sleep(4)
    sent = sum(info["bytessent_per_msg"].get("block", 0) for info in node.rpc.getpeerinfo())
    new_s = delay(node, honest)
    grown = p2p.resident_kb(node.process) - before
    start = time.monotonic()
    reader.send("getdata", p2p.inv([(p2p.INV_BLOCK | p2p.INV_WITNESS, blocks[0].hash())]))
    reader.wait("block", seconds=60)
    old_s = time.monotonic() - start
    print(f"{readers} peers that read nothing asked for ten old blocks of 950 kB each and were "
          f"sent {sent // 1_000_000} MB, the kernel's part with it: {grown} kB more; a new block "
          f"after {new_s:.3f} s, an old one for who reads after {old_s:.1f} s")
    assert grown < 90 * 1024, grown
    assert new_s < LIMIT_S, new_s
    assert old_s < 40, old_s
    honest.stop()
    node.stop()


def test_a_block_is_not_copied_for_each_who_asks_and_does_not_read(context):
    """Sixty peers ask for the newest block, with and without witness, and read nothing."""
    readers = 60
    node = p2p.node(context, "-debug=0")
    node.rpc.generatetoaddress(10, chain.TRUE_ADDRESS)
    tip = node.rpc.getblockheader(node.rpc.getbestblockhash())
    block = large_block(chain.wire(tip["hash"]), 11, int(time.time()) + 60)
    framework.equal(node.rpc.submitblock(block.hex()), None)
    peers = [p2p.connect(context, node, receive_buffer=4096) for _ in range(readers)]
    before = p2p.resident_kb(node.process)
    start = time.monotonic()
    for i, peer in enumerate(peers):
        peer.stop_reading()
        kind = p2p.INV_BLOCK | (p2p.INV_WITNESS if i % 2 else 0)
        peer.send("getdata", p2p.inv([(kind, block.hash())]))
    framework.wait_until(lambda: sum(info["bytessent_per_msg"].get("block", 0) > 900_000 for info in
                                     node.rpc.getpeerinfo()) == readers, 20, "the block is sent")
    took = time.monotonic() - start
    grown = p2p.resident_kb(node.process) - before
    print(f"{readers} peers that read nothing were sent a block of 950 kB within {took:.2f} s: "
          f"{grown} kB more")
    node.stop()
    assert grown < 8 * 1024, grown


def test_what_follows_blocks_is_not_kept(context):
    """A peer sends the blocks that it was asked for, all but the first, each with 3.9 MB behind it
    that mean nothing: what waits for the first one is the blocks alone."""
    node = p2p.node(context, "-debug=0")
    when, blocks, parent = int(time.time()) - 100_000, [], chain.GENESIS
    for height in range(1, 62):
        blocks.append(chain.Block(parent, height, when + height))
        parent = blocks[-1].hash()
    raw = {block.hash(): block.encode() for block in blocks[1:]}
    peer = p2p.connect(context, node, mute=("getdata",))
    before = p2p.resident_kb(node.process)
    peer.send("headers", p2p.headers([block.header() for block in blocks]))
    start = time.monotonic()
    while raw and time.monotonic() < start + 60:
        for _, digest in tuple(peer.asked):
            if digest in raw:
                peer.send("block", raw.pop(digest) + bytes(3_900_000))
        time.sleep(0.02)
    framework.equal(len(raw), 0, "blocks that were not asked for")
    peer.sync(60)
    grown = p2p.resident_kb(node.process) - before
    print(f"60 blocks with 3.9 MB behind each wait for another one: {grown} kB more")
    peer.send("block", blocks[0].encode())
    node.wait_tip(blocks[-1].id(), 20)
    node.stop()
    assert grown < 100 * 1024, grown


if __name__ == "__main__":
    # What is freed must be free where memory is measured: AddressSanitizer keeps 256 MB of it back.
    others = os.environ.get("ASAN_OPTIONS", "detect_stack_use_after_return=1")
    os.environ["ASAN_OPTIONS"] = others + ":quarantine_size_mb=8"
    framework.main(globals())
