"""test_indexes.py - the indexes in the whole program: later, killed, pruned, older."""
import os
import shutil

import chain
import framework
from framework import equal, rpc_fails, wait_until

ADDRESS = "bcrt1qft5p2uhsdcdc3l2ua4ap5qqfg4pjaqlp250x7us7a8qqhrxrxfsqseac85"
N_BLOCKS = 150


def is_synced(node, name):
    return node.rpc.getindexinfo()[name]["synced"]


def stats_of(node):
    return [node.rpc.gettxoutsetinfo("muhash", height) for height in range(N_BLOCKS + 1)]


def test_statistics_of_each_block_outlive_kills(context):
    """Built while blocks come and the program is killed, it is the index that was made in peace."""
    whole = context.node("whole")
    whole.start()
    whole.rpc.generatetoaddress(N_BLOCKS, ADDRESS)
    blocks = [whole.rpc.getblock(whole.rpc.getblockhash(height), 0)
              for height in range(1, N_BLOCKS + 1)]
    counted = whole.rpc.gettxoutsetinfo("muhash")["muhash"]
    whole.stop()
    whole.options.append("-coinstatsindex")
    whole.start()
    wait_until(lambda: is_synced(whole, "coinstatsindex"), what="index")
    want = stats_of(whole)
    equal(want[-1]["muhash"], counted)
    whole.stop()

    node = context.node("killed", ["-coinstatsindex=1"])
    chain.submit_between_kills(context, node, blocks, 50)
    wait_until(lambda: is_synced(node, "coinstatsindex"), what="index")
    equal(stats_of(node), want)
    node.stop()


def test_an_index_where_an_older_version_had_it_goes_on_there(context):
    places = (("txospenderindex/db", "txospenderindex"), ("coinstatsindex/db", "coinstatsindex"),
              ("blockfilter/basic/db", "blockfilterindex"))
    options = ("-txospenderindex", "-coinstatsindex", "-blockfilterindex")
    node = context.started(*options)
    node.rpc.generatetoaddress(N_BLOCKS, ADDRESS)
    want = stats_of(node)
    node.stop()
    for new, old in places:
        os.rename(node.path("indexes", new), node.path("indexes", "moved"))
        shutil.rmtree(node.path("indexes", new.split("/")[0]))
        os.rename(node.path("indexes", "moved"), node.path("indexes", old))
    node.start(*options)
    assert all(index["synced"] for index in node.rpc.getindexinfo().values())
    node.rpc.generatetoaddress(1, ADDRESS)
    equal(stats_of(node), want)
    node.stop()
    for _, old in places:
        assert os.path.exists(node.path("indexes", old, "CURRENT")), old
    equal(sorted(os.listdir(node.path("indexes"))), sorted(old for _, old in places))


def test_pruning_waits_for_the_index(context):
    """Killed after blocks were pruned, an index goes on; one that comes later cannot."""
    name = "basic block filter index"
    node = context.started("-fastprune", "-prune=1", "-blockfilterindex")
    node.rpc.generatetoaddress(1000, ADDRESS)
    wait_until(lambda: is_synced(node, name), what="index")
    equal(node.rpc.pruneblockchain(700) > 0, True)
    node.kill()
    node.start()
    wait_until(lambda: is_synced(node, name), what="index")
    node.rpc.getblockfilter(node.rpc.getblockhash(5))
    # The filter of the first block seems to have this script; nobody can look any more.
    script = "raw(001400000000000000000000000000000000000cadcb)"
    equal(node.rpc.scanblocks("start", [script], 0, 0)["relevant_blocks"],
          [node.rpc.getblockhash(0)])
    rpc_fails(-1, r"Block not available \(pruned data\)", node.rpc.scanblocks, "start", [script], 0,
              0, "basic", {"filter_false_positives": True})
    equal(node.rpc.scanblocks("status"), None)
    node.stop()
    node.refuses_to_start("coinstatsindex best block of the index goes beyond pruned data",
                          "-coinstatsindex")


def test_addresses_outlive_kills(context):
    """What an address has is what a scan of the coins finds, and what waits is told beside it."""
    node = context.node("node", ["-addressindex"])
    node.start()
    node.rpc.generatetoaddress(N_BLOCKS, ADDRESS)
    node.kill()
    node.start()
    node.rpc.generatetoaddress(1, ADDRESS)
    name = "addressindex"
    wait_until(lambda: is_synced(node, name), what=name)
    count = node.rpc.getblockcount()
    scan = node.rpc.scantxoutset("start", [f"addr({ADDRESS})"])
    balance = node.rpc.getaddressbalance(ADDRESS)
    equal((balance["confirmed"], balance["received"]), (scan["total_amount"],) * 2)
    page = node.rpc.getaddressutxos([ADDRESS], 10, 20)
    equal((page["total"], len(page["utxos"])), (count, 10))
    unspents = sorted(scan["unspents"], key=lambda unspent: unspent["height"])
    for unspent in unspents:
        unspent["desc"] = page["utxos"][0]["desc"]
    equal(page["utxos"], unspents[20:30])
    history = node.rpc.getaddresshistory({"desc": f"addr({ADDRESS})"}, 1, count - 1)
    equal(history["transactions"][0]["blockhash"], node.rpc.getbestblockhash())
    node.stop()


if __name__ == "__main__":
    framework.main(globals())
