/* methods.h - the handlers, one per method, by the file that holds them.
 *
 * Layer: rpc, for this layer only. Every handler gets a call whose arguments have been checked
 * against the table in methods.c, and returns as enum rpc_progress says. What a method does is said
 * in that table, to users; here stands what is odd about it, and which client goes by that. */
#ifndef RPC_METHODS_H
#define RPC_METHODS_H

#include "rpc/rpc_internal.h"

/* Declare a handler, called on the loop thread. Spec: the method of that name in Core v31. */
#define RPC_HANDLER(name) enum rpc_progress rpc_##name(struct rpc_call *call)

/* rpc_blockchain.c: the chain and its tips */
/* As a string. RPC_QUICK: health checks ask it while the server is full. */
RPC_HANDLER(getbestblockhash);
/* What most clients ask first; electrs refuses a node that says "pruned". "warnings" is an array,
 * or a string with -deprecatedrpc=warnings: electrs 0.9 fails at an array. */
RPC_HANDLER(getblockchaininfo);
/* The tip's height, not that of the best header. */
RPC_HANDLER(getblockcount);
/* -8 for a height beyond the tip: clients that walk up the chain stop at it. */
RPC_HANDLER(getblockhash);
/* As hex if verbose is false. Also of blocks off the active chain: confirmations -1. */
RPC_HANDLER(getblockheader);
/* Always one state, validated, since no snapshot of coins is ever loaded. */
RPC_HANDLER(dumptxoutset);
RPC_HANDLER(getchainstates);
/* Each end of a branch, and the tip even if headers go on behind it. mempool.space and exporters
 * count the branches by status. */
RPC_HANDLER(getchaintips);
/* Clients look for TAPROOT among script_flags: LND and BTC RPC Explorer. */
RPC_HANDLER(getdeploymentinfo);
/* The tip's; getblockheader tells that of others. */
RPC_HANDLER(getdifficulty);
/* An index that is off has no member at all; {} if none is on, which is no error. */
RPC_HANDLER(getindexinfo);

/* rpc_block.c: whole blocks */
/* -1 for a block that is pruned or not here: Core Lightning then tries getblockfrompeer. Where
 * verbosity 2 or 3 finds no undo data for it, fees and prevouts are left out. */
RPC_HANDLER(getblock);

/* rpc_stats.c: statistics of blocks */
/* -8 for a name that is no statistic, but only after the block was read, as Core does. */
RPC_HANDLER(getblockstats);
/* Leaves out txrate where the window took no time, instead of dividing by it. */
RPC_HANDLER(getchaintxstats);

/* rpc_fees.c: what a transaction should pay */
/* Hidden in Core's help too, and no client asks. A horizon that cannot tell says so in "errors". */
RPC_HANDLER(estimaterawfee);
/* Without "feerate" and with "errors": an answer, no error. Core Lightning takes a rate of its own
 * on regtest then. */
RPC_HANDLER(estimatesmartfee);

/* rpc_spenders.c: spent outputs */
/* Items come in the order of the question; that of an output that nobody spends has no
 * spendingtxid. LND, Eclair and ElectrumX ask it. */
RPC_HANDLER(gettxspendingprevout);
RPC_HANDLER(getaddressbalance);
RPC_HANDLER(getaddressutxos);
RPC_HANDLER(getaddresshistory);

/* -- rpc_history.c: what the node has seen of the chain ---------------------------------------- */

/* Ours, as the next. Newest first: who follows asks for one page and stops at what it knows. */
RPC_HANDLER(getblocksightings);
/* Newest first. Only the tips and the fork are told: getblockheader has the rest. */
RPC_HANDLER(getreorghistory);

/* rpc_multisig.c */
/* Says in "warnings" when uncompressed keys make it an address of another type. */
RPC_HANDLER(createmultisig);

/* rpc_proof.c: that a block has some transactions */
/* -5 if one of the transactions is not in the block. Used by BTCPay, JoinMarket and Electrum
 * Personal Server. */
RPC_HANDLER(gettxoutproof);
/* [] for a proof that does not hold together, -1 for one cut short, -5 for a block off the active
 * chain. Inner nodes are not taken for transactions (CVE-2017-12842, hazard 6). */
RPC_HANDLER(verifytxoutproof);

/* rpc_message.c: signed texts */
/* The key is wiped after use, but the request's text still has it. */
RPC_HANDLER(signmessagewithprivkey);
/* -3, not -5, for an address that stands for no key's hash, and for bad base64: Core's choice. */
RPC_HANDLER(verifymessage);

/* rpc_descriptor.c */
/* A descriptor without its checksum is -5: a typing error would make other people's addresses. */
RPC_HANDLER(deriveaddresses);
/* "checksum" is that of the text as given, secret keys and all; "descriptor" has public keys and a
 * checksum of its own. */
RPC_HANDLER(getdescriptorinfo);

/* rpc_scan.c: unspent outputs by descriptor */
/* One scan at a time; status and abort are other calls that look at it. Ends early when the client
 * that started it goes. */
RPC_HANDLER(scantxoutset);

/* rpc_filters.c: the index of block filters */
/* One filter, with its header, as BIP157 has them. */
RPC_HANDLER(getblockfilter);
/* One scan at a time; status and abort are other calls that look at it. */
RPC_HANDLER(scanblocks);

/* rpc_activity.c: what happened to descriptors */
/* In the order of the chain, spends of a transaction before what it pays; then what waits. */
RPC_HANDLER(getdescriptoractivity);

/* rpc_coins.c: unspent outputs */
/* null, not an error, for what is spent or never was, or what a transaction of the mempool spends:
 * LND and Core Lightning ask it about channels. */
RPC_HANDLER(gettxout);
/* -8 for another block than the tip: there is no index of statistics. */
RPC_HANDLER(gettxoutsetinfo);

/* rpc_chain_orders.c: orders to the chain */
/* Answers when the mempool holds again what the blocks had: see rpc_finish_settled(). So do the
 * other two orders about branches. */
RPC_HANDLER(invalidateblock);
RPC_HANDLER(fetchtxoutset);
RPC_HANDLER(loadtxoutset);
/* Pools call it, to stay on one of two blocks with the same work. Forgotten at the next start. */
RPC_HANDLER(preciousblock);
/* A number above a billion is a time. Answers with the last height that is gone. */
RPC_HANDLER(pruneblockchain);
/* Another chance also for the blocks that it builds on, and for those that build on it. */
RPC_HANDLER(reconsiderblock);
/* false for a chain that is not as it should be; what is wrong is in the log. */
RPC_HANDLER(verifychain);

/* rpc_wait.c: answers that come with a new tip */
/* Like the other two it answers with the tip when the time is over, too: it is for the caller to
 * compare. Parked, so that waiting takes no place from calls that work. */
RPC_HANDLER(waitforblock);
/* Answers at once if the tip is that high. */
RPC_HANDLER(waitforblockheight);
/* current_tip closes the gap between asking for the tip and waiting for another. */
RPC_HANDLER(waitfornewblock);

/* rpc_mining.c: new blocks */
/* -32601 whose text is the help: what mined to a wallet is gone, and this says what to use. */
RPC_HANDLER(generate);
/* -25 before any work is done if the block would be invalid, and with submit false its bytes. */
RPC_HANDLER(generateblock);
/* The blocks made so far, and no error, if max_tries run out or the client goes. Synced once, with
 * the last: nothing is acknowledged before it is on disk. */
RPC_HANDLER(generatetoaddress);
/* The same to the one script of a descriptor. */
RPC_HANDLER(generatetodescriptor);
/* currentblocktx and currentblockweight are those of the block assembled last, whoever asked for
 * it; before the first they are left out. */
RPC_HANDLER(getmininginfo);
/* The work of the last blocks by the time between the earliest and the latest of them, which need
 * not be the first and the last. 0, not infinity, where no time has passed. */
RPC_HANDLER(getnetworkhashps);
/* Sorted by the ids' bytes, so that the hash table's order never shows. */
RPC_HANDLER(getprioritisedtransactions);
/* Also of transactions not here yet: the change waits for them. Never of one with dust outputs,
 * whose fee must stay 0. */
RPC_HANDLER(prioritisetransaction);
/* Not an error but a string for what is wrong with the block, null for a new tip, "duplicate",
 * "inconclusive": BIP-22, Block Submission. A fault of the disk is an error: the block is not to
 * blame. Adds the coinbase's witness where old miners leave it out. */
RPC_HANDLER(submitblock);
/* -25 with the parent's id if the parent is not known. */
RPC_HANDLER(submitheader);

/* rpc_net.c: peers and addresses */
/* For tests on regtest: a connection of a class that the node else opens by itself. */
RPC_HANDLER(addconnection);
/* For tests: tells in "error" whether the new or the tried table refused it. */
RPC_HANDLER(addpeeraddress);
/* onetry of a node that is connected is no error. A name is looked up when it is dialled, not here.
 */
RPC_HANDLER(addnode);
/* -29 for a peer that is not there, -32602 unless exactly one of address and id is given. */
RPC_HANDLER(disconnectnode);
/* -24 for one that was not added. At most one address of each: the peer's. */
RPC_HANDLER(getaddednodeinfo);
/* Always -1: no map is built in. */
RPC_HANDLER(exportasmap);
/* For bitcoin-cli -addrinfo: counts of the new and the tried table by network. */
RPC_HANDLER(getaddrmaninfo);
/* Not in Core. For the operator: nothing goes by it. */
RPC_HANDLER(geteclipserisk);
/* Hidden: for tests. By bucket and position; times are in seconds. */
RPC_HANDLER(getrawaddrman);
/* {} means asked for, not there. Core Lightning calls it where a block is pruned; it must be known
 * by its header, and below the tip where the node prunes. */
RPC_HANDLER(getblockfrompeer);
/* Both ways. */
RPC_HANDLER(getconnectioncount);
/* timemillis is in milliseconds, but whole seconds. */
RPC_HANDLER(getnettotals);
/* Answers without a network too. Eclair wants a version of 310000 or more. A subversion that does
 * not begin with /Satoshi: is Bitcoin Cash to Fulcrum and an old node to LND; Core Lightning
 * refuses a node that says localrelay false. */
RPC_HANDLER(getnetworkinfo);
/* count 0: all. services is a number of 64 bits without a sign. LND asks it where the node prunes.
 */
RPC_HANDLER(getnodeaddresses);
/* null when the list is on disk. */
RPC_HANDLER(clearbanned);
/* Who was banned by hand; who misbehaved is discouraged, which is another list. */
RPC_HANDLER(listbanned);
/* null when the list is on disk; an error says that the ban holds until the node stops. */
RPC_HANDLER(setban);
/* Answers at once; pingtime and pingwait in getpeerinfo tell what came of it. */
RPC_HANDLER(ping);
/* Hidden: for tests. -1 for a peer that is not there; what it makes of it is its affair. */
RPC_HANDLER(sendmsgtopeer);
/* Answers with the state that holds now. */
RPC_HANDLER(setnetworkactive);

/* rpc_peer.c: all about each peer */
/* Hidden: for tests. Sizes are of the transaction as it came. */
RPC_HANDLER(getorphantxs);
/* LND reads inbound and minfeefilter, Core Lightning id and services, BTCPay permissions. subver is
 * the peer's own text: only harmless characters of it are shown (hazard 75). */
RPC_HANDLER(getpeerinfo);

/* rpc_template.c */
/* -8 unless the caller names "segwit" among its rules, so that no miner makes blocks without a
 * commitment. -10 in the initial download, not on test chains. Long polling parks the call. */
RPC_HANDLER(getblocktemplate);

/* rpc_mempool_cluster.c: what hangs together in the mempool */
/* In the order of mining, as blocks will have it; the same for all of a cluster. */
RPC_HANDLER(getmempoolcluster);
/* Ours: for the dashboard, which asks every few seconds. */
RPC_HANDLER(getmempoolbands);
/* Of a full mempool it is megabytes: a slice a turn, of the state when it was asked for. */
RPC_HANDLER(getmempoolfeeratediagram);

/* rpc_mempool.c: transactions that wait */
/* Without the transaction itself; in no order that is promised. */
RPC_HANDLER(getmempoolancestors);
/* The same the other way. */
RPC_HANDLER(getmempooldescendants);
/* -5 for one that is not here. Sizes in virtual bytes are policy's, sigops counted in: they can
 * exceed those of BIP-141. */
RPC_HANDLER(getmempoolentry);
/* mempoolminfee is what must be paid now, minrelaytxfee what must be paid ever. */
RPC_HANDLER(getmempoolinfo);
/* Whole entries of a full mempool are megabytes: a slice a turn, and they wait for room. */
RPC_HANDLER(getrawmempool);

/* rpc_mempool_file.c: the mempool as a file */
/* {} when all of the file has been decided, also if none of it was taken. Node packages move a
 * mempool to a new machine so. */
RPC_HANDLER(importmempool);
/* The path of the file, when it is written and synced. */
RPC_HANDLER(savemempool);

/* rpc_send.c: a transaction handed in */
/* One that is here already is sent again, and no error; -27 only if an output of it is a coin. LND
 * matches the words of refusals. Fulcrum gives maxburnamount. */
RPC_HANDLER(sendrawtransaction);

/* rpc_private.c: what is sent by -privatebroadcast */
/* Empty without -privatebroadcast. */
RPC_HANDLER(getprivatebroadcastinfo);
/* -5 if there is none of that id. */
RPC_HANDLER(abortprivatebroadcast);

/* rpc_package.c: transactions judged, and sent, together */
/* The answer is about each, by wtxid, and says what has been replaced; -25 only for what is no
 * child with its parents. LND sends a parent that pays nothing with its child so. */
RPC_HANDLER(submitpackage);
/* Up to 25; each sees the outputs of those before it. */
RPC_HANDLER(testmempoolaccept);

/* rpc_rawtx.c: transactions as bytes */
/* Sequence numbers signal replacement unless told otherwise. Outputs may be an object or an array.
 */
RPC_HANDLER(createrawtransaction);
/* A transaction without inputs can be read in two ways: iswitness says which is meant. */
RPC_HANDLER(decoderawtransaction);
/* Leaves p2sh and segwit out where wrapping makes no sense, or could never be spent. */
RPC_HANDLER(decodescript);
/* The texts of -5 differ by what would help: -txindex, or waiting for it. Fulcrum asks for a
 * transaction of block 1, to see whether there is an index. */
RPC_HANDLER(getrawtransaction);

/* rpc_psbt.c: PSBTs without keys and coins */
/* Version 2 unless told otherwise. */
RPC_HANDLER(createpsbt);
/* -22 for a signed input unless permitsigdata: signatures would be lost. */
RPC_HANDLER(converttopsbt);
/* fee only where all that is spent is known. */
RPC_HANDLER(decodepsbt);
/* What the first has stays where others differ. */
RPC_HANDLER(combinepsbt);
/* Inputs and outputs come in a random order, so that nobody sees who has brought what. */
RPC_HANDLER(joinpsbts);
/* hex where it is complete, psbt where it is not, or extract is false. */
RPC_HANDLER(finalizepsbt);

/* rpc_psbt_update.c */
/* Previous transactions from the mempool and -txindex, else outputs that a witness spends. Eclair
 * and NBXplorer ask it. */
RPC_HANDLER(utxoupdatepsbt);
/* The same, and signatures by the secrets of its descriptors, which are kept nowhere. */
RPC_HANDLER(descriptorprocesspsbt);

/* rpc_psbt_analyze.c */
/* "inputs" is left out where "error" says that none of it makes sense. */
RPC_HANDLER(analyzepsbt);

/* rpc_combine.c */
/* -25 if one of the spent outputs is not known: signatures cannot be told apart without it. */
RPC_HANDLER(combinerawtransaction);

/* rpc_sign.c */
/* complete false with "errors" per input is no error: others may have the missing keys. On another
 * thread: thousands of inputs take seconds. */
RPC_HANDLER(signrawtransactionwithkey);

/* rpc_openrpc.c: the table of methods as a document */
/* rpc.discover, without what is hidden. */
RPC_HANDLER(discover);
/* The same, with that on request. */
RPC_HANDLER(getopenrpcinfo);

/* rpc_dev.c: all of them fail without -dev */
/* The same for every node. */
RPC_HANDLER(getdevkeys);
/* Other than setmocktime's, the clock goes on, and the node has it again after a restart. */
RPC_HANDLER(settime);
/* Chain, mempool and clock; a kill takes none of it. */
RPC_HANDLER(snapshot);
/* What came since is forgotten. Answered when that is on disk. */
RPC_HANDLER(revert);
/* Oldest first. */
RPC_HANDLER(listsnapshots);
/* The chain stays as it is. */
RPC_HANDLER(dropsnapshot);

/* rpc_faucet.c */
/* -6 if the keys have not so much. Several at once never spend the same coin. */
RPC_HANDLER(faucet);

/* rpc_control.c: the node itself */
/* Hidden: for tests of how arguments are passed. echojson is this too: cairn-cli tells them apart.
 */
RPC_HANDLER(echo);
/* Hidden: there is no other process that could be asked. */
RPC_HANDLER(echoipc);
/* Core's error where no -signer is given: there is none here. */
RPC_HANDLER(enumeratesigners);
/* The numbers of "locked" are the heap's: nothing is locked here, and exporters want the members.
 */
RPC_HANDLER(getmemoryinfo);
/* active_commands holds this call too. duration in microseconds. */
RPC_HANDLER(getrpcinfo);
/* LND refuses to start unless rawblock and rawtx are among them, or it polls by RPC. */
RPC_HANDLER(getzmqnotifications);
/* A method that is not there is no error but a text that says so. */
RPC_HANDLER(help);
/* A change is good until the node stops. */
RPC_HANDLER(logging);
/* Moves timers, not the wall clock: see setmocktime. */
RPC_HANDLER(mockscheduler);
/* 0 lets the clock run again. What peers are waited for goes by a clock that stands still with it.
 */
RPC_HANDLER(setmocktime);
/* RPC_QUICK. The answer goes out before the server closes: bitcoin-cli prints it. */
RPC_HANDLER(stop);
/* At once: no queue of events lies between the chain and its listeners here. */
RPC_HANDLER(syncwithvalidationinterfacequeue);
/* By the monotonic clock, which setmocktime does not move. LND's health check. */
RPC_HANDLER(uptime);

/* Not an error but isvalid false and where the mistake may be, for bech32. */
RPC_HANDLER(validateaddress);

/* rest_ui.c: the dashboard */
/* Ours. As a string, for cairn-cli to print. */
RPC_HANDLER(ui);

#endif
