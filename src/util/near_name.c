/* near_name.c - see near_name.h. */
#include "util/near_name.h"

#include <string.h>

#include "util/assert.h"
#include "util/span.h"

/* Row by row, as Wagner and Fischer have it: of the way from the first i characters of a to the
 * first j of b only the last row is kept. */
size_t near_name_distance(const char *a, const char *b)
{
    ASSERT(a && b);
    size_t n_a = strlen(a), n_b = strlen(b), row[NEAR_NAME_BYTES_MAX + 1];
    if (n_a > NEAR_NAME_BYTES_MAX || n_b > NEAR_NAME_BYTES_MAX)
        return MAX_OF(n_a, n_b);
    for (size_t j = 0; j <= n_b; j++)
        row[j] = j;
    for (size_t i = 1; i <= n_a; i++) {
        size_t corner = row[0];
        row[0] = i;
        for (size_t j = 1; j <= n_b; j++) {
            size_t changed = corner + (a[i - 1] != b[j - 1]);
            corner = row[j];
            row[j] = MIN_OF(changed, MIN_OF(row[j], row[j - 1]) + 1);
        }
    }
    return row[n_b];
}

bool near_name_is_near(const char *a, const char *b)
{
    size_t distance = near_name_distance(a, b);
    return distance <= 2 && distance * 3 <= strlen(a);
}
