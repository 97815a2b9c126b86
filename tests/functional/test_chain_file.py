"""A chain of one's own: made by newchain, mined over its boundaries, kept apart from others."""
import json
import os
import subprocess
import time

import chain
import framework
from framework import Failure, equal, rpc_fails, wait_until

KEY = chain.Key(0x0310)
MAGIC = "0a0b0c0d"
SPACING, INTERVAL, HALVING, MATURITY = 10, 8, 10, 3
LIMIT = 0x7fffff << 232


class OwnNode(framework.Node):
    """One cairnd with -chainfile."""

    def __init__(self, context, name, path, *options):
        super().__init__(context, name, options)
        self.file = path
        self.p2p_port = framework.free_port()

    @property
    def netdir(self):
        with open(self.file, encoding="ascii") as file:
            return os.path.join(self.datadir, json.load(file)["name"])

    def command(self, extra=()):
        plain = [f"-chainfile={self.file}" if option.startswith("-chain=") else option
                 for option in super().command(extra)]
        return [*plain, "-listen=1", f"-bind=127.0.0.1:{self.p2p_port}"]

    def dial(self, other):
        self.rpc.addnode(f"127.0.0.1:{other.p2p_port}", "onetry")


def cli(context, *args):
    done = subprocess.run([os.path.join(context.bin, "cairn-cli"), *args], capture_output=True,
                          stdin=subprocess.DEVNULL, text=True, timeout=60, check=False)
    return done.returncode, done.stdout, done.stderr


def new_chain(context, file, *fields):
    path = os.path.join(context.scratch, file)
    status, out, error = cli(context, f"-datadir={context.scratch}", "newchain", f"file={path}",
                             *fields)
    equal((status, out, error), (0, "", ""))
    return path


def changed(path, **fields):
    """A copy of a file with other values."""
    with open(path, encoding="ascii") as file:
        described = json.load(file)
    copy = path.replace(".json", "-changed.json")
    with open(copy, "w", encoding="ascii") as file:
        json.dump({**described, **fields}, file)
    return copy


def bits_of(target):
    """A target in the form of headers, for targets above 2^232."""
    size = (target.bit_length() + 7) // 8
    mantissa = target >> 8 * (size - 3)
    if mantissa & 0x800000:
        return f"{size + 1:02x}{mantissa >> 8:06x}"
    return f"{size:02x}{mantissa:06x}"


def mine(node, n, start_s, address):
    """Blocks that come twice as fast as they should."""
    for _ in range(n):
        height = node.rpc.getblockcount() + 1
        node.rpc.setmocktime(start_s + height * SPACING // 2)
        node.rpc.generatetoaddress(1, address)


def coinbase(node, height):
    return node.rpc.getblock(node.rpc.getblockhash(height), 2)["tx"][0]


def signed_spend(node, of, address):
    raw = node.rpc.createrawtransaction([{"txid": of["txid"], "vout": 0}],
                                        [{address: round(of["vout"][0]["value"] - 0.001, 8)}])
    spent = [{"txid": of["txid"], "vout": 0, "amount": of["vout"][0]["value"],
              "scriptPubKey": of["vout"][0]["scriptPubKey"]["hex"]}]
    done = node.rpc.signrawtransactionwithkey(raw, [KEY.wif(239)], spent)
    equal(done["complete"], True, done)
    return done["hex"]


def test_two_nodes_go_over_all_boundaries(context):
    start_s = int(time.time()) - 3600
    path = new_chain(context, "hop.json", "name=hop", f"time={start_s}", "message=hop and hop",
                     f"block_spacing_s={SPACING}", f"retarget_interval={INTERVAL}",
                     f"halving_interval={HALVING}", f"coinbase_maturity={MATURITY}")
    one = OwnNode(context, "one", path).start()
    two = OwnNode(context, "two", path).start()
    equal(one.rpc.getblockchaininfo()["chain"], "hop")
    status, out, error = cli(context, f"-chainfile={path}", f"-datadir={one.datadir}",
                             f"-rpcport={one.port}", "getblockcount")
    equal((status, out, error), (0, "0\n", ""))
    home = chain.segwit_address(chain.hash160(KEY.pub), hrp="hop")
    equal(one.rpc.validateaddress(home)["isvalid"], True)
    equal(one.rpc.validateaddress(chain.segwit_address(chain.hash160(KEY.pub)))["isvalid"], False)
    two.dial(one)
    mine(one, MATURITY - 1, start_s, home)
    tx = signed_spend(one, coinbase(one, 1), home)
    rpc_fails(-26, "premature-spend-of-coinbase", one.rpc.sendrawtransaction, tx)
    mine(one, 1, start_s, home)
    one.rpc.sendrawtransaction(tx)
    mine(one, 2 * INTERVAL - MATURITY, start_s, home)
    two.wait_tip(one.rpc.getbestblockhash())
    equal(len(two.rpc.getblock(two.rpc.getblockhash(MATURITY + 1))["tx"]), 2)

    # From an interval's first block to its last are seven steps of five seconds, for eighty.
    bits = [two.rpc.getblockheader(two.rpc.getblockhash(h))["bits"] for h in (7, 8, 15, 16)]
    first = LIMIT * 35 // 80
    second = int(bits_of(first)[2:], 16) << 8 * (int(bits_of(first)[:2], 16) - 3)
    equal(bits, ["207fffff", bits_of(first), bits_of(first), bits_of(second * 35 // 80)])
    equal([coinbase(two, h)["vout"][0]["value"] for h in (HALVING - 1, HALVING)], [50, 25])
    two.stop()
    one.stop()
    one.start().stop()


def no_peers(*nodes):
    return all(not node.rpc.getpeerinfo() for node in nodes)


def refuse_each_other(context, paths, why, *options):
    nodes = [OwnNode(context, f"node{i}-{len(context.nodes)}", path, *options).start()
             for i, path in enumerate(paths)]
    nodes[1].dial(nodes[0])
    # Who is told first may be gone before the other has read anything.
    wait_until(lambda: any(why in node.log() for node in nodes), 30, f"'{why}' in a log")
    wait_until(lambda: no_peers(*nodes), 30, "the end of the connection")
    line = next(line for node in nodes for line in node.log().splitlines() if why in line)
    if "seems to be of another chain than" not in line:
        raise Failure(line)
    for node in nodes:
        node.stop()


def test_files_of_other_rules_keep_nodes_apart(context):
    path = new_chain(context, "a.json", "name=my", f"magic={MAGIC}")
    refuse_each_other(context, (path, changed(path, subsidy=25)),
                      "its chain has the same magic and other rules")
    other = changed(path, magic="0a0b0c0e")
    refuse_each_other(context, (path, other), "bytes of another network or protocol",
                      "-v2transport=0")
    # Much random garbage is noticed before the time is over.
    refuse_each_other(context, (path, other), "seems to be of another chain", "-peertimeout=1")


def test_old_data_are_not_used_by_other_rules(context):
    path = new_chain(context, "old.json", "name=my", "genesis=regtest")
    node = OwnNode(context, "node", path).start()
    node.stop()
    node.file = changed(path, halving_interval=7)
    node.refuses_to_start('made by other rules of the chain "my": halving_interval was 210000, '
                          'and is 7 now')
    node.file = changed(path, seeds=["a"], p2p_port=1234)
    node.start("-dnsseed=0").stop()


def test_a_chain_with_a_challenge_is_signed(context):
    challenge = "51" + chain.push(KEY.pub).hex() + "51ae"
    path = new_chain(context, "sign.json", "name=sign", f"signet_challenge={challenge}",
                     f"time={int(time.time()) - 100}")
    signer = OwnNode(context, "signer", path, f"-signetminerkey={KEY.secret:064x}").start()
    other = OwnNode(context, "other", path).start()
    home = chain.segwit_address(chain.hash160(KEY.pub), hrp="sign")
    equal(signer.rpc.getblockchaininfo()["signet_challenge"], challenge)
    tip = signer.rpc.generatetoaddress(2, home)[-1]
    other.dial(signer)
    other.wait_tip(tip)
    rpc_fails(None, "", other.rpc.generatetoaddress, 1, home)
    rpc_fails(-1, "regression testing", other.rpc.setmocktime, 1)
    other.stop()
    signer.stop()


def test_dev_begins_a_chain_of_today(context):
    """Its first blocks are no further ahead of the clock than blocks may be."""
    node = OwnNode(context, "dev", new_chain(context, "dev.json", "name=dev"), "-dev").start()
    equal(node.rpc.getblockcount(), 110)
    node.rpc.faucet(node.rpc.getdevkeys()["keys"][0]["address"])
    node.stop()
    node.start()
    equal(node.rpc.getblockcount(), 110)


def test_mistakes_name_the_file(context):
    path = new_chain(context, "m.json", "name=my")
    node = OwnNode(context, "node", path)
    node.refuses_to_start("-chainfile names a chain of its own: it cannot be used with",
                          "-regtest")
    node.file = changed(path, halving_interval=0)
    node.refuses_to_start('m-changed.json:1: "halving_interval" must be a whole number from 1 to '
                          '2147483647, not 0')
    status, out, error = cli(context, f"-chainfile={node.file}", "getblockcount")
    equal((status, out, "halving_interval" in error), (1, "", True), error)
    status, out, error = cli(context, "-chainfile=/nonexistent/x.json", "getblockcount")
    equal((status, error), (1, "error: -chainfile: cannot read /nonexistent/x.json: No such file "
                               "or directory\n"))
    status, out, error = cli(context, "newchain", "name=regtest")
    equal((status, out, "of a network that everybody knows" in error), (1, "", True), error)


if __name__ == "__main__":
    framework.main(globals())
