"""Snapshots of -dev: chain, mempool and clock as they were, also after a kill."""
import time

import framework
import p2p
from framework import equal, rpc_fails, wait_until
from test_events import Listener, until

ADDRESS = "bcrt1qw508d6qejxtdg4y5r3zarvary0c5xw7kygt080"
INDEXES = ("-txindex", "-coinstatsindex", "-blockfilterindex", "-addressindex",
           "-txospenderindex")


def state(node):
    return (node.rpc.getbestblockhash(), sorted(node.rpc.getrawmempool()),
            node.rpc.getchaintips())


def test_all_is_as_it_was_and_later_blocks_are_forgotten(context):
    node = context.started("-dev", *INDEXES)
    txid = node.rpc.faucet(ADDRESS, 3)
    before = state(node)
    told = node.rpc.snapshot("a")
    equal((told["name"], told["height"], told["transactions"]), ("a", 110, 1))
    for _ in range(2):
        hashes = node.rpc.generatetoaddress(5, ADDRESS)
        other = node.rpc.faucet(ADDRESS)
        equal(node.rpc.snapshot()["height"], 115)
        node.rpc.revert("a")
        equal(state(node), before)
        equal([s["name"] for s in node.rpc.listsnapshots()], ["a"])
        rpc_fails(-5, "Block not found", node.rpc.getblock, hashes[-1])
        assert other not in node.rpc.getrawmempool()
    node.rpc.invalidateblock(node.rpc.getblockhash(100))
    node.rpc.generatetoaddress(3, ADDRESS)
    node.rpc.revert("a")
    equal(state(node), before)
    hashes = node.rpc.generatetoaddress(1, ADDRESS)
    assert txid in node.rpc.getblock(hashes[0])["tx"]
    wait_until(lambda: all(i["synced"] for i in node.rpc.getindexinfo().values()))
    equal(node.rpc.getrawtransaction(txid, 1)["blockhash"], hashes[0])
    equal(node.rpc.gettxoutsetinfo("muhash")["muhash"],
          node.rpc.gettxoutsetinfo("muhash", None, False)["muhash"])


def test_a_kill_takes_neither_snapshot_nor_revert(context):
    node = context.started("-dev", *INDEXES)
    node.rpc.faucet(ADDRESS, 3)
    before = state(node)
    node.rpc.snapshot("kept")
    block = node.rpc.generatetoaddress(20, ADDRESS)[0]
    node.kill()
    node.start()
    equal([s["name"] for s in node.rpc.listsnapshots()], ["kept"])
    node.rpc.revert("kept")
    equal(state(node), before)
    # No index claims blocks that nobody has any more.
    wait_until(lambda: all(i["best_block_height"] == 110
                           for i in node.rpc.getindexinfo().values()))
    assert "invalid chain" not in node.log(), "a revert is no reason to warn"
    node.kill()
    node.start()
    equal(node.rpc.getbestblockhash(), before[0])
    rpc_fails(-5, "Block not found", node.rpc.getblock, block)
    node.rpc.revert("kept")
    equal(state(node), before)


def test_the_clock_goes_back_too(context):
    node = context.started("-dev")
    node.rpc.settime(1900000000)
    node.rpc.snapshot("then")
    node.rpc.settime(2000000000)
    node.rpc.generatetoaddress(1, ADDRESS)
    node.rpc.revert("then")
    now = node.rpc.getblocktemplate({"rules": ["segwit"]})["curtime"]
    assert 1900000000 <= now < 1900000100, now
    node.rpc.generatetoaddress(1, ADDRESS)
    node.kill()
    node.start()


def test_the_end_of_time_can_be_started_from(context):
    """The clock runs on to where no header can follow, and stands there; also in a snapshot."""
    node = context.started("-dev")
    equal(node.rpc.settime(2 ** 32 - 1), 2 ** 32 - 1)
    node.rpc.generatetoaddress(1, ADDRESS)
    time.sleep(1.1)
    equal(node.rpc.snapshot("end")["time"], 2 ** 32 - 1)
    node.restart()
    equal(node.rpc.getblockcount(), 111)
    equal(node.rpc.revert("end")["height"], 111)


def test_reverts_in_a_row_survive_a_kill(context):
    """The rows of what is gone go a second later: by then there may be the next revert, or none."""
    node = context.started("-dev", *INDEXES)
    node.rpc.faucet(ADDRESS, 3)
    before = state(node)
    node.rpc.snapshot("a")
    for _ in range(4):
        node.rpc.generatetoaddress(3, ADDRESS)
        node.rpc.revert("a")
        node.rpc.snapshot()
        equal(state(node), before)
    last = node.rpc.generatetoaddress(2, node.rpc.getdevkeys()["keys"][3]["address"])[-1]
    node.kill()
    node.start()
    wait_until(lambda: node.rpc.getbestblockhash() == last)
    node.rpc.revert("a")
    time.sleep(1.5)  # now nothing is left of them
    node.rpc.generatetoaddress(1, ADDRESS)
    node.rpc.revert("a")
    node.kill()
    node.start()
    wait_until(lambda: node.rpc.getbestblockhash() == before[0])
    equal(node.rpc.getchaintips(), before[2])
    wait_until(lambda: all(i["best_block_height"] == 110
                           for i in node.rpc.getindexinfo().values()))


def test_a_hundred_blocks_are_gone_in_milliseconds(context):
    node = context.started("-dev", "-automine=tx")
    node.rpc.snapshot()
    node.rpc.generatetoaddress(100, ADDRESS)
    begun = time.monotonic()
    node.rpc.revert("1")
    print(f"revert of 100 blocks: {(time.monotonic() - begun) * 1000:.1f} ms", flush=True)
    equal(node.rpc.getblockcount(), 110)


def follows(node, other):
    """Until the node has the other's tip."""
    wait_until(lambda: node.rpc.getbestblockhash() == other.rpc.getbestblockhash())


def two(context):
    """Two nodes of one chain, with 30 blocks since both noted it that the second has mined."""
    one = p2p.node(context, "-dev", *INDEXES, name="one")
    other = p2p.node(context, "-dev", name="other")
    p2p.link(one, other)
    one.rpc.generatetoaddress(1, ADDRESS)
    follows(other, one)
    for node in (one, other):
        node.rpc.snapshot("a")
    other.rpc.generatetoaddress(30, ADDRESS)
    follows(one, other)
    return one, other


def test_a_peer_brings_again_what_was_forgotten(context):
    one, other = two(context)
    height = one.rpc.getblockcount()
    gone = [one.rpc.getblockhash(h) for h in range(height, height - 30, -1)]
    listener = Listener(one)
    one.rpc.revert("a")
    equal(one.rpc.getblockcount(), height - 30)
    branch = one.rpc.generatetoaddress(3, one.rpc.getdevkeys()["keys"][3]["address"])
    assert branch[0] not in gone
    seen = until(listener, "block_connected", hash=branch[-1])
    equal([data["hash"] for _, name, data in seen if name == "block_disconnected"], gone)
    listener.close()
    equal(other.rpc.getbestblockhash(), gone[0])
    other.rpc.generatetoaddress(1, ADDRESS)
    follows(one, other)
    equal(one.rpc.getblockcount(), height + 1)
    wait_until(lambda: all(i["synced"] for i in one.rpc.getindexinfo().values()))
    equal(one.rpc.gettxoutsetinfo("muhash")["muhash"],
          one.rpc.gettxoutsetinfo("muhash", None, False)["muhash"])
    equal(len(one.rpc.getpeerinfo()), 1)


def test_indexes_and_events_see_what_is_gone(context):
    """Beside a peer that still has it."""
    one, other = two(context)
    payee = one.rpc.getdevkeys()["keys"][7]["address"]
    before = one.rpc.getaddressbalance(payee)["received"]
    txid = other.rpc.faucet(payee, 7)
    block = other.rpc.generatetoaddress(1, ADDRESS)[0]
    height = other.rpc.getblockcount()
    follows(one, other)
    wait_until(lambda: all(i["synced"] for i in one.rpc.getindexinfo().values()))
    equal(one.rpc.getrawtransaction(txid, 1)["blockhash"], block)
    spent = {key: one.rpc.getrawtransaction(txid, 2)["vin"][0][key] for key in ("txid", "vout")}
    equal(one.rpc.gettxspendingprevout([spent])[0]["spendingtxid"], txid)
    one.rpc.getblockfilter(block)
    equal(one.rpc.getaddressbalance(payee)["received"], before + 7)
    listener = Listener(one)
    one.rpc.revert("a")
    last = height - 31
    gone = until(listener, "block_disconnected", height=last + 1)
    equal([data["height"] for _, name, data in gone if name == "block_disconnected"],
          list(range(height, last, -1)))
    listener.close()
    wait_until(lambda: all(i["best_block_height"] == last
                           for i in one.rpc.getindexinfo().values()))
    rpc_fails(-5, "No such mempool or blockchain transaction", one.rpc.getrawtransaction, txid)
    equal("spendingtxid" in one.rpc.gettxspendingprevout([spent])[0], False)
    rpc_fails(-5, "Block not found", one.rpc.getblockfilter, block)
    equal(one.rpc.getaddressbalance(payee)["received"], before)
    equal(len(one.rpc.getpeerinfo()), 1)
    equal(one.rpc.gettxoutsetinfo("muhash")["muhash"],
          one.rpc.gettxoutsetinfo("muhash", None, False)["muhash"])


def test_a_mesh_that_was_reverted_goes_on_with_less_work(context):
    """What a peer had announced before has more work than all it tells of since."""
    one, other = two(context)
    for node in (one, other):
        node.rpc.revert("a")
    for miner, follower in ((other, one), (one, other), (other, one)):
        for n in (1, 4):
            miner.rpc.generatetoaddress(n, ADDRESS)
            follows(follower, miner)
    for node in (one, other):
        equal(len(node.rpc.getpeerinfo()), 1)


def test_what_is_being_loaded_is_waited_for(context):
    """The mempool of the run before is part of a snapshot, and comes back behind no revert."""
    node = context.started("-dev")
    node.rpc.snapshot("empty")
    for _ in range(60):
        node.rpc.faucet(ADDRESS)
    for act in ("snapshot", "revert"):
        node.stop()
        node.start()
        told = getattr(node.rpc, act)({"snapshot": "full", "revert": "empty"}[act])
        equal(told["transactions"], {"snapshot": 60, "revert": 0}[act])
    equal(node.rpc.getrawmempool(), [])
    wait_until(lambda: node.rpc.getmempoolinfo()["loaded"])
    equal(node.rpc.getrawmempool(), [])
    node.rpc.revert("full")
    equal(len(node.rpc.getrawmempool()), 60)


def test_a_branch_that_was_invalid_is_so_again(context):
    node = context.started("-dev")
    last = node.rpc.getbestblockhash()
    node.rpc.invalidateblock(node.rpc.getblockhash(100))
    before = state(node)
    node.rpc.snapshot("short")
    node.rpc.reconsiderblock(last)
    equal(node.rpc.getblockcount(), 110)
    node.rpc.revert("short")
    equal(state(node), before)


def test_what_makes_no_sense_is_refused(context):
    node = context.started("-dev")
    node.rpc.snapshot("a")
    rpc_fails(-8, "There is a snapshot of that name", node.rpc.snapshot, "a")
    for name in ("../x", "a" * 65, "a b"):
        rpc_fails(-8, "The name of a snapshot has", node.rpc.snapshot, name)
    node.rpc.snapshot("a" * 64)
    rpc_fails(-8, "There is no snapshot of that name", node.rpc.revert, "b")
    rpc_fails(-8, "There is no snapshot of that name", node.rpc.dropsnapshot, "b")
    node.rpc.dropsnapshot("a")
    for _ in range(99):
        node.rpc.snapshot()
    rpc_fails(-8, "There are 100 snapshots", node.rpc.snapshot)
    plain = context.started(name="plain")
    for method in ("snapshot", "revert", "dropsnapshot"):
        rpc_fails(-1, "start the node with -dev", getattr(plain.rpc, method), "a")
    rpc_fails(-1, "start the node with -dev", plain.rpc.listsnapshots)


if __name__ == "__main__":
    framework.main(globals())
