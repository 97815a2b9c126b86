"""supervisor.py - the process behind a running lab: it starts the nodes, keeps them going, obeys
requests, and takes all of them with it when it ends. If it is killed, the kernel ends what it has
started: each process was begun by "cairn-link run"."""
import os
import random
import resource
import signal
import socket
import subprocess
import threading
import time

from labkit import control, forward, links, load, rpc, state, watch
from labkit.node import Node, pss_kb
from labkit.requests import REQUESTS, WHILE_STARTING
from labkit.units import LabError

FIRST_BLOCKS = 110  # ten coinbases can be spent then
START_S = 120
WAIT_S, WAIT_NODES = 0.02, 100  # a look at all processes; less often if there are more nodes
CHURN_PERIOD_S = 60
CHURN_REST_S = 3
PSS_NODES_MAX = 128  # whose memory each look at the table measures


class Lab:
    """The laboratory. All but the watchers' threads is the main thread's."""

    def __init__(self, folder, build):
        self.folder, self.config, self.bin = folder, folder.config(), os.path.join(build, "bin")
        self.is_netns, self.port = self.config["is_netns"], self.config["port"]
        self.is_ending = self.is_open = self.is_paused = self.is_on_its_own = False
        self.has_dashboard = self._has_dashboard()
        self.lot = random.Random(f"churn/{self.config['seed']}")
        self.log = open(folder.at("lab.log"), "a", encoding="utf-8")
        self.nodes = [Node(self, i, core) for i, core in enumerate(self.config["nodes"])]
        self.index_links()
        self.returns, self.next_churn_s = {}, 0  # of churn: when a node comes back
        self.groups = []  # of a partition
        self.first_height = 0  # that all must have reached before the lab is ready

    def _has_dashboard(self):
        done = subprocess.run([os.path.join(self.bin, "cairnd"), "-help-debug"], check=False,
                              stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
        return "-uimesh" in done.stdout

    # -- What the parts use --------------------------------------------------------------------

    def note(self, text):
        """A full disk takes no line, and is no reason to end."""
        try:
            self.log.write(time.strftime("%Y-%m-%dT%H:%M:%SZ ", time.gmtime()) + text + "\n")
            self.log.flush()
        except OSError:
            pass

    def spawn(self, command, namespace, out):
        """Start a program, which ends when this thread does."""
        run = [os.path.join(self.bin, "cairn-link"), "run", str(os.getpid()), namespace or "-"]
        process = subprocess.Popen(run + command, stdin=subprocess.DEVNULL, stdout=out, stderr=out,
                                   start_new_session=True)
        self.folder.note_process(process.pid)
        return process

    def dials(self, node_id):
        """Whom a node dials."""
        return self.dialled.get(node_id, [])

    def index_links(self):
        """After config["links"] has changed."""
        self.dialled = {}
        for a, b in self.config["links"]:
            self.dialled.setdefault(a, []).append(b)

    def answering(self):
        return [node for node in self.nodes if node.view.answers and node.is_up()]

    def on_answer(self, node):
        """It has begun to answer; a poller's thread. Those who dial it need not wait for their
        next try."""
        if node.n_starts > 1:
            self.redial([(a, b) for a, b in self.config["links"] if node.id == b])

    def redial(self, pairs):
        for a, b in pairs:
            if self.nodes[a].view.answers:
                try:
                    way = self.links.way(self.nodes[a], self.nodes[b])
                    self.nodes[a].rpc.call("addnode", way, "onetry")
                except (OSError, rpc.RpcError):
                    pass  # connected already, or gone

    def save(self):
        state.write_json(self.folder.at("lab.json"), self.config)

    # -- Beginning -----------------------------------------------------------------------------

    def check_ports(self):
        """On loopback others may have taken one. Raises LabError."""
        for node in () if self.is_netns else self.nodes:
            for port in (self.port - 1, self.port):
                with socket.socket() as probe:
                    probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
                    try:
                        probe.bind((node.address, port))
                    except OSError as error:
                        raise LabError(f"{node.address}:{port} is taken: another lab on "
                                       "loopback? (--port takes others)") from error

    def begin(self):
        """Start everything, and return once all nodes agree. Raises LabError."""
        self.check_ports()
        self.links = links.NetnsLinks(self) if self.is_netns else links.LoopbackLinks(self)
        self.links.set_all(self.config["rule"])
        self.miner, self.sender = watch.Miner(self), watch.Sender(self)
        self.forwarder = forward.Forwarder()
        self.server = control.Server(self.folder.path)
        for node in self.nodes:
            self.links.add(node)
            node.start()
            self.obey_while_starting()
        self.poller = watch.Poller(self)
        self.mesh = watch.MeshWriter(self)
        self.wait(lambda: self.nodes[0].view.answers, "the first node answers")
        if not self.nodes[0].view.height:
            self.first_height = self.first_blocks()
        self.wait(self.agree, "all nodes agree")
        self.poller.is_hasty = False
        self.is_open = True
        self.next_churn_s = time.monotonic() + CHURN_REST_S

    def first_blocks(self):
        """Blocks to begin with, and coins to spend if there is to be load. Returns: the height"""
        node = self.nodes[0]
        if not self.miner.mine(node, FIRST_BLOCKS):
            raise LabError("the first node cannot mine: see lab.log")
        if not self.config["tx_rate"]:
            return FIRST_BLOCKS
        self.sender.load.refill(node, 2 * load.FAN_OUT, FIRST_BLOCKS)
        self.miner.mine(node, 1)
        return FIRST_BLOCKS + 1

    def has_first_blocks(self, node):
        """No block comes after these before all have them."""
        return bool(node.view.answers and self.first_height
                    and node.view.height >= self.first_height)

    def agree(self):
        tips = {node.view.tip for node in self.nodes}
        all_answer = all(node.view.answers for node in self.nodes)
        return all_answer and len(tips) == 1 and self.nodes[0].view.height >= self.first_height

    def wait(self, predicate, what):
        """Raises LabError if a node ends meanwhile, or after a time that grows with the nodes."""
        end = time.monotonic() + START_S + len(self.nodes)
        while not predicate():
            self.obey_while_starting()
            for node in self.nodes:
                if not node.is_up():
                    raise LabError(f"{node.name} has ended: {node.why_ended()}")
            if time.monotonic() > end:
                raise LabError(f"waited in vain: {what}")
            time.sleep(WAIT_S * max(1, len(self.nodes) / WAIT_NODES))

    # -- Running -------------------------------------------------------------------------------

    def run(self):
        """Obey until told to end."""
        while not self.is_ending:
            self.obey_next(0.2)
            self.step()

    def obey_while_starting(self):
        """What has been asked by now. Raises LabError if that is the end."""
        while self.obey_next(0):
            if self.is_ending:
                raise LabError("it was ended by 'lab down'")

    def obey_next(self, seconds):
        """Returns: was there a request in that time?"""
        asked = self.server.next(seconds)
        if asked:
            request, answer = asked
            answer.put(self.obey(request))
        return asked is not None

    def obey(self, request):
        try:
            if not self.is_open and request["command"] not in WHILE_STARTING:
                raise LabError("the lab is still starting: 'lab status' shows how far it is")
            return REQUESTS[request["command"]](self, request)
        except LabError as error:
            return {"error": str(error)}
        except (OSError, rpc.RpcError) as error:
            return {"error": f"{request['command']}: {error}"}
        except (KeyError, TypeError, ValueError) as error:
            return {"error": f"not understood: {error!r}"}

    def step(self):
        """Notice who has died; let nodes come and go."""
        now_s = time.monotonic()
        for node in self.nodes:
            if node.is_wanted and not node.is_up():
                self.note(f"{node.name} has ended by itself: {node.why_ended()}")
                node.is_wanted = node.view.answers = False
        for node in [n for n, at_s in self.returns.items() if at_s <= now_s]:
            del self.returns[node]
            if node.process and not node.is_up():
                node.start()
            elif not node.is_wanted:
                self.returns[node] = now_s + 1
        if self.config["churn"] and now_s >= self.next_churn_s and not self.is_paused:
            self.churn(now_s)

    def churn(self, now_s):
        """One node goes, politely or not, and comes back."""
        each_s = CHURN_PERIOD_S / (self.config["churn"] * len(self.nodes))
        self.next_churn_s = now_s + self.lot.expovariate(1 / each_s)
        there = self.answering()
        if len(there) < 2:
            return
        node = self.lot.choice(there)
        node.signal(self.lot.choice((signal.SIGTERM, signal.SIGKILL)))
        self.returns[node] = now_s + self.lot.uniform(1, 2 * CHURN_REST_S)

    def table(self, is_brief=False):
        rows = []
        measure = len(self.nodes) <= PSS_NODES_MAX or not is_brief
        for node in self.nodes:
            view = node.view
            rows.append({
                "id": node.id, "name": node.name, "core": bool(node.core), "up": node.is_up(),
                "answers": view.answers, "pid": node.process.pid if node.is_up() else None,
                "height": view.height, "tip": view.tip, "in": view.inbound, "out": view.outbound,
                "mempool": view.mempool, "address": node.endpoint,
                "pss_kb": pss_kb(node.process.pid) if node.is_up() and measure else 0})
        return rows

    def end(self):
        """Stop every node, then the links."""
        self.is_ending = True
        for node in self.nodes:
            node.signal(signal.SIGTERM)
        for node in self.nodes:
            node.wait(state.STOP_S)
        self.folder.sweep()


def raise_limits():
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))


def main(folder, build, ready_fd, is_detached):
    """The lab of a locked folder until it is told to end. What happens at the start is told at
    ready_fd, in one line; who reads there takes the lab with it unless it is detached."""
    os.set_inheritable(folder.lock_fd, False)
    raise_limits()
    lab = Lab(folder, build)
    ready = socket.socket(fileno=ready_fd)
    # Not in a handler: requests and signals come at the same place.
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        signal.signal(number, lambda *_: (_ for _ in ()).throw(KeyboardInterrupt()))
    threading.Thread(target=end_with, args=(lab, ready), daemon=True).start()
    said = "ok"
    try:
        begin_s = time.monotonic()
        lab.begin()
        lab.is_on_its_own = is_detached
        ready.sendall(f"ok {time.monotonic() - begin_s:.2f}\n".encode())
        lab.run()
    except (LabError, rpc.RpcError) as error:
        said = str(error)
    except OSError as error:
        said = f"{error.filename or 'the lab'}: {error.strerror or error}"
    except KeyboardInterrupt:
        said = "interrupted"
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)
    lab.end()
    if said != "ok":
        lab.note(said)
        try:
            ready.sendall(f"error {said}\n".encode())
        except OSError:
            pass
    return 0 if said == "ok" else 1


def end_with(lab, ready):
    """End when who started the lab does."""
    try:
        while ready.recv(1):
            pass
    except OSError:
        pass
    if not lab.is_on_its_own:
        os.kill(os.getpid(), signal.SIGTERM)
