/* test_node_bans.c - orders to ban, and the file that remembers them.
 *
 * The mesh is played by this file: a list, and who was disconnected. */
#include <errno.h>

#include "node/node_bans.h"
#include "sim/sim_env.h"
#include "support/unit.h"
#include "util/alloc.h"
#include "util/replace_file.h"

#define START 1700000000

struct p2p {
    struct ban_list list;
    char dropped[NET_ADDRESS_TEXT_MAX];
};

struct ban_list *p2p_bans(struct p2p *p2p)
{
    return &p2p->list;
}

void p2p_disconnect_range(struct p2p *p2p, const struct net_range *range)
{
    ban_range_format(range, p2p->dropped);
}

struct rig {
    struct sim_env *sim;
    const struct env *env;
    struct p2p p2p;
    struct node_bans *bans;
    char *warning;
    int n_saved, error; /* answers of node_bans_save(), the last one */
};

static void rig_open(struct rig *rig)
{
    static const struct node_bans_options options = {.data_dir = "regtest", .ban_time_s = 500};
    rig->env = sim_env_get(rig->sim);
    ban_list_init(&rig->p2p.list);
    rig->bans = node_bans_new(rig->env, NULL, &rig->p2p, &options, &rig->warning);
}

static void rig_init(struct rig *rig)
{
    *rig = (struct rig){.sim = sim_env_new(7)};
    sim_env_set_unix_s(rig->sim, START);
    rig->env = sim_env_get(rig->sim);
    assert_int_equal(env_make_dir(rig->env, "regtest"), 0);
    rig_open(rig);
    assert_null(rig->warning);
}

static void rig_close(struct rig *rig)
{
    node_bans_free(rig->bans);
    ban_list_deinit(&rig->p2p.list);
    xfree(rig->warning);
    rig->warning = NULL;
}

static void rig_deinit(struct rig *rig)
{
    rig_close(rig);
    sim_env_free(rig->sim);
}

/* Another process on what a crash leaves. */
static void rig_crash(struct rig *rig, enum sim_crash how)
{
    struct sim_env *after = sim_env_crash(rig->sim, how, 3);
    sim_env_run_until_idle(rig->sim);
    rig_deinit(rig);
    rig->sim = after;
    rig_open(rig);
}

static void on_saved(void *arg, int error)
{
    struct rig *rig = arg;
    rig->n_saved++;
    rig->error = error;
}

static int save(struct rig *rig)
{
    int before = rig->n_saved;
    node_bans_save(rig->bans, on_saved, rig);
    sim_env_run_until_idle(rig->sim);
    assert_int_equal(rig->n_saved, before + 1);
    return rig->error;
}

static void show_ban(void *arg, const struct net_ban *ban)
{
    buffer_append_format(arg, "%s %lld %lld;", ban->subnet, (long long)ban->created_s - START,
                         (long long)ban->until_s - START);
}

static void assert_bans(struct rig *rig, const char *want)
{
    struct buffer text;
    buffer_init(&text);
    node_bans_each(rig->bans, show_ban, &text);
    buffer_append(&text, "", 1);
    assert_string_equal((const char *)text.p, want);
    buffer_deinit(&text);
}

static void write_file(struct rig *rig, const char *text)
{
    assert_int_equal(replace_file(rig->env, "regtest/banlist.json", span_of_string(text)), 0);
}

TEST(bans_have_the_length_that_was_ordered)
{
    struct rig rig;
    rig_init(&rig);
    assert_int_equal(node_bans_add(rig.bans, "1.2.3.4", 0, false), NET_RESULT_OK);
    assert_string_equal(rig.p2p.dropped, "1.2.3.4/32");
    assert_int_equal(node_bans_add(rig.bans, "10.1.0.0/8", 60, false), NET_RESULT_OK);
    assert_string_equal(rig.p2p.dropped, "10.0.0.0/8");
    assert_int_equal(node_bans_add(rig.bans, "::1", START + 5, true), NET_RESULT_OK);
    assert_int_equal(node_bans_add(rig.bans, "1.2.3.5", -7, false), NET_RESULT_OK);
    assert_int_equal(node_bans_add(rig.bans, "1.2.3.6", START, true), NET_RESULT_OK); /* is over */
    assert_int_equal(node_bans_add(rig.bans, "1.2.3.7", INT64_MAX, false), NET_RESULT_OK);
    assert_int_equal(rig.p2p.list.at[2].until_s, INT64_MAX);
    assert_int_equal(node_bans_remove(rig.bans, "1.2.3.7"), NET_RESULT_OK);
    assert_bans(&rig, "1.2.3.4/32 0 500;1.2.3.5/32 0 500;10.0.0.0/8 0 60;::1/128 0 5;");
    sim_env_set_unix_s(rig.sim, START + 60);
    assert_bans(&rig, "1.2.3.4/32 0 500;1.2.3.5/32 0 500;");
    rig_deinit(&rig);
}

TEST(orders_that_make_no_sense_are_refused)
{
    struct rig rig;
    rig_init(&rig);
    assert_int_equal(node_bans_add(rig.bans, "1.2.3.4/99", 0, false), NET_RESULT_BAD_ADDRESS);
    assert_int_equal(node_bans_remove(rig.bans, "x"), NET_RESULT_BAD_ADDRESS);
    assert_int_equal(node_bans_remove(rig.bans, "1.2.3.4"), NET_RESULT_UNKNOWN);
    assert_int_equal(node_bans_add(rig.bans, "1.2.3.4", START - 1, true), NET_RESULT_IN_PAST);
    assert_int_equal(node_bans_add(rig.bans, "1.2.3.4", 0, true), NET_RESULT_IN_PAST);
    assert_bans(&rig, "");
    assert_string_equal(rig.p2p.dropped, "");
    assert_int_equal(node_bans_add(rig.bans, "1.2.3.4", 10, false), NET_RESULT_OK);
    assert_int_equal(node_bans_add(rig.bans, "1.2.3.4/32", 20, false), NET_RESULT_EXISTS);
    assert_int_equal(node_bans_add(rig.bans, "1.2.3.4", START - 1, true), NET_RESULT_EXISTS);
    assert_int_equal(node_bans_add(rig.bans, "1.2.3.4/31", 20, false), NET_RESULT_OK);
    sim_env_set_unix_s(rig.sim, START + 10); /* a ban that is over is in nobody's way */
    assert_int_equal(node_bans_add(rig.bans, "1.2.3.4", 10, false), NET_RESULT_OK);
    assert_bans(&rig, "1.2.3.4/31 0 20;1.2.3.4/32 10 20;");
    node_bans_clear(rig.bans);
    assert_bans(&rig, "");
    rig_deinit(&rig);
}

TEST(a_full_list_is_an_error)
{
    struct rig rig;
    rig_init(&rig);
    for (unsigned i = 0; i <= BAN_LIST_MAX; i++) {
        char text[32];
        snprintf(text, sizeof text, "1.%u.%u.%u", i >> 16, i >> 8 & 255, i & 255);
        assert_int_equal(node_bans_add(rig.bans, text, 0, false),
                         i < BAN_LIST_MAX ? NET_RESULT_OK : NET_RESULT_FULL);
    }
    assert_int_equal(save(&rig), 0);
    rig_crash(&rig, SIM_CRASH_LOST);
    assert_null(rig.warning);
    assert_int_equal(rig.p2p.list.n, BAN_LIST_MAX);
    rig_deinit(&rig);
}

TEST(what_was_saved_outlives_a_power_cut)
{
    struct rig rig;
    rig_init(&rig);
    assert_int_equal(node_bans_add(rig.bans, "1.2.3.0/24", 100, false), NET_RESULT_OK);
    assert_int_equal(node_bans_add(rig.bans, "2a00::/16", 7, false), NET_RESULT_OK);
    assert_int_equal(save(&rig), 0);
    rig_crash(&rig, SIM_CRASH_LOST);
    sim_env_set_unix_s(rig.sim, START + 6);
    assert_bans(&rig, "1.2.3.0/24 0 100;2a00::/16 0 7;");
    assert_int_equal(node_bans_remove(rig.bans, "1.2.3.0/24"), NET_RESULT_OK);
    assert_int_equal(save(&rig), 0);
    rig_crash(&rig, SIM_CRASH_LOST);
    sim_env_set_unix_s(rig.sim, START + 6);
    assert_bans(&rig, "2a00::/16 0 7;");
    sim_env_set_unix_s(rig.sim, START + 7);
    assert_bans(&rig, "");
    rig_deinit(&rig);
}

TEST(orders_during_a_write_are_in_the_next)
{
    struct rig rig;
    rig_init(&rig);
    for (int i = 0; i < 5; i++) {
        char text[24];
        snprintf(text, sizeof text, "1.2.3.%d", i);
        assert_int_equal(node_bans_add(rig.bans, text, 100, false), NET_RESULT_OK);
        node_bans_save(rig.bans, on_saved, &rig);
    }
    assert_int_equal(rig.n_saved, 0);
    sim_env_run_until_idle(rig.sim);
    assert_int_equal(rig.n_saved, 5);
    assert_int_equal(rig.error, 0);
    rig_crash(&rig, SIM_CRASH_LOST);
    assert_int_equal(rig.p2p.list.n, 5);
    rig_deinit(&rig);
}

TEST(a_disk_that_fails_is_told_and_the_next_order_tries_again)
{
    struct rig rig;
    rig_init(&rig);
    assert_int_equal(node_bans_add(rig.bans, "1.2.3.4", 100, false), NET_RESULT_OK);
    sim_disk_fail(sim_env_disk(rig.sim), SIM_OP_SYNC, 0, -ENOSPC, false);
    assert_int_equal(save(&rig), -ENOSPC);
    assert_bans(&rig, "1.2.3.4/32 0 100;"); /* it holds all the same */
    assert_int_equal(save(&rig), 0);
    rig_crash(&rig, SIM_CRASH_LOST);
    assert_int_equal(rig.p2p.list.n, 1);
    rig_deinit(&rig);
}

#define ENTRY(address)                                                                             \
    "{\"version\": 1, \"ban_created\": 1699999999, \"banned_until\": 1700000009, "                 \
    "\"address\": \"" address "\"}"

/* clang-format off */
static const struct {
    const char *text, *bans, *why; /* why NULL: nothing is wrong */
} files[] = {
    {"{\"_warning_\": \"x\", \"banned_nets\": [\n" ENTRY("1.2.3.4/32") ",\n" ENTRY("::/1") "\n]}\n",
     "1.2.3.4/32 -1 9;::/1 -1 9;", NULL},
    {"{\"banned_nets\": []}", "", NULL},
    {"{\"banned_nets\":[{\"version\":1,\"ban_created\":1,\"banned_until\":1700000000,"
     "\"address\":\"1.2.3.4\"}]}", "", NULL}, /* over */
    {"", "", "it is not JSON"},
    {"{\"banned_nets\": [" ENTRY("1.2.3.4") "}", "", "it is not JSON"},
    {"[]", "", "it has no list \"banned_nets\""},
    {"{\"banned_nets\": 1}", "", "it has no list \"banned_nets\""},
    {"{\"banned_nets\": [1, " ENTRY("1.2.3.4") ", " ENTRY("1.2.3.4/33") "]}", "1.2.3.4/32 -1 9;",
     "some of its entries cannot be read"},
    {"{\"banned_nets\":[{\"version\":2,\"ban_created\":1,\"banned_until\":1800000000,"
     "\"address\":\"1.2.3.4\"}]}", "", "some of its entries cannot be read"},
    {"{\"banned_nets\":[{\"version\":1,\"ban_created\":1,\"banned_until\":\"x\","
     "\"address\":\"1.2.3.4\"}]}", "", "some of its entries cannot be read"},
    {"{\"banned_nets\":[{\"version\":1,\"ban_created\":1,\"banned_until\":1800000000}]}", "",
     "some of its entries cannot be read"},
};
/* clang-format on */

TEST(a_file_that_cannot_be_used_is_put_aside)
{
    for (size_t i = 0; i < COUNT_OF(files); i++) {
        struct rig rig;
        rig_init(&rig);
        rig_close(&rig);
        write_file(&rig, files[i].text);
        rig_open(&rig);
        assert_bans(&rig, files[i].bans);
        struct env_file *file;
        int error = env_file_open(rig.env, "regtest/banlist.json.bad", ENV_OPEN_READ, &file);
        if (files[i].why) {
            assert_non_null(rig.warning);
            assert_non_null(strstr(rig.warning, files[i].why));
            assert_int_equal(error, 0);
            env_file_close(rig.env, file);
        } else {
            assert_null(rig.warning);
            assert_int_equal(error, -ENOENT);
        }
        rig_deinit(&rig);
    }
}

TEST(a_file_that_cannot_be_read_is_not_overwritten)
{
    struct rig rig;
    rig_init(&rig);
    rig_close(&rig);
    write_file(&rig, "{\"banned_nets\": [" ENTRY("1.2.3.4") "]}");
    sim_disk_fail(sim_env_disk(rig.sim), SIM_OP_READ, 0, -EIO, false);
    rig_open(&rig);
    assert_non_null(strstr(rig.warning, "Input/output error"));
    assert_non_null(strstr(rig.warning, "banlist.json.bad"));
    assert_bans(&rig, "");
    rig_deinit(&rig);
}

TEST(without_a_folder_nothing_is_kept)
{
    struct rig rig = {.sim = sim_env_new(7)};
    static const struct node_bans_options options = {0};
    rig.bans = node_bans_new(sim_env_get(rig.sim), NULL, &rig.p2p, &options, &rig.warning);
    assert_int_equal(node_bans_add(rig.bans, "1.2.3.4", 0, false), NET_RESULT_OK);
    assert_int_equal(rig.p2p.list.at[0].until_s - rig.p2p.list.at[0].created_s, 86400);
    node_bans_save(rig.bans, on_saved, &rig);
    assert_int_equal(rig.n_saved, 1);
    rig_deinit(&rig);
}
