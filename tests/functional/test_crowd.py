"""A crowd that connects: the node keeps as many as it may, and those who were there do not notice.

Connections come from all over 127.0.0.0/8, as fast as four programs can make them; each says
nothing, a version, all of a greeting, or 64 bytes that begin the encrypted transport.
"""
import multiprocessing
import os
import queue
import random
import selectors
import socket
import statistics
import threading
import time

import framework
import p2p
from framework import equal, wait_until
from test_net_hazards import is_alive, started

KEPT = 200           # of -maxconnections, beside the places kept for those that the node dials
OWN_PLACES = 11      # Core: 8 full relay, 2 for blocks, a feeler
PROGRAMS = 4
PART = 20            # attempts that a program is ordered to make at a time
HONEST = 3
TURNS = 5            # of the crowd at the node, and as many at nobody
CALM_S = 2           # how long pings are measured without a crowd
GROWTH_KB = 20_000   # 20 MB
# How well times are known, by who goes before all else, and by who may not.
SLACK_MS, SHARED_SLACK_MS = 0.1, 3

HELLO = p2p.frame("version", p2p.version())
PING = p2p.frame("ping", bytes(8))
GREETINGS = (lambda rng: b"", lambda rng: HELLO, lambda rng: HELLO + p2p.frame("verack"),
             lambda rng: HELLO + p2p.frame("wtxidrelay") + p2p.frame("verack"),
             lambda rng: rng.randbytes(64))


class Connections:
    """Those of one program of the crowd: it reads what comes, and forgets who hung up on it."""

    def __init__(self, seed):
        self.rng, self.places = random.Random(seed), selectors.DefaultSelector()

    def connect(self, port):
        sock = socket.socket()
        try:
            source = [self.rng.randrange(1, 255) for _ in range(3)]
            sock.bind(("127.{}.{}.{}".format(*source), 0))
            sock.settimeout(20)
            sock.connect(("127.0.0.1", port))
            sock.sendall(self.rng.choice(GREETINGS)(self.rng))
            sock.setblocking(False)
            self.places.register(sock, selectors.EVENT_READ)
        except ConnectionError:
            sock.close()  # hung up on at once: an attempt like the others

    def look(self):
        """Take what came."""
        for key, _ in self.places.select(0):
            sock = key.fileobj
            try:
                if sock.recv(1 << 16):
                    continue
            except OSError:
                pass
            self.places.unregister(sock)
            sock.close()


def program(seed, orders, done):
    """Take orders: (port, attempts), or None to leave."""
    os.nice(10)  # it is the node's delay that is to be seen, not that of this machine
    mine = Connections(seed)
    while True:
        mine.look()
        try:
            order = orders.get(timeout=0.05)
        except queue.Empty:
            continue
        if not order:
            return
        for _ in range(order[1]):
            mine.connect(order[0])
            mine.look()
        done.put(order)


def hold(sock):
    """For who has nothing to do with the node: holds as many connections as a node would."""
    held = []
    while True:
        held.append(sock.accept()[0])
        if len(held) > KEPT:
            held.pop(0).close()


def process(context, function, *args):
    one = multiprocessing.Process(target=function, daemon=True, args=args)
    one.start()
    context.cleanups.append(one.kill)
    return one


class Crowd:
    """All of them."""

    def __init__(self, context):
        self.orders, self.done = multiprocessing.Queue(), multiprocessing.Queue()
        self.programs = [process(context, program, context.random.getrandbits(64), self.orders,
                                 self.done) for _ in range(PROGRAMS)]

    def attempt(self, port, n):
        """n attempts at a port. Returns seconds until all were made."""
        start = time.monotonic()
        parts = n // PART
        for _ in range(parts):
            self.orders.put((port, PART))
        for _ in range(parts):
            self.done.get(timeout=60 + n / 50)
        return time.monotonic() - start

    def leave(self):
        for _ in self.programs:
            self.orders.put(None)
        for one in self.programs:
            one.join(30)
            equal(one.exitcode, 0, "exit status of a program")


class Pings:
    """Times of an honest peer's pings, one after another: those of v1, by a thread of its own."""

    def __init__(self, context, node):
        self.sock, self.data, self.times = p2p.dial(node.p2p_port), bytearray(), []
        context.cleanups.append(self.sock.close)
        self.sock.settimeout(20)
        self.sock.sendall(HELLO + p2p.frame("verack"))
        self.await_message("verack")
        self.ended = threading.Event()

    def await_message(self, name):
        """Take what comes until that is among it."""
        while True:
            while len(self.data) >= 24:
                end = 24 + int.from_bytes(self.data[16:20], "little")
                if len(self.data) < end:
                    break
                found = self.data[4:16].rstrip(b"\0") == name.encode()
                del self.data[:end]
                if found:
                    return
            part = self.sock.recv(1 << 16)
            assert part, "the node hung up on an honest peer"
            self.data += part

    def run(self):
        while not self.ended.is_set():
            start = time.monotonic()
            self.sock.sendall(PING)
            self.await_message("pong")
            self.times.append(time.monotonic() - start)
            time.sleep(0.002)

    def during(self, work):
        """Times of pings while work() goes on, and its answer."""
        self.times = []
        self.ended.clear()
        thread = threading.Thread(target=self.run, daemon=True)
        thread.start()
        p2p.go_first(os.getpid())
        try:
            answer = work()
        finally:
            self.ended.set()
            thread.join(30)
        assert len(self.times) > 1 and not thread.is_alive()
        return self.times, answer


def test_a_crowd_that_connects(context):
    """10,000 connections attempted (1,000 in short), 200 kept: less than 20 MB more, the honest
    peers stay, and their pings take at most twice what they do otherwise: measured by turns, since
    this machine may have other things to do. Where we may not go before these, one quiet turn will
    do."""
    n = 10_000 if context.soak else 1_000
    node, _ = started(context, "-debug=0", f"-maxconnections={KEPT + OWN_PLACES}")
    honest = [p2p.connect(context, node) for _ in range(HONEST)]
    nobody, crowd = socket.create_server(("127.0.0.1", 0), backlog=128), Crowd(context)
    process(context, hold, nobody)
    before, took_s, busy, hit = p2p.resident_kb(node.process), 0.0, [], []
    pings = Pings(context, node)
    is_first = p2p.go_first(node.process.pid)
    calm = pings.during(lambda: time.sleep(CALM_S))[0]
    for _ in range(TURNS):
        busy.append(pings.during(lambda: crowd.attempt(
            nobody.getsockname()[1], n // TURNS))[0])
        times, seconds = pings.during(lambda: crowd.attempt(node.p2p_port, n // TURNS))
        hit.append(times)
        took_s += seconds
    wait_until(lambda: node.rpc.getconnectioncount() == KEPT, 20, "as many as may be")
    grown = p2p.resident_kb(node.process) - before
    medians = [1000 * statistics.median(sum(times, [])) for times in ([calm], busy, hit)]
    least_ms = 1000 * min(statistics.median(times) for times in hit)
    print(f"figures: {n} connections attempted in {took_s:.1f} s, {KEPT} kept, {grown} kB more; a "
          f"ping took {medians[0]:.3f} ms before, {medians[1]:.3f} ms on a machine as busy, "
          f"{medians[2]:.3f} ms meanwhile (medians; {least_ms:.3f} ms in the best of {TURNS} turns,"
          f" {len(sum(hit, []))} pings)")
    for peer in honest:
        peer.sync()
    if p2p.measures_memory(context):
        assert grown < GROWTH_KB, grown
        slowed_ms, slack_ms = (medians[2], SLACK_MS) if is_first else (least_ms, SHARED_SLACK_MS)
        assert slowed_ms <= 2 * max(medians[:2]) + slack_ms, (slowed_ms, medians)
    crowd.leave()
    wait_until(lambda: node.rpc.getconnectioncount() == HONEST + 1, 20, "all of them gone")
    is_alive(node)
    node.stop()


if __name__ == "__main__":
    framework.main(globals())
