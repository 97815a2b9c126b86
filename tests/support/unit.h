/* unit.h - what every unit test starts with: cmocka, the headers that it wants, TEST, and main.
 *
 *     FIXTURE(setup, teardown)
 *
 *     TEST(numbers_add_up)                            without a fixture
 *     {
 *         assert_int_equal(1 + 1, 2);
 *     }
 *
 *     TEST(the_tip_moves, struct chain_rig *rig)      between setup() and teardown();
 *     {                                               rig is what setup() left in *state
 *         ...
 *     }
 *
 * A test's name is a sentence. Tests run in the order in which they stand; main is in unit.c. */
#ifndef TESTS_SUPPORT_UNIT_H
#define TESTS_SUPPORT_UNIT_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h> /* needs the four first */

/* How cmocka calls one of ours. */
typedef int (*unit_fixture_fn)(void **state);

/* The fixture of the file's tests that have a parameter; teardown may be NULL. */
#define FIXTURE(setup, teardown)                                                                   \
    __attribute__((unused)) static const unit_fixture_fn unit_setup = setup;                       \
    __attribute__((unused)) static const unit_fixture_fn unit_teardown = teardown;

/* TEST(name) or TEST(name, type *variable): the head of a test function. */
#define TEST(...) UNIT_SECOND_OR(__VA_ARGS__, UNIT_TEST_OF, UNIT_TEST, )(__VA_ARGS__)

/* A test with another fixture than the file's. */
#define TEST_WITH(setup, teardown, name, ...)                                                      \
    static void name(__VA_ARGS__);                                                                 \
    static void unit_run_##name(void **state)                                                      \
    {                                                                                              \
        name(*state);                                                                              \
    }                                                                                              \
    UNIT_ADD(name, setup, teardown)                                                                \
    static void name(__attribute__((unused)) __VA_ARGS__)

/* -- What the macros are made of -------------------------------------------------------------- */

#define UNIT_SECOND_OR(first, second, macro, ...) macro

#define UNIT_TEST_OF(name, ...) TEST_WITH(unit_setup, unit_teardown, name, __VA_ARGS__)

#define UNIT_TEST(name)                                                                            \
    static void name(void);                                                                        \
    static void unit_run_##name(void **state)                                                      \
    {                                                                                              \
        (void)state;                                                                               \
        name();                                                                                    \
    }                                                                                              \
    UNIT_ADD(name, NULL, NULL)                                                                     \
    static void name(void)

/* Before main starts, each test adds itself. */
#define UNIT_ADD(name, setup, teardown)                                                            \
    __attribute__((constructor)) static void unit_add_##name(void)                                 \
    {                                                                                              \
        unit_add(#name, unit_run_##name, setup, teardown);                                         \
    }

/* Append a test to those that main will run; name and functions must last. */
void unit_add(const char *name, void (*run)(void **state), unit_fixture_fn setup,
              unit_fixture_fn teardown);

#endif
