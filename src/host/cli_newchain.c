/* cli_newchain.c - see cli_newchain.h. */
#include "host/cli_newchain.h"

#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/random.h>
#include <time.h>

#include "node/chain_file.h"
#include "rpc/json_write.h"
#include "util/alloc.h"
#include "util/hex.h"
#include "util/near_name.h"

#define ARENA_BYTES   16384
#define ANSWER_BYTES  256
#define INDENT        2
#define HRP_CHARS_MAX 16

/* One row is one argument, and but for the last kind one field of the file. */
enum row_kind { TEXT, NUMBER, ARGUMENT };

static const struct row {
    const char *group, *name;
    enum row_kind kind;
    const char *fallback, *question;
} rows[] = {
    /* clang-format off */
    {"", "name", TEXT, "", "Name of the chain, small letters and digits"},
    {"", "magic", TEXT, NULL, NULL},
    {"", "p2p_port", NUMBER, "28555", "Port for peers"},
    {"", "rpc_port", NUMBER, "28554", "Port for RPC"},
    {"addresses", "pubkey", NUMBER, "111", NULL},
    {"addresses", "script", NUMBER, "196", NULL},
    {"addresses", "secret", NUMBER, "239", NULL},
    {"addresses", "xpub", TEXT, "043587cf", NULL},
    {"addresses", "xprv", TEXT, "04358394", NULL},
    {"addresses", "hrp", TEXT, NULL, NULL},
    {"genesis", "message", TEXT, NULL, NULL},
    {"genesis", "time", NUMBER, NULL, NULL},
    {"genesis", "bits", TEXT, "207fffff", NULL},
    {"genesis", "nonce", NUMBER, "0", NULL},
    {"", "pow_limit", TEXT, NULL, NULL},
    {"", "block_spacing_s", NUMBER, "600", "Seconds between blocks"},
    {"", "retarget_interval", NUMBER, "null", "Blocks between changes of difficulty, or null"},
    {"", "min_difficulty", NUMBER, "false", NULL},
    {"", "bip94", NUMBER, "false", NULL},
    {"", "subsidy", NUMBER, "50", "Coins of the first blocks"},
    {"", "halving_interval", NUMBER, "210000", "Blocks between halvings"},
    {"", "coinbase_maturity", NUMBER, "100", "Blocks until a block's coins can be spent"},
    {"activation_heights", "bip34", NUMBER, "1", NULL},
    {"activation_heights", "dersig", NUMBER, "1", NULL},
    {"activation_heights", "cltv", NUMBER, "1", NULL},
    {"activation_heights", "csv", NUMBER, "1", NULL},
    {"activation_heights", "segwit", NUMBER, "0", NULL},
    {"", "signet_challenge", TEXT, NULL, NULL},
    {"", "seeds", ARGUMENT, NULL, NULL},
    {"", "genesis", ARGUMENT, NULL, NULL},
    {"", "file", ARGUMENT, NULL, NULL},
    /* clang-format on */
};

#define ROWS COUNT_OF(rows)

/* One run. */
struct newchain {
    struct arena arena;
    const char *value[ROWS]; /* NULL: the field is left out */
    uint32_t nonce;
};

static size_t row_of(const char *name)
{
    size_t i = 0;
    while (i < ROWS && strcmp(rows[i].name, name) != 0)
        i++;
    return i;
}

static const char **value_of(struct newchain *new, const char *name)
{
    size_t i = row_of(name);
    ASSERT(i < ROWS);
    return &new->value[i];
}

static char *keep(struct newchain *new, const char *s, size_t len)
{
    char *copy = arena_alloc(&new->arena, len + 1);
    memcpy(copy, s, len);
    copy[len] = '\0';
    return copy;
}

/* -- What is wanted ------------------------------------------------------------------------------
 */

static bool refuse_argument(const char *name, char **error)
{
    for (size_t i = 0; i < ROWS; i++)
        if (near_name_is_near(name, rows[i].name))
            return fail_with(error, "newchain: there is no field \"%s\": did you mean \"%s\"?",
                             name, rows[i].name);
    return fail_with(error, "newchain: there is no field \"%s\"", name);
}

/* What may be said, and what is so if it is not. */
static void put_usage(struct buffer *text)
{
    buffer_append_string(text, "cairn-cli newchain [<field>=<value>...]\n\n"
                               "Describe a chain of your own, for -chainfile, and mine its first "
                               "block. Without a name it asks.\n"
                               "doc/testnets.md says what each field means.\n\n");
    for (size_t i = 0; i < ROWS; i++) {
        const struct row *row = &rows[i];
        char *line = xasprintf(
            "  %s%s%s%s\n", row->name, row->fallback && *row->fallback ? " (" : "",
            row->fallback ? row->fallback : "", row->fallback && *row->fallback ? ")" : "");
        buffer_append_string(text, line);
        xfree(line);
    }
}

static bool wants_usage(const char *const *args, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (strcmp(args[i], "--help") == 0 || strcmp(args[i], "-help") == 0 ||
            strcmp(args[i], "-h") == 0)
            return true;
    return false;
}

static bool take_args(struct newchain *new, const char *const *args, size_t n, char **error)
{
    for (size_t i = 0; i < n; i++) {
        const char *equals = strchr(args[i], '=');
        if (!equals)
            return fail_with(error, "newchain: \"%s\" is not of the form field=value", args[i]);
        const char *name = keep(new, args[i], (size_t)(equals - args[i]));
        size_t row = row_of(name);
        if (row == ROWS)
            return refuse_argument(name, error);
        if (new->value[row])
            return fail_with(error, "newchain: \"%s\" is given twice", name);
        new->value[row] = equals + 1;
    }
    return true;
}

/* An empty answer keeps what is there. Returns: false at the end of the input */
static bool ask(struct newchain *new, size_t row)
{
    char answer[ANSWER_BYTES];
    const char *fallback = new->value[row] ? new->value[row] : rows[row].fallback;
    fprintf(stderr, "%s%s%s%s: ", rows[row].question, *fallback ? " [" : "", fallback,
            *fallback ? "]" : "");
    if (!fgets(answer, sizeof answer, stdin))
        return false;
    size_t len = strcspn(answer, "\r\n");
    if (len > 0)
        new->value[row] = keep(new, answer, len);
    return true;
}

static bool ask_all(struct newchain *new, char **error)
{
    if (*value_of(new, "name"))
        return true;
    for (size_t i = 0; i < ROWS; i++)
        if (rows[i].question && !ask(new, i))
            return fail_with(error, "newchain: name=<name> is missing");
    return *value_of(new, "name") || fail_with(error, "newchain: a chain needs a name");
}

/* -- What is not said ----------------------------------------------------------------------------
 */

static const char *random_magic(struct newchain *new)
{
    uint8_t magic[4];
    char *hex = arena_alloc(&new->arena, 2 * sizeof magic + 1);
    while (getrandom(magic, sizeof magic, 0) != (ssize_t)sizeof magic)
        ;
    return hex_encode(hex, span_of(magic, sizeof magic));
}

/* The letters and digits of the name. */
static const char *prefix_of(struct newchain *new, const char *name)
{
    char *hrp = arena_alloc(&new->arena, HRP_CHARS_MAX + 1);
    size_t n = 0;
    for (; *name && n < HRP_CHARS_MAX; name++)
        if (isalnum((unsigned char)*name))
            hrp[n++] = *name;
    hrp[n] = '\0';
    return hrp;
}

static void set(struct newchain *new, const char *name, const char *value)
{
    const char **at = value_of(new, name);
    if (!*at)
        *at = value;
}

static void fill(struct newchain *new)
{
    char now[24];
    const char **magic = value_of(new, "magic"), *name = *value_of(new, "name");
    for (size_t i = 0; i < ROWS; i++)
        if (!new->value[i])
            new->value[i] = rows[i].fallback;
    set(new, "hrp", prefix_of(new, name));
    set(new, "message", name);
    snprintf(now, sizeof now, "%lld", (long long)time(NULL));
    set(new, "time", keep(new, now, strlen(now)));
    set(new, "pow_limit", *value_of(new, "bits"));
    if (!*magic)
        *magic = random_magic(new);
    else if (strcmp(*magic, "rules") == 0)
        *magic = NULL;
}

/* -- The file ------------------------------------------------------------------------------------
 */

/* What is no number goes as a text: the reader says what it should have been. */
static struct json_value *json_of(struct newchain *new, const struct row *row, const char *value)
{
    struct json_value *parsed;
    struct span text = span_of_string(value);
    if (row->kind != TEXT && json_parse(text, &new->arena, &parsed) &&
        parsed->kind != JSON_KIND_STRING)
        return parsed;
    return json_new_text(&new->arena, JSON_KIND_STRING, text);
}

static struct json_value *seeds_of(struct newchain *new, const char *value)
{
    struct json_value *list = json_new(&new->arena, JSON_KIND_ARRAY);
    while (*value) {
        size_t len = strcspn(value, ",");
        json_add(list, NULL, json_new_text(&new->arena, JSON_KIND_STRING, span_of(value, len)));
        value += len + (value[len] == ',');
    }
    return list;
}

/* The object that a group's fields stand in. */
static struct json_value *group_of(struct newchain *new, struct json_value *root, const char *name)
{
    if (!*name)
        return root;
    struct json_value *group = (struct json_value *)(uintptr_t)json_find(root, name);
    if (!group) {
        group = json_new(&new->arena, JSON_KIND_OBJECT);
        json_add(root, name, group);
    }
    return group;
}

static void write_text(struct newchain *new, struct buffer *out)
{
    struct json_value *root = json_new(&new->arena, JSON_KIND_OBJECT);
    const char *genesis = *value_of(new, "genesis"), *seeds = *value_of(new, "seeds");
    char nonce[16];
    snprintf(nonce, sizeof nonce, "%u", new->nonce);
    *value_of(new, "nonce") = keep(new, nonce, strlen(nonce));
    if (genesis)
        json_add(root, "genesis",
                 json_new_text(&new->arena, JSON_KIND_STRING, span_of_string(genesis)));
    for (size_t i = 0; i < ROWS; i++) {
        bool is_left_out = !new->value[i] || rows[i].kind == ARGUMENT ||
                           (genesis && strcmp(rows[i].group, "genesis") == 0);
        if (!is_left_out)
            json_add(group_of(new, root, rows[i].group), rows[i].name,
                     json_of(new, &rows[i], new->value[i]));
    }
    if (seeds)
        json_add(root, "seeds", seeds_of(new, seeds));
    out->len = 0;
    json_write(out, root, INDENT);
}

static bool mine(struct newchain *new, struct buffer *text, char **error)
{
    struct network network;
    write_text(new, text);
    if (!chain_file_mine(buffer_span(text), "newchain", &new->arena, &new->nonce, error))
        return false;
    write_text(new, text);
    return chain_file_parse(buffer_span(text), "newchain", &new->arena, &network, error);
}

/* Never over a file that is there: it may be a chain's that others use. */
static bool write_file(const char *path, struct buffer *text, char **error)
{
    FILE *file = fopen(path, "wx");
    if (!file)
        return fail_with(error, "newchain: cannot make %s: %s", path, strerror(errno));
    bool ok = fwrite(text->p, 1, text->len, file) == text->len && fputc('\n', file) != EOF;
    ok = fclose(file) == 0 && ok;
    text->len = 0;
    return ok || fail_with(error, "newchain: cannot write %s: %s", path, strerror(errno));
}

bool cli_newchain(const char *const *args, size_t n, struct buffer *text, char **error)
{
    ASSERT(text && error && (args || n == 0));
    struct newchain new = {.nonce = 0};
    if (wants_usage(args, n)) {
        put_usage(text);
        return true;
    }
    arena_init(&new.arena, ARENA_BYTES);
    bool ok = take_args(&new, args, n, error) && ask_all(&new, error);
    if (ok) {
        fill(&new);
        ok = mine(&new, text, error);
    }
    const char *path = *value_of(&new, "file");
    ok = ok && (!path || write_file(path, text, error));
    arena_deinit(&new.arena);
    return ok;
}
