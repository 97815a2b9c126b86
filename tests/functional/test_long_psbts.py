"""PSBTs and descriptors of more bytes than the loop reads by itself: jobs read them, to the same
answers and errors as for short ones."""
import framework
from framework import equal, rpc_fails

KEY = "0279be667ef9dcbbac55a06295ce870b07029bfcdb2dce28d959f2815b16f81798"
SECRET = "cMahea7zqjxrtgAbB7LSGbcQUr1uX1ojuat9jZodMN87JcbXMTcA"
INPUTS = 10_000


def inputs_from(first):
    return [{"txid": f"{first + i:064x}", "vout": 0} for i in range(INPUTS)]


def test_long_psbts_are_worked_on(context):
    rpc = context.started().rpc
    one = rpc.createpsbt(inputs_from(1), [{"data": "00"}])
    two = rpc.createpsbt(inputs_from(1 + INPUTS), [{"data": "01"}])
    equal(rpc.analyzepsbt(one)["next"], "updater")
    equal(rpc.finalizepsbt(one)["complete"], False)
    joined = rpc.decodepsbt(rpc.joinpsbts([one, two]))
    equal((joined["input_count"], joined["output_count"]), (2 * INPUTS, 2))
    rpc_fails(-8, "", rpc.joinpsbts, [one, one])
    equal(rpc.combinepsbt([one, one]), one)
    equal(rpc.utxoupdatepsbt(one), one)
    equal(rpc.descriptorprocesspsbt(one, [f"wpkh({SECRET})"])["complete"], False)
    bad = one[:-8]
    for method in (rpc.analyzepsbt, rpc.finalizepsbt, rpc.utxoupdatepsbt):
        rpc_fails(-22, "", method, bad)
    rpc_fails(-22, "", rpc.descriptorprocesspsbt, bad, [f"wpkh({SECRET})"])
    rpc_fails(-5, "", rpc.utxoupdatepsbt, one, ["nothing"])


def test_previous_transactions_that_are_given_are_found(context):
    rpc = context.started().rpc
    given = [rpc.createrawtransaction([{"txid": f"{i + 1:064x}", "vout": 0}], [{"data": "00"}])
             for i in range(1000)]
    ids = [rpc.decoderawtransaction(raw)["txid"] for raw in given]
    psbt = rpc.createpsbt([{"txid": txid, "vout": 0} for txid in ids], [{"data": "01"}])
    shown = rpc.decodepsbt(rpc.utxoupdatepsbt(psbt, [], given + given[:10]))
    equal([each["non_witness_utxo"]["txid"] for each in shown["inputs"]], ids)


def test_long_descriptors_are_read(context):
    rpc = context.started().rpc
    leaf = f"pk({KEY})"
    tree = leaf
    for _ in range(100):
        tree = f"{{{leaf},{tree}}}"
    text = f"tr({KEY},{tree})" + " " * 70_000
    rpc_fails(-5, "", rpc.getdescriptorinfo, text)
    rpc_fails(-5, "", rpc.deriveaddresses, text + "#00000000")
    keys = ",".join([KEY] * 900)
    text = f"tr({KEY},{{multi_a(1,{keys}),multi_a(1,{keys})}})"
    info = rpc.getdescriptorinfo(text)
    equal((info["isrange"], info["hasprivatekeys"]), (False, False))
    equal(len(rpc.deriveaddresses(f"{text}#{info['checksum']}")), 1)
    rpc_fails(-8, "", rpc.deriveaddresses, f"{text}#{info['checksum']}", 5)


if __name__ == "__main__":
    framework.main(globals())
