"""A block that was damaged on disk is had again from a peer, without any order."""

import framework
from framework import equal, wait_until
from test_net_rpc import ADDRESS, listening, ready


def test_a_damaged_block_is_fetched_again_from_a_peer(context):
    """Both nodes have the chain; the second one's copy of a block goes bad."""
    source, node = listening(context, "source"), listening(context, "node")
    hashes = source.rpc.generatetoaddress(20, ADDRESS)
    node.rpc.addnode(source.p2p, "add")
    ready(node)
    wait_until(lambda: node.rpc.getblockcount() == 20, 30, "the chain")
    raw = bytes.fromhex(source.rpc.getblock(hashes[9], 0))
    at = node.plain("blk00000.dat").index(raw)
    with open(node.path("blocks", "blk00000.dat"), "r+b") as file:
        data = file.read()
        file.seek(at + 100)
        file.write(bytes([data[at + 100] ^ 1]))

    def again():
        try:
            return node.rpc.getblock(hashes[9], 0) == raw.hex()
        except framework.RpcError:
            return False
    wait_until(again, 30, "the block")
    equal(node.rpc.getblockcount(), 20)
    assert "damaged" in node.log(), "the operator was not told"
    # It stays repaired, and going back across it works.
    node.stop()
    node.start("-connect=0")
    equal(node.rpc.getblock(hashes[9], 0), raw.hex())
    node.rpc.invalidateblock(hashes[5])
    equal(node.rpc.getblockcount(), 5)
    node.rpc.reconsiderblock(hashes[5])
    equal(node.rpc.getblockcount(), 20)
    node.stop()
    source.stop()


if __name__ == "__main__":
    framework.main(globals())
