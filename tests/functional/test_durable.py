"""What was acknowledged is there after a kill: while files are read again, with wrong clocks."""
import framework
from framework import equal, wait_until

ADDRESS = "bcrt1qw508d6qejxtdg4y5r3zarvary0c5xw7kygt080"
DAY = 24 * 3600
NOW = 1_700_000_000


def knows(node, block_hash):
    try:
        return node.rpc.getblock(block_hash)["hash"] == block_hash
    except framework.RpcError:
        return False


def restart_after_kill(node, *options):
    node.kill()
    return node.start(*options)


def test_a_kill_right_after_a_reindex_loses_nothing(context):
    """The flush comes while the files are read, the kill when they are through."""
    node = context.started("-fastprune")
    node.rpc.generatetoaddress(700, ADDRESS)
    for _ in range(3):
        full = node.rpc.getblockcount()
        best = node.rpc.getbestblockhash()
        node.restart("-reindex")
        early = node.rpc.generatetoaddress(1, ADDRESS)[0]
        flushed = node.rpc.gettxoutsetinfo("none")["height"]
        wait_until(lambda: node.rpc.getblockcount() >= full, what="reindex")
        last = node.rpc.generatetoaddress(1, ADDRESS)[0]
        print(f"flushed at {flushed} of {full}")
        restart_after_kill(node)
        node.wait_tip(last)
        assert knows(node, early) and knows(node, best)
    node.stop()


def test_kills_amid_a_reindex_need_no_help(context):
    node = context.started("-fastprune")
    tip = node.rpc.generatetoaddress(700, ADDRESS)[-1]
    node.stop()
    node.launch("-reindex")
    for _ in range(8):
        wait_until(node.try_rpc, 30, "RPC")
        if context.random.random() < 0.5:
            node.rpc.gettxoutsetinfo("none")
        node.kill()
        node.launch()
    node.wait_rpc()
    node.wait_tip(tip)
    node.stop()


def test_a_clock_in_the_past_loses_no_block(context):
    node = context.started(f"-mocktime={NOW}")
    old = node.rpc.generatetoaddress(10, ADDRESS)[-1]
    node.rpc.gettxoutsetinfo("none")
    node.rpc.setmocktime(NOW + 100 * DAY)
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


if __name__ == "__main__":
    framework.main(globals())
