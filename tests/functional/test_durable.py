"""What was acknowledged is there after a kill: while files are read again, with wrong clocks, on
folders that are links to other disks."""
import os
import shutil
import threading
import time

import chain
import framework
from framework import RpcError, equal, rpc_fails, wait_until
from test_mempool import coin_of, funded, ids, pay, send

ADDRESS = "bcrt1qw508d6qejxtdg4y5r3zarvary0c5xw7kygt080"
DAY = 24 * 3600
NOW = 1_700_000_000


def knows(node, block_hash):
    try:
        return node.rpc.getblock(block_hash)["hash"] == block_hash
    except framework.RpcError:
        return False


def test_a_kill_amid_a_flush_shows_no_older_tip(context):
    """The index may be written and the coins not: blocks wait to be connected, and nobody is
    answered before they are."""
    node = context.started("-prune=1", "-fastprune")
    node.rpc.generatetoaddress(400, ADDRESS)
    acknowledged = [400]

    def work(rpc):
        try:
            while True:
                rpc.generatetoaddress(60, ADDRESS)
                acknowledged[0] = rpc.getblockcount()
                rpc.pruneblockchain(acknowledged[0] - 300)
        except Exception:  # pylint: disable=broad-except
            pass  # it was killed, which is the point

    for _ in range(15):
        worker = threading.Thread(target=work, args=(node.connect_rpc(10),), daemon=True)
        worker.start()
        time.sleep(context.random.uniform(0, 0.3))
        node.kill()
        worker.join()
        node.start()
        got = node.rpc.getblockcount()
        assert got >= acknowledged[0], f"{got} is shown, {acknowledged[0]} was acknowledged"
    node.stop()


def test_a_kill_before_the_first_flush_of_a_new_node_shows_no_older_tip(context):
    """Several files are full before the index would be written for the first time."""
    node = context.started("-fastprune")
    equal(len(node.rpc.generatetoaddress(700, ADDRESS)), 700)
    node.kill()
    node.start()
    equal(node.rpc.getblockcount(), 700)
    assert "made anew" not in node.log(), "the index was lost"
    node.stop()


def restart_after_kill(node, *options):
    node.kill()
    return node.start(*options)


def test_a_kill_right_after_rebuilding_loses_nothing(context):
    """The flush comes while blocks are read or connected again, the kill when that is over."""
    node = context.started("-fastprune", "-txindex=1")
    node.rpc.generatetoaddress(700, ADDRESS)
    for option in ("-reindex", "-reindex-chainstate") * 2:
        full = node.rpc.getblockcount()
        best = node.rpc.getbestblockhash()
        node.restart(option)
        early = node.rpc.generatetoaddress(1, ADDRESS)[0]
        flushed = node.rpc.gettxoutsetinfo("none")["height"]
        wait_until(lambda: node.rpc.getblockcount() >= full, what="reindex")
        last = node.rpc.generatetoaddress(1, ADDRESS)[0]
        print(f"{option}: flushed at {flushed} of {full}")
        restart_after_kill(node)
        node.wait_tip(last)
        assert knows(node, early) and knows(node, best)
        wait_until(lambda: node.rpc.getindexinfo()["txindex"]["synced"], what="txindex")
        for block_hash in (best, last):
            txid = node.rpc.getblock(block_hash)["tx"][0]
            equal(node.rpc.getrawtransaction(txid, 1)["blockhash"], block_hash)
    node.stop()


def test_kills_amid_rebuilding_need_no_help(context):
    """Each life mines a block on whatever it has by then: none of them is forgotten."""
    for option in ("-reindex", "-reindex-chainstate"):
        node = context.started("-fastprune", name="killed" + option)
        tip = node.rpc.generatetoaddress(700, ADDRESS)[-1]
        want = node.coins()
        node.stop()
        node.launch(option)
        made = []
        for _ in range(8):
            wait_until(node.try_rpc, 30, "RPC")
            if node.rpc.getblockcount() < 690:
                made += node.rpc.generatetoaddress(1, ADDRESS)
            if context.random.random() < 0.5:
                node.rpc.gettxoutsetinfo("none")
            node.kill()
            node.launch()
        node.wait_rpc()
        node.wait_tip(tip)
        equal(node.coins(), want, f"after {option} and {len(made)} side blocks")
        assert all(knows(node, block_hash) for block_hash in made), made
        node.stop()


def test_a_clock_in_the_past_loses_no_block(context):
    node = context.started(f"-mocktime={NOW}")
    old = node.rpc.generatetoaddress(10, ADDRESS)[-1]
    node.rpc.gettxoutsetinfo("none")
    node.restart(f"-mocktime={NOW + 100 * DAY}")  # setmocktime would make the next flush due
    tip = node.rpc.generatetoaddress(20, ADDRESS)[-1]
    restart_after_kill(node, f"-mocktime={NOW + DAY}")
    equal(node.rpc.getbestblockhash(), old)
    assert any("date and time" in w for w in node.rpc.getblockchaininfo()["warnings"])
    node.stop()
    node.start(f"-mocktime={NOW + 100 * DAY}")
    equal(node.rpc.getbestblockhash(), tip)
    equal(node.rpc.getblockchaininfo()["warnings"], [])
    node.stop()


def test_a_reindex_with_the_clock_back_says_why_it_stays_at_0(context):
    node = context.started(f"-mocktime={NOW}")
    tip = node.rpc.generatetoaddress(10, ADDRESS)[-1]
    node.stop()
    node.start("-reindex", f"-mocktime={NOW - 100 * DAY}")
    wait_until(lambda: node.rpc.getblockchaininfo()["warnings"], what="a warning")
    assert any("appear to be from the future" in w
               for w in node.rpc.getblockchaininfo()["warnings"])
    equal(node.rpc.getblockcount(), 0)
    node.stop()
    node.start(f"-mocktime={NOW}")
    node.wait_tip(tip)
    node.stop()


def test_a_tip_in_the_future_names_the_date_and_nothing_is_written(context):
    """Both sides of the two hours; with blocks behind the last flush too."""
    node = context.started(f"-mocktime={NOW}")
    tip = node.rpc.generatetoaddress(10, ADDRESS)[-1]
    time = node.rpc.getblockheader(tip)["time"]
    for how in (node.stop, node.kill):
        node.rpc.gettxoutsetinfo("none")
        how()
        before = {name: os.path.getsize(node.path("blocks", name))
                  for name in os.listdir(node.path("blocks"))}
        for options in ([], ["-reindex-chainstate"]):
            node.refuses_to_start("contains a block which appears to be from the future. This may "
                                  "be due to your computer's date and time being set incorrectly",
                                  f"-mocktime={time - 7201}", *options)
            said = node.output().strip().splitlines()[-2:]
            assert said[0].startswith("The block database contains"), said  # as Core: no "Error:"
            equal(said[1], "Please restart with -reindex or -reindex-chainstate to recover.")
        equal({name: os.path.getsize(node.path("blocks", name))
               for name in os.listdir(node.path("blocks"))}, before)
        node.start(f"-mocktime={time - 7200}")
        equal(node.rpc.getbestblockhash(), tip)
    node.stop()


def test_generate_says_why_a_block_is_refused(context):
    node = context.started(f"-mocktime={NOW}")
    tip = node.rpc.generatetoaddress(12, ADDRESS)[-1]
    node.rpc.setmocktime(NOW - DAY)
    for call in (lambda: node.rpc.generatetoaddress(1, ADDRESS),
                 lambda: node.rpc.generatetodescriptor(1, f"addr({ADDRESS})")):
        rpc_fails(-1, "^TestBlockValidity failed: time-too-new, block timestamp too far", call)
    rpc_fails(-1, "^TestBlockValidity failed: time-too-new", node.rpc.getblocktemplate,
              {"rules": ["segwit"]})
    node.rpc.setmocktime(NOW - 2 * 3600 + 5)  # the least time is two hours ahead, and no more
    assert node.rpc.getblocktemplate({"rules": ["segwit"]})["mintime"] > NOW
    node.rpc.setmocktime(NOW - DAY)
    rpc_fails(-25, "^TestBlockValidity failed: time-too-new", node.rpc.generateblock, ADDRESS, [])
    node.rpc.setmocktime(NOW)
    node.rpc.invalidateblock(tip)  # the same block would be made again
    rpc_fails(-32603, "^ProcessNewBlock, block not accepted: duplicate-invalid",
              node.rpc.generatetoaddress, 1, ADDRESS)
    node.rpc.setmocktime(NOW + 3600)
    node.rpc.generatetoaddress(1, ADDRESS)
    node.stop()


def waiting(context):
    """A node whose mempool has a few transactions, one with a delta. Returns it and their ids."""
    node, coins = funded(context, 6)
    txs = [pay(coin, 2) for coin in coins]
    txs += [pay(coin_of(tx)) for tx in txs]
    for tx in txs:
        send(node, tx)
    node.rpc.prioritisetransaction(chain.display(txs[0].txid()), 0, 777)
    node.rpc.prioritisetransaction("77" * 32, 0, -5)
    return node, ids(*txs), chain.display(txs[0].txid())


def assert_pool(node, txids, prioritised):
    wait_until(lambda: node.rpc.getmempoolinfo()["loaded"], what="mempool.dat")
    equal(sorted(node.rpc.getrawmempool()), txids)
    deltas = node.rpc.getprioritisedtransactions()
    equal({txid: row["fee_delta"] for txid, row in deltas.items()},
          {prioritised: 777, "77" * 32: -5})


def test_rebuilding_keeps_the_mempool(context):
    node, txids, prioritised = waiting(context)
    for option in ("-reindex", "-reindex-chainstate"):
        node.restart(option)
        assert_pool(node, txids, prioritised)
    node.restart()
    assert_pool(node, txids, prioritised)
    node.stop()


def try_to_save_before_it_is_loaded(node):
    """Refused until it is loaded, which may be at any moment. Returns whether it was saved."""
    if node.rpc.getmempoolinfo()["loaded"]:
        return False
    try:
        node.rpc.savemempool()
    except RpcError as error:
        equal((error.code, error.message), (-1, "The mempool was not loaded yet"))
        return False
    assert node.rpc.getmempoolinfo()["loaded"], "saved, and not loaded"
    return True


def test_a_stop_amid_rebuilding_keeps_the_mempool(context):
    """Until the coins are there mempool.dat is neither loaded nor written."""
    node, txids, prioritised = waiting(context)
    node.rpc.savemempool()
    path = node.path("mempool.dat")
    for option in ("-reindex", "-reindex-chainstate"):
        for how in ("stop", "kill"):
            node.kill()
            with open(path, "rb") as file:
                saved = file.read()
            node.launch(option)
            wait_until(node.try_rpc, 30, "RPC")
            if try_to_save_before_it_is_loaded(node):
                with open(path, "rb") as file:
                    saved = file.read()
            if how == "stop":
                node.stop()
            else:
                node.kill()
            with open(path, "rb") as file:
                if how == "kill":
                    equal(file.read(), saved)
            node.start()
            assert_pool(node, txids, prioritised)
    node.stop()


def test_what_savemempool_answered_for_outlives_a_kill(context):
    node, txids, prioritised = waiting(context)
    node.rpc.savemempool()
    restart_after_kill(node)
    assert_pool(node, txids, prioritised)
    node.stop()


def test_a_clock_in_the_past_keeps_the_mempool(context):
    """Its coins are in blocks that the clock keeps out."""
    node = context.started(f"-mocktime={NOW}")
    first = node.rpc.generatetoaddress(101, chain.TRUE_ADDRESS)[0]
    node.rpc.setmocktime(NOW + 100 * DAY)
    coin = node.rpc.getblock(first)["tx"][0]
    tx = pay((chain.wire(coin), 0, 50 * chain.COIN))
    send(node, tx)
    node.rpc.gettxoutsetinfo("none")
    split = chain.display(tx.txid())
    node.rpc.generatetoaddress(1, ADDRESS)
    child = pay(coin_of(tx))
    send(node, child)
    node.rpc.savemempool()
    restart_after_kill(node, f"-mocktime={NOW + DAY}")
    equal(node.rpc.getblockcount(), 101)
    equal(node.rpc.getmempoolinfo()["loaded"], False)
    node.stop()
    node.start(f"-mocktime={NOW + 100 * DAY}")
    wait_until(lambda: node.rpc.getmempoolinfo()["loaded"], what="mempool.dat")
    equal(node.rpc.getrawmempool(), ids(child))
    assert split not in node.rpc.getrawmempool()
    node.stop()


def test_orders_outlive_a_kill(context):
    node = context.started()
    hashes = node.rpc.generatetoaddress(30, ADDRESS)
    for height in (30, 12, 1):
        bad = hashes[height - 1]
        node.rpc.invalidateblock(bad)
        restart_after_kill(node)
        equal(node.rpc.getblockcount(), height - 1)
        assert any(tip["status"] == "invalid" for tip in node.rpc.getchaintips())
        node.rpc.reconsiderblock(bad)
        restart_after_kill(node)
        equal(node.rpc.getbestblockhash(), hashes[-1])
    node.stop()


def test_an_order_amid_a_reindex_leaves_no_block_out(context):
    node = context.started("-fastprune")
    hashes = node.rpc.generatetoaddress(700, ADDRESS)
    for how in (restart_after_kill, lambda node: node.restart()):
        node.restart("-reindex")
        wait_until(lambda: node.rpc.getblockcount() >= 15, what="some blocks", pause=0.001)
        node.rpc.invalidateblock(hashes[9])
        print(f"{sum(knows(node, block_hash) for block_hash in hashes)} of 700 read by then")
        how(node)
        wait_until(lambda: knows(node, hashes[-1]), what="the last block")
        equal(node.rpc.getbestblockhash(), hashes[8])
        node.rpc.reconsiderblock(hashes[9])
        equal(node.rpc.getbestblockhash(), hashes[-1])
    node.stop()


def test_blocks_of_a_generation_that_ran_out_of_tries_outlive_a_kill(context):
    node = context.started()
    for i in range(5):
        made, time = [], NOW + 10000 * i
        while not made:
            time += 600
            node.rpc.setmocktime(time)  # another block to try
            made = node.rpc.generatetoaddress(50, ADDRESS, 3)
        assert len(made) < 50
        restart_after_kill(node)
        equal(node.rpc.getbestblockhash(), made[-1])
    node.stop()


def test_the_effect_of_preciousblock_is_not_kept_but_no_block_is_lost(context):
    """As Core: a later start prefers the block that came first, or that has the coins."""
    node = context.started()
    base = node.rpc.generatetoaddress(3, ADDRESS)
    node.rpc.invalidateblock(base[-1])
    other = node.rpc.generatetoaddress(1, chain.TRUE_ADDRESS)[0]
    node.rpc.reconsiderblock(base[-1])
    both = {base[-1], other}
    node.rpc.preciousblock((both - {node.rpc.getbestblockhash()}).pop())
    restart_after_kill(node)
    assert node.rpc.getbestblockhash() in both
    assert all(knows(node, block_hash) for block_hash in both)
    node.stop()


def move_and_link(node, path, context):
    """The folder lives elsewhere from now on; a link stands in its place. Returns where."""
    elsewhere = os.path.join(context.scratch, "disk2", os.path.basename(path))
    os.makedirs(os.path.dirname(elsewhere), exist_ok=True)
    shutil.move(path, elsewhere)
    os.symlink(elsewhere, path)
    assert node.process.poll() is not None, "moved under a running node"
    return elsewhere


def test_folders_may_be_links(context):
    for place in ("chainstate", "blocks/index", "blocks", "indexes/txindex", "", "datadir"):
        node = context.started("-txindex=1", name="linked_" + (place.replace("/", "_") or "net"))
        tip = node.rpc.generatetoaddress(20, ADDRESS)[-1]
        want = node.coins()
        node.stop()
        path = node.datadir if place == "datadir" else node.path(place).rstrip("/")
        elsewhere = move_and_link(node, path, context)
        for options in ([], ["-reindex-chainstate"], ["-reindex"], ["-reindex-chainstate"], []):
            node.start(*options)
            node.wait_tip(tip)
            equal(node.coins(), want, f"{place} {options}")
            node.kill()
            assert os.path.islink(path), f"{path}: the link is gone after {options}"
            assert os.listdir(elsewhere), f"{elsewhere} is empty"
        assert not os.path.lexists(path + ".removed")
        node.start()
        node.stop()
        if place in ("chainstate", "blocks/index"):
            assert "CURRENT" in os.listdir(elsewhere)
        shutil.rmtree(os.path.join(context.scratch, "disk2"))


def test_a_link_to_a_disk_that_is_not_there_is_refused(context):
    """Nothing is built in its place, and what was there is found when the disk is back."""
    node = context.started()
    tip = node.rpc.generatetoaddress(5, ADDRESS)[-1]
    node.stop()
    for place in ("chainstate", "blocks/index", "blocks"):
        elsewhere = move_and_link(node, node.path(place), context)
        os.rename(elsewhere, elsewhere + ".away")
        for options in ([], ["-reindex-chainstate"], ["-reindex"]):
            line = node.refuses_to_start(place + ".*not there", *options)
            assert "orrupt" not in line, line
        assert not os.path.exists(elsewhere)
        os.rename(elsewhere + ".away", elsewhere)
        node.start()
        equal(node.rpc.getbestblockhash(), tip)
        node.stop()
        os.remove(node.path(place))
        shutil.move(elsewhere, node.path(place))


def block_files(node):
    return {name for name in os.listdir(node.path("blocks")) if name.startswith("blk")}


def test_a_pruned_node_that_is_reindexed_begins_with_the_first_block(context):
    """What lies behind the files that were pruned has no parents, and is removed, as in Core."""
    node = context.started("-prune=1", "-fastprune", "-mocktime=1700000000")
    hashes = node.rpc.generatetoaddress(900, ADDRESS)
    raw = [node.rpc.getblock(block_hash, 0) for block_hash in hashes]
    node.rpc.pruneblockchain(600)
    node.stop()
    old = block_files(node)
    assert "blk00000.dat" not in old and len(old) > 1, old
    for options in (["-reindex"], []):
        node.start(*options)
        equal(node.rpc.getblockcount(), 0)
        equal(set(os.listdir(node.path("blocks"))) - {"index", "xor.dat", ".lock"},
              {"blk00000.dat", "rev00000.dat"})
        assert node.rpc.getblockchaininfo()["size_on_disk"] < 1000
        node.kill()
    node.start()
    for block in raw:
        equal(node.rpc.submitblock(block), None)
    equal(node.rpc.getbestblockhash(), hashes[-1])
    node.rpc.pruneblockchain(600)
    left = block_files(node)
    assert node.rpc.getblockchaininfo()["size_on_disk"] < 65536 * 1.5 * (len(left) + 1)
    restart_after_kill(node)
    equal(node.rpc.getbestblockhash(), hashes[-1])
    equal(block_files(node), left)
    node.stop()


if __name__ == "__main__":
    framework.main(globals())
