"""watch.py - threads of a running lab: asking the nodes, mining, load, and mesh.json."""
import os
import random
import threading
import time

from labkit import load, rpc, state

POLLERS = 4
POLLS_A_SECOND_MAX = 100  # of a big lab each node has its turn
POLL_S = 0.9
HASTY_POLL_S = 0.03
HASTY_POLLS_A_SECOND_MAX = 200  # a big lab needs the processors for itself while it begins
TROUBLE = (OSError, rpc.RpcError, KeyError, TypeError)


class Poller:
    """Asks each node how it is, about once a second; as fast as it can while the lab begins."""

    def __init__(self, lab):
        self.lab, self.is_hasty = lab, True
        for number in range(POLLERS):
            threading.Thread(target=self._run, args=(number,), daemon=True).start()

    def _run(self, number):
        while not self.lab.is_ending:
            begin = time.monotonic()
            mine = [node for node in list(self.lab.nodes) if node.id % POLLERS == number]
            for node in mine:
                self._poll(node)
                if not self.is_hasty and len(self.lab.nodes) > POLLS_A_SECOND_MAX:
                    time.sleep(POLLERS / POLLS_A_SECOND_MAX)
            time.sleep(max(self._period_s() - (time.monotonic() - begin), 0.01))

    def _period_s(self):
        if not self.is_hasty:
            return POLL_S
        return max(HASTY_POLL_S, len(self.lab.nodes) / HASTY_POLLS_A_SECOND_MAX)

    def _poll(self, node):
        if not node.is_up() or not node.is_wanted or self.lab.is_ending:
            return
        if self.is_hasty and self.lab.has_first_blocks(node):
            return
        was_there = node.view.answers
        try:
            node.poll()
        except TROUBLE:
            node.view.answers = False
            return
        if not was_there:
            self.lab.on_answer(node)


class Miner:
    """A block now and then, by any node that answers: each node has the same share of the work,
    those of a small part of a partition too."""

    def __init__(self, lab):
        self.lab = lab
        self.lot = random.Random(f"mining/{lab.config['seed']}")
        self.mined = 0
        threading.Thread(target=self._run, daemon=True).start()

    def _run(self):
        while not self.lab.is_ending:
            block_s = self.lab.config["block_time_s"]
            if not block_s or not self.lab.is_open:
                time.sleep(0.05)
                continue
            wait_s = self.lot.expovariate(1) if not self.lab.config["fixed_blocks"] else 1
            self._sleep(wait_s * block_s)
            nodes = self.lab.answering()
            if nodes and not self.lab.is_paused:
                self.mine(self.lot.choice(nodes), 1)

    def _sleep(self, seconds):
        end = time.monotonic() + seconds
        while time.monotonic() < end and not self.lab.is_ending:
            time.sleep(min(0.1, max(end - time.monotonic(), 0)))

    def mine(self, node, n):
        """Returns: their hashes; none if the node does not answer"""
        try:
            pays = node.rpc.call("decodescript", load.PAYS.hex())["address"]
            hashes = node.rpc.call("generatetoaddress", n, pays)
        except TROUBLE as error:
            self.lab.note(f"{node.name} did not mine: {error}")
            return []
        self.mined += len(hashes)
        return hashes


class Sender:
    """Transactions at the rate of lab.config["tx_rate"], each to any node that answers."""

    def __init__(self, lab):
        self.lab, self.load = lab, load.Load()
        self.lot = random.Random(f"load/{lab.config['seed']}")
        threading.Thread(target=self._run, daemon=True).start()

    def _run(self):
        due, last, next_refill = 0.0, time.monotonic(), 0
        while not self.lab.is_ending:
            time.sleep(0.05)
            now = time.monotonic()
            rate = self.lab.config["tx_rate"]
            due = min(due + rate * (now - last), max(rate, 1))
            last = now
            nodes = self.lab.answering()
            if not rate or not nodes or self.lab.is_paused:
                continue
            try:
                if now >= next_refill:
                    next_refill = now + 1
                    self.refill(max(nodes, key=lambda node: node.view.height))
                if due >= 1:
                    n, due = int(due), due - int(due)
                    self.load.send(self.lot.choice(nodes), n)
            except TROUBLE:
                pass  # of a node that has just gone; the next one is another

    def refill(self, node):
        # Ten spends of each coin in the time of a block are far from the limits of chains.
        wanted = max(self.lab.config["tx_rate"] * max(self.lab.config["block_time_s"], 1) / 5, 100)
        self.load.refill(node, wanted, node.view.height)


class MeshWriter:
    """mesh.json, each second: the nodes and links as the dashboard shows them."""

    def __init__(self, lab):
        self.lab = lab
        threading.Thread(target=self._run, daemon=True).start()

    def _run(self):
        while not self.lab.is_ending:
            try:
                self.write()
            except OSError as error:
                self.lab.note(f"mesh.json: {error.strerror}")
            time.sleep(1)

    def write(self):
        nodes, links = [], []
        for node in list(self.lab.nodes):
            view = node.view
            nodes.append({"id": node.id, "name": node.name, "height": view.height, "tip": view.tip,
                          "up": node.is_up() and view.answers,
                          "peers": view.inbound + view.outbound if view.answers else 0})
            if view.answers:
                links += [{"from": node.id, "to": to, "rtt_ms": rtt_ms}
                          for to, rtt_ms in sorted(view.rtts_ms.items())]
        if os.path.isdir(self.lab.folder.path):
            state.write_json(self.lab.folder.at("mesh.json"),
                             {"time": int(time.time()), "nodes": nodes, "links": links})
