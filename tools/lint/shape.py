"""shape.py - lints about how a function is built: parameters, nesting, recursion, switches."""
import re

from source import components, functions, line_at

FUNCTION_LINES_GOAL = 40
PARAMETERS_MAX = 6
NESTING_MAX = 3
SOURCES = (".c", ".h", ".inc")
CONTROL = ("if", "for", "while", "switch")


def parameters(text, start):
    """How many parameters stand between the parenthesis at start and its partner."""
    depth, commas, end = 0, 0, start
    for end in range(start, len(text)):
        depth += (text[end] in "([{") - (text[end] in ")]}")
        commas += text[end] == "," and depth == 1
        if depth == 0:
            break
    inside = text[start + 1:end].strip()
    return 0 if inside in ("", "void") else commas + 1


# At column 0: a function, or a prototype. Indented members are tables of callbacks.
HEAD = re.compile(r"^(?!#|typedef|return|else)[A-Za-z_][\w *]*\b(\w+)(\()", re.M)


def lint_parameters(tree):
    """No function has more than 6 parameters."""
    for path in tree.select("src/", "tests/", ends=SOURCES):
        code = tree.code(path)
        for match in HEAD.finditer(code):
            n = parameters(code, match.start(2))
            if n > PARAMETERS_MAX:
                name = match.group(1)
                yield (path, line_at(code, match.start()), f"{name}() has {n} parameters",
                       f"at most {PARAMETERS_MAX}: hand over a struct")


STEP = re.compile(r"[A-Za-z_]\w*|[(){};:]")


class Nesting:
    """The depth of control statements in a function's body, with braces or without."""

    def __init__(self, body):
        self.steps = [m for m in STEP.finditer(re.sub(r"^\s*#.*$", "", body, flags=re.M))]
        self.at = 0
        self.deepest, self.where = 0, 0

    def word(self):
        return self.steps[self.at].group(0) if self.at < len(self.steps) else ""

    def measure(self):
        while self.at < len(self.steps):
            self.statement(0)
        return self.deepest

    def skip_group(self, opening, closing):
        depth = 0
        while self.at < len(self.steps):
            depth += (self.word() == opening) - (self.word() == closing)
            self.at += 1
            if depth == 0:
                return

    def block(self, depth):
        self.at += 1
        while self.word() not in ("}", ""):
            self.statement(depth)
        self.at += 1

    def inner(self, depth):
        if depth > self.deepest:
            self.deepest = depth
            self.where = self.steps[min(self.at, len(self.steps) - 1)].start()
        self.statement(depth)

    def statement(self, depth):
        word = self.word()
        if word == "{":
            self.block(depth)
        elif word in CONTROL:
            self.at += 1
            self.skip_group("(", ")")
            self.inner(depth + 1)
            # An "else if" is as deep as its "if".
            while self.word() == "else":
                self.at += 1
                if self.word() == "if":
                    self.at += 1
                    self.skip_group("(", ")")
                self.inner(depth + 1)
        elif word == "do":
            self.at += 1
            self.inner(depth + 1)
            self.expression(depth)
        elif word in ("case", "default"):
            while self.word() not in (":", ""):
                self.at += 1
            self.at += 1
        else:
            self.expression(depth)

    def expression(self, depth):
        """Up to the semicolon; a macro that loops, MACRO(...) { or if, is a control statement."""
        first = self.at
        while self.word() not in (";", "}", ""):
            if self.word() == "(":
                self.skip_group("(", ")")
                if self.steps[first].group(0).isupper() and self.word() in ("{",) + CONTROL:
                    self.inner(depth + 1)
                    return
            elif self.word() == "{":
                self.skip_group("{", "}")
            elif self.word() in CONTROL + ("do",):
                return  # what a label or a case leads to
            else:
                self.at += 1
        if self.word() == ";":
            self.at += 1
        elif self.at == first and self.word() == "}":
            self.at += 1


def lint_nesting(tree):
    """Control statements stand at most 3 deep in one another."""
    for path in tree.select("src/", "tests/", ends=SOURCES):
        for name, first, _, body in functions(tree.code(path)):
            deepest = Nesting(body).measure()
            if deepest > NESTING_MAX:
                yield (path, first, f"{name}() is nested {deepest} deep",
                       f"at most {NESTING_MAX}: return early, or give the inner part a name")


KEYWORDS = {"if", "for", "while", "switch", "return", "sizeof", "do", "else", "case"}


def call_graph(tree, paths):
    """({function: functions that it calls by name}, {function: (path, line)}); functions are
    (path, name), the path "" where the name is public."""
    where, calls, local = {}, {}, {}
    found = [(path, *f) for path in paths for f in functions(tree.code(path))]
    for path, name, first, _, _ in found:
        head = tree.code(path).split("\n")[first - 1]
        key = (path if re.match(r"(NODISCARD )?static\b", head) else "", name)
        where[key] = (path, first)
        local[(path, name)] = key
    for path, name, _, _, body in found:
        key = local[(path, name)]
        for other in re.findall(r"(?<![\w.>])([a-z_]\w*)\s*\(", body):
            target = local.get((path, other), ("", other))
            if target in where and other not in KEYWORDS:
                calls.setdefault(key, set()).add(target)
    return calls, where


def lint_recursion(tree):
    """No function calls itself, by itself or through others, however deep the data are."""
    calls, where = call_graph(tree, tree.select("src/", ends=(".c", ".h", ".inc")))
    edges = {k: {o for o in calls.get(k, ())} for k in where}
    for group in components(edges):
        for key in group:
            yield (*where[key], f"{key[1]}() calls itself: " + ", ".join(n for _, n in group),
                   "use a loop and a stack whose size is bounded")


ENUM = re.compile(r"\benum(?:\s+\w+)?\s*\{([^}]*)\}", re.S)


def enums(tree):
    """The names of each enum of ours."""
    for path in tree.select("src/", ends=(".c", ".h")):
        for match in ENUM.finditer(tree.code(path)):
            yield {n for row in match.group(1).split(",")
                   for n in re.findall(r"^\s*([A-Za-z_]\w*)", row)}


def lint_default(tree):
    """No switch over an enum of ours has a default: the compiler names what is missing.

    -Wswitch-enum makes such a switch list every name; one that lists fewer is over a number."""
    known = [names for names in enums(tree) if len(names) > 1]
    for path in tree.select("src/", ends=(".c", ".h", ".inc")):
        code = tree.code(path)
        for match in re.finditer(r"^(\s*)switch \(", code, re.M):
            indent = match.group(1).lstrip("\n")
            end = code.find("\n" + indent + "}", match.end())
            inside = code[match.end():end]
            rows = re.findall(r"^" + indent + r"(?:case (\w+)|(default))\s*:", inside, re.M)
            labels = {label for label, _ in rows if label}
            if any(default for _, default in rows) and any(n <= labels for n in known):
                yield (path, line_at(code, match.start()) + match.group(0).count("\n"),
                       "a switch over an enum of ours has a default",
                       "delete it: every name is listed, and the compiler finds a new one")


def lint_function_goal(tree):
    """Functions have 40 lines; more is rare."""
    for path in tree.select("src/", ends=SOURCES):
        for name, first, last, _ in functions(tree.code(path)):
            if last - first + 1 > FUNCTION_LINES_GOAL:
                yield (path, first, f"{name}() has {last - first + 1} lines",
                       f"split it; aim for {FUNCTION_LINES_GOAL}")
