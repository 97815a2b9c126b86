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
    equal(["addrlocal" in i for i in node.rpc.getpeerinfo()], [True, True, False])
    del peer
    other.stop()
    node.stop()


if __name__ == "__main__":
    framework.main(globals())
