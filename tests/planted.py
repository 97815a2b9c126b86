#!/usr/bin/env python3
"""planted.py - switches the defences of the mesh off, one by one: each must be missed by its test.

    tests/planted.py [--build=build/dev] [--transport=v1|v2|lot] [--sound] [NAME ...]

A row names a weakness of src/util/planted.h, the hazards of doc/hazards.md that the defence is
against, the test that shows the defence, and what that test says without it. It runs with
CAIRN_PLANTED=NAME in its environment and has to fail, saying that; with --sound it runs without, too,
and has to pass. Names are those of rows, or numbers of hazards; none: all rows, and the table itself
is held against planted.h and doc/hazards.md. Exit status 77: no row can be tried in this build.
"""
import argparse
import collections
import os
import random
import re
import subprocess
import sys
import time

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
SKIP = 77
LIMIT_S = 400
# Why else a test may fail: then the row shows nothing.
BROKEN = re.compile(r"SyntaxError|ImportError|NameError|AttributeError|TypeError|no cairnd in")
# Of waits that end in vain.
IMPATIENCE = "0.5"

# test     "unit LAYER/MODULE", "functional FILE" or "sim PROGRAM", a colon, the name of the function
# says     a pattern of what must stand in the output
# needs    "memory": a build whose memory can be measured; "sanitizer": one with it
# is_quick it is tried with every other test, not in contrib/soak alone
Row = collections.namedtuple("Row", "name hazards test says needs is_quick", defaults=("", False))
QUICK = {"is_quick": True}
FAILURE = "error: Failure!|assertion failed"

ROWS = (
)


# -- The table itself ------------------------------------------------------------------------------

def read(*path):
    with open(os.path.join(ROOT, *path), encoding="utf-8") as file:
        return file.read()


def weaknesses():
    """Names of planted.h, in its order."""
    text = read("src", "util", "planted.h")
    part = text[text.index("#define PLANTED_WEAKNESSES"):text.index("enum planted")]
    return re.findall(r"^    X\((\w+),", part, re.M)


def hazards_told():
    """{name: {numbers}} of the rows of doc/hazards.md that name a weakness."""
    told = collections.defaultdict(set)
    for line in read("doc", "hazards.md").splitlines():
        number = re.match(r"\| (\d+) ", line)
        for name in re.findall(r"`([A-Z][A-Z_]+[A-Z])`", line) if number else ():
            told[name].add(int(number.group(1)))
    return told


def check_table():
    """Returns what is wrong, a line for each."""
    names, told, wrong = [row.name for row in ROWS], hazards_told(), []
    for name in sorted(set(names) ^ set(weaknesses())):
        wrong.append(f"{name}: is not both in tests/planted.py and in src/util/planted.h")
    wrong += [f"{name}: two rows" for name, n in collections.Counter(names).items() if n > 1]
    wrong += [f"{row.name}: doc/hazards.md names it for {sorted(told[row.name])}, not {row.hazards}"
              for row in ROWS if told[row.name] != set(row.hazards)]
    return wrong


# -- One row ---------------------------------------------------------------------------------------

class Build:
    def __init__(self, folder):
        self.folder = os.path.abspath(os.path.join(ROOT, folder))
        program = os.path.join(self.folder, "bin", "cairnd")
        data = b""
        if os.path.exists(program):
            with open(program, "rb") as file:
                data = file.read()
        self.has_plants = b"CAIRN_PLANTED" in data
        self.has_sanitizer = b"__asan_init" in data

    def lacks(self, row):
        """Why the row cannot be tried here; empty: it can."""
        if not self.has_plants:
            return "this build has no planted bugs (CAIRN_PLANT)"
        if row.needs == "memory" and self.has_sanitizer:
            return "its memory cannot be measured under a sanitizer"
        if row.needs == "sanitizer" and not self.has_sanitizer:
            return "only a sanitizer sees it"
        return ""


def command_of(row, args):
    kind, program, function = re.match(r"(\w+) ([\w/]+): (\w+)$", row.test).groups()
    if kind == "unit":
        layer, module = program.split("/")
        return [os.path.join(args.build.folder, "bin", f"unit_{layer}_test_{module}"), function]
    if kind == "sim":
        return [os.path.join(args.build.folder, "bin", f"sim_{program}"), f"--{function}"]
    path = os.path.join(ROOT, "tests", "functional", f"test_{program}.py")
    return [sys.executable, path, f"--build={args.build.folder}", f"--seed={args.seed}",
            f"--transport={args.transport}", function]


def run(row, args, planted):
    """Returns (exit status, output)."""
    env = dict(os.environ, CAIRN_PLANTED=planted)
    env.setdefault("ASAN_OPTIONS", "detect_stack_use_after_return=1")
    if planted:
        env["CAIRN_TESTS_SLOWDOWN"] = IMPATIENCE
    done = subprocess.run(command_of(row, args), cwd=ROOT, env=env, stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, timeout=LIMIT_S, check=False)
    return done.returncode, done.stdout.decode(errors="replace")


def line_with(pattern, text):
    """The line where the pattern is found; None: nowhere."""
    match = re.search(pattern, text)
    if not match:
        return None
    begin, end = text.rfind("\n", 0, match.start()) + 1, text.find("\n", match.end())
    return text[begin:end if end >= 0 else None].splitlines()[0].strip()[:160]


def try_row(row, args):
    """Returns what is wrong, or None."""
    if args.sound:
        status, output = run(row, args, "")
        if status != 0:
            return f"its test fails with the defence on:\n{output[-3000:]}"
    start = time.monotonic()
    status, output = run(row, args, row.name)
    if status == SKIP:
        return f"its test was skipped:\n{output[-1000:]}"
    if status == 0:
        return f"NOT MISSED: {row.test} passes without it"
    said = line_with(row.says, output)
    if said is None or BROKEN.search(output):
        return f"its test fails, but does not say {row.says!r}:\n{output[-3000:]}"
    print(f"ok   {row.name} (hazard {', '.join(map(str, row.hazards))}): {row.test} "
          f"{time.monotonic() - start:.1f} s: {said}", flush=True)
    return None


# -- All -------------------------------------------------------------------------------------------

def chosen(names):
    rows = [row for row in ROWS if not names or row.name in names or
            any(str(hazard) in names for hazard in row.hazards)]
    unknown = [name for name in names if not any(
        name in (row.name, *map(str, row.hazards)) for row in ROWS)]
    if unknown:
        sys.exit(f"no row named {' '.join(unknown)}")
    return rows


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--build", default="build/dev", type=Build)
    parser.add_argument("--transport", choices=("v1", "v2", "lot"), default="lot")
    parser.add_argument("--seed", type=int, default=random.randrange(1, 1 << 31))
    parser.add_argument("--sound", action="store_true", help="run each test with its defence, too")
    parser.add_argument("names", nargs="*")
    args = parser.parse_args()
    print(f"seed {args.seed}", flush=True)
    failed, tried, skipped = [] if args.names else check_table(), 0, 0
    for line in failed:
        print(f"FAIL {line}")
    for row in chosen(args.names):
        why = args.build.lacks(row)
        if why:
            skipped += 1
            print(f"SKIPPED {row.name}: {why}", flush=True)
            continue
        tried += 1
        wrong = try_row(row, args)
        if wrong:
            failed.append(row.name)
            print(f"FAIL {row.name}: {wrong}", flush=True)
    print(f"{tried - len(failed)} of {tried} missed by their tests, {skipped} not tried here")
    sys.exit(1 if failed else 0 if tried else SKIP)


if __name__ == "__main__":
    main()
