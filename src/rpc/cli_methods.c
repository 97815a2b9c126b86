/* cli_methods.c - the table, and how it is read. */
#include "rpc/cli_methods.h"

#include <string.h>

#include "util/assert.h"

/* A method and its arguments in their order: "name" is text, "name:" JSON. Behind " | " stand
 * members of its options, which are given by name only. */
struct cli_method {
    const char *name, *args;
};

/* clang-format off */
static const struct cli_method methods[] = {
    {"abandontransaction", "txid"},
    {"abortprivatebroadcast", "id"},
    {"addhdkey", "hdkey"},
    {"backupwallet", "destination"},
    {"bumpfee",
     "txid options: | conf_target: fee_rate: replaceable: outputs: original_change_index: "
     "estimate_mode"},
    {"createwallet",
     "wallet_name disable_private_keys: blank: passphrase avoid_reuse: descriptors: "
     "load_on_startup: external_signer:"},
    {"createwalletdescriptor", "type options: | internal: hdkey"},
    {"derivehdkey", "path options: | private: hdkey"},
    {"echoipc", "arg"},
    {"encryptwallet", "passphrase"},
    {"exportwatchonlywallet", "destination"},
    {"fundrawtransaction",
     "hexstring options: iswitness: | add_inputs: include_unsafe: minconf: maxconf: "
     "changePosition: includeWatching: lockUnspents: fee_rate: feeRate: "
     "subtractFeeFromOutputs: input_weights: conf_target: replaceable: solving_data: "
     "max_tx_weight: changeAddress change_type estimate_mode"},
    {"getaddressesbylabel", "label"},
    {"getaddressinfo", "address"},
    {"getbalance", "dummy minconf: include_watchonly: avoid_reuse:"},
    {"gethdkeys", "options: | active_only: private:"},
    {"getmempoolcluster", "txid"},
    {"getnewaddress", "label address_type"},
    {"getrawaddrman", ""},
    {"getrawchangeaddress", "address_type"},
    {"getreceivedbyaddress", "address minconf: include_immature_coinbase:"},
    {"getreceivedbylabel", "label minconf: include_immature_coinbase:"},
    {"gettransaction", "txid include_watchonly: verbose:"},
    {"importdescriptors", "requests:"},
    {"importprunedfunds", "rawtransaction txoutproof"},
    {"keypoolrefill", "newsize:"},
    {"listdescriptors", "private:"},
    {"listlabels", "purpose"},
    {"listreceivedbyaddress",
     "minconf: include_empty: include_watchonly: address_filter include_immature_coinbase:"},
    {"listreceivedbylabel",
     "minconf: include_empty: include_watchonly: include_immature_coinbase:"},
    {"listsinceblock",
     "blockhash target_confirmations: include_watchonly: include_removed: include_change: "
     "label"},
    {"listtransactions", "label count: skip: include_watchonly:"},
    {"listunspent",
     "minconf: maxconf: addresses: include_unsafe: query_options: | minimumAmount: "
     "maximumAmount: maximumCount: minimumSumAmount: include_immature_coinbase:"},
    {"loadtxoutset", "path"},
    {"loadwallet", "filename load_on_startup:"},
    {"lockunspent", "unlock: transactions: persistent:"},
    {"migratewallet", "wallet_name passphrase"},
    {"psbtbumpfee",
     "txid options: | conf_target: fee_rate: replaceable: outputs: original_change_index: "
     "estimate_mode"},
    {"removeprunedfunds", "txid"},
    {"rescanblockchain", "start_height: stop_height:"},
    {"restorewallet", "wallet_name backup_file load_on_startup:"},
    {"send",
     "outputs: conf_target: estimate_mode fee_rate: options: version: | add_inputs: "
     "include_unsafe: minconf: maxconf: add_to_wallet: change_position: fee_rate: "
     "include_watching: inputs: locktime: lock_unspents: psbt: subtract_fee_from_outputs: "
     "replaceable: solving_data: max_tx_weight: conf_target: change_address change_type "
     "estimate_mode"},
    {"sendall",
     "recipients: conf_target: estimate_mode fee_rate: options: | add_to_wallet: fee_rate: "
     "include_watching: inputs: locktime: lock_unspents: psbt: send_max: minconf: maxconf: "
     "version: replaceable: solving_data: conf_target: estimate_mode"},
    {"sendmany",
     "dummy amounts: minconf: comment subtractfeefrom: replaceable: conf_target: "
     "estimate_mode fee_rate: verbose:"},
    {"sendtoaddress",
     "address amount: comment comment_to subtractfeefromamount: replaceable: conf_target: "
     "estimate_mode avoid_reuse: fee_rate: verbose:"},
    {"setlabel", "address label"},
    {"setwalletflag", "flag value:"},
    {"signmessage", "address message"},
    {"signrawtransactionwithwallet", "hexstring prevtxs: sighashtype"},
    {"simulaterawtransaction", "rawtxs: options: | include_watchonly:"},
    {"unloadwallet", "wallet_name load_on_startup:"},
    {"walletcreatefundedpsbt",
     "inputs: outputs: locktime: options: bip32derivs: version: | add_inputs: "
     "include_unsafe: minconf: maxconf: changePosition: includeWatching: lockUnspents: "
     "fee_rate: feeRate: subtractFeeFromOutputs: conf_target: replaceable: solving_data: "
     "max_tx_weight: changeAddress change_type estimate_mode"},
    {"walletdisplayaddress", "address"},
    {"walletpassphrase", "passphrase timeout:"},
    {"walletpassphrasechange", "oldpassphrase newpassphrase"},
    {"walletprocesspsbt", "psbt sign: sighashtype bip32derivs: finalize:"},
};
/* clang-format on */

static const char *find_args(struct span method)
{
    for (size_t i = 0; i < COUNT_OF(methods); i++) {
        if (span_equal(method, span_of_string(methods[i].name)))
            return methods[i].args;
    }
    return "";
}

/* Take the next word off the list. Its mark is cut off and told as form. False at the end. */
static bool next_arg(const char **args, struct span *name, enum cli_form *form)
{
    const char *at = *args + strspn(*args, " ");
    size_t len = strcspn(at, " ");
    if (len == 0)
        return false;
    *args = at + len;
    char last = at[len - 1];
    *form = last == ':' ? CLI_JSON : CLI_TEXT;
    *name = span_of(at, *form == CLI_TEXT ? len : len - 1);
    return true;
}

/* Returns: false if there is none at that position */
static bool arg_at(struct span method, size_t position, enum cli_form *form)
{
    const char *args = find_args(method);
    struct span name;
    for (size_t at = 0; next_arg(&args, &name, form); at++) {
        if (span_equal(name, span_of("|", 1)))
            return false;
        if (at == position)
            return true;
    }
    return false;
}

static bool arg_named(struct span method, struct span name, enum cli_form *form)
{
    const char *args = find_args(method);
    struct span have;
    while (next_arg(&args, &have, form)) {
        if (span_equal(have, name))
            return true;
    }
    return false;
}

enum cli_form cli_form_at(struct span method, size_t position)
{
    enum cli_form form;
    return arg_at(method, position, &form) ? form : CLI_TEXT;
}

enum cli_form cli_form_named(struct span method, struct span name)
{
    enum cli_form form;
    return arg_named(method, name, &form) ? form : CLI_TEXT;
}

bool cli_knows_name(struct span method, struct span name)
{
    enum cli_form form;
    return arg_named(method, name, &form);
}

bool cli_is_text_at(struct span method, size_t position)
{
    enum cli_form form;
    return arg_at(method, position, &form) && form == CLI_TEXT;
}
