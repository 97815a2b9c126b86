"""Two nodes and the methods that show and order their connection; cairn-cli -netinfo."""
import re
import time

import chain
import framework
from framework import Skip, equal, free_port, rpc_fails, wait_until

ADDRESS = chain.TRUE_ADDRESS
OTHER_ADDRESS = chain.segwit_address(bytes(20))  # for blocks that differ from others of that second

# What getpeerinfo says of every peer, in this order; the rest comes and goes.
PEER_FIELDS = """id addr network services servicesnames relaytxes last_inv_sequence inv_to_send
    lastsend lastrecv last_transaction last_block bytessent bytesrecv conntime timeoffset version
    subver inbound bip152_hb_to bip152_hb_from presynced_headers synced_headers synced_blocks
    inflight addr_relay_enabled addr_processed addr_rate_limited permissions minfeefilter
    bytessent_per_msg bytesrecv_per_msg connection_type transport_protocol_type
    session_id""".split()
OPTIONAL_PEER_FIELDS = {"addrbind", "addrlocal", "mapped_as", "pingtime", "minping", "pingwait"}
NETWORK_FIELDS = """version subversion protocolversion localservices localservicesnames localrelay
    timeoffset networkactive connections connections_in connections_out networks relayfee
    incrementalfee localaddresses warnings""".split()
SERVICE_BITS = {"NETWORK": 0, "BLOOM": 2, "WITNESS": 3, "COMPACT_FILTERS": 6,
                "NETWORK_LIMITED": 10, "P2P_V2": 11}


def listening(context, name, *options):
    """A node that accepts connections, at node.p2p; Skip if it cannot."""
    port = free_port()
    node = context.started("-listen=1", f"-port={port}", f"-bind=127.0.0.1:{port}", *options,
                           name=name)
    node.p2p = f"127.0.0.1:{port}"
    try:
        node.rpc.getconnectioncount()
    except framework.RpcError as error:
        if error.code != -31:
            raise
        node.stop()
        raise Skip("this build takes no part in the network") from error
    return node


def ready(node, n=1):
    """The peers of a node, once there are n that have shaken hands."""
    def there():
        peers = node.rpc.getpeerinfo()
        return peers if len(peers) == n and all(p["version"] for p in peers) else None
    return wait_until(there, 30, f"{n} peers of {node.name}")


def no_peers(node):
    wait_until(lambda: node.rpc.getconnectioncount() == 0, 30, f"{node.name} alone")


def pair(context):
    """Two nodes; the first has connected to the second."""
    one, two = listening(context, "one"), listening(context, "two", "-uacomment=second")
    equal(one.rpc.addnode(two.p2p, "add"), None)
    ready(one)
    ready(two)
    return one, two


def check_services(bits, names):
    equal(int(bits, 16), sum(1 << SERVICE_BITS[name] for name in names))


def test_both_ends_of_a_connection(context):
    one, two = pair(context)
    out, into = one.rpc.getpeerinfo()[0], two.rpc.getpeerinfo()[0]
    for peer in (out, into):
        equal([field for field in peer if field not in OPTIONAL_PEER_FIELDS], PEER_FIELDS)
        check_services(peer["services"], peer["servicesnames"])
        assert {"NETWORK", "WITNESS"} <= set(peer["servicesnames"]), peer
        assert abs(peer["conntime"] - time.time()) < 60, peer
        assert peer["bytessent"] >= sum(peer["bytessent_per_msg"].values()) > 0, peer
        assert peer["bytesrecv"] >= sum(peer["bytesrecv_per_msg"].values()) > 0, peer
        assert {"version", "verack"} <= set(peer["bytessent_per_msg"]), peer
        assert peer["version"] >= 70016 and "Cairn:" in peer["subver"], peer
        equal((peer["network"], peer["transport_protocol_type"]), ("not_publicly_routable", "v2"))
    equal((out["addr"], out["inbound"], out["connection_type"]), (two.p2p, False, "manual"))
    assert out["subver"].endswith("(second)/") and "(" not in into["subver"], (out, into)
    equal((into["inbound"], into["connection_type"]), (True, "inbound"))
    equal(one.rpc.getaddednodeinfo(), [
        {"addednode": two.p2p, "connected": True,
         "addresses": [{"address": two.p2p, "connected": "outbound"}]}])
    one.stop()
    no_peers(two)
    two.stop()


def test_the_state_of_the_network(context):
    one, two = pair(context)
    for node, counts in ((one, (1, 0, 1)), (two, (1, 1, 0))):
        info = node.rpc.getnetworkinfo()
        equal(list(info), NETWORK_FIELDS)
        equal(tuple(info[k] for k in ("connections", "connections_in", "connections_out")), counts)
        check_services(info["localservices"], info["localservicesnames"])
        assert info["version"] >= 310000, info
        assert re.fullmatch(r"/Satoshi:31\.\d+\.\d+/Cairn:[\d.]+(\(second\))?/", info["subversion"]), info
        equal([n["name"] for n in info["networks"]], ["ipv4", "ipv6", "onion", "i2p", "cjdns"])
        equal((info["networkactive"], info["timeoffset"], info["warnings"]), (True, 0, []))
    one.stop()
    two.stop()


def test_ping_is_measured_and_counted(context):
    one, two = pair(context)
    before = one.rpc.getnettotals()
    received = one.rpc.getpeerinfo()[0]["bytesrecv_per_msg"].get("pong", 0)
    equal(one.rpc.ping(), None)
    wait_until(lambda: one.rpc.getpeerinfo()[0]["bytesrecv_per_msg"].get("pong", 0)
               >= received + 29, 10, "pong")
    after = one.rpc.getnettotals()
    assert after["totalbytessent"] >= before["totalbytessent"] + 29, (before, after)
    assert after["totalbytesrecv"] >= before["totalbytesrecv"] + 29, (before, after)
    assert abs(after["timemillis"] / 1000 - time.time()) < 60, after
    peer = one.rpc.getpeerinfo()[0]
    assert 0 <= peer["minping"] <= peer["pingtime"] < 10, peer
    one.stop()
    two.stop()


def test_a_mined_block_shows_at_the_peer(context):
    one, two = pair(context)
    block_hash = two.rpc.generatetoaddress(3, ADDRESS)[-1]
    one.wait_tip(block_hash)
    peer = one.rpc.getpeerinfo()[0]
    equal(peer["synced_headers"], 3)
    assert abs(peer["last_block"] - time.time()) < 60, peer
    wait_until(lambda: one.rpc.getpeerinfo()[0]["synced_blocks"] == 3, 10, "synced_blocks")
    equal(one.rpc.getpeerinfo()[0]["inflight"], [])
    one.stop()
    two.stop()


def test_nodes_are_added_and_removed(context):
    one, two = listening(context, "one"), listening(context, "two")
    equal(one.rpc.getaddednodeinfo(), [])
    rpc_fails(-24, "^Error: Node has not been added", one.rpc.getaddednodeinfo, two.p2p)
    rpc_fails(-24, "^Error: Node could not be removed", one.rpc.addnode, two.p2p, "remove")
    rpc_fails(-1, "^addnode ", one.rpc.addnode, two.p2p, "drop")
    one.rpc.addnode(two.p2p, "add")
    rpc_fails(-23, "^Error: Node already added", one.rpc.addnode, two.p2p, "add")
    ready(one)
    one.rpc.addnode(two.p2p, "remove")
    equal(one.rpc.getaddednodeinfo(), [])
    equal(one.rpc.getconnectioncount(), 1, "removing does not disconnect")
    one.rpc.disconnectnode(two.p2p)
    no_peers(one)
    no_peers(two)
    one.rpc.addnode(two.p2p, "onetry")
    ready(one)
    equal(one.rpc.getaddednodeinfo(), [], "tried once is not added")
    one.stop()
    two.stop()


def test_peers_are_disconnected(context):
    one, two = listening(context, "one"), listening(context, "two")
    for how in ("address", "id", "named", "inbound"):
        one.rpc.addnode(two.p2p, "onetry")
        peer, inbound = ready(one)[0], ready(two)[0]
        rpc_fails(-32602, "^Only one of address and nodeid", one.rpc.disconnectnode, two.p2p,
                  peer["id"])
        rpc_fails(-32602, "^Only one of address and nodeid", one.rpc.disconnectnode)
        rpc_fails(-29, "^Node not found in connected nodes$", one.rpc.disconnectnode, "1.2.3.4:5")
        rpc_fails(-29, "^Node not found in connected nodes$", one.rpc.disconnectnode, "", 999)
        if how == "address":
            equal(one.rpc.disconnectnode(two.p2p), None)
        elif how == "id":
            equal(one.rpc.disconnectnode("", peer["id"]), None)
        elif how == "named":
            equal(one.rpc.disconnectnode(nodeid=peer["id"]), None)
        else:
            equal(two.rpc.disconnectnode(inbound["addr"]), None)
        no_peers(one)
        no_peers(two)
    one.stop()
    two.stop()


def test_the_network_is_switched_off_and_on(context):
    one, two = pair(context)
    equal(one.rpc.setnetworkactive(False), False)
    no_peers(one)
    no_peers(two)
    equal(one.rpc.getnetworkinfo()["networkactive"], False)
    two.rpc.addnode(one.p2p, "onetry")
    time.sleep(1)
    equal((one.rpc.getconnectioncount(), one.rpc.getpeerinfo()), (0, []))
    equal(one.rpc.setnetworkactive(True), True)
    ready(one)  # the added node is connected to again
    one.stop()
    two.stop()


def test_a_block_is_fetched_from_a_peer(context):
    one, two = pair(context)
    peer = one.rpc.getpeerinfo()[0]["id"]
    block_hash = two.rpc.generatetoaddress(1, ADDRESS)[0]
    one.wait_tip(block_hash)
    rpc_fails(-1, "^Block already downloaded$", one.rpc.getblockfrompeer, block_hash, peer)
    rpc_fails(-1, "^Block header missing$", one.rpc.getblockfrompeer, "00" * 32, peer)
    rpc_fails(-8, "must be of length 64", one.rpc.getblockfrompeer, "1234", peer)
    one.rpc.setnetworkactive(False)
    no_peers(one)
    block_hash = two.rpc.generatetoaddress(1, ADDRESS)[0]
    one.rpc.submitheader(two.rpc.getblockheader(block_hash, False))
    rpc_fails(-1, "^Peer does not exist$", one.rpc.getblockfrompeer, block_hash, peer)
    rpc_fails(-1, "^Peer does not exist$", one.rpc.getblockfrompeer, block_hash, -1)
    one.stop()
    two.stop()


def test_a_block_of_a_side_branch_is_fetched(context):
    one, two = pair(context)
    one.wait_tip(two.rpc.generatetoaddress(2, ADDRESS)[-1])
    one.rpc.setnetworkactive(False)
    no_peers(two)
    side = two.rpc.generatetoaddress(1, OTHER_ADDRESS)[0]
    tip = one.rpc.generatetoaddress(2, ADDRESS)[-1]
    one.rpc.setnetworkactive(True)
    two.wait_tip(tip)
    one.rpc.submitheader(two.rpc.getblockheader(side, False))
    rpc_fails(-1, "not fully downloaded", one.rpc.getblock, side)
    equal(one.rpc.getblockfrompeer(side, ready(one)[0]["id"]), {})

    def there():
        try:
            return one.rpc.getblock(side, 0)
        except framework.RpcError:
            return None
    equal(wait_until(there, 10, "the block"), two.rpc.getblock(side, 0))
    equal(one.rpc.getbestblockhash(), tip)
    one.stop()
    two.stop()


def test_addresses_of_nodes(context):
    node = listening(context, "one")
    equal(node.rpc.getnodeaddresses(), [])
    rpc_fails(-8, "^Address count out of range$", node.rpc.getnodeaddresses, -1)
    rpc_fails(-8, "^Network not recognized: Foo$", node.rpc.getnodeaddresses, 1, "Foo")
    none = {"new": 0, "tried": 0, "total": 0}
    equal(node.rpc.getaddrmaninfo(), {name: none for name in (
        "ipv4", "ipv6", "onion", "i2p", "cjdns", "all_networks")})
    status, out, error = context.cli(node, "-addrinfo")
    equal((status, error), (0, ""))
    assert '"total": 0' in out, out
    node.stop()


def test_netinfo_is_a_dashboard(context):
    one, two = pair(context)
    for level in range(5):
        status, out, error = context.cli(one, "-netinfo", str(level))
        equal((status, error), (0, ""))
        lines = out.splitlines()
        assert re.match(r"Cairn client v[\d.]+ regtest - server 70017/Satoshi:31", lines[0]), out
        assert re.search(r"^out +0 +0 +1 +1 +0 +1$", out, re.M), out
        equal("Local services: " in out, level == 0)
        equal(any(line.startswith("<->   type ") for line in lines), level > 0)
        equal(two.p2p in out, level in (2, 4))
        rows = [line for line in lines if line.startswith("out manual   npr ")]
        equal(len(rows), int(level > 0), out)
        equal(any("/Satoshi:" in row or "/Cairn:" in row for row in rows), level >= 3)
    status, out, _ = context.cli(two, "-netinfo", "4", "outonly")
    assert status == 0 and "<->" not in out and "in          0       0       1       1" in out, out
    status, out, _ = context.cli(one, "-netinfo", "help")
    assert status == 0 and "outonly" in out, out
    status, _, error = context.cli(one, "-netinfo", "x")
    assert status == 1 and "invalid -netinfo level argument: x" in error, error
    one.stop()
    two.stop()


if __name__ == "__main__":
    framework.main(globals())
