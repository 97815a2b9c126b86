"""Sixty peers send transactions of 150 inputs whose last signature is wrong, without pause: what
the user and an honest peer send gets in all the same, and who goes on is let go."""
import multiprocessing
import select
import struct
import time

import chain
import framework
import p2p
from framework import Failure, equal, wait_until

ATTACKERS, INPUTS = 60, 150
NONE_ANYONECANPAY = 0x82  # commits to its own input alone: one signature serves every variant
FEE = 20000
COIN_SAT = 100000


def digest_of_one_input(txin, script_code, value):
    """BIP143 with SIGHASH_NONE | SIGHASH_ANYONECANPAY: no other input and no output."""
    return chain.sha256d(
        struct.pack("<I", 2) + bytes(64) + txin.outpoint() + chain.var_bytes(script_code) +
        struct.pack("<qI", value, txin.sequence) + bytes(32) +
        struct.pack("<II", 0, NONE_ANYONECANPAY))


class Variants:
    """Transactions that spend the same coins and differ in one output."""

    def __init__(self, funding):
        key = chain.Key(b"flood")
        self.vin = [chain.TxIn(funding.txid(), i) for i in range(INPUTS)]
        for txin in self.vin:
            digest = digest_of_one_input(txin, key.p2pkh(), COIN_SAT)
            txin.witness = [key.sign_ecdsa(digest, NONE_ANYONECANPAY), key.pub]
        self.vin[-1].witness = self.vin[0].witness
        whole = self.make(0).encode()
        at = whole.index(struct.pack("<q", INPUTS * COIN_SAT - FEE))
        self.head, self.tail = whole[:at], whole[at + 8:]

    def make(self, n):
        outputs = [chain.TxOut(INPUTS * COIN_SAT - FEE - n, chain.TRUE_P2WSH)]
        return chain.Tx(self.vin, outputs, version=2)

    def frame(self, n):
        return p2p.frame("tx", self.head + struct.pack("<q", INPUTS * COIN_SAT - FEE - n) +
                         self.tail)


def greet(port):
    sock = p2p.dial(port)
    sock.sendall(p2p.frame("version", p2p.version()) + p2p.frame("wtxidrelay") +
                 p2p.frame("verack"))
    sock.setblocking(False)
    return sock


def attack(port, variants, sent, dropped, stop):
    """Keep ATTACKERS connections full; who is let go comes back."""
    socks, n = {}, 0
    while not stop.value:
        while len(socks) < ATTACKERS:
            socks[greet(port)] = memoryview(b"")
        readable, writable, _ = select.select(list(socks), list(socks), [], 0.1)
        for sock in readable:
            try:
                gone = not sock.recv(1 << 16)
            except OSError:
                gone = True
            if gone:
                dropped.value += 1
                sock.close()
                del socks[sock]
        for sock in writable:
            if sock not in socks:
                continue
            if not socks[sock]:
                n += 1
                socks[sock] = memoryview(variants.frame(n))
                sent.value = n
            try:
                socks[sock] = socks[sock][sock.send(socks[sock]):]
            except (BlockingIOError, ConnectionError):
                pass
        time.sleep(0.001 if writable else 0.02)


def funded(context):
    """A node with coins for the attackers, and others for the honest. Returns it, the funding
    transaction, and outpoints with the value."""
    node = p2p.node(context, "-debugexclude=net")
    hashes = node.rpc.generatetoaddress(140, chain.TRUE_ADDRESS)
    coins = [(chain.wire(node.rpc.getblock(h)["tx"][0]), 0) for h in hashes[:40]]
    script = chain.Key(b"flood").p2wpkh()
    outputs = [chain.TxOut(COIN_SAT, script) for _ in range(INPUTS)]
    change = 50 * chain.COIN - INPUTS * COIN_SAT - FEE
    funding = chain.spend_true_p2wsh([coins[0]], outputs + [chain.TxOut(change, chain.TRUE_P2WSH)])
    node.rpc.sendrawtransaction(funding.encode().hex())
    node.rpc.generatetoaddress(1, chain.TRUE_ADDRESS)
    return node, funding, coins[1:]


def honest_tx(coin):
    return chain.spend_true_p2wsh([coin], [chain.TxOut(50 * chain.COIN - FEE, chain.TRUE_P2WSH)])


def test_the_users_transaction_takes_a_second_at_most_under_a_flood(context):
    node, funding, coins = funded(context)
    variants = Variants(funding)
    refused = node.rpc.testmempoolaccept([variants.make(1).encode().hex()])[0]
    assert "mempool-script-verify-flag-failed" in refused["reject-reason"], refused
    good = chain.Tx(variants.vin[:-1], [chain.TxOut(COIN_SAT, chain.TRUE_P2WSH)], version=2)
    equal(node.rpc.testmempoolaccept([good.encode().hex()], 0)[0]["allowed"], True)
    honest = p2p.connect(context, node)
    sent, dropped = multiprocessing.Value("L"), multiprocessing.Value("L")
    stop = multiprocessing.Value("b")
    noise = multiprocessing.Process(target=attack, daemon=True,
                                    args=(node.p2p_port, variants, sent, dropped, stop))
    noise.start()
    context.cleanups.append(noise.kill)
    wait_until(lambda: node.rpc.getconnectioncount() > ATTACKERS and sent.value > 4 * ATTACKERS,
               30, "the crowd")
    own, theirs, until = [], [], time.monotonic() + (60 if context.soak else 6)
    while time.monotonic() < until and len(coins) > 1:
        tx = honest_tx(coins.pop())
        start = time.monotonic()
        node.rpc.sendrawtransaction(tx.encode().hex())
        own.append(time.monotonic() - start)
        tx = honest_tx(coins.pop())
        start = time.monotonic()
        honest.send("tx", tx.encode())
        txid = chain.display(tx.txid())
        wait_until(lambda: txid in node.rpc.getrawmempool(), 20, "the peer's transaction")
        theirs.append(time.monotonic() - start)
        time.sleep(0.3)
    wait_until(lambda: dropped.value >= ATTACKERS, 60, "those who send them to be let go")
    stop.value = 1
    noise.join(10)
    print(f"{sent.value} bad transactions sent, {dropped.value} senders let go; of {len(own)} "
          f"each, the user's took {max(own) * 1e3:.0f} ms at most, an honest peer's "
          f"{max(theirs) * 1e3:.0f} ms")
    if max(own) > 1 or max(theirs) > 5:
        raise Failure("too slow")
    assert not honest.closed.is_set()
    node.stop()


if __name__ == "__main__":
    framework.main(globals())
