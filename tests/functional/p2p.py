"""p2p.py - a peer that speaks the protocol, v1 or v2, as honest or as hostile as a test wants it.

Each peer has a thread that reads. What comes in is counted and the latest messages are kept; a peer
answers by itself as an honest one does (version, ping, getheaders and getdata for what it has),
but for those names in its set `mute`. Messages are made from the BIPs and the protocol's
documentation, independently of the code under test.
"""
import collections
import os
import random
import select
import socket
import struct
import threading
import time

import bip324
import chain
from framework import Failure, free_port, wait_until

VERSION = 70016
NODE_NETWORK, NODE_WITNESS, NODE_NETWORK_LIMITED = 1, 8, 1024
INV_TX, INV_BLOCK, INV_WTX, INV_WITNESS = 1, 2, 5, 1 << 30
HEADERS_MAX = 2000
KEPT_MAX = 20000  # messages of which a peer keeps the contents


# -- Messages ----------------------------------------------------------------------------------

def frame(name, payload=b"", magic=chain.REGTEST_MAGIC, checksum=None, length=None):
    checksum = chain.sha256d(payload)[:4] if checksum is None else checksum
    length = len(payload) if length is None else length
    return magic + name.encode().ljust(12, b"\0") + struct.pack("<I", length) + checksum + payload


def address(services=NODE_NETWORK | NODE_WITNESS, port=0):
    return struct.pack("<Q", services) + bytes(10) + b"\xff\xff\x7f\x00\x00\x01" + struct.pack(
        ">H", port)


def version(services=NODE_NETWORK | NODE_WITNESS, when=None, height=0, agent=b"/harness:1/",
            relay=True, nonce=None, number=VERSION):
    when = int(time.time()) if when is None else when
    nonce = random.getrandbits(64) if nonce is None else nonce
    return (struct.pack("<iQq", number, services, when) + address(0) + address(services) +
            struct.pack("<Q", nonce) + chain.var_bytes(agent) + struct.pack("<i?", height, relay))


def inv(items):
    """Of inv, getdata and notfound: items are (type, hash)."""
    return chain.compact_size(len(items)) + b"".join(
        struct.pack("<I", kind) + digest for kind, digest in items)


def read_size(data, at):
    """A CompactSize: (value, where it ends)."""
    first = data[at]
    if first < 253:
        return first, at + 1
    width = {253: 2, 254: 4, 255: 8}[first]
    return int.from_bytes(data[at + 1:at + 1 + width], "little"), at + 1 + width


def read_inv(data):
    count, at = read_size(data, 0)
    return [(struct.unpack_from("<I", data, at + 36 * i)[0],
             data[at + 36 * i + 4:at + 36 * i + 36]) for i in range(count)]


def headers(raw_headers):
    return chain.compact_size(len(raw_headers)) + b"".join(h + b"\0" for h in raw_headers)


def read_headers(data):
    count, at = read_size(data, 0)
    return [data[at + 81 * i:at + 81 * i + 80] for i in range(count)]


def locator(hashes, stop=bytes(32)):
    """Of getheaders and getblocks."""
    return struct.pack("<i", VERSION) + chain.compact_size(len(hashes)) + b"".join(hashes) + stop


def read_locator(data):
    count, at = read_size(data, 4)
    return [data[at + 32 * i:at + 32 * i + 32] for i in range(count)], data[-32:]


# -- What peers serve ----------------------------------------------------------------------------

class Store:
    """A chain of blocks and some transactions; several peers may share it."""

    def __init__(self, blocks=()):
        self.order, self.places, self.raw, self.txs = [], {chain.GENESIS: -1}, {}, {}
        self.headers = []
        self.add(*blocks)

    def add(self, *blocks):
        """Blocks on top of the last one, as chain.Block or as bytes."""
        for block in blocks:
            raw = block if isinstance(block, (bytes, memoryview)) else block.encode()
            digest = chain.sha256d(raw[:80])
            self.places[digest] = len(self.order)
            self.order.append(digest)
            self.headers.append(bytes(raw[:80]))
            self.raw[digest] = raw
        return self

    def add_tx(self, tx):
        self.txs[tx.txid()] = self.txs[tx.wtxid()] = tx.encode()

    def after(self, hashes, stop):
        """The headers that a getheaders message asks for."""
        start = next((self.places[h] + 1 for h in hashes if h in self.places), 0)
        end = self.places.get(stop, len(self.order)) + 1
        return self.headers[start:min(end, start + HEADERS_MAX)]

    @classmethod
    def of_file(cls, path):
        with open(path, "rb") as file:
            data = file.read()
        blocks, at = [], 0
        while at + 8 <= len(data):
            size = struct.unpack_from("<I", data, at + 4)[0]
            blocks.append(memoryview(data)[at + 8:at + 8 + size])
            at += 8 + size
        if chain.sha256d(blocks[0][:80]) == chain.GENESIS:
            blocks = blocks[1:]
        return cls(blocks)


# -- Peers -----------------------------------------------------------------------------------------

class Peer:
    """One connection. Use connect() or Listener; all that it takes from the node is counted."""

    def __init__(self, sock, store=None, mute=(), on_message=None, session=None, **how):
        self.session = session        # of the encrypted transport; None: v1
        self.sock, self.store, self.mute = sock, store or Store(), set(mute)
        self.on_message = on_message  # (peer, name, payload) -> True: dealt with
        self.how = how                # of our version message
        self.messages = collections.deque(maxlen=KEPT_MAX)
        self.count, self.sizes = collections.Counter(), collections.Counter()
        self.read_bytes = 0           # off the socket
        self.last_ms = 0.0
        self.asked = []               # (type, hash) of every getdata
        self.closed = threading.Event()
        self.encrypted = threading.Event()
        self.reading = threading.Event()
        self.reading.set()
        self.lock = threading.Lock()
        self.said_version = False
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.thread = threading.Thread(target=self.run, daemon=True)

    def start(self):
        self.thread.start()
        return self

    # Sending.

    def send_raw(self, data):
        """Returns whether the connection still was there."""
        try:
            with self.lock:
                self.sock.sendall(data)
            return True
        except OSError:
            return False

    def send(self, name, payload=b"", **how):
        if not self.session:
            return self.send_raw(frame(name, payload, **how))
        return self.send_packet(bip324.contents_of(name, payload), **how)

    def wire(self, name, payload=b""):
        """The bytes of a message, which must be sent before any other."""
        if not self.session:
            return frame(name, payload)
        with self.lock:
            return self.session.seal(bip324.contents_of(name, payload))

    def send_announced(self, name, length, start=b""):
        """A message that is said to have so long a payload, and no more of it than its start."""
        if not self.session:
            return self.send_raw(frame(name, b"", checksum=bytes(4), length=length) + start)
        size = len(bip324.contents_of(name, b"")) + length
        packet = self.session.seal(bip324.contents_of(name, start), size=min(size, (1 << 24) - 1))
        return self.send_raw(packet[:-16])

    def send_packet(self, contents, **how):
        """One packet of the encrypted transport, sealed in the order in which it is sent."""
        try:
            with self.lock:
                self.sock.sendall(self.session.seal(contents, **how))
            return True
        except OSError:
            return False

    def begin(self):
        """The first message, as soon as it can be said."""
        if self.session:
            wait_until(lambda: self.encrypted.is_set() or self.closed.is_set(), 20, "the keys")
        self.say_version()

    def say_version(self):
        self.said_version = True
        self.send("version", version(**self.how))

    # Receiving.

    def run(self):
        data = bytearray()
        try:
            if self.session:
                self.send_raw(self.session.greeting())
            while True:
                while not self.reading.is_set():
                    time.sleep(0.02)
                if not select.select([self.sock], [], [], 0.2)[0]:
                    continue
                part = self.sock.recv(1 << 18)
                if not part:
                    break
                self.read_bytes += len(part)
                data += part
                self.take(data)
        except (OSError, ValueError):
            pass
        self.closed.set()

    def take(self, data):
        if not self.session:
            self.take_frames(data)
            return
        was_ready = self.session.is_ready
        contents = self.session.take(data, self.send_raw)
        if self.session.is_ready and not was_ready:
            self.encrypted.set()
        for name, payload in map(bip324.message_of, contents):
            self.handle(name, payload)

    def take_frames(self, data):
        while len(data) >= 24:
            size = struct.unpack_from("<I", data, 16)[0]
            if len(data) < 24 + size:
                return
            name, payload = data[4:16].rstrip(b"\0").decode(), bytes(data[24:24 + size])
            if data[:4] != chain.REGTEST_MAGIC or data[20:24] != chain.sha256d(payload)[:4]:
                raise Failure(f"a bad frame from the node: {bytes(data[:24])!r}")
            del data[:24 + size]
            self.handle(name, payload)

    def handle(self, name, payload):
        self.last_ms = time.monotonic() * 1000
        if name == "getdata":
            self.asked += read_inv(payload)
        if not (self.on_message and self.on_message(self, name, payload)) and name not in self.mute:
            self.answer(name, payload)
        self.messages.append((name, payload))
        self.sizes[name] += len(payload)
        self.count[name] += 1  # last: who waits for the count sees the rest

    def answer(self, name, payload):
        if name == "version":
            if not self.said_version:
                self.say_version()
            self.send("wtxidrelay")
            self.send("sendaddrv2")
            self.send("verack")
        elif name == "ping":
            self.send("pong", payload)
        elif name == "getheaders":
            self.send("headers", headers(self.store.after(*read_locator(payload))))
        elif name == "getdata":
            self.deliver(read_inv(payload))

    def deliver(self, items):
        missing = []
        for kind, digest in items:
            if kind & ~INV_WITNESS == INV_BLOCK and digest in self.store.raw:
                self.send("block", bytes(self.store.raw[digest]))
            elif kind & ~INV_WITNESS != INV_BLOCK and digest in self.store.txs:
                self.send("tx", self.store.txs[digest])
            else:
                missing.append((kind, digest))
        if missing:
            self.send("notfound", inv(missing))

    # Waiting.

    def ready(self, seconds=20):
        """The handshake is over, at both ends."""
        wait_until(lambda: self.count["verack"] or self.closed.is_set(), seconds, "verack")
        self.sync(seconds)
        return self

    def sync(self, seconds=20):
        """All that was sent so far has been handled. Raises if the node hung up."""
        if self.ping(seconds) is None:
            raise Failure("the node hung up")

    def ping(self, seconds=20):
        """Seconds until the answer; None if the node hung up."""
        nonce = random.getrandbits(64).to_bytes(8, "little")
        start = time.monotonic()
        self.send("ping", nonce)

        def there():
            return self.closed.is_set() or self.has("pong", nonce)
        wait_until(there, seconds, "pong", 0.0005)
        return time.monotonic() - start if self.has("pong", nonce) else None

    def has(self, name, payload):
        return any(m == (name, payload) for m in reversed(tuple(self.messages)))

    def got(self, name):
        """The payloads of all messages of that name."""
        return [payload for n, payload in tuple(self.messages) if n == name]

    def wait(self, name, n=1, seconds=20):
        """Wait until n messages of that name are here; returns the last one's payload."""
        wait_until(lambda: self.count[name] >= n or self.closed.is_set(), seconds, f"{n} {name}")
        if self.count[name] < n:
            raise Failure(f"the node hung up before {name}")
        return self.got(name)[-1]

    def wait_asked(self, digest, seconds=20):
        wait_until(lambda: any(d == digest for _, d in tuple(self.asked)), seconds,
                   f"getdata of {chain.display(digest)}")

    def wait_closed(self, seconds=20):
        wait_until(self.closed.is_set, seconds, "the node to hang up")

    def stop_reading(self):
        self.reading.clear()

    def close(self):
        try:
            self.sock.shutdown(socket.SHUT_RDWR)
        except OSError:
            pass
        self.sock.close()


def dial(port, receive_buffer=None, host="127.0.0.1"):
    """A socket to the node."""
    sock = socket.socket()
    if receive_buffer:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer)
    sock.connect((host, port))
    return sock


def v2_session(**how):
    """Of who dials; how: what bip324.Session takes."""
    return bip324.Session(chain.REGTEST_MAGIC, True, **how)


def connect(context, node, store=None, receive_buffer=None, shake=True, v2=None, **how):
    """A peer that connects to node.p2p_port; ready unless shake is False (then it says nothing).

    In: v2  encrypted; if it is not given, what context.v2 says"""
    if v2 if v2 is not None else context.v2:
        how.setdefault("session", v2_session())
    peer = Peer(dial(node.p2p_port, receive_buffer), store, **how).start()
    context.cleanups.append(peer.close)
    if shake:
        peer.begin()
        peer.ready()
    return peer


def speaks_v1(sock):
    """Who has dialled speaks first. Looks, and takes nothing."""
    sock.settimeout(20)
    try:
        return sock.recv(4, socket.MSG_PEEK | socket.MSG_WAITALL) == chain.REGTEST_MAGIC
    except OSError:
        return False
    finally:
        sock.settimeout(None)


class Listener:
    """Accepts connections of nodes (-connect=, addnode): the first peer's turn is make_peer."""

    def __init__(self, context, store=None, v2=None, **how):
        self.store, self.how, self.peers = store, how, []
        self.v2 = v2 if v2 is not None else context.v2
        self.v2_how = {}  # what bip324.Session takes
        self.sock = socket.socket()
        self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self.port = free_port()
        self.sock.bind(("127.0.0.1", self.port))
        self.sock.listen(16)
        self.address = f"127.0.0.1:{self.port}"
        context.cleanups.append(self.close)
        threading.Thread(target=self.run, daemon=True).start()

    def run(self):
        try:
            while True:
                sock, _ = self.sock.accept()
                how = dict(self.how)
                if not speaks_v1(sock):
                    if not self.v2:
                        sock.close()  # as a node without BIP324: it will call again
                        continue
                    how["session"] = bip324.Session(chain.REGTEST_MAGIC, False, **self.v2_how)
                self.peers.append(Peer(sock, self.store, **how).start())
        except OSError:
            pass

    def peer(self, seconds=20):
        """The latest peer, ready."""
        wait_until(lambda: self.peers, seconds, "a connection")
        return self.peers[-1].ready(seconds)

    def close(self):
        self.sock.close()
        for peer in self.peers:
            peer.close()


# -- Nodes -----------------------------------------------------------------------------------------

def node(context, *options, name="node"):
    """A started node that takes connections at node.p2p_port; all may send transactions."""
    port = free_port()
    made = context.node(name, ("-listen=1", f"-bind=127.0.0.1:{port}", "-debug=net",
                               "-inboundrelaypercent=100", *options))
    made.p2p_port, made.p2p = port, f"127.0.0.1:{port}"
    return made.start()


def link(one, two):
    """Connect two nodes, by a peer that is tried again if it goes."""
    one.rpc.addnode(two.p2p, "add")
    wait_until(lambda: any(p["addr"] == two.p2p and p["version"] for p in one.rpc.getpeerinfo()),
               20, "the connection")


def measures_memory(context):
    """False under sanitizers, which keep what was freed."""
    with open(os.path.join(context.bin, "cairnd"), "rb") as file:
        return b"__asan_init" not in file.read() and "tsan" not in context.bin


def resident_kb(process):
    with open(f"/proc/{process.pid}/status", encoding="ascii") as file:
        return int(next(line for line in file if line.startswith("VmRSS")).split()[1])


def cpu_seconds(process):
    with open(f"/proc/{process.pid}/stat", encoding="ascii") as file:
        words = file.read().rsplit(")", 1)[1].split()
    return (int(words[11]) + int(words[12])) / 100


def go_first(pid):
    """Before all else that runs here, where we may: it is the node that is to be measured, not what
    this machine does besides. What is started later does not inherit it.

    Returns: whether we may"""
    try:
        for thread in os.listdir(f"/proc/{pid}/task"):
            os.sched_setscheduler(int(thread), os.SCHED_RR | os.SCHED_RESET_ON_FORK,
                                  os.sched_param(1))
        return True
    except PermissionError:
        return False
