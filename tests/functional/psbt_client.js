// psbt_client.js - bitcoinjs-lib and @bitcoinerlab/descriptors against a node: outputs of three kinds are
// made, funded, signed and spent, PSBTs going both ways. Arguments: port, user:password.
'use strict';
const http = require('http');
const bitcoin = require('bitcoinjs-lib');
const ecc = require('@bitcoinerlab/secp256k1');
const {DescriptorsFactory, signers} = require('@bitcoinerlab/descriptors');

const network = bitcoin.networks.regtest;
bitcoin.initEccLib(ecc);
const {Output, BIP32} = DescriptorsFactory(ecc);
const FEE = 2000;

function rpc(method, ...params) {
  const [port, login] = process.argv.slice(2);
  return new Promise((resolve, reject) => {
    const request = http.request({
      host: '127.0.0.1', port, method: 'POST', auth: login,
      headers: {'Content-Type': 'application/json'},
    }, response => {
      let body = '';
      response.on('data', part => { body += part; });
      response.on('end', () => {
        const {result, error} = JSON.parse(body);
        if (error) reject(new Error(`${method}: ${error.message} (${error.code})`));
        else resolve(result);
      });
    });
    request.on('error', reject);
    request.end(JSON.stringify({id: 1, method, params}));
  });
}

function check(condition, what) {
  if (!condition) throw new Error(`not so: ${what}`);
}

const master = BIP32.fromSeed(Buffer.alloc(32, 7), network);
const other = BIP32.fromSeed(Buffer.alloc(32, 8), network);
const fingerprint = Buffer.from(master.fingerprint).toString('hex');

function key(path) {
  const account = master.derivePath(`m/${path}`).neutered().toBase58();
  return `[${fingerprint}/${path}]${account}/0/3`;
}

const kinds = {
  wpkh: `wpkh(${key("84'/1'/0'")})`,
  tr: `tr(${key("86'/1'/0'")})`,
  miniscript: `wsh(or_d(pk(${Buffer.from(other.publicKey).toString('hex')}),` +
              `and_v(v:pk(${key("48'/1'/0'")}),older(10))))`,
};

async function fund(output) {
  const [hash] = await rpc('generatetoaddress', 1, output.getAddress());
  const block = await rpc('getblock', hash, 2);
  return {txid: block.tx[0].txid, hex: block.tx[0].hex, value: Math.round(block.tx[0].vout[0].value * 1e8)};
}

async function finish(hex, name) {
  const [accepted] = await rpc('testmempoolaccept', [hex]);
  check(accepted.allowed, `${name} is accepted: ${JSON.stringify(accepted)}`);
  const txid = await rpc('sendrawtransaction', hex);
  const [hash] = await rpc('generatetodescriptor', 1, 'raw(51)');
  const block = await rpc('getblock', hash);
  check(block.tx.includes(txid), `${name} is mined`);
}

// The client makes all of it; the node looks at it on the way.
async function spendByClient(name, output, coin) {
  const psbt = new bitcoin.Psbt({network});
  const finalize = output.updatePsbtAsInput({psbt, txHex: coin.hex, vout: 0});
  psbt.addOutput({script: output.getScriptPubKey(), value: coin.value - FEE});
  let seen = await rpc('analyzepsbt', psbt.toBase64());
  check(seen.fee === FEE / 1e8, `${name}: fee ${JSON.stringify(seen)}`);
  signers.signBIP32({psbt, masterNode: master});
  const decoded = await rpc('decodepsbt', psbt.toBase64());
  check(decoded.inputs.length === 1, `${name} decodes`);
  const done = await rpc('finalizepsbt', psbt.toBase64());
  finalize({psbt});
  const hex = psbt.extractTransaction().toHex();
  check(done.complete && done.hex === hex, `${name}: both make the same final: ${JSON.stringify(done)} ${hex}`);
  await finish(hex, name);
}

// The node makes the PSBT and fills it in from the descriptor, the client signs, the node makes it final.
async function spendByNode(name, output, coin, descriptor) {
  const sequence = name === 'miniscript' ? 10 : 0xfffffffd;
  const empty = await rpc('createpsbt', [{txid: coin.txid, vout: 0, sequence}],
    [{[output.getAddress()]: (coin.value - FEE) / 1e8}], 0, true, 2, 0);
  const updated = await rpc('utxoupdatepsbt', empty, [descriptor]);
  const psbt = bitcoin.Psbt.fromBase64(updated, {network});
  signers.signBIP32({psbt, masterNode: master});
  const combined = await rpc('combinepsbt', [updated, psbt.toBase64()]);
  const done = await rpc('finalizepsbt', combined);
  check(done.complete, `${name} is complete: ${JSON.stringify(done)}`);
  await finish(done.hex, name);
}

async function main() {
  for (const [name, descriptor] of Object.entries(kinds)) {
    const info = await rpc('getdescriptorinfo', descriptor);
    const [address] = await rpc('deriveaddresses', `${descriptor}#${info.checksum}`);
    const output = new Output({descriptor, network,
      ...(name === 'miniscript' ? {signersPubKeys: [master.derivePath("m/48'/1'/0'/0/3").publicKey]} : {})});
    check(output.getAddress() === address, `${name}: ${address}`);
    const coins = [await fund(output), await fund(output)];
    await rpc('generatetodescriptor', 100, 'raw(51)');
    await spendByClient(name, output, coins[0]);
    await spendByNode(name, output, coins[1], descriptor);
    console.log(`${name} spent twice`);
  }
}

main().catch(error => { console.error(error.stack); process.exit(1); });
