"""test_sim_threads.py - cairn-sim: any number of threads is the same run, byte for byte."""
import json
import os
import subprocess

import framework
from framework import equal

# Everything that nodes share or tell: load, loss, churn, a partition, both transports.
SCENARIO = {"seed": 5, "nodes": 30, "minutes": 1, "interval_s": 10, "txs_per_minute": 90,
            "topology": "random", "outbound": 4, "loss_ppm": 5000, "churn_per_hour": 600,
            "down_s": 15, "sample_s": 10,
            "partitions": [{"from_s": 15, "to_s": 35,
                            "groups": [list(range(12)), list(range(12, 30))]}]}


def trace_of(context, threads):
    path = os.path.join(context.scratch, "scenario.json")
    with open(path, "w", encoding="utf-8") as file:
        json.dump(SCENARIO, file)
    done = subprocess.run(
        [os.path.join(context.build, "bin/cairn-sim"), "run", f"--scenario={path}",
         f"--threads={threads}", "--trace=-"],
        check=False, stdout=subprocess.PIPE, stderr=subprocess.PIPE, timeout=300)
    equal(done.returncode, 0, done.stderr.decode())
    return done.stdout


def test_threads_are_not_seen(context):
    alone = trace_of(context, 1)
    kinds = {json.loads(line)["ev"] for line in alone.splitlines()}
    for kind in ("mined", "tip", "tx", "link", "unlink", "down", "up", "partition", "heal"):
        assert kind in kinds, kind
    for threads in (2, 3):
        equal(trace_of(context, threads) == alone, True)


if __name__ == "__main__":
    framework.main(globals())
