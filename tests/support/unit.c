/* unit.c - the tests of one program, and its main. */
#include "support/unit.h"

enum { TESTS_MAX = 200 };

/* Tests add themselves before main, when there is nobody who could pass this in. */
static struct {
    struct CMUnitTest test[TESTS_MAX];
    size_t n;
} all;

void unit_add(const char *name, void (*run)(void **state), unit_fixture_fn setup,
              unit_fixture_fn teardown)
{
    if (all.n == TESTS_MAX)
        abort(); /* no test is left out silently */
    all.test[all.n++] = (struct CMUnitTest){name, run, setup, teardown, NULL};
}

/* With an argument only tests whose names match it, a pattern as of file names. */
int main(int argc, char **argv)
{
    if (argc > 1)
        cmocka_set_test_filter(argv[1]);
    return _cmocka_run_group_tests("tests", all.test, all.n, NULL, NULL);
}
