/* test_chain_record.c - a data directory remembers the rules of its chain. */
#include <sys/stat.h>

#include "host/chain_record.h"
#include "host/env_host.h"
#include "support/unit.h"
#include "temp_dir.h"
#include "util/alloc.h"

FIXTURE(temp_dir_setup, temp_dir_teardown)

static char *check(struct temp_dir *dir, const char *rules)
{
    struct network network = *network_get(NETWORK_REGTEST);
    struct env_host *host = env_host_new(1);
    char *error = NULL;
    network.name = "my";
    network.rules = rules;
    bool ok = chain_record_check(&network, env_host_env(host), dir->path, &error);
    env_host_free(host);
    assert_int_equal(ok, error == NULL);
    return error;
}

TEST(the_first_start_writes_the_record_and_later_ones_compare, struct temp_dir *dir)
{
    assert_null(check(dir, "subsidy 50\nmagic 01020304\n"));
    assert_int_equal(access(temp_path(dir, CHAIN_RECORD_NAME), R_OK), 0);
    assert_null(check(dir, "subsidy 50\nmagic 01020304\n"));
    char *error = check(dir, "subsidy 25\nmagic 01020304\n");
    char *want =
        xasprintf("The data in %s was made by other rules of the chain \"my\": subsidy was "
                  "50, and is 25 now. Use the file that it was made with, or another name "
                  "for the chain, or remove that directory.",
                  dir->path);
    assert_string_equal(error, want);
    xfree(error);
    xfree(want);
    assert_null(check(dir, "subsidy 50\nmagic 01020304\n"));
}

TEST(networks_of_the_table_have_no_record, struct temp_dir *dir)
{
    assert_null(check(dir, NULL));
    assert_int_not_equal(access(temp_path(dir, CHAIN_RECORD_NAME), F_OK), 0);
}

TEST(a_record_that_cannot_be_read_stops_the_node, struct temp_dir *dir)
{
    assert_int_equal(mkdir(temp_path(dir, CHAIN_RECORD_NAME), 0700), 0);
    char *error = check(dir, "subsidy 25\n");
    assert_non_null(strstr(error, "Cannot read "));
    xfree(error);
}
