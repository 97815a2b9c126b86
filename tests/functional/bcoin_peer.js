/* bcoin_peer.js - bcoin as a peer on regtest, in memory; see test_bcoin.py.
 *
 *   node bcoin_peer.js FOLDER-OF-BCOIN PORT
 *
 * Says "tip HEIGHT HASH" of every new tip and "tx TXID" of every transaction that its mempool takes.
 * Orders on standard input: "mine N", "send HEX". */
'use strict';

const Module = require('module');
const path = require('path');

/* leveldown does not build on every Node; what is kept in memory does without. */
const load = Module._load;
Module._load = function(name, ...rest) {
  return name === 'leveldown' ? function() {} : load.call(this, name, ...rest);
};
const bcoin = Module.createRequire(path.join(process.argv[2], 'index.js'))('bcoin');

const port = Number(process.argv[3]);
const node = new bcoin.FullNode({
  network: 'regtest', memory: true, workers: false, listen: true,
  host: '127.0.0.1', port, httpPort: Number(process.argv[4]), noAuth: true
});

async function obey(line) {
  const [word, argument] = line.split(' ');
  if (word === 'mine') {
    for (let i = 0; i < Number(argument); i++)
      await node.chain.add(await node.miner.mineBlock());
  } else if (word === 'send') {
    await node.sendTX(bcoin.TX.fromRaw(Buffer.from(argument, 'hex')));
  }
}

(async () => {
  node.on('error', error => console.log('error', String(error)));
  node.chain.on('tip', tip => console.log(
    'tip', tip.height, Buffer.from(tip.hash, 'hex').reverse().toString('hex')));
  node.mempool.on('tx', tx => console.log('tx', tx.txid()));
  await node.open();
  await node.connect();
  node.startSync();
  console.log('ready', port);
  require('readline').createInterface({input: process.stdin})
    .on('line', line => obey(line).catch(error => console.log('error', String(error))))
    .on('close', () => process.exit(0));
})().catch((error) => {
  console.error(error);
  process.exit(1);
});
