"""Options about peers that a node obeys while it runs."""
import struct
import time

import chain
import framework
import p2p
from framework import equal, rpc_fails, wait_until

ADDRESS = "bcrt1qw508d6qejxtdg4y5r3zarvary0c5xw7kygt080"
WEEK_S = 7 * 24 * 3600
MIB = 1 << 20
WITNESS_BLOCK = 0x40000002


def target(node):
    return node.rpc.getnettotals()["uploadtarget"]


def ask(peer, block_id):
    peer.send("getdata", p2p.inv([(WITNESS_BLOCK, chain.wire(block_id))]))


def test_blocks_older_than_a_week_are_kept_back_near_the_upload_target(context):
    now = int(time.time())
    node = p2p.node(context, "-maxuploadtarget=1", f"-mocktime={now - WEEK_S - 3600}")
    equal(target(node), {"timeframe": 86400, "target": MIB, "target_reached": False,
                         "serve_historical_blocks": False, "bytes_left_in_cycle": MIB,
                         "time_left_in_cycle": 86400})
    old = node.rpc.generatetoaddress(1, ADDRESS)[0]
    node.rpc.setmocktime(now)
    new = node.rpc.generatetoaddress(1, ADDRESS)[0]
    peer = p2p.connect(context, node)
    ask(peer, new)
    peer.wait("block")
    ask(peer, old)
    peer.wait_closed()
    assert "historical block serving limit reached" in node.log()
    sent = node.rpc.getnettotals()["totalbytessent"]
    equal(target(node)["bytes_left_in_cycle"], MIB - sent)
    # Who has the permission is served.
    node.options = ["-listen=1", f"-bind=127.0.0.1:{node.p2p_port}",
                    "-whitelist=download@127.0.0.1", "-maxuploadtarget=1"]
    node.restart()
    peer = p2p.connect(context, node)
    ask(peer, old)
    peer.wait("block")
    # A larger target than the blocks of a day need serves what is old, too.
    node.options[2:] = ["-maxuploadtarget=1G"]
    node.restart()
    equal(target(node)["serve_historical_blocks"], True)
    peer = p2p.connect(context, node)
    ask(peer, old)
    peer.wait("block")
    node.stop()


def test_what_goes_without_saying_of_a_whitelist_is_an_option(context):
    node = p2p.node(context, "-whitelist=127.0.0.1")
    n_options = len(node.options)
    for option, want in ((None, ["noban", "relay", "mempool", "download"]),
                         ("-whitelistforcerelay",
                          ["noban", "forcerelay", "relay", "mempool", "download"]),
                         ("-whitelistrelay=0", ["noban", "mempool", "download"])):
        if option:
            node.options[n_options:] = [option]
            node.restart()
        p2p.connect(context, node)
        equal(node.rpc.getpeerinfo()[0]["permissions"], want)
    node.stop()


def added(node):
    return [(row["addednode"], row["connected"]) for row in node.rpc.getaddednodeinfo()]


def test_a_name_that_is_not_known_never_stops_the_start(context):
    names = ["no.such.name.invalid:5", "127.0.0.1", "abc.onion",
             "pg6mmjiyjmcrsslvykfwnntlaru7p5svn6y2ymmju6nubxndf4pscryd.onion:18444"]
    node = context.started(*(f"-addnode={name}" for name in names))
    equal(added(node), [(name, False) for name in names])
    node.rpc.addnode("another.name.invalid", "add")
    rpc_fails(-23, "^Error: Node already added", node.rpc.addnode, "another.name.invalid", "add")
    equal(added(node)[-1], ("another.name.invalid", False))
    equal(node.rpc.getaddednodeinfo("abc.onion"),
          [{"addednode": "abc.onion", "connected": False, "addresses": []}])
    equal(node.rpc.addnode("tried.once.invalid", "onetry"), None)
    node.rpc.addnode("another.name.invalid", "remove")
    equal(added(node), [(name, False) for name in names])
    rpc_fails(-24, "^Error: Node could not be removed", node.rpc.addnode, "b.invalid", "remove")
    wait_until(lambda: "abc.onion cannot be reached without a proxy" in node.log(), 20, "the line")
    node.stop()
    # -connect, too; and a name that is known is connected to.
    listener = p2p.Listener(context)
    node.start("-connect=no.such.name.invalid", f"-connect=localhost:{listener.port}")
    listener.peer(30)
    equal(node.rpc.getpeerinfo()[0]["connection_type"], "manual")
    node.stop()


def test_a_seed_node_is_asked_for_addresses_and_let_go(context):
    listener = p2p.Listener(context)
    node = context.started("-dnsseed=0", f"-seednode=localhost:{listener.port}")
    peer = listener.peer(30)
    peer.wait("getaddr")
    equal(node.rpc.getpeerinfo()[0]["connection_type"], "addr-fetch")
    assert f"Empty addrman, adding seednode (localhost:{listener.port}) to addrfetch" in node.log()
    # Of this machine, so that nobody else is called: they are no use, but an answer.
    entry = struct.pack("<I", int(time.time())) + p2p.address(port=1)
    peer.send("addr", b"\x02" + 2 * entry)
    peer.wait_closed()
    node.stop()


if __name__ == "__main__":
    framework.main(globals())
