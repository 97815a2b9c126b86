"""test_rest.py - REST of the whole program: bytes as they are, over HTTP, without a password."""
import http.client
import json
import struct

import framework
from framework import equal

ADDRESS = "bcrt1qft5p2uhsdcdc3l2ua4ap5qqfg4pjaqlp250x7us7a8qqhrxrxfsqseac85"
HEADER_BYTES = 80


class Rest:
    """One connection that is kept, as electrs does."""

    def __init__(self, node):
        self.connection = http.client.HTTPConnection("127.0.0.1", node.port, timeout=60)

    def ask(self, path, body=None, method=None):
        self.connection.request(method or ("POST" if body else "GET"), "/rest" + path, body)
        answer = self.connection.getresponse()
        return answer.status, answer.getheader("Content-Type"), answer.read()

    def good(self, path, kind, body=None):
        status, content_type, content = self.ask(path, body)
        equal((status, content_type), (200, kind), path)
        return content


def test_an_indexer_reads_the_chain(context):
    """What electrs 0.12 asks, in its order."""
    node = context.started("-rest=1")
    hashes = node.rpc.generatetoaddress(20, ADDRESS)
    rest = Rest(node)
    octets = "application/octet-stream"
    equal(rest.good("/blockhashbyheight/0.bin", octets)[::-1].hex(), node.rpc.getblockhash(0))
    headers = rest.good(f"/headers/2000/{hashes[0]}.bin", octets)
    equal(len(headers), 20 * HEADER_BYTES)
    for i, block_hash in enumerate(hashes):
        equal(headers[i * HEADER_BYTES:(i + 1) * HEADER_BYTES].hex(),
              node.rpc.getblockheader(block_hash, False))
        block = rest.good(f"/block/{block_hash}.bin", octets)
        equal(block.hex(), node.rpc.getblock(block_hash, 0))
        equal(rest.good(f"/blockpart/{block_hash}.bin?offset=80&size=100", octets),
              block[80:180])
        equal(rest.good(f"/spenttxouts/{block_hash}.bin", octets), b"\x01\x00")
    equal(json.loads(rest.good(f"/block/{hashes[3]}.json", "application/json")),
          node.rpc.getblock(hashes[3], 3))
    node.stop()


def test_outputs_are_asked_for_in_three_ways(context):
    node = context.started("-rest=1")
    block_hash = node.rpc.generatetoaddress(1, ADDRESS)[0]
    txid = node.rpc.getblock(block_hash)["tx"][0]
    rest = Rest(node)
    answer = json.loads(rest.good(f"/getutxos/checkmempool/{txid}-0/{txid}-9.json",
                                  "application/json"))
    equal((answer["chainHeight"], answer["chaintipHash"], answer["bitmap"]),
          (1, block_hash, "10"))
    equal(answer["utxos"][0]["scriptPubKey"]["address"], ADDRESS)
    outpoint = bytes.fromhex(txid)[::-1] + struct.pack("<I", 0)
    want = (struct.pack("<i", 1) + bytes.fromhex(block_hash)[::-1] + b"\x01\x01\x01"
            + struct.pack("<IIq", 0, 1, 50 * 10 ** 8))
    content = rest.good("/getutxos.bin", "application/octet-stream", b"\x01\x01" + outpoint)
    equal(content[:len(want)], want)
    equal(rest.good("/getutxos.hex", "text/plain", (b"\x01\x01" + outpoint).hex().encode()),
          content.hex().encode() + b"\n")
    equal(rest.ask("/getutxos.bin", b"x" * 16385)[0], 413)
    node.stop()


def test_there_is_nothing_without_the_option(context):
    node = context.started()
    status, _, content = Rest(node).ask("/chaininfo.json")
    equal((status, content), (404, b""))
    node.stop()


def test_heads_have_no_body_and_pages_of_others_are_refused(context):
    node = context.started("-rest=1")
    rest = Rest(node)
    status, _, content = rest.ask("/chaininfo.json", method="HEAD")
    equal((status, content), (200, b""))
    rest.connection.request("GET", "/rest/chaininfo.json", headers={"Host": "evil.example"})
    equal(rest.connection.getresponse().status, 403)
    node.stop()


if __name__ == "__main__":
    framework.main(globals())
