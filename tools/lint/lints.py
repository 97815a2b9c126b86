#!/usr/bin/env python3
"""lints.py - the rules of this project that a compiler does not check.

Each lint is a function from a Tree to findings (path, line, what, what to do). selftest feeds
each one a bad snippet. To add a lint: write the function, add a row to LINTS, add a row to
selftest's table."""
import argparse
import os
import re
import subprocess
import sys

from citations import lint_citations
from links import (lint_circles, lint_dead_functions, lint_folder_includes, lint_folders,
                   lint_own_comments)
from paths import lint_path
from shape import (lint_default, lint_function_goal, lint_nesting, lint_parameters,
                   lint_recursion)
from source import TEST_HEAD, Tree, functions, layer_of, line_at, prototypes

ORDER = ["util", "crypto", "consensus", "spend", "chain", "mempool", "p2p", "rpc", "node", "host",
         "sim", "programs"]
STRANGERS = [("p2p", "rpc"), ("host", "sim")]  # side by side: neither includes the other
COLUMNS_MAX = 100
FUNCTION_LINES_MAX = 70
FILE_LINES_MAX = 800


# -- The lints ----------------------------------------------------------------------------


def lint_layers(tree):
    """Includes go to the left: util <- crypto <- consensus <- spend <- chain <- mempool <- ..."""
    for path in tree.select("src/", ends=(".c", ".h", ".inc", ".def")):
        own = layer_of(path)
        if own is None:
            continue
        for number, line in enumerate(tree.lines(path), 1):
            match = re.match(r'\s*#\s*include\s+"([^"]+)"', line)
            if not match:
                continue
            target = match.group(1)
            other = target.split("/")[0]
            if "/" not in target or other not in ORDER:
                yield (path, number, f'includes "{target}" without its layer',
                       'write "layer/file.h"')
                continue
            if own == other:
                continue
            if ORDER.index(other) > ORDER.index(own):
                yield (path, number, f"{own} includes {other}, which is to its right",
                       "talk to the right through a struct of callbacks that node fills in")
            elif (own, other) in STRANGERS or (other, own) in STRANGERS:
                yield (path, number, f"{own} includes {other}: they never know each other",
                       "let node join them by callbacks")
            elif target.endswith(("_internal.h", "/state.h")):
                yield (path, number, f'"{target}" is internal to {other}', "use its public header")


def lint_globals(tree):
    """No mutable file-scope variables: .data, .bss and .tbss of every object are empty."""
    if not tree.objects:
        return
    found = False
    for folder, _, files in os.walk(tree.objects):
        for name in sorted(files):
            full = os.path.join(folder, name)
            match = re.search(r"(src/([a-z0-9_]+)/(?:[^/]+/)?[^/]+\.c)\.o$", full)
            if not match or match.group(2) == "programs":
                continue
            found = True
            yield from mutable_symbols(full, match.group(1))
    if not found:
        yield (tree.objects, 1, "there are no objects to look at", "build the preset lint")


def mutable_symbols(full, source):
    sizes = subprocess.run(["size", "-A", full], capture_output=True, check=True, text=True).stdout
    for line in sizes.splitlines():
        fields = line.split()
        if len(fields) != 3 or not fields[1].isdigit() or int(fields[1]) == 0:
            continue
        section = fields[0]
        if re.match(r"\.(data|bss|tdata|tbss)\b", section) and ".rel.ro" not in section:
            names = subprocess.run(["nm", full], capture_output=True, check=True, text=True).stdout
            guilty = re.findall(r"^\S+ [dDbB] (\S+)$", names, re.M)
            yield (source, 1, f"{section} holds {fields[1]} bytes ({', '.join(guilty)})",
                   "make it const, or move it into a struct that is passed in")


CALL = r"(?<![\w.>])(?:%s)\s*\("
INCLUDE = r"#\s*include\s+<(?:%s)"
# What, where it is allowed (prefixes of paths), what to use instead. Includes start with <.
BANNED = [
    ("time|gettimeofday|clock|clock_gettime|localtime|gmtime|ctime|asctime|mktime",
     ("src/host/", "src/programs/"), "env_unix_s() or env_now_us(); gmtime_r to show a time"),
    ("rand|srand|random|srandom|rand_r|drand48|getrandom|getentropy|arc4random",
     ("src/host/",), "env_random()"),
    ("sleep|usleep|nanosleep", ("src/host/", "src/programs/"), "env_timer_start()"),
    ("malloc|calloc|realloc|reallocarray|free|strdup|strndup|asprintf|vasprintf|alloca",
     ("src/util/alloc.c",), "xmalloc, xcalloc, xrealloc, xfree, xstrdup, xasprintf or an arena"),
    ("sprintf|vsprintf", (), "snprintf, xasprintf or buffer_append_format"),
    ("strcpy|strcat|stpcpy|strncat", (), "snprintf, memcpy or a struct buffer"),
    ("gets|scanf|sscanf|fscanf", (), "a struct reader or parse_int64"),
    ("atoi|atol|atoll|strtol|strtoll|strtoul|strtoull|strtod|atof", (),
     "parse_int64, parse_uint64 or parse_fixed_point"),
    ("strtok", (), "strcspn and a span"),
    ("fopen|open|openat|fdopen|freopen", ("src/host/", "src/programs/"), "env_file_open()"),
    ("socket|getaddrinfo|gethostbyname", ("src/host/", "src/programs/"), "env_stream_connect()"),
    ("exit|_exit|abort", ("src/util/alloc.c", "src/util/assert.c", "src/host/", "src/programs/"),
     "a verdict, a fault, or ASSERT"),
    ("assert", (), "ASSERT, which stays in every build"),
    ("setlocale|getenv|setenv", ("src/host/", "src/programs/"), "an option"),
    ("<openssl/|secp256k1", ("src/crypto/",), "a function of crypto/"),
    ("<leveldb/", ("src/host/",), "env_kv_get() and its siblings"),
    ("<event2?[/.]|event\\.h|ev[a-z]+\\.h", ("src/host/", "src/programs/"),
     "env's streams and timers"),
    ("<sys/socket|netinet/|arpa/|netdb", ("src/host/", "src/programs/"), "env's streams"),
    ("<pthread|threads\\.h", ("src/host/",), "env_job_submit()"),
    ("<jansson", ("src/rpc/", "src/programs/"), "rpc/"),
    ("<time\\.h|sys/time\\.h", ("src/host/", "src/programs/", "src/rpc/"), "env's clocks"),
    ("<assert\\.h", (), "util/assert.h"),
]


def lint_banned(tree):
    """Calls and headers that belong to one layer, or to none."""
    rows = []
    for what, allowed, instead in BANNED:
        is_include = what.startswith("<")
        pattern = re.compile((INCLUDE % what[1:]) if is_include else (CALL % what))
        rows.append((pattern, allowed, instead))
    for path in tree.select("src/", ends=(".c", ".h", ".inc", ".def")):
        code = tree.code(path)
        for pattern, allowed, instead in rows:
            if path.startswith(allowed) and allowed:
                continue
            for match in pattern.finditer(code):
                number = line_at(code, match.start())
                # What a library hands out is freed its way: the line says so.
                if "lint: " in tree.lines(path)[number - 1]:
                    continue
                what = match.group(0).strip().rstrip("(").strip()
                yield (path, number, f"{what} is banned here",
                       f"use {instead} (or say why not: /* lint: reason */)")


def lint_todo(tree):
    """Nothing is left for later in the code: it is done, or it is an issue."""
    # In two parts, so that this file does not find itself.
    words = re.compile(r"\b(TO" + "DO|FIX" + "ME|X" + r"XX)\b")
    for path in tree.select("src/", "tests/", "tools/", "contrib/", "doc/", "CMake", "README",
                            ends=("",)):
        if path.endswith((".dat", ".raw", ".bin", ".png")):
            continue
        for number, line in enumerate(tree.lines(path), 1):
            if words.search(line):
                yield (path, number, f"{words.search(line).group(0)} is left",
                       "do it, or file an issue and name what is missing in the docs")


def lint_columns(tree):
    """Lines end at column 100; tables in .def and .inc may be wider, and so may a test's line
    that holds a long literal without spaces: an address, a hash."""
    literal = re.compile(r'"[^"\s]{48,}"')
    for path in tree.select("src/", "tests/", "tools/", "contrib/", ends=(".c", ".h", ".py")):
        for number, line in enumerate(tree.lines(path), 1):
            if path.startswith("tests/") and literal.search(line):
                continue
            if len(line) > COLUMNS_MAX:
                yield (path, number, f"{len(line)} columns", f"break it before {COLUMNS_MAX}")


def lint_function_size(tree):
    """No function is longer than 70 lines."""
    for path in tree.select("src/", "tests/", ends=(".c", ".h", ".inc")):
        for name, first, last, _ in functions(tree.code(path)):
            if last - first + 1 > FUNCTION_LINES_MAX:
                yield (path, first, f"{name}() has {last - first + 1} lines",
                       f"split it; at most {FUNCTION_LINES_MAX}")


def lint_file_size(tree):
    """No file is longer than 800 lines, except tables."""
    for path in tree.select("src/", "tests/", "tools/", "contrib/", ends=(".c", ".h", ".py")):
        n = tree.text(path).count("\n")
        if n > FILE_LINES_MAX:
            yield (path, n, f"{n} lines", f"split it; at most {FILE_LINES_MAX}")


def lint_prototypes(tree):
    """Every header says what it is and which layer it belongs to; every prototype has a comment.

    A comment covers the declarations that follow it up to the next blank line."""
    for path in tree.select("src/", ends=(".h",)):
        if layer_of(path) is None:
            continue
        yield from head_findings(tree, path)
        for name, number, covered, _ in prototypes(tree, path):
            if not covered:
                yield (path, number, f"{name}() has no comment",
                       "say what it does: In, Out, Returns, Units, Owns, Fails, Spec as apply")


def head_findings(tree, path):
    name = os.path.basename(path)
    text = tree.text(path)
    if not re.match(r"/\* " + re.escape(name) + " - ", text):
        yield (path, 1, "the first line does not say what the file is for",
               f'start with "/* {name} - purpose"')
    if path.endswith(".h") and f"Layer: {layer_of(path)}" not in text[:1500]:
        yield (path, 1, "the head does not name its layer", f'add "Layer: {layer_of(path)}."')


def lint_heads(tree):
    """Every source file's first line says what it is for."""
    for path in tree.select("src/", "tests/", ends=(".c",)):
        yield from head_findings(tree, path)


def lint_unit_tests(tree):
    """Every module has its unit test, and no unit test has lost its module."""
    known = set(tree.paths)
    for path in tree.select("src/", ends=(".c",)):
        layer, name = layer_of(path), os.path.basename(path)
        if layer is None or layer == "programs":
            continue
        folder = os.path.dirname(path)[len("src/"):]
        if f"tests/unit/{folder}/test_{name}" not in known:
            yield (path, 1, "has no unit test", f"write tests/unit/{folder}/test_{name}")
    for path in tree.select("tests/unit/", ends=(".c",)):
        folder, name = os.path.dirname(path)[len("tests/unit/"):], os.path.basename(path)[5:-2]
        # test_script_vectors.c is about all of script_*.c: its first word must still be there.
        if not tree.select(f"src/{folder}/{name.split('_')[0]}"):
            yield (path, 1, f"tests src/{folder}/{name}, which does not exist",
                   "name it after its module, or delete it")


# cmocka's assertions, and ways to say that a test cannot run.
ASSERTS = re.compile(r"\b(assert_\w+|expect_\w+|fail|fail_msg|skip|ASSERT|VERIFY)\s*\(")


def asserting(tree, paths):
    """Names of functions that assert, directly or through others of the same files."""
    bodies = {}
    for path in paths:
        for name, _, _, body in functions(tree.code(path)):
            bodies[name] = bodies.get(name, "") + body
    names = {n for n, body in bodies.items() if ASSERTS.search(body)}
    while True:
        more = {n for n, body in bodies.items() if n not in names and any(
            called in names for called in re.findall(r"\b(\w+)\b", body))}
        if not more:
            return names
        names |= more


def lint_assertions(tree):
    """A test that asserts nothing passes whatever the code does."""
    support = tree.select("tests/support/", ends=(".c", ".h"))
    for path in tree.select("tests/unit/", ends=(".c",)):
        names = asserting(tree, support + [path])
        found = False
        code = tree.code(path)
        for name, first, last, _ in functions(code):
            if not TEST_HEAD.match(" ".join(code.split("\n")[first - 1:first + 1])):
                continue
            found = True
            if name not in names:
                yield (path, first, f"{name}() asserts nothing", "say what must be true")
        if not found:
            yield (path, 1, "has no test",
                   "write one, TEST(name) of tests/support/unit.h, or delete the file")


def lint_docs(tree):
    """Documents name only files and functions that exist."""
    source = {word for p in tree.select("src/", "tests/", ends=(".c", ".h", ".def", ".inc"))
              for word in re.findall(r"\w+", tree.code(p))}
    known = set(tree.paths)
    folders = {os.path.dirname(p) for p in known}
    folders |= {"/".join(f.split("/")[:i]) for f in folders for i in range(1, f.count("/") + 1)}
    for path in [p for p in tree.paths
                 if re.match(r"(doc/[^/]+|doc/decisions/[^/]+|README|CONTRIBUTING)\.md$", p)]:
        for number, line in enumerate(tree.lines(path), 1):
            for name in re.findall(r"`([a-z][a-z0-9_]*)\(\)`", line):
                if name not in source:
                    yield (path, number, f"names {name}(), which does not exist",
                           "correct the page")
            for name in re.findall(
                    r"`((?:src|tests|tools|contrib|doc)/[\w./-]+|[\w/]+\.(?:c|h|def|inc))`", line):
                name = name.rstrip("/")
                # A path may start at the root, at src/ or with the document's own folder.
                tries = [name, "src/" + name, "tests/" + name, os.path.dirname(path) + "/" + name]
                if not any(t in known or t in folders for t in tries) and not any(
                        p.endswith("/" + name) for p in known):
                    yield (path, number, f"names {name}, which does not exist", "correct the page")


LINTS = {
    "layers": lint_layers,
    "globals": lint_globals,
    "banned": lint_banned,
    "todo": lint_todo,
    "columns": lint_columns,
    "function-size": lint_function_size,
    "file-size": lint_file_size,
    "prototypes": lint_prototypes,
    "heads": lint_heads,
    "unit-tests": lint_unit_tests,
    "assertions": lint_assertions,
    "docs": lint_docs,
    "parameters": lint_parameters,
    "nesting": lint_nesting,
    "recursion": lint_recursion,
    "default": lint_default,
    "function-goal": lint_function_goal,
    "own-comments": lint_own_comments,
    "folders": lint_folders,
    "folder-includes": lint_folder_includes,
    "circles": lint_circles,
    "dead-functions": lint_dead_functions,
    "citations": lint_citations,
    "path": lint_path,
}

NEED_OBJECTS = ("globals", "circles", "dead-functions", "folders")

RATCHET = "tools/lint/ratchet.txt"


def read_ratchet(tree):
    """{(lint, layer): how many findings are left from before the lint}; they may only shrink."""
    if RATCHET not in tree.paths:
        return {}
    rows = [line.split() for line in tree.lines(RATCHET) if line and line[0] != "#"]
    return {(lint, layer): int(n) for lint, layer, n in rows}


def write_ratchet(tree, rows):
    head = [line for line in tree.lines(RATCHET) if line.startswith("#")]
    body = [f"{lint} {layer} {n}" for (lint, layer), n in sorted(rows.items()) if n]
    with open(os.path.join(tree.root, RATCHET), "w", encoding="utf-8") as f:
        f.write("\n".join(head + body) + "\n")


def judge(lint, findings, ratchet):
    """Those findings of a lint that are more than their layer's row allows, all of that layer
    then; and the rows as they would be: {layer: count} of the layers that have become better."""
    by_layer = {}
    for finding in findings:
        by_layer.setdefault(layer_of(finding[0]) or finding[0].split("/")[0], []).append(finding)
    bad, better = [], {}
    for layer in sorted({*by_layer, *(la for li, la in ratchet if li == lint)}):
        found, allowed = by_layer.get(layer, []), ratchet.get((lint, layer), 0)
        if len(found) > allowed:
            bad += found
            if allowed:
                bad.append((RATCHET, 1, f"{layer} has {len(found)}, {allowed} were left",
                            "none of the above may be new"))
        elif len(found) < allowed:
            better[layer] = len(found)
    return bad, better


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--root", default=".")
    parser.add_argument("--objects", default="")
    parser.add_argument("--shrink", action="store_true", help="lower the rows of ratchet.txt")
    parser.add_argument("lints", nargs="*")
    args = parser.parse_args()
    for name in args.lints:
        if name not in LINTS:
            parser.error(f"no such lint: {name}; there are: {', '.join(LINTS)}")
    tree = Tree(args.root, args.objects)
    ratchet = read_ratchet(tree)
    count = 0
    for name in args.lints or LINTS:
        findings, better = judge(name, LINTS[name](tree), ratchet)
        if tree.objects or name not in NEED_OBJECTS:
            ratchet.update({(name, layer): n for layer, n in better.items()})
        for path, line, what, advice in findings:
            print(f"{path}:{line}: [{name}] {what}; {advice}")
            count += 1
    if args.shrink:
        write_ratchet(tree, ratchet)
    print(f"{count} finding{'' if count == 1 else 's'}")
    return 1 if count else 0


if __name__ == "__main__":
    sys.exit(main())
