/* test_resolver.c - names from the hosts file, names that do not exist, and giving up. */
#include "host/resolver.h"
#include "support/unit.h"

struct fixture {
    struct loop *loop;
    struct resolver *resolver;
    int calls;
    size_t n;
    bool has_loopback;
};

static void on_answer(void *arg, const char *const *addresses, size_t n)
{
    struct fixture *f = arg;
    f->calls++;
    f->n = n;
    for (size_t i = 0; i < n; i++)
        if (strcmp(addresses[i], "127.0.0.1") == 0 || strcmp(addresses[i], "::1") == 0)
            f->has_loopback = true;
}

static void setup(struct fixture *f)
{
    *f = (struct fixture){.loop = loop_new()};
    assert_non_null(f->loop);
    f->resolver = resolver_new(f->loop);
}

static void teardown(struct fixture *f)
{
    resolver_free(f->resolver);
    loop_free(f->loop);
}

TEST(a_name_of_the_hosts_file_is_found)
{
    struct fixture f;
    setup(&f);
    assert_int_not_equal(resolver_start(f.resolver, "localhost", on_answer, &f), 0);
    assert_int_equal(f.calls, 0); /* never from within the call */
    while (f.calls == 0)
        loop_run_once(f.loop, true);
    assert_int_equal(f.calls, 1);
    assert_true(f.n >= 1);
    assert_true(f.has_loopback);
    teardown(&f);
}

TEST(a_numeric_name_is_its_own_address)
{
    struct fixture f;
    setup(&f);
    (void)resolver_start(f.resolver, "127.0.0.1", on_answer, &f);
    while (f.calls == 0)
        loop_run_once(f.loop, true);
    assert_int_equal(f.n, 1);
    assert_true(f.has_loopback);
    teardown(&f);
}

TEST(nobody_is_told_after_cancelling_or_the_end)
{
    struct fixture f;
    setup(&f);
    uint64_t id = resolver_start(f.resolver, "127.0.0.1", on_answer, &f);
    resolver_cancel(f.resolver, id);
    resolver_cancel(f.resolver, 999); /* unknown: nothing */
    for (int i = 0; i < 5; i++)
        loop_run_once(f.loop, false);
    (void)resolver_start(f.resolver, "localhost", on_answer, &f);
    teardown(&f);
    assert_int_equal(f.calls, 0);
}

/* The system may know other servers by then: they are read again. */
TEST(a_name_that_fails_spoils_no_other)
{
    struct fixture f;
    char too_long[301];
    memset(too_long, 'a', sizeof too_long - 1);
    too_long[sizeof too_long - 1] = '\0';
    setup(&f);
    for (int i = 0; i < 3; i++) {
        (void)resolver_start(f.resolver, too_long, on_answer, &f);
        while (f.calls == 2 * i)
            loop_run_once(f.loop, true);
        assert_int_equal(f.n, 0);
        (void)resolver_start(f.resolver, "localhost", on_answer, &f);
        while (f.calls == 2 * i + 1)
            loop_run_once(f.loop, true);
        assert_true(f.n >= 1);
    }
    teardown(&f);
}
