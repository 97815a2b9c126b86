"""test_snapshot.py - the set of coins as a file: dumptxoutset."""
import hashlib
import http.client
import os
import threading

import framework
from framework import equal, rpc_fails, wait_until

# The address that a node of Bitcoin Core's tests mines to: chain and file are those of theirs.
ADDRESS = "mjTkW3DjgyZck4KbiRusZsqTgaYTxdSz6z"


def digest(path):
    with open(path, "rb") as file:
        return hashlib.sha256(file.read()).hexdigest()


def dump_until_killed(node):
    try:
        node.rpc.dumptxoutset("coins.dat", "", {"rollback": 5})
    except (OSError, http.client.HTTPException):
        pass


def test_a_file_is_that_of_bitcoin_core(context):
    node = context.started()
    node.rpc.setmocktime(node.rpc.getblockheader(node.rpc.getblockhash(0))["time"] + 1)
    node.rpc.generatetoaddress(100, ADDRESS)
    told = node.rpc.dumptxoutset("coins.dat", "latest")
    path = os.path.join(node.datadir, "regtest", "coins.dat")
    equal(list(told), ["coins_written", "base_hash", "base_height", "path", "txoutset_hash",
                       "nchaintx"])
    equal((told["coins_written"], told["base_height"], told["nchaintx"]), (100, 100, 101))
    equal(told["path"], path)
    equal(told["txoutset_hash"], node.rpc.gettxoutsetinfo()["hash_serialized_3"])
    node.rpc.generatetoaddress(10, ADDRESS)
    again = node.rpc.dumptxoutset("again.dat", "rollback", {"rollback": 100})
    equal(digest(again["path"]), digest(path))
    equal(node.rpc.getblockcount(), 110)
    by_height = node.rpc.dumptxoutset("known.dat", "", {"rollback": node.rpc.getblockhash(109)})
    equal(by_height["base_height"], 109)
    node.stop()


def test_what_cannot_be_written_is_refused(context):
    node = context.started()
    node.rpc.generatetoaddress(10, ADDRESS)
    dump = node.rpc.dumptxoutset
    path = dump("coins.dat", "latest")["path"]
    rpc_fails(-8, f"^{path} already exists. If you are sure this is what you want, move it out of "
              "the way first$", dump, "coins.dat", "latest")
    rpc_fails(-8, "^Couldn't open file /nowhere/coins.incomplete for writing.$", dump,
              "/nowhere/coins", "latest")
    rpc_fails(-8, 'Invalid snapshot type "bogus" specified. Please specify "rollback" or "latest"',
              dump, "other.dat", "bogus")
    rpc_fails(-8, 'Invalid snapshot type "latest" specified with rollback option', dump,
              "other.dat", "latest", {"rollback": 5})
    rpc_fails(-8, "Target block height 11 after current tip 10", dump, "other.dat", "",
              {"rollback": 11})
    rpc_fails(-8, "Target block height 299 after current tip 10", dump, "other.dat", "rollback")
    node.stop()


def test_a_kill_leaves_no_file_of_that_name(context):
    node = context.started()
    node.rpc.generatetoaddress(2000, ADDRESS)
    path = os.path.join(node.datadir, "regtest", "coins.dat")
    call = threading.Thread(target=dump_until_killed, args=(node,), daemon=True)
    call.start()
    wait_until(lambda: os.path.exists(path + ".incomplete"), what="file")
    node.kill()
    call.join()
    equal(os.path.exists(path), False)
    node.start()
    equal(node.rpc.dumptxoutset("coins.dat", "", {"rollback": 5})["coins_written"], 5)
    for name in "rollback_coins", "coins.dat.incomplete":
        equal(os.path.exists(os.path.join(node.datadir, "regtest", name)), False)
    node.stop()


if __name__ == "__main__":
    framework.main(globals())
