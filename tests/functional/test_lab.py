#!/usr/bin/env python3
"""test_lab.py - contrib/testnet/lab: real nodes, bad links, partitions, and nothing left behind."""
import http.client
import json
import os
import shutil
import signal
import socket
import stat
import subprocess
import sys
import tarfile
import time
import urllib.parse

import framework
from framework import Failure, Skip, equal, wait_until

LAB = os.path.join(framework.ROOT, "contrib", "testnet", "lab")


class Lab:
    """One state folder, and the command."""

    def __init__(self, context, name="lab"):
        self.build = context.build
        self.path = os.path.join(context.scratch, name)
        context.cleanups.append(self.clean)

    def run(self, *words, ok=True, env=None):
        """The command's output; ok=False: it must fail, in one line, which is returned."""
        done = subprocess.run([sys.executable, LAB, f"--state={self.path}", *words], check=False,
                              stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
                              timeout=100, env=dict(os.environ, **(env or {})))
        if ok != (done.returncode == 0):
            raise Failure(f"lab {words}: status {done.returncode}: {done.stdout} {done.stderr} "
                          f"{self.log()}")
        if ok:
            return done.stdout
        equal(len(done.stderr.splitlines()), 1, f"lines of {done.stderr!r}")
        return done.stderr

    def up(self, *options):
        seed = ["--seed=7"] if options else []
        return self.run("up", "-d", f"--build={self.build}", *seed, *options)

    def log(self):
        try:
            with open(os.path.join(self.path, "lab.log"), encoding="utf-8") as file:
                return file.read()[-1500:]
        except OSError:
            return ""

    def status(self):
        return json.loads(self.run("status", "--json"))

    def tips(self):
        """Tips of the nodes that answer, and of how many nodes."""
        nodes = [node for node in self.status()["nodes"] if node["answers"]]
        return {node["tip"] for node in nodes}, len(nodes)

    def wait_tips(self, n_tips, n_nodes, tip=None):
        def there():
            tips, n = self.tips()
            return len(tips) == n_tips and n == n_nodes and (tip is None or tip in tips)
        try:
            wait_until(there, 40, f"{n_tips} tips of {n_nodes} nodes", pause=0.2)
        except Failure as error:
            raise Failure(f"{error}\n{self.run('status')}{self.log()}") from error

    def mine(self, node, blocks=1):
        return self.run("mine", node, str(blocks)).split()[-1]

    def cli(self, *words):
        return self.run("cli", f"--build={self.build}", *words).strip()

    def pids(self):
        with open(os.path.join(self.path, "pids"), encoding="ascii") as file:
            return [int(line.split()[0]) for line in file]

    def clean(self):
        subprocess.run([sys.executable, LAB, "down", f"--state={self.path}"], check=False,
                       stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)


def is_alive(pid):
    try:
        with open(f"/proc/{pid}/stat", encoding="utf-8", errors="replace") as file:
            return file.read().rpartition(")")[2].split()[0] not in "ZX"
    except OSError:
        return False


def all_gone(pids):
    return not any(is_alive(pid) for pid in pids)


def need_namespaces():
    if os.geteuid() != 0 or not os.path.exists("/dev/net/tun"):
        raise Skip("namespaces need root and /dev/net/tun")


def holder_of(lab):
    """The process behind a running lab."""
    for name in os.listdir("/proc"):
        try:
            with open(f"/proc/{name}/cmdline", encoding="utf-8", errors="replace") as file:
                words = file.read().split("\0")
        except OSError:
            continue
        if "supervise" in words and f"--state={lab.path}" in words:
            return int(name)
    raise Failure("no supervisor")


def split_and_heal(lab, n):
    """Two halves have tips of their own; healed, all follow the longer."""
    lab.run("partition", "half")
    lab.mine("n0")
    longer = lab.mine(f"n{n - 1}", 2)
    lab.wait_tips(2, n, longer)
    lab.run("heal")
    lab.wait_tips(1, n, longer)


def dashboard_is_seen_from_here(lab, node):
    """A node's, by a browser on this side of its namespace."""
    place = urllib.parse.urlsplit(lab.run("ui", node).strip())
    equal(place.hostname, "127.0.0.1")
    with socket.create_connection((place.hostname, place.port), 10):
        pass  # one that leaves again

    def request(method, path, headers, body=None):
        connection = http.client.HTTPConnection(place.hostname, place.port, timeout=30)
        connection.request(method, path, body, headers)
        answer = connection.getresponse()
        content = answer.read().decode()
        connection.close()
        return answer, content

    cookie = request("GET", f"{place.path}?{place.query}", {})[0].headers["Set-Cookie"]
    _, answer = request("POST", "/ui/rpc", {
        "Cookie": cookie.split(";")[0], "Content-Type": "application/json",
        "Origin": f"http://{place.netloc}"}, '{"jsonrpc": "2.0", "id": 1, "method": "uptime"}')
    assert json.loads(answer)["result"] >= 0, answer


def test_namespaces(context):
    """Delay and load from the first moment; partition, heal, kill, add; export and import."""
    need_namespaces()
    lab = Lab(context)
    said = lab.up("--netns", "--nodes=5", "--topology=random:2", "--block-time=0", "--delay=30ms",
                  "--jitter=5ms", "--loss=1%", "--tx-rate=20", "--rate=20mbit")
    print(f"figures: {said.strip()}")
    equal(len(lab.tips()[0]), 1)
    with open(os.path.join(lab.path, "mesh.json"), encoding="utf-8") as file:
        mesh = json.load(file)
    equal([node["name"] for node in mesh["nodes"]], ["n0", "n1", "n2", "n3", "n4"])
    wait_until(lambda: lab.status()["sent"] > 20, 20, "transactions", pause=0.2)
    wait_until(lambda: all(n["mempool"] for n in lab.status()["nodes"]), 20, "mempools", pause=0.2)
    rtts = [p["minping"] for p in json.loads(lab.cli("n4", "getpeerinfo")) if "minping" in p]
    assert rtts and min(rtts) >= 0.06, rtts
    lab.run("tx-load", "0")
    split_and_heal(lab, 5)
    dashboard_is_seen_from_here(lab, "n3")

    lab.run("kill", "n3")
    assert "n3 is not up" in lab.run("ui", "n3", ok=False)
    equal(lab.tips()[1], 4)
    equal(lab.run("add", "--links=2").strip(), "n5")
    lab.run("start", "n3")
    lab.wait_tips(1, 6)
    lab.wait_tips(1, 6, lab.mine("n5"))

    file = os.path.join(context.scratch, "net.tar.gz")
    lab.run("export", file)
    lab.wait_tips(1, 6)
    height = lab.cli("n0", "getblockcount")
    pids = lab.pids()
    lab.run("down")
    assert all_gone(pids) and not os.path.exists(lab.path)
    again = Lab(context, "again")
    again.run("import", file)
    again.up()
    equal(again.cli("n5", "getblockcount"), height)
    again.run("down")


def test_loopback(context):
    """The same without root: relays delay and cut. A node of another program is mixed in."""
    fake = os.path.join(context.scratch, "bitcoind")
    with open(fake, "w", encoding="ascii") as file:
        file.write(f'#!/bin/sh\nexec {context.bin}/cairnd "$@"\n')
    os.chmod(fake, stat.S_IRWXU)
    lab = Lab(context)
    port = framework.free_port()
    lab.up("--loopback", "--nodes=4", "--topology=ring", "--block-time=0", "--delay=20ms",
           "--loss=0.5%", f"--core={fake}", f"--port={port}")
    status = lab.status()
    equal([node["core"] for node in status["nodes"]], [False, False, False, True])
    rtts = [p["minping"] for p in json.loads(lab.cli("n3", "getpeerinfo")) if "minping" in p]
    assert rtts and min(rtts) >= 0.04, rtts
    split_and_heal(lab, 4)
    assert "is in use" in lab.run("up", f"--build={lab.build}", ok=False)
    other = Lab(context, "other")
    taken = other.run("up", "-d", f"--build={lab.build}", "--loopback", f"--port={port}",
                      "--nodes=2", "--topology=line", ok=False)
    assert f":{port - 1} is taken" in taken, taken
    assert not os.path.exists(other.path)


def test_nothing_is_left(context):
    """After kill -9 of the lab, after Ctrl-C while it starts and while it runs."""
    lab = Lab(context)
    mode = "--netns" if os.geteuid() == 0 and os.path.exists("/dev/net/tun") else "--loopback"
    options = ["--nodes=3", "--topology=line", f"--port={framework.free_port()}", mode,
               "--churn=100%", "--block-time=1s"]
    lab.up(*options)
    pids, holder = lab.pids(), holder_of(lab)
    os.kill(holder, signal.SIGKILL)
    wait_until(lambda: all_gone(pids + [holder]), 20, "processes are gone")
    assert "no lab is running" in lab.run("status", ok=False)
    assert "holds a lab" in lab.run("up", f"--build={lab.build}", "--tx-rate=5", ok=False)
    lab.up()
    assert "no link to itself" in lab.run("link", "n0", "0", "--delay=5ms", ok=False)
    lab.run("down")

    # One that does not obey SIGTERM is ended by the next command.
    lab.up(*options)
    pids, holder = lab.pids(), holder_of(lab)
    os.kill(pids[-1], signal.SIGSTOP)
    os.kill(holder, signal.SIGKILL)
    lab.run("down")
    assert all_gone(pids) and not os.path.exists(lab.path)

    for pause in (0.3, 4):
        interrupted(lab, options, pause)


def a_node_that_waits(context):
    """A program that is a node as soon as the file behind it is there. Returns: both paths"""
    program, go = (os.path.join(context.scratch, name) for name in ("bitcoind", "go"))
    with open(program, "w", encoding="ascii") as file:
        file.write(f'#!/bin/sh\nwhile [ ! -e {go} ]; do sleep 0.02; done\n'
                   f'exec {context.bin}/cairnd "$@"\n')
    os.chmod(program, stat.S_IRWXU)
    return program, go


def test_a_lab_that_still_starts(context):
    """It can be looked at and ended, and does what else it is told once it has started."""
    program, go = a_node_that_waits(context)
    lab = Lab(context)
    options = ["--loopback", "--nodes=3", "--topology=line", "--block-time=0", f"--core={program}",
               f"--port={framework.free_port()}"]

    def begin():
        process = subprocess.Popen([sys.executable, LAB, "up", "-d", f"--state={lab.path}",
                                    f"--build={lab.build}", *options], stdout=subprocess.DEVNULL,
                                   stderr=subprocess.PIPE, text=True)
        wait_until(lambda: os.path.exists(os.path.join(lab.path, "lab.json")), 20, "its folder")
        return process

    process = begin()
    wait_until(lambda: "starting: 2 of 3 nodes up" in lab.run("status", "--once"), 40, "two nodes",
               pause=0.1)
    assert "still starting" in lab.run("kill", "n0", ok=False)
    equal(lab.cli("n0", "getnetworkinfo")[:1], "{")
    pids = lab.pids()
    lab.run("down")
    equal((process.wait(30), process.stderr.read()), (1, "lab: it was ended by 'lab down'\n"))
    assert all_gone(pids) and not os.path.exists(lab.path)

    with open(go, "wb"):
        pass
    process = begin()
    equal(process.wait(60), 0)
    assert "\n3 of 3 nodes up" in lab.run("status")


def interrupted(lab, options, pause):
    """Ctrl-C, so long after the start."""
    process = subprocess.Popen([sys.executable, LAB, "up", f"--state={lab.path}",
                                f"--build={lab.build}", *options], stdout=subprocess.DEVNULL,
                               stderr=subprocess.DEVNULL)
    time.sleep(pause)
    pids = lab.pids() if os.path.exists(os.path.join(lab.path, "pids")) else []
    process.send_signal(signal.SIGINT)
    process.wait(60)
    wait_until(lambda: all_gone(pids), 10, "processes are gone")
    assert not os.path.exists(lab.path), os.listdir(lab.path)


BAD = [
    (["up", "--nodes=16", "--topology=random:20"], "random:20 is impossible with 16 nodes"),
    (["up", "--topology=random:0"], "connects nobody"),
    (["up", "--topology=moon"], "no topology 'moon'"),
    (["up", "--topology=file:/nowhere"], "cannot read the topology"),
    (["up", "--nodes=3", "--topology=file:PARTS"], "no way leads from n0 to n2"),
    (["up", "--tx-rate=nan"], "is no number of transactions"),
    (["up", "--port=65536"], "is no port: 2 to 65535"),
    (["tx-load", "inf"], "is no number of transactions"),
    (["mine", "n0", "0"], "is no number of blocks: 1 to 1000"),
    (["up", "--nodes=0"], "impossible: 1 to 4096"),
    (["up", "--nodes=x"], "invalid int"),
    (["up", "--delay=80parsecs"], "is no time"),
    (["up", "--delay=61s"], "too long"),
    (["up", "--loss=120%"], "is no share"),
    (["up", "--rate=fast"], "is no rate"),
    (["up", "--tx-rate=-5"], "is no number of transactions"),
    (["tx-load", "10001"], "is no number of transactions"),
    (["up", "--port=1"], "is no port"),
    (["up", "--core=/bin/true", "--core-nodes=0"], "is no number of nodes"),
    (["up", "--core=/nowhere"], "is no program"),
    (["up", "--core=/bin/true", "--core-nodes=9"], "impossible"),
    (["up", "--netns", "--loopback"], "not allowed with"),
    (["up", "--build=/nowhere"], "are not built"),
    (["status"], "no lab is running"),
    (["down"], "there is no lab"),
    (["cli", "n0", "help"], "no lab is running"),
    (["ui"], "no lab is running"),
    (["logs", "n0"], "there is no lab"),
    (["import", "/nowhere"], "cannot read"),
    (["fly"], "invalid choice"),
    (["export", "x"], "there is no lab"),
]


def small_disk(context, mib):
    """A folder that is a disk of its own, of so many MiB."""
    path = os.path.join(context.scratch, "disk")
    os.makedirs(path)
    done = subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={mib}m", "tmpfs", path],
                          check=False, stderr=subprocess.DEVNULL)
    if done.returncode:
        raise Skip("a small disk needs root")
    context.cleanups.append(lambda: subprocess.run(["umount", "-l", path], check=False))
    return path


def test_a_full_disk_is_named(context):
    """Too small from the start: nothing is made. Full later: no node more, and a lab that ends."""
    disk = small_disk(context, 60)
    lab = Lab(context, os.path.join("disk", "lab"))
    said = lab.run("up", f"--build={lab.build}", "--nodes=16", ok=False)
    assert "disk full: 16 nodes need 288 MB" in said, said
    equal(os.listdir(disk), [])
    lab.up("--loopback", f"--port={framework.free_port()}", "--nodes=2", "--topology=line",
           "--block-time=0")
    pids = lab.pids()
    with open(os.path.join(disk, "rest"), "wb", buffering=0) as file:
        try:
            while file.write(bytes(1 << 16)) == 1 << 16:
                pass
        except OSError:
            pass
    assert "disk full: 1 nodes need 18 MB" in lab.run("add", "--links=1", ok=False)
    equal(lab.tips()[1], 2)
    lab.run("down")
    assert all_gone(pids)
    equal(os.listdir(disk), ["rest"])


def test_bad_input(context):
    """One line each, and no folder made."""
    lab = Lab(context)
    parts = os.path.join(context.scratch, "parts")
    with open(parts, "w", encoding="ascii") as file:
        file.write("n1 n0\n")
    for words, want in BAD:
        words = [word.replace("PARTS", parts) for word in words]
        build = [] if any(word.startswith("--build") for word in words) else \
            [f"--build={context.build}"]
        said = lab.run(*words[:1], *build, *words[1:], ok=False)
        if want not in said:
            raise Failure(f"{words}: {said!r}, want {want!r}")
    assert not os.path.exists(lab.path)
    without_root(lab)
    full_of_others(context, lab)
    imports_are_checked(context, lab)


def without_root(lab):
    """Namespaces are not had by asking."""
    code = ("import os, sys; os.geteuid = lambda: 1000; from labkit import commands; "
            "sys.exit(commands.main(sys.argv[1:]))")
    done = subprocess.run([sys.executable, "-c", code, "up", "--netns", f"--build={lab.build}",
                           f"--state={lab.path}"], check=False, stderr=subprocess.PIPE, text=True,
                          cwd=os.path.dirname(LAB))
    equal((done.returncode, done.stderr), (1, "lab: --netns needs root and /dev/net/tun\n"))


def full_of_others(context, lab):
    """A folder of somebody else stays as it is."""
    os.makedirs(lab.path)
    with open(os.path.join(lab.path, "letter"), "w", encoding="ascii") as file:
        file.write("dear")
    assert "is no lab" in lab.run("up", f"--build={context.build}", ok=False)
    equal(os.listdir(lab.path), ["letter"])
    shutil.rmtree(lab.path)


def imports_are_checked(context, lab):
    """What would be written outside, or is no export, is refused."""
    file = os.path.join(context.scratch, "bad.tar.gz")
    for name in ("../evil", "/evil", "n0/../../evil", "other", "n0//evil"):
        with tarfile.open(file, "w:gz") as archive:
            archive.addfile(tarfile.TarInfo("lab.json"))
            archive.addfile(tarfile.TarInfo(name))
        assert "is no lab's export" in lab.run("import", file, ok=False), name
    link = tarfile.TarInfo("n0")
    link.type, link.linkname = tarfile.SYMTYPE, "/etc"
    with tarfile.open(file, "w:gz") as archive:
        archive.addfile(tarfile.TarInfo("lab.json"))
        archive.addfile(link)
    assert "is no lab's export" in lab.run("import", file, ok=False)
    with open(file, "wb") as broken:
        broken.write(b"\x1f\x8bnot a tar")
    assert "cannot read" in lab.run("import", file, ok=False)
    assert not os.path.exists(lab.path)


if __name__ == "__main__":
    framework.main(globals())
