"""Every method's answer is as getopenrpcinfo says, member by member and in that order."""
import framework
import p2p
import schema
from framework import equal, wait_until

ADDRESS = "bcrt1qw508d6qejxtdg4y5r3zarvary0c5xw7kygt080"
KEY = "0279be667ef9dcbbac55a06295ce870b07029bfcdb2dce28d959f2815b16f81798"
INDEXES = ("-txindex", "-txospenderindex", "-addressindex", "-blockfilterindex",
           "-coinstatsindex")
# What has no answer here, and why.
UNASKED = {
    "abortprivatebroadcast": "nothing is sent so",
    "enumeratesigners": "an error", "exportasmap": "an error", "stop": "text, not JSON, at times",
    "getblockfrompeer": "wants a block that is missing", "pruneblockchain": "wants -prune",
    "importmempool": "wants a file of before", "loadtxoutset": "wants a chain that is known",
    "combinerawtransaction": "wants signatures of several", "submitheader": "wants a new header",
}


class Checked:
    """Calls methods and compares what they answer with its schema."""

    def __init__(self, node):
        self.rpc, self.seen = node.rpc, set()
        document = node.rpc.getopenrpcinfo()
        self.schemas = {row["name"]: row["result"]["schema"] for row in document["methods"]}

    def __getattr__(self, method):
        return lambda *args: self.call(method, *args)

    def call(self, method, *args):
        answer = self.rpc.call(method, *args)
        equal(schema.faults(answer, self.schemas[method]), [], method)
        self.seen.add(method)
        return answer


def ask_about_chain(ask, tip):
    for verbosity in (0, 1, 2, 3):
        ask.getblock(tip, verbosity)
    for verbose in (True, False):
        ask.getblockheader(tip, verbose)
    for kind in ("hash_serialized_3", "muhash", "none"):
        ask.gettxoutsetinfo(kind)
        ask.gettxoutsetinfo(kind, None, False)
    ask.getblockstats(tip)
    ask.getblockstats(tip, ["txs"])
    ask.waitforblock(tip, 1000)
    ask.waitforblockheight(1, 1000)
    ask.waitfornewblock(1)
    ask.getchaintxstats(1)
    ask.getblockfilter(tip)
    ask.getblockhash(1)
    ask.preciousblock(tip)
    ask.submitblock(ask.getblock(tip, 0))
    for method in ("getbestblockhash", "getblockchaininfo", "getblockcount", "getblocksightings",
                   "getchainstates", "getchaintips", "getchaintxstats", "getdeploymentinfo",
                   "getdifficulty", "getreorghistory", "verifychain", "getindexinfo",
                   "getmininginfo", "getnetworkhashps"):
        ask.call(method)


def ask_about_mempool(ask, txid):
    for verbose in (True, False):
        ask.getrawmempool(verbose)
        ask.getmempoolancestors(txid, verbose)
        ask.getmempooldescendants(txid, verbose)
    ask.getrawmempool(False, True)
    ask.prioritisetransaction(txid, 0, 1000)
    for method in ("getmempoolentry", "getmempoolcluster"):
        ask.call(method, txid)
    for method in ("getmempoolbands", "getmempoolinfo", "getprioritisedtransactions",
                   "savemempool"):
        ask.call(method)
    raw = ask.getrawtransaction(txid)
    ask.testmempoolaccept([raw])
    ask.submitpackage([raw])
    ask.sendrawtransaction(raw)
    ask.getblocktemplate({"rules": ["segwit"]})
    for target in (1, 6):
        ask.estimatesmartfee(target, "economical", {"verbosity": 2})


def ask_about_transactions(ask, txid):
    for verbosity in (0, 1, 2):
        ask.getrawtransaction(txid, verbosity)
    ask.decoderawtransaction(ask.getrawtransaction(txid))
    ask.gettxout(txid, 0)
    ask.gettxout(txid, 99)
    spent = ask.getrawtransaction(txid, 1)["vin"][0]
    place = {"txid": spent["txid"], "vout": spent["vout"]}
    ask.gettxspendingprevout([place], {"return_spending_tx": True})


def ask_about_psbts(ask, coin, key):
    place = {"txid": coin["txid"], "vout": coin["vout"]}
    for version in (0, 2):
        made = ask.createpsbt([place], {ADDRESS: 1}, 0, True, 2, version)
        updated = ask.utxoupdatepsbt(made)
        ask.decodepsbt(made)
        ask.analyzepsbt(updated)
        ask.combinepsbt([made, updated])
        signed = ask.descriptorprocesspsbt(made, [f"wpkh({key['privkey']})"], "ALL", True, False)
        ask.decodepsbt(signed["psbt"])
        ask.analyzepsbt(signed["psbt"])
        ask.finalizepsbt(signed["psbt"])
        ask.finalizepsbt(made)
    other = ask.createpsbt([{"txid": "01" * 32, "vout": 0}], [{"data": "00"}])
    ask.joinpsbts([ask.createpsbt([place], {ADDRESS: 1}), other])
    raw = ask.createrawtransaction([place], {ADDRESS: 1})
    ask.converttopsbt(raw)
    ask.signrawtransactionwithkey(raw, [])
    ask.signrawtransactionwithkey(raw, [key["privkey"]])


def ask_about_scripts(ask, key):
    for script in ("", "51", f"21{KEY}ac", "0014" + "00" * 20, "6a01aa"):
        ask.decodescript(script)
    for address in (ADDRESS, "nonsense", "bcrt1qw508d6qejxtdg4y5r3zarvary0c5xw7kygt081",
                    "mfWxJ45yp2SFn7UciZyNpvDKrzbhyfKrY8"):
        ask.validateaddress(address)
    for text in (f"wpkh({KEY})", f"wpkh({key_of_both()})"):
        info = ask.getdescriptorinfo(text)
        ask.deriveaddresses(info["descriptor"], *([[0, 1]] if info["isrange"] else []))
    ask.createmultisig(1, [KEY])
    signature = ask.signmessagewithprivkey(key["privkey"], "text")
    ask.verifymessage("mfWxJ45yp2SFn7UciZyNpvDKrzbhyfKrY8", signature, "text")


def key_of_both():
    """BIP32, test vector 1, with both of its chains."""
    return ("tpubD6NzVbkrYhZ4XHndKkuB8FifXm8r5FQHwrN6oZuWCz13qb93rtgKvD4PQsqC4HP4yhV3tA2fqr2RbY5mNXf"
            "M7RxXUoeABoDtsFUq2zJq6YK/<0;1>/*")


def ask_about_addresses(ask, address, tip):
    orders = [f"addr({address})"]
    for method in ("scantxoutset", "scanblocks"):
        for action in ("start", "status", "abort"):
            ask.call(method, action, *([orders] if action == "start" else []))
    ask.getdescriptoractivity([tip], orders)
    for method in ("getaddressbalance", "getaddresshistory", "getaddressutxos"):
        ask.call(method, address)
        ask.call(method, {"scripthash": "00" * 32})


def ask_about_network(ask):
    for method in ("getaddrmaninfo", "getconnectioncount", "geteclipserisk", "getnettotals",
                   "getnetworkinfo", "getnodeaddresses", "getpeerinfo", "ping",
                   "getprivatebroadcastinfo", "getzmqnotifications"):
        ask.call(method)
    ask.setban("192.0.2.1", "add")
    ask.listbanned()
    ask.clearbanned()
    ask.getaddednodeinfo()
    ask.addnode("127.0.0.1:1", "onetry")


def ask_about_node(ask):
    for mode in ("stats", "mallocinfo"):
        ask.getmemoryinfo(mode)
    for method in ("getrpcinfo", "help", "logging", "uptime", "ui", "getopenrpcinfo",
                   "rpc.discover", "getdevkeys", "listsnapshots"):
        ask.call(method)
    ask.settime(0)
    ask.dumptxoutset("coins.dat", "latest")
    ask.fetchtxoutset("status")
    ask.snapshot("here")
    ask.revert("here")
    ask.listsnapshots()
    ask.dropsnapshot("here")


def test_every_answer_is_as_its_schema_says(context):
    node = context.started("-dev", "-ui", *INDEXES)
    other = p2p.node(context, "-dev", name="other")
    ask, key = Checked(node), node.rpc.getdevkeys()["keys"][0]
    p2p.link(node, other)
    mined = ask.faucet(ADDRESS, 1)
    tip = node.rpc.generatetoaddress(1, ADDRESS)[0]
    wait_until(lambda: all(row["best_block_height"] == 111 and row["synced"]
                           for row in node.rpc.getindexinfo().values()), what="indexes")
    waiting = ask.faucet(ADDRESS, 1)
    coin = node.rpc.getaddressutxos(key["address"])["utxos"][0]
    ask_about_network(ask)
    ask_about_chain(ask, tip)
    ask_about_mempool(ask, waiting)
    for txid in (mined, waiting):
        ask_about_transactions(ask, txid)
    ask.verifytxoutproof(ask.gettxoutproof([mined]))
    ask_about_psbts(ask, coin, key)
    ask_about_scripts(ask, key)
    ask_about_addresses(ask, key["address"], tip)
    ask_about_node(ask)
    ask.disconnectnode(other.p2p)
    ask.setnetworkactive(False)
    equal(sorted(set(ask.schemas) - ask.seen), sorted(UNASKED))


def test_a_schema_refuses_what_it_does_not_tell_of(_):
    told = {"type": "object", "properties": {"a": {"type": "number"}, "b": {"oneOf": [
        {"type": "string", "pattern": "^x"}, {"type": "array", "items": {"type": "boolean"}}]}},
            "required": ["a"], "additionalProperties": False}
    for good in ({"a": 1}, {"a": 1.5, "b": "xy"}, {"a": 1, "b": [True, False]}):
        equal(schema.faults(good, told), [])
    for bad in ({}, {"a": True}, {"a": "1"}, {"a": 1, "b": "y"}, {"a": 1, "b": [1]}, [],
                {"b": "x", "a": 1}, {"a": 1, "c": 1}):
        equal(len(schema.faults(bad, told)), 1, bad)


if __name__ == "__main__":
    framework.main(globals())
