"""cairn-cli: answers, options, exit statuses."""
import json
import os
import socket
import subprocess
import threading
import time

import chain
import framework
from framework import equal

ADDRESS = chain.TRUE_ADDRESS


def test_results_are_printed_plainly(context):
    node = context.started()
    genesis = chain.display(chain.GENESIS)
    equal(context.cli(node, "getblockcount"), (0, "0\n", ""))
    equal(context.cli(node, "getblockhash", "0"), (0, genesis + "\n", ""))
    status, out, _ = context.cli(node, "getblockheader", genesis)
    equal((status, json.loads(out)["height"]), (0, 0))
    equal(context.cli(node, "getblock", genesis, "0")[1][:8], "01000000")
    equal(context.cli(node, "syncwithvalidationinterfacequeue"), (0, "", ""))
    equal(json.loads(context.cli(node, "echo", "1", "true")[1]), ["1", "true"])
    equal(json.loads(context.cli(node, "echojson", "1", '{"a":[true]}')[1]), [1, {"a": [True]}])
    node.stop()


def test_an_error_answer_is_the_exit_status(context):
    node = context.started()
    status, out, error = context.cli(node, "getblockhash", "5")
    equal((status, out, error),
          (8, "", "error code: -8\nerror message:\nBlock height out of range\n"))
    status, _, error = context.cli(node, "nosuchmethod")
    equal(status, 32601 & 0xFF)
    assert "Method not found" in error, error
    status, _, error = context.cli(node, "getblockhash", "abc")
    assert status != 0 and error, (status, error)
    node.stop()


def test_usage_errors(context):
    node = context.started()
    for args, pattern in (((), "too few parameters"), (("-nosuchoption", "getblockcount"),
                                                       "nosuchoption")):
        status, _, error = context.cli(node, *args)
        equal(status, 1)
        assert pattern in error, error
    status, out, _ = context.cli(node, "-help")
    equal(status, 0)
    for option in ("-getinfo", "-rpcwait", "-stdin", "-named", "-generate"):
        assert option in out, option
    status, out, _ = context.cli(node, "-version")
    equal((status, "airn" in out), (0, True))
    node.stop()


def test_a_lone_bitcoin_conf_holds_for_both_programs(context):
    """What was made for bitcoind writes that file, and starts both with -datadir alone."""
    node = context.node()
    with open(os.path.join(node.datadir, "bitcoin.conf"), "w", encoding="ascii") as file:
        file.write("txindex=1\n[regtest]\nrpcuser=alice\nrpcpassword=secret\n")
    node.launch()
    status, out, error = context.cli(node, "-rpcwait", "getindexinfo")
    equal((status, "txindex" in out, error), (0, True, ""))
    assert "bitcoin.conf, since there is no cairn.conf beside it" in node.output(), node.output()
    equal(context.cli(node, "stop"), (0, "Cairn stopping\n", ""))
    node.wait_exit()


def test_no_node_is_a_clear_error(context):
    node = context.node()
    os.makedirs(node.netdir, exist_ok=True)
    status, out, error = context.cli(node, "getblockcount")
    equal((status, out), (1, ""))
    assert "cookie" in error.lower() or "could not connect" in error.lower(), error
    status, _, error = context.cli(node, "-rpcuser=a", "-rpcpassword=b", "getblockcount")
    equal(status, 1)
    assert "ould not connect" in error and str(node.port) in error, error


def test_wrong_credentials(context):
    node = context.started()
    status, _, error = context.cli(node, "-rpcuser=a", "-rpcpassword=b", "getblockcount")
    equal(status, 1)
    assert "ncorrect" in error or "uthoriz" in error, error
    node.stop()


def test_rpcwait_waits_for_the_node(context):
    node = context.node()
    box = []
    thread = threading.Thread(
        target=lambda: box.append(context.cli(node, "-rpcwait", "-rpcwaittimeout=30",
                                              "getblockcount")))
    thread.start()
    time.sleep(0.5)
    node.start()
    thread.join(40)
    equal(box, [(0, "0\n", "")])
    node.stop()
    start = time.monotonic()
    status, _, error = context.cli(node, "-rpcwait", "-rpcwaittimeout=1", "getblockcount")
    equal(status, 1)
    assert error and time.monotonic() - start < 20


def test_parameters_from_standard_input(context):
    node = context.started()
    equal(json.loads(context.cli(node, "-stdin", "echo", "first", stdin="second\nthird\n")[1]),
          ["first", "second", "third"])
    equal(context.cli(node, "-stdin", stdin="getblockhash\n0\n")[1],
          chain.display(chain.GENESIS) + "\n")
    with open(node.path(".cookie"), encoding="ascii") as file:
        user, password = file.read().split(":")
    status, out, _ = context.cli(node, f"-rpcuser={user}", "-stdinrpcpass", "getblockcount",
                                 stdin=password + "\n")
    equal((status, out), (0, "0\n"))
    node.stop()


def test_named_parameters(context):
    node = context.started()
    genesis = chain.display(chain.GENESIS)
    equal(context.cli(node, "-named", "getblockhash", "height=0")[1], genesis + "\n")
    equal(context.cli(node, "-named", "getblock", f"blockhash={genesis}", "verbosity=0")[1][:8],
          "01000000")
    equal(context.cli(node, "-named", "getblock", genesis, "verbosity=0")[1][:8], "01000000")
    status, _, error = context.cli(node, "-named", "getblockhash", "colour=1")
    equal(status, 8)
    assert "Unknown named parameter colour" in error
    node.stop()


def test_getinfo_is_an_overview(context):
    node = context.started()
    node.rpc.generatetoaddress(4, ADDRESS)
    status, out, error = context.cli(node, "-getinfo")
    equal((status, error), (0, ""))
    assert "Chain: regtest" in out and "Blocks: 4" in out, out
    assert "Difficulty: 4.656542373906925e-10" in out, out
    status, _, error = context.cli(node, "-getinfo", "extra")
    equal(status, 1)
    assert "-getinfo takes no arguments" in error, error
    node.stop()


def test_generate_mines(context):
    node = context.started()
    status, out, error = context.cli(node, "-generate", "3", ADDRESS)
    if status != 0:  # bitcoin-cli asks the wallet for an address; without one it is an argument
        assert error, "no reason given"
        status, out, error = context.cli(node, "-generate", "3")
    equal((status, error), (0, ""))
    answer = json.loads(out)
    equal(len(answer["blocks"]), 3)
    equal(node.rpc.getbestblockhash(), answer["blocks"][-1])
    assert answer["address"].startswith("bcrt1"), answer
    node.stop()


def test_a_socket_of_the_file_system_serves_it(context):
    node = context.node("node", ["-rpcsocket=rpc.sock"])
    node.launch()
    status, out, err = context.cli(node, "-rpcsocket=rpc.sock", "-rpcport=1", "-rpcwait",
                                   "getblockcount")
    equal((status, out, err), (0, "0\n", ""))
    equal(os.stat(node.path("rpc.sock")).st_mode & 0o777, 0o600)
    # It takes no password less, and what Host a client names does not matter.
    with socket.socket(socket.AF_UNIX) as stream:
        stream.connect(node.path("rpc.sock"))
        stream.sendall(b"POST / HTTP/1.1\r\nHost: any.name\r\nContent-Length: 0\r\n\r\n")
        equal(stream.recv(12), b"HTTP/1.1 401")
    node.wait_rpc()
    # Left over by a crash, it is taken over; removed at the end.
    node.kill()
    node.options.append("-rpcsocketmode=660")
    node.start()
    equal(os.stat(node.path("rpc.sock")).st_mode & 0o777, 0o660)
    other = context.node("other", ["-rpcsocket=" + node.path("rpc.sock")])
    other.refuses_to_start("Unable to start HTTP server")
    node.stop()
    equal(os.path.exists(node.path("rpc.sock")), False)
    status, _, err = context.cli(node, "-rpcsocket=rpc.sock", "getblockcount")
    equal((status, "Could not connect to the server at " in err), (1, True))
    node.refuses_to_start("Invalid -rpcsocketmode=888", "-rpcsocketmode=888")


def test_a_closed_output_is_an_error(context):
    node = context.started()
    command = [os.path.join(context.bin, "cairn-cli"), f"-datadir={node.datadir}", "-regtest",
               f"-rpcport={node.port}", "help"]
    with open("/dev/full", "w", encoding="ascii") as full:
        done = subprocess.run(command, stdout=full, stderr=subprocess.PIPE, check=False)
    assert done.returncode != 0, "a full disk was not noticed"
    node.stop()


if __name__ == "__main__":
    framework.main(globals())


def test_who_is_not_let_in_learns_why(context):
    node = context.started()
    for options, why in (
            (("-rpcuser=x", "-rpcpassword=y"), "Incorrect rpcuser or rpcpassword were specified."),
            (("-rpccookiefile=missing",),
             "Failed to read cookie file and no rpcpassword was specified."),
            (("-norpccookiefile",), "Cookie file was disabled via -norpccookiefile and no "
                                    "rpcpassword was specified.")):
        status, _, error = context.cli(node, *options, "getblockcount")
        assert (status, f"error: Authorization failed: {why} Configuration file: (" in error) == (
            1, True), error
    with open(node.path("stale"), "w", encoding="ascii") as file:
        file.write("__cookie__:of-another-start")
    status, _, error = context.cli(node, "-rpccookiefile=stale", "getblockcount")
    assert (status, "Cookie file credentials were invalid and no rpcpassword" in error) == (
        1, True), error
    node.stop()
