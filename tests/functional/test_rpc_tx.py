"""Transactions over RPC: decoding, building, signing; addresses and scripts; mining on demand."""
import chain
import framework
from framework import equal, rpc_fails

KEY = chain.Key(0xC0FFEE)
ADDRESS = chain.segwit_address(chain.hash160(KEY.pub))
COINBASE_MATURITY = 100


def test_decode_a_transaction_with_witness(context):
    node = context.started()
    tx = chain.Tx([chain.TxIn(bytes(range(32)), 1, b"\x51", 0xFFFFFFFD, [b"\x01\x02", b""])],
                  [chain.TxOut(123456789, KEY.p2wpkh()), chain.TxOut(0, b"\x6a\x04cafe")],
                  version=3, locktime=500)
    got = node.rpc.decoderawtransaction(tx.encode().hex())
    equal((got["txid"], got["hash"]), (chain.display(tx.txid()), chain.display(tx.wtxid())))
    size, stripped = len(tx.encode()), len(tx.encode(witness=False))
    weight = 3 * stripped + size
    equal((got["version"], got["size"], got["weight"], got["vsize"], got["locktime"]),
          (3, size, weight, (weight + 3) // 4, 500))
    equal(got["vin"], [{"txid": chain.display(bytes(range(32))), "vout": 1,
                        "scriptSig": {"asm": "1", "hex": "51"},
                        "txinwitness": ["0102", ""], "sequence": 0xFFFFFFFD}])
    equal(got["vout"][0]["value"], 1.23456789)
    equal(got["vout"][0]["scriptPubKey"]["address"], ADDRESS)
    equal(got["vout"][1]["scriptPubKey"]["type"], "nulldata")
    equal(got["vout"][1]["scriptPubKey"]["asm"], "OP_RETURN 1701208419")
    rpc_fails(-22, "^TX decode failed", node.rpc.decoderawtransaction, "00")
    rpc_fails(-22, "^TX decode failed", node.rpc.decoderawtransaction, tx.encode().hex() + "00")
    rpc_fails(-22, "^TX decode failed", node.rpc.decoderawtransaction, tx.encode().hex()[:-2])
    node.stop()


def test_decode_scripts(context):
    node = context.started()
    digest = chain.hash160(KEY.pub).hex()
    got = node.rpc.decodescript(KEY.p2pkh().hex())
    equal((got["type"], got["asm"]),
          ("pubkeyhash", f"OP_DUP OP_HASH160 {digest} OP_EQUALVERIFY OP_CHECKSIG"))
    equal(got["address"], chain.base58check(b"\x6f" + bytes.fromhex(digest)))
    equal(got["segwit"]["address"], ADDRESS)
    assert got["p2sh"].startswith("2"), got
    equal(node.rpc.decodescript(KEY.p2wpkh().hex())["type"], "witness_v0_keyhash")
    equal("p2sh" in node.rpc.decodescript(KEY.p2tr().hex()), False)
    equal(node.rpc.decodescript(KEY.p2tr().hex())["type"], "witness_v1_taproot")
    equal(node.rpc.decodescript(KEY.p2pk().hex())["type"], "pubkey")
    multisig = b"\x51" + chain.push(KEY.pub) + chain.push(chain.Key(2).pub) + b"\x52\xae"
    got = node.rpc.decodescript(multisig.hex())
    equal((got["type"], got["asm"].split()[0], got["asm"].split()[-1]),
          ("multisig", "1", "OP_CHECKMULTISIG"))
    equal(node.rpc.decodescript("")["asm"], "")
    equal(node.rpc.decodescript("6a")["type"], "nulldata")
    equal(node.rpc.decodescript("4c")["asm"], "[error]")
    rpc_fails(-8, "hexadecimal", node.rpc.decodescript, "xyz")
    node.stop()


def test_addresses(context):
    node = context.started()
    for address, script, witness in (
            (ADDRESS, KEY.p2wpkh(), 0), (chain.TRUE_ADDRESS, chain.TRUE_P2WSH, 0),
            (chain.segwit_address(KEY.output_key()[0], 1), KEY.p2tr(), 1),
            (chain.base58check(b"\x6f" + chain.hash160(KEY.pub)), KEY.p2pkh(), None)):
        got = node.rpc.validateaddress(address)
        equal((got["isvalid"], got["address"], got["scriptPubKey"]), (True, address, script.hex()))
        equal(got.get("witness_version"), witness)
        equal(got["iswitness"], witness is not None)
    for bad in ("", "bcrt1", ADDRESS[:-1] + "q", "bc1qw508d6qejxtdg4y5r3zarvary0c5xw7kv8f3t4",
                "1BvBMSEYstWetqTFn5Au4m4GFg7xJaNVN2", "x" * 200):
        got = node.rpc.validateaddress(bad)
        equal(got["isvalid"], False, bad)
        assert got["error"], bad
    node.stop()


def test_create_raw_transactions(context):
    node = context.started()
    txid = "aa" * 32
    inputs = [{"txid": txid, "vout": 2}]
    raw = node.rpc.createrawtransaction(inputs, [{ADDRESS: 1.5}, {"data": "00ff"}])
    want = chain.Tx([chain.TxIn(chain.wire(txid), 2, sequence=0xFFFFFFFD)],
                    [chain.TxOut(150000000, KEY.p2wpkh()), chain.TxOut(0, b"\x6a\x02\x00\xff")])
    equal(raw, want.encode().hex())
    equal(node.rpc.createrawtransaction(inputs, {ADDRESS: "1.5", "data": "00ff"}), raw)
    got = node.rpc.decoderawtransaction(
        node.rpc.createrawtransaction([{"txid": txid, "vout": 0}], {}, 7, False))
    equal((got["locktime"], got["vin"][0]["sequence"]), (7, 0xFFFFFFFE))
    equal(node.rpc.decoderawtransaction(node.rpc.createrawtransaction(
        [{"txid": txid, "vout": 0, "sequence": 5}], {}))["vin"][0]["sequence"], 5)
    create = node.rpc.createrawtransaction
    rpc_fails(-8, "txid must be of length 64", create, [{"txid": "aa", "vout": 0}], {})
    rpc_fails(-8, "missing vout key", create, [{"txid": txid}], {})
    rpc_fails(-8, "vout cannot be negative", create, [{"txid": txid, "vout": -1}], {})
    rpc_fails(-8, "sequence number is out of range", create,
              [{"txid": txid, "vout": 0, "sequence": -1}], {})
    rpc_fails(-8, "locktime out of range", create, [], {}, -1)
    rpc_fails(-5, "Invalid Bitcoin address", create, [], {"nonsense": 1})
    rpc_fails(-8, "duplicated address", create, [], [{ADDRESS: 1}, {ADDRESS: 2}])
    rpc_fails(-3, "Invalid amount", create, [], {ADDRESS: "1,5"})
    rpc_fails(-3, "Amount out of range", create, [], {ADDRESS: -1})
    rpc_fails(-3, "Amount out of range", create, [], {ADDRESS: 21000001})
    rpc_fails(-3, "Invalid amount", create, [], {ADDRESS: 1.000000001})
    rpc_fails(-8, "contradict", create, [{"txid": txid, "vout": 0, "sequence": 0xFFFFFFFF}], {}, 0,
              True)
    node.stop()


def mature(node, scripts):
    """Mine one coinbase to each script, then enough to spend them. Returns blocks."""
    blocks = []
    for height, script in enumerate(scripts, 1):
        tx = chain.coinbase(height, script)
        blocks.append(blocks[-1].child(coinbase_tx=tx) if blocks else chain.first_block(
            coinbase_tx=tx))
    blocks += chain.grow(blocks[-1], COINBASE_MATURITY)
    for block in blocks:
        equal(node.rpc.submitblock(block.hex()), None)
    return blocks


def test_sign_what_was_created_and_mine_it(context):
    """Signatures of the node are accepted by its own rules, for each kind of output."""
    node = context.started()
    blocks = mature(node, [KEY.p2pk(), KEY.p2pkh(), KEY.p2wpkh(), KEY.p2tr()])
    inputs = [{"txid": chain.display(b.txs[0].txid()), "vout": 0} for b in blocks[:4]]
    raw = node.rpc.createrawtransaction(inputs, {ADDRESS: 199.9999})
    unsigned = node.rpc.signrawtransactionwithkey(raw, [])
    equal(unsigned["complete"], False)
    equal(len(unsigned["errors"]), 4)
    for name in ("txid", "vout", "witness", "scriptSig", "sequence", "error"):
        assert name in unsigned["errors"][0], name
    signed = node.rpc.signrawtransactionwithkey(raw, [KEY.wif()])
    equal(signed.get("errors"), None)
    equal(signed["complete"], True)
    node.rpc.generateblock(ADDRESS, [signed["hex"]])
    txid = node.rpc.decoderawtransaction(signed["hex"])["txid"]
    equal(node.rpc.gettxout(txid, 0)["value"], 199.9999)
    broken = signed["hex"].replace(signed["hex"][-40:-30], "0" * 10)
    rpc_fails(-25, "TestBlockValidity failed", node.rpc.generateblock, ADDRESS, [broken])
    rpc_fails(-5, "Invalid private key", node.rpc.signrawtransactionwithkey, raw, ["nonsense"])
    rpc_fails(-22, "TX decode failed", node.rpc.signrawtransactionwithkey, "00", [])
    node.stop()


def test_signatures_made_elsewhere_are_accepted(context):
    """ECDSA and Schnorr by chain.py, from the BIPs, verified by the node."""
    node = context.started()
    blocks = mature(node, [KEY.p2pk(), KEY.p2pkh(), KEY.p2wpkh(), KEY.p2tr()])
    spent = [b.txs[0].vout[0] for b in blocks[:4]]
    tx = chain.Tx([chain.TxIn(b.txs[0].txid(), 0) for b in blocks[:4]],
                  [chain.TxOut(200 * chain.COIN, chain.TRUE_SCRIPT)])
    tx.vin[0].script = chain.push(KEY.sign_ecdsa(chain.sighash_legacy(tx, 0, KEY.p2pk())))
    tx.vin[1].script = (chain.push(KEY.sign_ecdsa(chain.sighash_legacy(tx, 1, KEY.p2pkh()))) +
                        chain.push(KEY.pub))
    digest = chain.sighash_v0(tx, 2, KEY.p2pkh(), spent[2].value)
    tx.vin[2].witness = [KEY.sign_ecdsa(digest), KEY.pub]
    tx.vin[3].witness = [chain.sign_schnorr(KEY.output_key()[1],
                                            chain.sighash_taproot(tx, 3, spent))]
    for n, field in ((0, "script"), (1, "script"), (2, "witness"), (3, "witness")):
        good = getattr(tx.vin[n], field)
        if field == "script":
            tx.vin[n].script = good[:20] + bytes([good[20] ^ 1]) + good[21:]
        else:
            tx.vin[n].witness = [good[0][:20] + bytes([good[0][20] ^ 1]) + good[0][21:]] + good[1:]
        answer = node.rpc.submitblock(blocks[-1].child([tx], extra=bytes([n])).hex())
        assert answer.startswith("block-script-verify-flag-failed"), f"input {n}: {answer}"
        setattr(tx.vin[n], field, good)
    equal(node.rpc.submitblock(blocks[-1].child([tx]).hex()), None)
    node.stop()


def test_generatetoaddress(context):
    node = context.started()
    hashes = node.rpc.generatetoaddress(3, ADDRESS)
    equal(len(hashes), 3)
    equal(node.rpc.getbestblockhash(), hashes[-1])
    block = node.rpc.getblock(hashes[2], 2)
    equal(block["height"], 3)
    equal(block["tx"][0]["vout"][0]["scriptPubKey"]["address"], ADDRESS)
    equal(block["tx"][0]["vout"][0]["value"], 50)
    equal(node.rpc.generatetoaddress(0, ADDRESS), [])
    rpc_fails(-5, "^Error: Invalid address$", node.rpc.generatetoaddress, 1, "nonsense")
    node.rpc.generatetoaddress(148, ADDRESS)
    equal(node.rpc.getblock(node.rpc.getblockhash(150), 2)["tx"][0]["vout"][0]["value"], 25)
    node.stop()


def test_generateblock(context):
    node = context.started()
    blocks = mature(node, [chain.TRUE_SCRIPT])
    empty = node.rpc.generateblock(ADDRESS, [])
    equal(sorted(empty), ["hash"])
    equal(node.rpc.getbestblockhash(), empty["hash"])
    tx = chain.spend(blocks[0].txs[0], outputs=[chain.TxOut(50 * chain.COIN, chain.TRUE_P2WSH)])
    child = chain.spend_true_p2wsh([(tx.txid(), 0)],
                                   [chain.TxOut(50 * chain.COIN, chain.TRUE_SCRIPT)])
    held = node.rpc.generateblock(ADDRESS, [tx.encode().hex(), child.encode().hex()], False)
    equal(sorted(held), ["hash", "hex"])
    equal(node.rpc.getbestblockhash(), empty["hash"])
    equal(node.rpc.submitblock(held["hex"]), None)
    equal(node.rpc.getbestblockhash(), held["hash"])
    equal(node.rpc.submitblock(held["hex"]), "duplicate")
    rpc_fails(-25, "bad-txns-inputs-missingorspent", node.rpc.generateblock, ADDRESS,
              [tx.encode().hex()])
    rpc_fails(-22, "Transaction decode failed for 00", node.rpc.generateblock, ADDRESS, ["00"])
    rpc_fails(-5, "not in mempool", node.rpc.generateblock, ADDRESS, ["55" * 32])
    rpc_fails(-5, "Invalid address", node.rpc.generateblock, "nonsense", [])
    node.stop()


def test_submitblock_says_why(context):
    node = context.started()
    blocks = chain.grow(None, 2)
    equal(node.rpc.submitblock(blocks[0].hex()), None)
    equal(node.rpc.submitblock(blocks[0].hex()), "duplicate")
    rpc_fails(-22, "Block decode failed", node.rpc.submitblock, "00")
    rpc_fails(-22, "Block decode failed", node.rpc.submitblock, blocks[1].hex()[:-2])
    bad = blocks[0].child()
    bad.root = bytes(32)
    equal(node.rpc.submitblock(bad.mine().hex()), "bad-txnmrklroot")
    equal(node.rpc.submitblock(blocks[0].child().mine(False).hex()), "high-hash")
    old = blocks[0].child(seconds=-100000)
    equal(node.rpc.submitblock(old.hex()), "time-too-old")
    equal(node.rpc.submitblock(blocks[0].child(version=1).hex()), "bad-version(0x00000001)")
    equal(node.rpc.submitblock(blocks[0].child(bits=0x207FFFFE).hex()), "bad-diffbits")
    wrong_height = blocks[0].child(coinbase_tx=chain.coinbase(7))
    equal(node.rpc.submitblock(wrong_height.hex()), "bad-cb-height")
    equal(node.rpc.submitblock(wrong_height.hex()), "duplicate-invalid")
    equal(node.rpc.submitblock(blocks[1].child().child().hex()), "prev-blk-not-found")
    greedy = blocks[0].child(fees=1)
    equal(node.rpc.submitblock(greedy.hex()), "bad-cb-amount")
    equal(node.rpc.submitblock(greedy.child().hex()), "bad-prevblk")
    equal(node.rpc.submitblock(blocks[1].hex()), None)
    node.stop()


if __name__ == "__main__":
    framework.main(globals())
