/* cli_netinfo.c - the dashboard of -netinfo and the counts of -addrinfo. */
#include "rpc/cli_netinfo.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "util/alloc.h"
#include "util/parse.h"
#include "util/version.h"

#define PING_SHOWN_MAX_MS 999999
#define CELL_BYTES        24 /* any number, or a short word */

/* The rows of networks, in the order of the columns. */
struct network_name {
    const char *name, *shown;
};
static const struct network_name networks[] = {
    {"ipv4", "ipv4"},    {"ipv6", "ipv6"},   {"onion", "onion"},
    {"i2p", "i2p"},      {"cjdns", "cjdns"}, {"not_publicly_routable", "npr"},
    {"internal", "int"},
};
#define N_NETWORKS COUNT_OF(networks)

/* What is shown of a peer. Texts borrow the JSON. */
struct peer_row {
    bool is_outbound;
    double min_ping_s; /* -1: none */
    int64_t id;
    const char *type, *network;
    struct span address, sub_version;
    char services[65], transport[2], min_ping[CELL_BYTES], ping[CELL_BYTES];
    char sent[CELL_BYTES], received[CELL_BYTES], tx[CELL_BYTES], block[CELL_BYTES];
    char high_bandwidth[3];
    char addr_processed[CELL_BYTES], addr_limited[CELL_BYTES], age[CELL_BYTES];
    char as_number[CELL_BYTES], id_text[CELL_BYTES], version[CELL_BYTES];
};

struct direction_counts {
    uint64_t by_network[N_NETWORKS], total, block_only, manual;
};

struct dashboard {
    const struct cli_netinfo *what;
    int64_t now_s;
    struct peer_row *rows;
    size_t n_rows;
    struct direction_counts counts[3]; /* in, out, both */
    bool has_as_numbers;
    /* Widths of columns that grow with what is in them. */
    int services_width, processed_width, limited_width, age_width, id_width, address_width;
};

/* -- Reading JSON ------------------------------------------------------------------------- */

static const struct json_value *member(const struct json_value *object, const char *name)
{
    static const struct json_value none = {.kind = JSON_KIND_NULL};
    const struct json_value *value = object ? json_find(object, name) : NULL;
    return value ? value : &none;
}

/* 0 if it is not there. */
static int64_t number(const struct json_value *object, const char *name)
{
    int64_t n;
    return json_integer_in(member(object, name), INT64_MIN, INT64_MAX, &n) ? n : 0;
}

static bool flag(const struct json_value *object, const char *name, bool fallback)
{
    const struct json_value *value = member(object, name);
    return value->kind == JSON_KIND_BOOL ? value->boolean : fallback;
}

static struct span string(const struct json_value *object, const char *name)
{
    const struct json_value *value = member(object, name);
    return value->kind == JSON_KIND_STRING ? value->text : span_of("", 0);
}

/* Seconds with a fraction; -1 if it is not there. */
static double seconds(const struct json_value *object, const char *name)
{
    const struct json_value *value = member(object, name);
    if (value->kind != JSON_KIND_NUMBER)
        return -1;
    return strtod((const char *)value->text.p, NULL); /* lint: a JSON number of any precision */
}

/* -- Arguments ---------------------------------------------------------------------------- */

static bool is_word(const char *arg, const char *word)
{
    return strcmp(arg, word) == 0;
}

bool cli_netinfo_read(const char *const *args, size_t n, struct cli_netinfo *out, char **error)
{
    static const char more[] = "For more information, run: cairn-cli -netinfo help";
    *out = (struct cli_netinfo){0};
    if (n == 0)
        return true;
    if (is_word(args[0], "help")) {
        out->help = true;
        return true;
    }
    uint64_t level;
    if (!parse_uint64(args[0], &level) || level > UINT8_MAX)
        return fail_with(error, "invalid -netinfo level argument: %s\n%s", args[0], more);
    out->level = level < CLI_NETINFO_LEVEL_MAX ? (unsigned)level : CLI_NETINFO_LEVEL_MAX;
    if (n > 1) {
        if (!is_word(args[1], "outonly") && !is_word(args[1], "o"))
            return fail_with(error, "invalid -netinfo outonly argument: %s\n%s", args[1], more);
        out->outbound_only = true;
    }
    return true;
}

/* -- Services ----------------------------------------------------------------------------- */

/* One letter for each service. */
static void shorten_services(const struct json_value *names, char *out, size_t max)
{
    size_t len = 0;
    for (const struct json_value *v = names->first; v && len < max; v = v->next) {
        if (json_text_is(v, "NETWORK_LIMITED"))
            out[len++] = 'l';
        else if (json_text_is(v, "P2P_V2"))
            out[len++] = '2';
        else if (v->kind == JSON_KIND_STRING && v->text.len > 0)
            out[len++] = (char)(v->text.p[0] | 0x20);
    }
    out[len] = 0;
}

/* "network, witness, compact filters" */
static void list_services(struct buffer *text, const struct json_value *names)
{
    if (!names->first)
        buffer_append_string(text, "n/a");
    for (const struct json_value *v = names->first; v; v = v->next) {
        if (v != names->first)
            buffer_append_string(text, ", ");
        for (size_t i = 0; i < v->text.len; i++) {
            uint8_t c = v->text.p[i];
            if (c >= 'A' && c <= 'Z')
                c |= 0x20;
            buffer_append(text, c == '_' ? (const uint8_t *)" " : &c, 1);
        }
    }
}

/* -- Reading a peer ----------------------------------------------------------------------- */

static void format_number(char *out, int64_t n)
{
    snprintf(out, CELL_BYTES, "%" PRId64, n);
}

/* How long ago, in units of unit_s; nothing if never. */
static void format_ago(char *out, int64_t then_s, int64_t now_s, int64_t unit_s)
{
    if (then_s != 0)
        format_number(out, (now_s - then_s) / unit_s);
}

static void format_ping(char *out, double ping_s)
{
    if (ping_s < 0)
        return;
    double ms = ping_s * 1000 + 0.5;
    if (ms >= PING_SHOWN_MAX_MS + 1)
        snprintf(out, CELL_BYTES, "-");
    else
        format_number(out, (int64_t)ms);
}

static const char *short_type(struct span type)
{
    static const struct network_name types[] = {
        {"outbound-full-relay", "full"},
        {"block-relay-only", "block"},
        {"manual", "manual"},
        {"feeler", "feeler"},
        {"addr-fetch", "addr"},
        {"private-broadcast", "priv"},
    };
    for (size_t i = 0; i < COUNT_OF(types); i++) {
        if (span_equal(type, span_of_string(types[i].name)))
            return types[i].shown;
    }
    return ""; /* inbound */
}

/* Its index in networks, or -1. */
static int network_index(struct span name)
{
    for (size_t i = 0; i < N_NETWORKS; i++) {
        if (span_equal(name, span_of_string(networks[i].name)))
            return (int)i;
    }
    return -1;
}

static void read_times(struct peer_row *row, const struct json_value *peer, int64_t now_s)
{
    row->min_ping_s = seconds(peer, "minping");
    format_ping(row->min_ping, row->min_ping_s);
    format_ping(row->ping, seconds(peer, "pingtime"));
    format_ago(row->sent, number(peer, "lastsend"), now_s, 1);
    format_ago(row->received, number(peer, "lastrecv"), now_s, 1);
    if (!flag(peer, "relaytxes", true))
        snprintf(row->tx, sizeof row->tx, "*");
    format_ago(row->tx, number(peer, "last_transaction"), now_s, 60);
    format_ago(row->block, number(peer, "last_block"), now_s, 60);
    format_ago(row->age, number(peer, "conntime"), now_s, 60);
}

static void read_addresses(struct peer_row *row, const struct json_value *peer)
{
    int64_t processed = number(peer, "addr_processed"), limited = number(peer, "addr_rate_limited");
    if (processed != 0)
        format_number(row->addr_processed, processed);
    else if (!flag(peer, "addr_relay_enabled", false))
        snprintf(row->addr_processed, sizeof row->addr_processed, ".");
    if (limited != 0)
        format_number(row->addr_limited, limited);
}

static void read_peer(struct peer_row *row, const struct json_value *peer, int64_t now_s)
{
    row->is_outbound = !flag(peer, "inbound", false);
    row->id = number(peer, "id");
    format_number(row->id_text, row->id);
    row->type = short_type(string(peer, "connection_type"));
    row->address = string(peer, "addr");
    row->sub_version = string(peer, "subver");
    if (number(peer, "version") != 0)
        format_number(row->version, number(peer, "version"));
    shorten_services(member(peer, "servicesnames"), row->services, sizeof row->services - 1);
    struct span transport = string(peer, "transport_protocol_type");
    if (transport.len == 2 && transport.p[0] == 'v')
        row->transport[0] = (char)transport.p[1];
    snprintf(row->high_bandwidth, sizeof row->high_bandwidth, "%c%c",
             flag(peer, "bip152_hb_to", false) ? '.' : ' ',
             flag(peer, "bip152_hb_from", false) ? '*' : ' ');
    if (number(peer, "mapped_as") != 0)
        format_number(row->as_number, number(peer, "mapped_as"));
    read_times(row, peer, now_s);
    read_addresses(row, peer);
}

static void widen(int *width, size_t len)
{
    if ((int)len > *width)
        *width = (int)len;
}

static void count_peer(struct dashboard *board, const struct peer_row *row, int network)
{
    struct direction_counts *of[] = {&board->counts[row->is_outbound], &board->counts[2]};
    for (size_t i = 0; i < COUNT_OF(of); i++) {
        of[i]->by_network[network]++;
        of[i]->total++;
        of[i]->block_only += is_word(row->type, "block");
        of[i]->manual += is_word(row->type, "manual");
    }
}

/* Inbound first, then the quickest first. */
static int compare_rows(const void *a_row, const void *b_row)
{
    const struct peer_row *a = a_row, *b = b_row;
    if (a->is_outbound != b->is_outbound)
        return a->is_outbound ? 1 : -1;
    if (a->min_ping_s < b->min_ping_s || a->min_ping_s > b->min_ping_s)
        return a->min_ping_s < b->min_ping_s ? -1 : 1;
    return a->id < b->id ? -1 : a->id > b->id;
}

static void read_peers(struct dashboard *board, const struct json_value *peers)
{
    board->rows = xcalloc(peers->n + 1, sizeof *board->rows);
    for (const struct json_value *peer = peers->first; peer; peer = peer->next) {
        struct peer_row *row = &board->rows[board->n_rows];
        int network = network_index(string(peer, "network"));
        if (network < 0)
            continue;
        row->network = networks[network].shown;
        read_peer(row, peer, board->now_s);
        count_peer(board, row, network);
        if (!row->is_outbound && board->what->outbound_only) {
            *row = (struct peer_row){0};
            continue;
        }
        board->n_rows++;
        board->has_as_numbers |= row->as_number[0] != 0;
        widen(&board->services_width, strlen(row->services));
        widen(&board->processed_width, strlen(row->addr_processed));
        widen(&board->limited_width, strlen(row->addr_limited) + 1);
        widen(&board->age_width, strlen(row->age) + 1);
        widen(&board->id_width, strlen(row->id_text));
        widen(&board->address_width, row->address.len + 1);
    }
    if (board->n_rows > 1)
        qsort(board->rows, board->n_rows, sizeof *board->rows, compare_rows);
}

/* -- Writing ------------------------------------------------------------------------------ */

static bool shows_addresses(const struct dashboard *board)
{
    return board->what->level == 2 || board->what->level >= 4;
}

static bool shows_versions(const struct dashboard *board)
{
    return board->what->level >= 3;
}

static void write_title(struct buffer *text, const struct dashboard *board,
                        const struct json_value *network, const char *chain)
{
    struct span name = string(network, "subversion");
    buffer_append_format(text, CAIRN_NAME " client v" CAIRN_VERSION "%s - server %" PRId64 "%.*s",
                         chain, number(network, "protocolversion"), (int)name.len,
                         (const char *)name.p);
    if (board->what->level > 0) {
        char services[65];
        shorten_services(member(network, "localservicesnames"), services, sizeof services - 1);
        buffer_append_format(text, " - services %s", services);
    }
    buffer_append_string(text, "\n\n");
}

static void write_row(struct buffer *text, const struct dashboard *board,
                      const struct peer_row *row)
{
    buffer_append_format(text, "%3s %6s %5s %*s %2s%7s%7s%5s%5s%5s%5s  %2s ",
                         row->is_outbound ? "out" : "in", row->type, row->network,
                         board->services_width, row->services, row->transport, row->min_ping,
                         row->ping, row->sent, row->received, row->tx, row->block,
                         row->high_bandwidth);
    buffer_append_format(text, "%*s%*s%*s%*s %*s ", board->processed_width, row->addr_processed,
                         board->limited_width, row->addr_limited, board->age_width, row->age,
                         board->has_as_numbers ? 7 : 0, row->as_number, board->id_width,
                         row->id_text);
    if (shows_addresses(board))
        buffer_append_format(text, "%-*.*s", board->address_width, (int)row->address.len,
                             (const char *)row->address.p);
    if (shows_versions(board))
        buffer_append_format(text, "%s%.*s", row->version, (int)row->sub_version.len,
                             (const char *)row->sub_version.p);
    buffer_append_string(text, "\n");
}

/* The list of peers, with a line of headings above and of units below. */
static void write_peers(struct buffer *text, const struct dashboard *board)
{
    buffer_append_format(
        text, "<->   type   net %*s  v  mping   ping send recv  txn  blk  hb %*s%*s%*s %s%*s ",
        board->services_width, "serv", board->processed_width, "addrp", board->limited_width,
        "addrl", board->age_width, "age", board->has_as_numbers ? " asmap " : "", board->id_width,
        "id");
    if (shows_addresses(board))
        buffer_append_format(text, "%-*s", board->address_width, "address");
    buffer_append_string(text, shows_versions(board) ? "version\n" : "\n");
    for (size_t i = 0; i < board->n_rows; i++)
        write_row(text, board, &board->rows[i]);
    buffer_append_format(text, "%*s%7s%7s%5s%5s%5s%5s     %*s%*s\n\n", 20 + board->services_width,
                         "", "ms", "ms", "sec", "sec", "min", "min",
                         board->processed_width + board->limited_width, "", board->age_width,
                         "min");
}

/* Is the network one of those that the node can reach? */
static bool is_reachable(const struct json_value *network, const char *name)
{
    for (const struct json_value *v = member(network, "networks")->first; v; v = v->next) {
        if (json_text_is(member(v, "name"), name))
            return flag(v, "reachable", false);
    }
    return false;
}

/* How many connections there are, by network and direction. */
static void write_counts(struct buffer *text, const struct dashboard *board,
                         const struct json_value *network)
{
    static const char *const labels[] = {"in", "out", "total"};
    bool shown[N_NETWORKS];
    bool has_manual = board->counts[2].manual > 0;
    buffer_append_string(text, "     ");
    for (size_t i = 0; i < N_NETWORKS; i++) {
        shown[i] = is_reachable(network, networks[i].name) || board->counts[2].by_network[i] > 0;
        if (shown[i])
            buffer_append_format(text, "%8s", networks[i].shown);
    }
    buffer_append_format(text, "   total   block%s", has_manual ? "  manual" : "");
    for (size_t row = 0; row < COUNT_OF(labels); row++) {
        const struct direction_counts *counts = &board->counts[row];
        buffer_append_format(text, "\n%-5s", labels[row]);
        for (size_t i = 0; i < N_NETWORKS; i++) {
            if (shown[i])
                buffer_append_format(text, "%8" PRIu64, counts->by_network[i]);
        }
        buffer_append_format(text, "%8" PRIu64, counts->total);
        if (row != 1)
            continue;
        buffer_append_format(text, "%8" PRIu64, counts->block_only);
        if (has_manual)
            buffer_append_format(text, "%8" PRIu64, counts->manual);
    }
}

static void write_local_addresses(struct buffer *text, const struct json_value *addresses)
{
    int width = 0;
    buffer_append_string(text, "\n\nLocal addresses");
    if (!addresses->first)
        buffer_append_string(text, ": n/a");
    for (const struct json_value *v = addresses->first; v; v = v->next)
        widen(&width, string(v, "address").len + 1);
    for (const struct json_value *v = addresses->first; v; v = v->next) {
        struct span host = string(v, "address");
        buffer_append_format(text, "\n%-*.*s    port %6" PRId64 "    score %6" PRId64, width,
                             (int)host.len, (const char *)host.p, number(v, "port"),
                             number(v, "score"));
    }
}

void cli_netinfo_write(struct buffer *text, const struct cli_netinfo *what,
                       const struct json_value *network, const struct json_value *peers,
                       const char *chain, int64_t now_s)
{
    ASSERT(what);
    struct dashboard board = {
        .what = what,
        .now_s = now_s,
        .services_width = 6,
        .processed_width = 5,
        .limited_width = 6,
        .age_width = 5,
        .id_width = 2,
        .address_width = 8, /* the heading */
    };
    read_peers(&board, peers);
    write_title(text, &board, network, chain);
    if (what->level > 0 && board.n_rows > 0)
        write_peers(text, &board);
    write_counts(text, &board, network);
    if (what->level == 0) {
        buffer_append_string(text, "\n\nLocal services: ");
        list_services(text, member(network, "localservicesnames"));
    }
    write_local_addresses(text, member(network, "localaddresses"));
    xfree(board.rows);
}

/* -- Addresses ---------------------------------------------------------------------------- */

void cli_addrinfo_write(struct buffer *text, const struct json_value *addrman)
{
    buffer_append_string(text, "{\n  \"addresses_known\": {");
    for (const struct json_value *v = addrman->first; v; v = v->next) {
        bool is_sum = span_equal(v->name, span_of_string("all_networks"));
        struct span name = is_sum ? span_of_string("total") : v->name;
        buffer_append_format(text, "%s\n    \"%.*s\": %" PRId64, v == addrman->first ? "" : ",",
                             (int)name.len, (const char *)name.p, number(v, "total"));
    }
    buffer_append_string(text, "\n  }\n}");
}

/* -- Help --------------------------------------------------------------------------------- */

void cli_netinfo_help(struct buffer *text)
{
    static const char *const lines[] = {
        "-netinfo (level [outonly]) | help",
        "",
        "A dashboard of the node's connections, from getpeerinfo and getnetworkinfo. With watch it",
        "is a live one: watch cairn-cli -netinfo 4",
        "",
        "Arguments:",
        "1. level    How much to show, 0 to 4 (default: 0):",
        "            0 - how many connections, our services and addresses",
        "            1 - and a list of the peers",
        "            2 - the list with addresses",
        "            3 - the list with versions",
        "            4 - the list with both",
        "2. outonly  List outbound peers only (\"o\" for short)",
        "   help     This text",
        "",
        "The list has inbound peers first, then the quickest first:",
        "",
        "  <->      Direction: in, or out if we opened the connection",
        "  type     full, block (blocks only), manual (-addnode, -connect, addnode), feeler (a "
        "short",
        "           test of an address), addr (asks for addresses), priv (private broadcast)",
        "  net      Network: ipv4, ipv6, onion, i2p, cjdns, or npr (not publicly routable)",
        "  serv     Services: n network, b bloom, w witness, c compact filters, l network limited,",
        "           2 P2P v2, u unknown",
        "  v        Version of the transport",
        "  mping    Shortest ping so far, in milliseconds",
        "  ping     Last ping, in milliseconds",
        "  send     Seconds since the last message to the peer",
        "  recv     Seconds since the last message from it",
        "  txn      Minutes since its last new transaction; \"*\": none are relayed to it",
        "  blk      Minutes since its last new block",
        "  hb       Compact blocks at high bandwidth: \".\" from it to us, \"*\" from us to it",
        "  addrp    Addresses taken from it; \".\": no addresses are exchanged",
        "  addrl    Addresses of it that were too many at once",
        "  age      Minutes since the connection began",
        "  asmap    Its autonomous system, if -asmap is on",
        "  id       Its number, as in getpeerinfo",
        "  address  Its address and port",
        "  version  Its protocol version and name",
        "",
        "The table below counts connections by network and direction, those for blocks only, and",
        "those made by hand if there are any.",
    };
    for (size_t i = 0; i < COUNT_OF(lines); i++)
        buffer_append_format(text, "%s%s", i == 0 ? "" : "\n", lines[i]);
}
