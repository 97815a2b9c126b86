"""The encrypted transport (BIP-324) against an end written for tests from the BIP: row 69.

What may be sent is taken, of any length; what may not ends the connection, without a byte of
memory that was not paid for.
"""
import csv
import multiprocessing
import os
import random
import socket
import time

import bip324
import chain
import framework
import p2p
import test_net_hazards
from framework import equal, wait_until
from test_net_hazards import is_alive, recent, started

OTHER_MAGIC = b"\xf9\xbe\xb4\xd9"  # of the main network
PREFIX = b"version\0\0\0\0\0"      # what a v1 connection begins with, after the magic


def rows(context, name):
    with open(context.vector(f"bips/0324/{name}_test_vectors.csv"), encoding="ascii") as file:
        return list(csv.DictReader(file))


def test_the_harness_agrees_with_the_vectors(context):
    """Of BIP-324, all of them: else what follows would prove little."""
    decoded = rows(context, "ellswift_decode")
    for row in decoded:
        u, t = (int(row["ellswift"][at:at + 64], 16) for at in (0, 64))
        equal(bip324.swift_decode(u, t), int(row["x"], 16), row["comment"])
    inverses = rows(context, "xswiftec_inv")
    for row in inverses:
        for case in range(8):
            t = bip324.swift_inverse(int(row["x"], 16), int(row["u"], 16), case)
            equal("" if t is None else f"{t:064x}", row[f"case{case}_t"], row["comment"])
    packets = rows(context, "packet_encoding")
    for row in packets:
        session = bip324.Session(OTHER_MAGIC, row["in_initiating"] == "1")
        session.secret = int(row["in_priv_ours"], 16)
        session.key = bytes.fromhex(row["in_ellswift_ours"])
        session.derive(bytes.fromhex(row["in_ellswift_theirs"]))
        equal(session.session_id.hex(), row["out_session_id"])
        equal(session.terminator.hex(), row["mid_send_garbage_terminator"])
        equal(session.their_terminator.hex(), row["mid_recv_garbage_terminator"])
        for _ in range(int(row["in_idx"])):
            session.seal(b"")
        contents = bytes.fromhex(row["in_contents"]) * int(row["in_multiply"])
        sealed = session.seal(contents, bytes.fromhex(row["in_aad"]), row["in_ignore"] == "1").hex()
        equal(row["out_ciphertext"] or sealed, sealed)
        assert sealed.endswith(row["out_ciphertext_endswith"]), row["in_idx"]
    equal((len(decoded), len(inverses), len(packets)), (76, 32, 7), "how many there are")


def test_blocks_and_transactions_both_ways(context):
    """An honest peer: both ends have one session, blocks and a transaction come and go."""
    context.v2 = True
    node = p2p.node(context, "-debug=net")
    blocks = recent(130)
    peer = p2p.connect(context, node, p2p.Store(blocks))
    info = node.rpc.getpeerinfo()[0]
    equal((info["transport_protocol_type"], info["session_id"]),
          ("v2", peer.session.session_id.hex()))
    peer.send("headers", p2p.headers([block.header() for block in blocks]))
    node.wait_tip(blocks[-1].id(), 30)
    reader = p2p.connect(context, node)
    tx = test_net_hazards.spend_to_hash(blocks[0])
    peer.store.add_tx(tx)
    peer.send("inv", p2p.inv([(p2p.INV_WTX, tx.wtxid())]))
    wait_until(lambda: node.rpc.getrawmempool() == [chain.display(tx.txid())], 20, "it is in")
    wait_until(lambda: tx.wtxid() in [digest for payload in reader.got("inv")
                                      for _, digest in p2p.read_inv(payload)], 40, "it is told of")
    reader.send("getdata", p2p.inv([(p2p.INV_WTX, tx.wtxid())]))
    equal(reader.wait("tx"), tx.encode())
    reader.send("getdata", p2p.inv([(p2p.INV_BLOCK | p2p.INV_WITNESS, blocks[7].hash())]))
    equal(reader.wait("block"), blocks[7].encode())
    node.stop()


def test_a_node_that_dials_encrypts(context):
    """The node initiates: the same, and its garbage is what its version packet vouches for."""
    node = p2p.node(context)
    blocks = recent(20)
    listener = p2p.Listener(context, p2p.Store(blocks), v2=True)
    node.rpc.addnode(listener.address, "add")
    peer = listener.peer()
    assert len(peer.session.received_garbage) <= bip324.GARBAGE_MAX
    node.wait_tip(blocks[-1].id(), 30)
    equal(node.rpc.getpeerinfo()[0]["session_id"], peer.session.session_id.hex())
    node.stop()


def test_who_is_dialled_may_send_garbage_and_decoys(context):
    """The same when the node initiates: every length in soak, a few in short."""
    node = p2p.node(context, "-debug=0")
    lengths = {0, 1, 15, 16, 17, 4079, 4080, bip324.GARBAGE_MAX}
    lengths = range(bip324.GARBAGE_MAX + 1) if context.soak else sorted(lengths)
    listener = p2p.Listener(context, v2=True)
    for n, length in enumerate(lengths):
        listener.v2_how = {"garbage": context.random.randbytes(length),
                           "decoys": ((), (0,), (3, 500))[n % 3]}
        node.rpc.addnode(listener.address, "onetry")
        wait_until(lambda n=n: len(listener.peers) > n, 10, "the call", 0.002)
        peer = listener.peers[n].ready()
        equal(node.rpc.getpeerinfo()[-1]["session_id"], peer.session.session_id.hex())
        peer.close()
        wait_until(lambda: node.rpc.getconnectioncount() == 0, 10, "it is gone", 0.002)
    listener.v2_how = {"garbage": bytes(bip324.GARBAGE_MAX + 1)}
    node.rpc.addnode(listener.address, "onetry")
    wait_until(lambda: listener.peers[-1].session.key and len(listener.peers) > len(lengths), 10,
               "the call")
    listener.peers[-1].wait_closed(5)
    print(f"{len(lengths)} lengths of garbage to a node that dials")
    node.stop()


def is_ready(context, node, **how):
    """A connection with these oddities works."""
    peer = p2p.connect(context, node, session=p2p.v2_session(**how), v2=True)
    equal(node.rpc.getpeerinfo()[-1]["session_id"], peer.session.session_id.hex())
    peer.close()
    wait_until(lambda: node.rpc.getconnectioncount() == 0, 10, "it is gone", 0.002)


def test_garbage_of_any_length_and_decoys(context):
    """Garbage up to its limit, decoys before the version and between messages, a version packet
    of a later BIP: nothing of it is seen by the messages. Every length in soak; in short, the unit
    test of v2.c has them."""
    node = p2p.node(context, "-debug=0")
    lengths = {0, 1, 15, 16, 17, 63, 64, 4079, 4080, bip324.GARBAGE_MAX}
    lengths |= {context.random.randrange(bip324.GARBAGE_MAX) for _ in range(8)}
    for length in range(bip324.GARBAGE_MAX + 1) if context.soak else sorted(lengths):
        is_ready(context, node, garbage=context.random.randbytes(length))
    is_ready(context, node, garbage=chain.REGTEST_MAGIC + b"verack" + bytes(30))
    for decoys in ((0,), (1, 0, 4000), (100_000,), (3,) * 300):
        is_ready(context, node, decoys=decoys, garbage=b"?" * 7)
    is_ready(context, node, version=os.urandom(900))
    peer = p2p.connect(context, node, v2=True)
    for length in (0, 1, 70_000):
        peer.send_packet(bytes(length), ignore=True)
        peer.sync()
    node.stop()


def test_keys_change_and_nobody_notices(context):
    """More than three times 224 packets in each direction; long names and short ones alike."""
    node = p2p.node(context, "-debug=0")
    peer = p2p.connect(context, node, v2=True)
    for i in range(700):
        nonce = i.to_bytes(8, "little")
        peer.send_packet(b"\0ping" + bytes(8) + nonce if i % 2 else b"\x12" + nonce)
    wait_until(lambda: peer.has("pong", (699).to_bytes(8, "little")), 30, "the last pong")
    equal([m for m in peer.got("pong")][-700:], [i.to_bytes(8, "little") for i in range(700)])
    node.stop()


def test_names_that_nobody_knows_are_passed_over(context):
    """Bytes without a name, names that are none, are cut off or not printable, packets without
    contents: as Core, which throws such messages away and stays."""
    node = p2p.node(context, "-debug=0")
    peer = p2p.connect(context, node, v2=True)
    for contents in (b"\x1d", b"\xff" + bytes(100), b"\0nonsense\0\0\0\0abc", b"\0" + b"x" * 12,
                     b"", b"\0", b"\0ping", b"\0ping\0x" + bytes(6), b"\0\1\2" + bytes(10)):
        peer.send_packet(contents)
        peer.sync()
    equal(peer.count["pong"], 1 + 9)
    node.stop()


def raw_dial(context, node):
    sock = p2p.dial(node.p2p_port)
    context.cleanups.append(sock.close)
    sock.settimeout(20)
    return sock


def is_closed(sock, seconds=5):
    """The node hangs up; what it sent before is thrown away. Returns how long that took."""
    start = time.monotonic()
    sock.settimeout(seconds)
    try:
        while sock.recv(65536):
            pass
    except ConnectionResetError:
        pass
    return time.monotonic() - start


def flip(data, at):
    data = bytearray(data)
    data[at] ^= 1
    return bytes(data)


def test_one_wrong_bit_anywhere_ends_the_connection(context):
    """In the terminator, a length, the contents, a tag, the garbage that is vouched for."""
    node, _ = started(context, "-debug=0")
    honest = p2p.connect(context, node)

    def spoiled(part):
        """A session whose reply has one bit flipped, then 5,000 bytes of nothing."""
        session = p2p.v2_session(garbage=b"g" * 40, decoys=(20,))
        sock = raw_dial(context, node)
        sock.sendall(flip(session.greeting(), 70) if part == "garbage" else session.greeting())
        data, sent = bytearray(), []
        while not sent:
            data += sock.recv(65536)
            session.take(data, sent.append)
        places = {"terminator": 0, "length": 16, "contents": 21, "tag": 16 + 3 + 21 + 15}
        reply = flip(sent[0], places[part]) if part in places else sent[0]
        sock.sendall(reply + session.seal(b"\x12" + bytes(8)))
        if part in ("terminator", "length"):
            sock.sendall(os.urandom(5000 if part == "terminator" else 200_000))
        return is_closed(sock)
    for part in ("terminator", "contents", "tag", "garbage"):
        took_s = spoiled(part)
        print(f"a wrong bit in the {part}: closed after {took_s:.3f} s")
        assert took_s < 1, (part, took_s)
    for at in (0, 5, -1):  # of an ordinary packet: header, contents, tag
        peer = p2p.connect(context, node, v2=True)
        packet = flip(peer.session.seal(b"\x12" + bytes(8)), at + 3 if at >= 0 else at)
        peer.send_raw(packet)
        peer.wait_closed(1)
    equal(node.rpc.getconnectioncount(), 1)
    honest.sync()
    node.stop()


def test_too_much_garbage_ends_the_connection(context):
    node = p2p.node(context, "-debug=0")
    session = p2p.v2_session(garbage=b"x" * (bip324.GARBAGE_MAX + 1))
    sock = raw_dial(context, node)
    sock.sendall(session.greeting() + bytes(16))
    assert is_closed(sock) < 1
    is_alive(node)
    node.stop()


def test_probes_of_the_other_protocol(context):
    """v1 on the same port works; the beginning of v1 of another network is hung up on; half of it
    and then something else is a key; nothing at all is given up after -peertimeout."""
    node = p2p.node(context, "-peertimeout=2", "-debug=0")
    p2p.connect(context, node, v2=False).close()
    sock = raw_dial(context, node)
    sock.sendall(OTHER_MAGIC + PREFIX + bytes(60))
    assert is_closed(sock) < 1
    for known in range(16):
        sock = raw_dial(context, node)
        sock.sendall((chain.REGTEST_MAGIC + PREFIX)[:known])
        time.sleep(0.05)
        sock.sendall(b"?" * (64 - known))
        equal(len(sock.recv(64, socket.MSG_WAITALL)), 64)  # its key: it takes ours for one
    for silent in (b"", chain.REGTEST_MAGIC, os.urandom(64)):
        sock = raw_dial(context, node)
        sock.sendall(silent)
        took_s = is_closed(sock, 20)
        assert 1 < took_s < 10, took_s
    is_alive(node)
    node.stop()


# -- At line rate ----------------------------------------------------------------------------------

def wrong_plain(rng):
    """What a v1 connection is hung up on for: noise, lengths, another network, wrong checksums,
    right frames of nonsense until nobody wants any more of them."""
    hello = p2p.frame("version", p2p.version())
    names = ("inv", "headers", "getdata", "cmpctblock", "blocktxn", "addr", "tx", "block")
    return rng.choice((
        lambda: hello + rng.randbytes(rng.randrange(24, 60_000)),
        lambda: hello + p2p.frame("block", bytes(100), length=0xFFFFFFFF),
        lambda: p2p.frame("version", b"\xff" * 200, magic=OTHER_MAGIC),
        lambda: hello + p2p.frame("verack") + p2p.frame("ping", bytes(8), checksum=b"oops") * 40,
        lambda: hello + p2p.frame("verack") + p2p.frame("inv", b"\xfd\1\0" + bytes(9)) * 40,
        lambda: hello + p2p.frame("verack") + b"".join(
            p2p.frame(rng.choice(names), b"\xff" * rng.randrange(1, 60)) for _ in range(400))))()


def wrong_encrypted(rng, sock):
    """The same of v2: sends all but the last part, which it returns."""
    if rng.random() < 0.5:
        return rng.randbytes(64 + bip324.GARBAGE_MAX + rng.randrange(16, 60_000))
    session = p2p.v2_session(garbage=rng.randbytes(rng.randrange(200)),
                             decoys=[rng.randrange(50)] * rng.randrange(3))
    sock.sendall(session.greeting())
    data, ready = bytearray(), []
    while not ready:
        part = sock.recv(65536)
        if not part:
            raise ConnectionResetError
        data += part
        session.take(data, ready.append)
    sock.sendall(ready[0])
    size = rng.randrange(3000)
    return rng.choice((
        lambda: flip(session.seal(rng.randbytes(size)), rng.randrange(3, 3 + 1 + size + 16)),
        lambda: session.seal(b"", size=rng.randrange(4_000_014, 1 << 24)),
        lambda: session.seal(bip324.contents_of("version", p2p.version())) +
        session.seal(bip324.contents_of("verack", b"")) + b"".join(
            session.seal(b"\x0e" + b"\xff" * rng.randrange(1, 60)) for _ in range(40))))()


def hostile(port, seed, seconds, results):
    """Connect and send what is wrong, over and over. Puts (connections, bytes, seconds until the
    slowest was closed)."""
    os.nice(10)  # it is the node's delay that is to be seen, not that of this machine
    rng, n, sent, slowest_s = random.Random(seed), 0, 0, 0.0
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        try:
            sock = p2p.dial(port)
        except OSError:
            continue  # the node has as many connections as it may
        sock.settimeout(20)
        try:
            noise = wrong_plain(rng) if rng.random() < 0.5 else wrong_encrypted(rng, sock)
            start = time.monotonic()
            try:
                sock.sendall(noise)
            except OSError:
                pass
            slowest_s = max(slowest_s, is_closed(sock, 20))
            n, sent = n + 1, sent + len(noise)
            assert time.monotonic() - start < 20
        except ConnectionError:
            pass  # at the keys already: there was no place for it
        sock.close()
    results.put((n, sent, slowest_s))


def block_times(node, honest, tip, seconds, pause_s=0.1):
    """Seconds until blocks of an honest peer are the tip, sorted, and the last block."""
    times, end = [], time.monotonic() + seconds
    while time.monotonic() < end:
        tip = tip.child(seconds=1)
        raw, want = tip.encode(), tip.id()
        start = time.monotonic()
        honest.send("block", raw)
        while node.rpc.getbestblockhash() != want:
            assert time.monotonic() - start < 20
        times.append(time.monotonic() - start)
        time.sleep(pause_s)
    return sorted(times), tip


def hang_up(sock):
    """For who has nothing to do with the node: takes all, and hangs up."""
    while True:
        one = sock.accept()[0]
        one.settimeout(1)
        try:
            one.recv(1 << 16)
        except OSError:
            pass
        one.close()


def under_attack(context, port, seconds, work):
    """work() while eight send what is wrong to that port. Returns its answer and their figures."""
    results = multiprocessing.Queue()
    crowd = [multiprocessing.Process(target=hostile, daemon=True, args=(
        port, context.random.getrandbits(64), seconds, results)) for _ in range(8)]
    for one in crowd:
        one.start()
        context.cleanups.append(one.kill)
    answer = work()
    figures = [results.get(timeout=seconds + 60) for _ in crowd]
    for one in crowd:
        one.join(30)
        equal(one.exitcode, 0, "exit status of an attacker")
    return answer, [sum(f[0] for f in figures), sum(f[1] for f in figures),
                    max(f[2] for f in figures)]


def test_malformed_frames_at_line_rate(context):
    """Eight hostile peers for a minute (two seconds in short), v1 and v2: no crash, each is dropped
    within a second, and the blocks of an honest one take at most twice as long as they do when
    those eight keep the machine as busy without the node."""
    node, blocks = started(context, "-debug=0", "-maxconnections=60")
    honest = p2p.connect(context, node)
    seconds = 60 if context.soak else 2
    slack_ms = 0.2 if p2p.go_first(node.process.pid) else 1
    p2p.go_first(os.getpid())
    calm, tip = block_times(node, honest, blocks[-1], min(seconds, 5))
    sink = socket.create_server(("127.0.0.1", 0), backlog=64)
    taker = multiprocessing.Process(target=hang_up, args=(sink,), daemon=True)
    taker.start()
    context.cleanups.append(taker.kill)
    (busy, tip), _ = under_attack(context, sink.getsockname()[1], min(seconds, 10), lambda:
                                  block_times(node, honest, tip, min(seconds, 10)))
    taker.kill()
    (hit, _), (n, sent, slowest_s) = under_attack(context, node.p2p_port, seconds, lambda:
                                                  block_times(node, honest, tip, seconds))
    honest.sync()
    wait_until(lambda: node.rpc.getconnectioncount() == 1, 5, "all of them gone")
    medians = [1000 * times[len(times) // 2] for times in (calm, busy, hit)]
    print(f"figures: {n} connections and {sent >> 20} MiB in {seconds} s, each closed after "
          f"{slowest_s:.3f} s at most; a block took {medians[0]:.2f} ms before, "
          f"{medians[1]:.2f} ms on a machine as busy, {medians[2]:.2f} ms meanwhile (medians; "
          f"the slowest of {len(hit)} {1000 * hit[-1]:.0f} ms)")
    assert n > 8
    if p2p.measures_memory(context):
        assert slowest_s < 1, slowest_s
        assert medians[2] <= 2 * max(medians[:2]) + slack_ms, medians
    is_alive(node)
    node.stop()


if __name__ == "__main__":
    framework.main(globals())
