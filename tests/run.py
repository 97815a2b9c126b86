#!/usr/bin/env python3
"""run.py - runs every test of the tree in parallel, a line for each; used by contrib/test and soak.

What counts as a test: a cmocka test function of tests/unit, a script of tests/functional, a program
of tests/sim, a lint of tools/lint, a fuzz harness, a test of Bitcoin Core's that
tests/conformance.txt lists, a row of tests/planted.py. Exit status 77 of a program means skipped.
The last line is "N passed, N failed, N skipped"; the exit status is 0 only if nothing failed.
"""
import argparse
import collections
import concurrent.futures
import glob
import os
import random
import re
import subprocess
import sys
import tempfile
import threading
import time

import conformance
import planted

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
SKIP = 77
# A result line of cmocka, which tests/functional/framework.py imitates. cmocka's summary repeats
# the failures after "test(s) run".
CMOCKA_LINE = re.compile(r"^\[\s*(OK|FAILED|SKIPPED|ERROR)\s*\] (\S+)", re.M)
CMOCKA_END = re.compile(r"^\[==========\] .*run\.", re.M)
# What a campaign did, in figures: shown though it passed.
FIGURES = re.compile(r"^figures: .*", re.M)

# These take longest, so they start first.
FIRST = ("sim/eclipse", "conformance/feature_maxuploadtarget", "functional/kill", "sim/net_faults",
         "lint/run", "functional/faults", "unit/chain/crash", "functional/storage",
         "functional/campaign", "sim/storage", "sim/planted", "functional/hazards")

# Campaigns that only count: an optimised build runs four times as many of them in the same time;
# what they run the others run under the sanitizers too.
FAST_SIMS = ("sim_eclipse", "sim_planted", "sim_selfish", "sim_stale")

# How many times as long a program may take as in an ordinary build; contrib/soak says.
SLOWDOWN = float(os.environ.get("CAIRN_TESTS_SLOWDOWN", "1"))

# Their peers speak v1 or v2: by lot, in soak both.
BY_BOTH = ("net_hazards", "net_defences", "compact", "addresses", "net_options")

Job = collections.namedtuple("Job", "name command limit kind env")
Result = collections.namedtuple("Result", "job passed failed skipped output seconds")


def run_job(job):
    """Run one program. Counts are lists of names."""
    start = time.monotonic()
    env = dict(os.environ, **job.env)
    try:
        done = subprocess.run(job.command, cwd=ROOT, env=env, stdout=subprocess.PIPE,
                              stderr=subprocess.STDOUT, timeout=job.limit, check=False)
        status, output = done.returncode, done.stdout
    except subprocess.TimeoutExpired as error:
        status, output = -1, (error.stdout or b"") + b"\n(ran out of time)\n"
    except OSError as error:  # a program that was not built is one failure, and not the end of all
        status, output = -1, f"{error}\n".encode()
    output = output.decode(errors="replace")
    seconds = time.monotonic() - start
    if job.kind in ("unit", "functional") and (status != SKIP or CMOCKA_LINE.search(output)):
        return count_lines(job, status, output, seconds)
    passed, failed, skipped = [], [], []
    # libFuzzer ends with that status too, when it has found something.
    is_skipped = status == SKIP and job.kind != "fuzz"
    (passed if status == 0 else skipped if is_skipped else failed).append(job.name)
    return Result(job, passed, failed, skipped, output, seconds)


def count_lines(job, status, output, seconds):
    """Count test functions; a program that died or printed none is one failure."""
    names = {"OK": [], "FAILED": [], "ERROR": [], "SKIPPED": []}
    end = CMOCKA_END.search(output[1:])
    for match in CMOCKA_LINE.finditer(output[: end.start() + 1] if end else output):
        names[match.group(1)].append(f"{job.name}: {match.group(2)}")
    errors = [name for name in names["ERROR"] if not name.endswith(": ---")]  # of a setup
    failed = sorted(set(names["FAILED"] + errors))
    if not failed and (status not in (0, SKIP) or not (names["OK"] or names["SKIPPED"])):
        failed = [f"{job.name}: exit status {status}"]
    return Result(job, names["OK"], failed, names["SKIPPED"], output, seconds)


def unit_jobs(build):
    for path in sorted(glob.glob(os.path.join(build, "bin", "unit_*_test_*"))):
        layer, module = re.match(r"unit_([a-z0-9]+)_test_(.*)", os.path.basename(path)).groups()
        folder = os.path.join(ROOT, "tests", "unit", layer)
        sources = glob.glob(f"{folder}/test_{module}.c") + glob.glob(f"{folder}/*/test_{module}.c")
        if sources:  # an older build may leave programs of tests now gone
            yield Job(f"unit/{layer}/{module}", [path], 240 * SLOWDOWN, "unit", {})


def transports(soak):
    """How peers speak, and what is added to the name of a test then."""
    return (("v1", ""), ("v2", "-v2")) if soak else (("lot", ""),)


def functional_jobs(build, seed, soak):
    sizes = "soak" if soak else "short"
    for path in sorted(glob.glob(os.path.join(ROOT, "tests", "functional", "test_*.py"))):
        name = os.path.basename(path)[len("test_"):-len(".py")]
        command = [sys.executable, path, f"--build={build}", f"--seed={seed}", f"--size={sizes}"]
        limit = SLOWDOWN * (3600 if soak else 170)
        for transport, suffix in transports(soak) if name in BY_BOTH else (("v1", ""),):
            yield Job(f"functional/{name}{suffix}", command + [f"--transport={transport}"], limit,
                      "functional", {})


def planted_jobs(build, seed, soak):
    """Defences switched off: all of them, by both transports, or those that are quick to miss."""
    command = [sys.executable, planted.__file__, f"--build={build}", f"--seed={seed}"]
    yield Job("planted/table", command + ["table"], 60, "planted", {})
    for row in planted.ROWS:
        if not soak and not row.is_quick:
            continue
        is_functional = row.test.startswith("functional")
        for transport, suffix in transports(soak) if is_functional else (("lot", ""),):
            more = [f"--transport={transport}", row.name] + ["--sound"] * soak
            yield Job(f"planted/{row.name}{suffix}", command + more, 600, "planted", {})


def sim_jobs(build, fast_build):
    """Programs of tests/sim; the environment may say how many seeds: see their first lines."""
    for source in sorted(glob.glob(os.path.join(ROOT, "tests", "sim", "sim_*.c"))):
        name = os.path.splitext(os.path.basename(source))[0]
        of_build = fast_build if fast_build and name in FAST_SIMS else build
        command = [os.path.join(of_build, "bin", name)]
        yield Job(f"sim/{name[4:]}", command, 7200, "sim", {})


def lint_jobs():
    for path in sorted(glob.glob(os.path.join(ROOT, "tools", "lint", "*"))):
        name = os.path.basename(path)
        if os.path.isfile(path) and os.access(path, os.X_OK) and "." not in name:
            yield Job(f"lint/{name}", [path], 170, "lint", {})


def conformance_jobs(build):
    """Core's own tests that must pass, if its checkout is there; they share one prepared folder."""
    for name in conformance.read_list()[0]:
        command = [sys.executable, conformance.__file__, f"--build={build}", "--jobs=1", name]
        env = {"CAIRN_TESTS_SHARED": "1"}
        yield Job(f"conformance/{name[:-3]}", command, 300, "conformance", env)


def fuzz_jobs(build, seed, seconds):
    """Each harness from a random seed, with the corpus of earlier runs if there is one."""
    for source in sorted(glob.glob(os.path.join(ROOT, "tests", "fuzz", "fuzz_*.c"))):
        name = os.path.splitext(os.path.basename(source))[0]
        program = os.path.join(build, "bin", name)
        corpus = os.path.join(build, "corpus", name)
        crashes = os.path.join(build, "crashes", "")
        os.makedirs(corpus, exist_ok=True)
        os.makedirs(crashes, exist_ok=True)
        dirs = [corpus]
        seeds = os.path.join(ROOT, "tests", "fuzz", "corpus", name)
        if os.path.isdir(seeds):
            dirs.append(seeds)
        command = [program, f"-max_total_time={seconds}", f"-seed={seed}", "-timeout=20",
                   "-rss_limit_mb=3000", "-max_len=20000", "-print_final_stats=1",
                   f"-artifact_prefix={crashes}", *dirs]
        yield Job(f"fuzz/{name[5:]}", command, seconds + 120, "fuzz", {})


class Report:
    """Prints a line for each program as it ends, and the whole at last."""

    def __init__(self, verbose):
        self.verbose, self.lock = verbose, threading.Lock()
        self.passed, self.failed, self.skipped = [], [], []

    def add(self, result):
        with self.lock:
            self.passed += result.passed
            self.failed += result.failed
            self.skipped += result.skipped
            state = "FAIL" if result.failed else "ok" if result.passed else "SKIP"
            count = len(result.passed) + len(result.failed) + len(result.skipped)
            detail = f"{count} tests" if result.job.kind in ("unit", "functional") else ""
            if result.job.kind in ("sim", "planted"):
                detail = (result.output.strip().splitlines() or [""])[-1]
            if result.skipped and result.passed:
                detail += f", {len(result.skipped)} skipped"
            print(f"{state:4} {result.job.name:44} {result.seconds:6.1f} s  {detail}", flush=True)
            for line in FIGURES.findall(result.output):
                print("     " + line)
            if result.failed or self.verbose:
                self.show(result)
            elif result.skipped:
                print("     " + self.reason(result.output))

    @staticmethod
    def reason(output):
        lines = output.strip().splitlines() or ["no reason given"]
        return next((line for line in lines if "SKIP" in line), lines[-1])

    @staticmethod
    def show(result):
        lines = result.output.rstrip().splitlines()
        for line in [x for x in lines[:-160] if "FAILED" in x] + lines[-160:]:
            print("     | " + line)
        sys.stdout.flush()

    def finish(self):
        for name in self.failed:
            print(f"failed:  {name}")
        for name in self.skipped:
            print(f"skipped: {name}")
        print(f"{len(self.passed)} passed, {len(self.failed)} failed, {len(self.skipped)} skipped",
              flush=True)
        return 1 if self.failed or not self.passed else 0


def arguments():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--build", default="build/asan", help="build folder of programs and units")
    parser.add_argument("--fuzz-build", default="", help="build folder of the fuzz harnesses")
    parser.add_argument("--fast-build", default="", help=f"build folder of {', '.join(FAST_SIMS)}")
    parser.add_argument("--fuzz-seconds", type=int, default=3, help="for each harness")
    parser.add_argument("--kinds", default="lint,unit,functional,sim,planted,conformance,fuzz")
    parser.add_argument("--only", default="", help="only names that contain this")
    parser.add_argument("--seed", type=int, default=random.randrange(1, 1 << 31))
    parser.add_argument("--jobs", type=int, default=max(2, os.cpu_count() or 2))
    parser.add_argument("--soak", action="store_true", help="the long sizes")
    parser.add_argument("--verbose", action="store_true")
    return parser.parse_args()


def main():
    args = arguments()
    kinds = args.kinds.split(",")
    build = os.path.abspath(os.path.join(ROOT, args.build))
    jobs = []
    if "functional" in kinds:
        jobs += functional_jobs(build, args.seed, args.soak)
    if "lint" in kinds:
        jobs += lint_jobs()
    if "unit" in kinds:
        jobs += unit_jobs(build)
    if "sim" in kinds:
        jobs += sim_jobs(build, os.path.join(ROOT, args.fast_build) if args.fast_build else "")
    if "planted" in kinds:
        jobs += planted_jobs(build, args.seed, args.soak)
    if "conformance" in kinds:
        jobs += conformance_jobs(build)
    if "fuzz" in kinds and args.fuzz_build:
        fuzz_build = os.path.abspath(os.path.join(ROOT, args.fuzz_build))
        jobs += fuzz_jobs(fuzz_build, args.seed, args.fuzz_seconds)
    jobs = [job for job in jobs if args.only in job.name]
    if not jobs:
        sys.exit(f"run.py: no program of {args.kinds} has {args.only!r} in its name")
    jobs.sort(key=lambda job: FIRST.index(job.name) if job.name in FIRST else len(FIRST))
    print(f"{len(jobs)} programs, {args.jobs} at a time, seed {args.seed}", flush=True)
    report = Report(args.verbose)
    with tempfile.TemporaryDirectory(prefix="cairn-tests.") as scratch:
        os.environ["TMPDIR"] = scratch
        with concurrent.futures.ThreadPoolExecutor(args.jobs) as pool:
            for done in concurrent.futures.as_completed([pool.submit(run_job, j) for j in jobs]):
                report.add(done.result())
    sys.exit(report.finish())


if __name__ == "__main__":
    main()
