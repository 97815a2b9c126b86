"""node.py - one node: its folder, its command line, its process, what was seen of it last."""
import os
import signal
import subprocess

from labkit import rpc

CHAIN = "regtest"


class View:
    """What a node said last."""

    def __init__(self):
        self.height, self.tip, self.mempool = 0, "", 0
        self.inbound, self.outbound = 0, 0
        self.rtts_ms = {}  # of those that it has dialled, by id
        self.answers = False


class Node:
    """A node of the lab. Its process is started by the lab's main thread alone: the kernel ends it
    with the thread that started it."""

    def __init__(self, lab, node_id, core=None):
        self.lab, self.id, self.core = lab, node_id, core
        self.name = f"n{node_id}"
        self.datadir = lab.folder.at(self.name)
        self.namespace = None
        self.process, self.view = None, View()
        self.rpc = None
        self.is_wanted = False  # it should be up
        self.n_starts = 0

    @property
    def address(self):
        n = self.id + 1
        return f"{'10' if self.lab.is_netns else '127'}.77.{n >> 8}.{n & 255}"

    @property
    def rpc_host(self):
        return "127.0.0.1" if self.lab.is_netns else self.address

    @property
    def rpc_port(self):
        return self.lab.port - 1

    @property
    def endpoint(self):
        return f"{self.address}:{self.lab.port}"

    def is_up(self):
        return self.process is not None and self.process.poll() is None

    def command(self):
        lab = self.lab
        peers = [f"-connect={lab.links.way(self, lab.nodes[to])}" for to in lab.dials(self.id)]
        options = [f"-datadir={self.datadir}", f"-{CHAIN}", "-listen=1", "-printtoconsole=0",
                   f"-bind={self.endpoint}", f"-rpcport={self.rpc_port}",
                   f"-rpcbind={self.rpc_host}", "-rpcallowip=127.0.0.0/8", "-dnsseed=0",
                   "-fixedseeds=0", "-natpmp=0", "-listenonion=0", "-discover=0", "-server=1",
                   *(peers or ["-connect=0"])]
        if not self.core:
            options.append("-privateroutable")
            if lab.has_dashboard:
                options += ["-ui", f"-uimesh={lab.folder.at('mesh.json')}"]
        program = self.core or os.path.join(lab.bin, "cairnd")
        return [program, *options, *lab.config["node_options"]]

    def start(self):
        """Start the process; its answers come later."""
        assert not self.is_up()
        os.makedirs(self.datadir, exist_ok=True)
        if self.rpc:
            self.rpc.close()
        self.view.answers = False
        with open(os.path.join(self.datadir, "output"), "ab") as out:
            self.process = self.lab.spawn(self.command(), self.namespace, out)
        self.rpc = rpc.Rpc(self.rpc_host, self.rpc_port, self.namespace,
                           os.path.join(self.datadir, CHAIN, ".cookie"))
        self.is_wanted = True
        self.n_starts += 1

    def signal(self, how):
        self.is_wanted = False
        self.view.answers = False
        if self.is_up():
            self.process.send_signal(how)

    def wait(self, seconds):
        """For its end; SIGKILL when that takes too long."""
        if not self.process:
            return
        try:
            self.process.wait(seconds)
        except subprocess.TimeoutExpired:
            self.process.send_signal(signal.SIGKILL)
            self.process.wait()

    def poll(self):
        """Ask how it is. Raises OSError, rpc.RpcError."""
        ids = {self.lab.links.way(self, self.lab.nodes[to]): to for to in self.lab.dials(self.id)}
        height, tip, peers, mempool = self.rpc.batch([
            ("getblockcount",), ("getbestblockhash",), ("getpeerinfo",), ("getmempoolinfo",)])
        view = View()
        view.height, view.tip, view.mempool = height, tip, mempool["size"]
        for peer in peers:
            if peer["inbound"]:
                view.inbound += 1
                continue
            view.outbound += 1
            seconds = peer.get("minping", peer.get("pingtime"))
            if peer["addr"] in ids and seconds is not None:
                view.rtts_ms[ids[peer["addr"]]] = round(seconds * 1000, 3)
        view.answers = True
        self.view = view

    def why_ended(self):
        """The last line that it wrote."""
        try:
            with open(os.path.join(self.datadir, "output"), errors="replace",
                      encoding="utf-8") as file:
                lines = [line.strip() for line in file if line.strip()]
        except OSError:
            lines = []
        return lines[-1][:200] if lines else "it said nothing"


def pss_kb(pid):
    """Memory of a process, its part of what it shares included; 0 if it is gone."""
    try:
        with open(f"/proc/{pid}/smaps_rollup", encoding="ascii") as file:
            for line in file:
                if line.startswith("Pss:"):
                    return int(line.split()[1])
    except (OSError, ValueError):
        pass
    return 0
