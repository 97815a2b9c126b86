"""The first session of README.md, line by line."""
import doctest
import os
import re
import subprocess

import framework
from framework import Failure


def session():
    """Pairs of command and expected output."""
    with open(os.path.join(framework.ROOT, "README.md"), encoding="utf-8") as file:
        block = re.search(r"```console\n(.*?)```", file.read(), re.S).group(1)
    for part in re.split(r"^\$ ", block, flags=re.M)[1:]:
        command, _, want = part.partition("\n")
        yield command, want


def test_the_first_session_is_as_the_readme_says(context):
    node = context.started()
    # The paths of the README, with the port and folder of this test's node put in.
    folder = os.path.join(context.scratch, "build", "release", "bin")
    os.makedirs(folder)
    client = os.path.join(folder, "cairn-cli")
    with open(client, "w", encoding="ascii") as file:
        file.write(f"#!/bin/sh\nexec {context.bin}/cairn-cli -datadir={node.datadir} "
                   f"-rpcport={node.port} \"$@\"\n")
    os.chmod(client, 0o755)
    lines = list(session())
    assert len(lines) > 5, lines
    mark = "-- next --"
    script = "shopt -s expand_aliases\n" + "".join(f"{c}\necho '{mark}'\n" for c, _ in lines)
    done = subprocess.run(["bash", "-c", script], cwd=context.scratch, check=False, text=True,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    checker = doctest.OutputChecker()
    for (command, want), got in zip(lines, done.stdout.split(mark + "\n")):
        if not checker.check_output(want, got, doctest.ELLIPSIS):
            raise Failure(f"$ {command}\nwant:\n{want}\ngot:\n{got}")
    node.wait_exit(0)


if __name__ == "__main__":
    framework.main(globals())
