"""A disk that fails: killed at the n-th change of a file, errors at the n-th call (faults.c)."""
import errno
import os
import shutil
import subprocess

import chain
import framework
from framework import Skip, equal

from test_kill import branches, control, undo_invalidation


def shim(context):
    """The preloaded library."""
    source = os.path.join(framework.ROOT, "tests", "functional", "faults.c")
    library = os.path.join(context.scratch, "faults.so")
    done = subprocess.run(["cc", "-D_GNU_SOURCE", "-O1", "-shared", "-fPIC", "-o", library, source,
                           "-ldl"], check=False, stderr=subprocess.PIPE, text=True)
    if done.returncode != 0:
        raise Skip(f"no compiler for faults.c: {done.stderr[-200:]}")
    return library


def environment(library, plan):
    options = os.environ.get("ASAN_OPTIONS", "")
    return {"LD_PRELOAD": library, "CAIRN_FAULT": plan,
            "ASAN_OPTIONS": options + ":verify_asan_link_order=0"}


def calls_of_an_import(context, library, path):
    """How many calls there are to choose from, roughly: the first n at which a kill comes late."""
    low, high = 1, 1 << 14
    while low < high:
        middle = (low + high) // 2
        node = context.node(f"count{middle}", ["-dbcache=4"])
        node.launch(f"-loadblock={path}", "-stopafterblockimport",
                    env=environment(library, f"kill:{middle}"))
        if node.wait_exit(None, 300) == 0:
            high = middle
        else:
            low = middle + 1
    return low


def survives(context, number, library, plan, want, path, tip):
    """Fault, then a start without help must end on the control node's coins."""
    node = context.node(f"faulty{number}", ["-dbcache=4"])
    node.launch(f"-loadblock={path}", "-stopafterblockimport", env=environment(library, plan))
    status = node.wait_exit(None, 300)
    what = plan.split(":")[0]
    if what.isdigit() or what.startswith("once"):
        assert status >= 0, f"{plan}: ended by signal {-status}"
    node.start(f"-loadblock={path}")
    for entry in node.rpc.getchaintips():
        assert entry["status"] != "invalid", f"{plan}: a block was blamed"
    undo_invalidation(node)
    node.wait_tip(tip, 300)
    equal(node.coins(), want, f"coins after {plan}")
    node.stop()
    shutil.rmtree(node.datadir)  # thousands of them are more than a disk has
    return status


def sweep(context, plans, rounds):
    library = shim(context)
    path, tip = branches(context)
    want, _ = control(context, path, tip)
    total = calls_of_an_import(context, library, path)
    print(f"{total} calls")
    for number in range(rounds):
        at = context.random.randrange(1, total)
        plan = f"{context.random.choice(plans)}:{at}"
        survives(context, number, library, plan, want, path, tip)


def test_killed_before_within_and_after_a_change(context):
    sweep(context, ("kill", "torn", "after"), 2000 if context.soak else 25)


def test_an_error_of_the_disk_stops_the_node(context):
    sweep(context, (errno.EIO, errno.ENOSPC), 1000 if context.soak else 12)


def test_a_single_failing_call_costs_nothing(context):
    """Whether the node goes on or stops: the next start is as if nothing had happened."""
    codes = (errno.EIO, errno.ENOSPC, errno.EMFILE, errno.EACCES)
    wanted = int(os.environ.get("SOAK_FAULTS", "200")) if context.soak else 12
    sweep(context, [f"once{code}" for code in codes], wanted)
    print(f"figures: {wanted} single failing calls, nothing lost and no hand needed")


def test_a_failed_sync_is_a_failure_of_the_import(context):
    """From the first call on everything fails: no success may be reported."""
    library = shim(context)
    blocks = chain.grow(None, 20)
    path = os.path.join(context.scratch, "few.dat")
    with open(path, "wb") as file:
        file.write(b"".join(chain.frame(block.encode()) for block in blocks))
    for code in (errno.EIO, errno.ENOSPC):
        node = context.node(f"dead{code}")
        node.launch(f"-loadblock={path}", "-stopafterblockimport",
                    env=environment(library, f"{code}:1"))
        status = node.wait_exit(None, 60)
        assert status > 0, f"exit status {status} although nothing could be written"
        node.start()
        equal(node.rpc.getblockcount(), 0)
        node.stop()


if __name__ == "__main__":
    framework.main(globals())
