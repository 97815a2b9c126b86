"""The methods that tell about blocks and coins: fields, values, error codes."""
import threading
import time

import chain
import framework
from framework import equal, rpc_fails

GENESIS = chain.display(chain.GENESIS)


def grown(context, *options, n=10):
    node = context.started(*options)
    blocks = chain.grow(None, n)
    for block in blocks:
        equal(node.rpc.submitblock(block.hex()), None)
    return node, blocks


def has(answer, *names):
    missing = [name for name in names if name not in answer]
    assert not missing, f"missing {missing} in {sorted(answer)}"


def test_blockchain_info(context):
    node, blocks = grown(context)
    info = node.rpc.getblockchaininfo()
    has(info, "chain", "blocks", "headers", "bestblockhash", "bits", "target", "difficulty", "time",
        "mediantime", "verificationprogress", "initialblockdownload", "chainwork", "size_on_disk",
        "pruned", "warnings")
    equal(info["chain"], "regtest")
    equal((info["blocks"], info["headers"], info["bestblockhash"]), (10, 10, blocks[-1].id()))
    equal((info["bits"], info["target"]), ("207fffff", "7fffff" + "0" * 58))
    equal((info["time"], info["mediantime"]), (blocks[-1].time, blocks[4].time))
    equal(info["chainwork"], f"{22:064x}")  # two hashes a block, genesis too
    equal(info["warnings"], [])
    equal((info["pruned"], "pruneheight" in info), (False, False))
    equal(f"{info['difficulty']:.6e}", "4.656542e-10")
    equal(node.rpc.getdifficulty(), info["difficulty"])
    equal((node.rpc.getblockcount(), node.rpc.getbestblockhash()), (10, blocks[-1].id()))
    states = node.rpc.getchainstates()
    equal(states["headers"], 10)
    has(states["chainstates"][0], "blocks", "bestblockhash", "bits", "target", "difficulty",
        "verificationprogress", "coins_db_cache_bytes", "coins_tip_cache_bytes", "validated")
    equal(states["chainstates"][0]["validated"], True)
    equal(node.rpc.getchaintips(), [{"height": 10, "hash": blocks[-1].id(), "branchlen": 0,
                                     "status": "active"}])
    node.stop()


def test_initial_download_ends_with_a_recent_tip(context):
    node, blocks = grown(context)
    equal(node.rpc.getblockchaininfo()["initialblockdownload"], True)
    recent = blocks[-1].child(seconds=int(time.time()) - blocks[-1].time)
    equal(node.rpc.submitblock(recent.hex()), None)
    info = node.rpc.getblockchaininfo()
    equal(info["initialblockdownload"], False)
    assert 0.99 < info["verificationprogress"] <= 1
    node.stop()


def test_block_hash_and_header(context):
    node, blocks = grown(context)
    equal(node.rpc.getblockhash(0), GENESIS)
    equal(node.rpc.getblockhash(3), blocks[2].id())
    rpc_fails(-8, "^Block height out of range$", node.rpc.getblockhash, 11)
    rpc_fails(-8, "^Block height out of range$", node.rpc.getblockhash, -1)
    header = node.rpc.getblockheader(blocks[2].id())
    equal(header["hash"], blocks[2].id())
    equal((header["confirmations"], header["height"]), (8, 3))
    equal((header["version"], header["versionHex"]), (0x20000000, "20000000"))
    equal(header["merkleroot"], chain.display(blocks[2].root))
    equal((header["time"], header["nonce"], header["bits"]),
          (blocks[2].time, blocks[2].nonce, "207fffff"))
    equal(header["target"], "7fffff" + "0" * 58)
    equal((header["nTx"], header["chainwork"]), (1, f"{8:064x}"))
    equal((header["previousblockhash"], header["nextblockhash"]), (blocks[1].id(), blocks[3].id()))
    equal(node.rpc.getblockheader(blocks[2].id(), False), blocks[2].header().hex())
    equal("previousblockhash" in node.rpc.getblockheader(GENESIS), False)
    equal("nextblockhash" in node.rpc.getblockheader(blocks[-1].id()), False)
    rpc_fails(-5, "^Block not found$", node.rpc.getblockheader, "11" * 32)
    rpc_fails(-8, r"^hash must be of length 64 \(not 2, for '11'\)$",
              node.rpc.getblockheader, "11")
    node.stop()


def spending_chain(context, *options):
    """A node with a block at height 102 that spends; returns node, blocks, tx."""
    node, blocks = grown(context, *options, n=101)
    tx = chain.spend(blocks[0].txs[0], fee=1000, outputs=[
        chain.TxOut(20 * chain.COIN, chain.TRUE_P2WSH),
        chain.TxOut(30 * chain.COIN - 1000, chain.Key(7).p2wpkh())])
    blocks.append(blocks[-1].child([tx], fees=1000))
    equal(node.rpc.submitblock(blocks[-1].hex()), None)
    return node, blocks, tx


def test_block_at_every_verbosity(context):
    node, blocks, tx = spending_chain(context)
    block, block_id, txid = blocks[-1], blocks[-1].id(), chain.display(tx.txid())
    raw = block.encode()
    equal(node.rpc.getblock(block_id, 0), raw.hex())
    equal(node.rpc.getblock(block_id, False), raw.hex())
    one = node.rpc.getblock(block_id)
    equal(node.rpc.getblock(block_id, 1), one)
    equal(node.rpc.getblock(block_id, True), one)
    equal((one["size"], one["strippedsize"], one["weight"]), (len(raw), len(raw), 4 * len(raw)))
    equal(one["tx"], [chain.display(t.txid()) for t in block.txs])
    equal((one["height"], one["nTx"], one["confirmations"]), (102, 2, 1))
    two = node.rpc.getblock(block_id, 2)["tx"]
    has(two[1], "txid", "hash", "version", "size", "vsize", "weight", "locktime", "vin", "vout",
        "hex", "fee")
    equal((two[1]["txid"], two[1]["fee"], "fee" in two[0]), (txid, 0.00001, False))
    has(two[0]["vin"][0], "coinbase", "sequence")
    equal(two[1]["vin"][0]["txid"], chain.display(blocks[0].txs[0].txid()))
    has(two[1]["vin"][0], "txid", "vout", "scriptSig", "sequence")
    equal("prevout" in two[1]["vin"][0], False)
    out = two[1]["vout"][1]
    equal((out["n"], out["value"]), (1, 29.99999))
    has(out["scriptPubKey"], "asm", "desc", "hex", "address", "type")
    equal((out["scriptPubKey"]["type"], out["scriptPubKey"]["address"]),
          ("witness_v0_keyhash", chain.segwit_address(chain.hash160(chain.Key(7).pub))))
    three = node.rpc.getblock(block_id, 3)["tx"][1]["vin"][0]["prevout"]
    equal((three["generated"], three["height"], three["value"]), (True, 1, 50))
    equal((three["scriptPubKey"]["hex"], three["scriptPubKey"]["type"]), ("51", "nonstandard"))
    rpc_fails(-5, "^Block not found$", node.rpc.getblock, "22" * 32)
    equal(node.rpc.getblock(GENESIS, 0)[:8], "01000000")
    node.stop()


def test_gettxout(context):
    node, blocks, tx = spending_chain(context)
    txid = chain.display(tx.txid())
    out = node.rpc.gettxout(txid, 0)
    equal((out["bestblock"], out["confirmations"], out["value"], out["coinbase"]),
          (blocks[-1].id(), 1, 20, False))
    equal(out["scriptPubKey"]["address"], chain.TRUE_ADDRESS)
    equal(out["scriptPubKey"]["type"], "witness_v0_scripthash")
    equal(node.rpc.gettxout(txid, 2), None)
    equal(node.rpc.gettxout(chain.display(blocks[0].txs[0].txid()), 0), None)
    equal(node.rpc.gettxout(chain.display(blocks[1].txs[0].txid()), 0)["coinbase"], True)
    equal(node.rpc.gettxout("33" * 32, 0), None)
    rpc_fails(-8, "^txid must be of length 64", node.rpc.gettxout, "33", 0)
    rpc_fails(-3, "type", node.rpc.gettxout, "33" * 32, "0")
    node.stop()


def test_gettxoutsetinfo(context):
    node, blocks, tx = spending_chain(context)
    info = node.rpc.gettxoutsetinfo()
    has(info, "height", "bestblock", "txouts", "bogosize", "hash_serialized_3", "total_amount",
        "transactions", "disk_size")
    equal((info["height"], info["bestblock"]), (102, blocks[-1].id()))
    equal((info["txouts"], info["transactions"]), (103, 102))
    equal(info["total_amount"], 102 * 50 - 0)  # the fee went to the coinbase, all of regtest's 50
    muhash = node.rpc.gettxoutsetinfo("muhash")
    equal(len(muhash["muhash"]), 64)
    equal("hash_serialized_3" in muhash, False)
    none = node.rpc.gettxoutsetinfo("none")
    equal(("muhash" in none, "hash_serialized_3" in none), (False, False))
    rpc_fails(-8, "is not a valid hash_type", node.rpc.gettxoutsetinfo, "md5")
    rpc_fails(-8, "coinstatsindex", node.rpc.gettxoutsetinfo, "muhash", 5)
    node.stop()


def muhash_of(coins):
    """MuHash3072 from its definition: the product of ChaCha20 streams keyed by SHA-256."""
    modulus = 2**3072 - 1103717
    product = 1
    for coin in coins:
        key = chain.sha256(coin)
        product = product * int.from_bytes(chacha20_stream(key, 384), "little") % modulus
    return chain.display(chain.sha256(product.to_bytes(384, "little")))


def chacha20_stream(key, length):
    """RFC 8439 with nonce and counter zero."""
    import struct  # pylint: disable=import-outside-toplevel
    out = b""
    for counter in range(length // 64):
        state = list(struct.unpack("<4I", b"expand 32-byte k") + struct.unpack("<8I", key)) + [
            counter, 0, 0, 0]
        mixed = state[:]
        for _ in range(10):
            for a, b, c, d in ((0, 4, 8, 12), (1, 5, 9, 13), (2, 6, 10, 14), (3, 7, 11, 15),
                               (0, 5, 10, 15), (1, 6, 11, 12), (2, 7, 8, 13), (3, 4, 9, 14)):
                for x, y, z, shift in ((a, b, d, 16), (c, d, b, 12), (a, b, d, 8), (c, d, b, 7)):
                    mixed[x] = (mixed[x] + mixed[y]) & 0xFFFFFFFF
                    value = mixed[z] ^ mixed[x]
                    mixed[z] = (value << shift | value >> (32 - shift)) & 0xFFFFFFFF
        out += struct.pack("<16I", *((m + s) & 0xFFFFFFFF for m, s in zip(mixed, state)))
    return out


def serialized_coins(blocks):
    """Each coin of a chain without spends: outpoint, 2 * height + coinbase, output."""
    import struct  # pylint: disable=import-outside-toplevel
    for block in blocks:
        tx = block.txs[0]
        for n, out in enumerate(tx.vout):
            yield tx.txid(), n, struct.pack("<I", block.height * 2 + 1) + out.encode()


def test_the_digests_of_the_coins_agree_with_their_definitions(context):
    import struct  # pylint: disable=import-outside-toplevel
    node, blocks = grown(context)
    rows = [txid + struct.pack("<I", n) + rest for txid, n, rest in serialized_coins(blocks)]
    equal(node.rpc.gettxoutsetinfo("muhash")["muhash"], muhash_of(rows), "muhash")
    equal(node.rpc.gettxoutsetinfo()["hash_serialized_3"],
          chain.display(chain.sha256d(b"".join(sorted(rows)))), "hash_serialized_3")
    node.stop()


def test_raw_transactions_of_blocks(context):
    node, blocks, tx = spending_chain(context)
    txid, block_id = chain.display(tx.txid()), blocks[-1].id()
    equal(node.rpc.getrawtransaction(txid, False, block_id), tx.encode().hex())
    found = node.rpc.getrawtransaction(txid, 1, block_id)
    has(found, "in_active_chain", "txid", "hash", "version", "size", "vsize", "weight", "locktime",
        "vin", "vout", "hex", "blockhash", "confirmations", "time", "blocktime")
    equal((found["in_active_chain"], found["confirmations"]), (True, 1))
    two = node.rpc.getrawtransaction(txid, 2, block_id)
    equal((two["fee"], two["vin"][0]["prevout"]["value"]), (0.00001, 50))
    rpc_fails(-5, "^No such transaction found in the provided block", node.rpc.getrawtransaction,
              txid, False, blocks[0].id())
    rpc_fails(-5, "^Block hash not found$", node.rpc.getrawtransaction, txid, False, "44" * 32)
    rpc_fails(-5, "^No such mempool transaction. Use -txindex", node.rpc.getrawtransaction, txid)
    genesis_tx = node.rpc.getblock(GENESIS)["tx"][0]
    rpc_fails(-5, "genesis block coinbase", node.rpc.getrawtransaction, genesis_tx)
    node.stop()


def test_verifychain(context):
    node, _, _ = spending_chain(context)
    for level in range(5):
        equal(node.rpc.verifychain(level, 0), True)
    equal(node.rpc.verifychain(), True)
    node.stop()


def later(function):
    """Run it on a thread; returns a function that waits for the result."""
    box = []
    thread = threading.Thread(target=lambda: box.append(function()), daemon=True)
    thread.start()

    def result():
        thread.join(30)
        assert box, "no answer"
        return box[0]
    return result


def test_waiting_for_blocks(context):
    node, blocks = grown(context, n=3)
    coming = chain.grow(blocks[-1], 3)
    here = {"hash": blocks[-1].id(), "height": 3}
    equal(node.rpc.waitfornewblock(50), here)  # ran out of time
    equal(node.rpc.waitforblock(coming[0].id(), 50), here)
    equal(node.rpc.waitforblock(blocks[-1].id()), here)
    equal(node.rpc.waitforblockheight(2), here)
    equal(node.rpc.waitforblockheight(4, 50), here)
    rpc_fails(-1, "Negative timeout", node.rpc.waitfornewblock, -1)
    waits = [("waitfornewblock", []), ("waitforblock", [coming[1].id(), 20000]),
             ("waitforblockheight", [5, 20000])]
    results = [later(lambda m=m, p=p: node.connect_rpc().call(m, *p)) for m, p in waits]
    time.sleep(0.3)
    for block in coming:
        equal(node.rpc.submitblock(block.hex()), None)
    equal(results[0]()["height"], 4)
    assert results[1]()["height"] >= 5
    assert results[2]()["height"] >= 5
    # A stop does not wait for those that wait.
    waiting = later(lambda: node.connect_rpc().waitfornewblock(100000))
    time.sleep(0.3)
    start = time.monotonic()
    node.stop()
    waiting()
    assert time.monotonic() - start < 20


def test_control_methods(context):
    node, _ = grown(context, n=1)
    assert 0 <= node.rpc.uptime() < 60
    text = node.rpc.help()
    for method in ("getblock", "submitblock", "waitfornewblock", "decodescript", "stop"):
        assert method in text, method
    assert node.rpc.help("getblock").startswith("getblock \"blockhash\" ( verbosity )")
    equal(node.rpc.help("nosuch"), "help: unknown command: nosuch")
    equal(node.rpc.echo("a", 1, None, {"b": [True]}), ["a", 1, None, {"b": [True]}])
    equal(node.rpc.echojson([1], "x"), [[1], "x"])
    equal(node.rpc.syncwithvalidationinterfacequeue(), None)
    equal(node.rpc.getindexinfo(), {})
    assert isinstance(node.rpc.stop(), str)
    node.wait_exit(0)


def test_mock_time(context):
    node, blocks = grown(context, n=1)
    later_s = int(time.time()) + 3600
    future = blocks[-1].child(seconds=later_s + 7201 - blocks[-1].time)
    node.rpc.setmocktime(later_s)
    equal(node.rpc.submitblock(future.hex()), "time-too-new")
    node.rpc.setmocktime(later_s + 1)
    equal(node.rpc.submitblock(future.hex()), None)  # too early is not remembered
    node.rpc.setmocktime(0)
    rpc_fails(-8, "Mocktime must be in the range", node.rpc.setmocktime, -1)
    equal(node.rpc.mockscheduler(1), None)
    rpc_fails(-1, "delta_time must be between", node.rpc.mockscheduler, 0)
    rpc_fails(-1, "delta_time must be between", node.rpc.mockscheduler, 3601)
    node.stop()


def test_mock_time_is_for_regtest(context):
    node = context.started(chain="signet")
    rpc_fails(None, "regression testing|regtest", node.rpc.setmocktime, 1)
    rpc_fails(None, "regression testing|regtest", node.rpc.mockscheduler, 1)
    node.stop()


if __name__ == "__main__":
    framework.main(globals())
