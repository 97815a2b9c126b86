"""Rows 74 to 80 and F15 to F19 of doc/hazards.md, tried on a whole node."""
import json
import os
import resource
import shutil
import socket
import statistics
import subprocess
import time

import chain
import framework
from framework import Rpc, RpcError, Skip, equal, rpc_fails, wait_until
from test_rpc_siege import Raw, slowest_light_call_ms

DAWDLERS = 300  # of the 1000 of the row: with their node's ends they fit 1024 descriptors of a test


def rss_mb(node):
    with open(f"/proc/{node.process.pid}/status", encoding="ascii") as file:
        return next(int(line.split()[1]) for line in file if line.startswith("VmRSS")) / 1024


def small_stack():
    resource.setrlimit(resource.RLIMIT_STACK, (256 << 10, 256 << 10))


# -- 77: what others have put there is not deleted ------------------------------------------------


def test_77_files_of_others_outlive_every_kind_of_rebuild(context):
    node = context.started("-txindex", "-blockfilterindex=1", "-addressindex")
    blocks = chain.grow(None, 5)
    for block in blocks:
        node.rpc.submitblock(block.hex())
    node.stop()
    folders = [root for root, _, _ in os.walk(node.datadir)]
    assert len(folders) >= 6, folders
    for folder in folders:
        os.mkdir(os.path.join(folder, "of another"))
        for name in ("wallet.dat", "of another/wallet.dat"):
            with open(os.path.join(folder, name), "w", encoding="ascii") as file:
                file.write(folder)
    for option in ("-reindex", "-reindex-chainstate", "-txindex=0", "-addressindex=0"):
        node.start(option)
        node.wait_tip(blocks[-1].id())
        node.stop()
    shutil.rmtree(node.path("chainstate"), ignore_errors=True)  # and where a store is missing
    folders = [folder for folder in folders if os.path.isdir(folder)]
    node.start()
    node.wait_tip(blocks[-1].id())
    node.stop()
    for folder in folders:
        for name in ("wallet.dat", "of another/wallet.dat"):
            with open(os.path.join(folder, name), encoding="ascii") as file:
                equal(file.read(), folder, folder)


# -- 78: what is not in the program cannot be attacked --------------------------------------------


def test_78_there_is_no_tls_no_alert_key_and_no_payment_protocol(context):
    program = os.path.join(context.bin, "cairnd")
    if not shutil.which("nm"):
        raise Skip("no nm")
    undefined = subprocess.run(["nm", "-D", "--undefined-only", program], check=True,
                               stdout=subprocess.PIPE, text=True).stdout
    names = [line.split()[-1].split("@")[0] for line in undefined.splitlines()]
    assert len(names) > 100, names  # it is the list
    equal([name for name in names if name.startswith(("SSL_", "TLS_", "X509_", "PEM_", "BIO_"))],
          [])
    options = subprocess.run([program, "-help-debug"], check=True, stdout=subprocess.PIPE,
                             text=True).stdout
    equal([word for word in ("-rpcssl", "-alerts", "-sendalert", "-rootcertificates", "-upnp")
           if word in options], [])
    node = context.started()
    rpc_fails(-32601, "Method not found", node.rpc.sendalert)
    node.stop()


# -- 79: files that are damaged never stop a start, or say what to do -----------------------------


def test_79_any_bytes_in_files_that_are_read_at_the_start(context):
    node = context.node()
    files = ("mempool.dat", "banlist.json", "anchors.dat", "fee_estimates.dat",
             "mempool_estimates.dat", "reorgs.dat", "sightings.dat")
    node.start()
    node.rpc.setban("1.2.3.4", "add")
    node.stop()
    good = {}
    for name in files:
        if os.path.exists(node.path(name)):
            with open(node.path(name), "rb") as file:
                good[name] = file.read()
    for turn in range(8):
        for name in files:
            data = bytearray(good.get(name, b"") if turn % 2 else context.random.randbytes(3000))
            for _ in range(min(len(data), 4)):
                data[context.random.randrange(len(data))] = context.random.randrange(256)
            with open(node.path(name), "wb") as file:
                file.write(data[:context.random.randrange(len(data) + 1)])
        node.start()
        equal(node.rpc.getblockcount(), 0)
        node.stop()
    with open(node.path("settings.json"), "wb") as file:
        file.write(context.random.randbytes(3000))
    node.refuses_to_start("can be fixed by removing the file")
    os.remove(node.path("settings.json"))
    with open(node.path("peers.dat"), "wb") as file:
        file.write(context.random.randbytes(3000))
    node.refuses_to_start("peers.dat")


# -- 80: no digest that two sets of coins can share -----------------------------------------------


def test_80_the_digest_of_before_is_refused(context):
    node = context.started()
    for kind in ("hash_serialized", "hash_serialized_2"):
        rpc_fails(-8, "is not a valid hash_type", node.rpc.gettxoutsetinfo, kind)
    equal(len(node.rpc.gettxoutsetinfo("hash_serialized_3")["hash_serialized_3"]), 64)
    node.stop()


# -- F15: who sends a byte now and then -----------------------------------------------------------


def test_f15_dawdlers_do_not_delay_and_are_let_go(context):
    node = context.started("-rpcservertimeout=4")
    dawdlers = []
    for number in range(DAWDLERS):
        dawdler = Raw(node)
        head = dawdler.head(1000)
        dawdler.socket.sendall(head[:40] if number % 2 else head + b"{")
        dawdlers.append(dawdler)
    began = time.monotonic()
    slowest, median = slowest_light_call_ms(node)
    for dawdler in dawdlers:
        try:
            dawdler.socket.sendall(b"X")
        except OSError:
            pass
    print(f"beside {DAWDLERS} dawdlers: slowest light call {slowest:.1f} ms, median {median:.1f}")
    assert median < 100 and slowest < 1000, (median, slowest)

    def all_gone():
        return len(os.listdir(f"/proc/{node.process.pid}/fd")) < DAWDLERS // 2
    wait_until(all_gone, 30, "dawdlers are let go")
    print(f"all let go after {time.monotonic() - began:.1f} s")
    for dawdler in dawdlers:
        dawdler.close()
    equal(node.rpc.getblockcount(), 0)
    node.stop()


# -- F16: JSON that is meant to hurt --------------------------------------------------------------


def hostile_texts():
    """(name, body); each is refused, or answered as an echo."""
    deep = 1_000_000
    yield "arrays in arrays", b"[" * deep
    yield "objects in objects", b'{"a":' * deep
    yield "whole, but deep", b'{"method":"echo","params":' + b"[" * 100 + b"]" * 100 + b"}"
    yield "many values", b'{"method":"echo","params":[' + b"1," * 4_000_000 + b"1]}"
    yield "twice the same key", b'{"method":"echo","method":"stop","params":[]}'  # the first counts
    yield "not a number", b'{"method":"echo","params":[NaN]}'
    yield "a long number", b'{"method":"getblockhash","params":[' + b"9" * 10000 + b"]}"
    yield "not UTF-8", b'{"method":"echo","params":["\xff\xfe\xc0\x80"]}'
    yield "a zero", b'{"method":"echo","params":["\x00"]}'
    yield "half a surrogate", b'{"method":"echo","params":["\\ud800"]}'
    yield "a long string", b'{"method":"echo","params":["' + b"a" * (8 << 20) + b'"]}'
    yield "a long batch", b"[" + b'{"method":"nosuch"},' * 99_999 + b'{"method":"nosuch"}]'


def test_f16_hostile_json_costs_its_length(context):
    node = context.node(options=["-rpcservertimeout=60"])
    node.start(preexec=small_stack)
    before = rss_mb(node)
    for name, body in hostile_texts():
        raw = Raw(node)
        raw.socket.settimeout(60)
        start = time.monotonic()
        raw.socket.sendall(raw.head(len(body)) + body)
        answer = raw.answer()
        took = time.monotonic() - start
        raw.close()
        assert answer.startswith(b"HTTP/1.1 "), (name, answer[:100])
        print(f"{name}: {len(body) / 1e6:.2f} MB, {answer.split()[1].decode()}, {took:.2f} s")
        assert took < 5 + len(body) / 1e6, (name, took)
    client = node.connect_rpc()
    equal(client.getblockcount(), 0)
    client.close()
    grown = rss_mb(node) - before
    print(f"memory grew by {grown:.0f} MB")
    assert grown < 400, grown
    node.stop()


# -- F17: passwords that are guessed --------------------------------------------------------------


def test_f17_guesses_do_not_delay_who_knows(context):
    node = context.started()

    def median_ms():
        return statistics.median(slowest_light_call_ms(node, 100)[1] for _ in range(3))
    alone = median_ms()
    guessers = [Raw(node, f"__cookie__:{number}") for number in range(50)]
    for guesser in guessers:
        guesser.call("stop")
    beside = median_ms()
    print(f"median call alone {alone:.2f} ms, beside 50 guessers {beside:.2f} ms")
    assert beside < 2 * alone + 5, (alone, beside)
    for guesser in guessers:
        assert guesser.answer()[:12] in (b"HTTP/1.1 401", b""), "late refusals have few places"
        guesser.close()
    node.stop()


# -- F18: pages of a browser ----------------------------------------------------------------------


def ask(node, head, body=b'{"method":"uptime"}'):
    raw = Raw(node)
    text = head + (f"Authorization: Basic {raw.login}\r\nContent-Length: {len(body)}\r\n\r\n")
    raw.socket.sendall(text.encode() + body)
    status = int(raw.answer().split()[1])
    raw.close()
    return status


def test_f18_foreign_hosts_and_origins_are_turned_away(context):
    node = context.started("-rpcallowhost=node.example")
    post = "POST / HTTP/1.1\r\n"
    for host in ("localhost", f"127.0.0.1:{node.port}", "[::1]", "node.example"):
        equal(ask(node, post + f"Host: {host}\r\n"), 200, host)
    for host in ("evil.example", "127.0.0.1.evil.example", "localhost.evil.example"):
        equal(ask(node, post + f"Host: {host}\r\n"), 403, host)
    equal(ask(node, post + "Host: localhost\r\nOrigin: http://evil.example\r\n"), 403)
    equal(ask(node, "GET / HTTP/1.1\r\nHost: localhost\r\n", b""), 405)
    own = socket.gethostbyname(socket.gethostname())
    if not own.startswith("127."):  # by default nobody listens outside
        with socket.socket() as outside:
            equal(outside.connect_ex((own, node.port)) != 0, True)
    node.stop()


# -- F19: the cookie ------------------------------------------------------------------------------


def test_f19_the_cookie_is_nobody_elses_whatever_lies_in_its_place(context):
    node = context.node()
    node.start(preexec=lambda: os.umask(0))
    secrets = [node.rpc.credentials]
    equal(os.stat(node.path(".cookie")).st_mode & 0o777, 0o600)
    node.kill()
    equal(os.path.exists(node.path(".cookie")), True)
    victim = os.path.join(context.scratch, "victim")
    with open(victim, "w", encoding="ascii") as file:
        file.write("precious")
    os.remove(node.path(".cookie"))
    os.symlink(victim, node.path(".cookie"))
    node.start(preexec=lambda: os.umask(0))
    equal(os.path.islink(node.path(".cookie")), False)
    with open(victim, encoding="ascii") as file:
        equal(file.read(), "precious")
    secrets.append(node.rpc.credentials)
    equal(len(set(secrets)), 2)
    for secret in secrets:
        equal(len(bytes.fromhex(secret.split(":")[1])) * 8 >= 256, True)
        equal(secret.split(":")[1] in node.log() + node.output(), False)
    try:
        Rpc(node.port, secrets[0], 20).uptime()
        equal("the old cookie", "refused")
    except RpcError as error:
        equal(error.status, 401)
    node.stop()
    equal(os.path.lexists(node.path(".cookie")), False)


if __name__ == "__main__":
    framework.main(globals())
