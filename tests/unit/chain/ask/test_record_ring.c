/* test_record_ring.c - notes in a file of a bounded size, which outlive kills, power cuts, damage.
 */
#include <errno.h>

#include "chain/ask/record_ring.h"
#include "sim/sim_env.h"
#include "support/unit.h"
#include "util/buffer.h"
#include "util/read_file.h"

enum { MAX = 4, RECORD = 4, PLACE = 8 + RECORD + 4 };

struct rig {
    struct sim_env *sim;
    struct record_ring *ring;
};

static void rig_open(struct rig *rig)
{
    rig->ring = record_ring_new(sim_env_get(rig->sim), NULL, "regtest", "notes.dat", RECORD, MAX);
}

static void rig_init(struct rig *rig)
{
    rig->sim = sim_env_new(3);
    assert_int_equal(env_make_dir(sim_env_get(rig->sim), "regtest"), 0);
    rig_open(rig);
}

static void rig_deinit(struct rig *rig)
{
    sim_env_run_until_idle(rig->sim);
    record_ring_free(rig->ring);
    sim_env_free(rig->sim);
}

/* Another process on what a crash leaves. */
static void rig_crash(struct rig *rig)
{
    struct rig after = {.sim = sim_env_crash(rig->sim, SIM_CRASH_LOST, 5)};
    rig_deinit(rig);
    rig_open(&after);
    *rig = after;
}

static void add(struct rig *rig, const char *records)
{
    for (; *records; records += RECORD)
        record_ring_add(rig->ring, records);
}

/* The records from the newest on; "????" for one that is damaged. */
static void assert_records(const struct rig *rig, const char *want)
{
    char text[MAX * RECORD + 1] = "";
    size_t n = record_ring_count(rig->ring);
    assert_true(n <= MAX);
    for (size_t i = 0; i < n; i++) {
        const void *record = record_ring_at(rig->ring, i);
        memcpy(text + i * RECORD, record ? record : "????", RECORD);
    }
    assert_string_equal(text, want);
    assert_null(record_ring_at(rig->ring, n));
}

TEST(records_are_told_when_they_are_on_the_disk_and_outlive_a_power_cut)
{
    struct rig rig;
    rig_init(&rig);
    assert_records(&rig, "");
    add(&rig, "oneAtwoB");
    assert_records(&rig, "");
    assert_false(record_ring_is_at_rest(rig.ring));
    sim_env_run_until_idle(rig.sim);
    assert_true(record_ring_is_at_rest(rig.ring));
    assert_records(&rig, "twoBoneA");
    rig_crash(&rig);
    assert_records(&rig, "twoBoneA");
    add(&rig, "thrC");
    sim_env_run_until_idle(rig.sim);
    assert_records(&rig, "thrCtwoBoneA");
    rig_deinit(&rig);
}

TEST(the_file_never_has_more_than_its_limit)
{
    struct rig rig;
    struct buffer bytes;
    rig_init(&rig);
    add(&rig, "oneAtwoBthrCfouD");
    sim_env_run_until_idle(rig.sim);
    assert_records(&rig, "fouDthrCtwoBoneA");
    add(&rig, "fivE");
    assert_records(&rig, "fouDthrCtwoB"); /* the first is overwritten already */
    sim_env_run_until_idle(rig.sim);
    assert_records(&rig, "fivEfouDthrCtwoB");
    add(&rig, "sixFsevGeigHninItenJ"); /* more at once than there is room for */
    sim_env_run_until_idle(rig.sim);
    assert_records(&rig, "tenJninIeigHsevG");
    rig_crash(&rig);
    assert_records(&rig, "tenJninIeigHsevG");
    buffer_init(&bytes);
    assert_int_equal(read_file(sim_env_get(rig.sim), "regtest/notes.dat", 1 << 20, &bytes), 0);
    assert_int_equal(bytes.len, MAX * PLACE);
    buffer_deinit(&bytes);
    rig_deinit(&rig);
}

/* Whatever byte is damaged, the record that has it is gone and no other. */
TEST(damage_costs_one_record)
{
    for (uint64_t at = 0; at < MAX * PLACE; at++) {
        struct rig rig;
        rig_init(&rig);
        add(&rig, "oneAtwoBthrC"); /* in the places 1 to 3 */
        sim_env_run_until_idle(rig.sim);
        rig_crash(&rig);
        record_ring_free(rig.ring);
        sim_disk_damage(sim_env_disk(rig.sim), "regtest/notes.dat", at, 0x20);
        rig_open(&rig);
        static const char *const want[] = {"thrCtwoBoneA", "thrCtwoB????", "thrC????oneA",
                                           "twoBoneA"};
        assert_records(&rig, want[at / PLACE]);
        rig_deinit(&rig);
    }
}

TEST(a_file_that_is_too_long_is_begun_anew)
{
    struct rig rig;
    struct env_file *file;
    rig_init(&rig);
    const struct env *env = sim_env_get(rig.sim);
    record_ring_free(rig.ring);
    assert_int_equal(
        env_file_open(env, "regtest/notes.dat", ENV_OPEN_WRITE | ENV_OPEN_CREATE, &file), 0);
    assert_int_equal(env_file_write_at(env, file, MAX * PLACE, "x", 1), 0);
    env_file_close(env, file);
    rig_open(&rig);
    assert_records(&rig, "");
    add(&rig, "oneA");
    sim_env_run_until_idle(rig.sim);
    assert_records(&rig, "oneA");
    rig_deinit(&rig);
}

TEST(after_an_error_of_the_disk_nothing_more_is_noted_and_nobody_is_harmed)
{
    struct rig rig;
    rig_init(&rig);
    add(&rig, "oneA");
    sim_env_run_until_idle(rig.sim);
    sim_disk_fail(sim_env_disk(rig.sim), SIM_OP_WRITE, 0, -ENOSPC, false);
    add(&rig, "twoB");
    sim_env_run_until_idle(rig.sim);
    add(&rig, "thrC");
    assert_true(record_ring_is_at_rest(rig.ring));
    assert_records(&rig, "oneA");
    rig_crash(&rig);
    assert_records(&rig, "oneA");
    rig_deinit(&rig);
}
