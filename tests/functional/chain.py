"""chain.py - transactions, blocks, signatures and addresses for tests, written from the BIPs.

Independent of the code under test. Hashes are bytes in wire order; display() turns one around.
"""
import hashlib
import hmac
import struct
import time

COIN = 100_000_000
REGTEST_MAGIC = bytes.fromhex("fabfb5da")
REGTEST_BITS = 0x207FFFFF
GENESIS_TIME = 1296688602
GENESIS = bytes.fromhex("0f9188f13cb7b2c71f2a335e3a4fc328bf5beb436012afca590b1a11466e2206")[::-1]
HALVING = 150  # regtest
SEQUENCE_FINAL = 0xFFFFFFFF

OP_0, OP_TRUE, OP_RETURN, OP_DUP, OP_EQUAL = 0x00, 0x51, 0x6A, 0x76, 0x87
OP_EQUALVERIFY, OP_HASH160, OP_CHECKSIG = 0x88, 0xA9, 0xAC


# -- Bytes ---------------------------------------------------------------------------------

def sha256(data):
    return hashlib.sha256(data).digest()


def sha256d(data):
    return sha256(sha256(data))


def hash160(data):
    return hashlib.new("ripemd160", sha256(data)).digest()


def tagged(tag, data):
    """BIP340 tagged hash."""
    prefix = sha256(tag.encode())
    return sha256(prefix + prefix + data)


def display(digest):
    return digest[::-1].hex()


def wire(text):
    return bytes.fromhex(text)[::-1]


def compact_size(n):
    if n < 253:
        return bytes([n])
    if n < 1 << 16:
        return b"\xfd" + struct.pack("<H", n)
    return b"\xfe" + struct.pack("<I", n)


def var_bytes(data):
    return compact_size(len(data)) + data


def push(data):
    """The shortest push of data as a script does it."""
    if len(data) < 76:
        return bytes([len(data)]) + data
    if len(data) < 256:
        return b"\x4c" + bytes([len(data)]) + data
    return b"\x4d" + struct.pack("<H", len(data)) + data


def script_number(n):
    """A number as a script pushes it, opcodes for 0 to 16."""
    if n == 0:
        return b"\x00"
    if 1 <= n <= 16:
        return bytes([0x50 + n])
    magnitude = n.to_bytes((n.bit_length() + 8) // 8, "little")
    return push(magnitude)


# -- Transactions ----------------------------------------------------------------------------

class TxIn:
    def __init__(self, txid=bytes(32), index=0xFFFFFFFF, script=b"", sequence=SEQUENCE_FINAL,
                 witness=()):
        self.txid, self.index, self.script = txid, index, script
        self.sequence, self.witness = sequence, list(witness)

    def outpoint(self):
        return self.txid + struct.pack("<I", self.index)


class TxOut:
    def __init__(self, value, script):
        self.value, self.script = value, script

    def encode(self):
        return struct.pack("<q", self.value) + var_bytes(self.script)


class Tx:
    def __init__(self, vin, vout, version=2, locktime=0):
        self.vin, self.vout, self.version, self.locktime = list(vin), list(vout), version, locktime

    def encode(self, witness=True):
        witness = witness and any(i.witness for i in self.vin)
        out = struct.pack("<I", self.version & 0xFFFFFFFF)
        if witness:
            out += b"\x00\x01"
        out += compact_size(len(self.vin))
        for txin in self.vin:
            out += txin.outpoint() + var_bytes(txin.script) + struct.pack("<I", txin.sequence)
        out += compact_size(len(self.vout)) + b"".join(o.encode() for o in self.vout)
        if witness:
            for txin in self.vin:
                out += compact_size(len(txin.witness))
                out += b"".join(var_bytes(item) for item in txin.witness)
        return out + struct.pack("<I", self.locktime)

    def txid(self):
        return sha256d(self.encode(witness=False))

    def wtxid(self):
        return sha256d(self.encode())


def merkle_root(leaves):
    level = list(leaves)
    while len(level) > 1:
        if len(level) % 2:
            level.append(level[-1])
        level = [sha256d(level[i] + level[i + 1]) for i in range(0, len(level), 2)]
    return level[0]


# -- Blocks ----------------------------------------------------------------------------------

def subsidy(height):
    halvings = height // HALVING
    return 0 if halvings >= 64 else (50 * COIN) >> halvings


def coinbase(height, script_pubkey=bytes([OP_TRUE]), value=None, extra=b"", outputs=()):
    """A coinbase as BIP34 wants it; at least two bytes of script."""
    script = script_number(height) + (push(extra) if extra else b"\x51")
    value = subsidy(height) if value is None else value
    return Tx([TxIn(script=script)], [TxOut(value, script_pubkey), *outputs])


class Block:
    def __init__(self, parent, height, time, txs=(), version=0x20000000, bits=REGTEST_BITS,
                 coinbase_tx=None, fees=0, commit=None, extra=b""):
        """Make and mine a block. commit: True or False for the witness commitment, None: if a
        transaction has a witness."""
        self.parent, self.height, self.time = parent, height, time
        self.version, self.bits, self.nonce = version, bits, 0
        base = coinbase_tx or coinbase(height, value=subsidy(height) + fees, extra=extra)
        self.txs = [base, *txs]
        if commit or (commit is None and any(i.witness for t in txs for i in t.vin)):
            self.add_commitment()
        self.root = merkle_root([t.txid() for t in self.txs])
        self.mine()

    def add_commitment(self):
        """The commitment of BIP141, with an all-zero reserved value."""
        self.txs[0].vin[0].witness = [bytes(32)]
        root = merkle_root([bytes(32)] + [t.wtxid() for t in self.txs[1:]])
        commitment = sha256d(root + bytes(32))
        self.txs[0].vout.append(TxOut(0, bytes([OP_RETURN]) + b"\x24\xaa\x21\xa9\xed" + commitment))

    def header(self):
        return (struct.pack("<I", self.version & 0xFFFFFFFF) + self.parent + self.root +
                struct.pack("<III", self.time & 0xFFFFFFFF, self.bits, self.nonce))

    def mine(self, good=True):
        """Search a nonce that meets the target, or with good=False one that does not."""
        exponent, mantissa = self.bits >> 24, self.bits & 0x7FFFFF
        target = mantissa << 8 * (exponent - 3) if exponent >= 3 else mantissa
        while (int.from_bytes(sha256d(self.header()), "little") <= target) != good:
            self.nonce += 1
        return self

    def remerkle(self):
        """After a change of the transactions."""
        self.root = merkle_root([t.txid() for t in self.txs])
        return self.mine()

    def hash(self):
        return sha256d(self.header())

    def id(self):
        return display(self.hash())

    def encode(self):
        return self.header() + compact_size(len(self.txs)) + b"".join(t.encode() for t in self.txs)

    def hex(self):
        return self.encode().hex()

    def child(self, txs=(), seconds=600, **how):
        return Block(self.hash(), self.height + 1, self.time + seconds, txs, **how)


def first_block(**how):
    return Block(GENESIS, 1, GENESIS_TIME + 600, **how)


def grow(block, n, **how):
    """n blocks on top of block (None: on genesis), oldest first."""
    chain = []
    for _ in range(n):
        block = block.child(**how) if block else first_block(**how)
        chain.append(block)
    return chain


def spend(tx, index=0, fee=0, outputs=None, sequence=SEQUENCE_FINAL, **how):
    """A transaction that spends an anyone-can-spend output."""
    value = tx.vout[index].value - fee
    outs = outputs if outputs is not None else [TxOut(value, bytes([OP_TRUE]))]
    return Tx([TxIn(tx.txid(), index, sequence=sequence)], outs, **how)


def frame(raw, magic=REGTEST_MAGIC):
    """A block as block files hold it."""
    return magic + struct.pack("<I", len(raw)) + raw


def unframe(data, magic=REGTEST_MAGIC):
    """The blocks of such a file."""
    blocks, at = [], 0
    while at + 8 <= len(data) and data[at:at + 4] == magic:
        size = struct.unpack_from("<I", data, at + 4)[0]
        blocks.append(data[at + 8:at + 8 + size])
        at += 8 + size
    return blocks


# -- secp256k1 (slow, small, for tests only) -----------------------------------------------------

P = 2**256 - 2**32 - 977
N = 0xFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFEBAAEDCE6AF48A03BBFD25E8CD0364141
G = (0x79BE667EF9DCBBAC55A06295CE870B07029BFCDB2DCE28D959F2815B16F81798,
     0x483ADA7726A3C4655DA4FBFC0E1108A8FD17B448A68554199C47D08FFB10D4B8)


def point_add(a, b):
    if a is None:
        return b
    if b is None:
        return a
    if a[0] == b[0] and (a[1] + b[1]) % P == 0:
        return None
    if a == b:
        slope = 3 * a[0] * a[0] * pow(2 * a[1], -1, P) % P
    else:
        slope = (b[1] - a[1]) * pow(b[0] - a[0], -1, P) % P
    x = (slope * slope - a[0] - b[0]) % P
    return x, (slope * (a[0] - x) - a[1]) % P


def point_mul(point, n):
    result = None
    while n:
        if n & 1:
            result = point_add(result, point)
        point = point_add(point, point)
        n >>= 1
    return result


class Key:
    """A secret number with all that follows from it."""

    def __init__(self, secret):
        self.secret = secret if isinstance(secret, int) else int.from_bytes(sha256(secret), "big")
        self.point = point_mul(G, self.secret)
        self.pub = bytes([2 + self.point[1] % 2]) + self.point[0].to_bytes(32, "big")
        self.xonly = self.pub[1:]

    def wif(self, prefix=0xEF):
        return base58check(bytes([prefix]) + self.secret.to_bytes(32, "big") + b"\x01")

    def sign_ecdsa(self, digest, sighash=1):
        """DER with the sighash byte; low S; the nonce comes from key and message."""
        seed = self.secret.to_bytes(32, "big")
        k = int.from_bytes(hmac.new(seed, digest, "sha256").digest(), "big") % N
        r = point_mul(G, k)[0] % N
        s = pow(k, -1, N) * (int.from_bytes(digest, "big") + r * self.secret) % N
        s = min(s, N - s)
        body = b"".join(b"\x02" + var_bytes(der_integer(v)) for v in (r, s))
        return b"\x30" + var_bytes(body) + bytes([sighash])

    def output_key(self):
        """BIP86: the key of a taproot output without scripts: (x-only bytes, secret)."""
        secret = self.secret if self.point[1] % 2 == 0 else N - self.secret
        tweak = int.from_bytes(tagged("TapTweak", self.xonly), "big")
        secret = (secret + tweak) % N
        return point_mul(G, secret)[0].to_bytes(32, "big"), secret

    def p2wpkh(self):
        return b"\x00\x14" + hash160(self.pub)

    def p2pk(self):
        return push(self.pub) + bytes([OP_CHECKSIG])

    def p2pkh(self):
        return bytes([OP_DUP, OP_HASH160]) + push(hash160(self.pub)) + bytes(
            [OP_EQUALVERIFY, OP_CHECKSIG])

    def p2tr(self):
        return b"\x51\x20" + self.output_key()[0]


def der_integer(value):
    return value.to_bytes(value.bit_length() // 8 + 1, "big")


def sign_schnorr(secret, message):
    """BIP340, with auxiliary randomness of zeros."""
    point = point_mul(G, secret)
    if point[1] % 2:
        secret = N - secret
    x = point[0].to_bytes(32, "big")
    mask = int.from_bytes(tagged("BIP0340/aux", bytes(32)), "big")
    k = int.from_bytes(tagged("BIP0340/nonce", (secret ^ mask).to_bytes(32, "big") + x + message),
                       "big") % N
    nonce = point_mul(G, k)
    if nonce[1] % 2:
        k = N - k
    r = nonce[0].to_bytes(32, "big")
    e = int.from_bytes(tagged("BIP0340/challenge", r + x + message), "big") % N
    return r + ((k + e * secret) % N).to_bytes(32, "big")


def sighash_legacy(tx, index, script_code, sighash=1):
    """SIGHASH_ALL of a transaction without OP_CODESEPARATOR."""
    vin = [TxIn(i.txid, i.index, script_code if n == index else b"", i.sequence)
           for n, i in enumerate(tx.vin)]
    copy = Tx(vin, tx.vout, tx.version, tx.locktime)
    return sha256d(copy.encode(witness=False) + struct.pack("<I", sighash))


def sighash_v0(tx, index, script_code, value, sighash=1):
    """BIP143, SIGHASH_ALL."""
    txin = tx.vin[index]
    return sha256d(
        struct.pack("<I", tx.version) + sha256d(b"".join(i.outpoint() for i in tx.vin)) +
        sha256d(b"".join(struct.pack("<I", i.sequence) for i in tx.vin)) + txin.outpoint() +
        var_bytes(script_code) + struct.pack("<qI", value, txin.sequence) +
        sha256d(b"".join(o.encode() for o in tx.vout)) + struct.pack("<II", tx.locktime, sighash))


def sighash_taproot(tx, index, spent):
    """BIP341, key path, SIGHASH_DEFAULT. spent: the TxOut of each input."""
    return tagged("TapSighash", b"\x00\x00" + struct.pack("<II", tx.version, tx.locktime) +
                  sha256(b"".join(i.outpoint() for i in tx.vin)) +
                  sha256(b"".join(struct.pack("<q", o.value) for o in spent)) +
                  sha256(b"".join(var_bytes(o.script) for o in spent)) +
                  sha256(b"".join(struct.pack("<I", i.sequence) for i in tx.vin)) +
                  sha256(b"".join(o.encode() for o in tx.vout)) + b"\x00" +
                  struct.pack("<I", index))


# -- Addresses -----------------------------------------------------------------------------------

BASE58 = "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz"
BECH32 = "qpzry9x8gf2tvdw0s3jn54khce6mua7l"


def base58check(payload):
    data = payload + sha256d(payload)[:4]
    n, text = int.from_bytes(data, "big"), ""
    while n:
        n, digit = divmod(n, 58)
        text = BASE58[digit] + text
    return "1" * (len(data) - len(data.lstrip(b"\x00"))) + text


def bech32_polymod(values):
    check = 1
    for value in values:
        top = check >> 25
        check = (check & 0x1FFFFFF) << 5 ^ value
        for i, generator in enumerate((0x3B6A57B2, 0x26508E6D, 0x1EA119FA, 0x3D4233DD, 0x2A1462B3)):
            if top >> i & 1:
                check ^= generator
    return check


def segwit_address(program, version=0, hrp="bcrt"):
    """BIP173 for version 0, BIP350 for the others."""
    number = int.from_bytes(program, "big")
    bits = len(program) * 8
    padded = (bits + 4) // 5 * 5
    number <<= padded - bits
    data = [version] + [number >> shift & 31 for shift in range(padded - 5, -1, -5)]
    expanded = [ord(c) >> 5 for c in hrp] + [0] + [ord(c) & 31 for c in hrp]
    check = bech32_polymod(expanded + data + [0] * 6) ^ (0x2BC830A3 if version else 1)
    data += [check >> 5 * (5 - i) & 31 for i in range(6)]
    return hrp + "1" + "".join(BECH32[d] for d in data)


TRUE_SCRIPT = bytes([OP_TRUE])
TRUE_P2WSH = b"\x00\x20" + sha256(TRUE_SCRIPT)
TRUE_ADDRESS = segwit_address(sha256(TRUE_SCRIPT))


def spend_true_p2wsh(outpoints, outputs, **how):
    """Spend outputs that pay to TRUE_P2WSH: outpoints are (txid, index)."""
    vin = [TxIn(txid, index, witness=[TRUE_SCRIPT]) for txid, index in outpoints]
    return Tx(vin, outputs, **how)


def submit_between_kills(context, node, blocks, n):
    """Start a node and give it blocks as hex; it is killed after each n of them, at a random
    moment. What a kill took away is given again at the end."""
    node.start()
    for start in range(0, len(blocks), n):
        for block in blocks[start:start + n]:
            node.rpc.submitblock(block)
        time.sleep(context.random.random() / 10)
        node.kill()
        node.start()
    for block in blocks:
        node.rpc.submitblock(block)
