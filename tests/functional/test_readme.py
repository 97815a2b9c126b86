"""The first session of README.md, line by line."""
import os

import framework
import sessions


def test_the_first_session_is_as_the_readme_says(context):
    node = context.started()
    # The paths of the README, with the port and folder of this test's node put in.
    folder = os.path.join(context.scratch, "build", "release", "bin")
    sessions.wrap(folder, "cairn-cli", f"exec {context.bin}/cairn-cli -datadir={node.datadir} "
                                       f"-rpcport={node.port} \"$@\"")
    lines = sessions.read("README.md")[0]
    assert len(lines) > 5, lines
    sessions.run(lines, context.scratch)
    node.wait_exit(0)


if __name__ == "__main__":
    framework.main(globals())
