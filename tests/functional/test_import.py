"""Importing block files: real blocks of the main chain, generated chains, any order."""
import os
import shutil

import chain
import framework
from framework import Failure, equal

MAINNET_TIP = "00000000d0a75c861fabf9ff7b92022f60e4afeed9331fe5aa073d8e4706fe3c"
CONFIGURATIONS = (("-par=1",), ("-par=2",), ("-dbcache=4",), ())


def size(context):
    """Blocks, inputs and pool of the generated chains."""
    return (60, 1500, 30000) if context.soak else (8, 60, 400)


def import_and_check(context, name, path, tip, height, options):
    """Import with -stopafterblockimport, start again, and compare the tip."""
    node = context.node(name, options)
    node.launch(f"-loadblock={path}", "-stopafterblockimport")
    node.wait_exit(0, 900)
    node.start()
    equal(node.rpc.getbestblockhash(), tip, f"tip of {name}")
    equal(node.rpc.getblockcount(), height, f"height of {name}")
    coins = node.coins()
    node.stop()
    shutil.rmtree(node.datadir)
    return coins


def check_kind(context, kind):
    """Every configuration ends at chaingen's tip, and all of them with the same coins."""
    path, tip, height, _ = context.chain_file(kind, *size(context))
    shuffled = os.path.join(context.scratch, "shuffled.dat")
    with open(path, "rb") as file:
        blocks = chain.unframe(file.read())
    equal(len(blocks), height, "blocks in the file")
    context.random.shuffle(blocks)
    with open(shuffled, "wb") as file:
        file.write(b"".join(chain.frame(raw) for raw in blocks))
    results = []
    for i, options in enumerate(CONFIGURATIONS):
        results.append(import_and_check(context, f"{kind}{i}", path, tip, height, options))
    results.append(import_and_check(context, f"{kind}-shuffled", shuffled, tip, height, ()))
    for result in results[1:]:
        equal(result, results[0], "coins")


def test_real_blocks_of_the_main_chain(context):
    path = context.vector("mainnet/blocks_1_255.dat")
    node = context.started(f"-loadblock={path}", chain="main")
    node.wait_tip(MAINNET_TIP)
    equal(node.rpc.getblockcount(), 255)
    equal(node.rpc.getblockchaininfo()["chain"], "main")
    node.restart()
    equal(node.rpc.getbestblockhash(), MAINNET_TIP)
    equal(node.rpc.gettxoutsetinfo()["txouts"] > 200, True)
    node.stop()


def test_p2wpkh_chain(context):
    check_kind(context, "p2wpkh")


def test_p2tr_chain(context):
    check_kind(context, "p2tr")


def test_p2wsh_chain(context):
    check_kind(context, "p2wsh")


def test_mixed_chain(context):
    check_kind(context, "mix")


def test_a_flipped_signature_byte_stops_the_chain_before_that_block(context):
    path, _, _, _ = context.chain_file("p2wpkh", *size(context))
    with open(path, "rb") as file:
        blocks = chain.unframe(file.read())
    # The DER header of the last signature; the witness is not in the merkle root of txids, but
    # the commitment sees it: so the block is refused as mutated, and its parent stays the tip.
    last = bytearray(blocks[-1])
    at = last.rindex(b"\x30\x44")
    last[at + 10] ^= 1
    bad = os.path.join(context.scratch, "bad.dat")
    with open(bad, "wb") as file:
        file.write(b"".join(chain.frame(raw) for raw in blocks[:-1] + [bytes(last)]))
    node = context.node()
    node.launch(f"-loadblock={bad}", "-stopafterblockimport")
    node.wait_exit(0, 300)
    node.start()
    equal(node.rpc.getblockcount(), len(blocks) - 1)
    # The hash was not condemned: the honest copy is taken.
    equal(node.rpc.submitblock(blocks[-1].hex()), None)
    equal(node.rpc.getblockcount(), len(blocks))
    node.stop()


def test_garbage_between_blocks_is_skipped(context):
    blocks = chain.grow(None, 12)
    path = os.path.join(context.scratch, "noise.dat")
    with open(path, "wb") as file:
        for block in blocks:
            file.write(context.random.randbytes(context.random.randrange(0, 300)))
            file.write(chain.frame(block.encode()))
    node = context.node()
    node.launch(f"-loadblock={path}", "-stopafterblockimport")
    node.wait_exit(0)
    node.start()
    equal(node.rpc.getbestblockhash(), blocks[-1].id())
    node.stop()


def test_a_missing_file_is_an_error(context):
    node = context.node()
    missing = os.path.join(context.scratch, "absent.dat")
    node.launch(f"-loadblock={missing}", "-stopafterblockimport")
    if node.wait_exit(None) == 0:
        raise Failure("exit status 0 although the file cannot be read")
    if "absent.dat" not in node.output() + node.log():
        raise Failure("the message does not name the file")


def test_a_truncated_file_gives_what_it_holds(context):
    blocks = chain.grow(None, 10)
    raw = b"".join(chain.frame(block.encode()) for block in blocks)
    path = os.path.join(context.scratch, "short.dat")
    with open(path, "wb") as file:
        file.write(raw[:-37])
    node = context.node()
    node.launch(f"-loadblock={path}", "-stopafterblockimport")
    node.wait_exit(0)
    node.start()
    equal(node.rpc.getbestblockhash(), blocks[-2].id())
    node.stop()


def test_a_file_whose_parents_are_unknown_is_a_warning_and_can_come_again(context):
    blocks = chain.grow(None, 30)
    for name, part in (("late", blocks[15:]), ("early", blocks[:15])):
        with open(os.path.join(context.scratch, name), "wb") as file:
            file.write(b"".join(chain.frame(block.encode()) for block in part))
    node = context.node()
    late, early = f"-loadblock={context.scratch}/late", f"-loadblock={context.scratch}/early"
    node.launch(late, "-stopafterblockimport")
    node.wait_exit(0)
    assert "parents are unknown" in node.log(), node.log()
    node.launch(early, late, "-stopafterblockimport")
    node.wait_exit(0)
    node.start()
    equal(node.rpc.getbestblockhash(), blocks[-1].id())
    node.stop()


if __name__ == "__main__":
    framework.main(globals())
