"""Starting: what is refused, how, and that nothing is lost by it."""
import json
import os
import pty
import re
import select
import socket
import time

import chain
import framework
from framework import Failure, Skip, equal


def snapshot(folder):
    """Names and sizes of all files of a folder."""
    found = {}
    for base, _, names in os.walk(folder):
        for name in names:
            path = os.path.join(base, name)
            found[os.path.relpath(path, folder)] = os.path.getsize(path)
    return found


def seeded(context, name="node", blocks=20):
    """A stopped node with some blocks. Returns (node, tip)."""
    node = context.started(name=name)
    made = chain.grow(None, blocks)
    for block in made:
        equal(node.rpc.submitblock(block.hex()), None)
    node.stop()
    return node, made[-1].id()


def still_there(node, tip):
    node.start()
    equal(node.rpc.getbestblockhash(), tip, "tip after the refusal")
    node.stop()


def test_an_unknown_option_is_refused(context):
    node, tip = seeded(context)
    line = node.refuses_to_start("nosuchoption", "-nosuchoption=1")
    assert len(line) < 200, line
    still_there(node, tip)


def test_a_bad_value_is_refused(context):
    node = context.node()
    for option, pattern in (("-par=many", "par"), ("-dbcache=", "dbcache|cache"),
                            ("-prune=-1", "[Pp]rune"), ("-prune=1x", "prune"),
                            ("-prune=100", "550"), ("-rpcport=0", "port"),
                            ("-rpcport=65536", "port"), ("-assumevalid=xyz", "assumevalid"),
                            ("-testactivationheight=segwit", "activationheight|[Ii]nvalid format"),
                            ("-vbparams=foo", "[Vv]ersion bits|vbparams")):
        if option == "-dbcache=":
            continue  # an empty value is a zero, as in Core: the minimum is used
        node.refuses_to_start(pattern, option)


def test_an_unknown_chain_is_refused(context):
    node = context.node()
    node.refuses_to_start("moonnet", "-chain=moonnet")


def test_a_known_option_without_meaning_here_is_a_warning(context):
    node = context.started("-upnp")
    assert "upnp" in node.output() + node.log()
    node.stop()


def config_refused(context, text, pattern):
    node = context.node("config")
    with open(os.path.join(node.datadir, "cairn.conf"), "w", encoding="ascii") as file:
        file.write(text)
    node.refuses_to_start(pattern)


def test_a_bad_config_line_is_named(context):
    config_refused(context, "server=1\n\nthis is not an option\n", r"line 3|:3")


def test_an_option_with_a_dash_in_the_config_is_named(context):
    config_refused(context, "-txindex=1\n", r"line 1|:1")


def test_an_unknown_key_of_the_config_file_is_logged_and_the_node_starts(context):
    """People share the file with a client, and keep keys of old versions in it."""
    node = context.node()
    with open(os.path.join(node.datadir, "cairn.conf"), "w", encoding="utf-8") as file:
        file.write("\ufeffrpcwait=1\nupnp=0\n[regtest]\nnosuchoption=1\n[unknown]\nx=1\n")
    node.start()
    node.stop()
    with open(os.path.join(node.datadir, "regtest", "debug.log"), encoding="utf-8") as file:
        log = file.read()
    for what in ("unknown configuration value rpcwait", "value regtest.nosuchoption",
                 "Section [unknown] is not recognized", "value unknown.x", "byte order mark"):
        assert what in log, what


def test_a_start_that_an_option_ends_is_told_in_the_log_of_no_node_but_this(context):
    """Who looks for why a service does not start looks there."""
    node = context.node()
    node.refuses_to_start("for -minrelaytxfee", "-minrelaytxfee=much")
    assert "for -minrelaytxfee" in node.log(), node.log()
    node.refuses_to_start("Unsupported logging category", "-debug=nosuch")  # where is not known yet
    assert "nosuch" not in node.log(), node.log()
    node.start()
    other = context.node("other")
    other.options = [option for option in node.options if not option.startswith("-rpcport")]
    other.refuses_to_start("for -minrelaytxfee", f"-datadir={node.datadir}", "-minrelaytxfee=more")
    assert "more" not in node.log(), node.log()
    node.stop()


def test_the_log_tells_of_steps_in_cores_words(context):
    """Scripts wait for these lines before they go on, or stop the node there."""
    node = context.node().start("-txindex", "-txospenderindex", "-blockfilterindex",
                                "-coinstatsindex")
    node.stop()
    lines = [line.partition(" ")[2] for line in node.output().splitlines()]
    steps = [f"{name} thread start" for name in (
        "scheduler", "txidx", "txospenderidx", "blkfltbscidx", "coinstatsidx", "net", "addcon",
        "msghand", "initload")] + ["init message: Starting network threads\u2026"]
    equal([step for step in steps if lines.count(step) != 1], [])
    places = [lines.index(f"{name} thread start") for name in ("scheduler", "txidx", "net",
                                                               "initload")]
    equal(places, sorted(places))


def test_the_log_goes_to_standard_output_where_that_is_collected(context):
    node = context.node().start()
    node.stop()
    assert "Shutdown done" in node.output(), node.output()
    quiet = context.node("quiet").start("-printtoconsole=0")
    quiet.stop()
    equal(quiet.output(), "")


def test_one_rpc_address_in_use_leaves_the_others(context):
    node = context.node()
    with socket.socket() as taken:
        taken.bind(("127.0.0.2", 0))
        taken.listen()
        node.start("-rpcallowip=127.0.0.1", "-rpcbind=127.0.0.1",
                   f"-rpcbind=127.0.0.2:{taken.getsockname()[1]}", "-rpcbind=localhost")
        assert "failed: Address already in use" in node.output(), node.output()
        node.stop()


def test_the_config_file_sets_options_by_section(context):
    node = context.node()
    with open(os.path.join(node.datadir, "cairn.conf"), "w", encoding="ascii") as file:
        file.write("# a comment\ntxindex=0\n[main]\ntxindex=0\n[regtest]\ntxindex=1\n")
    node.start()
    assert "txindex" in node.rpc.getindexinfo()
    node.stop()


def test_the_command_line_outranks_the_config_file(context):
    node = context.node()
    with open(os.path.join(node.datadir, "cairn.conf"), "w", encoding="ascii") as file:
        file.write("[regtest]\ntxindex=1\n")
    node.start("-txindex=0")
    equal(node.rpc.getindexinfo(), {})
    node.stop()


def test_settings_outrank_the_config_file_and_are_written_back(context):
    node = context.node()
    with open(os.path.join(node.datadir, "cairn.conf"), "w", encoding="utf-8") as file:
        file.write("uacomment=file\n")
    path = os.path.join(node.datadir, "regtest", "settings.json")
    os.makedirs(os.path.dirname(path))
    with open(path, "w", encoding="utf-8") as file:
        json.dump({"uacomment": ["settings"], "other": {"a": 1}}, file)
    node.start()
    equal(node.rpc.getnetworkinfo()["subversion"].partition("(")[2], "settings; file)/")
    node.stop()
    with open(path, encoding="utf-8") as file:
        written = json.load(file)
    equal(list(written), ["_warning_", "other", "uacomment"])
    equal(written["other"], {"a": 1})
    node.refuses_to_start("not be written", "-settings=no/such/folder.json")


def test_a_missing_config_file_named_by_option_is_refused(context):
    context.node().refuses_to_start("absent.conf", "-conf=absent.conf")


def test_a_missing_datadir_is_refused(context):
    node = context.node()
    missing = os.path.join(context.scratch, "nowhere")
    node.refuses_to_start("nowhere", f"-datadir={missing}")
    assert not os.path.exists(missing)


def test_a_datadir_that_is_a_file_is_refused(context):
    node = context.node()
    path = os.path.join(context.scratch, "plainfile")
    with open(path, "w", encoding="ascii") as file:
        file.write("precious")
    node.refuses_to_start("plainfile", f"-datadir={path}")
    with open(path, encoding="ascii") as file:
        equal(file.read(), "precious")


def test_a_second_instance_is_refused_and_the_first_lives_on(context):
    first = context.started(name="first")
    second = context.node("second")
    line = second.refuses_to_start("lock|running", f"-datadir={first.datadir}")
    assert first.datadir in line, line
    equal(first.rpc.getblockcount(), 0)
    first.stop()


def test_a_port_in_use_is_refused(context):
    node = context.node()
    with socket.socket() as taken, socket.socket(socket.AF_INET6) as other:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        other.bind(("::1", port))
        other.listen()
        node.refuses_to_start(f"{port}|[Bb]ind|HTTP", f"-rpcport={port}")


def test_a_datadir_of_another_chain_is_refused(context):
    node, tip = seeded(context)
    # Someone copied the blocks of regtest into the folder of another chain.
    target = os.path.join(node.datadir, "signet")
    os.rename(node.netdir, target)
    before = snapshot(os.path.join(target, "blocks"))
    node.chain = "signet"
    node.refuses_to_start("genesis|network|chain")
    for name, size in before.items():
        if name.startswith(("blk", "rev")):
            equal(os.path.getsize(os.path.join(target, "blocks", name)), size, name)
    node.chain = "regtest"
    os.rename(target, node.netdir)
    still_there(node, tip)


def test_version_and_help_need_no_datadir(context):
    node = context.node()
    for option, pattern in (("-version", "airn"), ("-help", "-datadir")):
        node.launch(option)
        node.wait_exit(0)
        assert pattern in node.output(), node.output()[:300]
    equal(os.path.exists(node.path("blocks")), False)


def test_the_cookie_is_secret_and_gone_after_the_stop(context):
    node = context.started()
    cookie = node.path(".cookie")
    equal(os.stat(cookie).st_mode & 0o777, 0o600)
    with open(cookie, encoding="ascii") as file:
        user, secret = file.read().split(":")
    equal(user, "__cookie__")
    assert len(secret) >= 64
    assert secret not in node.log() + node.output()
    node.stop()
    equal(os.path.exists(cookie), False)


def test_signals_stop_cleanly(context):
    for name in ("SIGTERM", "SIGINT"):
        node = context.started(name=name)
        made = chain.grow(None, 5)
        for block in made:
            node.rpc.submitblock(block.hex())
        node.process.send_signal(getattr(framework.signal, name))
        node.wait_exit(0)
        still_there(node, made[-1].id())


def read_until(terminal, pattern, seconds=30):
    """What the terminal shows up to a match of pattern, or to its end."""
    shown, end = "", time.monotonic() + seconds
    while not re.search(pattern, shown) and time.monotonic() < end:
        if not select.select([terminal], [], [], 0.2)[0]:
            continue
        try:
            more = os.read(terminal, 4096)
        except OSError:
            break  # the other side has closed
        if not more:
            break
        shown += more.decode(errors="replace")
    return shown


def test_a_terminal_shows_progress_and_ctrl_c_stops_cleanly(context):
    node = context.node()
    blocks = chain.grow(None, 50)
    path = os.path.join(context.scratch, "blocks.dat")
    with open(path, "wb") as file:
        file.write(b"".join(chain.frame(block.encode()) for block in blocks))
    try:
        pid, terminal = pty.fork()
    except OSError as error:
        raise Skip(f"no terminal to be had: {error}") from error
    if pid == 0:
        os.execv(node.command()[0], node.command([f"-loadblock={path}"]))
    shown = read_until(terminal, r"height \d+ .*\d%.*blocks/s")
    assert re.search(r"height \d+ +20\d\d-\d\d-\d\d", shown), shown
    framework.wait_until(lambda: "imported" in node.log(), what="import")
    os.write(terminal, b"\x03")
    shown = read_until(terminal, "this never comes")
    os.close(terminal)
    equal(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]), 0, shown)
    still_there(node, blocks[-1].id())


def test_few_threads_and_little_memory_when_idle(context):
    node = context.started()
    with open(f"/proc/{node.process.pid}/status", encoding="ascii") as file:
        facts = dict(line.split(":", 1) for line in file.read().splitlines() if ":" in line)
    threads = int(facts["Threads"])
    print(f"{threads} threads, resident {facts['VmRSS'].strip()}")
    if threads > 6 + (1 if "asan" in context.build or "tsan" in context.build else 0):
        raise Failure(f"{threads} threads")
    node.stop()


def with_blocks_elsewhere(context, blocks):
    """A stopped node with several block files elsewhere. Returns (node, option, folder, tip)."""
    folder = os.path.join(context.scratch, "elsewhere")
    os.makedirs(folder)
    option = f"-blocksdir={folder}"
    node = context.node()
    node.start("-fastprune", option)
    tip = node.rpc.generatetoaddress(blocks, "bcrt1qw508d6qejxtdg4y5r3zarvary0c5xw7kygt080")[-1]
    node.stop()
    return node, option, os.path.join(folder, "regtest", "blocks"), tip


def test_blocksdir_moves_the_block_files_alone_and_is_missed(context):
    node, option, folder, tip = with_blocks_elsewhere(context, 600)
    assert os.path.exists(os.path.join(folder, "blk00001.dat")), os.listdir(folder)
    assert not os.path.exists(os.path.join(folder, "index")), os.listdir(folder)
    equal(set(os.listdir(node.path("blocks"))) - {".lock"}, {"index"})
    node.refuses_to_start("is -blocksdir right")
    node.start("-fastprune", option)
    equal(node.rpc.getbestblockhash(), tip)
    node.stop()
    node.start("-fastprune", option, "-reindex")
    node.wait_tip(tip)
    node.stop()
    assert not os.path.exists(os.path.join(folder, "index")), os.listdir(folder)


def test_a_folder_of_blocks_is_for_one_node(context):
    """By -blocksdir, or by a link: two that write the same files would ruin them."""
    first = context.node().start()
    folder = first.path("blocks")
    words = f"Cannot obtain a lock on directory {folder}. Bitcoin Core is probably already running"
    context.node("second").refuses_to_start(words, f"-blocksdir={os.path.dirname(first.path())}")
    linked = context.node("linked")
    os.makedirs(linked.path())
    os.symlink(folder, linked.path("blocks"))
    linked.refuses_to_start("Cannot obtain a lock on directory .*blocks. Bitcoin Core is probably")
    first.stop()
    linked.start()
    linked.stop()


def test_blocksdir_is_missed_where_there_is_one_block_file_alone(context):
    node, option, folder, tip = with_blocks_elsewhere(context, 20)
    for _ in range(2):
        node.refuses_to_start("is -blocksdir right")
        equal(set(os.listdir(node.path("blocks"))) - {".lock"}, {"index"})
    node.start(option)
    equal(node.rpc.getbestblockhash(), tip)
    node.stop()
    os.remove(os.path.join(folder, "blk00000.dat"))  # while its undo data is there: it is lost
    node.start(option)
    equal(node.rpc.getbestblockhash(), tip)
    assert "20 stored blocks" in str(node.rpc.getnetworkinfo()["warnings"])
    node.stop()


def test_an_index_beside_the_blocks_of_an_older_version_is_used_where_it_is(context):
    node, option, folder, tip = with_blocks_elsewhere(context, 20)
    os.rename(node.path("blocks", "index"), os.path.join(folder, "index"))
    node.refuses_to_start("no block files in .*is -blocksdir right")
    for extra in ((), ("-reindex",), ()):
        node.start(option, *extra)
        node.wait_tip(tip)
        node.stop()
        equal(os.path.exists(os.path.join(folder, "index", "CURRENT")), True)
        equal(os.path.exists(node.path("blocks", "index", "CURRENT")), False)


if __name__ == "__main__":
    framework.main(globals())
