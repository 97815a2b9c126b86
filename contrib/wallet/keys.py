"""keys.py - the words of BIP39, and the account keys of BIP32 that come of them.

No elliptic curve is needed down to an account: hardened steps add numbers. What is below an
account, the node derives by descriptors."""
import hashlib
import hmac
import os
import unicodedata

WORD_COUNTS = (12, 15, 18, 21, 24)
CURVE_ORDER = 0xFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFEBAAEDCE6AF48A03BBFD25E8CD0364141
HARDENED = 1 << 31
BASE58 = "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz"
XPRV_MAIN, XPRV_TEST = bytes.fromhex("0488ade4"), bytes.fromhex("04358394")


class Problem(Exception):
    """What the user is told, in one line."""


def word_list():
    path = os.path.join(os.path.dirname(os.path.abspath(__file__)), "english.txt")
    with open(path, encoding="ascii") as file:
        return file.read().split()


def words_of_entropy(entropy):
    """BIP-39, Generating the mnemonic: the bits and a checksum, eleven to a word."""
    checksum_bits = len(entropy) * 8 // 32
    checksum = hashlib.sha256(entropy).digest()[0] >> (8 - checksum_bits)
    bits = int.from_bytes(entropy, "big") << checksum_bits | checksum
    count, listed = (len(entropy) * 8 + checksum_bits) // 11, word_list()
    return " ".join(listed[bits >> 11 * (count - 1 - i) & 2047] for i in range(count))


def check_words(text):
    """The words with one space between them; a Problem that says what is wrong with them."""
    words, listed = text.lower().split(), word_list()
    if len(words) not in WORD_COUNTS:
        raise Problem(f"{len(words)} words: there must be 12, 15, 18, 21 or 24")
    for place, word in enumerate(words, 1):
        if word not in listed:
            raise Problem(f"word {place}, '{word}', is not in the list of BIP39")
    checksum_bits = len(words) // 3
    bits = 0
    for word in words:
        bits = bits << 11 | listed.index(word)
    entropy = (bits >> checksum_bits).to_bytes(len(words) * 4 // 3, "big")
    if words_of_entropy(entropy) != " ".join(words):
        raise Problem("the checksum of the words is wrong: one is mistaken, or their order is")
    return " ".join(words)


def seed_of_words(words, passphrase=""):
    """BIP-39, From mnemonic to seed."""
    plain = [unicodedata.normalize("NFKD", text).encode() for text in (words, passphrase)]
    return hashlib.pbkdf2_hmac("sha512", plain[0], b"mnemonic" + plain[1], 2048)


def base58check(payload):
    payload += hashlib.sha256(hashlib.sha256(payload).digest()).digest()[:4]
    number, text = int.from_bytes(payload, "big"), ""
    while number:
        number, digit = divmod(number, 58)
        text = BASE58[digit] + text
    return "1" * (len(payload) - len(payload.lstrip(b"\0"))) + text


def split_key(digest, addend):
    """The key and chain code that an HMAC gives; one in 2^127 gives none (BIP-32)."""
    left = int.from_bytes(digest[:32], "big")
    key = (left + addend) % CURVE_ORDER
    if left >= CURVE_ORDER or key == 0:
        raise Problem("these words give no key: take others")
    return key, digest[32:]


def account_key(seed, purpose, coin, version=XPRV_TEST):
    """The extended private key of m/purpose'/coin'/0', in base58.

    The fingerprint of its parent would take the curve, is used by nothing here, and left zero."""
    key, chain_code = split_key(hmac.digest(b"Bitcoin seed", seed, "sha512"), 0)
    for step in (purpose, coin, 0):
        data = b"\0" + key.to_bytes(32, "big") + (HARDENED + step).to_bytes(4, "big")
        key, chain_code = split_key(hmac.digest(chain_code, data, "sha512"), key)
    return base58check(version + b"\3" + bytes(4) + HARDENED.to_bytes(4, "big") + chain_code +
                       b"\0" + key.to_bytes(32, "big"))
