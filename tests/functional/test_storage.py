"""What is on disk: damage found and named, pruning, indexes, rebuilding, a full disk."""
import os
import resource
import subprocess

import chain
import framework
from framework import Failure, Skip, equal, rpc_fails, wait_until


def filled(context, *options, name="node", blocks=120):
    """A running node with blocks that spend. Returns (node, blocks)."""
    node = context.started(*options, name=name)
    made = chain.grow(None, 101)
    while len(made) < blocks:
        tx = chain.spend(made[len(made) - 101].txs[0])
        made.append(made[-1].child([tx]))
    for block in made:
        equal(node.rpc.submitblock(block.hex()), None)
    return node, made


def flip(path, at, n=1):
    with open(path, "r+b") as file:
        file.seek(at)
        byte = file.read(n)
        file.seek(at)
        file.write(bytes(b ^ 0x55 for b in byte))


def test_reindex_and_reindex_chainstate_end_on_the_same_coins(context):
    node, blocks = filled(context)
    want = node.coins()
    for option in ("-reindex", "-reindex-chainstate"):
        node.stop()
        node.start(option)
        node.wait_tip(blocks[-1].id())
        equal(node.coins(), want, option)
    node.stop()


def test_reindex_keeps_an_invalid_block_out(context):
    node, blocks = filled(context, blocks=105)
    bad = blocks[-1].child(fees=1)
    equal(node.rpc.submitblock(bad.hex()), "bad-cb-amount")
    node.stop()
    node.start("-reindex")
    node.wait_tip(blocks[-1].id())
    node.stop()


def test_damage_in_a_block_file_is_noticed_and_named(context):
    node, blocks = filled(context)
    node.stop()
    path = node.path("blocks", "blk00000.dat")
    at = node.plain("blk00000.dat").index(blocks[50].encode()[:80])
    flip(path, at + 100)
    node.start("-checkblocks=6")
    equal(node.rpc.getbestblockhash(), blocks[-1].id())
    rpc_fails(-1, r"[Bb]lock.*(damaged|corrupt|read|not found)|[Cc]an't read", node.rpc.getblock,
              blocks[50].id())
    equal(node.rpc.getblock(blocks[51].id())["height"], 52)
    node.stop()
    flip(path, at + 100)
    node.start()
    equal(node.rpc.getblock(blocks[50].id(), 0), blocks[50].hex())
    node.stop()


def test_damaged_undo_data_never_gives_wrong_coins(context):
    node, blocks = filled(context)
    before = node.coins()
    node.stop()
    path = node.path("blocks", "rev00000.dat")
    for at in range(os.path.getsize(path) - 4000, os.path.getsize(path), 40):
        if at > 0:
            flip(path, at)
    node.start("-checkblocks=1", "-checklevel=0")
    rpc_fails(-20, "block-not-available.*damaged", node.rpc.invalidateblock, blocks[-10].id())
    equal(node.coins(), before)
    equal(node.rpc.getbestblockhash(), blocks[-1].id())
    node.stop()
    node.start("-reindex")
    for entry in node.rpc.getchaintips():
        if entry["status"] == "invalid":
            node.rpc.reconsiderblock(entry["hash"])
    node.wait_tip(blocks[-1].id())
    equal(node.coins(), before)
    node.stop()


def test_a_missing_file_of_undo_data_is_told_in_the_common_words(context):
    node, blocks = filled(context)
    node.restart()
    os.rename(node.path("blocks", "rev00000.dat"), node.path("blocks", "away"))
    for verbosity in (2, 3):
        rpc_fails(-32603, "Undo data expected but can't be read", node.rpc.getblock,
                  blocks[-10].id(), verbosity)
    equal(node.rpc.getblock(blocks[-10].id(), 1)["height"], len(blocks) - 9)
    node.stop()


def database_dirs(node):
    found = []
    for base, _, names in os.walk(node.netdir):
        if "CURRENT" in names:
            found.append(base)
    return found


def test_a_damaged_database_is_refused_with_the_remedy(context):
    """By -norepair, for who wants to look first; else it is made anew: test_damage.py."""
    node, blocks = filled(context)
    want = node.coins()
    node.stop()
    for folder in sorted(database_dirs(node)):
        for name in ("MANIFEST", "CURRENT"):
            path = next(os.path.join(folder, n) for n in os.listdir(folder) if n.startswith(name))
            with open(path, "rb") as file:
                content = file.read()
            with open(path, "wb") as file:
                file.write(b"\x00garbage\xff" * 5)
            line = node.refuses_to_start("reindex", "-norepair")
            assert len(line) < 400, line
            with open(path, "wb") as file:
                file.write(content)
    node.start()
    equal(node.coins(), want)
    node.stop()
    for folder in database_dirs(node):
        for name in os.listdir(folder):
            if name.startswith("CURRENT"):
                with open(os.path.join(folder, name), "wb") as file:
                    file.write(b"nothing\n")
    node.start("-reindex")
    node.wait_tip(blocks[-1].id())
    equal(node.coins(), want)
    node.stop()


def test_a_lost_coins_database_is_rebuilt_or_refused_with_the_remedy(context):
    node, blocks = filled(context)
    want = node.coins()
    node.stop()
    subprocess.run(["rm", "-r", node.path("chainstate")], check=True)
    node.launch()
    try:
        node.wait_rpc()
    except Failure:
        assert "reindex" in node.output() + node.log()
        node.start("-reindex-chainstate")
    node.wait_tip(blocks[-1].id())
    equal(node.coins(), want)
    node.stop()


def mount_small(context, megabytes):
    if os.geteuid() != 0:
        raise Skip("needs root to mount a small file system")
    folder = os.path.join(context.scratch, "small")
    os.makedirs(folder)
    done = subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={megabytes}m", "tmpfs", folder],
                          check=False, stderr=subprocess.DEVNULL)
    if done.returncode != 0:
        raise Skip("cannot mount a small file system")
    context.cleanups.append(lambda: subprocess.run(["umount", "-l", folder], check=False))
    return folder


def fat_block(parent, megabytes, random):
    """A block of that size: outputs that nobody can spend."""
    outputs = [chain.TxOut(0, b"\x6a" + chain.push(random.randbytes(500)))
               for _ in range(int(megabytes * 1900))]
    return parent.child(coinbase_tx=chain.coinbase(parent.height + 1, outputs=outputs))


def test_a_full_disk_stops_the_node_and_loses_nothing(context):
    folder = mount_small(context, 40)
    node = context.node()
    node.datadir = folder
    node.start()
    blocks = chain.grow(None, 3)
    for block in blocks:
        equal(node.rpc.submitblock(block.hex()), None)
    made, accepted = list(blocks), blocks[-1]
    ballast = os.path.join(folder, "ballast")
    with open(ballast, "wb", buffering=0) as file:  # else the rest would fail at its closing
        try:
            while True:
                file.write(bytes(65536))
        except OSError:
            pass
    os.truncate(ballast, max(0, os.path.getsize(ballast) - (1 << 20)))
    failed = False
    for _ in range(60):
        block = fat_block(made[-1], 0.9, context.random)
        made.append(block)
        try:
            if node.rpc.submitblock(block.hex()) is None:
                accepted = block
        except Exception:  # pylint: disable=broad-except
            failed = True
            break
    assert failed, "a full disk, and no complaint"
    status = node.wait_exit(None, 30)
    assert status != 0, "exit status 0 on a full disk"
    text = node.output() + node.log()
    assert "space" in text.lower() or "disk" in text.lower(), text[-500:]
    os.remove(ballast)
    node.start()
    wait_until(lambda: node.rpc.getblockcount() >= accepted.height, what="what was answered for")
    for block in made[accepted.height:]:
        assert node.rpc.submitblock(block.hex()) in (None, "duplicate")
    equal(node.rpc.getbestblockhash(), made[-1].id())
    for entry in node.rpc.getchaintips():
        assert entry["status"] != "invalid", "a block was blamed for the disk"
    node.stop()


def test_a_file_size_limit_is_a_fault_of_ours_too(context):
    """Writes fail in the middle of a file (EFBIG): as ENOSPC, no block may be blamed."""
    node = context.node()
    node.launch(preexec=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (3 << 20, 3 << 20)))
    try:
        node.wait_rpc()
    except Failure:
        raise Skip("cannot start under a file size limit") from None
    made = chain.grow(None, 1)
    node.rpc.submitblock(made[0].hex())
    try:
        for _ in range(12):
            made.append(fat_block(made[-1], 0.9, context.random))
            node.rpc.submitblock(made[-1].hex())
        raise Failure("no complaint")
    except Failure:
        raise
    except Exception:  # pylint: disable=broad-except
        pass
    node.wait_exit(None, 30)
    node.start()
    for block in made[node.rpc.getblockcount():]:
        assert node.rpc.submitblock(block.hex()) in (None, "duplicate")
    equal(node.rpc.getbestblockhash(), made[-1].id())
    node.stop()


def test_pruning(context):
    node = context.started("-prune=1", "-fastprune")
    made = chain.grow(None, 1)
    for _ in range(700):
        made.append(fat_block(made[-1], 0.02, context.random))
    for block in made:
        equal(node.rpc.submitblock(block.hex()), None)
    info = node.rpc.getblockchaininfo()
    equal((info["pruned"], info["automatic_pruning"]), (True, False))
    rpc_fails(-8, "Negative block height", node.rpc.pruneblockchain, -1)
    rpc_fails(-8, "shorter than the attempted prune height", node.rpc.pruneblockchain, 5000)
    want = node.coins()
    pruned = node.rpc.pruneblockchain(300)
    assert 0 < pruned <= 300, pruned
    first = node.rpc.getblockchaininfo()["pruneheight"]
    equal(first, pruned + 1)
    rpc_fails(-1, "pruned data", node.rpc.getblock, made[0].id())
    equal(node.rpc.getblockheader(made[0].id())["height"], 1)
    equal(node.rpc.getblock(made[first - 1].id())["height"], first)
    # Never the last 288.
    assert node.rpc.pruneblockchain(700) <= 701 - 288
    node.restart()
    equal(node.coins(), want)
    equal(node.rpc.getblock(made[-280].id(), 0), made[-280].hex())
    # What was pruned is kept if it is handed in again, and teaches nothing new.
    equal(node.rpc.submitblock(made[0].hex()), "inconclusive")
    equal(node.rpc.getblock(made[0].id(), 0), made[0].hex())
    equal(node.rpc.submitblock(made[0].hex()), "duplicate")
    # A branch from within the kept blocks is still possible.
    branch = chain.grow(made[-5], 6, extra=b"b")
    for block in branch:
        node.rpc.submitblock(block.hex())
    equal(node.rpc.getbestblockhash(), branch[-1].id())
    node.stop()
    node.options = []
    node.refuses_to_start("reindex|prune")


def test_pruning_by_rpc_needs_the_option(context):
    node = context.started()
    rpc_fails(-1, "not in prune mode", node.rpc.pruneblockchain, 10)
    node.stop()
    node.refuses_to_start("txindex", "-prune=550", "-txindex=1")


def test_txindex(context):
    node, blocks = filled(context, "-txindex=1")
    wait_until(lambda: node.rpc.getindexinfo().get("txindex", {}).get("synced"), what="index")
    equal(node.rpc.getindexinfo("txindex")["txindex"]["best_block_height"], len(blocks))
    tx = blocks[-1].txs[1]
    txid = chain.display(tx.txid())
    equal(node.rpc.getrawtransaction(txid), tx.encode().hex())
    found = node.rpc.getrawtransaction(txid, 1)
    equal((found["blockhash"], found["confirmations"]), (blocks[-1].id(), 1))
    node.restart()
    equal(node.rpc.getrawtransaction(txid), tx.encode().hex())
    # The index follows a reorganisation.
    node.rpc.invalidateblock(blocks[-1].id())
    try:
        found = node.rpc.getrawtransaction(txid, 1)
        assert found.get("confirmations", 0) == 0, found
    except framework.RpcError as error:
        equal(error.code, -5)
    node.rpc.reconsiderblock(blocks[-1].id())
    equal(node.rpc.getrawtransaction(txid, 1)["confirmations"], 1)
    node.stop()


def test_txindex_can_be_switched_on_later(context):
    node, blocks = filled(context)
    txid = chain.display(blocks[-1].txs[1].txid())
    rpc_fails(-5, "txindex", node.rpc.getrawtransaction, txid)
    node.stop()
    node.start("-txindex=1")
    wait_until(lambda: node.rpc.getindexinfo()["txindex"]["synced"], what="index")
    equal(node.rpc.getrawtransaction(txid), blocks[-1].txs[1].encode().hex())
    node.stop()


def test_blocks_written_here_are_in_the_common_format(context):
    node, blocks = filled(context)
    node.stop()
    path = os.path.join(context.scratch, "plain.dat")
    with open(path, "wb") as file:
        file.write(node.plain("blk00000.dat"))
    for name, option in (("other", "-blocksxor=1"), ("third", "-blocksxor=0")):
        other = context.node(name)
        other.launch("-stopafterblockimport", f"-loadblock={path}", option)
        other.wait_exit(0)
        other.start(option)
        equal(other.rpc.getbestblockhash(), blocks[-1].id())
        other.stop()
        with open(other.path("blocks", "blk00000.dat"), "rb") as file:
            equal(file.read(4).hex() == "fabfb5da", option == "-blocksxor=0")
    # What is not plain is no file of blocks to others, and stays as it is to its own node.
    node.refuses_to_start("XOR-key can not be disabled", "-blocksxor=0")


if __name__ == "__main__":
    framework.main(globals())
