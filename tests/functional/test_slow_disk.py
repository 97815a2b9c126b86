"""A disk on which each read of an old block takes a while, and peers that read old blocks all day.

Reads for peers come last: our own writes go on, what is acknowledged is on the disk, and a new
block reaches an honest peer.
"""
import os
import threading
import time

import chain
import framework
import p2p
from framework import Failure, equal
from test_faults import shim

OLD_BLOCKS = 400
NEW_BLOCKS = 40
LIMIT_S = 2


class Reader:
    """An inbound peer that asks for old blocks, so that many questions are always open."""

    def __init__(self, context, node, hashes):
        self.sock, self.bytes = p2p.dial(node.p2p_port), 0
        context.cleanups.append(self.close)
        self.sock.sendall(p2p.frame("version", p2p.version()) + p2p.frame("verack"))
        asked = p2p.inv([(p2p.INV_BLOCK | p2p.INV_WITNESS, digest) for digest in hashes])
        self.message = p2p.frame("getdata", asked)
        for run in (self.ask, self.drop):
            threading.Thread(target=run, daemon=True).start()

    def ask(self):
        try:
            while True:
                self.sock.sendall(self.message)
        except OSError:
            pass

    def drop(self):
        try:
            while part := self.sock.recv(1 << 20):
                self.bytes += len(part)
        except OSError:
            pass

    def close(self):
        self.sock.close()


def environment(context, read_us):
    options = os.environ.get("ASAN_OPTIONS", "")
    return {"LD_PRELOAD": shim(context), "CAIRN_SLOW_READ_US": str(read_us),
            "ASAN_OPTIONS": options + ":verify_asan_link_order=0"}


def extend(node, honest, block):
    """Seconds until submitblock has answered, and from then on until the honest node has it."""
    start = time.monotonic()
    equal(node.rpc.submitblock(block.hex()), None)
    answered = time.monotonic()
    while honest.rpc.getbestblockhash() != block.id():
        if time.monotonic() - answered > 20:
            raise Failure("the block does not reach the honest node within 20 s")
        time.sleep(0.005)
    return answered - start, time.monotonic() - answered


def run(context, readers, read_us):
    port = framework.free_port()
    node = context.node("slow", ["-listen=1", f"-bind=127.0.0.1:{port}"])
    node.p2p_port, node.p2p = port, f"127.0.0.1:{port}"
    node.start()
    node.rpc.generatetoaddress(OLD_BLOCKS, chain.TRUE_ADDRESS)
    node.restart()  # nothing is kept in memory
    node.stop()
    node.start(env=environment(context, read_us))
    honest = p2p.node(context, f"-connect={node.p2p}", name="honest")
    tip = node.rpc.getblockheader(node.rpc.getbestblockhash())
    honest.wait_tip(tip["hash"], 120)
    hashes = [chain.wire(node.rpc.getblockhash(h)) for h in range(1, OLD_BLOCKS)]
    attackers = [Reader(context, node, hashes) for _ in range(readers)]
    time.sleep(1)
    before = sum(peer.bytes for peer in attackers)
    block, times, start = None, [], time.monotonic()
    for _ in range(NEW_BLOCKS):
        parent = block.hash() if block else chain.wire(tip["hash"])
        height = block.height + 1 if block else tip["height"] + 1
        when = max(int(time.time()), tip["time"] + 1) + height - tip["height"]
        block = chain.Block(parent, height, when)
        times.append(extend(node, honest, block))
    served = (sum(peer.bytes for peer in attackers) - before) / (time.monotonic() - start)
    answer, arrival = (max(column) for column in zip(*times))
    print(f"{readers} readers of old blocks at {read_us} us a read, {served / 1e3:.0f} kB/s "
          f"served: of {NEW_BLOCKS} blocks the slowest answer took {answer:.3f} s, the slowest way "
          f"to the honest node {arrival:.3f} s")
    node.kill()
    node.start()
    equal(node.rpc.getbestblockhash(), block.id(), "the tip after kill -9")
    equal(node.rpc.getblockcount(), OLD_BLOCKS + NEW_BLOCKS)
    assert answer < LIMIT_S and arrival < LIMIT_S, (answer, arrival)
    assert served > 0, "peers are served all the same"
    node.stop()
    honest.stop()


def test_one_reader_of_old_blocks_holds_up_no_write(context):
    run(context, 1, 1000)


def test_many_readers_of_a_slow_disk_hold_up_no_write(context):
    run(context, 20, 20_000)


if __name__ == "__main__":
    framework.main(globals())
