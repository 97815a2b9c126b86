"""test_fetch_snapshot.py - a set of coins from many peers, chunk by chunk: -servesnapshot,
-fetchsnapshot and fetchtxoutset. The form of the messages is taken from doc/mesh.md."""
import hashlib
import os
import struct

import chain
import framework
import p2p
from framework import equal, rpc_fails, wait_until

CHUNK = 256 << 10
FEATURE = b"cairn/utxo-snapshot/1"
FAT, OUTPUTS, TIP = 3, 20000, 6


class Snapshot:
    """A file, its tree by the words of RFC 6962, and what a peer tells of it."""

    def __init__(self, data, base):
        self.data, self.base = data, base
        self.chunks = [data[at:at + CHUNK] for at in range(0, len(data), CHUNK)]
        self.leaves = [hashlib.sha256(b"\0" + chunk).digest() for chunk in self.chunks]

    def root(self, leaves):
        if len(leaves) == 1:
            return leaves[0]
        half = 1 << (len(leaves) - 1).bit_length() - 1
        return hashlib.sha256(b"\1" + self.root(leaves[:half]) + self.root(leaves[half:])).digest()

    def path(self, index, leaves):
        if len(leaves) == 1:
            return []
        half = 1 << (len(leaves) - 1).bit_length() - 1
        if index < half:
            return self.path(index, leaves[:half]) + [self.root(leaves[half:])]
        return self.path(index - half, leaves[half:]) + [self.root(leaves[:half])]

    def feature(self):
        told = self.base + struct.pack("<Q", len(self.data)) + self.root(self.leaves)
        return chain.var_bytes(FEATURE) + chain.var_bytes(told)

    def message(self, index):
        return (struct.pack("<I", index) + b"".join(self.path(index, self.leaves)) +
                self.chunks[index])


class Source(p2p.Listener):
    """A peer that has a snapshot, and gives so many chunks of it; spoil: the last byte is wrong."""

    def __init__(self, context, snapshot, n=1 << 30, spoil=False):
        self.snapshot, self.left, self.spoil = snapshot, n, spoil
        super().__init__(context, v2=False, on_message=self.take, number=70017)

    def take(self, peer, name, payload):
        if name == "version":
            peer.say_version()
            peer.send("feature", self.snapshot.feature())
            peer.send("verack")
        elif name == "getsnapchunk" and self.left:
            self.left -= 1
            message = self.snapshot.message(struct.unpack("<I", payload)[0])
            peer.send("snapchunk", message[:-1] + bytes([message[-1] ^ self.spoil]))
        return name in ("version", "getsnapchunk")


class Scene:
    """A chain with many coins, and the file of them as of the third block from its end."""

    def __init__(self, context):
        self.context, self.blocks = context, []
        for height in range(1, TIP + 1):
            outputs = [chain.TxOut(0, b"\x00\x20" + hashlib.sha256(b"%d" % (height * OUTPUTS + i))
                                   .digest()) for i in range(OUTPUTS if height <= FAT else 0)]
            last = self.blocks[-1] if self.blocks else None
            make = last.child if last else chain.first_block
            self.blocks.append(make(coinbase_tx=chain.coinbase(height, outputs=outputs)))
        self.miner = p2p.node(context, name="miner")
        for block in self.blocks[:FAT]:
            self.miner.rpc.submitblock(block.hex())
        self.told = self.miner.rpc.dumptxoutset("coins.dat", "latest")
        for block in self.blocks[FAT:]:
            self.miner.rpc.submitblock(block.hex())
        equal(self.miner.rpc.getblockcount(), TIP)
        with open(self.told["path"], "rb") as file:
            self.snapshot = Snapshot(file.read(), self.blocks[FAT - 1].hash())
        self.vouched = f"{self.told['base_hash']}:{self.told['txoutset_hash']}"

    def servers(self, n=3):
        """Nodes that have the file, and no blocks."""
        made = [p2p.node(self.context, f"-servesnapshot={self.told['path']}", name=f"server{i}")
                for i in range(n)]
        for server in made:
            wait_until(lambda: "is offered to peers" in server.log(), what="the hashes")
        return made

    def fetcher(self, *options):
        node = p2p.node(self.context, *options, name="new")
        self.give_headers(node)
        return node

    def give_headers(self, node):
        for block in self.blocks:
            node.rpc.submitheader(block.header().hex())

    def finish(self, node):
        """The coins are there; then the past is, and all is as at the miner."""
        wait_state(node, "loaded")
        equal(node.rpc.getblockcount(), FAT)
        equal(status(node)["base_hash"], self.told["base_hash"])
        equal(node.rpc.getchainstates()["chainstates"][-1]["validated"], False)
        wait_until(lambda: not part_files(node), what="end of the part")
        for block in self.blocks:
            node.rpc.submitblock(block.hex())
        wait_until(lambda: len(node.rpc.getchainstates()["chainstates"]) == 1,
                   what="end of the check")
        equal(node.rpc.gettxoutsetinfo()["hash_serialized_3"],
              self.miner.rpc.gettxoutsetinfo()["hash_serialized_3"])
        equal(node.rpc.getchaintxstats(1)["txcount"], TIP + 1)
        node.restart()
        equal(node.rpc.getblockcount(), TIP)


def status(node):
    return node.rpc.fetchtxoutset("status")


def wait_state(node, state):
    wait_until(lambda: status(node)["state"] == state, 60, f"state {state}")


def part_files(node):
    folder = os.path.join(node.datadir, "regtest")
    return sorted(name for name in os.listdir(folder) if name.startswith("snapshot.part"))


def durable_chunks(node):
    with open(os.path.join(node.datadir, "regtest", "snapshot.part.state"), "rb") as file:
        return sum(byte.bit_count() for byte in file.read()[72:])


def given(node):
    """Bytes of chunks that came, of peers who are there."""
    return sum(peer["bytesrecv_per_msg"].get("snapchunk", 0) for peer in node.rpc.getpeerinfo())


def test_three_nodes_give_and_a_kill_loses_nothing_that_was_durable(context):
    scene = Scene(context)
    n, some = len(scene.snapshot.chunks), 4
    node = scene.fetcher(f"-fetchsnapshot={scene.vouched}")
    node.rpc.addnode(Source(context, scene.snapshot, some).address, "onetry")
    wait_until(lambda: status(node).get("chunks_here") == some, what="some chunks")
    wait_until(lambda: durable_chunks(node) == some, what="these on the disk")
    node.kill()
    node.start()
    wait_state(node, "fetching")
    told = status(node)
    equal((told["chunks"], told["chunks_here"], told["bytes"]),
          (n, some, len(scene.snapshot.data)))
    servers = scene.servers()
    for server in servers:
        node.rpc.addnode(server.p2p, "onetry")
    # The headers may be lost, which nothing had made durable: then the file waits for them.
    wait_until(lambda: status(node)["state"] in ("whole", "loaded"), 60, "all chunks")
    scene.give_headers(node)
    wait_state(node, "loaded")
    equal(given(node) // CHUNK < n - some + 1, True)
    scene.finish(node)
    equal(status(node)["state"], "none")
    node.stop()


def test_who_lies_and_who_spoils_is_left_and_the_others_give(context):
    scene = Scene(context)
    node = scene.fetcher()
    rpc_fails(-8, "Invalid action 'go'", node.rpc.fetchtxoutset, "go")
    rpc_fails(-8, "txoutset_hash must be a hash", node.rpc.fetchtxoutset, "start", "00" * 32)
    equal(status(node)["state"], "none")
    node.rpc.fetchtxoutset("start", *scene.vouched.split(":"), 4)
    rpc_fails(-1, "being fetched already", node.rpc.fetchtxoutset, "start")
    equal(status(node)["state"], "waiting")
    data = bytearray(scene.snapshot.data)
    data[-1] ^= 1  # of the last coin's script: well-formed, and wrong
    liar = Source(context, Snapshot(bytes(data), scene.snapshot.base))
    node.rpc.addnode(liar.address, "onetry")
    wait_until(lambda: status(node)["refused"] == 1, 60, "the lie is found out")
    wait_until(lambda: liar.peers[0].closed.is_set(), what="the liar's end")
    wait_until(lambda: not part_files(node), what="end of the part")
    spoiler = Source(context, scene.snapshot, spoil=True)
    node.rpc.addnode(spoiler.address, "onetry")
    wait_until(lambda: spoiler.peers and spoiler.peers[0].closed.is_set(), what="the spoiler's end")
    equal(status(node)["chunks_here"], 0)
    equal(node.rpc.fetchtxoutset("stop")["state"], "none")
    node.rpc.fetchtxoutset("start", *scene.vouched.split(":"))
    server = scene.servers(1)[0]
    node.rpc.addnode(server.p2p, "onetry")
    scene.finish(node)


def test_who_does_not_know_features_sees_nothing(context):
    scene = Scene(context)
    server = scene.servers(1)[0]
    old = p2p.connect(context, server)
    equal((old.count["feature"], old.closed.is_set()), (0, False))
    new = p2p.connect(context, server, number=70017)
    equal([payload for name, payload in new.messages if name == "feature"],
          [scene.snapshot.feature()])
    for index in (0, len(scene.snapshot.chunks) - 1):
        new.send("getsnapchunk", struct.pack("<I", index))
        new.wait("snapchunk")
        equal(new.messages.pop()[1] == scene.snapshot.message(index), True)
        new.count["snapchunk"] = 0
    equal(old.count["snapchunk"], 0)


if __name__ == "__main__":
    framework.main(globals())
