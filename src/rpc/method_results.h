/* method_results.h - what the larger answers look like, for the table in methods.c alone.
 *
 * Layer: rpc. In the notation of result_shape.h; members in the order in which they are written. */
#ifndef RPC_METHOD_RESULTS_H
#define RPC_METHOD_RESULTS_H

/* clang-format off */

/* -- Parts of several -------------------------------------------------------------------------- */

#define ASM_AND_HEX_SHAPE "{\"asm\": \"str\", \"hex\": \"hex\"}"
#define SCRIPT_SHAPE                                                                               \
    "{\"asm\": \"str\", \"desc\": \"str\", \"hex\": \"hex\", \"address\"?: \"str\", "              \
    "\"type\": \"str\"}"
#define WARNINGS_SHAPE "[\"str\", ...] or \"str\" (with -deprecatedrpc=warnings)"
#define TARGET_SHAPE "\"bits\": \"hex\", \"target\": \"hex\", \"difficulty\": n"
#define HEADER_SHAPE                                                                               \
    "\"hash\": \"hex\", \"confirmations\": n (-1: not in the active chain), \"height\": n, "       \
    "\"version\": n, \"versionHex\": \"hex\", \"merkleroot\": \"hex\", \"time\": n, "              \
    "\"mediantime\": n, \"nonce\": n, " TARGET_SHAPE ", \"chainwork\": \"hex\", \"nTx\": n, "      \
    "\"previousblockhash\"?: \"hex\", \"nextblockhash\"?: \"hex\""
#define PREVOUT_SHAPE                                                                              \
    "{\"generated\": bool, \"height\": n, \"value\": amount, \"scriptPubKey\": " SCRIPT_SHAPE "}"
#define TX_SHAPE                                                                                   \
    "\"txid\": \"hex\", \"hash\": \"hex\" (with the witness), \"version\": n, \"size\": n, "       \
    "\"vsize\": n, \"weight\": n, \"locktime\": n, \"vin\": [{\"coinbase\"?: \"hex\", "            \
    "\"txid\"?: \"hex\", \"vout\"?: n, \"scriptSig\"?: " ASM_AND_HEX_SHAPE ", "                    \
    "\"txinwitness\"?: [\"hex\", ...], \"prevout\"?: " PREVOUT_SHAPE ", \"sequence\": n}, ...], "  \
    "\"vout\": [{\"value\": amount, \"n\": n, \"scriptPubKey\": " SCRIPT_SHAPE "}, ...]"
#define MEMPOOL_ENTRY_SHAPE                                                                        \
    "{\"vsize_adjusted\": n, \"vsize\": n, \"vsize_bip141\": n, \"weight\": n, \"time\": n, "      \
    "\"height\": n, \"descendantcount\": n, \"descendantsize\": n, \"ancestorcount\": n, "         \
    "\"ancestorsize\": n, \"wtxid\": \"hex\", \"chunkweight\": n, \"fees\": {\"base\": amount, "   \
    "\"modified\": amount, \"ancestor\": amount, \"descendant\": amount, \"chunk\": amount}, "     \
    "\"depends\": [\"hex\", ...], \"spentby\": [\"hex\", ...], \"bip125-replaceable\": bool, "     \
    "\"unbroadcast\": bool}"
#define SNAPSHOT_SHAPE                                                                             \
    "{\"name\": \"str\", \"height\": n, \"bestblock\": \"hex\", \"time\": n, \"transactions\": n}"
#define JUDGED_SHAPE                                                                               \
    "\"vsize_adjusted\"?: n, \"vsize\"?: n, \"vsize_bip141\"?: n, \"fees\"?: {\"base\": amount, "  \
    "\"effective-feerate\"?: amount, \"effective-includes\"?: [\"hex\", ...]}"
#define FEE_RANGE_SHAPE                                                                            \
    "{\"startrange\": n, \"endrange\": n, \"withintarget\": n, \"totalconfirmed\": n, "            \
    "\"inmempool\": n, \"leftmempool\": n}"
#define FEE_HORIZON_SHAPE                                                                          \
    "{\"feerate\"?: amount, \"decay\": n, \"scale\": n, \"pass\"?: " FEE_RANGE_SHAPE ", "          \
    "\"fail\"?: " FEE_RANGE_SHAPE ", \"errors\"?: [\"str\", ...]}"
#define ADDRMAN_PLACES_SHAPE                                                                       \
    "{<bucket/position>: {\"address\": \"str\", \"mapped_as\"?: n, \"port\": n, \"services\": n, " \
    "\"time\": n, \"network\": \"str\", \"source\": \"str\", \"source_network\": \"str\", "        \
    "\"source_mapped_as\"?: n}, ...}"
#define PSBT_DERIVS_SHAPE                                                                          \
    "\"bip32_derivs\"?: [{\"pubkey\": \"hex\", \"master_fingerprint\": \"hex\", "                  \
    "\"path\": \"str\"}, ...]"
#define PSBT_TAP_DERIVS_SHAPE                                                                      \
    "\"taproot_bip32_derivs\"?: [{\"pubkey\": \"hex\", \"master_fingerprint\": \"hex\", "          \
    "\"path\": \"str\", \"leaf_hashes\": [\"hex\", ...]}, ...]"
#define PSBT_PARTICIPANTS_SHAPE                                                                    \
    "\"musig2_participant_pubkeys\"?: [{\"aggregate_pubkey\": \"hex\", "                           \
    "\"participant_pubkeys\": [\"hex\", ...]}, ...]"
#define PSBT_OTHERS_SHAPE                                                                          \
    "[{\"identifier\": \"hex\", \"subtype\": n, \"key\": \"hex\", \"value\": \"hex\"}, ...]"
#define PSBT_SCRIPT_SHAPE "{\"asm\": \"str\", \"hex\": \"hex\", \"type\": \"str\"}"
#define PSBT_PREIMAGES_SHAPE "{<hash>: \"hex\", ...}"
#define PSBT_INPUT_SHAPE                                                                           \
    "{\"witness_utxo\"?: {\"amount\": amount, \"scriptPubKey\": " SCRIPT_SHAPE "}, "               \
    "\"non_witness_utxo\"?: {" TX_SHAPE "}, \"partial_signatures\"?: {<pubkey>: \"hex\", ...}, "   \
    "\"sighash\"?: \"str\", \"redeem_script\"?: " PSBT_SCRIPT_SHAPE ", \"witness_script\"?: "      \
    PSBT_SCRIPT_SHAPE ", " PSBT_DERIVS_SHAPE ", \"final_scriptSig\"?: " ASM_AND_HEX_SHAPE ", "     \
    "\"final_scriptwitness\"?: [\"hex\", ...], \"ripemd160_preimages\"?: " PSBT_PREIMAGES_SHAPE    \
    ", \"sha256_preimages\"?: " PSBT_PREIMAGES_SHAPE ", \"hash160_preimages\"?: "                  \
    PSBT_PREIMAGES_SHAPE ", \"hash256_preimages\"?: " PSBT_PREIMAGES_SHAPE ", "                    \
    "\"previous_txid\"?: \"hex\", \"previous_vout\"?: n, \"sequence\"?: n, "                       \
    "\"time_locktime\"?: n, \"height_locktime\"?: n, \"taproot_key_path_sig\"?: \"hex\", "         \
    "\"taproot_script_path_sigs\"?: [{\"pubkey\": \"hex\", \"leaf_hash\": \"hex\", "               \
    "\"sig\": \"hex\"}, ...], \"taproot_scripts\"?: [{\"script\": \"hex\", \"leaf_ver\": n, "      \
    "\"control_blocks\": [\"hex\", ...]}, ...], " PSBT_TAP_DERIVS_SHAPE ", "                       \
    "\"taproot_internal_key\"?: \"hex\", \"taproot_merkle_root\"?: \"hex\", "                      \
    PSBT_PARTICIPANTS_SHAPE ", \"musig2_pubnonces\"?: [{\"participant_pubkey\": \"hex\", "         \
    "\"aggregate_pubkey\": \"hex\", \"leaf_hash\"?: \"hex\", \"pubnonce\": \"hex\"}, ...], "       \
    "\"musig2_partial_sigs\"?: [{\"participant_pubkey\": \"hex\", \"aggregate_pubkey\": \"hex\", " \
    "\"leaf_hash\"?: \"hex\", \"partial_sig\": \"hex\"}, ...], \"proprietary\"?: "                 \
    PSBT_OTHERS_SHAPE ", \"unknown\"?: {<key>: \"hex\", ...}}"
#define PSBT_OUTPUT_SHAPE                                                                          \
    "{\"redeem_script\"?: " PSBT_SCRIPT_SHAPE ", \"witness_script\"?: " PSBT_SCRIPT_SHAPE ", "     \
    PSBT_DERIVS_SHAPE ", \"amount\"?: amount, \"script\"?: " SCRIPT_SHAPE ", "                     \
    "\"taproot_internal_key\"?: \"hex\", \"taproot_tree\"?: [{\"depth\": n, \"leaf_ver\": n, "     \
    "\"script\": \"hex\"}, ...], " PSBT_TAP_DERIVS_SHAPE ", " PSBT_PARTICIPANTS_SHAPE ", "         \
    "\"proprietary\"?: " PSBT_OTHERS_SHAPE ", \"unknown\"?: {<key>: \"hex\", ...}}"
#define SERVICES_SHAPE "\"services\": \"hex\", \"servicesnames\": [\"str\", ...]"
#define BLOCK_INFO_SHAPE "{\"hash\": \"hex\", \"height\": n}"
#define OPENRPC_SHAPE                                                                              \
    "{\"openrpc\": \"str\", \"info\": {\"title\": \"str\", \"version\": \"str\"}, "                \
    "\"methods\": [{\"name\": \"str\", \"description\": \"str\", "                                 \
    "\"x-bitcoin-category\": \"str\", \"params\": [{\"name\": \"str\", \"description\": \"str\", " \
    "\"required\": bool, \"schema\": {...}}, ...], \"result\": {\"name\": \"str\", "               \
    "\"schema\": {...}, \"description\"?: \"str\"}}, ...]}"
#define PRIVATE_TX_SHAPE "\"txid\": \"hex\", \"wtxid\": \"hex\", \"hex\": \"hex\""
#define TARGET_IN_MINING_SHAPE "\"bits\": \"hex\", \"difficulty\": n, \"target\": \"hex\""

/* -- Whole ones -------------------------------------------------------------------------------- */

#define ANALYZEPSBT_RESULT                                                                         \
    "{\"inputs\"?: [{\"has_utxo\": bool, \"is_final\": bool, \"next\": \"str\", "                  \
    "\"missing\"?: {\"pubkeys\"?: [\"hex\", ...], \"signatures\"?: [\"hex\", ...], "               \
    "\"redeemscript\"?: \"hex\", \"witnessscript\"?: \"hex\"}}, ...], \"estimated_vsize\"?: n, "   \
    "\"estimated_feerate\"?: amount, \"fee\"?: amount, \"next\": \"str\", \"error\"?: \"str\"}"
#define DECODEPSBT_RESULT                                                                          \
    "{\"tx\"?: {" TX_SHAPE "}, \"global_xpubs\": [{\"xpub\": \"str\", "                            \
    "\"master_fingerprint\": \"hex\", \"path\": \"str\"}, ...], \"psbt_version\": n, "             \
    "\"tx_version\"?: n, \"fallback_locktime\"?: n, \"input_count\"?: n, \"output_count\"?: n, "   \
    "\"inputs_modifiable\"?: bool, \"outputs_modifiable\"?: bool, \"has_sighash_single\"?: bool, " \
    "\"proprietary\": " PSBT_OTHERS_SHAPE ", \"unknown\": {<key>: \"hex\", ...}, \"inputs\": ["    \
    PSBT_INPUT_SHAPE ", ...], \"outputs\": [" PSBT_OUTPUT_SHAPE ", ...], \"fee\"?: amount}"
#define ESTIMATESMARTFEE_RESULT                                                                    \
    "{\"feerate\"?: amount, \"errors\"?: [\"str\", ...], \"estimator\"?: \"str\" (whose it is, "   \
    "where both were asked), \"blocks\": n, "                                                      \
    "\"mempool_health_statistics\"?: [{\"block_height\": n, \"block_weight\": n, "                 \
    "\"mempool_txs_weight\": n}, ...]}"
#define GETADDRESSHISTORY_RESULT                                                                   \
    "{\"height\": n, \"bestblock\": \"hex\", \"transactions\": [{\"txid\": \"hex\", "              \
    "\"time\"?: n (if it waits), \"height\"?: n, \"blockhash\"?: \"hex\", \"blockindex\"?: n, "    \
    "\"blocktime\"?: n, \"confirmations\": n, \"received\": amount, \"spent\": amount}, ...], "    \
    "\"total\": n (on all pages)}"
#define GETADDRESSUTXOS_RESULT                                                                     \
    "{\"height\": n, \"bestblock\": \"hex\", \"utxos\": [{\"txid\": \"hex\", \"vout\": n, "        \
    "\"scriptPubKey\"?: \"hex\", \"desc\"?: \"str\", "                                             \
    "\"scripthash\"?: \"hex\" (where the script is not known), \"amount\": amount, "               \
    "\"coinbase\"?: bool, \"height\"?: n, \"blockhash\"?: \"hex\", \"confirmations\": n}, ...], "  \
    "\"total\": n (on all pages)}"
#define GETBLOCKCHAININFO_RESULT                                                                   \
    "{\"chain\": \"str\", \"blocks\": n, \"headers\": n, \"bestblockhash\": \"hex\", "             \
    TARGET_SHAPE ", \"time\": n, \"mediantime\": n, \"verificationprogress\": n, "                 \
    "\"initialblockdownload\": bool, \"chainwork\": \"hex\", \"size_on_disk\": n, "                \
    "\"pruned\": bool, \"pruneheight\"?: n, \"automatic_pruning\"?: bool, "                        \
    "\"prune_target_size\"?: n, \"backgroundvalidation\"?: {\"snapshotheight\": n, "               \
    "\"blocks\": n, \"bestblockhash\": \"hex\", \"mediantime\": n, \"chainwork\": \"hex\", "       \
    "\"verificationprogress\": n}, \"signet_challenge\"?: \"hex\", \"warnings\": " WARNINGS_SHAPE  \
    "}"
#define GETBLOCKSTATS_RESULT                                                                       \
    "{\"avgfee\"?: n, \"avgfeerate\"?: n, \"avgtxsize\"?: n, \"blockhash\"?: \"hex\", "            \
    "\"feerate_percentiles\"?: [n, n, n, n, n], \"height\"?: n, \"ins\"?: n, \"maxfee\"?: n, "     \
    "\"maxfeerate\"?: n, \"maxtxsize\"?: n, \"medianfee\"?: n, \"mediantime\"?: n, "               \
    "\"mediantxsize\"?: n, \"minfee\"?: n, \"minfeerate\"?: n, \"mintxsize\"?: n, \"outs\"?: n, "  \
    "\"subsidy\"?: n, \"swtotal_size\"?: n, \"swtotal_weight\"?: n, \"swtxs\"?: n, \"time\"?: n, " \
    "\"total_out\"?: n, \"total_size\"?: n, \"total_weight\"?: n, \"totalfee\"?: n, \"txs\"?: n, " \
    "\"utxo_increase\"?: n, \"utxo_increase_actual\"?: n, \"utxo_size_inc\"?: n, "                 \
    "\"utxo_size_inc_actual\"?: n}    those asked for"
#define GETBLOCKTEMPLATE_RESULT                                                                    \
    "{\"capabilities\": [\"str\", ...], \"version\": n, \"rules\": [\"str\", ...], "               \
    "\"vbavailable\": {<name>: n, ...}, \"vbrequired\": n, \"previousblockhash\": \"hex\", "       \
    "\"transactions\": [{\"data\": \"hex\", \"txid\": \"hex\", \"hash\": \"hex\", "                \
    "\"depends\": [n, ...], \"fee\": n, \"sigops\": n, \"weight\": n}, ...], "                     \
    "\"coinbaseaux\": {<name>: \"hex\", ...}, \"coinbasevalue\": n, \"longpollid\": \"str\", "     \
    "\"target\": \"hex\", \"mintime\": n, \"mutable\": [\"str\", ...], \"noncerange\": \"hex\", "  \
    "\"sigoplimit\": n, \"sizelimit\": n, \"weightlimit\"?: n, \"curtime\": n, "                   \
    "\"bits\": \"hex\", \"height\": n, \"signet_challenge\"?: \"hex\", "                           \
    "\"default_witness_commitment\"?: \"hex\"} or null (a proposal that is good) "                 \
    "or \"str\" (why it is not)"
#define GETBLOCK_RESULT                                                                            \
    "\"hex\" or {" HEADER_SHAPE ", \"strippedsize\": n, \"size\": n, \"weight\": n, "              \
    "\"coinbase_tx\": {\"version\": n, \"locktime\": n, \"sequence\": n, \"coinbase\": \"hex\", "  \
    "\"witness\"?: \"hex\"}, \"tx\": [\"hex\" or {" TX_SHAPE ", \"fee\"?: amount, "                \
    "\"hex\": \"hex\"}, ...]}"
#define GETDEPLOYMENTINFO_RESULT                                                                   \
    "{\"hash\": \"hex\", \"height\": n, \"script_flags\": [\"str\", ...], "                        \
    "\"deployments\": {<name>: {\"type\": \"buried\", \"active\": bool, \"height\": n} or "        \
    "{\"type\": \"bip9\", \"height\"?: n, \"active\": bool, \"bip9\": {\"bit\"?: n, "              \
    "\"start_time\": n, \"timeout\": n, \"min_activation_height\": n, \"status\": \"str\", "       \
    "\"since\": n, \"status_next\": \"str\", \"statistics\"?: {\"period\": n, \"elapsed\": n, "    \
    "\"count\": n, \"threshold\"?: n, \"possible\"?: bool}, "                                      \
    "\"signalling\"?: \"str\" (# for a block that does)}}, ...}}"
#define GETDESCRIPTORACTIVITY_RESULT                                                               \
    "{\"activity\": [{\"type\": \"spend\", \"amount\": amount, \"blockhash\"?: \"hex\", "          \
    "\"height\"?: n, \"spend_txid\": \"hex\", \"spend_vin\": n, \"prevout_txid\": \"hex\", "       \
    "\"prevout_vout\": n, \"prevout_spk\": " SCRIPT_SHAPE "} or {\"type\": \"receive\", "          \
    "\"amount\": amount, \"blockhash\"?: \"hex\", \"height\"?: n, \"txid\": \"hex\", "             \
    "\"vout\": n, \"output_spk\": " SCRIPT_SHAPE "}, "                                             \
    "...]}    blockhash and height are not told of what waits"
#define GETECLIPSERISK_RESULT                                                                      \
    "{\"risk\": \"low|elevated|high\", \"reasons\": [\"str\", ...], "                              \
    "\"grouped_by\": \"asmap|prefix\", \"outbound\": n, \"outbound_groups\": n, "                  \
    "\"outbound_forked\": n, \"header_lag\": n, \"tip_age\": n, \"new\": n, "                      \
    "\"new_largest_source_share\": n, \"tried\": n, \"tried_largest_group_share\": n}"
#define GETMEMPOOLINFO_RESULT                                                                      \
    "{\"loaded\": bool, \"size\": n, \"bytes\": n (virtual), \"usage\": n, "                       \
    "\"total_fee\": amount, \"maxmempool\": n, \"mempoolminfee\": amount, "                        \
    "\"minrelaytxfee\": amount, \"incrementalrelayfee\": amount, \"unbroadcastcount\": n, "        \
    "\"fullrbf\": bool, \"permitbaremultisig\": bool, \"maxdatacarriersize\": n, "                 \
    "\"limitclustercount\": n, \"limitclustersize\": n, \"optimal\": bool}"
#define GETMININGINFO_RESULT                                                                       \
    "{\"blocks\": n, \"currentblockweight\"?: n (of the block made last), "                        \
    "\"currentblocktx\"?: n, " TARGET_IN_MINING_SHAPE ", \"networkhashps\": n, \"pooledtx\": n, "  \
    "\"blockmintxfee\": amount, \"chain\": \"str\", \"signet_challenge\"?: \"hex\", "              \
    "\"next\": {\"height\": n, " TARGET_SHAPE "} (the block after the tip), \"warnings\": "        \
    WARNINGS_SHAPE "}"
#define GETNETWORKINFO_RESULT                                                                      \
    "{\"version\": n, \"subversion\": \"str\", \"protocolversion\": n, "                           \
    "\"localservices\": \"hex\", \"localservicesnames\": [\"str\", ...], \"localrelay\": bool, "   \
    "\"timeoffset\": n, \"networkactive\": bool, \"connections\": n, \"connections_in\": n, "      \
    "\"connections_out\": n, \"networks\": [{\"name\": \"str\", \"limited\": bool, "               \
    "\"reachable\": bool, \"proxy\": \"str\", \"proxy_randomize_credentials\": bool}, ...], "      \
    "\"relayfee\": amount, \"incrementalfee\": amount, "                                           \
    "\"localaddresses\": [{\"address\": \"str\", \"port\": n, \"score\": n}, ...], \"warnings\": " \
    WARNINGS_SHAPE "}"
#define GETPEERINFO_RESULT                                                                         \
    "[{\"id\": n, \"addr\": \"str\", \"addrbind\"?: \"str\", \"addrlocal\"?: \"str\", "            \
    "\"network\": \"str\", \"mapped_as\"?: n, " SERVICES_SHAPE ", \"relaytxes\": bool, "           \
    "\"last_inv_sequence\": n, \"inv_to_send\": n, \"lastsend\": n, \"lastrecv\": n, "             \
    "\"last_transaction\": n, \"last_block\": n, \"bytessent\": n, \"bytesrecv\": n, "             \
    "\"conntime\": n, \"timeoffset\": n, \"pingtime\"?: n, \"minping\"?: n, \"pingwait\"?: n, "    \
    "\"version\": n, \"subver\": \"str\", \"inbound\": bool, \"bip152_hb_to\": bool, "             \
    "\"bip152_hb_from\": bool, \"startingheight\"?: n (with -deprecatedrpc=startingheight), "      \
    "\"presynced_headers\": n, \"synced_headers\": n, \"synced_blocks\": n, \"inflight\": [n, "    \
    "...], \"addr_relay_enabled\": bool, \"addr_processed\": n, \"addr_rate_limited\": n, "        \
    "\"permissions\": [\"str\", ...], \"minfeefilter\": amount, "                                  \
    "\"bytessent_per_msg\": {<type>: n, ...}, \"bytesrecv_per_msg\": {<type>: n, ...}, "           \
    "\"connection_type\": \"str\", \"transport_protocol_type\": \"str\", "                         \
    "\"session_id\": \"hex\"}, ...]"
#define GETTXOUTSETINFO_RESULT                                                                     \
    "{\"height\": n, \"bestblock\": \"hex\", \"txouts\": n, \"bogosize\": n, "                     \
    "\"hash_serialized_3\"?: \"hex\", \"muhash\"?: \"hex\", \"total_amount\": amount, "            \
    "\"total_unspendable_amount\"?: amount, \"block_info\"?: {\"prevout_spent\": amount, "         \
    "\"coinbase\": amount, \"new_outputs_ex_coinbase\": amount, \"unspendable\": amount, "         \
    "\"unspendables\": {\"genesis_block\": amount, \"bip30\": amount, \"scripts\": amount, "       \
    "\"unclaimed_rewards\": amount}}, \"transactions\"?: n, "                                      \
    "\"disk_size\"?: n}    by the index without the last two, else without what the index knows"
#define SCANTXOUTSET_RESULT                                                                        \
    "{\"success\": bool, \"txouts\": n, \"height\": n, \"bestblock\": \"hex\", "                   \
    "\"unspents\": [{\"txid\": \"hex\", \"vout\": n, \"scriptPubKey\": \"hex\", "                  \
    "\"desc\": \"str\", \"amount\": amount, \"coinbase\": bool, \"height\": n, "                   \
    "\"blockhash\": \"hex\", \"confirmations\": n}, ...], \"total_amount\": amount} or "           \
    "{\"progress\": n} (status) or null (status, without a scan) or bool (abort: was there one?)"

/* clang-format on */

#endif
