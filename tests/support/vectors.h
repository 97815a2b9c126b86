/* vectors.h - the test vector files, which live outside the repository.
 *
 * Looked for in the folder that CAIRN_VECTORS names, else in ../shared/vectors (ctest runs tests
 * in the project's root). Where a file is absent the test calls skip(): it never passes. */
#ifndef TESTS_SUPPORT_VECTORS_H
#define TESTS_SUPPORT_VECTORS_H

#include <stddef.h>

/* The path of a vector file, "core/script_tests.json" for example.
 *
 * Out:      buf   the path, zero-terminated
 * Returns:  buf, or NULL if there is no such file */
const char *vectors_path(const char *rel, char *buf, size_t size);

/* The whole contents of a vector file, with a zero byte after the end.
 *
 * Out:      len   may be NULL
 * Returns:  the bytes, or NULL if there is no such file
 * Owns:     the caller; free with xfree() */
char *vectors_read(const char *rel, size_t *len);

#endif
