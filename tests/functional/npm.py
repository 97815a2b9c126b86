"""npm.py - libraries of others from npm, installed when first needed, below build/."""
import fcntl
import os
import shutil
import subprocess

from framework import ROOT, Skip

INSTALL = ("install", "--prefix", ".", "--ignore-scripts", "--no-audit", "--no-fund",
           "--fetch-retries=0")


def installed(name, packages, *more):
    """The folder build/NAME with these packages in it; Skip where that cannot be. more: commands of
    npm that follow, as tuples."""
    if not shutil.which("npm") or not shutil.which("node"):
        raise Skip("no npm here")
    folder = os.path.join(ROOT, "build", name)
    os.makedirs(folder, exist_ok=True)
    done = os.path.join(folder, "installed")
    with open(os.path.join(folder, "lock"), "w", encoding="ascii") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if os.path.exists(done):
            return folder
        for command in ((*INSTALL, *packages), *more):
            try:
                subprocess.run(["npm", *command], cwd=folder, check=True, timeout=120,
                               stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
            except (subprocess.CalledProcessError, subprocess.TimeoutExpired) as error:
                text = (error.output or b"").decode(errors="replace").strip().splitlines()
                raise Skip(f"npm cannot install {packages[0]}: "
                           f"{text[0] if text else error}") from error
        with open(done, "w", encoding="ascii"):
            pass
    return folder


def run(folder, script, node, *more):
    """Run a script of this folder with the packages; its arguments are the node's port, its login
    and more. Returns (status, what it said)."""
    with open(node.path(".cookie"), encoding="ascii") as file:
        login = file.read().strip()
    environment = dict(os.environ, NODE_PATH=os.path.join(folder, "node_modules"))
    ran = subprocess.run(["node", os.path.join(ROOT, "tests", "functional", script),
                          str(node.port), login, *more], text=True, timeout=240, env=environment,
                         check=False, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    return ran.returncode, ran.stdout.strip()
