"""Wallet libraries of others: bitcoinjs-lib and @bitcoinerlab/descriptors from npm (installed into
build/bitcoinjs) make, sign and spend P2WPKH, P2TR and miniscript outputs through us, PSBTs going
both ways. Skipped without npm."""
import fcntl
import os
import shutil
import subprocess

import framework
from framework import ROOT, Failure, Skip

FOLDER = os.path.join(ROOT, "build", "bitcoinjs")
PACKAGES = ("bitcoinjs-lib@6.1.7", "@bitcoinerlab/descriptors@2.3.4",
            "@bitcoinerlab/secp256k1@1.2.0")
KINDS = ("wpkh", "tr", "miniscript")


def installed():
    """Install the packages, once; Skip where that cannot be."""
    if not shutil.which("npm") or not shutil.which("node"):
        raise Skip("no npm here")
    os.makedirs(FOLDER, exist_ok=True)
    done = os.path.join(FOLDER, "installed")
    with open(os.path.join(FOLDER, "lock"), "w", encoding="ascii") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if os.path.exists(done):
            return
        try:
            subprocess.run(["npm", "install", "--prefix", ".", "--ignore-scripts", "--no-audit",
                            "--no-fund", "--fetch-retries=0", *PACKAGES], cwd=FOLDER, check=True,
                           timeout=120, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        except (subprocess.CalledProcessError, subprocess.TimeoutExpired) as error:
            text = (error.output or b"").decode(errors="replace").strip().splitlines()
            raise Skip(f"npm cannot install them: {text[0] if text else error}") from error
        with open(done, "w", encoding="ascii"):
            pass


def test_outputs_of_other_libraries_are_spent_through_us(context):
    installed()
    node = context.started()
    script = os.path.join(ROOT, "tests", "functional", "psbt_client.js")
    with open(node.path(".cookie"), encoding="ascii") as file:
        login = file.read().strip()
    environment = dict(os.environ, NODE_PATH=os.path.join(FOLDER, "node_modules"))
    ran = subprocess.run(["node", script, str(node.port), login], text=True, timeout=100,
                         env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    print(ran.stdout.strip())
    if ran.returncode != 0:
        raise Failure(f"the client says: {ran.stdout.strip()[-2000:]}")
    for kind in KINDS:
        assert f"{kind} spent twice" in ran.stdout, ran.stdout
    node.stop()


if __name__ == "__main__":
    framework.main(globals())
