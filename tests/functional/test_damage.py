"""A damaged block index or coins database is made good by the node itself, loudly.

Not yet: missing block files, damage of the last blocks or of undo data, random damages of every
kind of file.
"""
import glob
import os
import re
import shutil

import framework
from framework import equal, wait_until
from test_net_rpc import ADDRESS

N_BLOCKS = 30


def made(context, name="node", to=f"addr({ADDRESS})"):
    """A node with a chain, stopped; what it must say of it again."""
    node = context.node(name)
    node.start("-connect=0")
    node.rpc.generatetodescriptor(N_BLOCKS, to)
    truth = state(node)
    node.stop()
    node.start("-connect=0")  # what is in logs becomes tables
    node.stop()
    return node, truth


def state(node):
    coins = node.rpc.gettxoutsetinfo("muhash")
    return [node.rpc.getbestblockhash(), coins["txouts"], coins["muhash"]]


def tables(node, store):
    return sorted(path for path in glob.glob(node.path(store, "*")) if "LOG" not in path)


def repaired(node, truth, what):
    """It starts, tells of the damage and comes to the same chain and coins."""
    node.start("-connect=0")
    wait_until(lambda: node.rpc.getblockcount() == N_BLOCKS, 30, "the chain")
    equal(state(node), truth)
    warnings = " ".join(node.rpc.getblockchaininfo()["warnings"])
    assert re.search(what, warnings), (what, warnings)
    node.stop()
    node.start("-connect=0")
    equal(state(node), truth)
    equal(node.rpc.getblockchaininfo()["warnings"], [])
    node.stop()


def garble(path):
    with open(path, "r+b") as file:
        size = os.path.getsize(path)
        file.write(bytes(0xA5 for _ in range(size)))


def remove_current(node, store):
    os.remove(node.path(store, "CURRENT"))


def garble_current(node, store):
    garble(node.path(store, "CURRENT"))


def garble_manifest(node, store):
    for path in tables(node, store):
        if os.path.basename(path).startswith("MANIFEST"):
            garble(path)


def garble_rows(node, store):
    """All tables and logs."""
    for path in tables(node, store):
        if path.endswith((".ldb", ".log")):
            garble(path)


DAMAGES = (remove_current, garble_current, garble_manifest, garble_rows)


def test_a_damaged_block_index_is_made_anew(context):
    node, truth = made(context)
    for damage in DAMAGES:
        damage(node, "blocks/index")
        repaired(node, truth, "block index is (damaged|missing)")


def test_a_missing_block_index_is_made_anew(context):
    node, truth = made(context)
    shutil.rmtree(node.path("blocks", "index"))
    repaired(node, truth, "block index is (damaged|missing)")


def test_damaged_coins_are_made_anew(context):
    node, truth = made(context)
    for damage in DAMAGES:
        damage(node, "chainstate")
        repaired(node, truth, "coins database is (damaged|empty)")


def test_coins_of_another_chain_are_made_anew(context):
    node, truth = made(context)
    other, _ = made(context, "other", "raw(51)")
    coins = node.path("chainstate")
    shutil.rmtree(coins)
    shutil.copytree(other.path("chainstate"), coins)
    repaired(node, truth, "coins database is (damaged|empty)")


def test_with_norepair_the_node_stops_and_says_what_to_do(context):
    node, truth = made(context)
    for store, remedy in (("blocks/index", "-reindex"), ("chainstate", "-reindex-chainstate")):
        garble_current(node, store)
        before = tables(node, store)
        node.refuses_to_start(remedy, "-connect=0", "-norepair")
        equal(tables(node, store), before)
        repaired(node, truth, "is damaged")


if __name__ == "__main__":
    framework.main(globals())
