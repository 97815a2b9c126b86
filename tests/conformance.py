#!/usr/bin/env python3
"""conformance.py - puts Bitcoin Core's own functional tests, unchanged, to cairnd and cairn-cli.

The tests are not part of this project: they are read from --core, a checkout of Bitcoin Core or the
part of one that has test/functional, by default ../shared/conformance/core beside this checkout.
Without that folder everything is skipped (status 77). The folder is copied to a temporary one
first, with the five changes below, since the tests then stand as written for another program:

- the config file is named by -conf=bitcoin.conf, the one of the process id by -pid=bitcoind.pid;
- by -norepair damaged stores stop the node, as Core's do, instead of being made anew;
- assertions about the text of debug.log fail no test, since they name lines of Core's own log; but
  where a test waits for one that ours has too, it still does: what it does next relies on that;
- a line of the log by which Core tells of a thread's start is waited for as the one by which we
  tell of the same step, since one loop of ours does what those threads do;
- the folder "wallets", which Core makes in each data directory, may be missing.

tests/conformance.txt lists the tests that pass, one a line, and behind a "-" those that cannot,
with the reason. NAMEs given here are run; else all that the folder has; --listed: those that must
pass. Exit status 0 if every test that was run and is listed passed.
"""
import argparse
import concurrent.futures
import fcntl
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
LIST = os.path.join(ROOT, "tests", "conformance.txt")
CORE = os.path.join(os.path.dirname(ROOT), "shared", "conformance", "core")
SKIP = 77
CACHE_MAKER = "create_cache.py"  # makes the chain that most tests start from

# Put in front of the framework's module of nodes. Our words are those that the program holds, but
# for numbers and hashes.
LOG_WAITER = '''
LOG_WAIT_S = 30
with open({program!r}, "rb") as file:
    PROGRAM = file.read()


def is_ours(message):
    pieces = [p for p in re.split(r"[0-9a-f]*[0-9][0-9a-f]*", message) if len(p) >= 6]
    return bool(pieces) and all(piece.encode() in PROGRAM for piece in pieces)


def wait_for_log(path, start, messages):
    wanted, end = [m for m in messages if is_ours(m)], time.monotonic() + LOG_WAIT_S
    while wanted and time.monotonic() < end:
        with open(path, encoding="utf-8", errors="replace") as log:
            log.seek(start)
            text = log.read()
        wanted = [m for m in wanted if m not in text]
        time.sleep(0.05 if wanted else 0)


class TestNode('''
LOG_START = "        remaining_expected = list(expected_msgs)\n\n        time_end = time.time() + t"
LOG_WAITS = '''
        log_start = self.debug_log_size(encoding="utf-8")
        yield
        if timeout:
            wait_for_log(self.debug_log_path, log_start, expected_msgs)
        return
'''

# Tests that want addresses of the outside world on an interface: they get a network of their own
# that has these, where the kernel gives one; elsewhere they skip themselves.
ADDRESSED = ("feature_bind_port_discover.py", "feature_bind_port_externalip.py")
ADDRESSES = """
set -e
ip link set lo up
ip link add here type veth peer name there
ip link set there up
ip link set here up
ip address add 1.1.1.5/32 dev here
ip address add 1111:1111::5/128 dev here nodad
exec "$@"
"""

# What the build has, in the words of Core's own configuration.
HAS = ("ENABLE_CLI", "ENABLE_BITCOIND")
LACKS = ("ENABLE_WALLET", "BUILD_BITCOIN_TX", "ENABLE_BITCOIN_UTIL", "ENABLE_BITCOIN_CHAINSTATE",
         "ENABLE_WALLET_TOOL", "ENABLE_FUZZ_BINARY", "ENABLE_ZMQ", "ENABLE_EMBEDDED_ASMAP",
         "ENABLE_EXTERNAL_SIGNER", "ENABLE_USDT_TRACEPOINTS", "ENABLE_IPC", "BUILD_GUI",
         "BUILD_BENCH")


def read_list():
    """The names that must pass, and {name: reason} of those that cannot."""
    passing, reasons = [], {}
    with open(LIST, encoding="utf-8") as file:
        for line in file:
            words = line.split("#")[0].split(None, 2)
            if not words:
                continue
            if words[0] == "-":
                reasons[words[1]] = words[2].strip()
            else:
                passing.append(words[0])
    return passing, reasons


def replace_once(path, old, new):
    with open(path, encoding="utf-8") as file:
        text = file.read()
    if text.count(old) != 1:
        sys.exit(f"conformance.py: {path} is not as expected: no single {old!r}")
    with open(path, "w", encoding="utf-8") as file:
        file.write(text.replace(old, new))


def write_program(path, target, *options):
    words = " ".join([f"'{target}'", *options])
    with open(path, "w", encoding="utf-8") as file:
        file.write(f'#!/bin/sh\nexec {words} "$@"\n')
    os.chmod(path, 0o755)


def write_config(core, folder):
    lines = ["[environment]", "CLIENT_NAME=Bitcoin Core", "CLIENT_BUGREPORT=none",
             f"SRCDIR={core}", f"BUILDDIR={folder}/build", "EXEEXT=",
             f"RPCAUTH={core}/share/rpcauth/rpcauth.py", "[components]"]
    lines += [f"{name}=true" for name in HAS] + [f"{name}=false" for name in LACKS]
    with open(f"{folder}/config.ini", "w", encoding="utf-8") as file:
        file.write("\n".join(lines) + "\n")


def prepare(core, build, folder):
    """Fill an empty folder with the tests, ready to be run."""
    shutil.copytree(f"{core}/test", f"{folder}/test")
    os.makedirs(f"{folder}/build/test")
    write_program(f"{folder}/bitcoind", f"{build}/bin/cairnd",
                  "-conf=bitcoin.conf", "-pid=bitcoind.pid", "-norepair")
    write_program(f"{folder}/bitcoin-cli", f"{build}/bin/cairn-cli", "-conf=bitcoin.conf")
    write_config(core, folder)
    framework = f"{folder}/test/functional/test_framework"
    waiter = LOG_WAITER.format(program=f"{build}/bin/cairnd")
    replace_once(f"{framework}/test_node.py", "\nclass TestNode(", waiter)
    replace_once(f"{framework}/test_node.py", LOG_START, LOG_WAITS[1:] + LOG_START)
    replace_once(f"{framework}/test_framework.py", "os.rmdir(cache_path('wallets'))",
                 "shutil.rmtree(cache_path('wallets'), ignore_errors=True)")


def shared_folder(core, build, timeout):
    """A prepared folder below the temporary one, made once for all who run at the same time."""
    base = os.path.join(tempfile.gettempdir(), "conformance")
    with open(base + ".lock", "w", encoding="ascii") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not os.path.exists(f"{base}/ready"):
            shutil.rmtree(base, ignore_errors=True)
            os.makedirs(base)
            prepare(core, build, base)
            state, seconds, why = run(base, CACHE_MAKER, 0, timeout)
            if state != "pass":
                sys.exit(f"conformance.py: {CACHE_MAKER}: {state} after {seconds:.1f} s: {why}")
            with open(f"{base}/ready", "w", encoding="ascii"):
                pass
    return base


def reason_of(text):
    """The one line of a test's output that says most."""
    found = re.findall(r"(?:Error|Exception|AssertionError)[^\n]*", text)
    return (found[-1] if found else text[-200:]).strip().replace("\n", " ")[:160]


def with_addresses(command):
    """The command in a network with ADDRESSES; without one where there can be none."""
    space = ["unshare", "--net"] if os.geteuid() == 0 else ["unshare", "--net", "--map-root-user"]
    space += ["sh", "-c", ADDRESSES, "sh"]
    can = shutil.which("unshare") and subprocess.run(
        [*space, "true"], check=False, stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL).returncode == 0
    return space + command if can else command


def run(folder, name, slot, timeout, keep=""):
    """Run one test; the slot keeps its ports apart. Returns: state, seconds, why it failed."""
    start = time.monotonic()
    scratch = tempfile.mkdtemp(prefix="t_", dir=folder)
    command = [sys.executable, f"{folder}/test/functional/{name}",
               f"--configfile={folder}/config.ini", f"--tmpdir={scratch}/t", f"--portseed={slot}"]
    if name in ADDRESSED:
        command = with_addresses(command)
    env = dict(os.environ, BITCOIND=f"{folder}/bitcoind", BITCOINCLI=f"{folder}/bitcoin-cli")
    # A session of its own: the nodes that a test leaves are ended with it.
    with subprocess.Popen(command, env=env, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                          text=True, errors="replace", start_new_session=True) as process:
        try:
            text, _ = process.communicate(timeout=timeout)
            state = {0: "pass", SKIP: "skip"}.get(process.returncode, "fail")
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            text, state = process.communicate()[0], "timeout"
    if keep and state in ("fail", "timeout"):
        os.makedirs(keep, exist_ok=True)
        with open(f"{keep}/{name}.log", "w", encoding="utf-8") as file:
            file.write(text)
        shutil.copytree(f"{scratch}/t", f"{keep}/{name}", dirs_exist_ok=True,
                        ignore_dangling_symlinks=True)
    shutil.rmtree(scratch, ignore_errors=True)
    return state, time.monotonic() - start, "" if state == "pass" else reason_of(text)


def arguments():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("names", nargs="*", metavar="NAME", help="tests; default: all")
    parser.add_argument("--core", default=CORE, help="folder that has test/functional")
    parser.add_argument("--build", default="build/release", help="build folder of the programs")
    parser.add_argument("--listed", action="store_true", help="those of tests/conformance.txt")
    parser.add_argument("--jobs", type=int, default=os.cpu_count() or 2)
    parser.add_argument("--timeout", type=int, default=240, help="seconds for each test")
    parser.add_argument("--keep", default="", help="folder for what failed tests leave")
    return parser.parse_args()


def report(rows, passing, reasons):
    """Print the table; returns the exit status."""
    lost = [name for name, row in rows if name in passing and row[0] != "pass" and
            not (name in ADDRESSED and row[0] == "skip")]
    for name, (state, seconds, why) in sorted(rows):
        note = "" if state == "pass" else reasons.get(name, why)
        mark = "listed" if name in passing else "cannot" if name in reasons else ""
        print(f"{state:8}{name:44}{seconds:7.1f} s  {mark:8}{note}")
    new = [name for name, row in rows if row[0] == "pass" and name not in passing]
    for name in sorted(new):
        print(f"passes and may be listed: {name}")
    for name in sorted(lost):
        print(f"listed and does not pass: {name}")
    counts = {state: sum(row[0] == state for _, row in rows) for state in ("pass", "skip")}
    print(f"{counts['pass']} of {len(rows)} pass, {counts['skip']} skipped", flush=True)
    if len(rows) == 1 and rows[0][1][0] == "skip":
        return SKIP
    return 1 if lost else 0


def main():
    args = arguments()
    core, build = os.path.abspath(args.core), os.path.abspath(os.path.join(ROOT, args.build))
    tests = f"{core}/test/functional"
    if not os.path.isdir(tests):
        print(f"SKIP: there is no {tests}")
        sys.exit(SKIP)
    passing, reasons = read_list()
    names = args.names or passing if args.names or args.listed else sorted(
        name for name in os.listdir(tests)
        if name.endswith(".py") and "_" in name and name != CACHE_MAKER)
    # Ports apart also where several of these run at a time, a name each.
    slots = {name: 1 + i for i, name in enumerate(sorted(os.listdir(tests)))}
    unknown = [name for name in names if name not in slots]
    if unknown:
        sys.exit(f"conformance.py: there is no {' '.join(unknown)} in {tests}")
    with tempfile.TemporaryDirectory(prefix="cairn-conformance.") as scratch:
        if "CAIRN_TESTS_SHARED" not in os.environ:  # tests/run.py shares its own folder
            tempfile.tempdir = scratch
        folder = shared_folder(core, build, args.timeout)
        with concurrent.futures.ThreadPoolExecutor(args.jobs) as pool:
            futures = {name: pool.submit(run, folder, name, slots[name], args.timeout, args.keep)
                       for name in names}
            rows = [(name, future.result()) for name, future in futures.items()]
    sys.exit(report(rows, passing, reasons))


if __name__ == "__main__":
    main()
