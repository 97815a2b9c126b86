"""test_contract.py - what clients rely on behind the names of methods, and that every method is
there. doc/conformance.md says which row of the clients' matrix each function shows."""
import json
import os
import re

import chain
import framework
from framework import ROOT, RpcError, Skip, equal, rpc_fails, wait_until

# Methods of Core's that no client asks for, but libraries and test suites do.
UNASKED = {
    "1.1": "pruneblockchain verifychain scanblocks getdescriptoractivity dumptxoutset "
           "loadtxoutset getchainstates waitfornewblock waitforblock waitforblockheight "
           "invalidateblock reconsiderblock syncwithvalidationinterfacequeue",
    "1.2": "getmempoolcluster getmempoolfeeratediagram getorphantxs importmempool savemempool "
           "getprivatebroadcastinfo abortprivatebroadcast estimaterawfee createrawtransaction "
           "combinerawtransaction signrawtransactionwithkey decodepsbt combinepsbt finalizepsbt "
           "createpsbt converttopsbt descriptorprocesspsbt joinpsbts analyzepsbt",
    "1.3": "generate generateblock generatetodescriptor prioritisetransaction "
           "getprioritisedtransactions submitheader getconnectioncount ping disconnectnode "
           "getaddednodeinfo setban clearbanned setnetworkactive exportasmap addconnection "
           "addpeeraddress sendmsgtopeer getrawaddrman createmultisig verifymessage "
           "signmessagewithprivkey enumeratesigners stop getopenrpcinfo rpc.discover logging "
           "setmocktime mockscheduler echo echojson echoipc",
}
# What clients ask only of nodes of a version.
GATED = "getblockfrompeer submitpackage gettxspendingprevout getdeploymentinfo getchainstates"
GENESIS = {
    "main": "000000000019d6689c085ae165831e934ff763ae46a2a6c172b3f1b60a8ce26f",
    "testnet4": "00000000da84f2bafbbc53dee25a72ae507ff4914b867c565be350b0da8bf043",
    "signet": "00000008819873e925422c1ff0f99f7cc9bbb232af63a077a480a3633bee1ef6",
    "regtest": "0f9188f13cb7b2c71f2a335e3a4fc328bf5beb436012afca590b1a11466e2206",
}


def is_there(node, method):
    """Its own help, not that of a method unknown."""
    return re.match(rf"{re.escape(method)}\b", node.rpc.help(method)) is not None


def have(context, names):
    node = context.started()
    equal([name for name in names.split() if not is_there(node, name)], [])
    equal(is_there(node, "nosuch"), False)
    node.stop()


def test_methods_about_the_chain_that_no_client_asks_for(context):
    have(context, UNASKED["1.1"])


def test_methods_about_transactions_that_no_client_asks_for(context):
    have(context, UNASKED["1.2"])


def test_methods_about_the_rest_that_no_client_asks_for(context):
    have(context, UNASKED["1.3"])


def test_the_version_has_what_it_promises(context):
    node = context.started()
    info = node.rpc.getnetworkinfo()
    equal(info["version"], 310000)
    assert re.fullmatch(r"/Satoshi:31\.\d+\.\d+/Cairn:\d+\.\d+\.\d+/", info["subversion"]), info
    equal([name for name in GATED.split() if not is_there(node, name)], [])
    rpc_fails(-32601, "Method not found", node.rpc.getinfo)
    node.stop()


def test_chains_have_the_genesis_that_clients_know(context):
    for name, block in GENESIS.items():
        node = context.started(name=name, chain=name)
        equal(node.rpc.getblockhash(0), block)
        equal(node.rpc.getblockchaininfo()["chain"], name)
        node.stop()


def test_warnings_are_a_list_or_as_of_old_a_text(context):
    node = context.started()
    for method in ("getblockchaininfo", "getnetworkinfo", "getmininginfo"):
        equal(node.rpc.call(method)["warnings"], [], method)
    node.restart("-deprecatedrpc=warnings")
    for method in ("getblockchaininfo", "getnetworkinfo", "getmininginfo"):
        equal(node.rpc.call(method)["warnings"], "", method)
    node.stop()


def test_local_relay_is_told_as_it_is(context):
    node = context.started()
    equal(node.rpc.getnetworkinfo()["localrelay"], True)
    node.restart("-blocksonly")
    equal(node.rpc.getnetworkinfo()["localrelay"], False)
    node.stop()


def test_fulcrum_finds_the_index_of_transactions_and_no_pruning(context):
    node = context.started("-txindex")
    blocks = chain.grow(None, 3)
    for block in blocks:
        node.rpc.submitblock(block.hex())
    first = node.rpc.getblock(blocks[0].id())["tx"][0]
    wait_until(lambda: node.rpc.getindexinfo("txindex")["txindex"]["synced"], what="index")
    equal(node.rpc.getrawtransaction(first), blocks[0].txs[0].encode().hex())
    equal(node.rpc.getblockchaininfo()["pruned"], False)
    node.restart("-txindex=0")
    rpc_fails(-5, "Use -txindex", node.rpc.getrawtransaction, first)
    node.stop()


def refusal(node, tx):
    """The reason by testmempoolaccept, and the code and message of sendrawtransaction."""
    (verdict,) = node.rpc.testmempoolaccept([tx.encode().hex()])
    try:
        node.rpc.sendrawtransaction(tx.encode().hex(), 0)
    except RpcError as error:
        return verdict.get("reject-reason"), error.code, error.message
    return verdict.get("reject-reason"), 0, ""


def test_refusals_have_the_words_that_lnd_matches(context):
    node = context.started("-maxtipage=2000000000")
    blocks = [chain.first_block(coinbase_tx=chain.coinbase(1, chain.TRUE_P2WSH))]
    for height in range(2, 103):
        blocks.append(blocks[-1].child(coinbase_tx=chain.coinbase(height, chain.TRUE_P2WSH)))
    for block in blocks:
        equal(node.rpc.submitblock(block.hex()), None)

    def spend(coin, fee, value=None):
        left = coin.vout[0].value - fee if value is None else value
        return chain.spend_true_p2wsh([(coin.txid(), 0)], [chain.TxOut(left, chain.TRUE_P2WSH)])
    coin = blocks[0].txs[0]
    good = spend(coin, 10_000)
    equal(refusal(node, spend(coin, 0)),
          ("min relay fee not met", -26, "min relay fee not met, 0 < 10"))
    equal(refusal(node, spend(coin, -1))[0:2], ("bad-txns-in-belowout", -26))
    equal(refusal(node, spend(good, 1000)),
          ("missing-inputs", -25, "bad-txns-inputs-missingorspent"))
    equal(refusal(node, spend(blocks[60].txs[0], 1000))[0:2],
          ("bad-txns-premature-spend-of-coinbase", -26))
    equal(refusal(node, spend(coin, 0, 100))[0:2], ("dust", -26))
    equal(node.rpc.sendrawtransaction(good.encode().hex()), chain.display(good.txid()))
    equal(node.rpc.testmempoolaccept([good.encode().hex()])[0]["reject-reason"],
          "txn-already-in-mempool")
    equal(refusal(node, spend(coin, 10_001))[0:2], ("insufficient fee", -26))
    mined = blocks[-1].child([good], coinbase_tx=chain.coinbase(103, chain.TRUE_P2WSH))
    equal(node.rpc.submitblock(mined.hex()), None)
    rpc_fails(-27, "Transaction outputs already in utxo set", node.rpc.sendrawtransaction,
              good.encode().hex())
    rpc_fails(-22, "^TX decode failed", node.rpc.sendrawtransaction, "00")
    node.stop()


def test_core_lightning_runs_the_client_program(context):
    node = context.node(options=["-rpcuser=cln", "-rpcpassword=secret"])
    node.launch()
    how = ["-rpcconnect=127.0.0.1", "-rpcclienttimeout=60", "-rpcuser=cln", "-stdinrpcpass"]
    equal(context.cli(node, *how, "-rpcwait", "-rpcwaittimeout=30", "getblockcount",
                      stdin="secret\n"), (0, "0\n", ""))
    status, out, _ = context.cli(node, *how, "-stdin", "getblockhash", stdin="secret\n0\n")
    equal((status, out.strip()), (0, GENESIS["regtest"]))
    status, out, error = context.cli(node, *how, "getblockhash", "7", stdin="secret\n")
    equal((status, out), (8, ""))  # the code of the error without its sign
    assert "out of range" in error, error
    equal(context.cli(node, *how, "gettxout", "00" * 32, "0", stdin="secret\n")[:2], (0, ""))
    equal(context.cli(node, *how, "stop", stdin="secret\n")[0], 0)
    node.wait_exit(0)


def test_options_and_files_of_laboratories(context):
    """Polar's command line, Nigiri's file, Warnet's file."""
    node = context.started(
        "-server=1", "-rpcauth=polaruser:5e5e98c21f5c814568f8b55d83b23c1c$"
        "066b03f92df30b11de8e4b1b1cd5b1b4281aa25205bd57df9be82caf97a05526", "-debug=1",
        "-txindex=1", "-dnsseed=0", "-rpcbind=127.0.0.1", "-rpcallowip=127.0.0.0/8", "-rest",
        "-listenonion=0", "-fallbackfee=0.0002", "-blockfilterindex=1", "-peerblockfilters=1")
    equal(node.rpc.getblockcount(), 0)
    node.stop()
    for name, text in (("nigiri", "[regtest]\nserver=1\nupnp=0\nfallbackfee=0.00001\n"
                        "rpcallowip=127.0.0.0/8\n"),
                       ("warnet", "checkmempool=0\nlogips=1\nlogtimemicros=1\n"
                        "capturemessages=1\n")):
        node = context.node(name)
        with open(os.path.join(node.datadir, "cairn.conf"), "w", encoding="ascii") as file:
            file.write(text)
        node.start()
        equal(node.rpc.getblockcount(), 0)
        node.stop()


def test_a_block_is_told_to_a_command(context):
    told = os.path.join(context.scratch, "told")
    node = context.started(f"-blocknotify=echo %s >> {told}", "-maxtipage=2000000000")
    blocks = chain.grow(None, 2)
    for block in blocks:
        node.rpc.submitblock(block.hex())

    def words():
        if not os.path.exists(told):
            return []
        with open(told, encoding="ascii") as file:
            return file.read().split()
    wait_until(lambda: len(words()) == 2, what="notices")
    equal(sorted(words()), sorted(block.id() for block in blocks))
    node.stop()


# -- The page ---------------------------------------------------------------------------


def rows_of(path, sections):
    """{section: [first cell]} of the tables under headings that begin with these numbers."""
    found, section, in_table = {name: [] for name in sections}, None, False
    with open(path, encoding="utf-8") as file:
        for line in file:
            heading = re.match(r"#+ (\d+\.\d+) ", line)
            if line.startswith("#"):
                section = heading.group(1) if heading and heading.group(1) in sections else None
            elif section and line.startswith("|"):
                if in_table and not re.match(r"\|[-| ]+\|$", line.strip()):
                    found[section].append(line)
            in_table = line.startswith("|")
    return found


def missing_tests(cell):
    """What a cell names and is not there: `topic.function`, `name()` of a unit, `core_test.py`."""
    missing = []
    with open(os.path.join(ROOT, "tests", "conformance.txt"), encoding="utf-8") as file:
        listed = {line.split()[0] for line in file if re.match(r"\w+\.py", line)}
    for name in re.findall(r"`([^`]+)`", cell):
        if name.endswith(".py"):
            there = name in listed
        else:
            topic, function = name.split(".")
            path = os.path.join(ROOT, "tests", "functional", f"test_{topic}.py")
            there = os.path.exists(path)
            if there:
                with open(path, encoding="utf-8") as file:
                    there = f"\ndef test_{function}(" in file.read()
        if not there:
            missing.append(name)
    return missing


def test_the_page_names_tests_that_exist_and_counts_them(_):
    sections = ["1.1", "1.2", "1.3", "1.4", "1.5"]
    page = os.path.join(ROOT, "doc", "conformance.md")
    rows = rows_of(page, sections)
    cells = [line.strip().strip("|").split("|")[1] for lines in rows.values() for line in lines]
    equal([name for cell in cells for name in missing_tests(cell)], [])
    shown = sum("`" in cell and "not shown" not in cell for cell in cells)
    with open(page, encoding="utf-8") as file:
        told = re.search(r"\*\*(\d+) of (\d+)\*\*", file.read())
    equal((int(told.group(1)), int(told.group(2))), (shown, len(cells)))


def test_the_page_has_every_row_of_the_matrix(_):
    matrix = os.path.join(framework.SHARED, "design", "clients.md")
    if not os.path.exists(matrix):
        raise Skip("no ../shared/design/clients.md")
    sections = ["1.1", "1.2", "1.3", "1.4", "1.5"]
    page = rows_of(os.path.join(ROOT, "doc", "conformance.md"), sections)
    for section, lines in rows_of(matrix, sections).items():
        wanted = [json.dumps(line.split("|")[1].strip()[:40]) for line in lines]
        equal([json.dumps(line.split("|")[1].strip()[:40]) for line in page[section]], wanted)


if __name__ == "__main__":
    framework.main(globals())
