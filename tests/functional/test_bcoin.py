"""A peer of another make: bcoin from npm (installed into build/bcoin). Skipped without npm."""
import os
import queue
import subprocess
import threading
import time

import chain
import framework
import npm
import p2p
from framework import ROOT, Failure, equal, wait_until

# Its regtest activates segwit by BIP9 after 432 blocks in which the miner signals.
SEGWIT_HEIGHT = 432


class Bcoin:
    """The other node's process: orders go in, tips and transactions come out."""

    def __init__(self, context):
        # leveldown does not build on every Node and is not needed: scripts only of two packages.
        folder = npm.installed("bcoin", ["bcoin@1.0.2"], ("rebuild", "mrmr", "bcrypto"))
        self.port = framework.free_port()
        script = os.path.join(ROOT, "tests", "functional", "bcoin_peer.js")
        self.process = subprocess.Popen(
            ["node", script, folder, str(self.port), str(framework.free_port())], text=True,
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        context.cleanups.append(self.close)
        self.lines, self.tips, self.txs, self.tail = queue.Queue(), {}, set(), []
        threading.Thread(target=self.run, daemon=True).start()
        wait_until(lambda: self.tail and self.tail[-1].startswith("ready"), 30, "bcoin")

    def run(self):
        for line in self.process.stdout:
            words = line.split()
            if words[:1] == ["tip"]:
                self.tips[int(words[1])] = words[2]
            elif words[:1] == ["tx"]:
                self.txs.add(words[1])
            self.tail = [*self.tail[-20:], line.strip()]

    def order(self, text):
        self.process.stdin.write(text + "\n")
        self.process.stdin.flush()

    def wait_height(self, height, seconds=90):
        try:
            wait_until(lambda: height in self.tips, seconds, f"bcoin at height {height}")
        except Failure as error:
            raise Failure(f"{error}; it said {self.tail[-3:]}") from error
        return self.tips[height]

    def close(self):
        self.process.kill()
        self.process.wait()


def test_each_follows_the_other_and_transactions_pass_both_ways(context):
    other = Bcoin(context)
    node = p2p.node(context, f"-connect=127.0.0.1:{other.port}",
                    f"-testactivationheight=segwit@{SEGWIT_HEIGHT}")
    start = time.monotonic()
    other.order("mine 450")
    tip = other.wait_height(450)
    node.wait_tip(tip, 60)
    print(f"we followed its 450 blocks; {time.monotonic() - start:.1f} s")
    start = time.monotonic()
    ours = node.rpc.generatetoaddress(500, chain.TRUE_ADDRESS)
    equal(other.wait_height(950), ours[-1])
    print(f"it followed our 500 blocks; {time.monotonic() - start:.1f} s")
    peer = node.rpc.getpeerinfo()[0]
    assert "bcoin" in peer["subver"], peer
    try:
        node.rpc.getrawmempool()
    except framework.RpcError as error:
        equal(error.code, -32601)
        node.stop()
        raise Skip("blocks pass both ways; this build has no mempool methods") from error
    transactions_pass(node, other, ours)
    node.stop()


def transactions_pass(node, other, blocks):
    txs = []
    for block_hash in blocks[:2]:
        block = node.rpc.getblock(block_hash, 2)
        value = round(block["tx"][0]["vout"][0]["value"] * chain.COIN)
        txs.append(chain.spend_true_p2wsh([(chain.wire(block["tx"][0]["txid"]), 0)],
                                          [chain.TxOut(value - 10000, chain.TRUE_P2WSH)]))
    ours, theirs = [chain.display(tx.txid()) for tx in txs]
    start = time.monotonic()
    node.rpc.sendrawtransaction(txs[0].encode().hex())
    wait_until(lambda: ours in other.txs, 60, "our transaction at bcoin")
    print(f"our transaction took {time.monotonic() - start:.1f} s")
    start = time.monotonic()
    other.order("send " + txs[1].encode().hex())
    wait_until(lambda: theirs in node.rpc.getrawmempool(), 60, "its transaction here")
    print(f"its transaction took {time.monotonic() - start:.1f} s")
    height = node.rpc.getblockcount() + 1
    other.order("mine 1")
    tip = other.wait_height(height)
    node.wait_tip(tip, 30)
    assert {ours, theirs} <= set(node.rpc.getblock(tip, 1)["tx"])
    equal(node.rpc.getrawmempool(), [])


if __name__ == "__main__":
    framework.main(globals())
