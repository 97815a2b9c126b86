"""The mempool over RPC: taking in, mining, templates, reorganisations, limits of clusters."""
import os
import threading
import time

import chain
import framework
from framework import equal, rpc_fails, wait_until

ADDRESS = chain.TRUE_ADDRESS
FEE = 10000
MATURITY = 100


def funded(context, n=5, *options):
    """A node with n coinbases that can be spent. Returns it and their outpoints with values."""
    node = context.started("-listen=0", *options)
    hashes = node.rpc.generatetoaddress(n + MATURITY, ADDRESS)
    coins = []
    for block_hash in hashes[:n]:
        txid = node.rpc.getblock(block_hash)["tx"][0]
        coins.append((chain.wire(txid), 0, 50 * chain.COIN))
    return node, coins


def pay(coin, n_out=1, fee=FEE, **how):
    """Spend a coin to n_out outputs of the same kind."""
    txid, index, value = coin
    share = (value - fee) // n_out
    outputs = [chain.TxOut(share, chain.TRUE_P2WSH) for _ in range(n_out)]
    outputs[0].value += (value - fee) % n_out
    return chain.spend_true_p2wsh([(txid, index)], outputs, **how)


def coin_of(tx, index=0):
    return (tx.txid(), index, tx.vout[index].value)


def send(node, tx):
    equal(node.rpc.sendrawtransaction(tx.encode().hex()), chain.display(tx.txid()))


def ids(*txs):
    return sorted(chain.display(tx.txid()) for tx in txs)


def test_sent_transactions_wait_and_are_mined(context):
    node, coins = funded(context)
    parent = pay(coins[0], 2)
    child = pay(coin_of(parent), fee=5 * FEE)
    send(node, parent)
    send(node, child)
    send(node, child)
    equal(sorted(node.rpc.getrawmempool()), ids(parent, child))
    info = node.rpc.getmempoolinfo()
    equal((info["size"], info["total_fee"], info["unbroadcastcount"]), (2, 0.0006, 2))
    entry = node.rpc.getmempoolentry(chain.display(child.txid()))
    equal((entry["depends"], entry["ancestorcount"]), (ids(parent), 2))
    equal(entry["fees"]["chunk"], 0.0006)
    equal(node.rpc.getmempoolancestors(chain.display(child.txid())), ids(parent))
    equal(node.rpc.getmempooldescendants(chain.display(parent.txid())), ids(child))
    equal(node.rpc.getmininginfo()["pooledtx"], 2)
    block = node.rpc.getblock(node.rpc.generatetoaddress(1, ADDRESS)[0])
    equal(block["tx"][1:], [chain.display(parent.txid()), chain.display(child.txid())])
    equal(node.rpc.getrawmempool(), [])
    rpc_fails(-27, "already in utxo set", node.rpc.sendrawtransaction, child.encode().hex())
    node.stop()


def known_scripts(node):
    """(transactions, of them known ones) of each block that it connected."""
    words = [line.split() for line in node.log().splitlines() if "connected block at" in line]
    return [(int(w[w.index("transactions,") - 1]), int(w[w.index("known,") - 1])) for w in words]


def test_scripts_of_known_transactions_are_run_once(context):
    node, coins = funded(context, 5, "-debug=bench")
    stranger = context.started("-listen=0", "-debug=bench", "-maxsigcachesize=0", name="stranger")
    parent = pay(coins[0], 2)
    for tx in (parent, pay(coin_of(parent)), pay(coins[1])):
        send(node, tx)
    mined = node.rpc.generatetoaddress(1, ADDRESS)[0]
    equal(known_scripts(node)[-1], (4, 3))
    for height in range(1, node.rpc.getblockcount() + 1):
        block = node.rpc.getblock(node.rpc.getblockhash(height), 0)
        equal(stranger.rpc.submitblock(block), None)
    equal(known_scripts(stranger)[-1], (4, 0))
    # The way back and forth again.
    node.rpc.invalidateblock(mined)
    equal(node.rpc.getmempoolinfo()["size"], 3)
    node.rpc.reconsiderblock(mined)
    equal(known_scripts(node)[-1], (4, 3))


def test_refusals(context):
    node, coins = funded(context)
    tx = pay(coins[0])
    send(node, tx)
    for refused, reason in (
            (pay(coins[0], fee=FEE - 1), "insufficient fee"),
            (pay(coins[1], fee=0), "min relay fee not met"),
            (pay(coins[1], locktime=node.rpc.getblockcount() + 1), None),
            (pay(coins[2], version=4), "version"),
            (pay(coins[2], fee=-1), "bad-txns-in-belowout")):
        got = node.rpc.testmempoolaccept([refused.encode().hex()])[0]
        equal(got["allowed"], reason is None, got)
        equal(got.get("reject-reason"), reason)
    locked = pay(coins[1], locktime=node.rpc.getblockcount() + 1)
    locked.vin[0].sequence = 0
    rpc_fails(-26, "^non-final$", node.rpc.sendrawtransaction, locked.encode().hex())
    orphan = pay(coin_of(pay(coins[3])))
    rpc_fails(-25, "^bad-txns-inputs-missingorspent$", node.rpc.sendrawtransaction,
              orphan.encode().hex())
    outputs = [chain.TxOut(24 * chain.COIN, chain.TRUE_SCRIPT) for _ in range(2)]
    bare = chain.spend_true_p2wsh([coins[4][:2]], outputs)
    rpc_fails(-26, "^scriptpubkey$", node.rpc.sendrawtransaction, bare.encode().hex(), 0)
    node.stop()
    node.start("-acceptnonstdtxn=1")
    node.rpc.sendrawtransaction(bare.encode().hex(), 0)
    node.stop()


def test_clusters_are_bounded(context):
    node, coins = funded(context)
    tx = pay(coins[0])
    for _ in range(64):
        send(node, tx)
        tx = pay(coin_of(tx))
    rpc_fails(-26, "^too-large-cluster$", node.rpc.sendrawtransaction, tx.encode().hex())
    equal(node.rpc.getmempoolinfo()["limitclustercount"], 64)
    node.rpc.generatetoaddress(1, ADDRESS)
    equal(node.rpc.getrawmempool(), [])
    send(node, tx)
    node.stop()


def block_of(template):
    """The block that a template describes, mined."""
    txs = [bytes.fromhex(tx["data"]) for tx in template["transactions"]]
    commitment = bytes.fromhex(template["default_witness_commitment"])
    base = chain.coinbase(template["height"], chain.TRUE_P2WSH, value=template["coinbasevalue"],
                          outputs=[chain.TxOut(0, commitment)])
    base.vin[0].witness = [bytes(32)]
    leaves = [base.txid()] + [chain.wire(tx["txid"]) for tx in template["transactions"]]
    header = (template["version"].to_bytes(4, "little") +
              chain.wire(template["previousblockhash"]) + chain.merkle_root(leaves) +
              template["curtime"].to_bytes(4, "little") +
              bytes.fromhex(template["bits"])[::-1])
    target = int(template["target"], 16)
    nonce = 0
    while int.from_bytes(chain.sha256d(header + nonce.to_bytes(4, "little")), "little") > target:
        nonce += 1
    return (header + nonce.to_bytes(4, "little") + chain.compact_size(len(leaves)) +
            base.encode() + b"".join(txs))


def test_a_miner_outside_uses_templates(context):
    """BIP22, BIP23, BIP145: what the template says makes a block that the node takes."""
    node, coins = funded(context)
    parent = pay(coins[0], 2, fee=300)
    child = pay(coin_of(parent, 1), fee=20 * FEE)
    other = pay(coins[1], fee=2 * FEE)
    for tx in (parent, other, child):
        send(node, tx)
    rules = {"rules": ["segwit"]}
    template = node.rpc.getblocktemplate(rules)
    equal([tx["txid"] for tx in template["transactions"]],
          [chain.display(tx.txid()) for tx in (parent, child, other)])
    equal([tx["depends"] for tx in template["transactions"]], [[], [1], []])
    equal(template["coinbasevalue"], 50 * chain.COIN + 300 + 22 * FEE)
    raw = block_of(template).hex()
    equal(node.rpc.getblocktemplate({"mode": "proposal", "data": raw}), None)
    equal(node.rpc.getblockcount(), template["height"] - 1)
    equal(node.rpc.submitblock(raw), None)
    equal(node.rpc.getblockcount(), template["height"])
    equal(node.rpc.getrawmempool(), [])
    equal(node.rpc.getblocktemplate({"mode": "proposal", "data": raw}), "duplicate")
    assert node.rpc.getnetworkhashps() > 0
    # Priorities change the order.
    first, second = pay(coins[2], fee=FEE), pay(coins[3], fee=2 * FEE)
    send(node, first)
    send(node, second)
    equal(node.rpc.prioritisetransaction(chain.display(first.txid()), 0, 5 * FEE), True)
    template = node.rpc.getblocktemplate(rules)
    equal([tx["txid"] for tx in template["transactions"]],
          [chain.display(first.txid()), chain.display(second.txid())])
    node.stop()


def test_reorganised_transactions_are_put_back(context):
    node, coins = funded(context)
    parent = pay(coins[0], 2)
    child = pay(coin_of(parent))
    send(node, parent)
    mined = node.rpc.generatetoaddress(1, ADDRESS)[0]
    send(node, child)
    node.rpc.generatetoaddress(3, ADDRESS)
    equal(node.rpc.getrawmempool(), [])
    node.rpc.invalidateblock(mined)
    equal(sorted(node.rpc.getrawmempool()), ids(parent, child))
    node.rpc.reconsiderblock(mined)
    equal(node.rpc.getrawmempool(), [])
    # Each order that moves the tip back, and a block handed in, answers when all is in its place.
    fork = node.rpc.getblockheader(node.rpc.getblockheader(mined)["previousblockhash"])
    block = chain.Block(chain.wire(fork["hash"]), fork["height"] + 1, fork["time"] + 1)
    equal(node.rpc.submitblock(block.hex()), "inconclusive")
    for _ in range(3):
        block = block.child()
        equal(node.rpc.submitblock(block.hex()), "inconclusive")
    equal(node.rpc.getrawmempool(), [])
    equal(node.rpc.submitblock(block.child().hex()), None)
    equal(sorted(node.rpc.getrawmempool()), ids(parent, child))
    node.rpc.generatetoaddress(1, ADDRESS)
    equal(node.rpc.getrawmempool(), [])
    node.stop()


def test_what_is_in_the_chain_is_not_sent_again(context):
    """Core's code -27, whatever else is wrong: it looks into the chain first."""
    node, coins = funded(context)
    best = node.rpc.getblock(node.rpc.getbestblockhash(), 2)
    rpc_fails(-27, "^Transaction outputs already in utxo set$", node.rpc.sendrawtransaction,
              best["tx"][0]["hex"])
    tx = pay(coins[0], 2)
    send(node, tx)
    rpc_fails(-26, "^coinbase$", node.rpc.sendrawtransaction,
              chain.coinbase(500, chain.TRUE_P2WSH).encode().hex())
    node.rpc.generatetoaddress(1, ADDRESS)
    rpc_fails(-27, "already in utxo set", node.rpc.sendrawtransaction, tx.encode().hex())
    rpc_fails(-27, "already in utxo set", node.rpc.sendrawtransaction, tx.encode().hex(),
              "0.00000001")
    node.restart()  # the coins are in the store alone
    rpc_fails(-27, "already in utxo set", node.rpc.sendrawtransaction, tx.encode().hex())
    both = chain.spend_true_p2wsh([coin_of(tx, i)[:2] for i in range(2)],
                                  [chain.TxOut(50 * chain.COIN - 2 * FEE, chain.TRUE_P2WSH)])
    send(node, both)
    rpc_fails(-27, "already in utxo set", node.rpc.sendrawtransaction, tx.encode().hex())
    node.rpc.generatetoaddress(1, ADDRESS)
    # No output is left unspent: as Core, which cannot know it any more.
    rpc_fails(-25, "missingorspent", node.rpc.sendrawtransaction, tx.encode().hex())
    equal(node.rpc.testmempoolaccept([best["tx"][0]["hex"]])[0]["reject-reason"], "coinbase")
    node.stop()


def test_coins_from_the_store_can_be_spent(context):
    """After a restart nothing is in memory: inputs come from the store."""
    node, coins = funded(context)
    node.restart()
    outpoints = [coin[:2] for coin in coins]
    tx = chain.spend_true_p2wsh(outpoints, [chain.TxOut(250 * chain.COIN - FEE,
                                                        chain.TRUE_P2WSH)])
    send(node, tx)
    send(node, pay(coin_of(tx)))
    equal(node.rpc.getmempoolinfo()["size"], 2)
    node.stop()


def test_the_mempool_is_kept_over_a_restart(context):
    node, coins = funded(context)
    parent = pay(coins[0])
    child = pay(coin_of(parent))
    send(node, parent)
    send(node, child)
    node.rpc.prioritisetransaction(chain.display(child.txid()), 0, 500)
    before = node.rpc.getrawmempool(True)
    node.restart()
    wait_until(lambda: node.rpc.getmempoolinfo()["loaded"], 10, "mempool loaded")
    equal(node.rpc.getrawmempool(True), before)
    assert node.rpc.savemempool()["filename"].endswith("regtest/mempool.dat")
    node.kill()
    node.start()
    wait_until(lambda: node.rpc.getmempoolinfo()["size"] == 2, 10, "both are back after a kill")
    with open(node.path("mempool.dat"), "r+b") as file:
        file.truncate(100)
    node.kill()
    node.start()
    wait_until(lambda: node.rpc.getmempoolinfo()["loaded"], 10, "mempool loaded")
    equal(node.rpc.getrawmempool(), [])
    node.stop()
    node.start("-persistmempool=0")
    equal(node.rpc.getmempoolinfo()["size"], 0)
    node.stop()


def test_a_mempool_is_taken_from_a_file(context):
    node, coins = funded(context, 2, "-persistmempoolv1")
    tx, other = pay(coins[0]), pay(coins[1])
    txid = chain.display(tx.txid())
    send(node, tx)
    node.rpc.prioritisetransaction(txid, 0, 500)
    with open(node.rpc.savemempool()["filename"], "rb") as file:
        equal(file.read(8), bytes([1, 0, 0, 0, 0, 0, 0, 0]))
    copy = node.path("a copy")
    os.rename(node.path("mempool.dat"), copy)
    node.kill()
    node.start("-persistmempool=0", "-persistmempoolv1=0")
    equal(node.rpc.getrawmempool(), [])
    send(node, other)
    equal(node.rpc.importmempool(copy), {})
    equal(sorted(node.rpc.getrawmempool()), ids(tx, other))
    entry = node.rpc.getmempoolentry(txid)
    equal((entry["fees"]["modified"], entry["unbroadcast"]), (0.0001, False))
    equal(node.rpc.importmempool(copy, {"apply_fee_delta_priority": True,
                                        "apply_unbroadcast_set": True}), {})
    entry = node.rpc.getmempoolentry(txid)
    equal((entry["fees"]["modified"], entry["unbroadcast"]), (0.000105, True))
    rpc_fails(-1, "Unable to import mempool file, see debug log for details.",
              node.rpc.importmempool, node.path("nowhere"))
    with open(node.rpc.savemempool()["filename"], "rb") as file:
        equal(file.read(9), bytes([2, 0, 0, 0, 0, 0, 0, 0, 8]))
    os.mkdir(node.path("mempool.dat.new"))
    rpc_fails(-1, "Unable to dump mempool to disk", node.rpc.savemempool)
    node.stop()


def test_signature_operations_count_in_sizes_and_rates(context):
    node, coins = funded(context, 1, "-bytespersigop=5000")
    multisig = bytes.fromhex("5121" + "02" * 33 + "51ae")  # 20 operations, as long as it is bare
    txid, index, value = coins[0]
    tx = chain.spend_true_p2wsh([(txid, index)], [chain.TxOut(value - 3 * chain.COIN - 50000,
                                                              chain.TRUE_P2WSH),
                                                  chain.TxOut(50000, multisig)])
    raw = tx.encode().hex()
    got = node.rpc.testmempoolaccept([raw])[0]
    equal((got["allowed"], got["vsize"], got["vsize_adjusted"]), (True, 100000, 100000))
    assert got["vsize_bip141"] < 300, got
    equal(got["fees"]["effective-feerate"], 0.03)
    got = node.rpc.testmempoolaccept([raw], 0.029)[0]
    equal((got["allowed"], got["reject-reason"]), (False, "max-fee-exceeded"))
    rpc_fails(-25, "Fee exceeds maximum configured by user", node.rpc.sendrawtransaction, raw)
    node.rpc.sendrawtransaction(raw, 0)
    entry = node.rpc.getmempoolentry(chain.display(tx.txid()))
    equal((entry["vsize"], entry["vsize_adjusted"], entry["ancestorsize"]), (100000,) * 3)
    shown = node.rpc.getrawtransaction(chain.display(tx.txid()), 1)
    equal((shown["vsize"], shown["vsize_adjusted"]), (entry["vsize_bip141"], 100000))
    node.stop()


def test_long_polls_end_with_a_block(context):
    node, _ = funded(context, 1)
    template = node.rpc.getblocktemplate({"rules": ["segwit"]})
    waiting = node.connect_rpc()
    started = time.monotonic()
    got = []
    thread = threading.Thread(target=lambda: got.append(waiting.getblocktemplate(
        {"rules": ["segwit"], "longpollid": template["longpollid"]})))
    thread.start()
    time.sleep(0.5)
    equal(got, [])
    node.rpc.generatetoaddress(1, ADDRESS)
    thread.join(20)
    equal(got[0]["height"], template["height"] + 1)
    assert time.monotonic() - started < 20
    waiting.close()
    node.stop()


if __name__ == "__main__":
    framework.main(globals())
