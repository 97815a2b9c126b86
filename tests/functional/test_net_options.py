"""Options about peers that a node obeys while it runs."""
import time

import chain
import framework
import p2p
from framework import equal

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


if __name__ == "__main__":
    framework.main(globals())
