"""test_watch.py - what watches the node from outside: /livez, /readyz, /metrics; the dashboard."""
import json
import os
import re
import urllib.error
import urllib.request

import framework
from framework import ROOT, equal

ADDRESS = "bcrt1qft5p2uhsdcdc3l2ua4ap5qqfg4pjaqlp250x7us7a8qqhrxrxfsqseac85"


def ask(node, path):
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{node.port}{path}", timeout=30) as answer:
            return answer.status, answer.read().decode()
    except urllib.error.HTTPError as error:
        return error.code, error.read().decode()


def metrics_of(node):
    status, text = ask(node, "/metrics")
    equal(status, 200)
    lines = [line for line in text.splitlines() if not line.startswith("#")]
    return {line.split()[0].split("{")[0]: float(line.split()[1]) for line in lines}


def test_probes(context):
    node = context.started()
    equal(ask(node, "/livez"), (200, "ok\n"))
    equal(ask(node, "/readyz"), (503, "not ready: initial block download\r\n"))
    node.rpc.generatetoaddress(1, ADDRESS)
    equal(ask(node, "/readyz"), (200, "ok\n"))
    node.stop()


def test_metrics_agree_with_the_methods_and_are_described(context):
    node = context.started()
    node.rpc.generatetoaddress(5, ADDRESS)
    metrics = metrics_of(node)
    info = node.rpc.getblockchaininfo()
    equal(metrics["bitcoin_blocks"], info["blocks"])
    equal(metrics["bitcoin_size_on_disk"], info["size_on_disk"])
    equal(metrics["bitcoin_mempool_max"], node.rpc.getmempoolinfo()["maxmempool"])
    equal((metrics["bitcoin_peers"], metrics["bitcoin_ready"]), (0, 1))
    equal(metrics["bitcoin_events_total"], 5)
    with open(os.path.join(ROOT, "doc", "metrics.md"), encoding="utf-8") as page:
        described = set(re.findall(r"`(bitcoin_\w+)", page.read()))
    equal(described, set(metrics), "doc/metrics.md")
    with open(os.path.join(ROOT, "contrib", "grafana.json"), encoding="utf-8") as page:
        shown = {name for panel in json.load(page)["panels"] for target in panel["targets"]
                 for name in re.findall(r"bitcoin_\w+", target["expr"])}
    equal(shown - set(metrics), set(), "names in contrib/grafana.json")
    node.stop()


if __name__ == "__main__":
    framework.main(globals())
