"""test_install.py - what cmake --install puts where, and that it runs."""
import os
import subprocess

import framework
from framework import Skip, equal


def test_what_is_installed_runs(context):
    if not os.path.exists(os.path.join(context.build, "cmake_install.cmake")):
        raise Skip("the build is not CMake's")
    prefix = os.path.join(context.scratch, "prefix")
    done = subprocess.run(["cmake", "--install", context.build, "--prefix", prefix], check=False,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    equal(done.returncode, 0, done.stdout)
    for program in ("cairnd", "cairn-cli"):
        shown = subprocess.run([os.path.join(prefix, "bin", program), "-version"], check=True,
                               stdout=subprocess.PIPE, text=True).stdout
        equal("Cairn" in shown, True, shown)
    with open(os.path.join(prefix, "lib/systemd/system/cairnd.service"), encoding="utf-8") as unit:
        text = unit.read()
    equal(("Type=notify" in text, "@" in text.replace("cairnd@", "")), (True, False))
    for name in ("cairn/grafana.json", "cairn/wallet/wallet.py", "cairn/wallet/english.txt",
                 "man/man1/cairnd.1", "man/man1/cairn-cli.1", "zsh/site-functions/_cairn-cli",
                 "bash-completion/completions/cairn-cli", "doc/cairn/rpc/blockchain.md"):
        equal(os.path.exists(os.path.join(prefix, "share", name)), True, name)


if __name__ == "__main__":
    framework.main(globals())
