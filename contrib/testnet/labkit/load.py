"""load.py - valid transactions at a rate: each spends an output that anybody may spend (P2WSH of
OP_TRUE, so that policy takes it too) and makes another such."""
import collections
import hashlib
import struct

SCRIPT = b"\x51"
PAYS = b"\x00\x20" + hashlib.sha256(SCRIPT).digest()
FEE_SAT = 2000
FAN_OUT = 200
FEE_FAN_OUT_SAT = 50000
MATURE = 100
TRIES = 5
POOL_MAX = 20000


def _bytes_of(inputs, outputs_sat, with_witness):
    def count(n):
        return bytes([n]) if n < 253 else b"\xfd" + struct.pack("<H", n)

    out = struct.pack("<i", 2) + (b"\x00\x01" if with_witness else b"") + count(len(inputs))
    for txid, index in inputs:
        out += bytes.fromhex(txid)[::-1] + struct.pack("<I", index) + b"\x00\xff\xff\xff\xff"
    out += count(len(outputs_sat))
    for value_sat in outputs_sat:
        out += struct.pack("<q", value_sat) + count(len(PAYS)) + PAYS
    if with_witness:
        out += (b"\x01" + count(len(SCRIPT)) + SCRIPT) * len(inputs)
    return out + struct.pack("<I", 0)


def transaction(inputs, outputs_sat):
    """Returns: (txid, hex)"""
    digest = hashlib.sha256(hashlib.sha256(_bytes_of(inputs, outputs_sat, False)).digest()).digest()
    return digest[::-1].hex(), _bytes_of(inputs, outputs_sat, True).hex()


class Coin:
    """An output to spend."""

    def __init__(self, txid, index, value_sat):
        self.txid, self.index, self.value_sat, self.n_failed = txid, index, value_sat, 0


class Load:
    """The coins of the lab, which all pay anybody."""

    def __init__(self):
        self.ready = collections.deque()
        self.ripening = []  # (txid, coins): their transaction is in no block yet
        self.next_height = 1  # of the coinbase that is split next
        self.sent, self.failed = 0, 0

    def refill(self, node, wanted, height):
        """Split coinbases until there are enough; take what has been mined meanwhile."""
        for txid, coins in list(self.ripening):
            if node.rpc.call("gettxout", txid, 0, False):
                self.ripening.remove((txid, coins))
                self.ready.extend(coins)
        there = len(self.ready) + sum(len(coins) for _, coins in self.ripening)
        while there < min(wanted, POOL_MAX) and self.next_height + MATURE <= height:
            there += self._split(node)

    def _split(self, node):
        block = node.rpc.call("getblock", node.rpc.call("getblockhash", self.next_height), 1)
        coinbase = block["tx"][0]
        out = node.rpc.call("gettxout", coinbase, 0)
        self.next_height += 1
        if not out or out["scriptPubKey"]["hex"] != PAYS.hex():
            return 0
        value_sat = round(float(out["value"]) * 1e8)
        each_sat = (value_sat - FEE_FAN_OUT_SAT) // FAN_OUT
        if each_sat <= 10 * FEE_SAT:
            return 0
        txid, text = transaction([(coinbase, 0)], [each_sat] * FAN_OUT)
        node.rpc.call("sendrawtransaction", text)
        self.ripening.append((txid, [Coin(txid, i, each_sat) for i in range(FAN_OUT)]))
        return FAN_OUT

    def send(self, node, n):
        """Send so many, if there are coins. Returns: how many were taken"""
        coins = [self.ready.popleft() for _ in range(min(n, len(self.ready)))]
        if not coins:
            return 0
        made = [transaction([(c.txid, c.index)], [c.value_sat - FEE_SAT]) for c in coins]
        try:
            answers = node.rpc.answers([("sendrawtransaction", text) for _, text in made])
        except OSError:
            self.ready.extend(coins)
            raise
        taken = 0
        for coin, (txid, _), answer in zip(coins, made, answers):
            if not answer.get("error"):
                taken += 1
                if coin.value_sat > 3 * FEE_SAT:
                    self.ready.append(Coin(txid, 0, coin.value_sat - FEE_SAT))
                continue
            # This node may not have what it spends, or the chain of unmined ones is too long.
            coin.n_failed += 1
            self.failed += 1
            if coin.n_failed < TRIES:
                self.ready.append(coin)
        self.sent += taken
        return taken
