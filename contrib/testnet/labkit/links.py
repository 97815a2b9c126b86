"""links.py - what lies between the nodes: cairn-link with a namespace for each node, where root
allows them; or relays on loopback (relay.py), one for each link."""
import os
import socket
import time

from labkit import relay
from labkit.units import LabError

NO_RULE = {"delay_ms": 0, "jitter_ms": 0, "loss": 0, "rate": 0}
RELAYED_NODES_MAX = 64  # more talk to each other directly: a relay in Python is no network card


class NetnsLinks:
    """Asks cairn-link, whose process number is in the paths of the namespaces."""

    def __init__(self, lab):
        self.lab, self.socket = lab, None
        program = os.path.join(lab.bin, "cairn-link")
        with open(lab.folder.at("lab.log"), "ab") as out:
            # By a short way to it: sockets have paths of 107 characters at most.
            lab.folder_fd = os.open(lab.folder.path, os.O_PATH | os.O_CLOEXEC)
            short = f"/proc/{os.getpid()}/fd/{lab.folder_fd}/link"
            self.process = lab.spawn([program, "serve", short, str(lab.config["seed"])], None, out)
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        end = time.monotonic() + 10
        # The file is there a moment before it can be connected to.
        while error := self._try_connect(short):
            if self.process.poll() is not None or time.monotonic() > end:
                raise LabError(f"cairn-link did not start: {error}")
            time.sleep(0.005)

    def _try_connect(self, path):
        """Returns: what is in the way, or None."""
        try:
            self.socket.connect(path)
        except OSError as error:
            return error
        return None

    def _ask(self, line):
        try:
            self.socket.send(line.encode())
            answer = self.socket.recv(65536).decode()
        except OSError as error:
            raise LabError(f"cairn-link does not answer: {error}") from error
        if not answer.startswith("ok"):
            raise LabError(f"cairn-link: {answer[6:] or 'it is gone'}")
        return answer.split()[1:]

    def add(self, node):
        fd, address = self._ask(f"add {node.id}")
        assert address == node.address
        node.namespace = f"/proc/{self.process.pid}/fd/{fd}"

    @staticmethod
    def _words(rule):
        return (f"{round(rule['delay_ms'] * 1000)} {round(rule['jitter_ms'] * 1000)} "
                f"{round(rule['loss'] * 1e6)} {int(rule['rate'])}")

    def set_all(self, rule):
        self._ask("link * * " + self._words(rule))
        self._ask("reset")

    def set_pair(self, a, b, rule):
        """Both ways."""
        self._ask(f"link {a} {b} " + self._words(rule))
        self._ask(f"link {b} {a} " + self._words(rule))

    def partition(self, groups):
        self._ask("heal")
        for number, group in enumerate(groups):
            self._ask(f"group {number} " + " ".join(map(str, group)))

    def heal(self):
        self._ask("heal")

    @staticmethod
    def way(_, node):
        """Where to dial a node."""
        return node.endpoint

    def figures(self):
        words = self._ask("stats")
        return {words[i]: int(words[i + 1]) for i in range(0, len(words), 2)}


class LoopbackLinks:
    """A relay for each link, in a thread of its own. Loss is a retransmission's wait there."""

    def __init__(self, lab):
        self.lab = lab
        self.all, self.pairs, self.group = dict(NO_RULE), {}, {}
        self.relays = None
        if len(lab.nodes) <= RELAYED_NODES_MAX:
            self.relays = relay.Relays(lab.config["seed"], self._rule)

    def add(self, node):
        """Its links are made as they are asked for."""

    def way(self, a, node):
        if not self.relays:
            return node.endpoint
        return self.relays.endpoint(a.id, node.id, (node.address, self.lab.port))

    def _rule(self, a, b):
        """What a relay obeys; None: nothing passes."""
        if self.group.get(a, 0) != self.group.get(b, 0):
            return None
        return self.pairs.get((min(a, b), max(a, b)), self.all)

    def _need_relays(self):
        if not self.relays:
            raise LabError(f"on loopback, links of more than {RELAYED_NODES_MAX} nodes cannot be "
                           "shaped or cut: that takes root, for namespaces")

    def set_all(self, rule):
        if rule != NO_RULE:
            self._need_relays()
        self.all, self.pairs = rule, {}

    def set_pair(self, a, b, rule):
        self._need_relays()
        self.pairs[(min(a, b), max(a, b))] = rule

    def partition(self, groups):
        self._need_relays()
        self.group = {node: i for i, group in enumerate(groups) for node in group}

    def heal(self):
        self.group = {}

    def figures(self):
        return {"bytes": self.relays.n_bytes, "lost": self.relays.n_lost} if self.relays else {}
