"""Compact blocks (BIP152): between nodes, and with a peer that works the short ids out itself."""
import struct
import time

import chain
import framework
import p2p
from framework import equal, wait_until

ADDRESS = chain.TRUE_ADDRESS
MASK = (1 << 64) - 1
MSG_COMPACT, MSG_WITNESS_BLOCK = 4, 2 | p2p.INV_WITNESS


def rotate(x, n):
    return (x << n | x >> (64 - n)) & MASK


def siphash24(key, data):
    """As its authors describe it."""
    v = [key[0] ^ 0x736F6D6570736575, key[1] ^ 0x646F72616E646F6D,
         key[0] ^ 0x6C7967656E657261, key[1] ^ 0x7465646279746573]

    def rounds(n):
        for _ in range(n):
            v[0], v[2] = (v[0] + v[1]) & MASK, (v[2] + v[3]) & MASK
            v[1], v[3] = rotate(v[1], 13) ^ v[0], rotate(v[3], 16) ^ v[2]
            v[0] = rotate(v[0], 32)
            v[2], v[0] = (v[2] + v[1]) & MASK, (v[0] + v[3]) & MASK
            v[1], v[3] = rotate(v[1], 17) ^ v[2], rotate(v[3], 21) ^ v[0]
            v[2] = rotate(v[2], 32)

    data += bytes(-(len(data) + 1) % 8) + bytes([len(data) & 0xFF])
    for (word,) in struct.iter_unpack("<Q", data):
        v[3] ^= word
        rounds(2)
        v[0] ^= word
    v[2] ^= 0xFF
    rounds(4)
    return v[0] ^ v[1] ^ v[2] ^ v[3]


def short_ids(block, nonce, txs):
    key = struct.unpack("<QQ", chain.sha256(block.header() + struct.pack("<Q", nonce))[:16])
    return [(siphash24(key, tx.wtxid()) & (1 << 48) - 1).to_bytes(6, "little") for tx in txs]


def cmpctblock(block, nonce=99):
    """The coinbase told whole, all others by their ids."""
    ids = short_ids(block, nonce, block.txs[1:])
    return (block.header() + struct.pack("<Q", nonce) + chain.compact_size(len(ids)) +
            b"".join(ids) + b"\1\0" + block.txs[0].encode())


def sendcmpct(wants):
    return struct.pack("<BQ", wants, 2)


def kinds(peer, block):
    return [kind for kind, digest in peer.asked if digest == block.hash()]


def start(context, *options):
    """A node with coins that anybody can spend, and its last block."""
    blocks = chain.grow(None, 110)
    node = p2p.node(context, "-debug=cmpctblock", "-acceptnonstdtxn=1",
                    f"-mocktime={blocks[-1].time}", *options)
    for block in blocks:
        equal(node.rpc.submitblock(block.hex()), None, "a block")
    return node, blocks


def spend(blocks, i):
    """Of two outputs: one alone would be too small to be relayed."""
    value = blocks[i].txs[0].vout[0].value
    true = bytes([chain.OP_TRUE])
    return chain.spend(blocks[i].txs[0], outputs=[chain.TxOut(value // 2, true),
                                                  chain.TxOut(value // 2 - 10000 - i, true)])


def spends(node, blocks, n):
    """Transactions that the node has in its mempool."""
    txs = [spend(blocks, i) for i in range(n)]
    for tx in txs:
        node.rpc.sendrawtransaction(tx.encode().hex())
    return txs


def test_blocks_go_down_a_line_by_short_ids(context):
    nodes = [p2p.node(context, "-debug=cmpctblock", name=name) for name in ("one", "two", "three")]
    for one, two in zip(nodes, nodes[1:]):
        p2p.link(two, one)
    tip = nodes[0].rpc.generatetoaddress(110, ADDRESS)[-1]
    for node in nodes:
        node.wait_tip(tip, 30)
    for _ in range(3):  # who brings blocks first is asked for more
        tip = nodes[0].rpc.generatetoaddress(1, ADDRESS)[0]
        for node in nodes:
            node.wait_tip(tip, 30)
    for node in nodes[1:]:
        wait_until(lambda n=node: any(p["bip152_hb_to"] for p in n.rpc.getpeerinfo()), 10,
                   "a peer that is relied on")
    for node in nodes[:-1]:
        wait_until(lambda n=node: any(p["bip152_hb_from"] for p in n.rpc.getpeerinfo()), 10,
                   "a peer that relies on it")
    before = [p["bytesrecv_per_msg"].get("block", 0) for p in nodes[2].rpc.getpeerinfo()]
    tip = nodes[0].rpc.generatetoaddress(1, ADDRESS)[0]
    nodes[2].wait_tip(tip, 30)
    peers = nodes[2].rpc.getpeerinfo()
    equal([p["bytesrecv_per_msg"].get("block", 0) for p in peers], before, "bytes of whole blocks")
    wait_until(lambda: f"Successfully reconstructed block {tip}" in nodes[2].log(), 10, "the log")


def test_short_ids_are_those_of_the_bip(context):
    node, blocks = start(context)
    txs = spends(node, blocks, 5)
    peer = p2p.connect(context, node, mute=["getdata"])
    equal(peer.wait("sendcmpct"), sendcmpct(False), "what a node says of itself")
    peer.send("sendcmpct", sendcmpct(False))
    block = blocks[-1].child(txs)
    peer.send("headers", p2p.headers([block.header()]))
    peer.wait_asked(block.hash())
    equal(kinds(peer, block), [MSG_COMPACT], "what is asked for")
    peer.send("cmpctblock", cmpctblock(block))
    node.wait_tip(block.id(), 20)
    equal(peer.count["getblocktxn"], 0, "questions")
    equal(peer.wait("sendcmpct", 2), sendcmpct(True), "who was first is relied on")


def test_what_is_missing_is_had_with_one_question(context):
    node, blocks = start(context)
    known = spends(node, blocks, 3)
    unknown = [spend(blocks, i) for i in (5, 6)]
    peer = p2p.connect(context, node, mute=["getdata"])
    peer.send("sendcmpct", sendcmpct(False))
    block = blocks[-1].child([known[0], unknown[0], known[1], known[2], unknown[1]])
    peer.send("headers", p2p.headers([block.header()]))
    peer.wait_asked(block.hash())
    peer.send("cmpctblock", cmpctblock(block))
    # The second and the fifth after the coinbase; the distance between them less one.
    equal(peer.wait("getblocktxn"), block.hash() + bytes([2, 2, 2]), "the question")
    peer.send("blocktxn", block.hash() + bytes([2]) + b"".join(tx.encode() for tx in unknown))
    node.wait_tip(block.id(), 20)


def test_a_block_is_told_with_what_was_not_known(context):
    node, blocks = start(context)
    known = spends(node, blocks, 2)
    unknown = spend(blocks, 5)
    peer = p2p.connect(context, node, mute=["getdata"])
    peer.send("sendcmpct", sendcmpct(True))
    peer.send("headers", p2p.headers([blocks[-1].header()]))
    peer.sync()
    block = blocks[-1].child([known[0], unknown, known[1]])
    equal(node.rpc.submitblock(block.hex()), None, "the block")
    told = peer.wait("cmpctblock")
    equal(told[:80], block.header(), "the header")
    (nonce,) = struct.unpack_from("<Q", told, 80)
    want = chain.compact_size(2) + b"".join(short_ids(block, nonce, known))
    want += b"\2\0" + block.txs[0].encode() + b"\1" + unknown.encode()
    equal(told[88:], want, "ids of what is known, the rest whole")


def test_only_blocks_that_are_asked_for_are_taken_from_just_anybody(context):
    node, blocks = start(context)
    peer = p2p.connect(context, node, mute=["getdata"])
    peer.send("sendcmpct", sendcmpct(False))
    block = blocks[-1].child()
    peer.send("cmpctblock", cmpctblock(block))
    wait_until(lambda: "not marked as high-bandwidth" in node.log(), 10, "the log")
    equal(node.rpc.getbestblockhash(), blocks[-1].id(), "the tip")


def test_who_withholds_transactions_of_a_block_holds_it_up_little(context):
    """Row 60, CVE-2024-52922: of two that are relied on the first announces a block and does not
    complete it. The second is asked for the same at once, and the block is here."""
    node, blocks = start(context)
    tip, peers = blocks[-1], []
    for _ in range(2):  # who brings a block first is relied on
        peers.append(p2p.connect(context, node, mute=["getdata"]))
        peers[-1].send("sendcmpct", sendcmpct(False))
        tip = tip.child(seconds=1)
        peers[-1].send("headers", p2p.headers([tip.header()]))
        peers[-1].wait_asked(tip.hash())
        peers[-1].send("cmpctblock", cmpctblock(tip))
        node.wait_tip(tip.id(), 20)
        equal(peers[-1].wait("sendcmpct", 2), sendcmpct(True), "it is relied on")
    staller, honest = peers
    unknown = spend(blocks, 7)
    block = tip.child([unknown], seconds=1)
    staller.send("cmpctblock", cmpctblock(block, nonce=1))
    staller.wait("getblocktxn")
    begin = time.monotonic()
    honest.send("cmpctblock", cmpctblock(block, nonce=2))
    honest.wait("getblocktxn", seconds=2)
    honest.send("blocktxn", block.hash() + b"\1" + unknown.encode())
    node.wait_tip(block.id(), 2)
    print(f"the block came {time.monotonic() - begin:.3f} s after it was withheld")
    equal(len(kinds(honest, block)), 0, "how often it was asked for whole")


if __name__ == "__main__":
    framework.main(globals())
