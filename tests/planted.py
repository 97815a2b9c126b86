#!/usr/bin/env python3
"""planted.py - switches the defences of the mesh off, one by one: each must be missed by its test.

    tests/planted.py [--build=build/dev] [--transport=v1|v2|lot] [--sound] [NAME ... | table]

A row names a weakness of src/util/planted.h, the hazards of doc/hazards.md that the defence is
against, the test that shows the defence, and what that test says without it. It runs with
CAIRN_PLANTED=NAME in its environment and has to fail, saying that; with --sound it runs without,
too, and has to pass. Names are those of rows, or numbers of hazards; "table" holds the rows against
planted.h and doc/hazards.md; none: all of it. Exit status 77: no row can be tried in this build.
"""
import argparse
import collections
import os
import random
import re
import signal
import subprocess
import sys
import time

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
SKIP = 77
LIMIT_S = 300
# Why else a test may fail: then the row shows nothing.
BROKEN = re.compile(r"SyntaxError|ImportError|NameError|AttributeError|TypeError|no cairnd in")
# Of waits that end in vain.
IMPATIENCE = "0.5"

# test     "unit LAYER/MODULE" or "functional FILE", a colon, the name of the function
# says     a pattern of what must stand in the output
# needs    "sanitizer": a build with AddressSanitizer and UndefinedBehaviorSanitizer
# is_quick it is tried with every other test, not in contrib/soak alone
Row = collections.namedtuple("Row", "name hazards test says needs is_quick", defaults=("", False))
QUICK = {"is_quick": True}
FAILURE = "error: Failure!|assertion failed"

ROWS = (
    Row("GATEWAY_ASKED_ALWAYS", (39,),
        "unit p2p/port_map: a_silent_gateway_is_asked_three_times_and_later_again",
        FAILURE, **QUICK),
    Row("ADDRESSES_UNLIMITED", (40, 67),
        "functional net_defences: test_addresses_are_taken_at_their_rate", "AssertionError: 10000"),
    Row("ADDRESSES_ANEW", (67,),
        "functional addresses: test_each_address_of_ours_has_an_answer_of_its_own", "value: got b"),
    Row("TIMES_OVERFLOW", (41,),
        "functional net_hazards: test_clocks_of_peers_do_not_move_ours",
        "signed integer overflow", needs="sanitizer", **QUICK),
    Row("HANDSHAKE_ANY_TIME", (42,),
        "functional net_hazards: test_any_message_in_any_state_of_the_handshake",
        "assertion failed|AssertionError", **QUICK),
    Row("READS_FREED_EARLY", (43,),
        "unit p2p/serve: a_peer_may_leave_while_its_blocks_are_read",
        "heap-use-after-free", needs="sanitizer", **QUICK),
    Row("PIPELINES_FORGOTTEN", (44,),
        "functional net_hazards: test_pipelined_requests_all_get_their_answers",
        r"closed after \d+ answers"),
    Row("FILTERS_FOR_ALL", (45,),
        "functional net_defences: test_filters_that_are_not_offered_cost_the_connection",
        "the node to hang up: not within", **QUICK),
    Row("LENGTHS_UNBOUNDED", (46,),
        "functional net_hazards: test_announced_lengths_take_no_memory",
        "the node to hang up: not within"),
    Row("LENGTHS_BELIEVED", (46,),
        "unit p2p/receive: announced_bytes_cost_nothing_before_they_come", FAILURE, **QUICK),
    Row("LARGE_FROM_ALL", (46, 64),
        "unit p2p/receive: large_messages_are_kept_from_few_at_a_time", FAILURE, **QUICK),
    Row("LOW_WORK_KEPT", (47,),
        "functional net_hazards: test_headers_of_little_work_are_not_kept", "value: got"),
    Row("OLD_FORKS_KEPT", (48,),
        "functional net_hazards: test_forks_far_below_the_tip_are_not_kept",
        "value: got 2, want 1"),
    Row("UNASKED_STORED", (49,),
        "functional net_hazards: test_blocks_that_nobody_asked_for",
        "a block of less work", **QUICK),
    Row("ANNOUNCEMENTS_UNLIMITED", (50,),
        "functional net_hazards: test_floods_of_announcements_are_bounded", "asked of one peer"),
    Row("UNREAD_ANSWERED", (51,),
        "functional net_hazards: test_who_does_not_read_is_not_written_for", "AssertionError"),
    Row("EACH_BLOCK_ASKED_FOR", (51,),
        "functional net_hazards: test_who_does_not_read_is_not_written_for", r"got 100\d, want 1"),
    Row("UNKNOWN_KINDS_KEPT", (52,),
        "functional net_hazards: test_getdata_of_unknown_kinds_ends", "pong: not within"),
    Row("ORPHANS_ALL_AT_ONCE", (53,),
        "unit p2p/tx_relay: many_orphans_are_tried_one_at_a_time", FAILURE, **QUICK),
    Row("OLDEST_ORPHAN_GOES", (54,),
        "functional net_hazards: test_orphans_of_others_are_not_pushed_out", "AssertionError: 100"),
    Row("FIRST_ANNOUNCER_ONLY", (55,),
        "functional net_hazards: test_a_withheld_transaction_is_asked_of_others",
        "getdata of [0-9a-f]+: not within"),
    Row("CALLERS_ASKED_FIRST", (55,),
        "functional net_hazards: test_a_withheld_transaction_is_asked_of_others",
        r"chosen\.wait_asked"),
    Row("ALL_TOLD_AT_ONCE", (56,),
        "functional net_defences: test_transactions_are_told_in_portions", "AssertionError: 305"),
    Row("DISCOURAGED_FOR_EVER", (57,),
        "unit p2p/welcome: so_many_are_remembered_to_have_misbehaved", FAILURE, **QUICK),
    Row("COPIES_END_REQUESTS", (59,),
        "functional net_hazards: test_a_mutated_block_disturbs_nobody_else",
        "how often it was asked for"),
    Row("COMPACT_FROM_ONE", (60,),
        "functional compact: test_who_withholds_transactions_of_a_block_holds_it_up_little",
        "1 getblocktxn: not within"),
    Row("ONE_OWES_A_BLOCK", (60, 61),
        "functional net_defences: test_a_withheld_block_is_asked_of_another",
        "the second question: not within", **QUICK),
    Row("SILENCE_IS_BORNE", (61,),
        "unit p2p/block_late: who_fails_five_times_in_a_row_is_dropped", FAILURE),
    Row("COMPACT_FROM_ANYBODY", (62,),
        "functional compact: test_only_blocks_that_are_asked_for_are_taken_from_just_anybody",
        "the log: not within|the tip: got"),
    Row("KEYS_KNOWN", (63,), "unit p2p/p2p: ids_made_to_collide_do_not", FAILURE, **QUICK),
    Row("QUEUES_ENDLESS", (64,),
        "unit p2p/tx_relay: a_peer_has_so_many_transactions_waiting", FAILURE),
    Row("UPLOAD_UNLIMITED", (68,),
        "functional net_options: "
        "test_blocks_older_than_a_week_are_kept_back_near_the_upload_target",
        "the node to hang up: not within"),
    Row("PRUNED_SERVES_ALL", (68,),
        "functional net_defences: test_a_pruned_node_serves_what_all_its_peers_have",
        "the node to hang up: not within"),
    Row("GARBAGE_ENDLESS", (69,),
        "functional v2: test_too_much_garbage_ends_the_connection", "timed out|AssertionError"),
    Row("PACKETS_UNPROVEN", (69,),
        "functional v2: test_one_wrong_bit_anywhere_ends_the_connection",
        "timed out|AssertionError"),
    Row("OTHER_NETWORKS_HEARD", (69,),
        "functional v2: test_probes_of_the_other_protocol", "timed out|AssertionError", **QUICK),
    Row("HANDSHAKE_UNTIMED", (69,),
        "functional v2: test_probes_of_the_other_protocol", "timed out|AssertionError"),
    Row("BOOK_WITHOUT_BUCKETS", (70,),
        "unit p2p/address_book: one_source_cannot_fill_the_book", FAILURE, **QUICK),
    Row("GROUPS_REPEATED", (70,),
        "unit p2p/connect: outbound_slots_are_filled_from_the_book_one_of_each_group", FAILURE),
    Row("ANCHORS_FORGOTTEN", (70,),
        "unit p2p/address_files: anchors_are_called_after_a_restart", FAILURE),
    Row("OLDEST_GIVES_WAY", (71,),
        "functional net_defences: test_who_gave_us_a_block_keeps_its_place", "the giver is gone"),
    Row("TIP_NEVER_STALE", (72,),
        "unit p2p/stale_tip: one_more_is_dialled_when_no_block_comes", FAILURE, **QUICK),
    Row("LAGGARDS_BORNE", (72,),
        "functional net_defences: test_who_never_comes_up_to_our_tip_is_replaced",
        "getheaders: not within"),
    Row("CLOCK_OF_PEERS", (73,),
        "functional net_hazards: test_clocks_of_peers_do_not_move_ours", "AssertionError: 1"),
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
        if row.needs == "sanitizer" and not self.has_sanitizer:
            return "only a sanitizer sees it"
        return ""


def command_of(row, args):
    kind, program, function = re.match(r"(\w+) ([\w/]+): (\w+)$", row.test).groups()
    if kind == "unit":
        layer, module = program.split("/")
        return [os.path.join(args.build.folder, "bin", f"unit_{layer}_test_{module}"), function]
    path = os.path.join(ROOT, "tests", "functional", f"test_{program}.py")
    return [sys.executable, path, f"--build={args.build.folder}", f"--seed={args.seed}",
            f"--transport={args.transport}", function]


def run(row, args, planted):
    """Returns (exit status, output)."""
    env = dict(os.environ, CAIRN_PLANTED=planted)
    env.setdefault("ASAN_OPTIONS", "detect_stack_use_after_return=1")
    if planted:
        env["CAIRN_TESTS_SLOWDOWN"] = IMPATIENCE
    with subprocess.Popen(command_of(row, args), cwd=ROOT, env=env, stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, start_new_session=True) as process:
        try:
            output, late = process.communicate(timeout=LIMIT_S)[0], ""
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)  # its nodes, too
            output, late = process.communicate()[0], "\n(ran out of time)"
    return process.returncode, output.decode(errors="replace") + late


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
    known = {"table", *(name for row in ROWS for name in (row.name, *map(str, row.hazards)))}
    if not set(names) <= known:
        sys.exit(f"no row named {' '.join(set(names) - known)}")
    return rows


def try_all(args):
    """Returns (failed, tried, skipped)."""
    failed, tried, skipped = 0, 0, 0
    for row in chosen(args.names):
        why = args.build.lacks(row)
        if why:
            skipped += 1
            print(f"SKIPPED {row.name}: {why}", flush=True)
            continue
        tried += 1
        wrong = try_row(row, args)
        failed += bool(wrong)
        if wrong:
            print(f"FAIL {row.name}: {wrong}", flush=True)
    return failed, tried, skipped


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--build", default="build/dev", type=Build)
    parser.add_argument("--transport", choices=("v1", "v2", "lot"), default="lot")
    parser.add_argument("--seed", type=int, default=random.randrange(1, 1 << 31))
    parser.add_argument("--sound", action="store_true", help="run each test with its defence, too")
    parser.add_argument("names", nargs="*")
    args = parser.parse_args()
    is_table = not args.names or "table" in args.names
    wrong = check_table() if is_table else []
    for line in wrong:
        print(f"FAIL {line}")
    print(f"seed {args.seed}", flush=True)
    failed, tried, skipped = try_all(args)
    print(f"{tried - failed} of {tried} missed by their tests, {skipped} not tried here")
    sys.exit(1 if failed or wrong else 0 if tried or is_table else SKIP)


if __name__ == "__main__":
    main()
