"""Stores that are not ours, or that the system does not let us read: named as what they are, left
as they are; and an index that cannot be read is no answer."""
import errno
import os
import resource
import shutil
import socket

import framework
import leveldb
from framework import RpcError, equal, wait_until
from test_damage import garble
from test_faults import environment, shim
from test_net_rpc import ADDRESS

N_BLOCKS = 10
# Rows as Core's stores begin; the key that the others are mixed with comes first.
CORES_ROWS = {b"\x0e\x00obfuscate_key": b"\x08" + bytes(range(8)), b"C" + bytes(33): b"mixed"}


def made(context, *options, name="node"):
    """A stopped node with a chain."""
    node = context.node(name, ["-txindex=1", "-txospenderindex=1", *options])
    node.start()
    node.rpc.generatetoaddress(N_BLOCKS, ADDRESS)
    node.stop()
    return node


def contents(folder):
    """All files but those that LevelDB writes whenever a store is opened; what they hold."""
    found = {}
    for parent, _, names in os.walk(folder):
        for name in names:
            if name not in ("LOG", "LOG.old", "LOCK", ".lock", "debug.log"):
                with open(os.path.join(parent, name), "rb") as file:
                    found[os.path.join(parent, name)] = file.read()
    return found


def rows_of_logs(store):
    """The bytes that a store of one log holds, in whatever files they are by now."""
    return b"".join(data for path, data in contents(store).items()
                    if path.endswith((".log", ".ldb")))


def refused(node, store, pattern):
    """It does not start, says so in a line that names the store, and its rows stay as they were."""
    before = rows_of_logs(node.path(store))
    for _ in range(2):
        line = node.refuses_to_start(pattern)
        assert store in line, line
        after = rows_of_logs(node.path(store))
        assert b"mixed" not in before or b"mixed" in after, f"{store} was changed"
        assert "Nothing was changed" in line, line


def test_a_store_of_another_program_is_refused_and_left_as_it_is(context):
    """Core's, by its rows; any other. Alone in a new folder, and beside stores of ours."""
    other_rows = {b"something": b"mixed"}
    ours = made(context)
    for number, store in enumerate(("chainstate", "blocks/index", "indexes/txindex",
                                    "indexes/txospenderindex/db")):
        for rows, whose in ((CORES_ROWS, "Bitcoin Core's"), (other_rows, "another program's")):
            new = context.node(f"new{number}{len(rows)}", ours.options)
            leveldb.make(new.path(store), rows)
            refused(new, store, f"looks like {whose}")
            beside = context.node(f"beside{number}{len(rows)}", ours.options)
            shutil.copytree(ours.netdir, beside.netdir)
            shutil.rmtree(beside.path(store))
            leveldb.make(beside.path(store), rows)
            refused(beside, store, f"looks like {whose}")


def test_a_store_of_another_program_without_its_current_is_refused_and_left_as_it_is(context):
    """It cannot be opened, so nothing says whose it is; an order to make all anew is no word
    about another program's store. LevelDB would take it for a new one."""
    rows = dict(CORES_ROWS)
    for number in range(300):
        rows[b"C" + number.to_bytes(33, "big")] = b"mixed" * 20
    ours = made(context)
    for number, store in enumerate(("chainstate", "blocks/index", "indexes/txindex",
                                    "indexes/txospenderindex/db")):
        for n_starts in (0, 1):  # its rows are in a log, or in a table that an open has made of it
            name = f"{number}{n_starts}"
            new = context.node("new" + name, ours.options)
            beside = context.node("beside" + name, ours.options)
            shutil.copytree(ours.netdir, beside.netdir)
            shutil.rmtree(beside.path(store))
            for node in (new, beside):
                leveldb.make(node.path(store), rows)
                for _ in range(n_starts):
                    node.refuses_to_start("Bitcoin Core's")
                os.remove(node.path(store, "CURRENT"))
                before = contents(node.path(store))
                for order in ((), ("-reindex",), ("-reindex-chainstate",)):
                    line = node.refuses_to_start("Bitcoin Core's", *order)
                    assert store in line and "Nothing was changed" in line, line
                equal(contents(node.path(store)), before)


def test_a_store_of_a_newer_version_is_refused_and_left_as_it_is(context):
    ours = made(context)
    for number, store in enumerate(("chainstate", "blocks/index", "indexes/txindex",
                                    "indexes/txospenderindex/db")):
        node = context.node(f"newer{number}", ours.options)
        shutil.copytree(ours.netdir, node.netdir)
        leveldb.put(node.path(store), {b"v": b"\xc8", b"x": b"mixed"})
        refused(node, store, "newer version of this program .format 200")


def test_an_index_of_an_old_version_that_was_cut_short_is_made_anew(context):
    """It has rows and no mark. One of Core's that looks nearly the same is not touched."""
    node = made(context)
    txid = node_txid(node)
    shutil.rmtree(node.path("indexes", "txindex"))
    leveldb.make(node.path("indexes/txindex"), {b"t" + bytes(32): bytes(8)})
    node.start()
    wait_until(lambda: node.rpc.getindexinfo()["txindex"]["synced"], what="index")
    equal(node.rpc.getrawtransaction(txid, 1)["confirmations"], 5)
    assert "is being built again" in " ".join(node.rpc.getblockchaininfo()["warnings"])
    node.stop()
    shutil.rmtree(node.path("indexes", "txindex"))
    leveldb.make(node.path("indexes/txindex"), {b"t" + bytes(32): bytes(4)})
    node.refuses_to_start("another program's")


def node_txid(node, height=N_BLOCKS - 4):
    node.start()
    txid = node.rpc.getblock(node.rpc.getblockhash(height))["tx"][0]
    node.stop()
    return txid


def test_what_the_system_refuses_is_named_and_is_no_damage(context):
    """Each store and block file: the line has the file and the errno; nothing is made anew."""
    library = shim(context)
    node = made(context)
    node.start()
    tip = node.rpc.getbestblockhash()
    node.stop()
    for where in ("/chainstate/", "/blocks/index/", "/indexes/txindex/",
                  "/indexes/txospenderindex/"):
        for code in (errno.EACCES, errno.EIO, errno.EMFILE):
            env = environment(library, f"{code}:1")
            env["CAIRN_FAULT_CALLS"] = "open"
            env["CAIRN_FAULT_FILES"] = where
            line = node.refuses_to_start(os.strerror(code), env=env)
            assert where.strip("/") in line, line
            for word in ("damaged", "corrupt", "-reindex"):
                assert word not in line, line
    node.start()
    equal(node.rpc.getbestblockhash(), tip)
    equal(node.rpc.getblockchaininfo()["warnings"], [])
    node.stop()


def test_an_index_that_cannot_be_read_is_no_answer(context):
    """Its tables fail to open one after the other: an error, never "no such transaction"."""
    library = shim(context)
    node = made(context)
    for _ in range(2):  # each start makes a table of what was written before
        node.start()
        node.rpc.generatetoaddress(N_BLOCKS, ADDRESS)
        node.stop()
    while_there = os.path.join(context.scratch, "failing")
    env = environment(library, f"{errno.EIO}:1")
    env.update(CAIRN_FAULT_CALLS="open", CAIRN_FAULT_FILES="/indexes/",
               CAIRN_FAULT_WHILE=while_there)
    node.start(env=env)
    with open(while_there, "wb"):
        pass
    txids = [node.rpc.getblock(node.rpc.getblockhash(h))["tx"][0]
             for h in range(1, 3 * N_BLOCKS + 1)]
    errors = []
    for txid in txids:
        try:
            node.rpc.getrawtransaction(txid)
        except RpcError as error:
            errors.append(error.message)
        try:
            node.rpc.gettxspendingprevout([{"txid": txid, "vout": 0}])
        except RpcError as error:
            errors.append(error.message)
    assert errors, "no table was opened meanwhile"
    for error in errors:
        assert "Cannot read" in error or "Unable to read" in error, error
    os.remove(while_there)
    for txid in txids:
        equal(node.rpc.getrawtransaction(txid, 1)["txid"], txid)
        equal(len(node.rpc.gettxspendingprevout([{"txid": txid, "vout": 0}])), 1)
    node.stop()


def test_idle_connections_leave_the_node_its_descriptors(context):
    """A hard limit of 256, 150 connections that never log in: blocks are stored all the same."""
    def few_descriptors():
        resource.setrlimit(resource.RLIMIT_NOFILE, (256, 256))
    node = context.node(options=["-txindex=1", "-fastprune"])
    node.start(preexec=few_descriptors)
    idle = [socket.create_connection(("127.0.0.1", node.port)) for _ in range(150)]
    for connection in idle:
        connection.sendall(b"POST / HTTP/1.1\r\n")
    hashes = node.rpc.generatetoaddress(300, ADDRESS)
    equal(node.rpc.gettxoutsetinfo("none")["height"], 300)
    equal(node.rpc.getbestblockhash(), hashes[-1])
    for connection in idle:
        connection.close()
    node.stop()
    node.start()
    equal(node.rpc.getbestblockhash(), hashes[-1])
    node.stop()


def test_a_damaged_table_is_made_good_or_with_norepair_refused(context):
    """The file that is damaged is named, and with -norepair nothing is changed."""
    node = made(context)
    node.start()
    want = node.coins()
    node.stop()
    for store, remedy in (("chainstate", "-reindex-chainstate"), ("blocks/index", "-reindex")):
        tables = [path for path in contents(node.path(store)) if path.endswith(".ldb")]
        assert tables, f"{store} has no table"
        for table in tables:
            garble(table)
        before = contents(node.path(store))
        line = node.refuses_to_start(remedy, "-norepair")
        assert store in line, line
        for table in tables:
            equal(contents(node.path(store))[table], before[table], table)
        node.start()
        wait_until(lambda: node.rpc.getblockcount() == N_BLOCKS, 30, "the chain")
        equal(node.coins(), want)
        node.stop()


if __name__ == "__main__":
    framework.main(globals())
