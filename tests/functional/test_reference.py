"""test_reference.py - pages, manuals and completions that tools/gen_reference.py makes: they are
current, and do what they are for."""
import os
import shutil
import subprocess
import sys

import framework
from framework import ROOT, Skip, equal

COMPLETION = os.path.join(ROOT, "contrib", "completion")


def test_what_is_made_of_the_tables_is_current(context):
    done = subprocess.run([sys.executable, os.path.join(ROOT, "tools", "gen_reference.py"),
                           f"--build={context.build}", "--check"], check=False, text=True,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    equal(done.returncode, 0, done.stdout)


def completed(*words):
    """What bash offers for the last word."""
    script = (f'. "{COMPLETION}/cairn-cli.bash"; COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); '
              '_cairn_cli; printf "%s\\n" "${COMPREPLY[@]}"')
    return subprocess.run(["bash", "-c", script, "bash", *words], check=True, text=True,
                          stdout=subprocess.PIPE).stdout.split()


def test_bash_completes_methods_options_and_booleans(_):
    if not shutil.which("bash"):
        raise Skip("no bash")
    equal(completed("cairn-cli", "getblockco"), ["getblockcount"])
    equal(completed("cairn-cli", "-regtest", "-rpcport", "=", "18555", "getblockha"),
          ["getblockhash"])
    equal(completed("cairn-cli", "-rpcport"), ["-rpcport="])
    equal(completed("cairn-cli", "-regtest", "help", "getreorg"), ["getreorghistory"])
    equal(completed("cairn-cli", "getblockheader", "00", ""), ["true", "false"])
    equal(completed("cairn-cli", "getblockheader", ""), [])
    equal(completed("cairn-cli", "nosuch", ""), [])
    equal(len(completed("cairn-cli", "")) > 90, True)


def test_the_manuals_are_well_formed(_):
    if not shutil.which("groff"):
        raise Skip("no groff")
    for name in ("cairnd.1", "cairn-cli.1"):
        done = subprocess.run(["groff", "-man", "-Tutf8", "-ww",
                               os.path.join(ROOT, "doc", "man", name)], check=True,
                              stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        equal(done.stderr, "")
        equal("-chain=" in done.stdout.replace("‐", "-").replace("−", "-"), True)


def test_zsh_takes_its_completion(_):
    if not shutil.which("zsh"):
        raise Skip("no zsh")
    subprocess.run(["zsh", "-n", os.path.join(COMPLETION, "_cairn-cli")], check=True)


if __name__ == "__main__":
    framework.main(globals())
