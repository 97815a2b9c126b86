"""Wallet libraries of others: bitcoinjs-lib and @bitcoinerlab/descriptors from npm (installed into
build/bitcoinjs) make, sign and spend P2WPKH, P2TR and miniscript outputs through us, PSBTs going
both ways. Skipped without npm."""
import framework
import npm
from framework import Failure

PACKAGES = ("bitcoinjs-lib@6.1.7", "@bitcoinerlab/descriptors@2.3.4",
            "@bitcoinerlab/secp256k1@1.2.0")
KINDS = ("wpkh", "tr", "miniscript")


def test_outputs_of_other_libraries_are_spent_through_us(context):
    folder = npm.installed("bitcoinjs", PACKAGES)
    node = context.started()
    status, text = npm.run(folder, "psbt_client.js", node)
    print(text)
    if status != 0:
        raise Failure(f"the client says: {text[-2000:]}")
    for kind in KINDS:
        assert f"{kind} spent twice" in text, text
    node.stop()


if __name__ == "__main__":
    framework.main(globals())
