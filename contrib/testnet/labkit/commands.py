"""commands.py - the command line of the lab."""
import argparse
import errno
import os
import re
import secrets
import socket
import subprocess
import sys
import time

from labkit import control, state, supervisor, table, topology, units
from labkit.node import CHAIN
from labkit.units import LabError

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.dirname(
    os.path.realpath(__file__)))))
PORT = 18444
ABOUT = """A laboratory of real nodes on this machine: cairnd processes in a network of their own.
As root each node has a network namespace, and a program (cairn-link) carries the packets between
them with delay, jitter, loss and rate; otherwise, or with --loopback, nodes listen on 127.77.0.0/16
and relays do the same for streams. Nothing leaves the machine."""
EXAMPLE = """example:
  lab up --nodes 16 --topology random:4 --block-time 5s --delay 80ms --loss 1% --churn 20% -d
  lab partition half; lab status; lab heal; lab cli n3 getpeerinfo; lab down"""


# -- up ------------------------------------------------------------------------------------------

def find_build(wanted):
    """The build folder with the programs. Raises LabError."""
    tries = [wanted] if wanted else [os.path.join(ROOT, "build", name)
                                     for name in ("release", "fast", "dev", "asan")]
    for build in tries:
        if all(os.access(os.path.join(build, "bin", name), os.X_OK)
               for name in ("cairnd", "cairn-link")):
            return os.path.abspath(build)
    raise LabError("cairnd and cairn-link are not built: cmake --preset release && "
                   "cmake --build build/release, or name a build with --build")


def can_have_namespaces():
    return os.geteuid() == 0 and os.access("/dev/net/tun", os.R_OK | os.W_OK)


def choose_mode(args):
    """Namespaces? Raises LabError if they were asked for in vain."""
    if args.loopback:
        return False
    if can_have_namespaces():
        return True
    if args.netns:
        raise LabError("--netns needs root and /dev/net/tun")
    print("lab: no namespaces without root and /dev/net/tun: using loopback", file=sys.stderr)
    return False


def core_nodes(args):
    """The program of each node; None: cairnd."""
    if not args.core:
        return [None] * args.nodes
    if not os.access(args.core, os.X_OK):
        raise LabError(f"--core={args.core} is no program")
    if args.core_nodes > args.nodes:
        raise LabError(f"--core-nodes={args.core_nodes} of {args.nodes} nodes is impossible")
    n = args.nodes - args.core_nodes
    return [None] * n + [os.path.abspath(args.core)] * args.core_nodes


def new_config(args):
    """What "lab up" was told, checked."""
    seed = args.seed if args.seed is not None else secrets.randbelow(1 << 32)
    made = topology.make(args.topology, args.nodes, seed)
    return {"version": 1, "seed": seed, "nodes": core_nodes(args), "links": made,
            "topology": args.topology, "is_netns": choose_mode(args), "port": args.port,
            "block_time_s": args.block_time, "fixed_blocks": args.fixed_blocks,
            "rule": rule_of(args), "churn": args.churn, "tx_rate": args.tx_rate,
            "node_options": args.node_option}


def rule_of(args):
    return {"delay_ms": args.delay, "jitter_ms": args.jitter, "loss": args.loss,
            "rate": args.rate}


def need_disk(folder, n):
    """For a new lab; where there is too little, its folder goes again."""
    try:
        folder.need_disk(n)
    except LabError:
        folder.remove()
        raise


def prepare(folder, args):
    """The folder, locked and swept, with its lab.json. Returns: the build; is the lab new?"""
    build = find_build(args.build)
    is_new = not folder.exists()
    config = new_config(args) if is_new else None
    folder.make()
    folder.lock()
    swept = folder.sweep()
    if swept:
        print(f"lab: ended {swept} processes of a lab that had ended badly", file=sys.stderr)
    if is_new:
        need_disk(folder, args.nodes)
        state.write_json(folder.at("lab.json"), config)
    elif args.is_shaped:
        raise LabError(f"{folder.path} holds a lab: 'lab up' without options goes on with it, "
                       "'lab down' removes it")
    return build, is_new


def launch(folder, build, detach):
    """Start the supervisor, which gets the lock. Returns: (our end, its process, the seconds it
    took)."""
    ours, its = socket.socketpair()
    command = [sys.executable, os.path.join(ROOT, "contrib", "testnet", "lab"), "supervise",
               f"--state={folder.path}", f"--build={build}", f"--fd={its.fileno()}",
               f"--lock-fd={folder.lock_fd}"]
    command += ["--detach"] * detach
    with open(folder.at("lab.log"), "ab") as out:
        process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=out, stderr=out,
                                   pass_fds=[its.fileno(), folder.lock_fd], start_new_session=True)
    its.close()
    folder.unlock()
    try:
        said = ours.makefile().readline().strip()
    except KeyboardInterrupt:
        ours.close()
        process.wait()
        raise
    if not said.startswith("ok"):
        process.wait()
        raise LabError(said[6:] or f"the lab did not start: see {folder.at('lab.log')}")
    return ours, process, said.split()[1]


def up(folder, args):
    build, is_new = prepare(folder, args)
    try:
        ours, process, seconds = launch(folder, build, args.detach)
    except (LabError, KeyboardInterrupt):
        if is_new and not args.keep:
            folder.remove()
        raise
    print(f"lab: {len(folder.config()['nodes'])} nodes agree after {seconds} s, in {folder.path}")
    tell_dashboard(folder)
    if args.detach:
        return 0
    try:
        show(folder, sys.stdout.isatty(), process)
    except KeyboardInterrupt:
        pass
    ours.close()
    process.wait()
    if not args.keep:
        folder.remove()
    return 0


def tell_dashboard(folder):
    """Of the first node, if it has one."""
    try:
        address = control.ask(folder, {"command": "ui", "node": "n0"})["address"]
    except LabError:
        return
    print(f"lab: {address} shows n0 in a browser, once, within two minutes; 'lab ui NODE' any node")


# -- Others --------------------------------------------------------------------------------------

def show(folder, is_live, process=None):
    """The table; again and again on a terminal, until Ctrl-C or the end of a process."""
    while True:
        lines = table.lines(control.ask(folder, {"command": "status"}))
        if is_live and process is not None:
            lines.append("'lab ui NODE' gives an address that shows a node in a browser")
        if is_live:
            print("\033[H\033[J" + "\n".join(lines), flush=True)
        else:
            print("\n".join(lines), flush=True)
        if process is not None and not is_live:
            process.wait()
        if (process is None and not is_live) or (process and process.poll() is not None):
            return
        time.sleep(1)


def status(folder, args):
    if args.json:
        import json  # pylint: disable=import-outside-toplevel
        print(json.dumps(control.ask(folder, {"command": "status"})))
        return 0
    try:
        show(folder, sys.stdout.isatty() and not args.once)
    except KeyboardInterrupt:
        print()
    return 0


def down(folder, args):
    if folder.is_running():
        control.ask(folder, {"command": "down"})
        while folder.is_running():
            time.sleep(0.02)
    elif not folder.exists() and not os.path.exists(folder.at("pids")):
        raise LabError(f"there is no lab in {folder.path}")
    else:
        sweep(folder)
    if not args.keep:
        folder.remove()
    return 0


def sweep(folder):
    """What a lab left that ended badly."""
    if folder.is_running() or not os.path.exists(folder.at("pids")):
        return
    folder.lock()
    n = folder.sweep()
    folder.unlock()
    if n:
        print(f"lab: ended {n} processes of a lab that had ended badly", file=sys.stderr)


def simple(folder, args):
    """Those that are a request and its answer in one line."""
    fields = {"partition": ("groups", "slow"), "heal": ("slow",), "kill": ("nodes", "softly"),
              "start": ("nodes",), "mine": ("node", "blocks"), "tx-load": ("rate",)}
    request = {name: getattr(args, name) for name in fields[args.command] if hasattr(args, name)}
    answer = control.ask(folder, {"command": args.command, **request})
    if answer:
        print(", ".join(f"{key} {value}" for key, value in answer.items()))
    return 0


def link(folder, args):
    ends = ["all", "all"] if [args.a, args.b] == ["all", "all"] else [args.a, args.b]
    control.ask(folder, {"command": "link", "ends": ends, "rule": rule_of(args)})
    return 0


def add(folder, args):
    core = os.path.abspath(args.core) if args.core else None
    if core and not os.access(core, os.X_OK):
        raise LabError(f"--core={args.core} is no program")
    print(control.ask(folder, {"command": "add", "links": args.links, "core": core})["name"])
    return 0


def export(folder, args):
    path = os.path.abspath(args.file)
    if folder.is_running():
        size = control.ask(folder, {"command": "export", "path": path})["bytes"]
    else:
        folder.config()
        folder.pack(path)
        size = os.path.getsize(path)
    print(f"{path}: {size} bytes")
    return 0


def import_(folder, args):
    if folder.is_running() or folder.exists():
        raise LabError(f"{folder.path} holds a lab already: name another folder with --state")
    folder.make()
    try:
        folder.unpack(os.path.abspath(args.file))
        config = folder.config()
        if config["is_netns"] and not can_have_namespaces():
            config["is_netns"] = False
            state.write_json(folder.at("lab.json"), config)
    except (LabError, OSError):
        folder.remove()
        raise
    print(f"{len(config['nodes'])} nodes in {folder.path}: 'lab up' starts them")
    return 0


def cli(folder, args):
    """Become cairn-cli, in the node's namespace."""
    reach = control.ask(folder, {"command": "reach", "node": args.node})
    build = find_build(args.build)
    program = os.path.join(build, "bin", "cairn-link")
    os.execv(program, [program, "run", str(os.getppid()), reach["namespace"] or "-",
                       os.path.join(build, "bin", "cairn-cli"), f"-datadir={reach['datadir']}",
                       f"-{CHAIN}", f"-rpcconnect={reach['host']}", f"-rpcport={reach['port']}",
                       args.method, *args.params])


def ui(folder, args):
    print(control.ask(folder, {"command": "ui", "node": args.node})["address"])
    return 0


def logs(folder, args):
    folder.config()
    if not re.fullmatch(r"n?\d{1,6}|lab", args.node):
        raise LabError(f"{args.node!r} names no node")
    name = "n" + args.node.lstrip("n")
    path = folder.at("lab.log") if args.node == "lab" else folder.at(name, CHAIN, "debug.log")
    if not os.path.exists(path):
        raise LabError(f"there is no {path}")
    os.execvp("tail", ["tail", "-n", str(args.lines), *(["-F"] if args.follow else []), path])


def supervise(folder, args):
    folder.lock_fd = args.lock_fd
    return supervisor.main(folder, args.build, args.fd, args.detach)


# -- The command line ----------------------------------------------------------------------------

def add_rule(parser):
    parser.add_argument("--delay", type=units.delay_ms, default=0, metavar="TIME",
                        help="one way, as 80ms (default: none)")
    parser.add_argument("--jitter", type=units.delay_ms, default=0, metavar="TIME",
                        help="up to so much more, by lot")
    parser.add_argument("--loss", type=units.share, default=0, metavar="SHARE",
                        help="of packets, as 1%%")
    parser.add_argument("--rate", type=units.rate_bytes_s, default=0, metavar="RATE",
                        help="each way, as 10mbit or 1MB")


def add_up(commands):
    parser = commands.add_parser("up", help="start a lab; Ctrl-C ends it (-d: it goes on)")
    parser.set_defaults(run=up)
    parser.add_argument("--nodes", type=int, default=8, help="how many (default: 8)")
    parser.add_argument("--topology", metavar="KIND",
                        help=f"who dials whom: {topology.KINDS} (default: random:{topology.OUT})")
    parser.add_argument("--block-time", type=units.time_s, default=10, metavar="TIME",
                        help="from one block to the next, on average (default: 10s; 0: no blocks)")
    parser.add_argument("--fixed-blocks", action="store_true",
                        help="blocks at that interval exactly, not by lot")
    add_rule(parser)
    parser.add_argument("--churn", type=units.share, default=0, metavar="SHARE",
                        help="of the nodes that go and come back each minute, as 20%%")
    parser.add_argument("--tx-rate", type=units.txs_s, default=0, metavar="N",
                        help="transactions a second (default: 0; see tx-load)")
    parser.add_argument("--core", metavar="PATH", help="a bitcoind, for the last nodes")
    parser.add_argument("--core-nodes", type=units.nodes, default=1, metavar="N",
                        help="how many of the nodes run it (default: 1)")
    parser.add_argument("--node-option", action="append", default=[], metavar="-X=Y",
                        help="an option more for every node (repeatable; write --node-option=-X)")
    mode = parser.add_mutually_exclusive_group()
    mode.add_argument("--netns", action="store_true", help="in namespaces, or not at all")
    mode.add_argument("--loopback", action="store_true", help="on loopback, as root too")
    parser.add_argument("--port", type=units.port, default=PORT,
                        help=f"that nodes listen on; RPC is one below (default: {PORT})")
    parser.add_argument("--seed", type=int, help="of topology, luck and churn (default: by lot)")
    parser.add_argument("-d", "--detach", action="store_true", help="return when all nodes agree")
    parser.add_argument("--keep", action="store_true", help="leave the folder at the end")


def add_changes(commands):
    """Commands that change a running lab."""
    def command(name, about, run=simple):
        parser = commands.add_parser(name, help=about)
        parser.set_defaults(run=run)
        return parser

    parser = command("partition", "cut the network into groups")
    parser.add_argument("groups", nargs="+", metavar="NODES", help="as 0-3,7 8-15; or half")
    command("heal", "end the partition").add_argument(
        "--slow", action="store_true", help="let nodes and TCP find out by themselves")
    parser = command("link", "change the link of two nodes, or all", link)
    parser.add_argument("a", help="a node, or all")
    parser.add_argument("b", help="a node, or all")
    add_rule(parser)
    parser = command("kill", "end nodes by SIGKILL")
    parser.add_argument("nodes", nargs="+", metavar="NODE", help="n3, 3, 0-7 or all")
    parser.add_argument("--softly", action="store_true", help="by SIGTERM")
    command("start", "start nodes that were killed").add_argument(
        "nodes", nargs="+", metavar="NODE")
    parser = command("add", "start one node more", add)
    parser.add_argument("--links", type=int, default=3, help="that it dials (default: 3)")
    parser.add_argument("--core", metavar="PATH", help="a bitcoind for it")
    parser = command("mine", "mine blocks now")
    parser.add_argument("node", help="that mines: n3 or 3")
    parser.add_argument("blocks", type=units.blocks, nargs="?", default=1, help="how many (1)")
    command("tx-load", "send transactions at a rate").add_argument(
        "rate", type=units.txs_s, help="a second; 0: none")


def add_rest(commands):
    parser = commands.add_parser("status", help="the table of the nodes, live on a terminal")
    parser.set_defaults(run=status)
    parser.add_argument("--once", action="store_true", help="once, on a terminal too")
    parser.add_argument("--json", action="store_true", help="as JSON")
    parser = commands.add_parser("down", help="end a lab and remove its folder")
    parser.set_defaults(run=down)
    parser.add_argument("--keep", action="store_true", help="leave the folder; 'lab up' goes on")
    parser = commands.add_parser("export", help="the whole network with its chains, as a file")
    parser.set_defaults(run=export)
    parser.add_argument("file")
    parser = commands.add_parser("import", help="the other way")
    parser.set_defaults(run=import_)
    parser.add_argument("file")
    parser = commands.add_parser("cli", help="call a method of a node")
    parser.set_defaults(run=cli)
    parser.add_argument("node")
    parser.add_argument("method")
    parser.add_argument("params", nargs=argparse.REMAINDER)
    parser = commands.add_parser("ui", help="an address for a browser: the dashboard of a node")
    parser.set_defaults(run=ui)
    parser.add_argument("node", nargs="?", default="n0", help="n3 or 3 (default: n0)")
    parser = commands.add_parser("logs", help="the log of a node, or of the lab itself")
    parser.set_defaults(run=logs)
    parser.add_argument("node", help="n3, 3, or lab")
    parser.add_argument("-n", "--lines", type=units.lines, default=50)
    parser.add_argument("-f", "--follow", action="store_true")
    parser = commands.add_parser("supervise")
    parser.set_defaults(run=supervise)
    parser.add_argument("--fd", type=int, required=True)
    parser.add_argument("--lock-fd", type=int, required=True)
    parser.add_argument("--detach", action="store_true")


class Parser(argparse.ArgumentParser):
    """Errors in one line."""

    def error(self, message):
        raise LabError(f"{message} (see {self.prog} --help)")


def parse(argv):
    shared = argparse.ArgumentParser(add_help=False)
    shared.add_argument("--state", default=argparse.SUPPRESS, metavar="DIR",
                        help="the lab's folder (default: $CAIRN_LAB, or ~/.cairn-lab)")
    shared.add_argument("--build", default=argparse.SUPPRESS, metavar="DIR",
                        help="the build whose programs to use")
    parser = Parser(prog="lab", description=ABOUT, epilog=EXAMPLE, parents=[shared],
                    formatter_class=argparse.RawDescriptionHelpFormatter)
    commands = parser.add_subparsers(dest="command", metavar="COMMAND", required=True,
                                     parser_class=lambda **how: Parser(parents=[shared], **how))
    add_up(commands)
    add_changes(commands)
    add_rest(commands)
    args = parser.parse_args(argv)
    home = os.environ.get("CAIRN_LAB") or os.path.expanduser("~/.cairn-lab")
    args.state, args.build = getattr(args, "state", home), getattr(args, "build", None)
    # Options that an existing lab does not take.
    args.is_shaped = any(word.startswith("--") and
                         not word.startswith(("--state", "--build", "--detach", "--keep"))
                         for word in argv)
    return args


def main(argv):
    try:
        args = parse(argv)
        folder = state.Folder(args.state)
        if args.command not in ("up", "down", "supervise"):
            sweep(folder)
        return args.run(folder, args)
    except LabError as error:
        print(f"lab: {error}", file=sys.stderr)
    except OSError as error:
        what = "disk full" if error.errno == errno.ENOSPC else error.strerror or str(error)
        print(f"lab: {what}{': ' + str(error.filename) if error.filename else ''}", file=sys.stderr)
    except KeyboardInterrupt:
        print("lab: interrupted", file=sys.stderr)
        return 130
    return 1
