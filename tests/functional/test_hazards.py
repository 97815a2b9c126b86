"""Faults that broke other nodes, tried on a whole node. Expected results follow from the rules."""
import os
import resource

import chain
import framework
from framework import equal

COIN = chain.COIN


def grown(context, *options, n=101, name="node", **how):
    node = context.started(*options, name=name)
    blocks = chain.grow(None, n)
    for block in blocks:
        equal(node.rpc.submitblock(block.hex()), None)
    return node, blocks


def refused(node, reason, block):
    equal(node.rpc.submitblock(block.hex()).split(" ")[0], reason)


def test_values_never_wrap(context):
    """CVE-2010-5139."""
    node, blocks = grown(context)
    most = 21_000_000 * COIN
    for values, reason in (((2**63 - 1, 2**63 - 1), "bad-txns-vout-toolarge"),
                           ((most + 1,), "bad-txns-vout-toolarge"),
                           ((-1,), "bad-txns-vout-negative"),
                           ((most, 1), "bad-txns-txouttotal-toolarge"),
                           ((50 * COIN, 1), "bad-txns-in-belowout"),
                           ((50 * COIN,), None)):
        outputs = [chain.TxOut(value, chain.TRUE_SCRIPT) for value in values]
        tx = chain.spend(blocks[0].txs[0], outputs=outputs)
        answer = node.rpc.submitblock(blocks[-1].child([tx]).hex())
        equal(answer, reason, str(values))
    node.stop()


def test_one_outpoint_twice_in_a_transaction(context):
    """CVE-2018-17144: the parent in the same block, in an earlier one, and flushed to disk."""
    node, blocks = grown(context, n=102)
    first = chain.spend(blocks[0].txs[0])
    twice_inside = chain.Tx([chain.TxIn(first.txid(), 0), chain.TxIn(first.txid(), 0)],
                            [chain.TxOut(100 * COIN, chain.TRUE_SCRIPT)])
    refused(node, "bad-txns-inputs-duplicate", blocks[-1].child([first, twice_inside]))
    old = blocks[1].txs[0].txid()
    twice = chain.Tx([chain.TxIn(old, 0), chain.TxIn(old, 0)],
                     [chain.TxOut(100 * COIN, chain.TRUE_SCRIPT)])
    refused(node, "bad-txns-inputs-duplicate", blocks[-1].child([twice]))
    before = node.coins()
    node.restart()
    refused(node, "bad-txns-inputs-duplicate", blocks[-1].child([twice], extra=b"again"))
    both = [chain.spend(blocks[1].txs[0]), chain.spend(blocks[1].txs[0], fee=1)]
    refused(node, "bad-txns-inputs-missingorspent", blocks[-1].child(both))
    equal(node.coins(), before)
    node.stop()


def test_a_txid_that_exists_unspent_is_not_made_again(context):
    """BIP30, on a chain without BIP34: the coinbase of block 1 repeated."""
    node = context.started("-testactivationheight=bip34@10000")
    same = chain.coinbase(1, extra=b"same")
    blocks = [chain.first_block(coinbase_tx=same)]
    blocks += chain.grow(blocks[0], 100)
    for block in blocks:
        equal(node.rpc.submitblock(block.hex()), None)
    again = blocks[-1].child(coinbase_tx=same)
    refused(node, "bad-txns-BIP30", again)
    node.restart()  # the coin is in the store now, not in the cache
    refused(node, "bad-txns-BIP30", blocks[-1].child(coinbase_tx=same, seconds=601))
    spender = blocks[-1].child([chain.spend(same)])
    equal(node.rpc.submitblock(spender.hex()), None)
    # Spent: now the same txid may come again, and going back gives the same coins.
    before = node.coins()
    second = spender.child(coinbase_tx=same)
    equal(node.rpc.submitblock(second.hex()), None)
    equal(node.rpc.gettxout(chain.display(same.txid()), 0)["confirmations"], 1)
    node.rpc.invalidateblock(second.id())
    equal(node.coins(), before)
    node.stop()


def duplicated_leaves(block, n):
    """The same merkle root from a list whose last n transactions are doubled. CVE-2012-2459."""
    copy = chain.Block.__new__(chain.Block)
    copy.__dict__.update(block.__dict__)
    copy.txs = block.txs + block.txs[-n:]
    equal(chain.merkle_root([t.txid() for t in copy.txs]), block.root)
    return copy


def test_a_spoilt_copy_does_not_condemn_the_honest_block(context):
    """Each copy has the honest block's hash; none may be remembered as invalid."""
    node, blocks = grown(context, n=110)
    paid = chain.spend(blocks[0].txs[0], outputs=[chain.TxOut(25 * COIN, chain.TRUE_P2WSH)] * 2)
    tip = blocks[-1].child([paid, chain.spend(blocks[1].txs[0])])  # three transactions
    refused(node, "bad-txns-duplicate", duplicated_leaves(tip, 1))
    equal(node.rpc.submitblock(tip.hex()), None)

    # With the coinbase six: the last two stand alone one level up.
    txs = [chain.spend(blocks[n].txs[0]) for n in (2, 3, 4, 5, 6)]
    six = tip.child(txs)
    refused(node, "bad-txns-duplicate", duplicated_leaves(six, 2))
    equal(node.rpc.submitblock(six.hex()), None)

    witness = chain.spend_true_p2wsh([(paid.txid(), 0)], [chain.TxOut(25 * COIN, chain.TRUE_P2WSH)])
    honest = six.child([witness])
    good_tx = honest.txs[1].vin[0].witness
    honest.txs[1].vin[0].witness = [b"\x01" * 50, chain.TRUE_SCRIPT]
    refused(node, "bad-witness-merkle-match", honest)
    honest.txs[1].vin[0].witness = good_tx
    honest.txs[0].vin[0].witness = [bytes(31)]
    refused(node, "bad-witness-nonce-size", honest)
    # Without any nonce it would be taken: submitblock puts one of zeros in, as Core does.
    honest.txs[0].vin[0].witness = [bytes(32), bytes(32)]
    refused(node, "bad-witness-nonce-size", honest)
    honest.txs[0].vin[0].witness = [bytes(32)]
    swapped = honest.txs
    honest.txs = [swapped[0], chain.spend(blocks[7].txs[0])]
    refused(node, "bad-txnmrklroot", honest)
    honest.txs = swapped
    equal(node.rpc.submitblock(honest.hex()), None)

    plain = honest.child()
    plain.txs[0].vin[0].witness = [bytes(32)]
    refused(node, "unexpected-witness", plain)
    plain.txs[0].vin[0].witness = []
    equal(node.rpc.submitblock(plain.hex()), None)
    equal(node.rpc.getbestblockhash(), plain.id())
    node.stop()


def test_a_transaction_of_64_bytes_cannot_pose_as_an_inner_node(context):
    """A block whose list is replaced by the 64-byte node above it: same root, refused, and the
    honest block still welcome."""
    node, blocks = grown(context, n=110)
    honest = blocks[-1].child([chain.spend(blocks[0].txs[0])])
    raw = honest.header() + b"\x01" + b"".join(t.txid() for t in honest.txs)
    try:
        answer = node.rpc.submitblock(raw.hex())
        assert answer, "accepted"
    except framework.RpcError as error:
        equal(error.code, -22)
    equal(node.rpc.submitblock(honest.hex()), None)
    node.stop()


def padded_signature(signature):
    """The same signature with a zero byte in front of R: valid only before strict DER."""
    r_length = signature[3]
    return (b"\x30" + bytes([signature[1] + 1]) + b"\x02" + bytes([r_length + 1]) + b"\x00" +
            signature[4:])


def test_lax_signatures_end_with_bip66(context):
    """Accepted in the block before its height, refused from it on; and headers on top of the
    refused block prove nothing."""
    height = 104
    node = context.started(f"-testactivationheight=dersig@{height}")
    key = chain.Key(11)
    blocks = []
    for n in range(1, 4):
        tx = chain.coinbase(n, key.p2pk())
        blocks.append(blocks[-1].child(coinbase_tx=tx) if blocks else
                      chain.first_block(coinbase_tx=tx))
    blocks += chain.grow(blocks[-1], height - 2 - len(blocks))

    def lax(n):
        tx = chain.spend(blocks[n].txs[0])
        good = key.sign_ecdsa(chain.sighash_legacy(tx, 0, key.p2pk()))
        tx.vin[0].script = chain.push(padded_signature(good))
        return tx
    for block in blocks:
        equal(node.rpc.submitblock(block.hex()), None)
    last = blocks[-1].child([lax(0)])
    equal(last.height, height - 1)
    equal(node.rpc.submitblock(last.hex()), None)
    bad = last.child([lax(1)])
    children = chain.grow(bad, 6)
    for header in [bad, *children]:
        equal(node.rpc.submitheader(header.header().hex()), None)
    for block in children:
        equal(node.rpc.submitblock(block.hex()), "inconclusive")
    refused(node, "block-script-verify-flag-failed", bad)
    equal(node.rpc.getbestblockhash(), last.id())
    equal(node.rpc.submitblock(last.child(version=2).hex()), "bad-version(0x00000002)")
    equal(node.rpc.submitblock(last.child().hex()), None)
    node.stop()


def test_no_limit_of_ours_decides_about_a_block(context):
    """BIP50: a block full of inputs, with 64 file descriptors, 4 MB of cache, one worker."""
    count = 24000 if context.soak else 20000
    outputs = [chain.TxOut(50 * COIN // count, chain.TRUE_SCRIPT)] * count

    def few_descriptors():
        resource.setrlimit(resource.RLIMIT_NOFILE, (64, 64))
    node = context.node(options=["-dbcache=4", "-par=1"])
    node.start(preexec=few_descriptors)
    blocks = chain.grow(None, 101)
    for block in blocks:
        equal(node.rpc.submitblock(block.hex()), None)
    wide = chain.spend(blocks[0].txs[0], outputs=outputs)
    fan_out = blocks[-1].child([wide])
    equal(node.rpc.submitblock(fan_out.hex()), None)
    node.stop()
    node.start(preexec=few_descriptors)
    txid, value = wide.txid(), outputs[0].value
    inputs = [chain.TxIn(txid, n) for n in range(count)]
    collect = chain.Tx(inputs, [chain.TxOut(value * count, chain.TRUE_SCRIPT)])
    too_much = chain.Tx(inputs, [chain.TxOut(value * count + 1, chain.TRUE_SCRIPT)])
    missing = chain.Tx(inputs[:-1] + [chain.TxIn(txid, count)], collect.vout)
    before = node.coins()
    refused(node, "bad-txns-in-belowout", fan_out.child([too_much]))
    refused(node, "bad-txns-inputs-missingorspent", fan_out.child([missing]))
    equal(node.coins(), before)
    full = fan_out.child([collect])
    equal(node.rpc.submitblock(full.hex()), None)
    equal(node.rpc.gettxoutsetinfo("none")["txouts"], 102 + 1)
    node.rpc.invalidateblock(full.id())
    equal(node.coins(), before)
    node.stop()


def bad_signature_chain(length):
    """101 blocks, then one with a signature that is none, then more. Returns blocks."""
    key = chain.Key(3)
    first = chain.first_block(coinbase_tx=chain.coinbase(1, key.p2pk()))
    blocks = [first] + chain.grow(first, 100)
    tx = chain.spend(first.txs[0])
    tx.vin[0].script = chain.push(bytes(70))
    blocks.append(blocks[-1].child([tx]))
    return blocks + chain.grow(blocks[-1], length - len(blocks))


def feed(node, blocks):
    """All headers first, as a download does, then the blocks. Returns the height reached."""
    for block in blocks:
        equal(node.rpc.submitheader(block.header().hex()), None)
    for block in blocks:
        node.rpc.submitblock(block.hex())
    return node.rpc.getblockcount()


def test_assumevalid_skips_scripts_only_where_it_may(context):
    """Below the named block, on its chain, two weeks of work deep: only then."""
    blocks = bad_signature_chain(2300)
    assumed = f"-assumevalid={blocks[150].id()}"
    cases = (("none", [], 2300, 101),  # everything is verified
             ("off", ["-assumevalid=0"], 2300, 101),
             ("deep", [assumed], 2300, 2300),
             ("shallow", [assumed], 400, 101),  # not buried two weeks deep
             ("below", [f"-assumevalid={blocks[50].id()}"], 2300, 101),
             ("elsewhere", ["-assumevalid=" + "77" * 32], 2300, 101),
             ("poor", [assumed, "-minimumchainwork=" + "00" * 29 + "ffffff"], 2300, 101))
    for name, options, length, want in cases:
        node = context.started(*options, name=name)
        equal(feed(node, blocks[:length]), want, name)
        node.stop()


def test_minimum_chain_work_keeps_the_node_in_initial_download(context):
    node = context.started("-minimumchainwork=" + "0" * 62 + "65")  # 0x65: 101 hashes
    recent = chain.Block(chain.GENESIS, 1, 1900000000)
    node.rpc.setmocktime(1900000000)
    blocks = [recent] + chain.grow(recent, 60, seconds=1)
    for block in blocks[:48]:
        node.rpc.submitblock(block.hex())
    equal(node.rpc.getblockchaininfo()["initialblockdownload"], True)
    for block in blocks[48:]:
        node.rpc.submitblock(block.hex())
    equal(node.rpc.getblockchaininfo()["initialblockdownload"], False)
    node.stop()


def invalid_siblings(context, blocks, txs, count):
    """Blocks on the same parent, each wrong at some transaction of many."""
    for n in range(count):
        at, how = context.random.randrange(len(txs)), context.random.randrange(3)
        copies = list(txs)
        tx = chain.Tx([chain.TxIn(i.txid, i.index, i.script, i.sequence, i.witness)
                       for i in txs[at].vin], txs[at].vout)
        if how == 0:  # a signature that does not verify
            signature = bytearray(tx.vin[0].witness[0])
            signature[context.random.randrange(10, 60)] ^= 1
            tx.vin[0].witness = [bytes(signature), tx.vin[0].witness[1]]
        elif how == 1:  # a coin that does not exist
            tx.vin[0].index = 7000
        else:  # more than there is
            tx.vout = [chain.TxOut(100 * COIN, chain.TRUE_SCRIPT)]
        copies[at] = tx
        yield blocks[-1].child(copies, extra=n.to_bytes(4, "big"))


def test_a_flood_of_invalid_blocks(context):
    """CVE-2024-52911: each fails while other checks of it are still running."""
    key = chain.Key(5)
    outputs = [chain.TxOut(COIN, key.p2wpkh())] * 40
    node = context.node(options=["-par=2"])
    node.start()
    blocks = chain.grow(None, 101)
    source = chain.spend(blocks[0].txs[0], outputs=outputs)
    blocks.append(blocks[-1].child([source], fees=10 * COIN))
    txs = []
    for n in range(40):
        tx = chain.Tx([chain.TxIn(source.txid(), n)], [chain.TxOut(COIN, chain.TRUE_SCRIPT)])
        digest = chain.sighash_v0(tx, 0, key.p2pkh(), COIN)
        tx.vin[0].witness = [key.sign_ecdsa(digest), key.pub]
        txs.append(tx)
    for block in blocks:
        equal(node.rpc.submitblock(block.hex()), None)
    bad = list(invalid_siblings(context, blocks, txs, 20000 if context.soak else 200))
    for block in bad[:len(bad) // 2]:
        answer = node.rpc.submitblock(block.hex())
        assert answer.split(" ")[0] in ("block-script-verify-flag-failed", "bad-txns-in-belowout",
                                        "bad-txns-inputs-missingorspent"), answer
    path = os.path.join(context.scratch, "flood.dat")
    with open(path, "wb") as file:
        for block in bad:
            file.write(chain.frame(block.encode()))
            file.write(chain.frame(block.child().encode()))
    node.stop()
    node.launch(f"-loadblock={path}", "-stopafterblockimport")
    node.wait_exit(0, 600)
    node.start()
    equal(node.rpc.getbestblockhash(), blocks[-1].id())
    honest = blocks[-1].child(txs)
    equal(node.rpc.submitblock(honest.hex()), None)
    node.stop()


def test_the_first_block_of_a_period_may_not_go_back_in_time_with_bip94(context):
    """Regtest's periods have 144 blocks; the grace is 600 seconds (BIP94)."""
    period, grace = 144, 600
    node, blocks = grown(context, "-test=bip94", n=period - 2)
    late = blocks[-1].child(seconds=7000)
    equal(node.rpc.submitblock(late.hex()), None)
    refused(node, "time-timewarp-attack", late.child(seconds=-grace - 1))
    rest = [late.child(seconds=-grace)]
    rest.append(rest[-1].child(seconds=7000))
    rest.append(rest[-1].child(seconds=-grace - 1))  # not the first of its period
    for block in rest:
        equal(node.rpc.submitblock(block.hex()), None)
    node.stop()
    node.options = []  # regtest itself has no such rule
    node.start()
    node.rpc.invalidateblock(rest[0].id())
    equal(node.rpc.submitblock(late.child(seconds=-grace - 1, extra=b"early").hex()), None)
    node.stop()


if __name__ == "__main__":
    framework.main(globals())
