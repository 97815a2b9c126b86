"""Programs that people run beside the node: what each of them asks, answered field by field.

The calls are those that the programs make, in their order. Where a program itself is at hand, a
test of its own runs it (test_bcoin.py).
"""
import chain
import framework
import p2p
from framework import equal, rpc_fails, wait_until

JUNK = b"\x00\xff\x00"
MATURE = 101
WITNESS_BLOCK = 0x40000002


def started(context, *options, n=MATURE, name="node"):
    """A node with n blocks, whose rewards go to a script that anyone can spend."""
    node = p2p.node(context, "-maxtipage=2000000000", *options, name=name)
    blocks = []
    for height in range(1, n + 1):
        tx = chain.coinbase(height, chain.TRUE_P2WSH)
        blocks.append(blocks[-1].child(coinbase_tx=tx) if blocks else
                      chain.first_block(coinbase_tx=tx))
        equal(node.rpc.submitblock(blocks[-1].hex()), None)
    return node, blocks


def spend(block, fee=10_000):
    value = block.txs[0].vout[0].value - fee
    return chain.spend_true_p2wsh([(block.txs[0].txid(), 0)],
                                  [chain.TxOut(value, chain.TRUE_P2WSH)])


def test_bytes_behind_what_peers_and_miners_send_are_ignored(context):
    node, blocks = started(context)
    tx, raw = spend(blocks[0]), spend(blocks[0]).encode()
    rpc_fails(-22, "^TX decode failed", node.rpc.sendrawtransaction, raw.hex() + JUNK.hex())
    mined = blocks[-1].child(coinbase_tx=chain.coinbase(MATURE + 1, chain.TRUE_P2WSH))
    equal(node.rpc.submitblock(mined.hex() + JUNK.hex()), None)
    equal(node.rpc.getblock(node.rpc.getbestblockhash(), 0), mined.hex())
    peer = p2p.connect(context, node)
    peer.send("tx", raw + JUNK)
    wait_until(lambda: chain.display(tx.txid()) in node.rpc.getrawmempool(), what="transaction")
    relayed = mined.child(coinbase_tx=chain.coinbase(MATURE + 2, chain.TRUE_P2WSH))
    peer.send("block", bytes.fromhex(relayed.hex()) + JUNK)
    wait_until(lambda: node.rpc.getblockcount() == MATURE + 2, what="block")
    equal(node.rpc.getblock(node.rpc.getbestblockhash(), 0), relayed.hex())
    seen = peer.count["headers"]
    peer.send("getheaders", p2p.locator([relayed.parent]) + JUNK)
    equal(len(p2p.read_headers(peer.wait("headers", seen + 1))), 1)
    peer.send("getdata", p2p.inv([(WITNESS_BLOCK, relayed.hash())]) + JUNK)
    equal(peer.wait("block"), bytes.fromhex(node.rpc.getblock(node.rpc.getbestblockhash(), 0)))
    equal(len(node.rpc.getpeerinfo()), 1)
    node.stop()


def test_both_ends_of_a_connection_are_shown(context):
    node = p2p.node(context)
    peer = p2p.connect(context, node)
    (info,) = node.rpc.getpeerinfo()
    equal(info["addrbind"], f"127.0.0.1:{node.p2p_port}")
    equal(info["addrlocal"], "127.0.0.1:0")  # as the peer has it
    other = p2p.node(context, f"-connect=127.0.0.1:{node.p2p_port}", name="other")
    wait_until(lambda: other.rpc.getconnectioncount() == 1, what="connection")
    (out,) = other.rpc.getpeerinfo()
    (inbound,) = [i for i in node.rpc.getpeerinfo() if i["addr"] == out["addrbind"]]
    equal(inbound["addrbind"], out["addr"])
    silent = p2p.connect(context, node, shake=False)  # tells the address ::
    text = p2p.version()
    silent.said_version = True
    silent.send("version", text[:28] + bytes(16) + text[44:])
    silent.wait("verack")
    wait_until(lambda: ["addrlocal" in i for i in node.rpc.getpeerinfo()] == [True, True, False],
               what="addresses of the two that have told them")
    del peer
    other.stop()
    node.stop()


# -- What each program asks ------------------------------------------------------------------------

NO_RATE = {"errors": ["Insufficient data or no feerate found"], "blocks": 0}


def has_fields(got, kinds, what):
    """Every field is there and of its kind."""
    for name, kind in kinds.items():
        if name not in got:
            raise framework.Failure(f"{what}: no {name} in {sorted(got)}")
        if not isinstance(got[name], kind) or (isinstance(got[name], bool) and kind is not bool):
            raise framework.Failure(f"{what}: {name} is {got[name]!r}")


NUMBER = (int, float)
CHAIN_INFO = {"chain": str, "blocks": int, "headers": int, "bestblockhash": str, "bits": str,
              "target": str, "difficulty": NUMBER, "time": int, "mediantime": int,
              "verificationprogress": NUMBER, "initialblockdownload": bool, "chainwork": str,
              "size_on_disk": int, "pruned": bool, "warnings": list}
NETWORK_INFO = {"version": int, "subversion": str, "protocolversion": int, "localservices": str,
                "localservicesnames": list, "localrelay": bool, "timeoffset": int,
                "networkactive": bool, "connections": int, "connections_in": int,
                "connections_out": int, "networks": list, "relayfee": NUMBER,
                "incrementalfee": NUMBER, "localaddresses": list, "warnings": list}
MEMPOOL_INFO = {"loaded": bool, "size": int, "bytes": int, "usage": int, "total_fee": NUMBER,
                "maxmempool": int, "mempoolminfee": NUMBER, "minrelaytxfee": NUMBER,
                "incrementalrelayfee": NUMBER, "unbroadcastcount": int, "fullrbf": bool}


def test_electrs_shakes_hands(context):
    """It names protocol version 70001 and hangs up at a message that it does not know."""
    node, blocks = started(context, n=3)
    peer = p2p.connect(context, node, number=70001)
    peer.sync()
    known = {"version", "verack", "ping", "pong", "getheaders", "inv", "headers", "alert", "addr"}
    equal({name for name, _ in peer.messages} - known, set(), "messages newer than the peer")
    seen = peer.count["headers"]
    peer.send("getheaders", p2p.locator([chain.GENESIS]))
    equal(len(p2p.read_headers(peer.wait("headers", seen + 1))), 3)
    peer.send("getdata", p2p.inv([(WITNESS_BLOCK, blocks[1].hash())]))
    equal(peer.wait("block").hex(), blocks[1].hex())
    for method, params, kinds in (("getblockchaininfo", [], CHAIN_INFO),
                                  ("getnetworkinfo", [], NETWORK_INFO),
                                  ("getmempoolinfo", [], MEMPOOL_INFO)):
        has_fields(node.rpc.call(method, *params), kinds, method)
    equal(node.rpc.estimatesmartfee(6), NO_RATE)
    equal(node.rpc.getblockchaininfo()["pruned"], False)
    node.stop()


def test_fulcrum_starts_and_serves_wallets(context):
    node, blocks = started(context, "-txindex")
    info = node.rpc.getnetworkinfo()
    has_fields(info, NETWORK_INFO, "getnetworkinfo")
    assert info["subversion"].startswith("/Satoshi:"), info  # else it is taken for BCH
    assert info["version"] >= 280000, info["version"]
    has_fields(node.rpc.getblockchaininfo(), CHAIN_INFO, "getblockchaininfo")
    equal(node.rpc.getzmqnotifications(), [])
    first = node.rpc.getblock(node.rpc.getblockhash(1), 1)["tx"][0]
    equal(node.rpc.getrawtransaction(first, False), blocks[0].txs[0].encode().hex())
    equal(node.rpc.getblock(node.rpc.getblockhash(1), False), blocks[0].hex())
    assert "getblock " in node.rpc.help(), "no list of methods"
    # What an Electrum wallet asks through it.
    equal(node.rpc.estimatesmartfee(2), NO_RATE)
    equal(node.rpc.estimatesmartfee(25, "ECONOMICAL"), NO_RATE)
    equal(node.rpc.estimatesmartfee(25, "CONSERVATIVE"), NO_RATE)
    has_fields(node.rpc.getmempoolinfo(), MEMPOOL_INFO, "getmempoolinfo")
    tx = spend(blocks[0])
    equal(node.rpc.sendrawtransaction(tx.encode().hex(), 0.1, 0.0), chain.display(tx.txid()))
    equal(node.rpc.getrawmempool(False), [chain.display(tx.txid())])
    rpc_fails(-8, "conf_target", node.rpc.estimatesmartfee, 0)
    node.stop()


def test_electrumx_follows_spends(context):
    node, blocks = started(context, "-txindex", "-txospenderindex")

    def indexed():
        state = node.rpc.getindexinfo()
        return len(state) == 2 and all(index["synced"] for index in state.values())
    wait_until(indexed, what="both indexes")
    equal(node.rpc.getindexinfo("txospenderindex"),
          {"txospenderindex": {"synced": True, "best_block_height": MATURE}})
    tx = spend(blocks[0])
    coin = {"txid": chain.display(blocks[0].txs[0].txid()), "vout": 0}
    txid, raw = chain.display(tx.txid()), tx.encode().hex()
    ask = node.rpc.gettxspendingprevout
    equal(ask([coin]), [coin])
    node.rpc.sendrawtransaction(raw)
    equal(ask([coin], {"return_spending_tx": True}),
          [{**coin, "spendingtxid": txid, "spendingtx": raw}])
    mined = blocks[-1].child([tx], coinbase_tx=chain.coinbase(MATURE + 1, chain.TRUE_P2WSH))
    equal(node.rpc.submitblock(mined.hex()), None)
    equal(ask(outputs=[coin], return_spending_tx=True),
          [{**coin, "spendingtxid": txid, "blockhash": chain.display(mined.hash()),
            "spendingtx": raw}])
    equal(ask([coin], {"mempool_only": True}), [coin])
    node.stop()
    node.start()
    equal(node.rpc.gettxspendingprevout([coin])[0]["spendingtxid"], txid)
    node.stop()


def test_lnd_starts_and_watches(context):
    node, blocks = started(context)
    rpc_fails(-32601, "Method not found", node.rpc.getinfo)  # else it takes us for btcd
    has_fields(node.rpc.getblockchaininfo(), CHAIN_INFO, "getblockchaininfo")
    version = node.rpc.getnetworkinfo()["subversion"].removeprefix("/Satoshi:")
    assert version >= "25.0.0", version  # compared as text: then it asks gettxspendingprevout
    equal(node.rpc.getzmqnotifications(), [])
    deployments = node.rpc.getdeploymentinfo()
    assert "TAPROOT" in deployments["script_flags"], deployments["script_flags"]
    assert isinstance(node.rpc.uptime(), int)
    equal(node.rpc.getblockhash(0), chain.display(chain.GENESIS))
    equal(node.rpc.estimatesmartfee(6, "CONSERVATIVE"), NO_RATE)
    tx = spend(blocks[0])
    coin = {"txid": chain.display(blocks[0].txs[0].txid()), "vout": 0}
    equal(node.rpc.gettxspendingprevout([coin]), [coin])
    (verdict,) = node.rpc.testmempoolaccept([tx.encode().hex()])
    equal((verdict["allowed"], verdict["txid"]), (True, chain.display(tx.txid())))
    node.rpc.sendrawtransaction(tx.encode().hex())
    equal(node.rpc.gettxspendingprevout([coin]),
          [{**coin, "spendingtxid": chain.display(tx.txid())}])
    equal(node.rpc.gettxout(coin["txid"], 0, True), None)
    peer = p2p.connect(context, node)
    (info,) = node.rpc.getpeerinfo()
    has_fields(info, {"minfeefilter": NUMBER, "inbound": bool, "id": int, "services": str},
               "getpeerinfo")
    peer.close()
    node.stop()


def test_the_prometheus_exporter_gets_every_gauge(context):
    node, _ = started(context)
    rpc = node.rpc
    assert isinstance(rpc.uptime(), int)
    has_fields(rpc.getmemoryinfo("stats")["locked"],
               {"used": int, "free": int, "total": int, "locked": int, "chunks_used": int,
                "chunks_free": int}, "getmemoryinfo")
    has_fields(rpc.getblockchaininfo(), CHAIN_INFO, "getblockchaininfo")
    has_fields(rpc.getnetworkinfo(), NETWORK_INFO, "getnetworkinfo")
    equal([tip["status"] for tip in rpc.getchaintips()], ["active"])
    has_fields(rpc.getmempoolinfo(), MEMPOOL_INFO, "getmempoolinfo")
    has_fields(rpc.getnettotals(), {"totalbytesrecv": int, "totalbytessent": int}, "getnettotals")
    has_fields(rpc.getrpcinfo(), {"active_commands": list, "logpath": str}, "getrpcinfo")
    stats = rpc.getblockstats(rpc.getbestblockhash(),
                              ["total_size", "total_weight", "totalfee", "txs", "height", "ins",
                               "outs", "total_out"])
    equal((stats["height"], stats["txs"], stats["ins"], stats["totalfee"], stats["total_out"]),
          (MATURE, 1, 0, 0, 0))
    equal(len(stats), 8)
    equal(rpc.listbanned(), [])
    window = rpc.getchaintxstats()
    equal((window["txcount"], window["window_final_block_height"], window["window_block_count"],
           window["window_tx_count"]), (MATURE + 1, MATURE, MATURE - 1, MATURE - 1))
    for blocks in (-1, 1, 120):
        assert rpc.getnetworkhashps(blocks) > 0
    for target in (2, 3, 5, 20):
        equal(rpc.estimatesmartfee(target), NO_RATE)
    node.stop()


def test_explorers_read_statistics(context):
    """BTC RPC Explorer and the backend of mempool.space."""
    node, blocks = started(context)
    tx = spend(blocks[0], fee=12_345)
    mined = blocks[-1].child([tx], coinbase_tx=chain.coinbase(MATURE + 1, chain.TRUE_P2WSH))
    equal(node.rpc.submitblock(mined.hex()), None)
    height = MATURE + 1
    stats = node.rpc.getblockstats(height)
    size, base = len(tx.encode()), len(tx.encode(witness=False))
    weight = 3 * base + size
    rate = 12_345 * 4 // weight
    for name, want in {"avgfee": 12_345, "avgfeerate": rate, "avgtxsize": size,
                       "blockhash": chain.display(mined.hash()), "feerate_percentiles": [rate] * 5,
                       "height": height, "ins": 1, "maxfee": 12_345, "maxfeerate": rate,
                       "maxtxsize": size, "medianfee": 12_345, "mediantxsize": size,
                       "minfee": 12_345, "minfeerate": rate, "mintxsize": size,
                       "outs": 1 + len(mined.txs[0].vout), "subsidy": 50 * 10**8,
                       "swtotal_size": size, "swtotal_weight": weight, "swtxs": 1,
                       "time": mined.time, "total_out": tx.vout[0].value, "total_size": size,
                       "total_weight": weight, "totalfee": 12_345, "txs": 2}.items():
        equal(stats[name], want, name)
    equal(len(stats), 31)
    equal(node.rpc.getblockstats(stats["blockhash"], ["minfeerate", "avgfeerate"]),
          {"avgfeerate": rate, "minfeerate": rate})
    rpc_fails(-8, "after current tip", node.rpc.getblockstats, height + 1)
    has_fields(node.rpc.getchaintxstats(10), {"time": int, "txcount": int, "txrate": NUMBER,
                                              "window_interval": int, "window_tx_count": int},
               "getchaintxstats")
    for mode in ("CONSERVATIVE", "ECONOMICAL"):
        for target in (1, 6, 144, 1008):
            equal(node.rpc.estimatesmartfee(target, mode), NO_RATE)
    rpc_fails(-8, "between 1 and 1008", node.rpc.estimatesmartfee, 1009)
    help_text = node.rpc.help("getblockstats")
    assert "\nExamples:\n> cairn-cli getblockstats 1000\n> curl --user " in help_text, help_text
    node.stop()


def test_wallets_without_a_node_wallet_scan_for_their_coins(context):
    """JoinMarket and NBXplorer: scantxoutset, by script and by extended key."""
    key = chain.Key(0xC0FFEE)
    node, blocks = started(context)
    value = blocks[0].txs[0].vout[0].value - 10_000
    tx = chain.spend_true_p2wsh([(blocks[0].txs[0].txid(), 0)],
                                [chain.TxOut(1_000_000, key.p2wpkh()),
                                 chain.TxOut(value - 1_000_000, key.p2pkh())])
    mined = blocks[-1].child([tx], coinbase_tx=chain.coinbase(MATURE + 1, chain.TRUE_P2WSH))
    equal(node.rpc.submitblock(mined.hex()), None)
    got = node.rpc.scantxoutset("start", [f"wpkh({key.pub.hex()})"])
    equal((got["success"], got["height"], got["bestblock"], got["txouts"]),
          (True, MATURE + 1, chain.display(mined.hash()), MATURE + 2))
    (coin,) = got["unspents"]
    desc = coin.pop("desc")
    assert desc.startswith("wpkh([") and f"]{key.pub.hex()})#" in desc, desc
    equal(coin, {"txid": chain.display(tx.txid()), "vout": 0, "scriptPubKey": key.p2wpkh().hex(),
                 "amount": 0.01, "coinbase": False, "height": MATURE + 1,
                 "blockhash": chain.display(mined.hash()), "confirmations": 1})
    equal(got["total_amount"], 0.01)
    both = node.rpc.scantxoutset("start", [{"desc": f"combo({key.pub.hex()})"}])
    equal(sorted(coin["vout"] for coin in both["unspents"]), [0, 1])
    wide = "tpubD6NzVbkrYhZ4WaWSyoBvQwbpLkojyoTZPRsgXELWz3Popb3qkjcJyJUGLnL4qHHoQvao8ESaAstxYSnhysw" \
           "J76uZPStJRJCTKvosUCJZL5B"
    none = node.rpc.scantxoutset("start", [{"desc": f"wpkh({wide}/0/*)", "range": [0, 100]}])
    equal((none["success"], none["unspents"]), (True, []))
    equal(node.rpc.scantxoutset("status"), None)
    equal(node.rpc.scantxoutset("abort"), False)
    node.stop()


if __name__ == "__main__":
    framework.main(globals())
