/* psbt_fields_internal.h - records as the reader puts them in.
 *
 * Layer: spend, for psbt*.c only. */
#ifndef SPEND_PSBT_PSBT_FIELDS_INTERNAL_H
#define SPEND_PSBT_PSBT_FIELDS_INTERNAL_H

#include "spend/psbt/psbt.h"

/* Is what a record holds what its type says?
 *
 * Returns:  NULL, or what is wrong with it in Core's words */
const char *psbt_check_record(enum psbt_map_kind kind, uint32_t version,
                              const struct psbt_record *record);
/* What is said of a key that is there twice. */
const char *psbt_duplicate_error(enum psbt_map_kind kind, uint64_t type);
/* Which of n records have a key that one before them has; in arena. */
bool *psbt_find_duplicates(const struct psbt_record *records, size_t n, struct arena *arena);
/* The order in which records are written. Spec: Core's serialization */
int psbt_compare_records(enum psbt_map_kind kind, const struct psbt_record *a,
                         const struct psbt_record *b);

#endif
