/* csv.c - rows of vector files. */
#include "support/csv.h"

#include <string.h>

char *csv_row(char *text, char *fields[CSV_FIELDS_MAX])
{
    if (!*text)
        return NULL;
    char *end = text + strcspn(text, "\r\n");
    char *next = end + strspn(end, "\r\n");
    *end = '\0';
    for (int i = 0; i < CSV_FIELDS_MAX; i++) {
        fields[i] = text;
        text += strcspn(text, ",");
        if (*text)
            *text++ = '\0';
    }
    return next;
}
