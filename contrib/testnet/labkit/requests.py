"""requests.py - what can be asked of a running lab, each a function of the lab and the request."""
import os
import signal
import urllib.parse

from labkit import links, rpc, state
from labkit.node import Node
from labkit.topology import NODES_MAX
from labkit.units import LabError, node_ids


def status(lab, request):
    """The table, and figures of the links and the load."""
    load = lab.sender.load
    return {"nodes": lab.table(request.get("brief", False)), "links": lab.links.figures(),
            "is_open": lab.is_open, "mode": "namespaces" if lab.is_netns else "loopback",
            "mined": lab.miner.mined, "sent": load.sent, "failed": load.failed,
            "tx_rate": lab.config["tx_rate"],
            "block_time_s": lab.config["block_time_s"]}


def partition(lab, request):
    """Groups that do not hear each other; nodes of no group are one more."""
    n = len(lab.nodes)
    if request["groups"] == ["half"]:
        groups = [list(range(n // 2)), list(range(n // 2, n))]
    else:
        groups = [node_ids([word], n) for word in request["groups"]]
    named = [node for group in groups for node in group]
    if len(named) != len(set(named)):
        raise LabError("a node is in two groups")
    rest = sorted(set(range(n)) - set(named))
    groups += [rest] if rest else []
    if len(groups) < 2 or not all(groups):
        raise LabError("that is one group: name a part of the nodes, or 'half'")
    lab.links.partition(groups)
    lab.groups = groups
    return {"groups": [len(group) for group in groups]}


def heal(lab, request):
    """Everybody hears everybody; connections that were cut are made anew, since TCP alone waits as
    long again as it was cut off."""
    group = {node: i for i, nodes in enumerate(lab.groups) for node in nodes}
    lab.links.heal()
    cut = [(a, b) for a, b in lab.config["links"] if group.get(a) != group.get(b)]
    lab.groups = []
    for a, b in () if request.get("slow") else cut:
        try:
            lab.nodes[a].rpc.call("disconnectnode", lab.links.way(lab.nodes[a], lab.nodes[b]))
        except (OSError, rpc.RpcError):
            pass  # it has noticed by itself
    if not request.get("slow"):
        lab.redial(cut)
    return {"links": len(cut)}


def link(lab, request):
    """Another rule for one pair of nodes, or for all."""
    rule = dict(links.NO_RULE, **request["rule"])
    if request["ends"] == ["all", "all"]:
        lab.links.set_all(rule)
        lab.config["rule"] = rule
        lab.save()
        return {}
    a, b = (node_ids([word], len(lab.nodes)) for word in request["ends"])
    if len(a) == 1 and a == b:
        raise LabError(f"n{a[0]} has no link to itself")
    for one in a:
        for other in b:
            if one != other:
                lab.links.set_pair(one, other, rule)
    return {}


def kill(lab, request):
    """Nodes go, and stay away."""
    ids = node_ids(request["nodes"], len(lab.nodes))
    how = signal.SIGTERM if request.get("softly") else signal.SIGKILL
    for node_id in ids:
        lab.returns.pop(lab.nodes[node_id], None)
        lab.nodes[node_id].signal(how)
    for node_id in ids:
        lab.nodes[node_id].wait(state.STOP_S)
    return {"nodes": len(ids)}


def start(lab, request):
    """Nodes that are away come back."""
    ids = node_ids(request["nodes"], len(lab.nodes))
    for node_id in ids:
        if not lab.nodes[node_id].is_up():
            lab.nodes[node_id].start()
    return {"nodes": len(ids)}


def add(lab, request):
    """One node more, which dials some of those that are up."""
    there = [node.id for node in lab.nodes if node.is_up()]
    n_links = request["links"]
    if not 1 <= n_links <= len(there):
        raise LabError(f"a new node can dial 1 to {len(there)} nodes, not {n_links}")
    lab.folder.need_disk(1)
    if len(lab.nodes) >= NODES_MAX:
        raise LabError(f"a lab has {NODES_MAX} nodes at most")
    node = Node(lab, len(lab.nodes), request.get("core"))
    lab.links.add(node)
    lab.nodes.append(node)
    lab.config["nodes"].append(node.core)
    lab.config["links"] += [[node.id, to] for to in sorted(lab.lot.sample(there, n_links))]
    lab.index_links()
    lab.save()
    node.start()
    return {"name": node.name}


def tx_load(lab, request):
    """Transactions at another rate; 0 is none."""
    lab.config["tx_rate"] = request["rate"]
    lab.save()
    return {}


def mine(lab, request):
    """Blocks now, by one node."""
    node = lab.nodes[node_ids([request["node"]], len(lab.nodes))[0]]
    hashes = lab.miner.mine(node, request["blocks"])
    if not hashes:
        raise LabError(f"{node.name} did not mine: see lab.log")
    return {"tip": hashes[-1]}


def export(lab, request):
    """The network with its chains as a file. The nodes rest meanwhile."""
    lab.is_paused = True
    resting = [node for node in lab.nodes if node.is_up()]
    try:
        for node in resting:
            node.signal(signal.SIGTERM)
        for node in resting:
            node.wait(state.STOP_S)
        lab.folder.pack(request["path"])
    finally:
        for node in resting:
            node.start()
        lab.is_paused = False
    return {"bytes": os.path.getsize(request["path"])}


def _node_up(lab, request):
    node = lab.nodes[node_ids([request["node"]], len(lab.nodes))[0]]
    if not node.is_up():
        raise LabError(f"{node.name} is not up")
    return node


def reach(lab, request):
    """How to talk to a node: its folder, port and namespace."""
    node = _node_up(lab, request)
    return {"datadir": node.datadir, "host": node.rpc_host, "port": node.rpc_port,
            "namespace": node.namespace}


def ui(lab, request):
    """The address of a node's dashboard for a browser of this machine; good once."""
    node = _node_up(lab, request)
    if node.core or not lab.has_dashboard:
        raise LabError(f"{node.name} has no dashboard")
    address = node.rpc.call("ui")
    if node.namespace:
        place = urllib.parse.urlsplit(address)
        address = place._replace(netloc=f"127.0.0.1:{lab.forwarder.port(node)}").geturl()
    return {"address": address}


def down(lab, _):
    lab.is_ending = True
    return {}


REQUESTS = {"status": status, "partition": partition, "heal": heal, "link": link, "kill": kill,
            "start": start, "add": add, "tx-load": tx_load, "mine": mine, "export": export,
            "reach": reach, "ui": ui, "down": down}
WHILE_STARTING = ("status", "reach", "ui", "down")
