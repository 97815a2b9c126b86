"""test_events.py - /events: a client that loses its connection again and again misses nothing."""
import base64
import json
import socket
import threading

import chain
import framework
from framework import Failure, equal, wait_until

ADDRESS = "bcrt1qft5p2uhsdcdc3l2ua4ap5qqfg4pjaqlp250x7us7a8qqhrxrxfsqseac85"


class Listener:
    """One connection: yields (id, name, data) of each event."""

    def __init__(self, node, cursor=None, path="/events"):
        token = base64.b64encode(node.rpc.credentials.encode()).decode()
        self.socket = socket.create_connection(("127.0.0.1", node.port), 30)
        self.stream = self.socket.makefile("rb")
        head = f"GET {path} HTTP/1.0\r\nHost: localhost\r\nAuthorization: Basic {token}\r\n"
        if cursor:
            head += f"Last-Event-ID: {cursor}\r\n"
        self.socket.sendall((head + "\r\n").encode())
        self.status = int(self.stream.readline().split()[1])
        while self.stream.readline().strip():
            pass

    def __iter__(self):
        fields = {}
        for line in self.stream:
            line = line.decode().rstrip("\n")
            if line.startswith(":"):
                continue
            if line:
                name, value = line.split(": ", 1)
                fields[name] = value
            elif fields:
                yield fields["id"], fields["event"], json.loads(fields["data"])
                fields = {}

    def close(self):
        self.stream.close()
        self.socket.close()


def until(listener, name, **wants):
    """All events up to one of that name with those members."""
    seen = []
    for event in listener:
        seen.append(event)
        if event[1] == name and all(event[2][key] == value for key, value in wants.items()):
            return seen
    raise Failure(f"the stream has ended without {name}")


def spend(node, coinbase, fee_sat):
    raw = node.rpc.createrawtransaction(
        [{"txid": coinbase["txid"], "vout": 0}],
        [{ADDRESS: f"{(50 * chain.COIN - fee_sat) / chain.COIN:.8f}"}])
    return node.rpc.sendrawtransaction(raw[:8] + "0001" + raw[8:-8] + "010151" + raw[-8:])


def test_what_happens_is_told(context):
    node = context.started()
    hashes = node.rpc.generatetoaddress(101, ADDRESS)
    listener = Listener(node)
    equal(listener.status, 200)
    hello = next(iter(listener))
    equal((hello[1], hello[2]), ("hello", {"hash": hashes[-1], "height": 101}))
    coinbase = node.rpc.getblock(hashes[0], 2)["tx"][0]
    first, second = spend(node, coinbase, 10_000), spend(node, coinbase, 50_000)
    tip = node.rpc.generatetoaddress(1, ADDRESS)[0]
    node.rpc.invalidateblock(tip)
    last = until(listener, "tx_accepted", txid=second)
    equal([(e[1], e[2]["txid"]) for e in last],
          [("tx_accepted", first), ("tx_replaced", first), ("tx_accepted", second)])
    equal(last[1][2]["replaced_by"], second)
    rest = until(listener, "block_disconnected", hash=tip)
    equal([e[1] for e in rest], ["tx_removed", "block_connected", "block_disconnected"])
    equal((rest[0][2]["reason"], rest[1][2]["height"], rest[1][2]["nTx"]), ("block", 102, 2))
    equal(until(listener, "tx_accepted", txid=second)[-1][2]["fee"], 0.0005)
    node.stop()
    equal(list(listener), [], "after the end")


def test_a_client_that_loses_its_connection_misses_nothing(context):
    """A hundred times, in the middle of events, of lines, of nothing."""
    node = context.started()
    hashes = node.rpc.generatetoaddress(140, ADDRESS)
    steady, is_over = [], threading.Event()

    def follow():
        for event in Listener(node):
            steady.append(event)

    follower = threading.Thread(target=follow, daemon=True)
    follower.start()
    wait_until(lambda: steady, what="hello")

    def live():
        busy = framework.Rpc(node.port, node.rpc.credentials)
        for i in range(40):
            coinbase = busy.getblock(hashes[i], 2)["tx"][0]
            for fee_sat in (5_000, 20_000):
                spend(node, coinbase, fee_sat)
            if i % 4 == 3:
                tip = busy.generatetoaddress(1, ADDRESS)[0]
            if i % 8 == 7:
                busy.invalidateblock(tip)
        is_over.set()

    seen = [next(iter(Listener(node)))]
    seen[0] = steady[0]
    busy = threading.Thread(target=live, daemon=True)
    busy.start()
    for _ in range(100):
        listener = Listener(node, seen[-1][0])
        for _ in range(context.random.randrange(4)):
            if is_over.is_set() and seen[-1][0] == steady[-1][0]:
                break
            seen.append(next(iter(listener)))
        if context.random.random() < 0.5:
            listener.socket.recv(context.random.randrange(1, 100), socket.MSG_PEEK)
        listener.close()
        if context.random.random() < 0.1:
            is_over.wait(0.05)
    busy.join(60)
    equal(is_over.is_set(), True, "all was done")
    last = node.rpc.generatetodescriptor(1, "raw(53)")[0]  # none that was taken back
    seen += until(Listener(node, seen[-1][0]), "block_connected", hash=last)
    wait_until(lambda: steady[-1][2].get("hash") == last, what="the steady client")
    equal(len(seen) > 150, True, "much has happened")
    equal(seen, steady)
    equal([int(e[0].split("-")[1]) for e in seen],
          list(range(int(seen[0][0].split("-")[1]), int(seen[0][0].split("-")[1]) + len(seen))))
    node.stop()


def test_who_is_away_too_long_is_told(context):
    node = context.started("-eventlog=50")
    cursor = next(iter(Listener(node)))[0]
    node.rpc.generatetoaddress(50, ADDRESS)
    equal(len(until(Listener(node, cursor), "block_connected", height=50)), 50)
    tip = node.rpc.generatetoaddress(1, ADDRESS)[0]
    reset = next(iter(Listener(node, cursor)))
    equal((reset[1], reset[2]), ("reset", {"hash": tip, "height": 51}))
    # Of another life of the node.
    node.restart()
    equal(next(iter(Listener(node, reset[0])))[1], "reset")
    equal(next(iter(Listener(node, path="/events?last_event_id=x")))[1], "reset")
    node.stop()


def test_strangers_do_not_listen(context):
    node = context.started()
    credentials, node.rpc.credentials = node.rpc.credentials, "nobody:x"
    equal(Listener(node).status, 401)
    node.rpc.credentials = credentials
    node.stop()


if __name__ == "__main__":
    framework.main(globals())
