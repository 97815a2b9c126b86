"""-dev: keys that everybody knows, coins that can be spent at once, blocks without orders."""
import hashlib
import hmac
import time

import chain
import framework
from framework import Failure, equal, rpc_fails, wait_until

ADDRESS = "bcrt1qw508d6qejxtdg4y5r3zarvary0c5xw7kygt080"
ORDER = 0xFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFEBAAEDCE6AF48A03BBFD25E8CD0364141
HARD = 1 << 31


def derive(words, path):
    """The secret key of a path below the seed of BIP39 words: BIP32, private child."""
    seed = hashlib.pbkdf2_hmac("sha512", words.encode(), b"mnemonic", 2048)
    node = hmac.new(b"Bitcoin seed", seed, hashlib.sha512).digest()
    for step in path:
        secret, code = int.from_bytes(node[:32], "big"), node[32:]
        head = b"\0" + node[:32] if step >= HARD else chain.Key(secret).pub
        node = hmac.new(code, head + step.to_bytes(4, "big"), hashlib.sha512).digest()
        secret = (secret + int.from_bytes(node[:32], "big")) % ORDER
        node = secret.to_bytes(32, "big") + node[32:]
    return int.from_bytes(node[:32], "big")


def dev(context, *options, name="dev"):
    return context.started("-dev", *options, name=name)


def test_a_node_starts_with_ten_keys_that_can_spend(context):
    node = dev(context)
    told = node.rpc.getdevkeys()
    equal(len(told["keys"]), 10)
    for i, key in enumerate(told["keys"]):
        equal(key["path"], f"m/84'/1'/0'/0/{i}")
        secret = derive(told["words"], [HARD + 84, HARD + 1, HARD, 0, i])
        equal(key["privkey"], chain.Key(secret).wif(0xef))
    equal(node.rpc.getblockcount(), 110)
    equal(node.rpc.getblockchaininfo()["initialblockdownload"], False)
    addresses = [f"addr({key['address']})" for key in told["keys"]]
    for one in addresses:
        equal(len(node.rpc.scantxoutset("start", [one])["unspents"]), 11, one)
    equal(node.rpc.estimatesmartfee(6)["feerate"] > 0, True)
    log = node.log()
    for key in told["keys"]:
        assert f"{key['path']} {key['address']} {key['privkey']}" in log, key
    other = dev(context, name="other")  # the same chain, wherever it is made
    equal(other.rpc.getbestblockhash(), node.rpc.getbestblockhash())


def test_the_faucet_pays_and_each_payment_has_its_block(context):
    node = dev(context, "-automine=tx")
    for height in (111, 112, 113):
        txid = node.rpc.faucet(ADDRESS, 0.5)
        wait_until(lambda: node.rpc.getblockcount() == height)
        block = node.rpc.getblock(node.rpc.getbestblockhash())
        assert txid in block["tx"], block["tx"]
        equal(node.rpc.getrawmempool(), [])
    equal(node.rpc.scantxoutset("start", [f"addr({ADDRESS})"])["total_amount"] * 10, 15)
    rpc_fails(-6, "have no 100000.00", node.rpc.faucet, ADDRESS, 100000)
    time.sleep(0.3)
    equal(node.rpc.getblockcount(), 113)  # nothing has come, so no block has


def test_blocks_come_by_the_clock_and_by_chance(context):
    node = dev(context, "-automine=1", f"-mineraddress={ADDRESS}")
    wait_until(lambda: node.rpc.getblockcount() >= 113)
    block = node.rpc.getblock(node.rpc.getbestblockhash(), 2)
    equal(block["tx"][0]["vout"][0]["scriptPubKey"]["address"], ADDRESS)
    node.stop()
    node.options.remove("-automine=1")
    node.options.append("-automine=poisson:1")
    node.start()
    height = node.rpc.getblockcount()
    wait_until(lambda: node.rpc.getblockcount() >= height + 2)


def test_a_clock_that_was_set_goes_on_after_a_kill(context):
    node = dev(context)
    equal(node.rpc.settime(2000000000), 2000000000)
    wait_until(lambda: node.rpc.getblocktemplate({"rules": ["segwit"]})["curtime"] > 2000000000)
    hashes = node.rpc.generatetoaddress(1, ADDRESS)
    node.kill()
    node.start()  # the chain has a block that the real clock says is of the future
    equal(node.rpc.getbestblockhash(), hashes[0])
    now = node.rpc.getblocktemplate({"rules": ["segwit"]})["curtime"]
    if not 2000000000 < now < 2000000600:
        raise Failure(f"the clock says {now}")
    rpc_fails(-8, "time must be from 0", node.rpc.settime, -1)


def test_elsewhere_all_of_it_is_refused(context):
    node = context.started()
    for method, args in (("getdevkeys", ()), ("faucet", (ADDRESS,)), ("settime", (1,))):
        rpc_fails(-1, "start the node with -dev", getattr(node.rpc, method), *args)
    assert "== Dev ==" not in node.rpc.help()
    main = context.node("main", ["-dev"], chain="main")
    main.refuses_to_start("-dev is for test chains only")


if __name__ == "__main__":
    framework.main(globals())
