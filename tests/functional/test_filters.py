"""test_filters.py - the index of block filters in the whole program: later, killed, scanned."""
import chain
import framework
from framework import equal, rpc_fails, wait_until

ADDRESS = "bcrt1qft5p2uhsdcdc3l2ua4ap5qqfg4pjaqlp250x7us7a8qqhrxrxfsqseac85"
N_BLOCKS = 400


def filters_of(node, hashes):
    return [node.rpc.getblockfilter(block) for block in hashes]


def is_synced(node):
    return node.rpc.getindexinfo()["basic block filter index"]["synced"]


def test_an_index_that_is_killed_again_and_again_is_complete(context):
    """It is built in the background; kill -9 at any moment costs work, and no filter."""
    whole = context.node("whole", ["-blockfilterindex"])
    whole.start()
    whole.rpc.generatetoaddress(N_BLOCKS, ADDRESS)
    hashes = [whole.rpc.getblockhash(height) for height in range(N_BLOCKS + 1)]
    blocks = [whole.rpc.getblock(block, 0) for block in hashes[1:]]
    wait_until(lambda: is_synced(whole), what="index")
    want = filters_of(whole, hashes)
    whole.stop()

    node = context.node("killed", ["-blockfilterindex=basic"])
    chain.submit_between_kills(context, node, blocks, 80)
    equal(node.rpc.getblockcount(), N_BLOCKS)
    wait_until(lambda: is_synced(node), what="index")
    equal(filters_of(node, hashes), want)
    node.stop()


def test_an_index_made_later_is_the_same(context):
    node = context.started()
    node.rpc.generatetoaddress(50, ADDRESS)
    hashes = [node.rpc.getblockhash(height) for height in range(51)]
    rpc_fails(-1, "Index is not enabled for filtertype basic", node.rpc.getblockfilter, hashes[1])
    node.stop()
    node.options.append("-blockfilterindex=1")
    node.start()
    wait_until(lambda: is_synced(node), what="index")
    equal(len(filters_of(node, hashes)), 51)
    scan = node.rpc.scanblocks("start", [f"addr({ADDRESS})"], 10, 20)
    equal(scan, {"from_height": 10, "to_height": 20, "relevant_blocks": hashes[10:21],
                 "completed": True})
    told = node.rpc.getdescriptoractivity(scan["relevant_blocks"], [f"addr({ADDRESS})"])
    events = told["activity"]
    equal([(event["type"], event["blockhash"], event["height"]) for event in events],
          [("receive", hashes[height], height) for height in range(10, 21)])
    equal(events[0]["output_spk"]["address"], ADDRESS)
    node.stop()


def test_kinds_of_filters_that_are_unknown_are_refused(context):
    node = context.node()
    node.refuses_to_start("Unknown -blockfilterindex value extended", "-blockfilterindex=extended")
    node.refuses_to_start("Cannot set -peerblockfilters without -blockfilterindex",
                          "-peerblockfilters", "-blockfilterindex=0")


if __name__ == "__main__":
    framework.main(globals())
