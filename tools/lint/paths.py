"""paths.py - the walks through the code: marked stops, and the list of them in architecture.md."""
import re

from source import TOKEN, functions, line_at

LISTED = "doc/architecture.md"
MARK = re.compile(r"\[(block|tx) (\d+)\]")
STOP = re.compile(r"(\d+)\. `([\w/]+\.c)`, `(\w+)\(\)`")
WALKS = {"From the socket to the tip:": "block", "From `sendrawtransaction` to the peer:": "tx"}


def marked(tree):
    """{(walk, number): [(path, line, function below)]} of the marks in comments."""
    found = {}
    for path in tree.select("src/", ends=(".c",)):
        if not MARK.search(tree.text(path)):
            continue
        starts = [(first, name) for name, first, _, _ in functions(tree.code(path))]
        for comment in TOKEN.finditer(tree.text(path)):
            for match in MARK.finditer(comment.group(0) if comment.group(0)[0] == "/" else ""):
                line = line_at(tree.text(path), comment.start() + match.start())
                below = min(((first, name) for first, name in starts if first >= line),
                            default=(0, "nothing"))
                found.setdefault((match.group(1), int(match.group(2))), []).append(
                    (path, line, below[1]))
    return found


def listed(tree):
    """(line, walk, number, path, function) of each stop in the list."""
    walk = None
    for number, line in enumerate(tree.lines(LISTED), 1):
        walk = WALKS.get(line, None if line.startswith("#") else walk)
        match = STOP.match(line)
        if walk and match:
            yield number, walk, int(match.group(1)), "src/" + match.group(2), match.group(3)


def lint_path(tree):
    """Each stop of a walk is marked once, above the function that the list names, and in turn."""
    marks = marked(tree)
    rows = list(listed(tree)) if LISTED in tree.paths else []
    last = {}
    for line, walk, number, path, name in rows:
        if number != last.get(walk, 0) + 1:
            yield (LISTED, line, f"stop {number} of {walk} is out of turn", "number them in turn")
        last[walk] = number
        at = marks.pop((walk, number), [])
        if [(p, below) for p, _, below in at] != [(path, name)]:
            yield (LISTED, line, f"[{walk} {number}] is not marked once, above {name}() of {path}",
                   "correct the list or the mark")
    for (walk, number), at in sorted(marks.items()):
        for path, line, _ in at:
            yield (path, line, f"[{walk} {number}] is not in the list", f"list it in {LISTED}")
