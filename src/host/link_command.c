/* link_command.c - see link_command.h */
#include "host/link_command.h"

#include <string.h>

#include "host/link_net.h"
#include "util/alloc.h"
#include "util/parse.h"

#define ANY UINT32_MAX

/* The next word of *line, cut off; NULL at its end. */
static char *next_word(char **line)
{
    *line += strspn(*line, " \n");
    if (!**line)
        return NULL;
    char *word = *line;
    *line += strcspn(word, " \n");
    if (**line)
        *(*line)++ = '\0';
    return word;
}

/* Returns: false if the next word is no number from 0 to most. */
static bool next_number(char **line, int64_t most, int64_t *out)
{
    const char *word = next_word(line);
    return word && parse_int64(word, out) && *out >= 0 && *out <= most;
}

static bool next_node(char **line, uint32_t *node)
{
    int64_t number;
    if (!next_number(line, LINK_NODES_MAX - 1, &number))
        return false;
    *node = (uint32_t)number;
    return true;
}

/* As next_node(); "*" is ANY. */
static bool next_end(char **line, uint32_t *node)
{
    *line += strspn(*line, " ");
    if (strncmp(*line, "* ", 2) != 0)
        return next_node(line, node);
    *line += 2;
    *node = ANY;
    return true;
}

/* Each handler appends what follows "ok", or returns what is wrong: a literal, or *error's text. */
typedef const char *handler_fn(struct link_net *net, char *line, struct buffer *answer,
                               char **error);

#define NO_NODE "no such node"
#define ODD     "not understood; see link_command.h"

static const char *add(struct link_net *net, char *line, struct buffer *answer, char **error)
{
    uint32_t node;
    if (!next_node(&line, &node))
        return ODD;
    if (link_net_has(net, node))
        return "that node is there already";
    if (!link_net_add(net, node, error))
        return *error;
    char address[LINK_ADDRESS_BYTES];
    buffer_append_format(answer, " %d %s", net->devices[node].ns, link_address(node, address));
    return NULL;
}

static const char *take_away(struct link_net *net, char *line, struct buffer *answer, char **error)
{
    (void)answer, (void)error;
    uint32_t node;
    if (!next_node(&line, &node) || !link_net_has(net, node))
        return NO_NODE;
    link_net_remove(net, node);
    return NULL;
}

/* Set the rule for each pair that two ends stand for. */
static void set_rule(struct link_net *net, uint32_t from, uint32_t to, const struct link_rule *rule)
{
    if (from == ANY && to == ANY) {
        link_pairs_set_all(net->pairs, rule);
        return;
    }
    if (from != ANY && to != ANY) {
        link_pairs_set(net->pairs, from, to, rule);
        return;
    }
    for (uint32_t i = 0; i < LINK_NODES_MAX; i++)
        if (link_net_has(net, i))
            link_pairs_set(net->pairs, from == ANY ? i : from, to == ANY ? i : to, rule);
}

static const char *set_link(struct link_net *net, char *line, struct buffer *answer, char **error)
{
    (void)answer, (void)error;
    uint32_t from, to;
    struct link_rule rule;
    if (!next_end(&line, &from) || !next_end(&line, &to) ||
        !next_number(&line, LINK_DELAY_US_MAX, &rule.delay_us) ||
        !next_number(&line, LINK_DELAY_US_MAX, &rule.jitter_us) ||
        !next_number(&line, LINK_LOSS_PPM_MAX, &rule.loss_ppm) ||
        !next_number(&line, LINK_RATE_MAX, &rule.rate_bytes_s))
        return ODD;
    set_rule(net, from, to, &rule);
    return NULL;
}

static const char *reset(struct link_net *net, char *line, struct buffer *answer, char **error)
{
    (void)line, (void)answer, (void)error;
    link_pairs_reset(net->pairs);
    return NULL;
}

static const char *group(struct link_net *net, char *line, struct buffer *answer, char **error)
{
    (void)answer, (void)error;
    int64_t number;
    if (!next_number(&line, LINK_NODES_MAX, &number))
        return ODD;
    while (*(line += strspn(line, " \n"))) {
        uint32_t node;
        if (!next_node(&line, &node))
            return ODD;
        link_pairs_group(net->pairs, node, (uint32_t)number);
    }
    return NULL;
}

static const char *heal(struct link_net *net, char *line, struct buffer *answer, char **error)
{
    (void)line, (void)answer, (void)error;
    link_pairs_heal(net->pairs);
    return NULL;
}

static const char *stats(struct link_net *net, char *line, struct buffer *answer, char **error)
{
    (void)line, (void)error;
    const struct link_counts *counts = &net->counts;
    const struct {
        const char *name;
        uint64_t n;
    } figures[] = {
        {"nodes", net->n_nodes},        {"passed", counts->passed}, {"bytes", counts->passed_bytes},
        {"lost", counts->lost},         {"cut", counts->cut},       {"full", counts->full},
        {"waiting", net->queue.heap.n},
    };
    for (size_t i = 0; i < COUNT_OF(figures); i++)
        buffer_append_format(answer, " %s %llu", figures[i].name, (unsigned long long)figures[i].n);
    return NULL;
}

static const struct {
    const char *name;
    handler_fn *handler;
} commands[] = {
    {"add", add},     {"remove", take_away}, {"link", set_link}, {"reset", reset},
    {"group", group}, {"heal", heal},        {"stats", stats},
};

void link_command(struct link_net *net, char *line, struct buffer *answer)
{
    ASSERT(net && line && answer);
    const char *name = next_word(&line), *wrong = ODD;
    char *error = NULL;
    size_t start = answer->len;
    buffer_append_string(answer, "ok");
    for (size_t i = 0; name && i < COUNT_OF(commands); i++)
        if (strcmp(commands[i].name, name) == 0)
            wrong = commands[i].handler(net, line, answer, &error);
    if (wrong) {
        answer->len = start;
        buffer_append_format(answer, "error %s", wrong);
    }
    xfree(error);
}
