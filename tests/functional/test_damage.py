"""What is damaged in the data directory is made good by the node itself, loudly.

Random damages of every kind of file: test_random_damage.py.
"""
import glob
import http.client
import os
import re
import shutil

import framework
from framework import equal, rpc_fails, wait_until
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


def repaired(node, truth, what, height=N_BLOCKS):
    """It starts, tells of the damage and comes to the same chain and coins."""
    node.start("-connect=0")
    wait_until(lambda: node.rpc.getblockcount() == height, 30, "the chain")
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


def rewrite(change):
    """A damage of all files of a store."""
    def damage(node, store):
        for path in tables(node, store):
            change(path)
    damage.__name__ = change.__name__
    return damage


def halve(path):
    os.truncate(path, os.path.getsize(path) // 2)


def empty(path):
    os.truncate(path, 0)


def zero(path):
    with open(path, "r+b") as file:
        file.write(bytes(os.path.getsize(path)))


def remove_rows(path):
    if path.endswith((".ldb", ".log")):
        os.remove(path)


DAMAGES = (remove_current, garble_current, garble_manifest, garble_rows)
ALL_DAMAGES = DAMAGES + tuple(rewrite(change) for change in (halve, empty, zero, remove_rows))
STORES = ("blocks/index", "chainstate")


def swap(one, other):
    os.rename(one, one + ".swap")
    os.rename(other, one)
    os.rename(one + ".swap", other)


def swap_stores(node):
    swap(*(node.path(store) for store in STORES))


def swap_tables(node):
    """Each store has one of the other's, by its own name."""
    swap(*(next(path for path in tables(node, store) if path.endswith(".ldb"))
           for store in STORES))


def swap_manifests(node):
    swap(*(next(path for path in tables(node, store) if "MANIFEST" in path) for store in STORES))


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


def test_damaged_coins_that_a_run_meets_are_made_anew_by_the_same_process(context):
    node = context.started("-connect=0", "-checkblocks=-1")
    node.rpc.generatetodescriptor(300, f"addr({ADDRESS})")
    truth = state(node)
    node.restart()
    node.stop()
    for path in tables(node, "chainstate"):
        if path.endswith(".ldb"):
            with open(path, "r+b") as file:  # amid the rows, which no start reads
                file.seek(os.path.getsize(path) // 2)
                byte = file.read(1)[0]
                file.seek(-1, os.SEEK_CUR)
                file.write(bytes([byte ^ 0x55]))
    node.start()
    process = node.process

    def is_told():
        """The scan meets the damage, if nothing else has by then; the next life tells of it."""
        try:
            if "damaged" in str(node.rpc.getblockchaininfo()["warnings"]):
                return True
            rpc_fails(-32603, "UTXO", node.rpc.gettxoutsetinfo)
        except (OSError, http.client.HTTPException, framework.Failure, framework.RpcError):
            node.rpc.close()
            node.wait_rpc()  # the next life has another cookie
        return False
    wait_until(is_told, 30, "its second life")
    equal(process.poll(), None)
    wait_until(lambda: node.rpc.getblockcount() == 300, 30, "the chain")
    equal(state(node), truth)
    assert "damaged" in str(node.rpc.getblockchaininfo()["warnings"])
    node.stop()


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
    rows = [path for path in tables(node, "blocks/index") if path.endswith(".ldb")]
    for path in rows:
        garble(path)
    assert rows
    node.refuses_to_start("Error loading block database", "-connect=0", "-norepair")
    repaired(node, truth, "is damaged")


def test_with_norepair_damaged_indexes_and_block_files_stop_the_node_and_stay_as_they_are(context):
    node = context.started("-connect=0", "-txindex", "-coinstatsindex")
    hashes = node.rpc.generatetodescriptor(N_BLOCKS, "raw(51)")
    raw = bytes.fromhex(node.rpc.getblock(hashes[5], 0))
    node.restart("-connect=0", "-txindex", "-coinstatsindex")  # what is in logs becomes tables
    node.stop()
    whole = node.datadir + ".whole"
    shutil.copytree(node.datadir, whole)
    blocks, corruption = node.path("blocks", "blk00000.dat"), "LevelDB error: Corruption"
    cases = [(lambda: garble_current(node, "indexes/txindex"), corruption),
             (lambda: garble_rows(node, "indexes/coinstatsindex/db"), corruption),
             (lambda: os.remove(blocks), "Error loading block database"),
             (lambda: os.truncate(blocks, 1000), "Error loading block database"),
             (lambda: damage_record(node, raw), "Corrupted block database detected")]
    for damage, line in cases:
        shutil.rmtree(node.datadir)
        shutil.copytree(whole, node.datadir)
        damage()
        for _ in range(2):
            node.refuses_to_start(line, "-connect=0", "-txindex", "-coinstatsindex", "-norepair",
                                  "-checkblocks=0")
        node.start("-connect=0", "-txindex", "-coinstatsindex", "-checkblocks=0")
        equal(node.rpc.getbestblockhash(), hashes[-1])
        wait_until(lambda: node.rpc.getblockchaininfo()["warnings"], what="a warning")
        node.stop()


def test_index_and_coins_damaged_at_once_are_made_anew_and_nothing_acknowledged_is_lost(context):
    """The last blocks are in no store yet: whatever is made anew, they are there."""
    node, _ = made(context)
    node.start("-connect=0")
    node.rpc.generatetodescriptor(3, f"addr({ADDRESS})")
    truth = state(node)
    node.kill()
    whole = node.datadir + ".whole"
    shutil.copytree(node.datadir, whole)
    pairs = [(damage, damage) for damage in ALL_DAMAGES]
    pairs += [context.random.sample(ALL_DAMAGES, 2) for _ in range(4)]
    cases = [(f"{one.__name__}, {other.__name__}",
              lambda one=one, other=other: (one(node, STORES[0]), other(node, STORES[1])))
             for one, other in pairs]
    cases += [(both.__name__, lambda both=both: both(node))
              for both in (swap_stores, swap_tables, swap_manifests)]
    problems = []
    for what, damage in cases:
        shutil.rmtree(node.datadir)
        shutil.copytree(whole, node.datadir)
        damage()
        try:
            repaired(node, truth, "(block index|coins database) is", N_BLOCKS + 3)
        except (framework.Failure, AssertionError) as error:
            problems.append(f"{what}: {error}")
            if node.process.poll() is None:
                node.kill()
    assert not problems, "\n".join(problems)


def test_nothing_is_emptied_while_the_blocks_are_not_there(context):
    """Their disk is not mounted: what is damaged waits for it."""
    blocks = os.path.join(context.scratch, "elsewhere")
    os.mkdir(blocks)
    node = context.node(options=[f"-blocksdir={blocks}"])
    node.start("-connect=0")
    node.rpc.generatetodescriptor(N_BLOCKS, f"addr({ADDRESS})")
    truth = state(node)
    node.restart("-connect=0")
    node.stop()
    for stores in (STORES[:1], STORES[1:], STORES):
        for store in stores:
            garble_current(node, store)
        os.rename(blocks, blocks + ".away")
        os.mkdir(blocks)
        before = [tables(node, store) for store in stores]
        for _ in range(2):
            node.refuses_to_start("is the disk mounted", "-connect=0")
        equal([tables(node, store) for store in stores], before)
        shutil.rmtree(blocks)
        os.rename(blocks + ".away", blocks)
        repaired(node, truth, "(block index|coins database) is")


def test_a_pruned_nodes_damaged_coins_are_left_as_they_are(context):
    """They cannot be made anew, so whoever can mend them finds them, at each start."""
    node = context.started("-connect=0", "-prune=1", "-fastprune")
    node.rpc.generatetodescriptor(600, f"addr({ADDRESS})")
    node.rpc.pruneblockchain(300)
    assert not os.path.exists(node.path("blocks", "blk00000.dat"))
    truth = state(node)
    node.restart("-connect=0", "-prune=1", "-fastprune")
    node.stop()
    current = node.path("chainstate", "CURRENT")
    shutil.copy(current, current + ".kept")
    for damage in (garble_current, remove_current):
        damage(node, "chainstate")
        before = tables(node, "chainstate")
        for _ in range(2):
            node.refuses_to_start("start with -reindex, which", "-connect=0", "-prune=1")
        equal(tables(node, "chainstate"), before)
    os.rename(current + ".kept", current)
    node.start("-connect=0", "-prune=1", "-fastprune")
    equal(state(node), truth)
    node.stop()


def damage_record(node, raw):
    """Flip a bit of a block in its file."""
    at = node.plain("blk00000.dat").index(raw)
    with open(node.path("blocks", "blk00000.dat"), "r+b") as file:
        file.seek(at + 100)
        byte = file.read(1)[0]
        file.seek(at + 100)
        file.write(bytes([byte ^ 1]))


def test_damage_of_the_last_block_and_its_undo_data_stops_nothing(context):
    node, truth = made(context)
    node.start("-connect=0")
    raw = bytes.fromhex(node.rpc.getblock(truth[0], 0))
    node.stop()
    damage_record(node, raw)
    garble(node.path("blocks", "rev00000.dat"))
    node.start("-connect=0")
    equal(state(node), truth)
    wait_until(lambda: "amaged" in str(node.rpc.getblockchaininfo()["warnings"]), 30, "a warning")
    rpc_fails(-1, "damaged or missing", node.rpc.getblock, truth[0], 0)
    equal(node.rpc.getblock(node.rpc.getblockhash(N_BLOCKS - 1))["height"], N_BLOCKS - 1)
    node.rpc.generatetodescriptor(1, "raw(51)")
    node.stop()
    # It is known again, and does not stop this start either.
    node.start("-connect=0")
    equal(node.rpc.getblockcount(), N_BLOCKS + 1)
    assert "1 stored blocks" in str(node.rpc.getblockchaininfo()["warnings"])
    node.rpc.submitblock(raw.hex())
    node.stop()


def test_blocks_of_a_missing_file_come_from_a_peer_all_of_them(context):
    source = context.node("source", ["-listen=1", f"-bind=127.0.0.1:{framework.free_port()}"])
    source.start("-connect=0")
    hashes = source.rpc.generatetodescriptor(300, f"addr({ADDRESS})")
    peer = "-connect=" + source.options[1].removeprefix("-bind=")
    node = context.node("node", ["-fastprune"])
    node.start(peer)
    node.wait_tip(hashes[-1])
    coins = node.coins()
    node.stop()
    os.remove(node.path("blocks", "blk00000.dat"))
    node.start("-connect=0")  # nobody has them
    equal(node.coins(), coins)
    rpc_fails(-1, "damaged or missing", node.rpc.getblock, hashes[0], 0)
    rpc_fails(None, "damaged or missing", node.rpc.invalidateblock, hashes[0])
    n_lost = int(re.search(r"(\d+) stored blocks", str(node.rpc.getnetworkinfo()["warnings"]))[1])
    assert n_lost > 64, n_lost
    node.stop()
    node.start(peer)
    wait_until(lambda: node.rpc.getblockchaininfo()["warnings"] == [], 30, "all blocks")
    for block in hashes:
        equal(node.rpc.getblock(block, 0), source.rpc.getblock(block, 0))
    node.stop()
    node.start("-connect=0")
    node.rpc.invalidateblock(hashes[0])  # all of it is there, undo data too
    equal(node.rpc.getblockcount(), 0)
    node.stop()
    source.stop()


if __name__ == "__main__":
    framework.main(globals())
