"""test_reload.py - SIGHUP reads the options again; -maxmem shares a budget."""
import hashlib
import hmac
import json
import os
import signal
import time

import framework
import p2p
from framework import Rpc, equal, wait_until

SALT = "0123456789abcdef"


def login(user):
    """A line for -rpcauth; the password is "secret"."""
    digest = hmac.new(SALT.encode(), b"secret", hashlib.sha256).hexdigest()
    return f"{user}:{SALT}${digest}"


class Operator:
    """Who edits the config file and sends signals."""

    def __init__(self, context):
        self.node = context.node()

    def write(self, *lines):
        with open(os.path.join(self.node.datadir, "cairn.conf"), "w", encoding="ascii") as file:
            file.write("\n".join(lines) + "\n")

    def reload(self, *lines, says):
        """Write the file, send SIGHUP, wait for a line of the log that was not there before."""
        self.write(*lines)
        before = self.node.log().count(says)
        self.node.process.send_signal(signal.SIGHUP)
        wait_until(lambda: self.node.log().count(says) > before, 20, says)


def status_of(node, credentials, method="uptime"):
    """Of HTTP."""
    rpc = Rpc(node.port, credentials, 20)
    status, _, _ = rpc.post(json.dumps({"method": method, "params": [], "id": 1}))
    rpc.close()
    return status


def answers(node, credentials):
    try:
        return status_of(node, credentials) == 200
    except OSError:
        return False


def test_logins_and_whitelists_are_read_again(context):
    operator = Operator(context)
    node = operator.node
    operator.write("")
    node.start()
    equal(status_of(node, "alice:secret"), 401)
    operator.reload(f"rpcauth={login('alice')}", says="SIGHUP: -rpcauth is as it reads now")
    equal(status_of(node, "alice:secret"), 200)
    equal(status_of(node, node.rpc.credentials), 200)  # the cookie holds
    operator.reload(f"rpcauth={login('bob')}", "rpcwhitelist=bob:getblockcount",
                    "rpcwhitelistdefault=0", says="SIGHUP: -rpcwhitelist is as it reads now")
    equal(status_of(node, "alice:secret"), 401)
    equal((status_of(node, "bob:secret"), status_of(node, "bob:secret", "getblockcount")),
          (403, 200))
    operator.reload("", says="SIGHUP: -rpcauth is as it reads now")
    equal(status_of(node, "bob:secret", "getblockcount"), 401)
    node.stop()


def test_the_last_login_stays(context):
    operator = Operator(context)
    node = operator.node
    operator.write("rpcuser=alice", "rpcpassword=secret")
    node.launch()
    wait_until(lambda: answers(node, "alice:secret"), 20, "an answer")
    refusal = "SIGHUP: all stays as it was: nobody could"
    operator.reload("rpcuser=alice", "rpcpassword=", says=refusal)
    operator.reload("", says=refusal)
    equal((status_of(node, "alice:secret"), status_of(node, "alice:")), (200, 401))
    operator.reload(f"rpcauth={login('bob')}", says="SIGHUP: -rpcauth is as it reads now")
    equal((status_of(node, "bob:secret"), status_of(node, "alice:secret")), (200, 401))
    node.rpc = Rpc(node.port, "bob:secret", 20)
    node.stop()


def test_categories_of_the_log_are_read_again_and_orders_stay(context):
    operator = Operator(context)
    node = operator.node
    operator.write("debug=net")
    node.start()
    equal((node.rpc.logging()["net"], node.rpc.logging()["rpc"]), (True, False))
    operator.reload("debug=rpc", says="SIGHUP: -debug is as it reads now")
    equal((node.rpc.logging()["net"], node.rpc.logging()["rpc"]), (False, True))
    node.rpc.logging(["mempool"])
    os.rename(node.path("debug.log"), node.path("debug.log.1"))  # as logrotate does
    node.process.send_signal(signal.SIGHUP)
    wait_until(lambda: os.path.exists(node.path("debug.log")), what="a new log")
    time.sleep(0.2)
    equal((node.rpc.logging()["mempool"], node.rpc.logging()["rpc"]), (True, True))
    node.stop()


def test_what_is_wrong_changes_nothing_and_what_needs_a_restart_is_named(context):
    operator = Operator(context)
    node = operator.node
    operator.write(f"rpcauth={login('alice')}")
    node.start()
    for line, says in (("rpcauth=nocolon", "all stays as it was: "),
                       ("debug=nosuch", "all stays as it was: Unsupported logging category"),
                       ("nonsense", "all stays as it was: "),
                       ("whitelist=300.1.1.1", "all stays as it was: Invalid netmask")):
        operator.reload(line, "debug=net", says=says)
        equal((status_of(node, "alice:secret"), node.rpc.logging()["net"]), (200, False), line)
    operator.reload(f"rpcauth={login('alice')}", "dbcache=77", "debug=net",
                    says="SIGHUP: -dbcache has changed and counts after a restart")
    equal(node.rpc.logging()["net"], True)
    equal(login("alice").split("$")[1] in node.log(), False)
    for _ in range(20):  # again and again
        node.process.send_signal(signal.SIGHUP)
    equal(status_of(node, "alice:secret"), 200)
    node.stop()


def test_permissions_of_peers_are_read_again(context):
    node = p2p.node(context)
    peer = p2p.connect(context, node)
    equal(node.rpc.getpeerinfo()[0]["permissions"], [])
    with open(os.path.join(node.datadir, "cairn.conf"), "w", encoding="ascii") as file:
        file.write("whitelist=noban,mempool@127.0.0.1\n")
    node.process.send_signal(signal.SIGHUP)
    wait_until(lambda: "SIGHUP: -whitelist is as it reads now" in node.log(), what="reload")
    equal(node.rpc.getpeerinfo()[0]["permissions"], [])  # who is there keeps what he has
    other = p2p.connect(context, node)
    permissions = node.rpc.getpeerinfo()[1]["permissions"]
    equal(("noban" in permissions, "mempool" in permissions), (True, True))
    del peer, other
    node.stop()


def test_a_budget_of_memory_is_shared(context):
    node = context.started("-maxmem=300")
    equal(node.rpc.getmempoolinfo()["maxmempool"], 14_000_000)
    assert "-maxmem=300 -> setting -dbcache=28" in node.log(), node.log()[:3000]
    node.restart("-maxmem=300", "-maxmempool=5")
    equal(node.rpc.getmempoolinfo()["maxmempool"], 5_000_000)
    node.stop()
    context.node("small").refuses_to_start("-maxmem must be at least 300 MiB", "-maxmem=100")


if __name__ == "__main__":
    framework.main(globals())
