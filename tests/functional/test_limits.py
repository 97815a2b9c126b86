"""Both sides of the limits of blocks, on a whole node; random forks with the tree checked."""
import threading
import time

import chain
import framework
from framework import equal

COIN = chain.COIN
OP_CHECKSIG, OP_CHECKMULTISIG, OP_PUSHDATA1 = b"\xac", b"\xae", b"\x4c"


def grown(context, *options, n=101, name="node", scripts=()):
    """A node with n blocks; the first coinbases pay to scripts."""
    node = context.started(*options, name=name)
    blocks = []
    for height in range(1, n + 1):
        script = scripts[height - 1] if height <= len(scripts) else chain.TRUE_SCRIPT
        tx = chain.coinbase(height, script)
        blocks.append(blocks[-1].child(coinbase_tx=tx) if blocks else
                      chain.first_block(coinbase_tx=tx))
        equal(node.rpc.submitblock(blocks[-1].hex()), None)
    return node, blocks


def answer(node, block):
    text = node.rpc.submitblock(block.hex())
    return text.split(" ")[0] if text else None


def one_output(parent, script, value=0):
    """A block whose coinbase has one more output, with that script."""
    outputs = [chain.TxOut(value, script)]
    return parent.child(coinbase_tx=chain.coinbase(parent.height + 1, outputs=outputs))


def test_signature_operations_of_a_block(context):
    """80,000 of cost: 20,000 legacy operations. CVE-2010-5138."""
    node, blocks = grown(context, n=1)
    tip = blocks[-1]
    for script, reason in ((OP_CHECKSIG * 20000, None), (OP_CHECKSIG * 20001, "bad-blk-sigops"),
                           (OP_CHECKMULTISIG * 1000, None),  # 20 each, when not known exactly
                           (OP_CHECKMULTISIG * 1000 + OP_CHECKSIG, "bad-blk-sigops"),
                           # What stands before a push that runs over the end still counts.
                           (OP_CHECKSIG * 20001 + OP_PUSHDATA1 + b"\xff", "bad-blk-sigops"),
                           # What is pushed does not.
                           (OP_CHECKSIG * 20000 + OP_PUSHDATA1 + b"\xff" + OP_CHECKSIG * 99, None),
                           (OP_CHECKSIG * 20000 + b"\x04" + OP_CHECKSIG * 4, None)):
        block = one_output(tip, script)
        equal(answer(node, block), reason, f"{len(script)} bytes, {script[-3:].hex()}")
        if reason is None:
            tip = block
    node.stop()


def test_signature_operations_of_scripts_that_are_hashed(context):
    """P2SH counts the redeem script times four, segwit the witness script once."""
    legacy = OP_CHECKSIG * 15 + b"\x51"  # not run to its end: only counted
    node, blocks = grown(context, n=102)
    outputs = [chain.TxOut(COIN // 100, b"\xa9\x14" + chain.hash160(legacy) + b"\x87")] * 300
    source = chain.spend(blocks[0].txs[0], outputs=outputs)
    tip = blocks[-1].child([source])
    equal(answer(node, tip), None)

    def spenders(n):
        vin = [chain.TxIn(source.txid(), i, chain.push(legacy)) for i in range(n)]
        return chain.Tx(vin, [chain.TxOut(0, chain.TRUE_SCRIPT)])
    # 200 inputs have 3000 operations, 17,000 more reach the limit exactly. The scripts fail, but
    # operations are counted before any script is run.
    for more, reason in ((17001, "bad-blk-sigops"), (17000, "block-script-verify-flag-failed")):
        extra = [chain.TxOut(0, OP_CHECKSIG * more)]
        block = tip.child([spenders(200)],
                          coinbase_tx=chain.coinbase(tip.height + 1, outputs=extra))
        equal(answer(node, block), reason, str(more))
    node.stop()


def test_weight_of_a_block(context):
    """4,000,000; the largest block is stored and read back, also after a restart."""
    node, blocks = grown(context, n=1)

    def weighing(weight):
        base = one_output(blocks[-1], b"\x6a" + bytes(900_000))
        missing = weight - 4 * len(base.encode())
        assert missing % 4 == 0
        return one_output(blocks[-1], b"\x6a" + bytes(900_000 + missing // 4))
    full, heavy = weighing(4_000_000), weighing(4_000_004)
    # Without witnesses the stripped size alone is over the limit: refused before its place counts.
    equal(answer(node, heavy), "bad-blk-length")
    equal(answer(node, full), None)
    equal(node.rpc.getblock(full.id())["weight"], 4_000_000)
    node.restart()
    equal(node.rpc.getblock(full.id(), 0), full.hex())
    node.stop()


def with_witness(parent, source, index, witness):
    script = chain.TRUE_SCRIPT
    tx = chain.Tx([chain.TxIn(source.txid(), index, witness=witness)], [chain.TxOut(0, script)])
    return parent.child([tx])


def test_witnesses_as_large_as_a_block(context):
    """One item of 3.9 MB, and 500,003 empty items, both by rules that allow them (an unknown
    witness version takes anything). CVE-2022-39389, CVE-2022-44797."""
    node, blocks = grown(context)
    unknown = b"\x60\x02\xab\xcd"  # version 16
    source = chain.spend(blocks[0].txs[0], outputs=[chain.TxOut(COIN, unknown)] * 4)
    tip = blocks[-1].child([source])
    equal(answer(node, tip), None)
    for n, witness in enumerate(([bytes(3_900_000)], [b""] * 500_003, [b"\x01"] * 1_900_000)):
        tip = with_witness(tip, source, n, witness)
        equal(answer(node, tip), None, f"witness {n}")
        equal(node.rpc.getblock(tip.id(), 0), tip.hex())
    heavy = with_witness(tip, source, 3, [bytes(3_999_900)])
    equal(answer(node, heavy), "bad-blk-weight")
    before = node.coins()
    node.stop()
    node.start("-reindex")
    node.wait_tip(tip.id())
    equal(node.coins(), before)
    node.stop()


def test_a_slow_block_does_not_stop_the_answers(context):
    """CVE-2013-2292: every input signs nearly the whole transaction. Valid, so it is taken;
    meanwhile RPC answers."""
    key = chain.Key(77)
    count = 1200 if context.soak else 250
    node, blocks = grown(context, "-par=1")
    source = chain.spend(blocks[0].txs[0], outputs=[chain.TxOut(1000, key.p2pk())] * count)
    tip = blocks[-1].child([source])
    equal(answer(node, tip), None)
    tx = chain.Tx([chain.TxIn(source.txid(), n) for n in range(count)],
                  [chain.TxOut(0, b"\x6a" + bytes(500_000))])
    for n in range(count):
        digest = chain.sighash_legacy(tx, n, key.p2pk())
        tx.vin[n].script = b""
        tx.vin[n].signature = chain.push(key.sign_ecdsa(digest))
    for txin in tx.vin:
        txin.script = txin.signature
    block = tip.child([tx])
    box = []
    thread = threading.Thread(target=lambda: box.append(
        node.connect_rpc().submitblock(block.hex())))
    thread.start()
    worst, answers = 0, 0
    while thread.is_alive():
        start = time.monotonic()
        node.rpc.getblockcount()
        worst, answers = max(worst, time.monotonic() - start), answers + 1
        time.sleep(0.002)
    thread.join()
    equal(box, [None])
    equal(node.rpc.getbestblockhash(), block.id())
    print(f"{answers} answers meanwhile, the slowest {worst * 1000:.1f} ms")
    assert answers > 0
    node.stop()


def test_rules_of_the_coinbase(context):
    node, blocks = grown(context, n=101)
    tip = blocks[-1]

    def with_script(script):
        tx = chain.coinbase(tip.height + 1)
        tx.vin[0].script = script
        return tip.child(coinbase_tx=tx)
    height = chain.script_number(tip.height + 1)
    for script, reason in ((height + bytes(101 - len(height)), "bad-cb-length"),
                           (b"\x51", "bad-cb-length"), (b"", "bad-cb-length"),
                           (b"\x51\x51", "bad-cb-height"),
                           (b"\x00" + height, "bad-cb-height"),
                           (height + bytes(100 - len(height)), None)):
        block = with_script(script)
        equal(answer(node, block), reason, script.hex())
        if reason is None:
            tip = block
    young = chain.spend(blocks[3].txs[0])  # height 4 is spendable in block 104
    equal(answer(node, tip.child([young])), "bad-txns-premature-spend-of-coinbase")
    tip = tip.child()
    equal(answer(node, tip), None)
    tip = tip.child([young])
    equal((answer(node, tip), tip.height), (None, 104))
    two = tip.child([chain.coinbase(tip.height + 1, extra=b"second")])
    equal(answer(node, two), "bad-cb-multiple")
    none = tip.child(coinbase_tx=chain.spend(blocks[1].txs[0]))
    equal(answer(node, none), "bad-cb-missing")
    locked = chain.coinbase(tip.height + 1)  # lock times bind the coinbase too
    locked.locktime, locked.vin[0].sequence = tip.height + 1, 0
    equal(answer(node, tip.child(coinbase_tx=locked)), "bad-txns-nonfinal")
    locked.locktime = tip.height
    equal(answer(node, tip.child(coinbase_tx=locked)), None)
    node.stop()


def test_of_two_commitments_the_last_counts(context):
    node, blocks = grown(context)
    paid = chain.spend(blocks[0].txs[0], outputs=[chain.TxOut(COIN, chain.TRUE_P2WSH)])
    tip = blocks[-1].child([paid])
    equal(answer(node, tip), None)
    spender = chain.spend_true_p2wsh([(paid.txid(), 0)], [chain.TxOut(COIN, chain.TRUE_SCRIPT)])
    wrong = chain.TxOut(0, b"\x6a\x24\xaa\x21\xa9\xed" + bytes(32))
    for first in (False, True):
        block = tip.child([spender], extra=bytes([first]))
        outputs = block.txs[0].vout
        outputs.insert(1 if first else len(outputs), wrong)
        block.remerkle()
        equal(answer(node, block), None if first else "bad-witness-merkle-match")
    node.stop()


def test_the_subsidy_ends_after_64_halvings(context):
    """Shifting by 64 is undefined in C; from then on a coinbase may create nothing."""
    if not context.soak:
        node = context.started()
        node.rpc.timeout = 300
        node.rpc.generatetoaddress(1650, chain.TRUE_ADDRESS)
        top = node.rpc.getblock(node.rpc.getbestblockhash(), 2)
        equal(round(top["tx"][0]["vout"][0]["value"] * COIN), (50 * COIN) >> 11)
        node.stop()
        return
    node = context.started()
    node.rpc.timeout = 600
    node.rpc.generatetoaddress(64 * 150 - 1, chain.TRUE_ADDRESS)
    last = node.rpc.getblockheader(node.rpc.getbestblockhash())
    parent = chain.wire(last["hash"])
    greedy = chain.Block(parent, 9600, last["time"] + 1,
                         coinbase_tx=chain.coinbase(9600, value=1))
    equal(answer(node, greedy), "bad-cb-amount")
    modest = chain.Block(parent, 9600, last["time"] + 1,
                         coinbase_tx=chain.coinbase(9600, value=0))
    equal(answer(node, modest), None)
    node.stop()


def test_lock_times(context):
    """By height, by median time past, and relative ones (BIP68, BIP113); versions as unsigned."""
    node, blocks = grown(context, n=130)
    tip = blocks[-1]
    median = blocks[-6].time  # of the eleven blocks that end with the tip

    def absolute(locktime, sequence=0):
        return chain.spend(blocks[0].txs[0], sequence=sequence, locktime=locktime)

    def relative(index, sequence, version=2):
        return chain.spend(blocks[index].txs[0], sequence=sequence, version=version)
    nonfinal = "bad-txns-nonfinal"
    age = tip.height + 1 - blocks[9].height  # of the coin of block 10, in the next block
    seconds = (median - blocks[4].time) >> 9  # a coin is as old as the median before its block
    by_time = 1 << 22
    for tx, reason in ((absolute(tip.height), None), (absolute(tip.height + 1), nonfinal),
                       (absolute(tip.height + 1, chain.SEQUENCE_FINAL), None),
                       (absolute(median - 1), None), (absolute(median), nonfinal),
                       (absolute(499_999_999), nonfinal), (absolute(500_000_000), None),
                       (relative(9, age), None), (relative(9, age + 1), nonfinal),
                       (relative(9, age + 1, version=1), None),
                       (relative(9, age + 1, version=0x80000000), nonfinal),
                       (relative(9, age + 1, version=0xFFFFFFFF), nonfinal),
                       (relative(9, age + 1 | 1 << 31), None),
                       (relative(9, by_time | seconds), None),
                       (relative(9, by_time | seconds + 1), nonfinal)):
        block = tip.child([tx], extra=tx.txid()[:4])
        equal(answer(node, block), reason,
              f"lock time {tx.locktime} sequence {tx.vin[0].sequence:x} version {tx.version:x}")
        if reason is None:
            node.rpc.invalidateblock(block.id())
    node.stop()


def test_random_forks_orders_and_restarts(context):
    """Blocks of a random tree in random order, with random orders between; the node checks its
    tree after each step, and in the end its tip has the most work."""
    steps = 3000 if context.soak else 150
    node = context.started("-checkblockindex=1", "-dbcache=4")
    roll = context.random
    tree = chain.grow(None, 3)
    for block in tree:
        node.rpc.submitblock(block.hex())
    banned, height_of = set(), {b.id(): b.height for b in tree}
    waiting = []
    for _ in range(steps):
        action = roll.random()
        if action < 0.75:
            parent = roll.choice(tree[-12:])
            block = parent.child(seconds=roll.randrange(1, 600), extra=roll.randbytes(4))
            tree.append(block)
            height_of[block.id()] = block.height
            waiting.append(block)
            roll.shuffle(waiting)
            for ready in [waiting.pop() for _ in range(roll.randrange(0, len(waiting) + 1))]:
                if node.rpc.submitblock(ready.hex()) == "prev-blk-not-found":
                    waiting.append(ready)
        elif action < 0.83:
            banned.add(victim := roll.choice(tree[-8:]).id())
            try:
                node.rpc.invalidateblock(victim)
            except framework.RpcError:
                pass  # not known yet
        elif action < 0.92 and banned:
            back = roll.choice(sorted(banned))
            try:
                node.rpc.reconsiderblock(back)
            except framework.RpcError:
                pass
            banned.discard(back)
        elif action < 0.97:
            try:
                node.rpc.preciousblock(roll.choice(tree[-8:]).id())
            except framework.RpcError:
                pass
        else:
            node.restart()
    for block_id in banned:
        try:
            node.rpc.reconsiderblock(block_id)
        except framework.RpcError:
            pass
    for block in tree:
        node.rpc.submitblock(block.hex())
    for entry in node.rpc.getchaintips():
        if entry["status"] == "invalid":
            node.rpc.reconsiderblock(entry["hash"])
    equal(node.rpc.getblockcount(), max(height_of.values()), f"seed {context.seed}")
    # Of branches with equal work the one seen first wins, which rebuilding the coins cannot know:
    # let one branch have more.
    best = next(block for block in tree if block.id() == node.rpc.getbestblockhash())
    equal(node.rpc.submitblock(best.child().hex()), None)
    equal(node.rpc.verifychain(4, 0), True)
    want = node.coins()
    node.stop()
    node.start("-reindex-chainstate")
    node.wait_tip(want[0])
    equal(node.coins(), want)
    node.stop()


if __name__ == "__main__":
    framework.main(globals())
