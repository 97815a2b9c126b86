"""bip324.py - the encrypted transport, written from BIP-324 and RFC 8439 for tests alone.

A Session is one end of one connection. It is as honest or as hostile as its arguments: garbage of
any length, decoys anywhere, packets that are not what they say. Slow beside the node, and made
independently of it, so that both agree only if both are right.
"""
import functools
import hashlib
import hmac
import random
import struct

P = 2**256 - 2**32 - 977
ORDER = 0xFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFEBAAEDCE6AF48A03BBFD25E8CD0364141
GENERATOR = (0x79BE667EF9DCBBAC55A06295CE870B07029BFCDB2DCE28D959F2815B16F81798,
             0x483ADA7726A3C4655DA4FBFC0E1108A8FD17B448A68554199C47D08FFB10D4B8)
ROOT_OF_MINUS_3 = 0xA2D2BA93507F1DF233770C2A797962CC61F6D15DA14ECD47D8D27AE1CD5F852
GARBAGE_MAX = 4095
REKEY_INTERVAL = 224
IGNORE = 0x80

# Messages with a name of one byte, by that byte.
SHORT_NAMES = dict(enumerate(
    "addr block blocktxn cmpctblock feefilter filteradd filterclear filterload getblocks "
    "getblocktxn getdata getheaders headers inv mempool merkleblock notfound ping pong sendcmpct "
    "tx getcfilters cfilter getcfheaders cfheaders getcfcheckpt cfcheckpt addrv2".split(), 1))
SHORT_IDS = {name: number for number, name in SHORT_NAMES.items()}


# -- The curve -------------------------------------------------------------------------------------

def root(a):
    """The square root that is a square itself, or None."""
    r = pow(a % P, (P + 1) // 4, P)
    return r if r * r % P == a % P else None


def is_x(x):
    """BIP-340: lift_x() succeeds."""
    return root(x**3 + 7) is not None


def add(a, b):
    if a is None or b is None:
        return a or b
    if a[0] == b[0] and (a[1] + b[1]) % P == 0:
        return None
    slope = (3 * a[0] * a[0] * pow(2 * a[1], -1, P) if a == b else
             (b[1] - a[1]) * pow(b[0] - a[0], -1, P))
    x = (slope * slope - a[0] - b[0]) % P
    return x, (slope * (a[0] - x) - a[1]) % P


def multiply(point, n):
    result = None
    while n:
        if n & 1:
            result = add(result, point)
        point, n = add(point, point), n >> 1
    return result


def swift_decode(u, t):
    """XSwiftEC: the X coordinate that the pair stands for."""
    u, t = u % P or 1, t % P or 1
    if (u**3 + t * t + 7) % P == 0:
        t = 2 * t % P
    x = (u**3 + 7 - t * t) * pow(2 * t, -1, P) % P
    y = (x + t) * pow(ROOT_OF_MINUS_3 * u, -1, P) % P
    half, quotient = pow(2, -1, P), x * pow(y, -1, P)
    for candidate in (u + 4 * y * y, (-quotient - u) * half, (quotient - u) * half):
        if is_x(candidate % P):
            return candidate % P
    raise ValueError("no X coordinate")


def swift_inverse(x, u, case):
    """XSwiftECInv: a t with swift_decode(u, t) = x, or None."""
    if not case & 2:
        if is_x((-x - u) % P):
            return None
        v = x
        s = -(u**3 + 7) * pow(u * u + u * v + v * v, -1, P) % P
    else:
        s = (x - u) % P
        if s == 0:
            return None
        r = root(-s * (4 * (u**3 + 7) + 3 * u * u * s))
        if r is None or (case & 1 and r == 0):
            return None
        v = (r * pow(s, -1, P) - u) * pow(2, -1, P) % P
    w = root(s)
    if w is None:
        return None
    c, half = ROOT_OF_MINUS_3, pow(2, -1, P)
    inner = u * (1 + c) * half + v if case & 1 else u * (1 - c) * half + v
    return (w if case & 5 in (1, 4) else -w) * inner % P


def make_key(randomness=random):
    """A secret, and the 64 bytes that stand for its public key."""
    secret = randomness.randrange(1, ORDER)
    x = multiply(GENERATOR, secret)[0]
    while True:
        u = randomness.randrange(1, P)
        t = swift_inverse(x, u, randomness.randrange(8))
        if t is not None:
            return secret, u.to_bytes(32, "big") + t.to_bytes(32, "big")


def shared_secret(secret, theirs, ours, initiating):
    x = swift_decode(int.from_bytes(theirs[:32], "big"), int.from_bytes(theirs[32:], "big"))
    point = multiply((x, root(x**3 + 7)), secret)
    tag = hashlib.sha256(b"bip324_ellswift_xonly_ecdh").digest()
    keys = ours + theirs if initiating else theirs + ours
    return hashlib.sha256(tag + tag + keys + point[0].to_bytes(32, "big")).digest()


# -- Ciphers: RFC 8439, and BIP-324, Rekeying wrappers ---------------------------------------------

LANES_MAX = 128  # blocks that are made at once


@functools.lru_cache(maxsize=LANES_MAX)
def lanes_of(blocks):
    """Ones in so many lanes of 64 bits; 0, 1, 2, ... in them."""
    return (int.from_bytes((b"\1" + bytes(7)) * blocks, "little"),
            int.from_bytes(b"".join(struct.pack("<Q", i) for i in range(blocks)), "little"))


def keystream(key, nonce, size):
    """So many bytes of ChaCha20, from its block 0 on."""
    blocks = (size + 63) // 64
    return b"".join(
        some_blocks(key, nonce, first, min(LANES_MAX, blocks - first))
        for first in range(0, blocks, LANES_MAX))[:size]


def some_blocks(key, nonce, first, blocks):
    """Several blocks at once: each word is an integer with a lane for every block."""
    lanes, counters = lanes_of(blocks)
    mask = lanes * 0xFFFFFFFF
    words = struct.unpack("<4I8I", b"expand 32-byte k" + key)
    start = [w * lanes for w in words]
    start.append(counters + first * lanes)
    start += [w * lanes for w in struct.unpack("<3I", nonce)]
    x = list(start)

    def mix(a, b, c, d):
        for to, by, turned, n in ((a, b, d, 16), (c, d, b, 12), (a, b, d, 8), (c, d, b, 7)):
            x[to] = x[to] + x[by] & mask
            y = x[turned] ^ x[to]
            x[turned] = (y << n | y >> 32 - n) & mask
    for _ in range(10):
        for i in range(4):
            mix(i, 4 + i, 8 + i, 12 + i)
        for i in range(4):
            mix(i, 4 + (i + 1) % 4, 8 + (i + 2) % 4, 12 + (i + 3) % 4)
    columns = [(a + b & mask).to_bytes(8 * blocks, "little") for a, b in zip(x, start)]
    out = bytearray(64 * blocks)
    for i, column in enumerate(columns):
        for byte in range(4):
            out[4 * i + byte::64] = column[byte::8]
    return bytes(out)


def xor(a, b):
    return (int.from_bytes(a, "little") ^ int.from_bytes(b, "little")).to_bytes(len(a), "little")


def poly1305(key, data):
    r = int.from_bytes(key[:16], "little") & 0x0FFFFFFC0FFFFFFC0FFFFFFC0FFFFFFF
    total, prime = 0, 2**130 - 5
    for at in range(0, len(data), 16):
        total = (total + int.from_bytes(data[at:at + 16] + b"\1", "little")) * r % prime
    return (total + int.from_bytes(key[16:], "little") & 2**128 - 1).to_bytes(16, "little")


def tag_of(first, aad, sealed):
    padded = b"".join(part + bytes(-len(part) % 16) for part in (aad, sealed))
    return poly1305(first[:32], padded + struct.pack("<QQ", len(aad), len(sealed)))


def aead_seal(key, nonce, aad, text):
    stream = keystream(key, nonce, 64 + len(text))
    sealed = xor(text, stream[64:])
    return sealed + tag_of(stream, aad, sealed)


def aead_open(key, nonce, aad, data):
    """The text, or None where the tag is not right."""
    sealed, tag = data[:-16], data[-16:]
    stream = keystream(key, nonce, 64 + len(sealed))
    if not hmac.compare_digest(tag_of(stream, aad, sealed), tag):
        return None
    return xor(sealed, stream[64:])


class TextCipher:
    """FSChaCha20Poly1305."""

    def __init__(self, key):
        self.key, self.count = key, 0

    def crypt(self, function, aad, text):
        turn, epoch = self.count % REKEY_INTERVAL, struct.pack("<Q", self.count // REKEY_INTERVAL)
        result = function(self.key, struct.pack("<I", turn) + epoch, aad, text)
        if turn == REKEY_INTERVAL - 1:
            self.key = aead_seal(self.key, b"\xff" * 4 + epoch, b"", bytes(32))[:32]
        self.count += 1
        return result


class LengthCipher:
    """FSChaCha20: one key for 224 lengths, and 32 bytes more for the next key."""

    def __init__(self, key):
        self.key, self.count, self.stream = key, 0, b""

    def crypt(self, three_bytes):
        turn = self.count % REKEY_INTERVAL
        if turn == 0:
            nonce = bytes(4) + struct.pack("<Q", self.count // REKEY_INTERVAL)
            self.stream = keystream(self.key, nonce, 3 * REKEY_INTERVAL + 32)
        result = xor(three_bytes, self.stream[3 * turn:3 * turn + 3])
        if turn == REKEY_INTERVAL - 1:
            self.key = self.stream[3 * REKEY_INTERVAL:3 * REKEY_INTERVAL + 32]
        self.count += 1
        return result


def expand(key, info):
    """HKDF-Expand of RFC 5869, 32 bytes."""
    return hmac.digest(key, info + b"\1", "sha256")


# -- One end of a connection -----------------------------------------------------------------------

def contents_of(name, payload):
    """A message as the contents of a packet; names that have a short form use it."""
    if name in SHORT_IDS:
        return bytes([SHORT_IDS[name]]) + payload
    return b"\0" + name.encode().ljust(12, b"\0") + payload


def message_of(contents):
    """(name, payload) of a packet's contents; the name is None where it is none that we know."""
    if contents[:1] == b"\0":
        return contents[1:13].rstrip(b"\0").decode(), contents[13:]
    return SHORT_NAMES.get(contents[0] if contents else 0), contents[1:]


class Failed(ValueError):
    """The other end did not keep to the BIP."""


class Session:
    """In: garbage  sent after our key. decoys  lengths of packets to ignore before our version."""

    def __init__(self, magic, initiating, garbage=b"", decoys=(), version=b""):
        self.magic, self.initiating, self.garbage = magic, initiating, garbage
        self.decoys, self.version = decoys, version
        self.secret, self.key = make_key()
        self.session_id = None
        self.received_garbage = None  # known when their terminator is here
        self.is_ready = False         # their version packet is here
        self.size = None              # of the packet that comes next

    def greeting(self):
        """What goes first."""
        return self.key + self.garbage

    def derive(self, theirs):
        ecdh = shared_secret(self.secret, theirs, self.key, self.initiating)
        prk = hmac.digest(b"bitcoin_v2_shared_secret" + self.magic, ecdh, "sha256")
        self.session_id = expand(prk, b"session_id")
        ends = [(LengthCipher(expand(prk, who + b"_L")), TextCipher(expand(prk, who + b"_P")))
                for who in (b"initiator", b"responder")]
        terminators = expand(prk, b"garbage_terminators")
        terminators = [terminators[:16], terminators[16:]]
        if not self.initiating:
            ends.reverse()
            terminators.reverse()
        (self.send_length, self.send_text), (self.their_length, self.their_text) = ends
        self.terminator, self.their_terminator = terminators

    def reply(self):
        """What goes when their key is here: the terminator, decoys, our version."""
        out, aad = [self.terminator], self.garbage
        for length in self.decoys:
            out.append(self.seal(bytes(length), aad, ignore=True))
            aad = b""
        return b"".join(out) + self.seal(self.version, aad)

    def seal(self, contents, aad=b"", ignore=False, size=None):
        """A packet; size: what its length field says instead of the truth."""
        header = bytes([IGNORE if ignore else 0])
        sealed = self.send_text.crypt(aead_seal, aad, header + contents)
        size = len(contents) if size is None else size
        return self.send_length.crypt(size.to_bytes(3, "little")) + sealed

    def take(self, data, send):
        """Take from data, a bytearray, what is whole; send() what the handshake asks for.

        Returns the contents of all packets that are for the application."""
        if self.session_id is None:
            if len(data) < 64:
                return []
            self.derive(bytes(data[:64]))
            del data[:64]
            send(self.reply())
        if self.received_garbage is None and not self.take_garbage(data):
            return []
        return list(self.packets(data))

    def take_garbage(self, data):
        at = bytes(data[:GARBAGE_MAX + 16]).find(self.their_terminator)
        if at < 0:
            if len(data) >= GARBAGE_MAX + 16:
                raise Failed("no garbage terminator")
            return False
        self.received_garbage = bytes(data[:at])
        del data[:at + 16]
        return True

    def packets(self, data):
        while True:
            if self.size is None:
                if len(data) < 3:
                    return
                self.size = int.from_bytes(self.their_length.crypt(bytes(data[:3])), "little")
                del data[:3]
            if len(data) < self.size + 17:
                return
            aad = b"" if self.their_text.count else self.received_garbage
            text = self.their_text.crypt(aead_open, aad, bytes(data[:self.size + 17]))
            del data[:self.size + 17]
            self.size = None
            if text is None:
                raise Failed("a packet with a wrong tag")
            if text[0] & IGNORE:
                continue
            if self.is_ready:
                yield text[1:]
            self.is_ready = True
