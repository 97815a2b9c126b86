"""source.py - the files of a source tree and what stands in them, for lints and tools/measure."""
import os
import re
import subprocess


class Tree:
    """The files of a source tree, each read once."""

    def __init__(self, root, objects=None):
        self.root = root
        self.objects = objects
        self.cache = {}
        self.paths = sorted(self._list())

    def _list(self):
        try:
            out = subprocess.run(
                ["git", "ls-files", "--cached", "--others", "--exclude-standard"],
                cwd=self.root, capture_output=True, check=True, text=True).stdout.splitlines()
            return [p for p in out if os.path.isfile(os.path.join(self.root, p))]
        except (subprocess.CalledProcessError, FileNotFoundError):
            found = []  # an unpacked archive
            for folder, names, files in os.walk(self.root):
                names[:] = [n for n in names if n not in ("build", ".git", "__pycache__")]
                found += [os.path.relpath(os.path.join(folder, f), self.root) for f in files]
            return found

    def select(self, *starts, ends=(".c", ".h")):
        return [p for p in self.paths if p.startswith(starts) and p.endswith(tuple(ends))]

    def text(self, path):
        if path not in self.cache:
            with open(os.path.join(self.root, path), encoding="utf-8", errors="replace") as f:
                self.cache[path] = f.read()
        return self.cache[path]

    def lines(self, path):
        return self.text(path).split("\n")

    def code(self, path):
        """The text with comments and the contents of literals blanked; same lines."""
        key = (path, "code")
        if key not in self.cache:
            self.cache[key] = blank(self.text(path))
        return self.cache[key]


TOKEN = re.compile(r'/\*.*?\*/|//[^\n]*|"(?:\\.|[^"\\\n])*"|\'(?:\\.|[^\'\\\n])*\'', re.S)


def blank(text):
    def replace(match):
        s = match.group(0)
        if s[0] in "\"'":
            return s[0] + " " * (len(s) - 2) + s[-1]
        return re.sub(r"[^\n]", " ", s)
    return TOKEN.sub(replace, text)


def line_at(text, offset):
    return text.count("\n", 0, offset) + 1


def layer_of(path):
    parts = path.split("/")
    return parts[1] if len(parts) > 2 and parts[0] == "src" else None


# The head of a test of tests/unit, after tests/support/unit.h; its name.
TEST_HEAD = re.compile(r"TEST(?:_WITH\(\w+,\s*\w+,|\()\s*(\w+)")


def functions(code):
    """(name, first line, last line, body) of each function: Linux braces at column 0."""
    lines = code.split("\n")
    start = None
    for number, line in enumerate(lines, 1):
        if line == "{":
            start = number
        elif line == "}" and start is not None:
            first = start - 1
            while first > 1 and lines[first - 2].strip() and not re.match(
                    r"[#}]|.*;\s*$", lines[first - 2]):
                first -= 1
            head = " ".join(lines[first - 1:start - 1])
            name = TEST_HEAD.match(head) or re.search(
                r"(\w+)\s*\(", re.sub(r"__attribute__\s*\(\(.*?\)\)+", "", head))
            if name:
                yield name.group(1), first, number, "\n".join(lines[start:number - 1])
            start = None


def is_prototype(statement):
    s = statement.strip()
    return (s.endswith(";") and "(" in s and "{" not in s and
            not s.startswith(("typedef", "_Static_assert", "static inline", "struct {")))


def prototypes(tree, path):
    """(name, line, covered, own) of each prototype of a header. A comment covers the declarations
    that follow it up to the next blank line; it is the own one of the first of them, or of the one
    on whose line it stands."""
    covered = in_comment = fresh = False
    depth = 0
    statement, first, first_fresh = "", 0, False
    for number, (raw, code) in enumerate(zip(tree.lines(path), tree.code(path).split("\n")), 1):
        if not raw.strip():
            covered = covered if in_comment else False
            fresh = fresh if in_comment else False
            continue
        has_comment = "/*" in raw or in_comment
        covered = covered or "/*" in raw
        in_comment = (raw.rfind("/*") > raw.rfind("*/")) or (in_comment and "*/" not in raw)
        if not code.strip():
            fresh = fresh or has_comment
            continue
        if code.startswith("#"):
            continue
        if depth == 0 and not statement:
            first, first_fresh = number, fresh
        if depth == 0:
            statement += " " + code.strip()
            first_fresh = first_fresh or has_comment
        depth += code.count("{") - code.count("}")
        fresh = False
        if depth == 0 and (code.rstrip().endswith((";", "}")) or ";" in code):
            if is_prototype(statement):
                name = re.search(r"(\w+)\s*\(", statement).group(1)
                yield name, first, covered, first_fresh
            statement = ""


INCLUDE = re.compile(r'^[ \t]*#[ \t]*include[ \t]+"([^"]+)"', re.M)


def includes(tree, path):
    """(path of the included file of src, line) of each include of ours."""
    for match in INCLUDE.finditer(tree.text(path)):
        yield "src/" + match.group(1), line_at(tree.text(path), match.start())


def folder_of(path):
    """Folder within the layer: src/chain/coins/coin.c is in coins, src/chain/chain.c in ""."""
    return "/".join(path.split("/")[2:-1])


def line_kinds(tree, path):
    """Counts of the lines of a C file: (all, with code, with a comment, blank). One line can hold
    both code and a comment."""
    code = comment = blanks = 0
    for raw, bare in zip(tree.lines(path), tree.code(path).split("\n")):
        if not raw.strip():
            blanks += 1
            continue
        has_code = bool(bare.strip())
        code += has_code
        # Literals are blanked as well, but keep their quotes and their length.
        comment += not has_code or "/*" in raw[len(bare.rstrip()):]
    return code + comment + blanks, code, comment, blanks


def components(edges):
    """Strongly connected components with more than one node, or with an edge to itself: lists of
    nodes, sorted. edges: {node: set of nodes}. Tarjan's way, with a stack of its own."""
    index, low, on_stack, stack, found = {}, {}, set(), [], []
    for root in sorted(edges):
        if root in index:
            continue
        work = [(root, iter(sorted(edges[root])))]
        index[root] = low[root] = len(index)
        stack.append(root)
        on_stack.add(root)
        while work:
            node, rest = work[-1]
            for other in rest:
                if other not in index:
                    index[other] = low[other] = len(index)
                    stack.append(other)
                    on_stack.add(other)
                    work.append((other, iter(sorted(edges.get(other, ())))))
                    break
                if other in on_stack:
                    low[node] = min(low[node], index[other])
            else:
                work.pop()
                if work:
                    low[work[-1][0]] = min(low[work[-1][0]], low[node])
                if low[node] == index[node]:
                    group = []
                    while True:
                        group.append(stack.pop())
                        on_stack.discard(group[-1])
                        if group[-1] == node:
                            break
                    if len(group) > 1 or node in edges.get(node, ()):
                        found.append(sorted(group))
    return found
