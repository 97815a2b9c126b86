"""units.py - what is said on the command line: times, shares, rates, sets of nodes."""
import re


class LabError(Exception):
    """What the user is told, in one line."""


TIMES_MS = {"us": 0.001, "ms": 1, "s": 1000, "m": 60000, "": 1000}
RATES_BYTES_S = {"bit": 1 / 8, "kbit": 1000 / 8, "mbit": 1e6 / 8, "gbit": 1e9 / 8,
                 "b": 1, "kb": 1000, "mb": 1e6, "gb": 1e9, "": 1}
DELAY_MS_MAX = 60000
TXS_S_MAX = 10000
BLOCKS_MAX = 1000
NODES_MAX = 10000
LINES_MAX = 1000000
RATE_BYTES_S_MAX = 10 ** 12


def _number(text, units, what):
    match = re.fullmatch(r"(\d+(?:\.\d+)?)\s*([a-z]*)(?:/s|ps)?", text.strip().lower())
    if not match or match.group(2) not in units:
        known = ", ".join(unit for unit in units if unit)
        raise LabError(f"{text!r} is no {what} (a number with one of: {known})")
    return float(match.group(1)) * units[match.group(2)]


def time_ms(text):
    """80ms, 5s, 1.5m; a plain number is seconds."""
    return _number(text, TIMES_MS, "time")


def time_s(text):
    return time_ms(text) / 1000


def delay_ms(text):
    value = time_ms(text)
    if value > DELAY_MS_MAX:
        raise LabError(f"a delay of {text} is too long: at most {DELAY_MS_MAX // 1000} s")
    return value


def rate_bytes_s(text):
    """10mbit, 1MB/s; 0 is no limit."""
    value = _number(text, RATES_BYTES_S, "rate")
    if value > RATE_BYTES_S_MAX:
        raise LabError(f"a rate of {text} is too high")
    return int(value)


def _whole(text, least, most, what):
    value = int(text) if re.fullmatch(r"\d{1,9}", text.strip()) else -1
    if not least <= value <= most:
        raise LabError(f"{text!r} is no {what}: {least} to {most}")
    return value


def port(text):
    """One that has one below it."""
    return _whole(text, 2, 65535, "port")


def lines(text):
    return _whole(text, 1, LINES_MAX, "number of lines")


def nodes(text):
    return _whole(text, 1, NODES_MAX, "number of nodes")


def blocks(text):
    return _whole(text, 1, BLOCKS_MAX, "number of blocks")


def txs_s(text):
    """Transactions a second: 5, 0.5; 0 is none."""
    match = re.fullmatch(r"\d{1,9}(?:\.\d+)?", text.strip())
    if not match or float(text) > TXS_S_MAX:
        raise LabError(f"{text!r} is no number of transactions a second: 0 to {TXS_S_MAX}")
    return float(text)


def share(text):
    """1%, 0.01: a part of a whole."""
    match = re.fullmatch(r"(\d+(?:\.\d+)?)(%?)", text.strip())
    value = float(match.group(1)) / (100 if match.group(2) else 1) if match else 2
    if value > 1:
        raise LabError(f"{text!r} is no share (0% to 100%, or 0 to 1)")
    return value


def node_ids(words, n_nodes):
    """The nodes that words name: n3, 3, 0-7, all; every one must exist."""
    found = []
    for word in words:
        for part in word.split(","):
            match = re.fullmatch(r"n?(\d{1,6})(?:-n?(\d{1,6}))?", part)
            if part == "all":
                found.extend(range(n_nodes))
                continue
            if not match:
                raise LabError(f"{part!r} names no node (n3, 3, 0-7 or all)")
            first, last = int(match.group(1)), int(match.group(2) or match.group(1))
            if first > last or last >= n_nodes:
                raise LabError(f"there is no node {part}: they are n0 to n{n_nodes - 1}")
            found.extend(range(first, last + 1))
    return sorted(set(found))
