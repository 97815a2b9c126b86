"""A hundred peers that announce without pause (flood.c): memory stays, an honest block comes."""
import os
import subprocess
import time

import chain
import framework
import p2p
from framework import Failure, Skip, wait_until

PEERS = 100
SETTLED_S = 4  # all are connected, and each has announced what it may


def generator(context):
    source = os.path.join(framework.ROOT, "tests", "functional", "flood.c")
    program = os.path.join(context.scratch, "flood")
    done = subprocess.run(["cc", "-O2", "-o", program, source, "-lcrypto"], check=False,
                          stderr=subprocess.PIPE, text=True)
    if done.returncode != 0:
        raise Skip(f"no compiler for flood.c: {done.stderr[-200:]}")
    return program


def flood(context, node, entries):
    seconds = 20 if context.soak else 10
    return subprocess.Popen([generator(context), "127.0.0.1", str(node.p2p_port), str(PEERS),
                             str(seconds), str(entries)], stdout=subprocess.PIPE, text=True)


def extend(node, honest, block):
    """An honest peer announces a block. Returns: seconds until it is the tip."""
    honest.store.add(block)
    start = time.monotonic()
    honest.send("headers", p2p.headers([block.header()]))
    node.wait_tip(block.id(), 20)
    return time.monotonic() - start


def run(context, entries):
    # A line for each announcement would be most of the work.
    node = p2p.node(context, "-debugexclude=net")
    honest = p2p.connect(context, node)
    block = chain.Block(chain.GENESIS, 1, int(time.time()) - 3600)
    extend(node, honest, block)  # the tip is recent: from now on transactions count
    noise = flood(context, node, entries)
    context.cleanups.append(noise.kill)
    start = time.monotonic()
    wait_until(lambda: node.rpc.getconnectioncount() > PEERS, 20, "the crowd")
    time.sleep(max(0, SETTLED_S - (time.monotonic() - start)))
    before, worst = p2p.resident_kb(node.process), 0.0
    while noise.poll() is None:
        block = block.child(seconds=1)
        worst = max(worst, extend(node, honest, block))
        time.sleep(1)
    grown = p2p.resident_kb(node.process) - before
    print(f"{noise.stdout.read().strip()}; {before} kB resident at the start, {grown} kB more at "
          f"the end; the slowest block took {worst:.2f} s")
    if grown > 20 * 1024:
        raise Failure(f"memory grew by {grown} kB")
    if worst > 2:
        raise Failure(f"a block took {worst:.2f} s")
    node.stop()


def test_a_hundred_peers_announce_in_small_messages(context):
    run(context, 1000)


def test_a_hundred_peers_announce_in_the_largest_messages(context):
    run(context, 50000)


if __name__ == "__main__":
    # What AddressSanitizer keeps back after it was freed (256 MB) would be the growth.
    others = os.environ.get("ASAN_OPTIONS", "detect_stack_use_after_return=1")
    os.environ["ASAN_OPTIONS"] = others + ":quarantine_size_mb=8"
    framework.main(globals())
