/* version.h - what this program is called and which release it is.
 *
 * Layer: util. CMakeLists.txt names the same version. */
#ifndef UTIL_VERSION_H
#define UTIL_VERSION_H

#define CAIRN_NAME    "Cairn"
#define CAIRN_VERSION "0.1.0"
/* Where messages say that a bug is to be told: there is no such address yet. */
#define CAIRN_BUG_REPORT "none"

/* The release of Bitcoin Core whose RPC interface this one answers like. Clients decide by it what
 * they may call, and take a node for one of another currency unless its name (BIP14) starts so. */
#define CAIRN_API_VERSION    310000
#define CAIRN_API_USER_AGENT "/Satoshi:31.0.0/" CAIRN_NAME ":" CAIRN_VERSION "/"

#endif
