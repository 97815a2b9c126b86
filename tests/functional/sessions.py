"""sessions.py - runs sessions that a page shows, line by line, and compares what they print with
what the page says; "..." there stands for anything."""
import doctest
import os
import re
import subprocess

import framework
from framework import Failure

MARK = "-- next --"


def read(page):
    """The pairs of command and output of each ```console block of a page."""
    with open(os.path.join(framework.ROOT, page), encoding="utf-8") as file:
        blocks = re.findall(r"^```console\n(.*?)^```", file.read(), re.S | re.M)
    return [[part.partition("\n")[::2] for part in re.split(r"^\$ ", block, flags=re.M)[1:]]
            for block in blocks]


def wrap(folder, name, command):
    """A program of that name in a folder, which is a line of the shell."""
    os.makedirs(folder, exist_ok=True)
    path = os.path.join(folder, name)
    with open(path, "w", encoding="ascii") as file:
        file.write(f"#!/bin/sh\n{command}\n")
    os.chmod(path, 0o755)


def run(lines, folder, timeout_s=100, **env):
    """Run such pairs in a folder, all in one shell."""
    script = "shopt -s expand_aliases\n" + "".join(f"{c}\necho '{MARK}'\n" for c, _ in lines)
    done = subprocess.run(["bash", "-c", script], cwd=folder, check=False, text=True,
                          env=dict(os.environ, **env), timeout=timeout_s, stdin=subprocess.DEVNULL,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    checker = doctest.OutputChecker()
    for (command, want), got in zip(lines, done.stdout.split(MARK + "\n")):
        if not checker.check_output(want, got, doctest.ELLIPSIS):
            raise Failure(f"$ {command}\nwant:\n{want}\ngot:\n{got}")
