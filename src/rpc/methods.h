/* methods.h - the handlers, one per method, by the file that holds them.
 *
 * Layer: rpc, for this layer only. Every handler gets a call whose arguments have been checked
 * against the table in methods.c, and returns as enum rpc_progress says. */
#ifndef RPC_METHODS_H
#define RPC_METHODS_H

#include "rpc/rpc_internal.h"

/* Declare a handler. Spec: the method of that name in Core v31. */
#define RPC_HANDLER(name) enum rpc_progress rpc_##name(struct rpc_call *call)

/* rpc_blockchain.c: the chain and its tips */
RPC_HANDLER(getbestblockhash);
RPC_HANDLER(getblockchaininfo);
RPC_HANDLER(getblockcount);
RPC_HANDLER(getblockhash);
RPC_HANDLER(getblockheader);
RPC_HANDLER(getchainstates);
RPC_HANDLER(getchaintips);
RPC_HANDLER(getdeploymentinfo);
RPC_HANDLER(getdifficulty);
RPC_HANDLER(getindexinfo);

/* rpc_block.c: whole blocks */
RPC_HANDLER(getblock);

/* rpc_stats.c: statistics of blocks */
RPC_HANDLER(getblockstats);
RPC_HANDLER(getchaintxstats);

/* rpc_fees.c: what a transaction should pay */
RPC_HANDLER(estimaterawfee);
RPC_HANDLER(estimatesmartfee);

/* rpc_spenders.c: spent outputs */
RPC_HANDLER(gettxspendingprevout);

/* rpc_multisig.c */
RPC_HANDLER(createmultisig);

/* rpc_proof.c: that a block has some transactions */
RPC_HANDLER(gettxoutproof);
RPC_HANDLER(verifytxoutproof);

/* rpc_message.c: signed texts */
RPC_HANDLER(signmessagewithprivkey);
RPC_HANDLER(verifymessage);

/* rpc_descriptor.c */
RPC_HANDLER(deriveaddresses);
RPC_HANDLER(getdescriptorinfo);

/* rpc_scan.c: unspent outputs by descriptor */
RPC_HANDLER(scantxoutset);

/* rpc_coins.c: unspent outputs */
RPC_HANDLER(gettxout);
RPC_HANDLER(gettxoutsetinfo);

/* rpc_chain_orders.c: orders to the chain */
RPC_HANDLER(invalidateblock);
RPC_HANDLER(preciousblock);
RPC_HANDLER(pruneblockchain);
RPC_HANDLER(reconsiderblock);
RPC_HANDLER(verifychain);

/* rpc_wait.c: answers that come with a new tip */
RPC_HANDLER(waitforblock);
RPC_HANDLER(waitforblockheight);
RPC_HANDLER(waitfornewblock);

/* rpc_mining.c: new blocks */
RPC_HANDLER(generate);
RPC_HANDLER(generateblock);
RPC_HANDLER(generatetoaddress);
RPC_HANDLER(generatetodescriptor);
RPC_HANDLER(getmininginfo);
RPC_HANDLER(getnetworkhashps);
RPC_HANDLER(getprioritisedtransactions);
RPC_HANDLER(prioritisetransaction);
RPC_HANDLER(submitblock);
RPC_HANDLER(submitheader);

/* rpc_net.c: peers and addresses */
RPC_HANDLER(addconnection);
RPC_HANDLER(addpeeraddress);
RPC_HANDLER(addnode);
RPC_HANDLER(disconnectnode);
RPC_HANDLER(getaddednodeinfo);
RPC_HANDLER(getaddrmaninfo);
RPC_HANDLER(getblockfrompeer);
RPC_HANDLER(getconnectioncount);
RPC_HANDLER(getnettotals);
RPC_HANDLER(getnetworkinfo);
RPC_HANDLER(getnodeaddresses);
RPC_HANDLER(clearbanned);
RPC_HANDLER(listbanned);
RPC_HANDLER(setban);
RPC_HANDLER(ping);
RPC_HANDLER(setnetworkactive);

/* rpc_peer.c: all about each peer */
RPC_HANDLER(getorphantxs);
RPC_HANDLER(getpeerinfo);

/* rpc_template.c */
RPC_HANDLER(getblocktemplate);

/* rpc_mempool.c: transactions that wait */
RPC_HANDLER(getmempoolancestors);
RPC_HANDLER(getmempooldescendants);
RPC_HANDLER(getmempoolentry);
RPC_HANDLER(getmempoolinfo);
RPC_HANDLER(getrawmempool);
RPC_HANDLER(savemempool);

/* rpc_send.c: transactions handed in */
RPC_HANDLER(sendrawtransaction);
RPC_HANDLER(testmempoolaccept);

/* rpc_rawtx.c: transactions as bytes */
RPC_HANDLER(createrawtransaction);
RPC_HANDLER(decoderawtransaction);
RPC_HANDLER(decodescript);
RPC_HANDLER(getrawtransaction);

/* rpc_combine.c */
RPC_HANDLER(combinerawtransaction);

/* rpc_sign.c */
RPC_HANDLER(signrawtransactionwithkey);

/* rpc_control.c: the node itself */
RPC_HANDLER(echo);
RPC_HANDLER(getmemoryinfo);
RPC_HANDLER(getrpcinfo);
RPC_HANDLER(getzmqnotifications);
RPC_HANDLER(help);
RPC_HANDLER(logging);
RPC_HANDLER(mockscheduler);
RPC_HANDLER(setmocktime);
RPC_HANDLER(stop);
RPC_HANDLER(syncwithvalidationinterfacequeue);
RPC_HANDLER(uptime);
RPC_HANDLER(validateaddress);

#endif
