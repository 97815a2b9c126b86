"""test_history.py - getreorghistory and getblocksightings: kept over restarts and kills."""
import time

import chain
import framework
from framework import equal, rpc_fails, wait_until


OLD_TIPS = "-maxtipage=1000000000"  # the blocks of tests are old: no initial download for that


def submit(node, *blocks):
    for block in blocks:
        node.rpc.submitblock(block.hex())


def reorgs(node, n):
    """The list, when it has n: a row is told when it is on the disk."""
    wait_until(lambda: node.rpc.getreorghistory()["total"] == n, 30, f"{n} reorganisations")
    return node.rpc.getreorghistory()["reorgs"]


def test_reorganisations_outlive_kills(context):
    node = context.started()
    trunk = chain.grow(None, 3)
    a, b = chain.grow(trunk[-1], 2, extra=b"a"), chain.grow(trunk[-1], 3, extra=b"b")
    began = int(time.time())
    submit(node, *trunk, *a)
    equal(node.rpc.getreorghistory(), {"reorgs": [], "total": 0})
    submit(node, *b)
    equal(node.rpc.getbestblockhash(), b[-1].id())
    first = reorgs(node, 1)[0]
    equal(began <= first.pop("time") <= time.time(), True)
    equal(first, {"disconnected": 2, "connected": 3, "fork": {"hash": trunk[-1].id(), "height": 3},
                  "old_tip": {"hash": a[-1].id(), "height": 5},
                  "new_tip": {"hash": b[-1].id(), "height": 6}})
    told = node.rpc.getreorghistory()
    equal(node.rpc.getblocksightings()["total"], 0)  # it is the initial download still
    node.kill()
    node.start()
    equal(node.rpc.getreorghistory(), told)
    node.rpc.invalidateblock(b[0].id())
    equal(node.rpc.getbestblockhash(), a[-1].id())
    second = reorgs(node, 2)[0]
    equal((second["disconnected"], second["connected"]), (3, 2))
    equal(node.rpc.getreorghistory(1, 1)["reorgs"], told["reorgs"])
    node.restart()
    equal(reorgs(node, 2)[0], second)
    node.stop()


def test_blocks_of_all_branches_are_seen(context):
    node = context.started(OLD_TIPS)
    trunk = chain.grow(None, 3)
    submit(node, *trunk)
    node.rpc.setmocktime(int(time.time()) + 1000)
    stale = chain.grow(trunk[1], 1, extra=b"s")
    submit(node, *stale)
    wait_until(lambda: node.rpc.getblocksightings()["total"] == 4, 30, "sightings")
    rows = node.rpc.getblocksightings()["blocks"]
    equal([(row["hash"], row["height"], row["active"]) for row in rows],
          [(stale[0].id(), 3, False), (trunk[2].id(), 3, True), (trunk[1].id(), 2, True),
           (trunk[0].id(), 1, True)])
    equal(rows[0]["first_seen"] - rows[1]["first_seen"] >= 1000, True)
    equal(rows[0]["time"], node.rpc.getblockheader(stale[0].id())["time"])
    submit(node, *stale)  # a block that is known is not seen first
    node.kill()
    node.start()
    equal(node.rpc.getblocksightings()["blocks"], rows)
    node.stop()


def test_damaged_files_are_begun_anew_and_it_can_be_switched_off(context):
    node = context.started(OLD_TIPS)
    submit(node, *chain.grow(None, 3))
    wait_until(lambda: node.rpc.getblocksightings()["total"] == 3, 30, "sightings")
    node.stop()
    for name in ("reorgs.dat", "sightings.dat"):
        with open(node.path(name), "wb") as file:
            file.write(context.random.randbytes(5000))
    node.start()
    equal(node.rpc.getblocksightings(), {"blocks": [], "total": 0})
    equal(node.rpc.getreorghistory(), {"reorgs": [], "total": 0})
    node.restart("-chainhistory=0")
    rpc_fails(-1, "Nothing is noted", node.rpc.getreorghistory)
    rpc_fails(-1, "Nothing is noted", node.rpc.getblocksightings)
    node.stop()


if __name__ == "__main__":
    framework.main(globals())
