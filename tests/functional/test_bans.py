"""Bans by hand: who is turned away, for how long, and that no restart forgets them."""
import json
import time

import framework
import p2p
from framework import equal, rpc_fails, wait_until

BAN_FIELDS = ["address", "ban_created", "banned_until", "ban_duration", "time_remaining"]
ONION = "pg6mmjiyjmcrsslvykfwnntlaru7p5svn6y2ymmju6nubxndf4pscryd.onion"


def is_let_in(context, node):
    """Does a peer from this machine get an answer?"""
    peer = p2p.connect(context, node, shake=False)
    peer.say_version()
    wait_until(lambda: peer.closed.is_set() or peer.count["verack"], 20, "an answer or the end")
    let_in = peer.count["verack"] > 0
    peer.close()
    return let_in


def test_a_ban_drops_its_peers_and_keeps_them_out(context):
    node = p2p.node(context)
    peer = p2p.connect(context, node)
    equal(node.rpc.setban("127.0.0.1", "add"), None)
    peer.wait_closed()
    wait_until(lambda: node.rpc.getconnectioncount() == 0, 20, "no peers")
    assert not is_let_in(context, node)
    equal(node.rpc.setban("127.0.0.1/32", "remove"), None)
    assert is_let_in(context, node)


def test_the_list_is_shown_with_its_times(context):
    node = p2p.node(context, "-bantime=1234")
    now = int(time.time())
    node.rpc.setmocktime(now)
    for subnet, *how in (["127.0.0.0/8"], ["2a01:4d48:ac57:400:cacf:e9ff:fe1d:9c63/19", "add", 60],
                         ["1.2.3.4", "add", now + 9, True], [ONION]):
        node.rpc.setban(subnet, *(how or ["add"]))
    shown = node.rpc.listbanned()
    for ban in shown:
        equal(list(ban), BAN_FIELDS)
    equal([(b["address"], b["ban_created"] - now, b["banned_until"] - now, b["ban_duration"],
            b["time_remaining"]) for b in shown],
          [("1.2.3.4/32", 0, 9, 9, 9), ("127.0.0.0/8", 0, 1234, 1234, 1234),
           ("2a01:4000::/19", 0, 60, 60, 60), (ONION, 0, 1234, 1234, 1234)])
    node.rpc.setmocktime(now + 59)
    equal([(b["address"], b["time_remaining"]) for b in node.rpc.listbanned()],
          [("127.0.0.0/8", 1175), ("2a01:4000::/19", 1), (ONION, 1175)])
    node.rpc.setmocktime(now + 60)
    equal(len(node.rpc.listbanned()), 2)
    equal(node.rpc.clearbanned(), None)
    equal(node.rpc.listbanned(), [])


def test_orders_that_make_no_sense_have_cores_errors(context):
    rpc = p2p.node(context).rpc
    rpc.setban("1.2.3.0/24", "add")
    rpc_fails(-23, "^Error: IP/Subnet already banned$", rpc.setban, "1.2.3.0/24", "add")
    rpc_fails(-30, "^Error: Invalid IP/Subnet$", rpc.setban, "1.2.3.4/42", "add")
    rpc_fails(-30, "^Error: Invalid IP/Subnet$", rpc.setban, "example.com", "add")
    rpc_fails(-30, "^Error: Unban failed. Requested address/subnet was not previously manually "
              "banned.$", rpc.setban, "1.2.3.4", "remove")
    rpc_fails(-8, "^Error: Absolute timestamp is in the past$", rpc.setban, "9.9.9.9", "add", 123,
              True)
    rpc_fails(-1, "^setban ", rpc.setban, "9.9.9.9", "drop")
    rpc_fails(-3, "", rpc.setban, "9.9.9.9", "add", "x")
    equal([ban["address"] for ban in rpc.listbanned()], ["1.2.3.0/24"])


def test_bans_outlive_a_kill(context):
    node = p2p.node(context)
    for i in range(20):
        node.rpc.setban(f"1.2.3.{i}", "add", 3600)
    node.rpc.setban("127.0.0.1", "add", 3600)
    node.rpc.setban("1.2.3.7", "remove")
    before = [(b["address"], b["banned_until"]) for b in node.rpc.listbanned()]
    equal(len(before), 20)
    node.kill()
    with open(node.path("banlist.json"), encoding="utf-8") as file:
        entries = json.load(file)["banned_nets"]
    equal([list(entry) for entry in entries],
          [["version", "ban_created", "banned_until", "address"]] * 20)
    node.start()
    equal([(b["address"], b["banned_until"]) for b in node.rpc.listbanned()], before)
    assert not is_let_in(context, node)
    node.rpc.clearbanned()
    node.kill()
    node.start()
    equal(node.rpc.listbanned(), [])
    assert is_let_in(context, node)


def test_noban_lets_in_whom_a_ban_keeps_out(context):
    node = p2p.node(context)
    node.rpc.setban("127.0.0.1", "add")
    assert not is_let_in(context, node)
    node.restart("-whitelist=noban@127.0.0.1")
    equal(len(node.rpc.listbanned()), 1)
    assert is_let_in(context, node)


def test_a_damaged_list_is_put_aside_and_told(context):
    node = p2p.node(context)
    node.stop()
    with open(node.path("banlist.json"), "w", encoding="utf-8") as file:
        file.write('{"banned_nets": [')
    node.start()
    warnings = [w for w in node.rpc.getnetworkinfo()["warnings"] if "banlist.json" in w]
    assert len(warnings) == 1 and "it is not JSON" in warnings[0], warnings
    with open(node.path("banlist.json.bad"), encoding="utf-8") as file:
        equal(file.read(), '{"banned_nets": [')
    equal(node.rpc.listbanned(), [])
    node.rpc.setban("1.2.3.4", "add")
    node.restart()
    equal(len(node.rpc.listbanned()), 1)
    assert not [w for w in node.rpc.getnetworkinfo()["warnings"] if "banlist.json" in w]


def test_cairn_cli_knows_the_types_of_setban(context):
    node = p2p.node(context)
    equal(context.cli(node, "setban", "1.2.3.4", "add", "77"), (0, "", ""))
    equal(context.cli(node, "setban", "1.2.3.5", "add", str(2 * 10**9), "true"), (0, "", ""))
    equal(context.cli(node, "-named", "setban", "subnet=9.9.9.0/24", "command=add", "bantime=5"),
          (0, "", ""))
    status, text, _ = context.cli(node, "listbanned")
    equal(status, 0)
    shown = json.loads(text)
    equal([ban["address"] for ban in shown], ["1.2.3.4/32", "1.2.3.5/32", "9.9.9.0/24"])
    equal((shown[0]["ban_duration"], shown[1]["banned_until"], shown[2]["ban_duration"]),
          (77, 2 * 10**9, 5))
    equal(context.cli(node, "clearbanned"), (0, "", ""))
    equal(node.rpc.listbanned(), [])


if __name__ == "__main__":
    framework.main(globals())
