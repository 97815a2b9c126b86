"""A signet of one's own: signed and mined by the node itself, verified by others.

With --size=soak: a hundred blocks at an interval of ten seconds (17 minutes)."""
import re
import threading
import time

import chain
import framework
from framework import Failure, equal, rpc_fails, wait_until

KEY = "%064x" % 0x5161
OTHER_KEY = "%064x" % 0x5162
INTERVAL = 10
BLOCKS = 100
SEARCH_S = 60  # five million hashes are some two seconds of a core: nobody is that unlucky


def multisig(key):
    """The challenge OP_1 <key> OP_1 OP_CHECKMULTISIG."""
    return "51" + chain.push(chain.Key(int(key, 16)).pub).hex() + "51ae"


CHALLENGE = multisig(KEY)


def signet(context, name, *options, challenge=CHALLENGE):
    node = context.node(name, [f"-signetchallenge={challenge}", *options], chain="signet")
    node.p2p_port = framework.free_port()
    return node


def signer(context, *options, name="signer", key=KEY):
    return signet(context, name, f"-signetminerkey={key}", *options, challenge=multisig(key))


def listening(node):
    node.options += ["-listen=1", f"-bind=127.0.0.1:{node.p2p_port}"]
    return node


def test_mistakes_are_named_and_the_key_never(context):
    wif = chain.Key(int(KEY, 16)).wif(0x80)
    key = f"-signetminerkey={KEY}"
    cases = [
        ("regtest", (key,), "-signetminerkey is for signet only, and the chain is regtest"),
        ("main", (key,), "-signetminerkey is for signet only, and the chain is main"),
        ("regtest", ("-signetmineinterval=5",),
         "-signetmineinterval is for signet only, and the chain is regtest"),
        ("signet", (key,), "-signetminerkey does not fit the challenge of this signet: name the "
                           "signet of that key with -signetchallenge"),
        ("signet", (key, f"-signetchallenge={multisig(OTHER_KEY)}"),
         "-signetminerkey does not fit"),
        ("signet", (key[:-1], f"-signetchallenge={CHALLENGE}"),
         "-signetminerkey is no private key: give it in WIF, or as 64 hex digits"),
        ("signet", (f"-signetminerkey={wif}", f"-signetchallenge={CHALLENGE}"),
         "-signetminerkey is a private key of the main network, which is not to be used on "
         "signet"),
        ("signet", ("-signetmineinterval=5",), "-signetmineinterval needs -signetminerkey"),
        ("signet", ("-signetmineaddress=x",), "-signetmineaddress needs -signetminerkey"),
        ("signet", (key, f"-signetchallenge={CHALLENGE}", "-signetmineinterval=-1"),
         r"-signetmineinterval must be from 1 to 86400 seconds \(0: never\)"),
        ("signet", (key, f"-signetchallenge={CHALLENGE}", "-signetmineinterval=86401"),
         "-signetmineinterval must be from 1 to 86400 seconds"),
        ("signet", (key, f"-signetchallenge={CHALLENGE}", "-signetmineaddress=nonsense"),
         "-signetmineaddress is no address of signet: 'nonsense'"),
    ]
    for i, (network, options, message) in enumerate(cases):
        node = context.node(f"n{i}", options, chain=network)
        line = node.refuses_to_start(message)
        for text in (line, node.output(), node.log()):
            if KEY[:-1] in text or wif in text:
                raise Failure(f"a key was shown: {options[0]}")


def test_blocks_by_order_are_signed(context):
    node = signer(context).start()
    address = chain.segwit_address(chain.sha256(chain.TRUE_SCRIPT), hrp="tb")
    equal(len(node.rpc.generatetoaddress(1, address)), 1)
    equal(len(node.rpc.generatetodescriptor(1, "raw(51)")), 1)
    # Made, signed, and not handed in.
    made = node.rpc.generateblock("raw(51)", [], False)
    equal(node.rpc.getblockcount(), 2)
    if KEY in node.log() or KEY in node.output():
        raise Failure("the key is in the log")
    # Another node of the same signet takes it all; one whose key is another makes others' blocks.
    follower = signet(context, "follower").start()
    for height in (1, 2):
        equal(follower.rpc.submitblock(node.rpc.getblock(node.rpc.getblockhash(height), 0)), None)
    equal(follower.rpc.submitblock(made["hex"]), None)
    equal(follower.rpc.getbestblockhash(), made["hash"])
    # A template is for who signs elsewhere: such a miner has to know of it.
    rpc_fails(-8, "getblocktemplate must be called with the signet rule set",
              follower.rpc.getblocktemplate, {"rules": ["segwit"]})
    template = follower.rpc.getblocktemplate({"rules": ["segwit", "signet"]})
    equal(template["signet_challenge"], CHALLENGE)
    equal(template["rules"], ["csv", "!segwit", "!signet", "taproot"])
    equal(template["height"], 4)
    # Without the key no block is made that others would take.
    rpc_fails(-32603, "^ProcessNewBlock, block not accepted: bad-signet-blksig",
              follower.rpc.generatetodescriptor, 1, "raw(51)", 1 << 30)


def test_a_block_with_a_wrong_signature_is_refused(context):
    """All custom signets begin with the same block, so one's first block fits the other's but for
    the signature."""
    forger = signer(context, name="forger", key=OTHER_KEY).start()
    forged = forger.rpc.generateblock("raw(51)", [], False)
    equal(forger.rpc.submitblock(forged["hex"]), None)
    node = signet(context, "node").start()
    equal(node.rpc.submitblock(forged["hex"]), "bad-signet-blksig")
    equal(node.rpc.getblockcount(), 0)
    equal(node.rpc.getblocktemplate({"mode": "proposal", "data": forged["hex"],
                                     "rules": ["segwit", "signet"]}), None)


def test_a_new_tip_ends_a_search(context):
    """What is searched for on an old tip is begun again on the new one: no fork comes of it."""
    source = signer(context, name="source").start()
    first = source.rpc.generateblock("raw(51)", [])
    raw = source.rpc.getblock(first["hash"], 0)
    for attempt in range(8):
        node = signer(context, name=f"node{attempt}").start()
        made = []
        miner = threading.Thread(target=lambda rpc=node.connect_rpc(): made.extend(
            rpc.generatetodescriptor(1, "raw(51)")))
        miner.start()
        answer = node.rpc.submitblock(raw)
        miner.join(SEARCH_S)
        node.stop()
        if answer is None:  # else the node was lucky, and faster
            node.start()
            equal(node.rpc.getblockcount(), 2)
            equal(node.rpc.getbestblockhash(), made[0])
            equal(node.rpc.getblockheader(made[0])["previousblockhash"], first["hash"])
            return
    raise Failure("the node was faster each time")


def test_a_stop_ends_a_search(context):
    node = signer(context, "-signetmineinterval=1").start()
    wait_until(lambda: node.rpc.getblockcount() >= 1, SEARCH_S, "the first block")
    begin = time.monotonic()
    node.stop()
    if time.monotonic() - begin > 10 * framework.SLOWDOWN:
        raise Failure("the stop waited for a block")


def mine_and_follow(context, interval, blocks):
    """Returns the times between blocks that the follower saw."""
    node = listening(signer(context, f"-signetmineinterval={interval}")).start()
    follower = signet(context, "follower", f"-connect=127.0.0.1:{node.p2p_port}").start()
    seconds = blocks * interval + SEARCH_S * (1 + blocks // 10)
    begin = time.monotonic()
    times, height = [], 0

    def grown():
        nonlocal height
        count = follower.rpc.getblockcount()
        if count > height:
            times.append(time.monotonic() - begin)
            height = count
        return count >= blocks

    wait_until(grown, seconds, f"{blocks} blocks")
    # The block may be relayed before its miner's own disk has it.
    wait_until(lambda: node.rpc.getblockcount() >= blocks, what="the miner's own block")
    equal(follower.rpc.getblockhash(blocks), node.rpc.getblockhash(blocks))
    coinbase = follower.rpc.getblock(follower.rpc.getblockhash(blocks), 2)["tx"][0]
    outputs = [out["scriptPubKey"]["hex"] for out in coinbase["vout"]]
    if not re.fullmatch("0014.{40}", outputs[0]) or "ecc7daa2" not in outputs[1]:
        raise Failure(f"not a signed block that pays the key: {outputs}")
    equal(node.rpc.getmininginfo()["signet_challenge"], CHALLENGE)
    node.stop()
    follower.stop()
    return times


def test_the_node_mines_and_another_verifies(context):
    if context.soak:
        times = mine_and_follow(context, INTERVAL, BLOCKS)
        print(f"{BLOCKS} blocks at {INTERVAL} s each took {times[-1]:.0f} s; mean of the gaps "
              f"{(times[-1] - times[0]) / (len(times) - 1):.2f} s, longest "
              f"{max(b - a for a, b in zip(times, times[1:])):.1f} s", flush=True)
    else:
        mine_and_follow(context, 1, 3)


if __name__ == "__main__":
    framework.main(globals())
