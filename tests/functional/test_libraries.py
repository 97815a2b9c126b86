"""RPC libraries of others: python-bitcoinlib (Debian's python3-bitcoinlib) and npm's bitcoin-core
call us, build a transaction and send it. Each is skipped where it is not at hand."""
import os
import subprocess
import sys

import framework
import npm
from framework import ROOT, Skip, equal


def python_with(module):
    """A Python that has the module: ours, or the system's; Skip without."""
    for python in (sys.executable, "/usr/bin/python3"):
        if os.path.exists(python) and subprocess.run(
                [python, "-c", f"import {module}"], check=False, stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL).returncode == 0:
            return python
    raise Skip(f"no module {module} here")


def test_bitcoinlib_calls_and_pays(context):
    python = python_with("bitcoin.rpc")
    node = context.started()
    with open(node.path(".cookie"), encoding="ascii") as file:
        login = file.read().strip()
    script = os.path.join(ROOT, "tests", "functional", "bitcoinlib_client.py")
    ran = subprocess.run([python, "-B", script, str(node.port), login], text=True, timeout=100,
                         check=False, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    equal((ran.returncode, ran.stdout.strip()), (0, "done"), "the client")
    node.stop()


def test_bitcoin_core_of_npm_calls_and_pays(context):
    folder = npm.installed("bitcoin-core", ["bitcoin-core@5.0.0"])
    node = context.started("-rest")
    status, text = npm.run(folder, "bitcoin_core_client.js", node)
    equal((status, text.splitlines()[-1:]), (0, ["done"]), f"the client, which says {text}")
    node.stop()


if __name__ == "__main__":
    framework.main(globals())
