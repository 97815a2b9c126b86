"""test_zmq.py - what is published by ZeroMQ, as a subscriber sees it."""
import os
import struct
import tempfile

import chain
import framework
from framework import Skip, equal, free_port
from zmtp import Subscriber

TOPICS = ("hashblock", "hashtx", "rawblock", "rawtx", "sequence")
ADDRESS = "bcrt1qft5p2uhsdcdc3l2ua4ap5qqfg4pjaqlp250x7us7a8qqhrxrxfsqseac85"


def publishing(context, address, *options):
    node = context.node("publisher", [*(f"-zmqpub{topic}={address}" for topic in TOPICS),
                                      *options]).start()
    if not node.rpc.getzmqnotifications():
        raise Skip("built without libzmq")
    return node


def in_sync(node, address, *topics):
    """A subscriber that hears everything from now on."""
    subscriber = Subscriber(address, *topics)
    while True:
        subscriber.socket.settimeout(0.2)
        node.rpc.generatetodescriptor(1, "raw(51)")
        try:
            seen = subscriber.receive()
        except TimeoutError:
            continue
        break
    # Read on to the end of what that block has brought, by the last message of another.
    subscriber.socket.settimeout(30)
    block = bytes.fromhex(node.rpc.generatetodescriptor(1, "raw(51)")[0])
    last = {"rawblock": "rawblock", "hashblock": "hashblock"}.get(topics[-1], topics[-1])
    while not (seen[0] == last and (seen[1] == block or block in seen[1]
                                    or node.rpc.getblock(block.hex(), 0) == seen[1].hex())):
        seen = subscriber.receive()
    return subscriber, seen[2]


def with_witness(raw):
    """The script behind ADDRESS is OP_TRUE alone."""
    return raw[:8] + "0001" + raw[8:-8] + "010151" + raw[-8:]


def check_block(node, subscriber, numbers):
    block_hash = node.rpc.generatetodescriptor(1, "raw(51)")[0]
    block = node.rpc.getblock(block_hash, 2)
    raw_tx = bytes.fromhex(block["tx"][0]["hex"])
    wants = [("hashtx", bytes.fromhex(block["tx"][0]["txid"])), ("rawtx", raw_tx),
             ("sequence", bytes.fromhex(block_hash) + b"C"),
             ("hashblock", bytes.fromhex(block_hash)),
             ("rawblock", bytes.fromhex(node.rpc.getblock(block_hash, 0)))]
    for want in wants:
        topic, body, number = subscriber.receive()
        equal((topic, body.hex()), (want[0], want[1].hex()))
        if topic in numbers:
            equal(number, numbers[topic] + 1, topic)
        numbers[topic] = number


def check_all(context, address):
    node = publishing(context, address)
    shown = address.replace("unix:", "ipc://")
    equal(node.rpc.getzmqnotifications(),
          [{"type": "pub" + topic, "address": shown, "hwm": 1000} for topic in TOPICS])
    subscriber, _ = in_sync(node, address, "hashtx", "rawtx", "sequence", "hashblock", "rawblock")
    numbers = {}
    for _ in range(5):
        check_block(node, subscriber, numbers)
    node.stop()


def test_blocks_are_told_with_their_transactions(context):
    check_all(context, f"tcp://127.0.0.1:{free_port()}")


def test_sockets_of_the_file_system_serve_too(context):
    with tempfile.TemporaryDirectory() as folder:
        check_all(context, "unix:" + os.path.join(folder, "zmq"))


def test_the_sequence_tells_what_happens_in_the_mempool(context):
    address = f"tcp://127.0.0.1:{free_port()}"
    node = publishing(context, address)
    node.rpc.generatetoaddress(1, ADDRESS)
    node.rpc.generatetodescriptor(101, "raw(51)")
    subscriber, _ = in_sync(node, address, "sequence")
    coinbase = node.rpc.getblock(node.rpc.getblockhash(1), 2)["tx"][0]
    ids = []
    for fee_sat in (10_000, 50_000):
        raw = node.rpc.createrawtransaction(
            [{"txid": coinbase["txid"], "vout": 0}],
            [{ADDRESS: f"{(50 * chain.COIN - fee_sat) / chain.COIN:.8f}"}])
        before = node.rpc.getrawmempool(False, True)["mempool_sequence"]
        ids.append(node.rpc.sendrawtransaction(with_witness(raw)))
        for number, (txid, label) in enumerate([(i, b"R") for i in ids[:-1]] + [(ids[-1], b"A")]):
            topic, body, _ = subscriber.receive()
            equal((topic, body), ("sequence", bytes.fromhex(txid) + label
                                  + struct.pack("<Q", before + number)))
    # What a block takes is told by the block alone; taken back, it comes again.
    tip = node.rpc.generatetodescriptor(1, "raw(51)")[0]
    equal(subscriber.receive()[1], bytes.fromhex(tip) + b"C")
    node.rpc.invalidateblock(tip)
    equal(subscriber.receive()[1], bytes.fromhex(tip) + b"D")
    equal(subscriber.receive()[1][:33], bytes.fromhex(ids[-1]) + b"A")
    node.stop()


def test_a_reorganisation_ends_in_one_tip(context):
    address = f"tcp://127.0.0.1:{free_port()}"
    node = publishing(context, address)
    other = context.started(name="other")
    branch = [other.rpc.getblock(block, 0)
              for block in other.rpc.generatetodescriptor(10, "raw(52)")]
    subscriber, number = in_sync(node, address, "hashblock")
    height = node.rpc.getblockcount()
    equal(height < 9, True, "few blocks were needed to be heard")
    for block in branch:
        node.rpc.submitblock(block)
    for at in range(height + 1, 11):
        number += 1
        equal(subscriber.receive(),
              ("hashblock", bytes.fromhex(node.rpc.getblockhash(at)), number))
    other.stop()
    node.stop()


def test_who_does_not_read_delays_nobody(context):
    address = f"tcp://127.0.0.1:{free_port()}"
    node = publishing(context, address, "-zmqpubrawtxhwm=3", "-zmqpubrawblockhwm=3")
    sleeper = Subscriber(address, "rawtx")
    reader, _ = in_sync(node, address, "hashblock")
    for _ in range(20):
        block = bytes.fromhex(node.rpc.generatetodescriptor(20, "raw(51)")[-1])
        while reader.receive()[1] != block:
            pass
    sleeper.close()
    node.stop()


def test_an_address_that_cannot_be_had_ends_the_start(context):
    address = f"tcp://127.0.0.1:{free_port()}"
    node = publishing(context, address)
    other = context.node("other", [f"-zmqpubhashtx={address}"])
    other.refuses_to_start("Initializing ZMQ interface failed.")
    other.options = ["-zmqpubhashtx=127.0.0.1:1"]
    other.refuses_to_start("Invalid port specified in -zmqpubhashtx: '127.0.0.1:1'")
    node.stop()


def test_the_library_is_needed_by_who_publishes_alone(context):
    """In its place stands a file that is no library."""
    folder = os.path.join(context.scratch, "libraries")
    os.makedirs(folder)
    with open(os.path.join(folder, "libzmq.so.5"), "wb"):
        pass
    there = {"LD_LIBRARY_PATH": folder}
    node = context.node("poor", ["-zmqpubhashtx=tcp://127.0.0.1:1"])
    node.refuses_to_start("Initializing ZMQ interface failed.", env=there)
    if "built without libzmq" in node.log():
        raise Skip("built without libzmq")
    equal("Unable to load libzmq: " in node.log(), True)
    node.options = []
    node.start(env=there)
    node.stop()


if __name__ == "__main__":
    framework.main(globals())
