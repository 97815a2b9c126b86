"""bitcoinlib_client.py - python-bitcoinlib against a node: its calls, and a payment of its making.

    bitcoinlib_client.py PORT USER:PASSWORD

Says "done" when each answer was what it has to be. Run by test_libraries.py with a Python that has
the library."""
import sys

import bitcoin
import bitcoin.rpc
from bitcoin.core import (COIN, COutPoint, CMutableTransaction, CTxIn, CTxInWitness, CTxOut,
                          CTxWitness, Hash160, b2lx, lx)
from bitcoin.core.script import (OP_0, SIGHASH_ALL, SIGVERSION_WITNESS_V0, CScript, CScriptWitness,
                                 SignatureHash)
from bitcoin.wallet import CBitcoinSecret, P2WPKHBitcoinAddress

N_BLOCKS = 101


def fails(error, function, *args):
    try:
        answer = function(*args)
    except error as seen:
        return seen
    raise AssertionError(f"{answer} is no error")


def spend(key, address, coinbase):
    """A transaction that pays the coinbase to the same address, less a fee."""
    tx = CMutableTransaction([CTxIn(COutPoint(coinbase.GetTxid(), 0))],
                             [CTxOut(50 * COIN - 10000, address.to_scriptPubKey())])
    sighash = SignatureHash(address.to_redeemScript(), tx, 0, SIGHASH_ALL, amount=50 * COIN,
                            sigversion=SIGVERSION_WITNESS_V0)
    signature = key.sign(sighash) + bytes([SIGHASH_ALL])
    tx.wit = CTxWitness([CTxInWitness(CScriptWitness([signature, key.pub]))])
    return tx


def main():
    port, login = sys.argv[1:]
    bitcoin.SelectParams("regtest")
    proxy = bitcoin.rpc.Proxy(service_url=f"http://{login}@127.0.0.1:{port}")
    key = CBitcoinSecret.from_secret_bytes(b"\1" * 32)
    address = P2WPKHBitcoinAddress.from_scriptPubKey(CScript([OP_0, Hash160(key.pub)]))
    hashes = list(proxy.generatetoaddress(N_BLOCKS, address))
    assert len(hashes) == N_BLOCKS and proxy.getblockcount() == N_BLOCKS
    assert proxy.getbestblockhash() == hashes[-1] == proxy.getblockhash(N_BLOCKS)
    block = proxy.getblock(hashes[0])
    assert block.GetHash() == hashes[0]
    assert proxy.getblockheader(hashes[0]).GetHash() == hashes[0]
    assert proxy.getblockheader(hashes[0], True)["nextblockhash"] == hashes[1]
    coinbase = block.vtx[0]
    assert proxy.gettxout(COutPoint(coinbase.GetTxid(), 0))["txout"].nValue == 50 * COIN
    tx = spend(key, address, coinbase)
    txid = proxy.sendrawtransaction(tx)
    assert txid == tx.GetTxid() and proxy.getrawmempool() == [txid]
    assert b2lx(txid) in proxy.getrawmempool(True)
    assert proxy.getrawtransaction(txid).serialize() == tx.serialize()
    assert proxy.getrawtransaction(txid, True)["tx"].GetTxid() == txid
    assert len(list(proxy.generatetoaddress(1, address))) == 1
    assert proxy.getrawmempool() == []
    fails(IndexError, proxy.gettxout, COutPoint(coinbase.GetTxid(), 0))
    fails(IndexError, proxy.getblock, lx("11" * 32))
    fails(IndexError, proxy.getblockhash, 1000)
    fails(bitcoin.rpc.VerifyAlreadyInChainError, proxy.sendrawtransaction, tx)
    assert proxy.call("getnetworkinfo")["version"] == 310000
    print("done")


if __name__ == "__main__":
    main()
