"""Random damages: whatever happens to one file of a stopped node, no hand is needed and no answer
is wrong.

A node has a chain of small block files, both indexes and a saved mempool. Each round copies its
folder, damages one file of some kind in some way, starts the node, with a peer that has the chain
or without, and asks for everything. Each answer is right or an error that does not deny what is
there; what cannot be had is named in the warnings, and with a peer all of it comes back.
SOAK_DAMAGES (1000) says how many rounds the long size has; the short one has 60. DAMAGE_FIRST and
DAMAGES repeat some of them, by their numbers and the seed.
"""
import collections
import glob
import http.client
import json
import os
import random
import shutil
import time

import chain
import framework
from framework import Failure, RpcError, equal, wait_until

ROUNDS_SHORT = 60
N_BLOCKS = 130
N_SPENDS = 20
OPTIONS = ["-fastprune", "-txindex", "-txospenderindex", "-acceptnonstdtxn=1", "-par=1",
           "-dbcache=4"]
KINDS = ("blocks/blk*.dat", "blocks/rev*.dat", "blocks/index/*", "chainstate/*",
         "indexes/txindex/*", "indexes/txospenderindex/db/*", "*")
# Their damage stops the start and says what to do, as in Core (feature_addrman, feature_settings).
TOLD = ("/peers.dat", "/settings.json")
GONE = (OSError, http.client.HTTPException)
REST_SECONDS = 30
LIVES_MAX = 3


def make_blocks():
    """Blocks of a kilobyte, the last of which spend coinbases."""
    blocks, spends = [], []
    for height in range(1, N_BLOCKS + 1):
        txs = []
        if height > 110:
            txs = [chain.spend(blocks[height - 111].txs[0], fee=100000)]
            spends += txs
        padding = chain.TxOut(0, bytes([chain.OP_RETURN]) + chain.push(bytes(1500)))
        base = chain.coinbase(height, outputs=[padding], value=chain.subsidy(height))
        parent = blocks[-1] if blocks else None
        blocks.append(parent.child(txs, coinbase_tx=base) if parent else
                      chain.first_block(coinbase_tx=base))
    return blocks, spends


class Truth:
    """A stopped node's folder, what it must answer, and a running peer that has the same chain."""

    def __init__(self, context):
        self.blocks, self.spends = make_blocks()
        self.raw = {block.id(): block.hex() for block in self.blocks}
        self.txs = {chain.display(tx.txid()): (tx.encode().hex(), block.id())
                    for block in self.blocks for tx in block.txs}
        path = os.path.join(context.scratch, "chain.dat")
        with open(path, "wb") as file:
            file.write(b"".join(chain.frame(block.encode()) for block in self.blocks[:-9]))
        node = context.node("truth", OPTIONS)
        node.start(f"-loadblock={path}")
        node.wait_tip(self.blocks[-10].id())
        node.stop()  # what is in logs becomes tables
        node.start()
        for block in self.blocks[-9:-3]:
            node.rpc.submitblock(block.hex())
        node.stop()
        node.start()
        for block in self.blocks[-3:]:
            node.rpc.submitblock(block.hex())
        self.unconfirmed = chain.spend(self.blocks[25].txs[0], fee=100000,
                                       outputs=[chain.TxOut(chain.COIN, bytes(30))])
        node.rpc.sendrawtransaction(self.unconfirmed.encode().hex(), 0)
        node.wait_tip(self.blocks[-1].id())
        self.coins = node.coins()
        node.stop()
        self.netdir = node.netdir
        self.peer = context.node("peer", ["-listen=1", "-bind=127.0.0.1:0"])
        self.peer.port_p2p = framework.free_port()
        self.peer.options = ["-listen=1", f"-bind=127.0.0.1:{self.peer.port_p2p}",
                             f"-loadblock={path}"]
        self.peer.start("-connect=0")
        self.peer.wait_tip(self.blocks[-10].id())
        for block in self.blocks[-9:]:
            self.peer.rpc.submitblock(block.hex())

    def kinds(self):
        """The files of each kind, kinds without any left out; so are those of TOLD."""
        found = []
        for pattern in KINDS:
            paths = sorted(path for path in glob.glob(os.path.join(self.netdir, pattern))
                           if os.path.isfile(path) and not path.endswith(("/LOCK", *TOLD)))
            paths += sorted(glob.glob(os.path.join(self.netdir, ".*"))) if pattern == "*" else []
            if paths:
                found.append([os.path.relpath(path, self.netdir) for path in paths])
        return found


# -- Damages: each gets the random generator, the folder and the file's names of its kind

def flip(rng, path, _):
    with open(path, "r+b") as file:
        data = bytearray(file.read())
        if data:
            data[rng.randrange(len(data))] ^= 1 << rng.randrange(8)
        file.seek(0)
        file.write(data)


def cut(rng, path, _):
    os.truncate(path, rng.randrange(os.path.getsize(path) + 1))


def zero(rng, path, _):
    size = os.path.getsize(path)
    at = rng.randrange(size + 1)
    length = min(size - at, rng.randrange(1, 4097))
    with open(path, "r+b") as file:
        file.seek(at)
        file.write(bytes(length))


def delete(_rng, path, _):
    os.remove(path)


def extend(rng, path, _):
    with open(path, "ab") as file:
        file.write(rng.randbytes(rng.randrange(1, 4097)))


def swap(_rng, path, other):
    os.rename(path, path + ".swap")
    os.rename(other, path)
    os.rename(path + ".swap", other)


DAMAGES = (flip, cut, zero, delete, extend, swap)


class Patient:
    """A node with one damaged file."""

    def __init__(self, truth, node):
        self.truth, self.node = truth, node
        self.restarts = 0
        self.faults = []  # what it did wrong
        self.missing = []  # what it could not answer
        self.has_peer = False

    def start(self, has_peer):
        self.has_peer = has_peer
        extra = [f"-connect=127.0.0.1:{self.truth.peer.port_p2p}"] if has_peer else []
        self.node.start(*extra)

    def with_restarts(self, action):
        """An action that may find that the node starts again by itself to make good what it has
        met: it answers with another cookie then. A process that ends is a hand."""
        for _ in range(LIVES_MAX):
            try:
                return action()
            except (Failure, RpcError, *GONE) as error:
                self.restarts += 1
                last = error
                time.sleep(0.1)
                self.node.rpc.close()
                self.node.wait_rpc()
        raise Failure(f"again and again: {last}; {self.node.output()[-900:]}")

    def call(self, calls):
        """A batch; the answers in order, errors as exceptions."""
        body = [{"id": i, "method": method, "params": params}
                for i, (method, params) in enumerate(calls)]
        status, _, content = self.node.rpc.post(json.dumps(body))
        equal(status, 200, "HTTP status")
        answers = sorted(json.loads(content), key=lambda answer: answer["id"])
        return [RpcError(a["error"]["code"], a["error"]["message"]) if a["error"] else a["result"]
                for a in answers]

    def is_at_rest(self):
        rpc = self.node.rpc
        if self.node.process.poll() is not None:
            raise Failure(f"ended: {self.node.output()[-600:]}")
        best = max(rpc.getchaintips(), key=lambda tip: (tip["status"] == "valid-headers",
                                                        tip["height"]))
        works = best["status"] == "valid-headers" and best["height"] > rpc.getblockcount()
        indexes = rpc.getindexinfo()
        return not works and rpc.getmempoolinfo()["loaded"] and len(indexes) == 2 and \
            all(index["synced"] for index in indexes.values())

    def look(self):
        """Ask for everything; faults and missing are what was seen last."""
        rpc = self.node.rpc
        self.faults, self.missing = [], []
        tip = rpc.getbestblockhash()
        height = rpc.getblockcount()
        ids = [block.id() for block in self.truth.blocks]
        if height and ids[height - 1:height] != [tip]:
            self.faults.append(f"tip {tip} at {height}")
        if height < len(ids):
            self.missing.append(f"height {height}")
        self.look_at_blocks(ids, height)
        self.look_at_txs(ids, height)
        self.look_at_spends(ids, height)
        if height == len(ids):
            if self.node.coins() != self.truth.coins:
                self.faults.append("other coins")

    def look_at_blocks(self, ids, height):
        for at, (block, got) in enumerate(zip(ids, self.call([("getblock", [b, 0]) for b in ids]))):
            if isinstance(got, RpcError):
                self.missing.append(f"block {at + 1}: {got}")
                if at < height and "damaged or missing" not in str(got):
                    self.faults.append(f"block {at + 1}: {got}")
            elif got != self.truth.raw[block]:
                self.faults.append(f"block {at + 1} is another")

    def look_at_txs(self, ids, height):
        wanted = list(self.truth.txs.items())
        got = self.call([("getrawtransaction", [txid]) for txid, _ in wanted])
        for (txid, (raw, block)), answer in zip(wanted, got):
            if isinstance(answer, RpcError):
                self.missing.append(f"tx of {block}: {answer}")
                denies = "No such" in str(answer) and "being indexed" not in str(answer)
                if denies and ids.index(block) < height:
                    self.faults.append(f"tx of block {ids.index(block) + 1}: {answer}")
            elif answer != raw:
                self.faults.append(f"tx {txid} is another")

    def look_at_spends(self, ids, height):
        wanted = [(tx.vin[0].txid, tx) for tx in self.truth.spends]
        got = self.call([("gettxspendingprevout", [[{"txid": chain.display(txid), "vout": 0}],
                                                   {"mempool_only": False}])
                         for txid, _ in wanted])
        for (_, tx), answer in zip(wanted, got):
            spender = chain.display(tx.txid())
            block = ids.index(self.truth.txs[spender][1])
            if isinstance(answer, RpcError):
                self.missing.append(f"spend of block {block + 1}: {answer}")
            elif answer[0].get("spendingtxid") != spender and block < height:
                self.faults.append(f"spend of block {block + 1}: {answer}")

    def is_whole(self):
        self.look()
        return not self.missing and not self.faults

    def heal(self):
        """Come to rest, ask everything, and see that it goes on."""
        wait_until(self.is_at_rest, REST_SECONDS, "rest")
        try:
            if self.has_peer:
                wait_until(self.is_whole, REST_SECONDS, "the whole chain", 0.1)
            else:
                self.look()
                self.check_warnings()
        except Failure as error:
            if self.node.process.poll() is not None or not self.missing + self.faults:
                raise
            self.faults.append(f"{error}: missing {self.missing[:2]} of {len(self.missing)}")
        if self.faults:
            raise AssertionError("; ".join(self.faults[:3]))

    def check_warnings(self):
        """Whoever misses something asks again, since what was met only now is told only now."""
        if self.missing and not self.node.rpc.getblockchaininfo()["warnings"]:
            self.faults.append(f"no warning, but missing {self.missing[:2]}")

    def go_on(self):
        """A block on top, when the tip has not been lost."""
        if self.node.rpc.getblockcount() == N_BLOCKS:
            self.node.rpc.generatetodescriptor(1, "raw(51)")
            equal(self.node.rpc.getblockcount(), N_BLOCKS + 1)

    def live(self, has_peer):
        """Two lives: one that meets the damage, and one that shows what is durable."""
        self.start(has_peer)
        self.with_restarts(self.heal)
        was_whole = not self.missing
        self.node.stop()
        self.start(False)
        self.with_restarts(self.heal)
        if was_whole and self.missing:
            raise AssertionError(f"missing again: {self.missing[:2]}")
        self.with_restarts(self.go_on)
        self.node.stop()


class Damage:
    """One of them, from its own seed."""

    def __init__(self, seed, number, kinds):
        self.number = number
        self.random = random.Random(f"{seed}/{number}")
        names = kinds[number % len(kinds)]
        self.how = DAMAGES[(number // len(kinds)) % len(DAMAGES)]
        self.name = self.random.choice(names)
        self.other = self.random.choice([n for n in names if n != self.name] or [self.name])
        if self.how is swap and self.other == self.name:
            self.how = extend
        self.has_peer = self.random.randrange(2) == 0

    def __str__(self):
        other = f" with {self.other}" if self.how is swap else ""
        return f"{self.number}: {self.how.__name__} {self.name}{other}" + \
            (", a peer" if self.has_peer else ", no peer")

    def round(self, context, truth):
        """Returns (problem or None, restarts)."""
        node = context.node(f"patient{self.number}", OPTIONS)
        shutil.copytree(truth.netdir, node.netdir)
        self.how(self.random, node.path(self.name), node.path(self.other))
        patient = Patient(truth, node)
        problem = None
        try:
            patient.live(self.has_peer)
        except (AssertionError, Failure, RpcError, *GONE) as error:
            problem = f"{type(error).__name__}: {str(error)[:900]}"
        if node.process and node.process.poll() is None:
            node.process.kill()
            node.process.wait()
        node.check_sanitizers()
        if problem is None:
            shutil.rmtree(node.datadir, ignore_errors=True)
        return problem, patient.restarts


def test_no_random_damage_needs_a_hand_or_gives_a_wrong_answer(context):
    truth = Truth(context)
    kinds = truth.kinds()
    rounds = int(os.environ.get("SOAK_DAMAGES", "1000")) if context.soak else ROUNDS_SHORT
    rounds = int(os.environ.get("DAMAGES", rounds))
    first = int(os.environ.get("DAMAGE_FIRST", "0"))
    start, problems, restarts = time.monotonic(), [], 0
    by_kind = collections.Counter()
    for number in range(first, first + rounds):
        damage = Damage(context.seed, number, kinds)
        problem, again = damage.round(context, truth)
        restarts += again
        if problem:
            problems.append(f"{damage}: {problem}")
            by_kind[os.path.dirname(damage.name)] += 1
            print("problem: " + problems[-1], flush=True)
    truth.peer.stop()
    seconds = time.monotonic() - start
    print(f"figures: {rounds} damages, {len(problems)} with a problem, {restarts} further lives; "
          f"{1000 * seconds / rounds:.0f} ms a damage")
    assert not problems, "\n".join([f"{len(problems)} of {rounds}: {dict(by_kind)}", *problems])


if __name__ == "__main__":
    framework.main(globals())
