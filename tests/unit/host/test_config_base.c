/* test_config_base.c - data directories, the files that are read from them, and their messages. */
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "host/config_base.h"
#include "host/config_options.h"
#include "support/unit.h"
#include "unit/host/temp_dir.h"

struct base {
    struct options options;
    char *first_dir, *base_dir, *config_path, *error;
    bool ok;
};

static void write_text(const char *dir, const char *name, const char *text)
{
    char *path = config_path_in(dir, name);
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    assert_true(fputs(text, file) >= 0 && fclose(file) == 0);
    xfree(path);
}

/* Read what -datadir=dir, unless it is NULL, and one more argument say. */
static void read_base(struct base *base, const char *dir, const char *arg)
{
    size_t n;
    const struct option_def *defs = config_options(&n);
    char *datadir = dir ? xasprintf("-datadir=%s", dir) : NULL;
    const char *argv[] = {"cairnd", dir ? datadir : arg, dir ? arg : NULL};
    int argc = 1 + (dir != NULL) + (arg != NULL);
    *base = (struct base){0};
    options_init(&base->options, defs, n);
    assert_true(options_parse_args(&base->options, argc, argv, NULL, &base->error));
    base->ok = config_read_base(&base->options, &base->first_dir, &base->base_dir,
                                &base->config_path, &base->error);
    xfree(datadir);
}

static void done(struct base *base)
{
    options_deinit(&base->options);
    xfree(base->first_dir);
    xfree(base->base_dir);
    xfree(base->config_path);
    xfree(base->error);
}

TEST(paths_are_relative_to_a_directory_unless_absolute)
{
    char cwd[4096];
    char *paths[] = {config_path_in("/a", "b/c"),
                     config_path_in("/a", "/b"),
                     config_absolute("/x"),
                     config_absolute("y"),
                     config_network_dir("/d", network_get(NETWORK_MAIN)),
                     config_network_dir("/d", network_get(NETWORK_REGTEST))};
    assert_non_null(getcwd(cwd, sizeof cwd));
    char *here = config_path_in(cwd, "y");
    const char *want[] = {"/a/b/c", "/b", "/x", here, "/d", "/d/regtest"};
    for (size_t i = 0; i < COUNT_OF(paths); i++) {
        assert_string_equal(paths[i], want[i]);
        xfree(paths[i]);
    }
    xfree(here);
}

TEST(the_file_is_found_read_and_may_include_others)
{
    struct temp_dir dir;
    struct base base;
    temp_dir_make(&dir);
    assert_true(config_is_dir(dir.path));
    read_base(&base, dir.path, NULL); /* there is none: nothing is wrong */
    assert_true(base.ok);
    assert_string_equal(base.base_dir, dir.path);
    done(&base);
    write_text(dir.path, "bitcoin.conf", "par=3\n");
    read_base(&base, dir.path, NULL);
    assert_true(base.ok);
    assert_int_equal(options_get_int(&base.options, "par", 0), 3);
    assert_int_equal(base.options.messages.n, 1); /* of the other program's file */
    done(&base);
    write_text(dir.path, "cairn.conf", "par=4\nincludeconf=more.conf\n");
    write_text(dir.path, "more.conf", "dbcache=5\n");
    read_base(&base, dir.path, NULL);
    assert_true(base.ok);
    assert_int_equal(options_get_int(&base.options, "par", 0), 4);
    assert_int_equal(options_get_int(&base.options, "dbcache", 0), 5);
    done(&base);
    read_base(&base, dir.path, "-noconf");
    assert_true(base.ok && !base.config_path);
    assert_int_equal(options_get_int(&base.options, "par", 0), 0);
    done(&base);
    temp_dir_remove(&dir);
}

TEST(a_file_that_is_named_may_lie_in_the_directory_of_bitcoind)
{
    struct temp_dir dir;
    struct base base;
    char other[256], own[256];
    temp_dir_make(&dir);
    setenv("HOME", dir.path, 1);
    snprintf(other, sizeof other, "%s/.bitcoin", dir.path);
    snprintf(own, sizeof own, "%s/.cairn", dir.path);
    assert_int_equal(mkdir(other, 0700), 0);
    write_text(other, "bitcoin.conf", "par=3\n");
    read_base(&base, NULL, NULL); /* not without being named */
    assert_true(base.ok);
    assert_int_equal(options_get_int(&base.options, "par", 0), 0);
    assert_string_equal(base.first_dir, own);
    done(&base);
    read_base(&base, NULL, "-conf=bitcoin.conf");
    assert_true(base.ok);
    assert_int_equal(options_get_int(&base.options, "par", 0), 3);
    assert_string_equal(base.first_dir, other);
    assert_string_equal(base.base_dir, own); /* the data of both never meets */
    done(&base);
    read_base(&base, dir.path, "-conf=bitcoin.conf");
    assert_false(base.ok);
    done(&base);
    assert_int_equal(mkdir(own, 0700), 0);
    write_text(own, "bitcoin.conf", "par=4\n");
    read_base(&base, NULL, "-conf=bitcoin.conf");
    assert_true(base.ok);
    assert_int_equal(options_get_int(&base.options, "par", 0), 4);
    done(&base);
    temp_dir_remove(&dir);
}

TEST(what_cannot_be_read_has_its_message)
{
    struct temp_dir dir;
    struct base base;
    temp_dir_make(&dir);
    read_base(&base, "/nonexistent/dir", NULL);
    assert_false(base.ok);
    assert_string_equal(base.error,
                        "Specified data directory \"/nonexistent/dir\" does not exist.");
    done(&base);
    read_base(&base, dir.path, "-conf=none.conf");
    assert_false(base.ok);
    assert_non_null(strstr(base.error, "could not be opened"));
    done(&base);
    read_base(&base, dir.path, "-conf=/");
    assert_false(base.ok);
    assert_string_equal(base.error,
                        "Error reading configuration file: Config file \"/\" is a directory.");
    done(&base);
    write_text(dir.path, "cairn.conf", "includeconf=/\n");
    read_base(&base, dir.path, NULL);
    assert_false(base.ok);
    assert_string_equal(base.error, "Error reading configuration file: Included config file \"/\" "
                                    "is a directory.");
    done(&base);
    temp_dir_remove(&dir);
}

TEST(the_network_that_is_asked_for_is_found)
{
    struct temp_dir dir;
    struct base base;
    temp_dir_make(&dir);
    read_base(&base, dir.path, "-chain=regtest");
    struct network row;
    const struct network *network =
        config_choose_network(&base.options, "/nonexistent", &row, &base.error) ? &row : NULL;
    assert_non_null(network);
    assert_int_equal(network->kind, NETWORK_REGTEST);
    done(&base);
    read_base(&base, dir.path, "-chain=none");
    assert_false(config_choose_network(&base.options, "/nonexistent", &row, &base.error));
    assert_string_equal(base.error, "Unknown chain none.");
    done(&base);
    temp_dir_remove(&dir);
}

#define CHAIN "{\"name\": \"my\", \"p2p_port\": 1, \"rpc_port\": 2, \"genesis\": \"regtest\"}"

/* The path starts at the data directory, and the chain's section counts. */
TEST(a_config_file_can_name_the_file_of_a_chain)
{
    struct temp_dir dir;
    struct base base;
    struct network network;
    temp_dir_make(&dir);
    write_text(dir.path, "my.json", CHAIN);
    write_text(dir.path, "cairn.conf", "chainfile=my.json\n[my]\nrpcport=77\n");
    read_base(&base, dir.path, NULL);
    assert_true(base.ok);
    assert_int_equal(base.options.messages.n, 0); /* no section is odd */
    assert_true(config_choose_network(&base.options, dir.path, &network, &base.error));
    assert_string_equal(network.name, "my");
    assert_int_equal(options_get_int(&base.options, "rpcport", 0), 77);
    done(&base);
    write_text(dir.path, "my.json", "{");
    read_base(&base, dir.path, NULL);
    assert_false(config_choose_network(&base.options, dir.path, &network, &base.error));
    assert_non_null(strstr(base.error, "/my.json:1: this is not JSON"));
    done(&base);
    read_base(&base, dir.path, "-nochainfile");
    assert_true(config_choose_network(&base.options, dir.path, &network, &base.error));
    assert_string_equal(network.name, "main");
    done(&base);
    temp_dir_remove(&dir);
}
