/* scenario_read.c - see scenario_read.h */
#include "sim/study/scenario_read.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "rpc/json_in.h"
#include "sim/study/geography.h"

#define GROUPS_MAX      64
#define POWER_MAX_MILLI INT64_C(1000000000)

struct reading {
    struct scenario *scenario;
    const char *file;
    struct span text;
    const struct json_value *root;
    char *error;
};

static unsigned line_at(struct span text, size_t offset)
{
    unsigned line = 1;
    for (size_t i = 0; i < offset && i < text.len; i++)
        line += text.p[i] == '\n';
    return line;
}

PRINTF(3, 4)
static bool refuse(struct reading *r, const struct json_value *value, const char *format, ...)
{
    char what[SCENARIO_ERROR_BYTES / 2];
    va_list args;
    va_start(args, format);
    vsnprintf(what, sizeof what, format, args);
    va_end(args);
    snprintf(r->error, SCENARIO_ERROR_BYTES, "%.100s:%u: %s", r->file, line_at(r->text, value->at),
             what);
    return false;
}

/* -- Members ---------------------------------------------------------------------------------- */

static void copy_name(const struct json_value *member, char out[SCENARIO_NAME_BYTES])
{
    snprintf(out, SCENARIO_NAME_BYTES, "%.*s", (int)member->name.len, (const char *)member->name.p);
}

static bool refuse_name(struct reading *r, const struct json_value *member,
                        const char *const *names, size_t n)
{
    char name[SCENARIO_NAME_BYTES];
    copy_name(member, name);
    const char *near = scenario_near(name, names, n);
    if (near)
        return refuse(r, member, "%s is no field; is it %s?", name, near);
    return refuse(r, member, "%s is no field", name);
}

static bool read_number(struct reading *r, const struct json_value *value, int64_t max,
                        int64_t *out)
{
    char name[SCENARIO_NAME_BYTES];
    copy_name(value, name);
    return json_integer_in(value, 0, max, out) ||
           refuse(r, value, "%s must be a number from 0 to %" PRId64, name, max);
}

static bool read_node(struct reading *r, const struct json_value *value, uint32_t *out)
{
    int64_t node = 0;
    if (!json_integer_in(value, 0, SCENARIO_NODES_MAX - 1, &node))
        return refuse(r, value, "a node is a number from 0 to %d", SCENARIO_NODES_MAX - 1);
    *out = (uint32_t)node;
    return true;
}

static bool read_field(struct reading *r, const struct json_value *value, enum scenario_field field)
{
    char text[64] = "", what[SCENARIO_ERROR_BYTES] = "";
    bool is_word = scenario_rows[field].words != NULL, is_flag = value->kind == JSON_KIND_BOOL;
    if (is_flag)
        snprintf(text, sizeof text, "%s", value->boolean ? "true" : "false");
    else if (value->kind == (is_word ? JSON_KIND_STRING : JSON_KIND_NUMBER))
        snprintf(text, sizeof text, "%.*s", (int)value->text.len, (const char *)value->text.p);
    else
        return refuse(r, value, "%s must be a %s, not a %s", scenario_rows[field].name,
                      is_word ? "string" : "number", json_kind_name(value->kind));
    return scenario_set(r->scenario, field, text, what) || refuse(r, value, "%.190s", what);
}

static bool read_name(struct reading *r, const struct json_value *value)
{
    if (value->kind != JSON_KIND_STRING || value->text.len == 0 ||
        value->text.len >= SCENARIO_NAME_BYTES)
        return refuse(r, value, "name must be a string of 1 to %d bytes", SCENARIO_NAME_BYTES - 1);
    for (size_t i = 0; i < value->text.len; i++)
        if (value->text.p[i] < ' ' || strchr("\"\\", value->text.p[i]))
            return refuse(r, value, "name has no quotes, no backslashes and no line breaks");
    snprintf(r->scenario->name, SCENARIO_NAME_BYTES, "%s", (const char *)value->text.p);
    return true;
}

/* A path in a scenario starts where the scenario is. */
static bool read_chain(struct reading *r, const struct json_value *value)
{
    const char *slash = strrchr(r->file, '/');
    if (value->kind != JSON_KIND_STRING || value->text.len == 0)
        return refuse(r, value, "chain must be the path of a chain file");
    size_t len = slash && value->text.p[0] != '/' ? (size_t)(slash - r->file) + 1 : 0;
    int n = snprintf(r->scenario->chain, SCENARIO_PATH_BYTES, "%.*s%s", (int)len, r->file,
                     (const char *)value->text.p);
    return n < SCENARIO_PATH_BYTES ||
           refuse(r, value, "chain: the path is longer than %d bytes", SCENARIO_PATH_BYTES - 1);
}

static bool is_array(struct reading *r, const struct json_value *value, const char *of)
{
    return value->kind == JSON_KIND_ARRAY ||
           refuse(r, value, "%.*s must be an array of %s", (int)value->name.len,
                  (const char *)value->name.p, of);
}

static bool read_links(struct reading *r, const struct json_value *list)
{
    if (!is_array(r, list, "pairs of nodes"))
        return false;
    if (list->n > SCENARIO_LINKS_MAX)
        return refuse(r, list, "links must be no more than %d", SCENARIO_LINKS_MAX);
    r->scenario->links.n = 0;
    for (const struct json_value *pair = list->first; pair; pair = pair->next) {
        struct scenario_link link;
        if (pair->kind != JSON_KIND_ARRAY || pair->n != 2)
            return refuse(r, list, "links must be pairs of nodes, as in [[0,1],[1,2]]");
        if (!read_node(r, pair->first, &link.from) || !read_node(r, pair->first->next, &link.to))
            return false;
        *ARRAY_ADD(&r->scenario->links) = link;
    }
    return true;
}

/* -- Objects in lists -------------------------------------------------------------------------- */

/* A member of an object of a list; out is what it is read into. */
struct member {
    const char *name;
    bool (*read)(struct reading *r, const struct json_value *value, void *out);
};

static bool read_object(struct reading *r, const struct json_value *object,
                        const struct member *members, size_t n, void *out)
{
    if (object->kind != JSON_KIND_OBJECT)
        return refuse(r, object, "there must be an object, as in [{\"%s\": ...}]", members[0].name);
    for (const struct json_value *value = object->first; value; value = value->next) {
        const char *names[8];
        size_t i = 0;
        for (size_t k = 0; k < n; k++)
            names[k] = members[k].name;
        while (i < n && !span_equal(value->name, span_of_string(names[i])))
            i++;
        if (i == n)
            return refuse_name(r, value, names, n);
        if (!members[i].read(r, value, out))
            return false;
    }
    for (size_t i = 0; i < n && members[i].name[0] == 'n'; i++) /* whom it is about */
        if (!json_find(object, members[i].name))
            return refuse(r, object->first ? object->first : object, "%s is missing",
                          members[i].name);
    return true;
}

static bool machine_node(struct reading *r, const struct json_value *value, void *out)
{
    return read_node(r, value, &((struct scenario_machine *)out)->node);
}

static bool machine_place(struct reading *r, const struct json_value *value, void *out)
{
    struct scenario_machine *machine = out;
    machine->place =
        value->kind == JSON_KIND_STRING ? geography_find((const char *)value->text.p) : -1;
    if (machine->place >= 0)
        return true;
    const char *names[64];
    size_t n = MIN_OF(geography_count(), COUNT_OF(names));
    for (size_t i = 0; i < n; i++)
        names[i] = geography_city(i)->name;
    const char *near = value->kind == JSON_KIND_STRING
                           ? scenario_near((const char *)value->text.p, names, n)
                           : NULL;
    if (near)
        return refuse(r, value, "place is none of the cities; is it %s?", near);
    return refuse(r, value, "place must be the name of a city, such as Frankfurt");
}

static bool machine_power(struct reading *r, const struct json_value *value, void *out)
{
    struct scenario_machine *machine = out;
    return (value->kind == JSON_KIND_NUMBER && json_fixed_point(value, 3, &machine->power_milli) &&
            machine->power_milli >= 0 && machine->power_milli <= POWER_MAX_MILLI) ||
           refuse(r, value, "power must be a number from 0 to 1000000 with 3 decimals at most");
}

static bool machine_rate(struct reading *r, const struct json_value *value, void *out)
{
    return read_number(r, value, scenario_rows[SCENARIO_RATE_KBYTES_PER_S].max,
                       &((struct scenario_machine *)out)->rate_kbytes_per_s);
}

static bool read_machines(struct reading *r, const struct json_value *list)
{
    static const struct member members[] = {{"node", machine_node},
                                            {"place", machine_place},
                                            {"power", machine_power},
                                            {"rate_kbytes_per_s", machine_rate}};
    if (!is_array(r, list, "objects"))
        return false;
    r->scenario->machines.n = 0;
    for (const struct json_value *object = list->first; object; object = object->next) {
        struct scenario_machine machine = {.place = -1, .power_milli = -1};
        if (!read_object(r, object, members, COUNT_OF(members), &machine))
            return false;
        *ARRAY_ADD(&r->scenario->machines) = machine;
    }
    return true;
}

static bool attacker_node(struct reading *r, const struct json_value *value, void *out)
{
    return read_node(r, value, &((struct scenario_attacker *)out)->node);
}

static bool attacker_kind(struct reading *r, const struct json_value *value, void *out)
{
    static const char *const kinds[] = {"selfish", "eclipse", "stall", "lie"};
    struct scenario_attacker *attacker = out;
    for (size_t i = 0; i < COUNT_OF(kinds); i++) {
        if (!json_text_is(value, kinds[i]))
            continue;
        snprintf(attacker->kind, sizeof attacker->kind, "%s", kinds[i]);
        return true;
    }
    return refuse(r, value, "kind must be one of selfish, eclipse, stall, lie");
}

static bool attacker_target(struct reading *r, const struct json_value *value, void *out)
{
    return read_node(r, value, &((struct scenario_attacker *)out)->target);
}

static bool read_attackers(struct reading *r, const struct json_value *list)
{
    static const struct member members[] = {
        {"node", attacker_node}, {"kind", attacker_kind}, {"target", attacker_target}};
    if (!is_array(r, list, "objects"))
        return false;
    r->scenario->attackers.n = 0;
    for (const struct json_value *object = list->first; object; object = object->next) {
        struct scenario_attacker attacker = {.target = SCENARIO_NO_TARGET};
        if (!read_object(r, object, members, COUNT_OF(members), &attacker))
            return false;
        *ARRAY_ADD(&r->scenario->attackers) = attacker;
    }
    return true;
}

static bool partition_from(struct reading *r, const struct json_value *value, void *out)
{
    return read_number(r, value, 60000000, &((struct scenario_partition *)out)->from_s);
}

static bool partition_to(struct reading *r, const struct json_value *value, void *out)
{
    return read_number(r, value, 60000000, &((struct scenario_partition *)out)->to_s);
}

static bool partition_groups(struct reading *r, const struct json_value *value, void *out)
{
    struct scenario_partition *partition = out;
    uint32_t group = 0;
    if (!is_array(r, value, "arrays of nodes"))
        return false;
    if (value->n > GROUPS_MAX)
        return refuse(r, value, "groups must be no more than %d", GROUPS_MAX);
    for (const struct json_value *list = value->first; list; list = list->next, group++) {
        if (list->kind != JSON_KIND_ARRAY)
            return refuse(r, value, "groups must be arrays of nodes, as in [[0,1],[2,3]]");
        for (const struct json_value *node = list->first; node; node = node->next) {
            struct scenario_link side = {.to = group};
            if (!read_node(r, node, &side.from))
                return false;
            *ARRAY_ADD(&partition->sides) = side;
        }
    }
    return true;
}

static bool read_partitions(struct reading *r, const struct json_value *list)
{
    static const struct member members[] = {
        {"from_s", partition_from}, {"to_s", partition_to}, {"groups", partition_groups}};
    if (!is_array(r, list, "objects"))
        return false;
    for (const struct json_value *object = list->first; object; object = object->next) {
        struct scenario_partition *partition = ARRAY_ADD(&r->scenario->partitions);
        *partition = (struct scenario_partition){0};
        if (!read_object(r, object, members, COUNT_OF(members), partition))
            return false;
        if (partition->to_s <= partition->from_s)
            return refuse(r, object->first ? object->first : list,
                          "a partition ends after it begins: to_s must be above from_s");
    }
    return true;
}

/* -- The whole --------------------------------------------------------------------------------- */

static bool read_member(struct reading *r, const struct json_value *member)
{
    static const struct {
        const char *name;
        bool (*read)(struct reading *r, const struct json_value *value);
    } lists[] = {{"name", read_name},
                 {"chain", read_chain},
                 {"links", read_links},
                 {"machines", read_machines},
                 {"partitions", read_partitions},
                 {"attackers", read_attackers}};
    const char *names[COUNT_OF(lists) + SCENARIO_FIELDS];
    for (size_t i = 0; i < COUNT_OF(lists); i++) {
        if (span_equal(member->name, span_of_string(lists[i].name)))
            return lists[i].read(r, member);
        names[i] = lists[i].name;
    }
    for (size_t i = 0; i < SCENARIO_FIELDS; i++) {
        names[COUNT_OF(lists) + i] = scenario_rows[i].name;
        if (span_equal(member->name, span_of_string(scenario_rows[i].name)))
            return read_field(r, member, (enum scenario_field)i);
    }
    return refuse_name(r, member, names, COUNT_OF(names));
}

static bool read_all(struct reading *r)
{
    if (r->root->kind != JSON_KIND_OBJECT)
        return refuse(r, r->root, "a scenario is an object, as in {\"nodes\": 20}");
    for (const struct json_value *member = r->root->first; member; member = member->next) {
        for (const struct json_value *other = r->root->first; other != member; other = other->next)
            if (span_equal(other->name, member->name))
                return refuse(r, member, "%.*s stands here twice", (int)member->name.len,
                              (const char *)member->name.p);
        if (!read_member(r, member))
            return false;
    }
    return true;
}

bool scenario_read(struct scenario *scenario, const char *file, struct span text,
                   char error[SCENARIO_ERROR_BYTES])
{
    ASSERT(scenario && file && error);
    struct arena arena;
    struct json_value *root = NULL;
    size_t fault_at;
    arena_init(&arena, 65536);
    struct reading r = {.scenario = scenario, .file = file, .text = text, .error = error};
    bool is_good = json_parse_at(text, &arena, &root, &fault_at);
    if (!is_good)
        snprintf(error, SCENARIO_ERROR_BYTES, "%.100s:%u: this is no JSON", file,
                 line_at(text, fault_at));
    r.root = root;
    is_good = is_good && read_all(&r);
    arena_deinit(&arena);
    return is_good;
}
