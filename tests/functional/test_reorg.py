"""Choosing between chains: most work, invalidate, reconsider, precious, undo of every kind."""
import chain
import framework
from framework import equal, rpc_fails


def submit(node, *blocks):
    return [node.rpc.submitblock(block.hex()) for block in blocks]


def tip(node):
    return node.rpc.getbestblockhash()


def statuses(node):
    return {entry["hash"]: (entry["status"], entry["branchlen"]) for entry in
            node.rpc.getchaintips()}


def test_the_branch_of_most_work_wins(context):
    node = context.started("-checkblockindex=1")
    trunk = chain.grow(None, 5)
    a = chain.grow(trunk[-1], 3, extra=b"a")
    b = chain.grow(trunk[-1], 4, extra=b"b")
    equal(submit(node, *trunk, *a), [None] * 8)
    equal(tip(node), a[-1].id())
    equal(submit(node, *b[:2]), ["inconclusive"] * 2)
    equal(submit(node, b[2]), ["inconclusive"])  # as much work, but later
    equal(tip(node), a[-1].id())
    equal(submit(node, b[3]), [None])
    equal(tip(node), b[-1].id())
    equal(statuses(node), {b[-1].id(): ("active", 0), a[-1].id(): ("valid-fork", 3)})
    equal(node.rpc.getblockheader(a[0].id())["confirmations"], -1)
    node.restart()
    equal(tip(node), b[-1].id())
    node.stop()


def test_coins_do_not_depend_on_the_way_taken(context):
    """Connect and disconnect a branch that spends, then compare with a node that never saw it."""
    trunk = chain.grow(None, 110)
    tx = chain.spend(trunk[0].txs[0], outputs=[chain.TxOut(10 * chain.COIN, chain.TRUE_SCRIPT)] * 5)
    inner = chain.spend(tx, 1)
    a = [trunk[-1].child([tx, inner], extra=b"a")]
    a.append(a[0].child([chain.spend(tx, 2), chain.spend(inner)], extra=b"a"))
    b = chain.grow(trunk[-1], 3, extra=b"b")
    b[1] = b[0].child([chain.spend(trunk[1].txs[0])], extra=b"b")
    b[2] = b[1].child(extra=b"b")
    wanderer, straight = context.started(name="wanderer"), context.started(name="straight")
    submit(wanderer, *trunk, *a)
    equal(tip(wanderer), a[-1].id())
    submit(wanderer, *b)
    submit(straight, *trunk, *b)
    equal(tip(wanderer), b[-1].id())
    equal(wanderer.coins(), straight.coins())
    for kind in ("hash_serialized_3", "muhash"):
        equal(wanderer.rpc.gettxoutsetinfo(kind)[kind], straight.rpc.gettxoutsetinfo(kind)[kind])
    # And back again by order.
    wanderer.rpc.invalidateblock(b[0].id())
    equal(tip(wanderer), a[-1].id())
    equal(wanderer.rpc.gettxout(chain.display(tx.txid()), 2), None)
    equal(wanderer.rpc.gettxout(chain.display(tx.txid()), 3)["value"], 10)
    wanderer.rpc.reconsiderblock(b[0].id())
    equal(tip(wanderer), b[-1].id())
    equal(wanderer.coins(), straight.coins())
    wanderer.stop()
    straight.stop()


def test_invalidate_and_reconsider(context):
    node = context.started("-checkblockindex=1")
    blocks = chain.grow(None, 20)
    submit(node, *blocks)
    node.rpc.invalidateblock(blocks[10].id())
    equal(tip(node), blocks[9].id())
    equal(statuses(node)[blocks[-1].id()], ("invalid", 10))
    more = chain.grow(blocks[9], 2, extra=b"other")
    equal(submit(node, *more), [None, None])
    node.restart()
    equal(tip(node), more[-1].id())
    equal(submit(node, blocks[-1].child()), ["bad-prevblk"])
    node.rpc.reconsiderblock(blocks[15].id())  # ancestors and descendants too
    equal(tip(node), blocks[-1].id())
    node.rpc.invalidateblock(blocks[0].id())
    equal(node.rpc.getblockcount(), 0)
    node.rpc.reconsiderblock(blocks[0].id())
    equal(tip(node), blocks[-1].id())
    unknown = "00" * 31 + "01"
    for method in (node.rpc.invalidateblock, node.rpc.reconsiderblock, node.rpc.preciousblock):
        rpc_fails(-5, "Block not found", method, unknown)
        rpc_fails(-8, "64", method, "00")
    node.stop()


def test_invalidating_the_genesis_block_is_refused(context):
    node = context.started()
    try:
        node.rpc.invalidateblock(chain.display(chain.GENESIS))
    except framework.RpcError:
        pass
    equal(node.rpc.getblockcount(), 0)
    equal(tip(node), chain.display(chain.GENESIS))
    node.stop()


def test_precious_decides_between_equals(context):
    node = context.started("-checkblockindex=1")
    trunk = chain.grow(None, 3)
    a, b = chain.grow(trunk[-1], 2, extra=b"a"), chain.grow(trunk[-1], 2, extra=b"b")
    longer = chain.grow(trunk[-1], 1, extra=b"c")
    submit(node, *trunk, *a, *b, *longer)
    equal(tip(node), a[-1].id())
    node.rpc.preciousblock(b[-1].id())
    equal(tip(node), b[-1].id())
    node.rpc.preciousblock(a[-1].id())
    equal(tip(node), a[-1].id())
    node.rpc.preciousblock(longer[-1].id())  # less work: no effect
    equal(tip(node), a[-1].id())
    node.rpc.preciousblock(b[-1].id())
    equal(submit(node, a[-1].child()), [None])  # more work still wins
    equal(node.rpc.getblockcount(), 6)
    node.stop()


def test_a_deep_reorganisation(context):
    depth = 1088 if context.soak else 150
    node = context.started("-dbcache=4")
    trunk = chain.grow(None, 2)
    a = chain.grow(trunk[-1], depth, extra=b"a")
    b = chain.grow(trunk[-1], depth + 1, extra=b"b")
    submit(node, *trunk, *a)
    before = node.coins()
    submit(node, *b)
    equal(tip(node), b[-1].id())
    node.rpc.invalidateblock(b[-1].id())
    node.rpc.preciousblock(a[-1].id())
    equal(tip(node), a[-1].id())
    equal(node.coins(), before)
    equal(node.rpc.verifychain(4, 0), True)
    node.stop()


def test_a_branch_that_turns_out_invalid_is_left_again(context):
    node = context.started("-checkblockindex=1")
    trunk = chain.grow(None, 103)
    a = chain.grow(trunk[-1], 2, extra=b"a")
    greedy = trunk[-1].child(fees=1, extra=b"b")  # a satoshi too much in the coinbase
    b = [greedy] + chain.grow(greedy, 3, extra=b"b")
    submit(node, *trunk, *a)
    before = node.coins()
    submit(node, *b)
    equal(tip(node), a[-1].id())
    equal(node.coins(), before)
    equal([e["status"] for e in node.rpc.getchaintips() if e["hash"] != a[-1].id()], ["invalid"])
    equal(submit(node, greedy), ["duplicate-invalid"])
    node.stop()


def test_blocks_before_their_parents_wait_as_headers(context):
    node = context.started()
    blocks = chain.grow(None, 3)
    equal(submit(node, blocks[1]), ["prev-blk-not-found"])
    for block in blocks:
        equal(node.rpc.submitheader(block.header().hex()), None)
    info = node.rpc.getblockchaininfo()
    equal((info["blocks"], info["headers"]), (0, 3))
    equal(statuses(node)[blocks[2].id()], ("headers-only", 3))
    equal(submit(node, blocks[2], blocks[1]), ["inconclusive", "inconclusive"])
    equal(submit(node, blocks[0]), [None])
    equal(tip(node), blocks[2].id())
    rpc_fails(-25, "previous header", node.rpc.submitheader,
              blocks[2].child().child().header().hex())
    rpc_fails(-22, "decode", node.rpc.submitheader, "00")
    rpc_fails(-25, "high-hash", node.rpc.submitheader, blocks[2].child().mine(False).header().hex())
    node.stop()


if __name__ == "__main__":
    framework.main(globals())
