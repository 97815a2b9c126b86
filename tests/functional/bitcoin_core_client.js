// bitcoin_core_client.js - npm's bitcoin-core against a node: its calls by RPC and REST, and a payment.
//
//   node bitcoin_core_client.js PORT USER:PASSWORD
//
// Says "done" when each answer was what it has to be.
'use strict';
const assert = require('assert');
const Client = require('bitcoin-core');

const [port, login] = process.argv.slice(2);
const [username, password] = login.split(':');
const client = new Client({host: `http://127.0.0.1:${port}`, username, password, version: '0.21.0'});
// The number 1 as a secret key, and the address of its public key.
const KEY = 'cMahea7zqjxrtgAbB7LSGbcQUr1uX1ojuat9jZodMN87JcbXMTcA';
const ADDRESS = 'bcrt1qw508d6qejxtdg4y5r3zarvary0c5xw7kygt080';

async function ask() {
  const hashes = await client.command('generatetoaddress', 101, ADDRESS);
  assert.strictEqual(hashes.length, 101);
  assert.strictEqual(await client.getBlockCount(), 101);
  assert.strictEqual(await client.getBestBlockHash(), hashes[100]);
  assert.strictEqual(await client.getBlockHash({height: 1}), hashes[0]);
  assert.strictEqual((await client.getBlock(hashes[0], 2)).height, 1);
  assert.strictEqual((await client.getBlockHeader(hashes[0])).confirmations, 101);
  assert.strictEqual((await client.getBlockchainInfo()).chain, 'regtest');
  assert.strictEqual((await client.getNetworkInfo()).version, 310000);
  assert.strictEqual((await client.validateAddress(ADDRESS)).isvalid, true);
  const both = await client.command([
    {method: 'getblockcount', parameters: []}, {method: 'getblockhash', parameters: [1000]}]);
  assert.strictEqual(both[0], 101);
  assert.strictEqual(both[1].code, -8);
  await assert.rejects(client.getBlock('00'), {code: -8});
  return hashes;
}

async function pay(block) {
  const txid = (await client.getBlock(block)).tx[0];
  const raw = await client.createRawTransaction([{txid, vout: 0}], [{[ADDRESS]: 49.9999}]);
  const scriptPubKey = (await client.getTxOut(txid, 0)).scriptPubKey.hex;
  const signed = await client.signRawTransactionWithKey(
    raw, [KEY], [{txid, vout: 0, scriptPubKey, amount: 50}]);
  assert.strictEqual(signed.complete, true);
  const paid = await client.sendRawTransaction(signed.hex);
  assert.deepStrictEqual(await client.getRawMempool(), [paid]);
  assert.strictEqual((await client.decodeRawTransaction(signed.hex)).txid, paid);
  await assert.rejects(client.sendRawTransaction('00'), {code: -22});
  return paid;
}

async function read(blocks, paid) {
  assert.strictEqual((await client.getBlockchainInformation()).blocks, 101);
  assert.strictEqual((await client.getBlockByHash(blocks[4])).height, 5);
  assert.strictEqual((await client.getBlockHeadersByHash(blocks[0], 3)).length, 3);
  assert.strictEqual((await client.getTransactionByHash(paid)).vout.length, 1);
  assert.strictEqual((await client.getMemoryPoolInformation()).size, 1);
  const coins = await client.getUnspentTransactionOutputs([{id: paid, index: 0}]);
  assert.strictEqual(coins.utxos[0].value, 49.9999);
}

ask().then(async blocks => read(blocks, await pay(blocks[0]))).then(() => console.log('done'))
  .catch(error => { console.log(error); process.exit(1); });
