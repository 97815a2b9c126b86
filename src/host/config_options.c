/* config_options.c - see config_options.h */
#include "host/config_options.h"

#include <limits.h>

#include "host/cli_config.h"
#include "host/config.h"
#include "host/config_base.h"

#define G      OPTION_CATEGORY_GENERAL
#define C      OPTION_CATEGORY_CONNECTION
#define W      OPTION_CATEGORY_WALLET
#define Z      OPTION_CATEGORY_NOTIFICATION
#define D      OPTION_CATEGORY_DEBUG
#define N      OPTION_CATEGORY_CHAIN
#define L      OPTION_CATEGORY_RELAY
#define B      OPTION_CATEGORY_BLOCK
#define R      OPTION_CATEGORY_RPC
#define BOOL   OPTION_BOOL
#define STRING OPTION_STRING
#define INT    OPTION_INT
#define MULTI  OPTION_MULTI
#define NET    OPTION_NETWORK_ONLY
#define DEBUG  OPTION_DEBUG_ONLY
#define LINE   OPTION_COMMAND_LINE_ONLY
#define CLIENT OPTION_CLIENT_TOO
#define ALONE  OPTION_CLIENT_ONLY
#define MIB    (1024 * 1024)

#define LIMITS(lowest, highest) .least = (lowest), .most = (highest)
#define INTO(member)            OPTION_INTO(struct config, member)
#define CLIENT_INTO(member)     OPTION_INTO(struct cli_config, member)

/* Known to bitcoind, without effect here: whoever asks for it is warned. */
#define IGNORED(name, category, type)                                                              \
    {                                                                                              \
        name, NULL, "", category, type, .flags = OPTION_IGNORED                                    \
    }

/* The same, yet nobody misses it: a default of ours, a tuning of what is not here. */
#define HARMLESS(name, category, type)                                                             \
    {                                                                                              \
        name, NULL, "", category, type, .flags = OPTION_IGNORED | OPTION_HARMLESS                  \
    }

/* A row that has a target is read into it by
 * options_fill(), within its limits; one without is read by name, where it takes more than that:
 * see config.c, config_net.c and config_rpc.c. Names are Core's where it has the option. */
/* clang-format off */
static const struct option_def table[] = {
    {"?", NULL, "Print this help message and exit", G, BOOL, .flags = LINE | OPTION_HIDDEN |
     CLIENT},
    {"h", NULL, "Print this help message and exit", G, BOOL, .flags = LINE | OPTION_HIDDEN |
     CLIENT},
    {"help", NULL, "Print this help message and exit (also -h or -?)", G, BOOL, .flags = LINE |
     CLIENT},
    {"help-debug", NULL, "Print this help message with the debugging options and exit", G, BOOL,
     .flags = LINE},
    {"version", NULL, "Print the version and exit", G, BOOL, .flags = LINE | CLIENT},
    {"addressindex", NULL, "Keep an index of what pays each address and what spends that, for "
     "getaddressbalance, getaddressutxos and getaddresshistory", G, BOOL, .fallback = "0",
     INTO(chain.address_index)},
    {"alertnotify", "<cmd>", "Run a command when the node has a warning (%s in cmd is replaced by "
     "the message)", G, STRING, .flags = 0},
    {"allowignoredconf", NULL, "Start although the data directory holds a config file that is not "
     "the one in use", G, BOOL, .fallback = "0"},
    {"assumevalid", "<hex>", "Do not check the scripts of this block and its ancestors, if it is "
     "in the chain (0 to check all; default: depends on the network)", G, STRING, .flags = 0},
    {"blockfilterindex", "<type>", "Keep an index of block filters (BIP158), for getblockfilter "
     "and scanblocks (basic, or 1: all kinds; 0: none)", G, STRING, .flags = MULTI},
    {"blocknotify", "<cmd>", "Run a command when the best block changes (%s in cmd is replaced by "
     "the block's hash)", G, STRING, .flags = 0},
    {"blocksdir", "<dir>", "Directory that holds the blocks directory (default: <datadir>)", G,
     STRING, .flags = 0},
    {"blockreconstructionextratxn", "<n>", "Transactions that are kept for compact blocks though "
     "the mempool has them not", G, INT, .fallback = "100"},
    {"blocksonly", NULL, "Ask for no transactions, and relay none", G, BOOL, .fallback = "0",
     INTO(net.p2p.blocks_only)},
    {"blocksxor", NULL, "XOR what is written to block and undo files with a random key, from the "
     "first start of a data directory on", G, BOOL, .flags = DEBUG, .fallback = "1"},
    {"coinstatsindex", NULL, "Keep an index of coin statistics, for gettxoutsetinfo of any block",
     G, BOOL, .fallback = "0", INTO(chain.coin_stats_index)},
    {"conf", "<file>",
     "Config file, relative to the data directory unless absolute (only useable from the command "
     "line; default: " CONFIG_FILE_NAME ", or " CONFIG_OTHER_FILE_NAME " where that is alone)", G,
     STRING, .flags = LINE | CLIENT},
    {"daemon", NULL, "Run in the background and accept commands", G, BOOL, .fallback = "0",
     INTO(daemon)},
    {"daemonwait", NULL, "Run in the background, and return when start-up is complete", G, BOOL,
     .fallback = "0", INTO(daemon_wait)},
    {"datadir", "<dir>", "Data directory", G, STRING, .flags = OPTION_NO_NEGATION | CLIENT,
     .fallback = "~/.cairn"},
    {"dbcache", "<n>", "Size of the coins cache in MiB, used only as it fills", G, INT, .fallback =
     "450", LIMITS(4, 1024 * 1024), INTO(chain.cache_bytes), .unit = MIB},
    {"fastprune", NULL, "Small block files, and pruning from height 100 on (regtest), to test "
     "pruning", G, BOOL, .flags = DEBUG},
    {"includeconf", "<file>", "Another config file, relative to the data directory (only in the "
     "config file)", G, STRING, .flags = MULTI | OPTION_CONFIG_ONLY | CLIENT},
    {"loadblock", "<file>", "Import the blocks of a file at start, in any order", G, STRING, .flags
     = MULTI},
    {"maxmem", "<n>", "Memory for all of the node in MiB, at least 300: shared among -dbcache, "
     "-maxmempool and -maxsigcachesize where these are not set", G, INT, .flags = 0},
    {"maxmempool", "<n>", "Keep the mempool below this size in MB", G, INT, .fallback = "300"},
    {"mempoolexpiry", "<n>", "Hours that a transaction may stay in the mempool", G, INT, .fallback
     = "336"},
    {"chainhistory", NULL, "Note reorganisations, and when blocks were seen first, for "
     "getreorghistory and getblocksightings", G, BOOL, .fallback = "1"},
    {"persistmempool", NULL, "Keep the mempool over a restart", G, BOOL, .fallback = "1"},
    {"persistmempoolv1", NULL, "Write mempool.dat in the form that programs before 2024 read, "
     "without a key", G, BOOL, .fallback = "0"},
    {"minimumchainwork", "<hex>", "Chains with less work are not synced to (default: depends on "
     "the network)", G, STRING, .flags = DEBUG},
    {"par", "<n>", "Threads that verify scripts (0: one for each core, negative: leave that many "
     "cores free)", G, INT, .fallback = "0"},
    {"pid", "<file>", "File that holds the process id, relative to the network's directory", G,
     STRING, .fallback = "cairnd.pid"},
    {"prune", "<n>", "Delete old block files (0: never, 1: by the RPC pruneblockchain, 550 or "
     "more: stay below this size in MiB; default: 0). Going back to 0 needs the whole chain again."
     , G, INT, .flags = 0},
    {"reindex", NULL, "Rebuild the block index and the coins from the block files", G, BOOL,
     INTO(chain.reindex)},
    {"reindex-chainstate", NULL, "Rebuild the coins from the blocks that are stored", G, BOOL,
     INTO(chain.reindex_chainstate)},
    {"repair", NULL, "Make what is damaged anew: block index, coins and indexes from the blocks, "
     "blocks from peers; 0: stop at the start and say what to do", G, BOOL, .fallback = "1"},
    {"settings", "<file>", "File of settings that programs write, relative to the network's "
     "directory; obeyed unless the command line says otherwise (-nosettings: none)", G, STRING,
     .fallback = "settings.json"},
    {"shutdownnotify", "<cmd>", "Run a command before the node stops", G, STRING, .flags = MULTI},
    {"startupnotify", "<cmd>", "Run a command when the node has started", G, STRING, .flags = 0},
    {"txindex", NULL, "Keep an index of all transactions, for getrawtransaction", G, BOOL,
     .fallback = "0", INTO(chain.txindex)},
    {"txospenderindex", NULL, "Keep an index of the transactions that spend outputs, for "
     "gettxspendingprevout", G, BOOL, .fallback = "0", INTO(chain.spender_index)},
    HARMLESS("choosedatadir", G, BOOL),
    HARMLESS("dbcrashratio", G, INT),
    HARMLESS("lang", G, STRING),
    HARMLESS("min", G, BOOL),
    HARMLESS("resetguisettings", G, BOOL),
    HARMLESS("splash", G, BOOL),
    HARMLESS("uiplatform", G, STRING),
    HARMLESS("dbbatchsize", G, INT),
    HARMLESS("maxorphantx", G, INT),
    HARMLESS("prevoutfetchthreads", G, INT),
    HARMLESS("sysperms", G, BOOL),

    {"addnode", "<ip>", "Connect to this node too, and keep trying", C, STRING, .flags = MULTI |
     NET},
    {"asmap", "<file>", "Group addresses by the operators that this map says they belong to, "
     "instead of by their first bits; relative to the network's directory", C, STRING, .flags = 0},
    {"bantime", "<n>", "Seconds that a ban of setban lasts which says none", C, INT, .fallback =
     "86400", INTO(net.ban_time_s)},
    {"bind", "<addr>[:<port>][=onion]", "Listen for peers on this address; =onion: they come "
     "through Tor", C, STRING, .flags = MULTI | NET},
    {"cjdnsreachable", NULL, "This machine is in CJDNS: fc00::/8 is dialled, advertised and "
     "accepted as such", C, BOOL, .fallback = "0"},
    {"connect", "<ip>", "Connect to these nodes only; 0 for none", C, STRING, .flags = MULTI | NET},
    {"dns", NULL, "Look names up for -addnode, -connect and -seednode", C, BOOL, .fallback = "1"},
    {"dnsseed", NULL, "Ask DNS for addresses of peers when few are known, unless -connect is given"
     , C, BOOL, .fallback = "1", INTO(net.p2p.dns_seed)},
    {"discover", NULL, "Tell others the addresses of this machine that are listened on, and what "
     "peers see it at (default: 1 when listening, without -externalip and -proxy)", C, BOOL,
     .flags = 0},
    {"externalip", "<ip>", "The address that others see", C, STRING, .flags = MULTI},
    {"fetchsnapshot", "<blockhash>:<txoutset hash>[:<nchaintx>]", "While far behind, fetch the "
     "unspent outputs as of a block from peers that offer them (-servesnapshot), and go on with "
     "them as loadtxoutset does. Alone or 1: of a block that this release knows; else of the block "
     "whose outputs you vouch for, by what dumptxoutset tells: base_hash, txoutset_hash, nchaintx "
     "(default: 0)", C, STRING, .flags = 0},
    {"fixedseeds", NULL, "Take addresses of peers that this release knows, of networks of which "
     "nothing else gives any (none are known yet)", C, BOOL, .fallback = "1",
     INTO(net.p2p.fixed_seeds)},
    {"forcednsseed", NULL, "Ask DNS for addresses of peers at every start", C, BOOL, .fallback =
     "0", INTO(net.p2p.dns_seed_forced)},
    {"i2pacceptincoming", NULL, "Have one address in I2P that others can call, kept in "
     "i2p_private_key; 0: another for each connection", C, BOOL, .fallback = "1"},
    {"i2psam", "<ip>[:<port>]", "The SAM bridge by which I2P is reached (port: 7656)", C, STRING,
     .flags = 0},
    {"inboundrelaypercent", "<n>", "Percentage of inbound connections that may relay "
     "transactions; the others are kept for peers that want blocks only", C, INT, .fallback = "50",
     LIMITS(0, 100)},
    {"listen", NULL, "Accept connections from peers, unless -connect is given", C, BOOL, .fallback
     = "1", INTO(net.p2p.listen)},
    {"listenonion", NULL, "Have Tor make an onion service for this node (default: 1 when "
     "listening)", C, BOOL, .flags = 0},
    {"maxconnections", "<n>", "Connections to peers at most", C, INT, .fallback = "125",
     INTO(net.p2p.max_connections)},
    {"maxuploadtarget", "<n>", "Send peers less than this in 24 hours, if that can be had by "
     "keeping back blocks older than a week; peers with the permission download are served. In "
     "MiB, or with one of k, K, m, M, g, G, t, T behind: lower case is of 1000 (default: 0, no "
     "limit)", C, STRING, .flags = 0},
    {"natpmp", NULL, "Have the gateway let others connect to this node (PCP, or NAT-PMP), while it "
     "listens on every interface", C, BOOL, .fallback = "1", INTO(net.p2p.map_port)},
    {"networkactive", NULL, "Let the node use the network", C, BOOL, .fallback = "1"},
    {"onion", "<ip>[:<port>]|<unix:path>", "The SOCKS5 proxy by which Tor is reached; 0: none "
     "(default: -proxy)", C, STRING, .flags = 0},
    {"onlynet", "<net>", "Make automatic connections in this network only: ipv4, ipv6, onion, i2p "
     "or cjdns. Those who come to us, and nodes that are named, are of any", C, STRING, .flags =
     MULTI},
    {"peerblockfilters", NULL, "Serve block filters (BIP157) to peers", C, BOOL, .fallback = "0",
     INTO(net.p2p.peer_block_filters)},
    {"peerbloomfilters", NULL, "Let peers set Bloom filters (BIP37)", C, BOOL, .fallback = "0",
     INTO(net.p2p.peer_bloom_filters)},
    {"peertimeout", "<n>", "Seconds for a peer to complete its handshake", C, INT, .flags = DEBUG,
     .fallback = "60", INTO(net.p2p.peer_timeout_s)},
    {"port", "<port>", "Listen for peers on this port (default: depends on the network)", C,
     STRING, .flags = NET},
    {"privatebroadcast", NULL, "Give transactions of sendrawtransaction to a few strangers, by "
     "short connections through Tor or I2P, and to nobody else until they come back", C, BOOL,
     .fallback = "0", INTO(net.p2p.private_broadcast)},
    {"privateroutable", NULL, "For laboratories: take private addresses and those of this machine "
     "for public ones, each a network group of its own", C, BOOL, .fallback = "0",
     INTO(net.p2p.private_routable)},
    {"proxy", "<ip>[:<port>]|<unix:path>[=<net>]", "Connect through this SOCKS5 proxy (port: "
     "9050), which looks names up too. =ipv4, =ipv6, =tor or =cjdns: in that network only; the "
     "last one given for a network counts, and 0 is none", C, STRING,
     .flags = MULTI | OPTION_NEEDS_VALUE},
    {"proxyrandomize", NULL, "Give proxies other credentials for each connection, so that Tor "
     "uses another circuit", C, BOOL, .fallback = "1"},
    {"seednode", "<ip>", "Connect to this node for addresses of others while there are few peers, "
     "and disconnect", C, STRING, .flags = MULTI},
    {"servesnapshot", "<file>", "Offer peers this file of dumptxoutset, relative to the network's "
     "directory, to fetch the unspent outputs from. -maxuploadtarget holds for it", C, STRING,
     .flags = 0},
    {"timeout", "<n>", "Milliseconds for a connection to be made", C, INT, .fallback = "5000"},
    {"txreconciliation", NULL, "Agree with peers on telling of transactions by sketches (BIP330)",
     C, BOOL, .flags = DEBUG, .fallback = "0", INTO(net.p2p.tx_reconciliation)},
    {"torcontrol", "<ip>[:<port>]", "Tor's control port, for -listenonion (port: 9051)", C, STRING,
     .fallback = "127.0.0.1:9051"},
    {"torpassword", "<pw>", "The password of Tor's control port. Better in the config file than on "
     "the command line, which others can see", C, STRING, .flags = OPTION_SENSITIVE},
    {"v2transport", NULL, "Encrypt connections (BIP324) to peers that can", C, BOOL,
     .fallback = "1"},
    {"whitebind", "<[permissions@]addr>", "Listen on this address and give peers there permissions"
     , C, STRING, .flags = MULTI | NET},
    {"whitelist", "<[permissions@]subnet>", "Give peers of this range permissions", C, STRING,
     .flags = MULTI},
    HARMLESS("banscore", C, INT),
    HARMLESS("maxreceivebuffer", C, INT),
    HARMLESS("maxsendbuffer", C, INT),
    IGNORED("txsendrate", C, STRING),
    IGNORED("upnp", C, BOOL),

    HARMLESS("addresstype", W, STRING),
    HARMLESS("avoidpartialspends", W, BOOL),
    HARMLESS("changetype", W, STRING),
    HARMLESS("consolidatefeerate", W, STRING),
    HARMLESS("disablewallet", W, BOOL),
    HARMLESS("discardfee", W, STRING),
    HARMLESS("fallbackfee", W, STRING),
    HARMLESS("keypool", W, INT),
    HARMLESS("maxapsfee", W, STRING),
    HARMLESS("maxtxfee", W, STRING),
    HARMLESS("mintxfee", W, STRING),
    HARMLESS("paytxfee", W, STRING),
    IGNORED("signer", W, STRING),
    HARMLESS("spendzeroconfchange", W, BOOL),
    HARMLESS("txconfirmtarget", W, INT),
    HARMLESS("unsafesqlitesync", W, BOOL),
    IGNORED("wallet", W, STRING),
    HARMLESS("walletbroadcast", W, BOOL),
    HARMLESS("walletcrosschain", W, BOOL),
    IGNORED("walletdir", W, STRING),
    HARMLESS("walletnotify", W, STRING),
    HARMLESS("walletrbf", W, BOOL),
    HARMLESS("walletrejectlongchains", W, BOOL),

    {"zmqpubhashblock", "<address>", "Publish hashes of new tips by ZeroMQ at this address, as "
     "tcp://127.0.0.1:28332 or unix:<path> (may be given more than once, like those below)", Z,
     STRING, .flags = MULTI},
    {"zmqpubhashblockhwm", "<n>", "Of these, how many may wait for a subscriber (0: any number)", Z,
     INT, .fallback = "1000", LIMITS(0, INT_MAX)},
    {"zmqpubhashtx", "<address>", "Publish ids of transactions", Z, STRING, .flags = MULTI},
    {"zmqpubhashtxhwm", "<n>", "Of these, how many may wait", Z, INT, .fallback = "1000",
     LIMITS(0, INT_MAX)},
    {"zmqpubrawblock", "<address>", "Publish new tips whole", Z, STRING, .flags = MULTI},
    {"zmqpubrawblockhwm", "<n>", "Of these, how many may wait", Z, INT, .fallback = "1000",
     LIMITS(0, INT_MAX)},
    {"zmqpubrawtx", "<address>", "Publish transactions whole", Z, STRING, .flags = MULTI},
    {"zmqpubrawtxhwm", "<n>", "Of these, how many may wait", Z, INT, .fallback = "1000",
     LIMITS(0, INT_MAX)},
    {"zmqpubsequence", "<address>", "Publish what happens to blocks and in the mempool, in order",
     Z, STRING, .flags = MULTI},
    {"zmqpubsequencehwm", "<n>", "Of these, how many may wait", Z, INT, .fallback = "1000",
     LIMITS(0, INT_MAX)},

    {"capturemessages", NULL, "Keep every message of every peer in files below message_capture", D,
     BOOL, .flags = DEBUG, .fallback = "0", INTO(net.p2p.capture_messages)},
    {"checkblockindex", NULL, "Check every invariant of the block index after each event", D, INT,
     .flags = DEBUG, .fallback = "0", INTO(chain.check_invariants)},
    {"checkblocks", "<n>", "Blocks to check at start (0: all)", D, INT, .flags = DEBUG, .fallback =
     "6", LIMITS(0, INT_MAX), INTO(chain.check_blocks)},
    {"checklevel", "<n>", "How thoroughly -checkblocks checks", D, INT, .flags = DEBUG, .fallback =
     "3", LIMITS(0, 4), INTO(chain.check_level)},
    {"debug", "<category>", "Write lines of this category too (1 or all: of every one; may be "
     "given more than once). Categories: addrman, bench, blockstorage, coindb, http, leveldb, "
     "mempool, net, prune, reindex, rpc, validation, and silently those of bitcoind that have no "
     "lines here.", D, STRING, .flags = MULTI},
    {"debugexclude", "<category>", "Leave lines of this category out; goes before -debug", D,
     STRING, .flags = MULTI},
    {"loglevel", "<level>|<category>:<level>", "Taken for scripts that name one (info, debug or "
     "trace); which lines are written is said by -debug", D, STRING, .flags = MULTI | DEBUG},
    {"debuglogfile", "<file>", "The log, relative to the network's directory (default: debug.log; "
     "-nodebuglogfile: none)", G, STRING, .flags = 0},
    {"deprecatedrpc", "<method>", "Answer in a form that is no longer the default: warnings, "
     "startingheight", D, STRING, .flags = MULTI | DEBUG},
    {"limitclustercount", "<n>", "Transactions at most that hang together in the mempool, 1 to 64",
     D, INT, .flags = DEBUG, .fallback = "64"},
    {"limitancestorsize", "<n>", "Without effect: -limitclustersize is there instead", D, INT,
     .flags = DEBUG},
    {"limitdescendantsize", "<n>", "Without effect: -limitclustersize is there instead", D, INT,
     .flags = DEBUG},
    {"limitclustersize", "<n>", "Virtual size in kvB at most of what hangs together in the "
     "mempool, 1 to 1000", D, INT, .flags = DEBUG, .fallback = "101"},
    {"logjson", NULL, "Write each line of the log as a JSON object: time, level, category, message",
     D, BOOL, .fallback = "0"},
    {"logratelimit", NULL, "Limit how much alike may be logged in an hour, so that nobody can fill "
     "the disk", D, BOOL, .flags = DEBUG, .fallback = "1"},
    {"logtimemicros", NULL, "Show microseconds in the log", D, BOOL, .flags = DEBUG, .fallback =
     "0"},
    {"logtimestamps", NULL, "Begin lines of the log with the time", D, BOOL, .flags = DEBUG,
     .fallback = "1"},
    {"maxsigcachesize", "<n>", "MiB for remembering which scripts hold; half of it is used, since "
     "single signatures are not remembered", D, INT, .flags = DEBUG, .fallback = "32",
     LIMITS(0, 2048), INTO(chain.script_cache_bytes), .unit = MIB / 2},
    {"maxtipage", "<n>", "A tip older than this many seconds means that the node is still catching "
     "up", D, INT, .flags = DEBUG, .fallback = "86400", LIMITS(0, UINT32_MAX),
     INTO(chain.max_tip_age_s)},
    {"mocktime", "<n>", "Pretend that this is the time, in seconds since 1970 (0: do not)", D, INT,
     .flags = DEBUG, .fallback = "0", INTO(mock_time_s)},
    {"printtoconsole", NULL, "Write the log to standard output too (default: 1 where that is no "
     "terminal and without -daemon, else 0)", D, BOOL, .flags = 0},
    {"shrinkdebugfile", NULL, "Keep only the last 10 MB of a larger log at start (default: 1 "
     "without -debug)", D, BOOL, .flags = 0},
    {"stopafterblockimport", NULL, "Stop when the imported blocks are connected or refused", D,
     BOOL, .flags = DEBUG, .fallback = "0", INTO(chain.stop_after_import)},
    {"stopatheight", "<n>", "Stop when the chain has reached this height (0: never)", D, INT,
     .flags = DEBUG, .fallback = "0", INTO(stop_at_height)},
    {"test", "<option>", "Switch something on for tests: bip94, testnet4's rules of time and "
     "difficulty (regtest only; may be given more than once)", D, STRING, .flags = MULTI | DEBUG},
    {"testactivationheight", "<name>@<height>", "Height at which segwit, bip34, dersig, cltv or "
     "csv begins to hold (regtest only)", D, STRING, .flags = MULTI | DEBUG},
    {"uacomment", "<text>", "Comment for the user agent that peers see", D, STRING, .flags = MULTI},
    {"vbparams", "<deployment>:<start>:<end>[:<min_activation_height>]", "Times and height of a "
     "version bits deployment (regtest only)", D, STRING, .flags = MULTI | DEBUG},
    HARMLESS("addrmantest", D, BOOL),
    HARMLESS("checkaddrman", D, INT),
    HARMLESS("checkmempool", D, INT),
    HARMLESS("checkpoints", D, BOOL),
    HARMLESS("forcecompactdb", D, BOOL),
    HARMLESS("limitancestorcount", D, INT),
    HARMLESS("limitdescendantcount", D, INT),
    HARMLESS("logips", D, BOOL),
    HARMLESS("loglevelalways", D, BOOL),
    HARMLESS("logsourcelocations", D, BOOL),
    HARMLESS("logthreadnames", D, BOOL),
    HARMLESS("printpriority", D, BOOL),
    HARMLESS("rpcdoccheck", D, BOOL),

    {"chain", "<chain>", "Use this chain: main, test, testnet4, signet or regtest", N, STRING,
     .flags = CLIENT, .fallback = "main"},
    {"automine", "<when>", "Make blocks without being asked, on a chain where that is possible: tx "
     "(for each transaction that comes), a number (each so many seconds) or poisson:<n> (by "
     "chance, each n seconds in the mean)", N, STRING, .flags = 0},
    {"chainfile", "<file>", "Use the chain that this JSON file describes, under its name "
     "(cairn-cli newchain makes such a file; see doc/testnets.md)", N, STRING,
     .flags = CLIENT | OPTION_NEEDS_VALUE},
    {"dev", NULL, "A chain to develop against: regtest unless another test chain is named, with "
     "ten keys that everybody knows and whose coins can be spent at once, and the methods of help "
     "under Dev", N, BOOL, .flags = CLIENT, .fallback = "0"},
    {"mineraddress", "<address>", "Whom the blocks of -automine pay (default: the first key of "
     "-dev)", N, STRING, .flags = 0},
    {"regtest", NULL, "Use a private chain on which blocks are made at will; same as "
     "-chain=regtest", N, BOOL, .flags = CLIENT},
    {"signet", NULL, "Use the signet chain; same as -chain=signet", N, BOOL, .flags = CLIENT},
    {"signetchallenge", "<hex>", "The script that signet blocks must satisfy (default: the public "
     "signet's)", N, STRING, .flags = MULTI},
    {"signetmineaddress", "<address>", "Whom the blocks of -signetmineinterval pay (default: the "
     "P2WPKH address of -signetminerkey)", N, STRING, .flags = 0},
    {"signetmineinterval", "<n>", "Make a block of the signet every n seconds, signed with "
     "-signetminerkey (0: only when told to)", N, INT, .fallback = "0"},
    {"signetminerkey", "<key>", "The private key, in WIF or as 64 hex digits, that signs the "
     "blocks made here, for a signet whose -signetchallenge it satisfies alone: P2PK, P2PKH, "
     "1-of-n multisig, these inside P2SH or P2WSH, or P2WPKH. Better in the config file than on "
     "the command line, which others can see", N, STRING, .flags = OPTION_SENSITIVE},
    {"signetseednode", "<host>[:<port>]", "A seed of signet's addresses, instead of the network's "
     "own (may be given more than once)", N, STRING, .flags = MULTI},
    {"testnet", NULL, "Use the testnet3 chain; same as -chain=test", N, BOOL, .flags = CLIENT},
    {"testnet4", NULL, "Use the testnet4 chain; same as -chain=testnet4", N, BOOL, .flags = CLIENT},

    {"acceptnonstdtxn", NULL, "Relay nonstandard transactions (test chains only)", L, BOOL, .flags
     = DEBUG, .fallback = "0"},
    {"bytespersigop", "<n>", "Bytes that a signature operation counts for in sizes of transactions "
     "to be relayed and mined", L, INT, .fallback = "20"},
    {"datacarrier", NULL, "Relay transactions that carry data", L, BOOL, .fallback = "1"},
    {"datacarriersize", "<n>", "Bytes of data-carrying outputs that a transaction may have to be "
     "relayed", L, INT, .fallback = "100000"},
    {"dustrelayfee", "<amount>", "Feerate in BTC/kvB that defines dust", L, STRING, .flags = DEBUG,
     .fallback = "0.00003"},
    {"incrementalrelayfee", "<amount>", "Feerate in BTC/kvB by which a replacement must be better",
     L, STRING, .flags = DEBUG, .fallback = "0.000001"},
    {"minrelaytxfee", "<amount>", "Least feerate in BTC/kvB of a transaction to be relayed", L,
     STRING, .fallback = "0.000001"},
    {"permitbaremultisig", NULL, "Relay bare multisig outputs", L, BOOL, .fallback = "1"},
    {"acceptstalefeeestimates", NULL, "Read fee estimates from a file older than 60 hours (test "
     "chains only)", L, BOOL, .flags = DEBUG, .fallback = "0"},
    {"fallbackestimate", "<amount>", "Feerate in BTC/kvB that estimatesmartfee answers where "
     "nothing is known (test chains only; 0: an error)", L, STRING, .fallback = "0"},
    IGNORED("mempoolfullrbf", L, BOOL),
    {"whitelistforcerelay", NULL, "Give peers of a -whitelist that names no permissions forcerelay "
     "too", L, BOOL, .fallback = "0"},
    {"whitelistrelay", NULL, "Give them relay", L, BOOL, .fallback = "1"},

    {"blockmaxweight", "<n>", "Weight of the blocks that we build", B, INT, .fallback = "4000000"},
    {"blockmintxfee", "<amount>", "Least feerate in BTC/kvB of transactions in blocks that we "
     "build", B, STRING, .fallback = "0.00000001"},
    {"blockreservedweight", "<n>", "Weight kept free for header and coinbase in blocks that we "
     "build", B, INT, .fallback = "8000"},
    {"blockversion", "<n>", "Version of the blocks that we build (regtest; default: as signalled)",
     B, INT, .flags = DEBUG},

    {"eventlog", "<n>", "Events that /events holds for clients that come back", R, INT, .fallback =
     "100000", LIMITS(1, 10000000), INTO(event_log_max)},
    {"rpcallowhost", "<name>", "A name by which clients may call this node, beside localhost and "
     "addresses: requests that name another Host are refused", R, STRING, .flags = MULTI},
    {"rpcallowip", "<ip>", "Allow RPC from an address or range (1.2.3.4, 1.2.3.0/24, "
     "1.2.3.0/255.255.255.0)", R, STRING, .flags = MULTI},
    {"rpcauth", "<user>:<salt>$<hash>", "User and hashed password for RPC", R, STRING, .flags =
     MULTI | OPTION_SENSITIVE},
    {"rpcbind", "<addr>[:<port>]", "Listen for RPC on this address; ignored without -rpcallowip "
     "(default: 127.0.0.1 and ::1)", R, STRING, .flags = MULTI | NET},
    {"rpccookiefile", "<file>", "The cookie's file, relative to the network's directory (default: "
     ".cookie; -norpccookiefile: none)", R, STRING, .flags = CLIENT},
    {"rpccookieperms", "<who>", "Who may read the cookie: owner, group or all", R, STRING,
     .fallback = "owner"},
    {"rpcpassword", "<pw>", "Password for RPC; -rpcauth is safer", R, STRING, .flags =
     OPTION_SENSITIVE | CLIENT},
    {"rpcport", "<port>", "The port for RPC (default: depends on the network)", R, STRING, .flags =
     NET | CLIENT},
    {"rpcservertimeout", "<n>", "Seconds that a client has for a request", R, INT, .flags = DEBUG,
     .fallback = "30", LIMITS(1, 86400), INTO(rpc_timeout_us), .unit = 1000000},
    {"rpcsocket", "<path>", "Listen for RPC also at this path, relative to the network's "
     "directory; cairn-cli connects there too, unless it is told -rpcconnect", R, STRING, .flags =
     NET | CLIENT},
    {"rpcsocketmode", "<octal>", "Who may connect there, as for chmod", R, STRING, .fallback =
     "600"},
    {"rpcthreads", "<n>", "Added to -rpcworkqueue", R, INT, .flags = DEBUG, .fallback = "16"},
    {"rpcuser", "<user>", "User name for RPC", R, STRING, .flags = OPTION_SENSITIVE | CLIENT},
    {"rpcwhitelist", "<user>:<method>,...", "The methods that a user may call", R, STRING, .flags =
     MULTI},
    {"rpcwhitelistdefault", NULL, "Users without a whitelist may call nothing (default: 1 with "
     "-rpcwhitelist, else 0)", R, BOOL, .flags = 0},
    {"rpcworkqueue", "<n>", "Calls that may wait for their answer; more get the error 503 "
     "(default: as many as clients are connected, 256)", R, INT, .flags = DEBUG},
    {"server", NULL, "Accept commands over RPC", R, BOOL, .fallback = "1", INTO(server)},
    {"ui", NULL, "Show a dashboard to browsers, at /ui/ of the port for RPC: cairn-cli ui prints "
     "an address that opens it (default: 1 on chains whose blocks are made at will, else 0)", R,
     BOOL, .flags = 0},
    {"uimesh", "<file>", "A map of the mesh that the dashboard shows on test chains, as JSON that "
     "another program keeps up to date; relative to the network's directory", R, STRING, .flags =
     0},
    IGNORED("ipcbind", R, STRING),
    {"rest", NULL, "Accept REST requests, which need no password", R, BOOL, .fallback = "0"},

    /* Of cairn-cli alone. */
    {"addrinfo", NULL, "Show how many addresses of other nodes are known", G, BOOL, .flags = LINE |
     ALONE},
    {"color", "<when>", "Show -getinfo in colours: always, auto (on a terminal) or never", G,
     STRING, .flags = LINE | ALONE, .fallback = "auto"},
    {"generate", NULL, "Mine blocks: cairn-cli -generate [nblocks [maxtries]]. Without a wallet "
     "they pay to an output that anybody can spend", G, BOOL, .flags = LINE | ALONE},
    {"getinfo", NULL, "Show an overview of the node", G, BOOL, .flags = LINE | ALONE},
    {"named", NULL, "Take arguments as name=value", G, BOOL, .flags = LINE | ALONE, .fallback = "0"
     },
    {"netinfo", NULL, "Show the connections: cairn-cli -netinfo [level [outonly]], with a level "
     "from 0 to 4; -netinfo help explains", G, BOOL, .flags = LINE | ALONE},
    {"rpcclienttimeout", "<n>", "Seconds to wait for an answer (0: for ever)", G, INT, .flags =
     ALONE, .fallback = "900", LIMITS(0, INT64_MAX), CLIENT_INTO(timeout_s)},
    {"rpcconnect", "<ip>[:<port>]", "Where the node listens", G, STRING, .flags = ALONE, .fallback
     = "127.0.0.1"},
    {"rpcwallet", "<name>", "The wallet that calls are for, at nodes that have wallets: they go to "
     "/wallet/<name>", G, STRING, .flags = LINE | ALONE},
    {"rpcwait", NULL, "Wait until the node has started", G, BOOL, .flags = LINE | ALONE,
     CLIENT_INTO(wait)},
    {"rpcwaittimeout", "<n>", "Seconds to wait at most for that (0: for ever)", G, INT, .flags =
     LINE | ALONE, .fallback = "0", CLIENT_INTO(wait_timeout_s)},
    {"stdin", NULL, "Read more arguments from standard input, one a line. A password by "
     "-stdinrpcpass comes first", G, BOOL, .flags = LINE | ALONE},
    {"stdinrpcpass", NULL, "Read the password from standard input", G, BOOL, .flags = LINE | ALONE},
};
/* clang-format on */

const struct option_def *config_options(size_t *n)
{
    *n = COUNT_OF(table);
    return table;
}
