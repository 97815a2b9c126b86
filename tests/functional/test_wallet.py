"""test_wallet.py - contrib/wallet: vectors of BIP39, BIP84 and BIP86, and sessions of a user."""
import json
import os
import stat
import resource
import subprocess
import sys
from decimal import Decimal

import framework
import test_chain_file
from framework import ROOT, equal

FOLDER = os.path.join(ROOT, "contrib", "wallet")
sys.path.insert(0, FOLDER)
import keys  # pylint: disable=wrong-import-position

MINER = "bcrt1qft5p2uhsdcdc3l2ua4ap5qqfg4pjaqlp250x7us7a8qqhrxrxfsqseac85"
ABOUT = "abandon " * 11 + "about"
# BIP-39, Test vectors: entropy, words, the seed with the passphrase TREZOR.
BIP39 = (
    ("00" * 16, ABOUT,
     "c55257c360c07c72029aebc1b53c05ed0362ada38ead3e3e9efa3708e5349553"
     "1f09a6987599d18264c1e1c92f2cf141630c7a3c4ab7c81b2f001698e7463b04"),
    ("7f" * 16, "legal winner thank year wave sausage worth useful legal winner thank yellow",
     "2e8905819b8723fe2c1d161860e5ee1830318dbf49a83bd451cfb8440c28bd6f"
     "a457fe1296106559a3c80937a1c1069be3a3a5bd381ee6260e8d9739fce1f607"),
    ("ff" * 24, "zoo " * 17 + "when",
     "0cd6e5d827bb62eb8fc1e262254223817fd068a74b5b449cc2f667c3f1f985a7"
     "6379b43348d952e2265b4cd129090758b3e3c2c49103b5051aac2eaeb890a528"),
    ("9e885d952ad362caeb4efe34a8e91bd2",
     "ozone drill grab fiber curtain grace pudding thank cruise elder eight picnic",
     "274ddc525802f7c828d8ef7ddbcdc5304e87ac3535913611fbbfa986d0c9e547"
     "6c91689f9c8a54fd55bd38606aa6a8595ad213d4c9c9f9aca3fb217069a41028"),
    ("066dca1a2bb7e8a1db2832148ce9933eea0f3ac9548d793112d9a95c9407efad",
     "all hour make first leader extend hole alien behind guard gospel lava path "
     "output census museum junior mass reopen famous sing advance salt reform",
     "26e975ec644423f4a4c4f4215ef09b4bd7ef924e85d1d17c4cf3f136c2863cf6"
     "df0a475045652c57eb5fb41513ca2a2d67722b77e954b4b3fc11f7590449191d"),
)
# BIP-84 and BIP-86, Test vectors: purpose, branch, index, descriptor, address.
ADDRESSES = (
    (84, 0, 0, "wpkh", "bc1qcr8te4kr609gcawutmrza0j4xv80jy8z306fyu"),
    (84, 0, 1, "wpkh", "bc1qnjg0jd8228aq7egyzacy8cys3knf9xvrerkf9g"),
    (84, 1, 0, "wpkh", "bc1q8c6fshw2dlwun7ekn9qwf37cu2rn755upcp6el"),
    (86, 0, 0, "tr", "bc1p5cyxnuxmeuwuvkwfem96lqzszd02n6xdcjrs20cac6yqjjwudpxqkedrcr"),
    (86, 0, 1, "tr", "bc1p4qhjn9zdvkux4e44uhx8tc55attvtyu358kutcqkudyccelu0was9fqzwh"),
    (86, 1, 0, "tr", "bc1p3qkhfews2uk44qtvauqyr2ttdsw7svhkl9nkm9s9c3x4ax5h60wqwruhk7"),
)


class User:
    """Who types commands, about one file and one node."""

    def __init__(self, context, node, name="wallet.json", *options):
        self.node, self.path, self.options = node, os.path.join(context.scratch, name), options

    def run(self, *args, stdin="", file_bytes=resource.RLIM_INFINITY):
        done = subprocess.run(
            [sys.executable, os.path.join(FOLDER, "wallet.py"), f"--wallet={self.path}",
             f"--datadir={self.node.datadir}", f"--rpcport={self.node.port}",
             *self.options, *args],
            input=stdin, capture_output=True, text=True, timeout=120, check=False,
            preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (file_bytes, file_bytes)))
        return done.returncode, done.stdout, done.stderr

    def __call__(self, *args, stdin=""):
        status, out, err = self.run(*args, stdin=stdin)
        equal(status, 0, err)
        return out.strip()

    def fails(self, why, *args, status=1, stdin=""):
        """Must end with one line that has the reason in it, and nothing else."""
        got, out, err = self.run(*args, stdin=stdin)
        equal((got, out, len(err.splitlines()), why in err), (status, "", 1, True), err)

    def balance(self):
        return {line.split()[0]: Decimal(line.split()[1]) for line in self("balance").splitlines()}


def problem_of(text):
    try:
        return keys.check_words(text)
    except keys.Problem as problem:
        return str(problem)


def test_words_are_those_of_the_vectors(_):
    for entropy, words, seed in BIP39:
        equal(keys.words_of_entropy(bytes.fromhex(entropy)), words)
        equal(keys.check_words(words), words)
        equal(keys.seed_of_words(words, "TREZOR").hex(), seed)
    equal(keys.check_words("  ABANDON" + " abandon" * 10 + "\nabout "), ABOUT)
    equal("11 words" in problem_of("abandon " * 11), True)
    equal("word 2, 'satoshis'" in problem_of("abandon satoshis " + "abandon " * 10), True)
    equal("checksum" in problem_of("abandon " * 12), True)
    equal("checksum" in problem_of("about " + "abandon " * 11), True)


def test_addresses_are_those_of_the_vectors(context):
    """The main network's, of a node that never meets it."""
    node = context.started(chain="main")
    seed = keys.seed_of_words(ABOUT)
    for purpose, branch, index, function, address in ADDRESSES:
        key = keys.account_key(seed, purpose, 0, keys.XPRV_MAIN)
        descriptor = node.rpc.getdescriptorinfo(f"{function}({key}/{branch}/{index})")["descriptor"]
        equal(node.rpc.deriveaddresses(descriptor), [address])
    User(context, node).fails("not for the main network", f"--rpccookiefile={node.path('.cookie')}",
                              "create")
    node.stop()


def funded(context, *options):
    """A user with a coin of 50, and blocks enough behind it."""
    node = context.started("-fallbackestimate=0.00002", *options)
    user = User(context, node)
    user("create")
    equal(stat.S_IMODE(os.stat(user.path).st_mode), 0o600)
    node.rpc.generatetoaddress(1, user("address"))
    node.rpc.generatetoaddress(100, MINER)
    return node, user


def rate_of(node, txid):
    entry = node.rpc.getmempoolentry(txid)
    return Decimal(str(entry["fees"]["base"])) * 10 ** 8 / entry["vsize"]


def session(context, *options):
    node, user = funded(context, *options)
    friend = User(context, node, "friend.json")
    friend("create", "--words=24")
    equal(user.balance(), {"confirmed": 50, "waiting": 0, "immature": 0})
    user.fails("not enough: 50.00000000", "send", friend("address"), "50")
    taproot = friend("address", "--type=taproot")
    equal(user("send", "--dry-run", taproot, "1")[:8], "02000000")
    equal(node.rpc.getrawmempool(), [])
    sent = user("send", taproot, "1.5")
    equal(2 <= rate_of(node, sent) < Decimal("2.1"), True, rate_of(node, sent))
    equal(user.balance()["confirmed"], 0)
    equal(Decimal("48.49") < user.balance()["waiting"] < Decimal("48.5"), True)

    user.fails("must be above", "bump", sent, "--feerate=1.5")
    bumped = user("bump", sent)
    equal((node.rpc.getrawmempool(), rate_of(node, bumped) > 3), ([bumped], True))
    bumped = user("bump", bumped, "--feerate=10")
    equal((node.rpc.getrawmempool(), 10 <= rate_of(node, bumped) < 11), ([bumped], True))
    equal(node.rpc.getrawtransaction(bumped, 1)["vin"][0]["sequence"] < 0xfffffffe, True)
    user.fails("sent no transaction", "bump", sent)
    chained = user("send", friend("address"), "1")  # of the change that waits
    user.fails("bump that one", "bump", bumped)
    node.rpc.generatetoaddress(1, MINER)
    user.fails("does not wait", "bump", chained)
    equal(friend.balance(), {"confirmed": Decimal("2.5"), "waiting": 0, "immature": 0})

    # Of both kinds, all of it: nothing is left, and there was no change.
    swept = friend("send", user("address"), "all")
    equal(len(node.rpc.getrawtransaction(swept, 1)["vin"]), 2)
    friend.fails("not enough: 0.00000000", "send", taproot, "0.1")
    node.rpc.generatetoaddress(1, MINER)
    equal(sum(friend.balance().values()), 0)
    restored = User(context, node, "restored.json")
    equal(restored("restore", stdin=user("words")).split()[1], str(user.balance()["confirmed"]))
    equal(len(restored("coins").splitlines()), len(user("coins").splitlines()))
    equal(len(restored("send", taproot, "49.9")), 64)  # all branches can be signed for
    return node, restored


def test_a_session_with_the_index(context):
    node, restored = session(context, "-addressindex")
    # What was used and is empty is not given again; only the index knows that.
    with open(restored.path, encoding="utf-8") as file:
        equal(json.load(file)["next"]["segwit/0"], 2)
    node.stop()


def test_a_session_with_scans_alone(context):
    session(context)[0].stop()


def test_a_bump_takes_another_coin_when_the_change_is_spent_up(context):
    node, user = funded(context, "-addressindex")
    node.rpc.generatetoaddress(1, user("address", "--type=taproot"))
    node.rpc.generatetoaddress(100, MINER)
    sent = user("send", MINER, "49.99990000", "--feerate=1")
    equal(len(node.rpc.getrawtransaction(sent, 1)["vin"]), 1)
    bumped = user("bump", sent, "--feerate=100")
    equal(len(node.rpc.getrawtransaction(bumped, 1)["vin"]), 2)
    paid = [out["value"] for out in node.rpc.getrawtransaction(bumped, 1)["vout"]]
    equal(49.9999 in paid, True, paid)
    node.stop()


def test_coins_that_come_late_are_immature(context):
    node = context.started("-addressindex")
    user = User(context, node)
    user("create")
    node.rpc.generatetoaddress(2, user("address"))
    equal(user.balance(), {"confirmed": 0, "waiting": 0, "immature": 100})
    user.fails("not enough: 0.00000000", "send", MINER, "1")
    node.stop()


def chain_files_that_are_none(context, node, user):
    """One line each, and no wallet."""
    path = os.path.join(context.scratch, "bad.json")
    user.fails("/nowhere cannot be read", "--chainfile=/nowhere", "create")
    user.fails("not allowed with", "--chain=signet", "--chainfile=x", "create", status=2)
    for text, why in (("{", "no chain file"), ("[]", "no chain file"), ("{}", "has no 'name'"),
                      ('{"name": "a", "rpc_port": "x"}', "no chain file"),
                      ('{"name": "a", "rpc_port": 1, "addresses": 5}', "no chain file"),
                      ('{"name": "a", "rpc_port": 1, "addresses": {"xprv": "0"}}', "no chain file"),
                      ('{"name": "a", "rpc_port": 1, "coinbase_maturity": []}', "no chain file")):
        with open(path, "w", encoding="ascii") as file:
            file.write(text)
        user.fails(why, f"--chainfile={path}", "create")
    with open(path, "w", encoding="ascii") as file:
        file.write('{"name": "other", "rpc_port": 1}')
    user.fails("the wallet is for other, the node is on vil", f"--chainfile={path}",
               f"--rpccookiefile={os.path.join(node.netdir, '.cookie')}", "create")
    equal(os.path.exists(user.path), False)


def test_a_chain_of_ones_own(context):
    """Its prefixes, of addresses and of keys, and its maturity, from its file."""
    path = test_chain_file.new_chain(
        context, "vil.json", "name=vil", "hrp=vil", "xpub=01020304", "xprv=01020305",
        "coinbase_maturity=2", "p2p_port=1", "rpc_port=2")
    node = test_chain_file.OwnNode(context, "own", path, "-addressindex").start()
    chain_files_that_are_none(context, node, User(context, node))
    user, friend = (User(context, node, name, f"--chainfile={path}") for name in ("a", "b"))
    user("create")
    friend("create")
    home = user("address")
    equal(home[:5], "vil1q")
    node.rpc.generatetoaddress(2, home)
    equal(user.balance(), {"confirmed": 50, "waiting": 0, "immature": 50})
    user.fails("no address of vil", "send", MINER, "1")
    sent = user("send", friend("address", "--type=taproot"), "1.5")
    node.rpc.generatetoaddress(1, home)
    equal(sent in node.rpc.getblock(node.rpc.getbestblockhash())["tx"], True)
    equal(friend.balance()["confirmed"], Decimal("1.5"))
    restored = User(context, node, "c", f"--chainfile={path}")
    equal(restored("restore", stdin=user("words")), user("balance"))
    node.stop()


def test_mistakes_are_one_line(context):
    node, user = funded(context, "-addressindex")
    address = user("address")
    user.fails("exists", "create")
    user.fails("exists", "restore", stdin=ABOUT)
    other = User(context, node, "other.json")
    other.fails("create or restore", "balance")
    other.fails("11 words", "restore", stdin="abandon " * 11)
    other.fails("'satoshis'", "restore", stdin="satoshis " * 12)
    other.fails("no cookie at", "--datadir=/nowhere", "create")
    other.fails("no node answers", "--rpcport=1", "create")
    other.fails("does not know this login", "--rpcuser=eve", "create")
    other.fails("the node is on regtest", "--chain=signet",
                f"--rpccookiefile={node.path('.cookie')}", "create")
    equal(os.path.exists(other.path), False)
    for amount in ("0", "-1", "x", "nan", "inf", "1e99", "0.000000001", "21000001"):
        user.fails("is not an amount", "send", "--", address, amount)
    user.fails("no address of regtest", "send", ADDRESSES[0][4], "1")
    user.fails("refuses the transaction: dust", "send", address, "0.00000100")
    user.fails("--feerate must", "send", address, "1", "--feerate=0")
    user.fails("min relay fee not met", "send", address, "1", "--feerate=0.01")
    user.fails("sent no transaction", "bump", "00" * 32)
    user.fails("invalid choice", "spend", status=2)
    user.fails("required", "send", status=2)
    with open(user.path, "w", encoding="utf-8") as file:
        file.write("{")
    user.fails("cannot be read", "balance")
    equal(all(word in user("--help") for word in ("create", "restore", "bump", "--chain")), True)
    equal("--feerate" in user("send", "--help"), True)
    node.stop()


def test_a_full_disk_keeps_no_words(context):
    node = context.started("-addressindex")
    user = User(context, node, "full.json")
    status, _, err = user.run("create", file_bytes=20)
    equal((status, "cannot be written" in err), (1, True), err)
    equal([name for name in os.listdir(context.scratch) if name.startswith("full.json")
           and os.path.getsize(os.path.join(context.scratch, name)) > 0], [])
    node.stop()


def test_a_passphrase_makes_another_wallet(context):
    node = context.started("-addressindex")
    addresses = []
    for name, args, stdin in (("a", (), ABOUT), ("b", ("--passphrase",), ABOUT + "\nTREZOR\n")):
        user = User(context, node, name)
        user("restore", *args, stdin=stdin)
        addresses.append(user("address"))
    user = User(context, node, "c")
    user.fails("two passphrases", "create", "--passphrase", stdin="TREZOR\nTREZER\n")
    user.fails("is empty", "create", "--passphrase", stdin="\n")
    equal(os.listdir(os.path.dirname(user.path)).count("c"), 0)
    equal(len(user("create", "--passphrase", stdin="TREZOR\nTREZOR\n").split()), 12)
    # BIP-84's own words, on a test chain: the program of an address says no network.
    equal((addresses[0][:8], addresses[0] == addresses[1]), ("bcrt1q6r", False))
    node.stop()


if __name__ == "__main__":
    framework.main(globals())
