"""test_replay.py - captured messages are played to a real node, and to a simulated one."""
import glob
import json
import os
import subprocess

import framework
import p2p
from framework import equal, wait_until

ADDRESS = "bcrt1qft5p2uhsdcdc3l2ua4ap5qqfg4pjaqlp250x7us7a8qqhrxrxfsqseac85"
N_BLOCKS = 12


def replay(context, *args):
    path = os.path.join(context.bin, "cairn-sim")
    done = subprocess.run([path, "replay", *args], capture_output=True, text=True, timeout=60,
                          check=False)
    return done.returncode, done.stdout + done.stderr


def capture(context):
    """A node mines while another one listens. The file of what that one heard, and the tip."""
    miner = p2p.node(context, name="miner")
    hearer = context.started("-capturemessages", name="hearer")
    miner.rpc.generatetoaddress(N_BLOCKS // 2, ADDRESS)
    hearer.rpc.addnode(miner.p2p, "onetry")
    hearer.wait_tip(miner.rpc.getbestblockhash())
    for _ in range(N_BLOCKS - N_BLOCKS // 2):
        tip = miner.rpc.generatetoaddress(1, ADDRESS)[0]
        hearer.wait_tip(tip)
    hearer.stop()
    files = glob.glob(os.path.join(hearer.path("message_capture"), "*", "msgs_recv.dat"))
    equal(len(files), 1, "peers that were heard")
    return files[0], tip


def test_a_capture_ends_on_the_same_tip(context):
    file, tip = capture(context)
    status, text = replay(context, file)
    equal((status, f"tip    {tip}" in text), (0, True), text)
    target = p2p.node(context, name="target")
    status, text = replay(context, file, f"--to={target.p2p}", "--max-gap-ms=300")
    equal(status, 0, text)
    target.wait_tip(tip)
    wait_until(lambda: target.rpc.getconnectioncount() == 0, what="end of the connection")


def test_a_link_of_the_simulation_ends_on_the_same_tip(context):
    """A real node that begins as the simulated one did hears what that one heard."""
    folder = os.path.join(context.scratch, "captured")
    done = subprocess.run([os.path.join(context.bin, "cairn-sim"), "run", "--nodes=2",
                           "--topology=line", "--miners=1", "--txs=0", "--interval=60",
                           "--minutes=10", "--trace=-", f"--capture={folder}"],
                          capture_output=True, text=True, timeout=60, check=False)
    equal(done.returncode, 0, done.stderr)
    lines = [json.loads(line) for line in done.stdout.splitlines()]
    mined = [line for line in lines if line["ev"] == "mined" and line["node"] == 0]
    equal(len(mined) > 3, True, "blocks of the first node")
    tip = [line["hash"] for line in lines if line["ev"] == "tip" and line["node"] == 1][-1]
    files = glob.glob(os.path.join(folder, "node1", "*", "msgs_recv.dat"))
    with open(files[0], "rb") as file:
        began_s = int.from_bytes(file.read(8), "little") // 1000000
    target = p2p.node(context, f"-loadblock={folder}/start.dat", f"-mocktime={began_s}",
                      name="target")
    start = lines[0]["start_height"]
    wait_until(lambda: target.rpc.getblockcount() == start, what="blocks to begin with")
    status, text = replay(context, *files, f"--to={target.p2p}", "--max-gap-ms=300")
    equal(status, 0, text)
    target.wait_tip(tip, 20)


def test_nobody_is_there(context):
    file, _ = capture(context)
    status, text = replay(context, file, f"--to=127.0.0.1:{framework.free_port()}")
    equal((status, "no connection: Connection refused" in text), (1, True), text)


if __name__ == "__main__":
    framework.main(globals())
