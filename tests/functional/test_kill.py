"""SIGKILL at random moments of import and reorganisation: nothing is lost or wrong."""
import os
import shutil
import threading
import time

import chain
import framework
from framework import equal

KILLS_SHORT, KILLS_SOAK = 60, 2000


def branches(context):
    """A file with two branches in turns, so that importing it reorganises several times.

    Branch a is long and full (chaingen), branch b overtakes it twice. Returns the path and the
    tip of most work."""
    n = 120 if context.soak else 16
    path_a, _, _, _ = context.chain_file("p2wsh", n, 40, 600)
    path_b, tip, _, _ = context.chain_file("mix", n + 30, 10, 400)
    with open(path_a, "rb") as file:
        a = chain.unframe(file.read())
    with open(path_b, "rb") as file:
        b = chain.unframe(file.read())
    if len(b) <= len(a):
        b_more = len(a) - len(b) + 1
        raise AssertionError(f"branch b needs {b_more} more blocks")
    cut_a, cut_b = len(a) - 20, len(a) - 10
    order = a[:cut_a] + b[:cut_b] + a[cut_a:] + b[cut_b:]
    path = os.path.join(context.scratch, "branches.dat")
    with open(path, "wb") as file:
        file.write(b"".join(chain.frame(raw) for raw in order))
    return path, tip


def control(context, path, tip):
    """The coins of a node that nobody kills, and the seconds its import takes."""
    node = context.node("control", ["-dbcache=4"])
    start = time.monotonic()
    node.start(f"-loadblock={path}")
    node.wait_tip(tip, 600)
    seconds = time.monotonic() - start
    coins = node.coins()
    node.stop()
    return coins, seconds


def disturb(node, what):
    """Something that is going on when the node dies: a flush, a reorganisation by order."""
    try:
        rpc = framework.wait_until(node.connect_rpc, 5)
        rpc.timeout = 10
        if what == "flush":
            while True:
                rpc.gettxoutsetinfo("none")
        else:
            while True:
                height = rpc.getblockcount()
                bad = rpc.getblockhash(max(1, height - 30))
                rpc.invalidateblock(bad)
                rpc.reconsiderblock(bad)
    except Exception:  # pylint: disable=broad-except
        pass  # it was killed, which is the point


def undo_invalidation(node):
    """Whatever invalidateblock left behind is taken back, as an operator would. Returns whether
    there was anything."""
    bad = [tip["hash"] for tip in node.rpc.getchaintips() if tip["status"] == "invalid"]
    for block_hash in bad:
        node.rpc.reconsiderblock(block_hash)
    return bool(bad)


def episode(context, number, file, want, seconds):
    """Kill one fresh node again and again until its import is through. Returns the kills."""
    path, tip = file
    node = context.node(f"victim{number}", ["-dbcache=4", f"-loadblock={path}"])
    kills = 0
    for _ in range(context.random.randrange(3, 9)):
        node.launch()
        what = context.random.choice(["import", "flush", "reorganisation"])
        worker = None
        if what != "import":
            worker = threading.Thread(target=disturb, args=(node, what), daemon=True)
            worker.start()
        time.sleep(context.random.uniform(0.005, seconds))
        node.kill()
        if worker:
            worker.join()
        kills += 1
    node.start()
    if undo_invalidation(node):
        node.restart()  # blocks of the file above an invalid one were refused: read it again
    node.wait_tip(tip, 60)
    equal(node.coins(), want, f"coins after {kills} kills of {node.name}")
    node.stop()
    shutil.rmtree(node.datadir)  # thousands of them are more than a disk has
    return kills


def test_what_was_acknowledged_is_there_with_the_first_answer(context):
    """A client that was told of a block never meets a node that has forgotten it."""
    node = context.node("acknowledged")
    node.start()
    tip = node.rpc.generatetoaddress(7, "bcrt1qw508d6qejxtdg4y5r3zarvary0c5xw7kygt080")[-1]
    node.kill()
    node.start()
    equal(node.rpc.getbestblockhash(), tip)
    node.stop()


def test_killed_at_random_moments(context):
    file = branches(context)
    want, seconds = control(context, *file)
    print(f"an import takes {seconds:.2f} s")
    wanted = KILLS_SOAK if context.soak else KILLS_SHORT
    budget = time.monotonic() + (3600 if context.soak else 75)
    kills = episodes = 0
    while kills < wanted and time.monotonic() < budget:
        kills += episode(context, episodes, file, want, min(1.0, seconds))
        episodes += 1
    print(f"figures: {kills} kills in {episodes} lives, each ended with the control node's coins")
    assert kills >= 20, f"only {kills} kills"


if __name__ == "__main__":
    framework.main(globals())
