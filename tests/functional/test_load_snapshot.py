"""test_load_snapshot.py - a node that begins with a set of coins from a file: loadtxoutset."""
import os
import random
import time

import framework
from framework import equal, rpc_fails, wait_until

import p2p

# Core's tests vouch for the coins of this chain at height 110: see network.c.
START_TIME = 1598887952
PAYS = "pk(0279be667ef9dcbbac55a06295ce870b07029bfcdb2dce28d959f2815b16f81798)"
BASE, TIP = 110, 260


def mine(node, n):
    """Blocks one second apart, as those tests have them."""
    tip = node.rpc.getblockheader(node.rpc.getbestblockhash())
    seconds = max(tip["time"] + 1, START_TIME)
    for i in range(n):
        node.rpc.setmocktime(seconds + i)
        node.rpc.generatetodescriptor(1, PAYS)


def folder(node, name=""):
    return os.path.join(node.datadir, "regtest", name)


class Scene:
    """A miner with the chain and a file of its coins at BASE; the headers of it."""

    def __init__(self, context):
        self.miner = p2p.node(context, name="miner")
        mine(self.miner, BASE)
        self.path = self.miner.rpc.dumptxoutset("coins.dat", "latest")["path"]
        mine(self.miner, TIP - BASE)
        self.blocks = [self.miner.rpc.getblock(self.miner.rpc.getblockhash(height), 0)
                       for height in range(1, TIP + 1)]
        self.coins = self.miner.rpc.gettxoutsetinfo()["hash_serialized_3"]

    def give_headers(self, node, n=TIP):
        for block in self.blocks[:n]:
            node.rpc.submitheader(block[:160])

    def load(self, node):
        self.give_headers(node)
        told = node.rpc.loadtxoutset(self.path)
        equal(list(told), ["coins_loaded", "tip_hash", "base_height", "path"])
        equal((told["coins_loaded"], told["base_height"]), (BASE, BASE))
        equal(node.rpc.getblockcount(), BASE)

    def join(self, node):
        node.rpc.addnode(self.miner.p2p, "onetry")

    def finish(self, node):
        """The whole chain is there and checked, and the node is like any other after a restart."""
        node.wait_tip(self.miner.rpc.getbestblockhash(), 60)
        wait_until(lambda: len(states(node)) == 1, what="end of the check")
        equal(states(node)[0]["validated"], True)
        equal("NETWORK" in services(node), True)
        for _ in range(2):
            equal(node.rpc.gettxoutsetinfo()["hash_serialized_3"], self.coins)
            equal(node.rpc.verifychain(4, 0), True)
            equal(node.rpc.getblock(node.rpc.getblockhash(50), 0), self.blocks[49])
            node.restart()
            equal(os.path.exists(folder(node, "chainstate_snapshot")), False)
            equal("snapshot_blockhash" in states(node)[0], False)


def states(node):
    return node.rpc.getchainstates()["chainstates"]


def services(node):
    return node.rpc.getnetworkinfo()["localservicesnames"]


def test_the_tip_is_the_snapshots_and_the_past_is_checked(context):
    scene = Scene(context)
    node = p2p.node(context, "-txindex", "-coinstatsindex", name="new")
    for block in scene.blocks[:30]:
        node.rpc.submitblock(block)
    scene.load(node)
    past, active = states(node)
    equal((past["blocks"], past["validated"], active["blocks"], active["validated"]),
          (30, True, BASE, False))
    equal(active["snapshot_blockhash"], node.rpc.getblockhash(BASE))
    equal(services(node).count("NETWORK"), 0)
    info = node.rpc.getblockchaininfo()["backgroundvalidation"]
    equal((info["snapshotheight"], info["blocks"]), (BASE, 30))
    rpc_fails(-1, "^Block not available .not fully downloaded.$", node.rpc.getblock,
              node.rpc.getblockhash(BASE))
    rpc_fails(-32603, "^Unable to load UTXO snapshot: Can't activate a snapshot-based chainstate "
              "more than once", node.rpc.loadtxoutset, scene.path)
    rpc_fails(-20, "cannot go back below it", node.rpc.invalidateblock, node.rpc.getblockhash(40))
    for block in scene.blocks[BASE:BASE + 20]:
        node.rpc.submitblock(block)
    equal(node.rpc.getblockcount(), BASE + 20)
    rpc_fails(-20, "cannot go back below it", node.rpc.invalidateblock, node.rpc.getblockhash(BASE))
    node.rpc.invalidateblock(node.rpc.getblockhash(BASE + 10))
    equal(node.rpc.getblockcount(), BASE + 9)
    node.rpc.reconsiderblock(node.rpc.getblock(node.rpc.getblockhash(BASE + 9))["hash"])
    wait_until(lambda: node.rpc.getblockcount() == BASE + 20, what="tip")
    node.restart()
    past, active = states(node)
    equal((past["blocks"], active["blocks"], active["validated"]), (30, BASE + 20, False))
    scene.join(node)
    scene.finish(node)
    wait_until(lambda: all(index["synced"] for index in node.rpc.getindexinfo().values()),
               what="indexes")
    txid = scene.miner.rpc.getblock(scene.miner.rpc.getblockhash(60))["tx"][0]
    equal(node.rpc.getrawtransaction(txid, True)["confirmations"], TIP - 59)
    equal(node.rpc.gettxoutsetinfo("muhash")["muhash"],
          scene.miner.rpc.gettxoutsetinfo("muhash")["muhash"])


def test_a_kill_at_any_moment_loses_nothing(context):
    scene = Scene(context)
    chance = random.Random(context.seed)
    node = p2p.node(context, name="new")
    scene.load(node)
    node.kill()
    node.start()
    equal(len(states(node)), 2)
    for _ in range(6):
        scene.join(node)
        time.sleep(chance.random() * 0.4)
        node.kill()
        node.start()
        wait_until(lambda: node.rpc.getblockcount() >= BASE, what="tip")
    scene.join(node)
    scene.finish(node)


def test_a_file_that_was_not_filled_to_the_end_is_forgotten(context):
    scene = Scene(context)
    node = p2p.node(context, name="new")
    scene.load(node)
    node.kill()
    os.remove(folder(node, "chainstate_snapshot/base_blockhash"))
    node.start()
    equal(os.path.exists(folder(node, "chainstate_snapshot")), False)
    equal((node.rpc.getblockcount(), len(states(node))), (0, 1))
    scene.load(node)
    scene.join(node)
    scene.finish(node)


def test_the_names_of_the_folders_may_be_cut_short(context):
    """What a kill leaves while a checked store takes the place of the other one."""
    scene = Scene(context)
    node = p2p.node(context, name="new")
    scene.load(node)
    scene.join(node)
    wait_until(lambda: len(states(node)) == 1, what="end of the check")
    node.wait_tip(scene.miner.rpc.getbestblockhash(), 60)
    node.stop()
    os.rename(folder(node, "chainstate"), folder(node, "chainstate_todelete"))
    node.start()
    equal(os.path.exists(folder(node, "chainstate_todelete")), False)
    scene.finish(node)


def test_what_is_invalid_is_put_aside(context):
    scene = Scene(context)
    node = p2p.node(context, name="new")
    for block in scene.blocks[:30]:
        node.rpc.submitblock(block)
    scene.load(node)
    node.stop()
    with open(folder(node, "chainstate_snapshot/invalid"), "w", encoding="ascii") as file:
        file.write("1")
    node.start()
    equal((node.rpc.getblockcount(), len(states(node))), (30, 1))
    equal(os.path.exists(folder(node, "chainstate_snapshot")), False)
    equal(os.path.exists(folder(node, "chainstate_snapshot_INVALID")), True)
    scene.join(node)
    node.wait_tip(scene.miner.rpc.getbestblockhash(), 60)
    equal(node.rpc.gettxoutsetinfo()["hash_serialized_3"], scene.coins)


def test_making_all_anew_forgets_the_snapshot(context):
    scene = Scene(context)
    for option in "-reindex", "-reindex-chainstate":
        node = p2p.node(context, name="new" + option)
        for block in scene.blocks[:30]:
            node.rpc.submitblock(block)
        scene.load(node)
        node.stop()
        node.start(option)
        wait_until(lambda: node.rpc.getblockcount() == 30, what="tip")
        equal(len(states(node)), 1)
        equal(os.path.exists(folder(node, "chainstate_snapshot")), False)
        node.restart()
        scene.join(node)
        node.wait_tip(scene.miner.rpc.getbestblockhash(), 60)
        node.stop()


if __name__ == "__main__":
    framework.main(globals())
