"""topology.py - who dials whom: a list of (from, to), of which the later node dials the earlier
one where the kind leaves a choice, because that one is up already."""
import random
import re

from labkit.units import LabError

OUT = 3  # that a node dials if nothing is said, or all others where there are fewer
KINDS = "random:N, ring, line, star, full, tree, file:PATH"
NODES_MAX = 4096


def _random(n, degree, seed):
    if degree >= n:
        raise LabError(f"random:{degree} is impossible with {n} nodes: a node has {n - 1} others")
    if degree < 1:
        raise LabError("random:0 connects nobody")
    lot = random.Random(f"topology/{seed}")
    pairs = set()
    for node in range(n):
        for other in lot.sample([i for i in range(n) if i != node], degree):
            pairs.add((max(node, other), min(node, other)))
    return join(n, pairs, lot)


def _parts(n, pairs):
    """Returns: (root, find): find(node) is the same for all that reach one another."""
    root = list(range(n))

    def find(node):
        while root[node] != node:
            root[node] = root[root[node]]
            node = root[node]
        return node

    for a, b in pairs:
        root[find(a)] = find(b)
    return root, find


def join(n, pairs, lot):
    """With a link more for each part that the others cannot reach."""
    root, find = _parts(n, pairs)
    for node in range(1, n):
        if find(node) != find(0):
            other = lot.choice([i for i in range(n) if find(i) == find(0)])
            pairs.add((max(node, other), min(node, other)))
            root[find(node)] = find(0)
    return sorted(pairs)


def _file(n, path):
    """Lines of "FROM TO"; # begins a comment."""
    pairs = set()
    try:
        with open(path, encoding="utf-8") as file:
            lines = file.read().splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise LabError(f"cannot read the topology {path}: {error}") from error
    for number, line in enumerate(lines, 1):
        words = line.split("#")[0].split()
        if not words:
            continue
        match = re.fullmatch(r"n?(\d{1,6}) n?(\d{1,6})", " ".join(words))
        if not match:
            raise LabError(f"{path}:{number}: not FROM TO: {line.strip()[:60]!r}")
        a, b = int(match.group(1)), int(match.group(2))
        if a == b or max(a, b) >= n:
            raise LabError(f"{path}:{number}: impossible with {n} nodes: {line.strip()[:60]!r}")
        if (b, a) not in pairs:
            pairs.add((a, b))
    _, find = _parts(n, pairs)
    for node in range(1, n):
        if find(node) != find(0):
            raise LabError(f"{path}: no way leads from n0 to n{node}, so they would never agree")
    return sorted(pairs)


def make(kind, n, seed):
    """The links of n nodes; kind None: random:3, or as many as there are others. Raises LabError
    where that is impossible."""
    if not 1 <= n <= NODES_MAX:
        raise LabError(f"--nodes={n} is impossible: 1 to {NODES_MAX}")
    kind = kind or f"random:{max(min(OUT, n - 1), 1)}"
    name, _, argument = kind.partition(":")
    if name == "random" and argument.isdigit():
        return _random(n, int(argument), seed) if n > 1 else []
    if name == "file" and argument:
        return _file(n, argument)
    simple = {
        "ring": lambda: [(i, i - 1) for i in range(1, n)] + ([(n - 1, 0)] if n > 2 else []),
        "line": lambda: [(i, i - 1) for i in range(1, n)],
        "star": lambda: [(i, 0) for i in range(1, n)],
        "full": lambda: [(i, j) for i in range(n) for j in range(i)],
        "tree": lambda: [(i, (i - 1) // 2) for i in range(1, n)],
    }
    if kind not in simple:
        raise LabError(f"no topology {kind!r}: {KINDS}")
    return simple[kind]()
