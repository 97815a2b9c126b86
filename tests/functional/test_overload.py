"""test_overload.py - many calls at once: all are answered, and heavy ones delay no light ones."""
import base64
import json
import socket
import threading
import time

import chain
import framework
from framework import equal

HEAVY = 200     # calls at once; Core's queue would have room for 80
OUTPUTS = 9000  # of the block: its verbose form has about 2 MB
LIGHT_S = 1.0   # the worst of the light ones, on a machine that does much else


def big_block(node):
    """A block whose verbose form takes a while to write."""
    first = node.rpc.generatetoaddress(101, chain.TRUE_ADDRESS)[0]
    coinbase = node.rpc.getblock(first, 2)["tx"][0]["txid"]
    raw = node.rpc.createrawtransaction([{"txid": coinbase, "vout": 0}], [{"data": "00"}])
    head, lock = raw[:8] + "0001" + raw[8:92], raw[-8:]
    output = "0000000000000000" + "0151"
    outputs = "fd" + OUTPUTS.to_bytes(2, "little").hex() + output * OUTPUTS
    return node.rpc.generateblock(chain.TRUE_ADDRESS, [head + outputs + "010151" + lock])["hash"]


def post(node, request):
    """Send a call by a connection of its own; the answer is to be read."""
    token = base64.b64encode(node.rpc.credentials.encode()).decode()
    body = json.dumps(request)
    stream = socket.create_connection(("127.0.0.1", node.port), 120)
    stream.sendall((f"POST / HTTP/1.1\r\nHost: localhost\r\nAuthorization: Basic {token}\r\n"
                    f"Connection: close\r\nContent-Length: {len(body)}\r\n\r\n{body}").encode())
    return stream


def read_all(stream):
    """Returns (status, bytes of the answer)."""
    n, head = 0, b""
    while True:
        piece = stream.recv(1 << 20)
        if not piece:
            break
        head = head or piece[:12]
        n += len(piece)
    stream.close()
    return int(head.split()[1]), n


def is_ready(stream):
    stream.setblocking(False)
    try:
        return bool(stream.recv(1, socket.MSG_PEEK))
    except BlockingIOError:
        return False
    finally:
        stream.setblocking(True)


def test_nobody_who_is_connected_is_turned_away(context):
    node = context.started()
    block = big_block(node)
    size = len(json.dumps(node.rpc.getblock(block, 2)))
    streams = [post(node, {"method": "getblock", "params": [block, 2]}) for _ in range(HEAVY)]
    answers, worst = [], 0.0
    readers = [threading.Thread(target=lambda s=s: answers.append(read_all(s))) for s in streams]
    for reader in readers:
        reader.start()
    while any(reader.is_alive() for reader in readers):
        start = time.monotonic()
        equal(node.rpc.getblockcount(), 102)
        worst = max(worst, time.monotonic() - start)
        time.sleep(0.01)
    equal([status for status, _ in answers], [200] * HEAVY)
    equal(min(n for _, n in answers) > size // 2, True, "whole answers")
    print(f"{HEAVY} answers of {size} bytes; the worst of the light calls {worst * 1000:.0f} ms")
    equal(worst < LIGHT_S * framework.SLOWDOWN, True, f"{worst:.3f} s")
    node.stop()


def test_who_sets_the_queue_is_told_when_to_come_again(context):
    node = context.started("-rpcworkqueue=1", "-rpcthreads=1")
    streams = [post(node, {"method": "waitfornewblock"}) for _ in range(40)]
    time.sleep(0.5)
    refused = [s for s in streams if is_ready(s)]
    equal(bool(refused), True)
    for stream in refused:
        text = stream.recv(65536)
        equal((text[:12], b"Retry-After: 1" in text), (b"HTTP/1.1 503", True))
    for stream in streams:
        stream.close()
    node.stop()


if __name__ == "__main__":
    framework.main(globals())
