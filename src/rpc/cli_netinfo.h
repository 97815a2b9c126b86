/* cli_netinfo.h - the dashboard of -netinfo and the counts of -addrinfo.
 *
 * Layer: rpc. Pure. Spec: the layout of bitcoin-cli v31, which scripts and people read. */
#ifndef RPC_CLI_NETINFO_H
#define RPC_CLI_NETINFO_H

#include "rpc/json_write.h"

#define CLI_NETINFO_LEVEL_MAX 4

/* What is shown. */
struct cli_netinfo {
    unsigned level;     /* 0: counts; 1: peers too; 2: with addresses; 3: versions; 4: both */
    bool outbound_only; /* list no inbound peers */
    bool help;          /* explain instead */
};

/* Read the arguments behind -netinfo: "help", or a level and perhaps "outonly" (or "o").
 *
 * Returns:  false with *error (xfree it) */
NODISCARD bool cli_netinfo_read(const char *const *args, size_t n, struct cli_netinfo *out,
                                char **error);

/* Append the explanation of the dashboard. */
void cli_netinfo_help(struct buffer *text);

/* Append the dashboard.
 *
 * In:       network  result of getnetworkinfo
 *           peers    result of getpeerinfo
 *           chain    " regtest"; "" on the main network
 *           now_s    wall clock, to tell how long ago things happened */
void cli_netinfo_write(struct buffer *text, const struct cli_netinfo *what,
                       const struct json_value *network, const struct json_value *peers,
                       const char *chain, int64_t now_s);

/* Append how many addresses of each network are known, as indented JSON.
 *
 * In:  addrman  result of getaddrmaninfo */
void cli_addrinfo_write(struct buffer *text, const struct json_value *addrman);

#endif
