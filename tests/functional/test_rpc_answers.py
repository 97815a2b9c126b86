"""Answers that nobody reads, long batches, slow readers: memory is bounded, others are served."""
import json
import socket
import threading
import time

import chain
import framework
from framework import SLOWDOWN, equal
from p2p import resident_kb
from test_rpc_siege import Raw, slowest_light_call_ms, stop_ms

MB = 1024  # kB
ANSWERS_MAX_MB = 128  # RPC_ANSWERS_BYTES_MAX
GROWTH_MAX_MB = 2 * ANSWERS_MAX_MB + 64  # that, what is in the making, blocks being written


def fat_node(context, count, outputs=90000):
    """A node with blocks of one transaction and many outputs. Returns it and the hashes."""
    node = context.node().start()
    script, block, hashes = bytes([chain.OP_TRUE]), None, []
    for height in range(1, count + 1):
        filler = [chain.TxOut(0, script)] * outputs
        base = chain.coinbase(height, outputs=filler)
        block = (chain.Block(block.hash(), height, block.time + 600, coinbase_tx=base) if block
                 else chain.first_block(coinbase_tx=base))
        equal(node.rpc.submitblock(block.hex()), None)
        hashes.append(block.id())
    return node, hashes


def batch_of(method, params, count):
    return json.dumps([{"id": number, "method": method, "params": params[number % len(params)]}
                       for number in range(count)]).encode()


def send_body(raw, body, version="1.1"):
    raw.socket.sendall(raw.head(len(body)).replace(b"HTTP/1.1", b"HTTP/" + version.encode()) +
                       body)
    return raw


def peak_growth_mb(node, before_kb, seconds):
    """The most that the node grew by during some seconds."""
    peak, end = 0, time.monotonic() + seconds
    while time.monotonic() < end:
        peak = max(peak, resident_kb(node.process) - before_kb)
        time.sleep(0.05)
    return peak / MB


def test_answers_that_nobody_reads_are_bounded(context):
    """240 getblock calls of 12 MB each: a few are made, the others wait; light calls go on."""
    node, hashes = fat_node(context, 3)
    size = len(node.rpc.post(json.dumps({"method": "getblock", "params": [hashes[0], 2]}))[2])
    before = resident_kb(node.process)
    deaf = [Raw(node).call("getblock", hashes[i % 3], 2) for i in range(240)]
    growth = peak_growth_mb(node, before, 6)
    slowest, median = slowest_light_call_ms(node)
    print(f"240 unread answers of {size / 1e6:.1f} MB: {growth:.0f} MB more in memory, slowest "
          f"light call {slowest:.1f} ms, median {median:.1f} ms")
    assert growth < GROWTH_MAX_MB, growth
    assert median < 10, median
    equal(node.rpc.getblockchaininfo()["blocks"], 3)  # what is light is not kept waiting
    read = [len(call.answer()) for call in deaf[:40]]  # who reads is answered, 40 of 240 here
    assert all(length > size for length in read), read
    took = stop_ms(node)
    print(f"stop answered in {took:.1f} ms")
    assert took < 1000, took
    for call in deaf:
        call.close()


def test_a_batch_that_nobody_reads_is_bounded(context):
    """240 getblock calls in one batch, 10,000 of help in another, unread: then read, and right."""
    node, hashes = fat_node(context, 3)
    bodies = {"240 getblock": batch_of("getblock", [[h, 2] for h in hashes], 240),
              "10,000 help": batch_of("help", [["getblock"], []], 10000)}
    for name, body in bodies.items():
        before = resident_kb(node.process)
        deaf = send_body(Raw(node), body)
        growth = peak_growth_mb(node, before, 4)
        slowest, median = slowest_light_call_ms(node)
        print(f"a batch of {name} unread: {growth:.0f} MB more in memory, slowest light call "
              f"{slowest:.1f} ms, median {median:.1f} ms")
        assert growth < ANSWERS_MAX_MB * SLOWDOWN, growth
        assert median < 10, median
        deaf.close()


def test_long_batches_reach_slow_readers_whole(context):
    """In chunks, up to the end of the connection for HTTP/1.0, and each answer at its place."""
    node, hashes = fat_node(context, 2, 20000)
    want = {h: node.rpc.getblock(h, 2) for h in hashes}
    body = batch_of("getblock", [[h, 2] for h in hashes], 30)
    for version in ("1.1", "1.0"):
        slow = send_body(Raw(node), body, version)
        text = slow.read_whole(pause=0.02)
        answers = json.loads(text)
        print(f"HTTP/{version}: {len(text) / 1e6:.0f} MB in a batch")
        assert len(text) > 40e6, len(text)
        equal([answer["id"] for answer in answers], list(range(30)))
        for answer in answers:
            assert answer["result"] == want[hashes[answer["id"] % 2]]
        slow.close()
    node.stop()


def test_short_batches_have_a_length(context):
    """Clients that know no chunks (esplora) ask for 100,000 headers at once."""
    node = context.node().start()
    body = batch_of("getblockhash", [[0]], 100000)
    raw = send_body(Raw(node), body)
    text = raw.answer()
    assert b"\r\nContent-Length: " in text, text[:300]
    assert b"chunked" not in text[:300]
    answers = json.loads(text.split(b"\r\n\r\n", 1)[1])
    equal(len(answers), 100000)
    equal(answers[99999]["id"], 99999)
    raw.close()
    node.stop()


def test_who_reads_nothing_is_let_go_and_who_reads_slowly_is_not(context):
    node, hashes = fat_node(context, 1)
    node.stop()
    node.start("-rpcservertimeout=2")
    deaf = Raw(node)
    deaf.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 65536)
    deaf.call("getblock", hashes[0], 2)
    slow = Raw(node).call("getblock", hashes[0], 2)
    text, start = b"", time.monotonic()
    while time.monotonic() - start < 8:  # 4 times as long as it may read nothing
        text += slow.socket.recv(20000)
        time.sleep(0.05)
    text += slow.answer(text)[len(text):]
    answer = json.loads(text.split(b"\r\n\r\n", 1)[1])
    equal(len(answer["result"]["tx"][0]["vout"]), 90001)
    got = deaf.read_all()
    print(f"the deaf one found {len(got)} of {len(text)} bytes")
    assert len(got) < len(text), len(got)
    node.stop()


def test_calls_that_wait_and_whose_clients_left_give_way(context):
    """600 waitfornewblock of clients that are gone: the next 100 still find a place."""
    node = context.node().start()
    for _ in range(600):
        Raw(node).call("waitfornewblock", 0).close()
    waiting = [Raw(node).call("waitfornewblock", 0) for _ in range(100)]
    time.sleep(0.5)
    node.rpc.generatetodescriptor(1, "raw(51)")
    equal([b'"height":1' in call.answer() for call in waiting], [True] * 100)
    node.stop()


def ask_beside(node, body):
    """Send a large request on a thread of its own, and light calls until its answer is whole."""
    answers, took = [], []

    def ask():
        raw = send_body(Raw(node), body)
        raw.socket.settimeout(100)
        raw.socket.shutdown(socket.SHUT_WR)  # so the connection ends behind the answer
        answers.append(len(raw.read_all()))
        raw.close()

    thread, client = threading.Thread(target=ask), node.connect_rpc()
    client.getblockcount()
    thread.start()
    while thread.is_alive():
        start = time.monotonic()
        client.getblockcount()
        took.append((time.monotonic() - start) * 1000)
    thread.join()
    return answers[0], sorted(took)


def test_large_requests_hold_nobody_up(context):
    """A million values, and 30 MB of text, are parsed and echoed beside the loop."""
    node = context.node().start()
    zeros = ",".join(["0"] * 999990)
    bodies = {"a call with a million values": '{"id":1,"method":"echo","params":[[' + zeros + "]]}",
              "a batch of a million values": "[" + zeros + "]",
              "a text": '{"id":1,"method":"echo","params":["' + "z" * 30000000 + '"]}',
              "a block": '{"id":1,"method":"submitblock","params":["' + "0" * 30000000 + '"]}'}
    for name, body in bodies.items():
        answer, took = ask_beside(node, body.encode())
        print(f"{name}, {len(body) / 1e6:.0f} MB: {answer / 1e6:.1f} MB answered; the slowest of "
              f"{len(took)} light calls beside it took {took[-1]:.1f} ms, the median "
              f"{took[len(took) // 2]:.2f} ms")
        assert answer > (100 if name == "a block" else 0.9 * len(body)), answer
        assert took[-1] < 1000, took[-1]  # of a machine that does much else; the figures tell
    node.stop()


if __name__ == "__main__":
    framework.main(globals())
