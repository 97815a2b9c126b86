/* sim_option.h - options of the programs of tests/sim. */
#ifndef TESTS_SUPPORT_SIM_OPTION_H
#define TESTS_SUPPORT_SIM_OPTION_H

#include <stdbool.h>
#include <stdint.h>

/* Is arg "name=NUMBER"? Then *value is that number. */
bool sim_option(const char *arg, const char *name, uint64_t *value);

#endif
