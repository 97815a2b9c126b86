# bash completion of cairn-cli, made by tools/gen_reference.py; do not edit
_cairn_cli()
{
    local cur=${COMP_WORDS[COMP_CWORD]} method="" place=0 i words=""
    local methods="abortprivatebroadcast addnode analyzepsbt clearbanned combinepsbt combinerawtransaction
        converttopsbt createmultisig createpsbt createrawtransaction decodepsbt
        decoderawtransaction decodescript deriveaddresses descriptorprocesspsbt disconnectnode
        dropsnapshot dumptxoutset enumeratesigners estimatesmartfee exportasmap faucet
        fetchtxoutset finalizepsbt getaddednodeinfo getaddressbalance getaddresshistory
        getaddressutxos getaddrmaninfo getbestblockhash getblock getblockchaininfo
        getblockcount getblockfilter getblockfrompeer getblockhash getblockheader
        getblocksightings getblockstats getblocktemplate getchainstates getchaintips
        getchaintxstats getconnectioncount getdeploymentinfo getdescriptoractivity
        getdescriptorinfo getdevkeys getdifficulty geteclipserisk getindexinfo getmemoryinfo
        getmempoolancestors getmempoolbands getmempoolcluster getmempooldescendants
        getmempoolentry getmempoolinfo getmininginfo getnettotals getnetworkhashps
        getnetworkinfo getnodeaddresses getopenrpcinfo getpeerinfo getprioritisedtransactions
        getprivatebroadcastinfo getrawmempool getrawtransaction getreorghistory getrpcinfo
        gettxout gettxoutproof gettxoutsetinfo gettxspendingprevout getzmqnotifications help
        importmempool joinpsbts listbanned listsnapshots loadtxoutset logging ping
        preciousblock prioritisetransaction pruneblockchain revert rpc.discover savemempool
        scanblocks scantxoutset sendrawtransaction setban setnetworkactive settime
        signmessagewithprivkey signrawtransactionwithkey snapshot stop submitblock submitheader
        submitpackage testmempoolaccept ui uptime utxoupdatepsbt validateaddress verifychain
        verifymessage verifytxoutproof waitforblock waitforblockheight waitfornewblock"
    local options="-help -version -conf= -datadir= -includeconf= -addrinfo -color= -generate -getinfo
        -named -netinfo -rpcclienttimeout= -rpcconnect= -rpcwallet= -rpcwait -rpcwaittimeout=
        -stdin -stdinrpcpass -chain= -chainfile= -dev -regtest -signet -testnet -testnet4
        -rpccookiefile= -rpcpassword= -rpcport= -rpcsocket= -rpcuser="
    COMPREPLY=()
    for ((i = 1; i < COMP_CWORD; i++)); do
        case ${COMP_WORDS[i]} in
        =) i=$((i + 1)) ;;
        -*) ;;
        *)
            method=${COMP_WORDS[i]}
            place=$((COMP_CWORD - i))
            break
            ;;
        esac
    done
    case $method:$place:$cur in
    :*:-*) words=$options ;;
    :*) words=$methods ;;
    help:1:*) words=$methods ;;
    getaddressbalance:2:*|\
    getaddresshistory:4:*|\
    getaddressutxos:4:*|\
    getblockheader:2:*|\
    getdescriptoractivity:3:*|\
    getmempoolancestors:2:*|\
    getmempooldescendants:2:*|\
    getrawmempool:1:*|\
    getrawmempool:2:*|\
    gettxout:3:*|\
    gettxoutsetinfo:3:*|\
    getopenrpcinfo:1:*|\
    addnode:3:*|\
    setban:4:*|\
    setnetworkactive:1:*|\
    converttopsbt:2:*|\
    converttopsbt:3:*|\
    createpsbt:4:*|\
    createrawtransaction:4:*|\
    decoderawtransaction:2:*|\
    descriptorprocesspsbt:4:*|\
    descriptorprocesspsbt:5:*|\
    finalizepsbt:2:*)
        words="true false" ;;
    esac
    mapfile -t COMPREPLY < <(compgen -W "$words" -- "$cur")
    if [[ ${COMPREPLY[0]} == *= ]]; then
        compopt -o nospace 2>/dev/null
    fi
}
complete -F _cairn_cli cairn-cli
