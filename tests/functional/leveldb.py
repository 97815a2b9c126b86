"""Writes LevelDB folders as another program would: a store of one log that was never compacted.

Enough to make stores that are not ours and to add rows to one of ours while its node is stopped.
Format: blocks of 32 KiB of records (checksum, length, type, payload); a batch is one record.
"""
import glob
import os

BLOCK_BYTES = 32768
HEAD_BYTES = 7
FULL, FIRST, MIDDLE, LAST = 1, 2, 3, 4
PUT = 1
LATE = 1 << 40  # a sequence number behind all that a test's node has given out


def _table():
    table = []
    for byte in range(256):
        for _ in range(8):
            byte = byte >> 1 ^ (0x82F63B78 if byte & 1 else 0)
        table.append(byte)
    return table


CRC32C = _table()


def masked_crc(data):
    crc = 0xFFFFFFFF
    for byte in data:
        crc = CRC32C[(crc ^ byte) & 255] ^ crc >> 8
    crc ^= 0xFFFFFFFF
    return ((crc >> 15 | crc << 17) + 0xA282EAD8) & 0xFFFFFFFF


def varint(value):
    out = bytearray()
    while value >= 128:
        out.append(value & 127 | 128)
        value >>= 7
    return bytes(out) + bytes([value])


def slice_of(data):
    return varint(len(data)) + data


def records(payload, at):
    """The payload as a log has it, where the log has `at` bytes already."""
    out, first = bytearray(), True
    while first or payload:
        room = BLOCK_BYTES - (at + len(out)) % BLOCK_BYTES
        if room < HEAD_BYTES:
            out += bytes(room)
            continue
        part, payload = payload[:room - HEAD_BYTES], payload[room - HEAD_BYTES:]
        kind = (FULL if first else LAST) if not payload else FIRST if first else MIDDLE
        typed = bytes([kind]) + part
        out += masked_crc(typed).to_bytes(4, "little") + len(part).to_bytes(2, "little") + typed
        first = False
    return bytes(out)


def batch(rows, sequence):
    out = sequence.to_bytes(8, "little") + len(rows).to_bytes(4, "little")
    for key, value in rows.items():
        out += bytes([PUT]) + slice_of(key) + slice_of(value)
    return out


def make(path, rows):
    """A new store with these rows (bytes by bytes)."""
    os.makedirs(path)
    edit = (varint(1) + slice_of(b"leveldb.BytewiseComparator") + varint(2) + varint(3) +
            varint(3) + varint(4) + varint(4) + varint(0))
    for name, data in (("MANIFEST-000002", records(edit, 0)), ("CURRENT", b"MANIFEST-000002\n"),
                       ("000003.log", records(batch(rows, 1), 0)), ("LOCK", b"")):
        with open(os.path.join(path, name), "wb") as file:
            file.write(data)


def put(path, rows):
    """Add rows to a store that nobody has open."""
    log = max(glob.glob(os.path.join(path, "*.log")))
    with open(log, "ab") as file:
        file.write(records(batch(rows, LATE), file.tell()))
