"""Campaigns of SIGKILL while a node works: nothing acknowledged is lost, and no hand is needed.

Each campaign is a number of nodes ("victims") that are killed again and again: while they start,
flush, reorganise, prune, rebuild, stop; while they are told to mine, take a block, invalidate or
reconsider one, save the mempool. What they have answered to must be there after the next start.
SOAK_KILLS (10000) says how many kills the long size has; the short one has 240. Imports are killed
by test_kill.py.
"""
import collections
import http.client
import os
import shutil
import threading
import time

import chain
import framework
from framework import RpcError, equal, wait_until

from test_faults import environment, shim

ADDRESS = "bcrt1qft5p2uhsdcdc3l2ua4ap5qqfg4pjaqlp250x7us7a8qqhrxrxfsqseac85"
KILLS_SHORT = 240
KILLS_A_VICTIM = 30
LIVES_A_CHECK = 6
BASE_BLOCKS = 420
KEEP_BLOCKS = 288
CLOCK_BACK = str(-10 * 365 * 86400)  # after the base was mined, and before everything else
OPTIONS = ["-dbcache=4", "-fastprune", "-acceptnonstdtxn=1", "-par=1"]
GONE = (OSError, http.client.HTTPException, framework.Failure)


def full_block(parent):
    """A block of more than a kilobyte, so that files fill up and can be pruned."""
    padding = chain.TxOut(0, bytes([chain.OP_RETURN]) + chain.push(bytes(1000)))
    height = parent.height + 1 if parent else 1
    how = {"coinbase_tx": chain.coinbase(height, outputs=[padding])}
    return parent.child(**how) if parent else chain.first_block(**how)


class Base:
    """What all victims begin with: a stopped node's folder, and its blocks as they were made."""

    def __init__(self, context):
        self.blocks = []
        for _ in range(BASE_BLOCKS):
            self.blocks.append(full_block(self.blocks[-1] if self.blocks else None))
        self.path = os.path.join(context.scratch, "base.dat")
        with open(self.path, "wb") as file:
            file.write(b"".join(chain.frame(block.encode()) for block in self.blocks))
        node = context.node("base", [*OPTIONS, f"-loadblock={self.path}"])
        node.start()
        node.wait_tip(self.blocks[-1].id())
        node.stop()
        self.netdir = node.netdir


class Victim:
    """A node that is killed, and what it has acknowledged."""

    def __init__(self, context, number, base, options=()):
        self.context, self.base, self.random = context, base, context.random
        self.node = context.node(f"victim{number}", [*OPTIONS, *options])
        self.prunes = "-prune=1" in options
        shutil.copytree(base.netdir, self.node.netdir)
        self.acked = []  # blocks
        self.invalid, self.invalid_state = None, "none"  # none, acked, unknown
        self.saved = {}  # transactions by id
        self.branch = [base.blocks[-1]]  # what submitblock extends
        self.n_spent = 0
        self.kills = 0
        self.story = collections.deque(maxlen=8)  # what the last lives began with and answered
        self.answered, self.refused = collections.Counter(), collections.Counter()  # by order

    # -- one life

    def live(self, seconds, extra, env):
        """Start, order this and that, and be killed so long after the start or the first answer."""
        self.story.append([*extra])
        self.node.launch(*extra, env=env)
        process = self.node.process
        timer = threading.Timer(seconds, process.kill)
        is_early = self.random.randrange(2) == 0
        if is_early:
            timer.start()
        try:
            rpc = self.connect(process)
            if not is_early:
                timer.start()
            while rpc and process.poll() is None:
                self.give(self.random.choice(self.orders()), rpc)
        except GONE:
            pass  # it was killed, which is the point
        timer.join()
        process.wait(60)
        self.node.check_sanitizers()
        self.kills += 1
        if self.invalid_state == "ordered":
            self.invalid_state = "unknown"

    def give(self, order, rpc):
        """An order may be refused, by the state of the chain or by a node that is stopping."""
        try:
            order(rpc)
            self.answered[order.__name__] += 1
            self.story[-1].append(order.__name__)
        except RpcError as error:
            self.refused[f"{order.__name__}: {error}"] += 1
            if self.invalid_state == "ordered":
                self.invalid_state = "unknown"

    def connect(self, process):
        """An RPC client as soon as there is somebody to answer; None if there never was."""
        deadline = time.monotonic() + 60
        while process.poll() is None:
            assert time.monotonic() < deadline, f"{self.node.name} does not come up"
            rpc = self.node.connect_rpc(20)
            try:
                if rpc and rpc.getblockcount() >= 0:
                    return rpc
            except RpcError as error:
                if error.code != -28 and error.status != 401:
                    raise
            except (OSError, http.client.HTTPException):
                pass
            time.sleep(0.002)
        return None

    def orders(self):
        orders = [self.generate, self.generate, self.submit, self.submit, self.send, self.send,
                  self.save, self.change_validity, self.flush, self.stop_amid]
        return orders + [self.prune] * 2 if self.prunes else orders

    def generate(self, rpc):
        self.acked += rpc.generatetoaddress(self.random.randrange(1, 4), ADDRESS)

    def submit(self, rpc):
        """A branch of our own, which now and then overtakes what the node mines."""
        block = full_block(self.branch[-1])
        if rpc.submitblock(block.hex()) in (None, "inconclusive", "duplicate"):
            self.branch.append(block)
            self.acked.append(block.id())

    def send(self, rpc):
        """Spend the coinbase of a block of the base; none is spent twice."""
        coinbase = self.base.blocks[self.n_spent % 200].txs[0]
        self.n_spent += 1
        outputs = [chain.TxOut(chain.COIN, bytes([chain.OP_TRUE])),
                   chain.TxOut(0, bytes([chain.OP_RETURN]) + chain.push(bytes(20)))]
        rpc.sendrawtransaction(chain.spend(coinbase, outputs=outputs).encode().hex(), 0)

    def save(self, rpc):
        there = {txid: rpc.getrawtransaction(txid) for txid in rpc.getrawmempool()[:10]}
        rpc.savemempool()
        self.saved = there

    def change_validity(self, rpc):
        if self.invalid_state == "acked":
            self.invalid_state = "ordered"
            rpc.reconsiderblock(self.invalid)
            self.invalid_state = "none"
        elif self.invalid_state == "none":
            height = rpc.getblockcount() - self.random.randrange(0, 5)
            if height < 1:
                return  # the first block cannot be ruled out: as in Core, the order does nothing
            self.invalid = rpc.getblockhash(height)
            self.invalid_state = "ordered"
            rpc.invalidateblock(self.invalid)
            self.invalid_state = "acked"

    @staticmethod
    def flush(rpc):
        rpc.gettxoutsetinfo("none")

    @staticmethod
    def prune(rpc):
        rpc.pruneblockchain(rpc.getblockcount())

    def stop_amid(self, rpc):
        """Rarely: a clean stop, amid which it is killed or not. It writes the mempool anew."""
        if self.random.randrange(4) == 0:
            self.saved = {}
            rpc.stop()

    # -- what must be true after a start

    def forget_orders(self):
        """A reindex begins with an empty index: which block an operator had ruled out is gone."""
        self.saved = {}
        if self.invalid_state != "none":
            self.invalid_state = "unknown"

    def check(self):
        rpc = self.node.start().rpc
        wait_until(lambda: not self.is_working(rpc), 60, f"{self.node.name} comes to rest")
        self.check_validity(rpc)
        tip_work = int(rpc.getblockheader(rpc.getbestblockhash())["chainwork"], 16)
        limit = rpc.getblockcount() - KEEP_BLOCKS
        for block in self.acked:
            header = rpc.getblockheader(block)
            if not self.prunes or header["height"] > limit:
                rpc.getblock(block)
            if self.invalid_state == "none" and int(header["chainwork"], 16) > tip_work:
                raise AssertionError(f"{self.node.name}: the tip is below acknowledged {block}")
        self.check_mempool(rpc)

    @staticmethod
    def is_working(rpc):
        """Still going through files or connecting what is stored."""
        best = max(rpc.getchaintips(), key=lambda tip: (tip["status"] == "valid-headers",
                                                        tip["height"]))
        return (best["status"] == "valid-headers" and best["height"] > rpc.getblockcount()) or \
            not rpc.getmempoolinfo()["loaded"]

    def check_validity(self, rpc):
        if self.invalid_state != "none":
            invalid = [tip["hash"] for tip in rpc.getchaintips() if tip["status"] == "invalid"]
            try:
                confirmations = rpc.getblock(self.invalid)["confirmations"]
            except RpcError as error:
                confirmations = str(error)
            is_invalid = confirmations == -1 and bool(invalid)
            if self.invalid_state == "acked":
                assert is_invalid, (f"{self.node.name}: invalidateblock {self.invalid} is "
                                    f"forgotten: {confirmations}, {rpc.getchaintips()}, "
                                    f"{list(self.story)}")
            rpc.reconsiderblock(self.invalid)
            self.invalid_state = "none"
            wait_until(lambda: not self.is_working(rpc), 60, f"{self.node.name} comes to rest")
        for tip in rpc.getchaintips():
            assert tip["status"] != "invalid", f"{self.node.name} blames {tip}"

    def check_mempool(self, rpc):
        there = set(rpc.getrawmempool())
        for txid, raw in self.saved.items():
            if txid not in there:
                answer = rpc.testmempoolaccept([raw])[0]
                assert not answer["allowed"], f"{self.node.name} has lost transaction {txid}"
        self.saved = {}

    def finish(self):
        """The coins are those of a node that took in the same blocks in peace."""
        rpc = self.node.rpc
        rpc.generatetoaddress(1, ADDRESS)  # of equal branches one is better now
        rpc.gettxoutsetinfo("none")
        control = self.context.node(self.node.name + "control", OPTIONS)
        folder = os.path.join(self.node.datadir, "plain")
        os.makedirs(folder)
        files = sorted(os.path.join(folder, name) for name in os.listdir(self.node.path("blocks"))
                       if name.startswith("blk"))
        for path in files:
            with open(path, "wb") as file:
                file.write(self.node.plain(os.path.basename(path)))
        control.start(f"-loadblock={self.base.path}", *[f"-loadblock={path}" for path in files])
        control.wait_tip(rpc.getbestblockhash())
        equal(self.node.coins(), control.coins(), f"coins of {self.node.name}")
        control.stop()
        self.node.stop()
        for node in (control, self.node):
            shutil.rmtree(node.datadir, ignore_errors=True)


def kills_wanted(context, part):
    total = int(os.environ.get("SOAK_KILLS", "10000")) if context.soak else KILLS_SHORT
    return max(1, round(total * part))


def campaign(context, part, options, draw_start):
    """Kill victims until there were enough kills; draw_start: options and environment of each
    life."""
    base = Base(context)
    kills, victims, acked, start = 0, 0, 0, time.monotonic()
    answered, refused = collections.Counter(), collections.Counter()
    while kills < kills_wanted(context, part):
        victim = Victim(context, victims, base, options)
        victims += 1
        while victim.kills < KILLS_A_VICTIM:
            for _ in range(LIVES_A_CHECK):
                extra, env = draw_start(victim)
                victim.live(context.random.uniform(0.005, 0.12), extra, env)
            victim.check()
            if victim.kills < KILLS_A_VICTIM:
                victim.node.kill()
        victim.finish()
        kills += victim.kills
        acked += len(victim.acked)
        answered += victim.answered
        refused += victim.refused
    seconds = time.monotonic() - start
    print(f"figures: {kills} kills of {victims} victims, {acked} blocks acknowledged, none lost; "
          f"{1000 * seconds / kills:.0f} ms a kill with all checks\n"
          f"answered: {dict(answered)}\nrefused: {dict(refused)}")
    for order in victim.orders():
        assert answered[order.__name__] > 0, f"{order.__name__} was never answered: {refused}"


def test_nothing_acknowledged_is_lost_amid_orders_and_rebuilding(context):
    def draw_start(victim):
        how = context.random.randrange(8)
        if how == 0:
            victim.forget_orders()
            return ["-reindex"], None
        return ["-reindex-chainstate"] if how == 1 else [], None
    campaign(context, 0.5, [], draw_start)


def test_nothing_acknowledged_is_lost_amid_pruning(context):
    campaign(context, 0.3, ["-prune=1"], lambda victim: ([], None))


def test_nothing_acknowledged_is_lost_while_the_clock_jumps(context):
    """Years back and right again: what was mined is of the future then, or the start is refused."""
    library = shim(context)

    def draw_start(_):
        is_back = context.random.randrange(3) == 0
        return [], dict(environment(library, ""), CAIRN_CLOCK=CLOCK_BACK if is_back else "0")
    campaign(context, 0.2, [], draw_start)


if __name__ == "__main__":
    framework.main(globals())
