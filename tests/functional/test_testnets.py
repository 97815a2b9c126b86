"""The session of doc/testnets.md, line by line."""
import os
import subprocess

import framework
import sessions

PORTS = ("29333", "29332", "29343", "29342")  # of the page


def settle(context):
    """A home whose regtest has ports of its own, and the programs that the page calls.
    Returns: what the session needs of the environment"""
    home, folder = context.scratch, os.path.join(context.scratch, "programs")
    os.makedirs(os.path.join(home, ".cairn"))
    with open(os.path.join(home, ".cairn", "cairn.conf"), "w", encoding="ascii") as file:
        file.write(f"[regtest]\nport={framework.free_port()}\nrpcport={framework.free_port()}\n"
                   f"listenonion=0\n")
    lab = os.path.join(framework.ROOT, "contrib", "testnet", "lab")
    sessions.wrap(folder, "lab", 'command=$1; shift; [ $command != up ] || set -- "$@" '
                                 f"--port={framework.free_port()}; "
                                 f'exec {lab} $command --build={context.build} "$@" 2>&1')
    return {"HOME": home, "PATH": f"{folder}:{context.bin}:{os.environ['PATH']}",
            "CAIRN_LAB": os.path.join(home, "lab")}


def stop_all(context, env):
    """What runs after a session that has broken off: daemons by their files, and the lab."""
    for where, _, names in os.walk(context.scratch):
        for name in names:
            if name == "cairnd.pid":
                with open(os.path.join(where, name), encoding="ascii") as file:
                    subprocess.run(["kill", "-9", file.read().strip()], check=False,
                                   stderr=subprocess.DEVNULL)
    subprocess.run(["lab", "down"], env=dict(os.environ, **env), check=False,
                   stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)


def test_a_new_users_session(context):
    env = settle(context)
    context.cleanups.append(lambda: stop_all(context, env))
    ports = {port: str(framework.free_port()) for port in PORTS}
    blocks = sessions.read("doc/testnets.md")
    assert len(blocks) == 5, blocks
    work = os.path.join(context.scratch, "work")
    os.makedirs(work)
    for block in blocks:
        lines = []
        for command, want in block:
            for port, free in ports.items():
                command = command.replace(port, free)
            lines.append((command, want))
        sessions.run(lines, work, **env)


if __name__ == "__main__":
    framework.main(globals())
