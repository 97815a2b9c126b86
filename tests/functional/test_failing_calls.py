"""Campaign of single failing calls, and of a full disk, on a node that works.

The k-th call of a kind on a kind of file fails once (faults.c) while the node starts, imports,
takes orders, flushes, reorganises, prunes, rebuilds or stops. It goes on rightly, or stops with a
line that names the error and the file; and the next start, without help, has everything that was
acknowledged.
SOAK_FAULTS (200) says how many calls fail in the long size; in the short one 15.
"""
import collections
import errno
import http.client
import os
import re

import chain
import framework
from framework import equal

from test_campaign import Base, Victim, full_block
from test_faults import environment, shim

FAULTS_SHORT = 15
FAULTS_A_VICTIM = 20
ORDERS_A_LIFE = 12
CODES = {"open": (errno.EIO, errno.EACCES, errno.EMFILE), "read": (errno.EIO,),
         "write": (errno.EIO, errno.ENOSPC), "sync": (errno.EIO, errno.ENOSPC),
         "rename": (errno.EIO, errno.ENOSPC, errno.EACCES), "unlink": (errno.EIO, errno.EACCES),
         "truncate": (errno.EIO, errno.ENOSPC), "mkdir": (errno.ENOSPC, errno.EACCES)}
FILES = ("/chainstate", "/blocks/index", "/blocks/", "/blocks/blk", "/blocks/rev", "/indexes",
         "/regtest/mempool.dat", "/regtest/", "/load.dat")
STORES = {"chainstate": "coins database", "blocks/index": "block index",
          "indexes/txindex": "transaction index", "indexes/txospenderindex": "index of spenders"}
LOADED_BLOCKS = 30
KINDS = ("plain", "indexed", "pruning")
OPTIONS = {"plain": [], "indexed": ["-txindex=1", "-txospenderindex=1"], "pruning": ["-prune=1"]}
GONE = (OSError, http.client.HTTPException)


class Sufferer(Victim):
    """A node one of whose calls fails; it is never killed."""

    def __init__(self, context, number, base, kind):
        super().__init__(context, number, base, OPTIONS[kind])
        self.n_failed = 0
        self.outcomes = collections.Counter()

    def suffer(self, extra, env, amid_orders=None):
        """Start with the plan in env, give orders, stop. Returns the exit status."""
        start = len(self.text())
        self.story.append([*extra])
        self.node.launch(*extra, env=env)
        try:
            rpc = self.connect(self.node.process)
            for at in range(ORDERS_A_LIFE if rpc else 0):
                if amid_orders and at == ORDERS_A_LIFE // 2:
                    amid_orders()
                self.give(self.random.choice(self.orders()), rpc)
            if rpc:
                self.saved = {}  # the stop writes the mempool anew
                rpc.stop()
        except GONE:
            pass  # it has stopped by itself
        status = self.node.wait_exit(None, 120)
        if self.invalid_state == "ordered":
            self.invalid_state = "unknown"
        return self.judge(status, self.text()[start:], env["CAIRN_FAULT"].startswith("once"))

    def text(self):
        return self.node.output() if os.path.exists(self.node.output_path) else ""

    def judge(self, status, text, is_single):
        """The end was clean: status 0, or one line with the error that was injected."""
        injected = re.findall(r"^faults.c: (\w+) of (.*): error (\d+)$", text, re.M)
        self.n_failed += bool(injected)
        assert status >= 0, f"{injected}: ended by signal {-status}: {text[-1500:]}"
        if not injected:
            equal(status, 0, f"exit status without a fault: {text[-1500:]}")
            return status
        call, path, code = injected[0]
        self.outcomes["stopped" if status else "went on"] += 1
        lines = text.splitlines()
        errors = [at for at, line in enumerate(lines) if line.startswith("Error: ")]
        last = lines[errors[-1]:] if errors else []  # that of settings.json has a line for each
        if status:
            # Where Core's sentence about the RPC server points to the log, it is there.
            words = text if "See debug log" in str(last) else str(last)
            is_told = os.strerror(int(code)) in words or (
                int(code) == errno.EACCES and "check permissions" in words)  # Core's words
            assert is_told, \
                f"{call} of {path}: {code}: the last words do not name it: {text[-1500:]}"
            assert not is_single or is_named(path, text), \
                f"{call} of {path}: {code}: no line names the file: {text[-1500:]}"
            for word in ("damaged", "orrupt", "-reindex"):
                assert word not in str(last), f"{call} of {path} is called damage: {last}"
        elif path.endswith("/load.dat"):
            assert f"{path}: {os.strerror(int(code))}" in text, \
                f"{call} of {path}: {code}: not told: {text[-1500:]}"
        return status

    def orders(self):
        return [order for order in super().orders() if order != self.stop_amid]


def is_named(path, text):
    """The file, also where one beside it takes its place once it is whole; or the store, whose
    files mean nothing to people."""
    words = [os.path.basename(path).removesuffix(".new").removesuffix(".tmp")]
    for folder, name in STORES.items():
        if f"/{folder}/" in path + "/":
            words = [folder, name]
    return any(word in line for word in words for line in text.splitlines()
               if re.search(r"^Error: |^- |\[error\]|\[warning\]", line))


def make_load_file(context, base):
    """Blocks beside the chain, for -loadblock."""
    blocks = base.blocks[:-40]
    for _ in range(LOADED_BLOCKS):
        blocks.append(full_block(blocks[-1]))
    base.load_path = os.path.join(context.scratch, "load.dat")
    with open(base.load_path, "wb") as file:
        file.write(b"".join(chain.frame(block.encode()) for block in blocks[-LOADED_BLOCKS:]))


def draw(context, library, base, kind):
    """Options and environment of one life: which call of which files fails."""
    files = context.random.choice(FILES)
    is_only_read = files == "/load.dat"
    call = context.random.choice(("open", "read") if is_only_read else list(CODES))
    code = context.random.choice(CODES[call])
    at = 1 if is_only_read else int(2 ** context.random.uniform(0, 5))
    env = environment(library, f"once{code}:{at}")
    env.update(CAIRN_FAULT_CALLS=call, CAIRN_FAULT_FILES=files)
    ways = [[], [], [], ["-reindex-chainstate"], ["-reindex"]]
    options = context.random.choice(ways[:3] if kind == "pruning" else ways)
    is_loaded = env["CAIRN_FAULT_FILES"] == "/load.dat" or context.random.randrange(4) == 0
    return options + [f"-loadblock={base.load_path}"] * is_loaded, env


def one_life(context, library, victim, kind):
    options, env = draw(context, library, victim.base, kind)
    if "-reindex" in options:
        victim.forget_orders()
    what = f"{env['CAIRN_FAULT']} {env['CAIRN_FAULT_CALLS']} {env['CAIRN_FAULT_FILES']} {options}"
    before = victim.n_failed
    try:
        victim.suffer(options, env)
        if victim.n_failed == before:
            return
        victim.check()
        if not any("-reindex" in option for option in options):
            # else a rebuilding that was cut short goes on, loudly
            equal(victim.node.rpc.getblockchaininfo()["warnings"], [], "warnings")
        victim.node.stop()
        victim.saved = {}
    except (AssertionError, framework.Failure, framework.RpcError) as error:
        raise framework.Failure(f"{kind}, {what}: {error}") from error


def test_a_single_failing_call_loses_nothing_acknowledged(context):
    library = shim(context)
    base = Base(context)
    make_load_file(context, base)
    wanted = int(os.environ.get("SOAK_FAULTS", "200")) if context.soak else FAULTS_SHORT
    outcomes, n_failed, acked, lives = collections.Counter(), 0, 0, 0
    number = 0
    while n_failed < wanted:
        kind = KINDS[number % len(KINDS)]
        victim = Sufferer(context, number, base, kind)
        number += 1
        while victim.n_failed < min(FAULTS_A_VICTIM, wanted - n_failed):
            one_life(context, library, victim, kind)
            lives += 1
        victim.node.start()
        victim.finish()
        n_failed += victim.n_failed
        acked += len(victim.acked)
        outcomes += victim.outcomes
    print(f"figures: {n_failed} single failing calls in {lives} lives of {number} nodes "
          f"({dict(outcomes)}), {acked} blocks acknowledged, none lost, no hand needed")


def test_a_full_disk_loses_nothing_acknowledged(context):
    """Full from some moment on, and for the next start too; then there is room again."""
    library = shim(context)
    base = Base(context)
    full = os.path.join(context.scratch, "full")
    rounds = 20 if context.soak else 3
    victim = Sufferer(context, 0, base, "indexed")
    env = environment(library, f"{errno.ENOSPC}:1")
    env.update(CAIRN_FAULT_CALLS="write,sync,truncate,mkdir", CAIRN_FAULT_FILES="/regtest/",
               CAIRN_FAULT_WHILE=full)

    def fill():
        with open(full, "wb"):
            pass
    for _ in range(rounds):
        victim.suffer([], env, amid_orders=fill)
        victim.suffer([], env)
        os.remove(full)
        victim.check()
        victim.node.stop()
        victim.saved = {}
    victim.node.start()
    victim.finish()
    print(f"figures: {rounds} times a full disk, {len(victim.acked)} blocks acknowledged, "
          f"none lost ({dict(victim.outcomes)})")


if __name__ == "__main__":
    framework.main(globals())
