/* log.c - format a line and hand it to the injected sink. */
#include "util/log.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "util/alloc.h"

/* Ordinary lines are formatted on the stack; only longer ones touch the heap. */
enum { LOG_LINE_BYTES = 512 };

static void write_line(const struct log *log, enum log_level level, enum log_category category,
                       const char *format, va_list args)
{
    ASSERT(log->write);
    char line[LOG_LINE_BYTES];
    va_list again;
    va_copy(again, args);
    int len = vsnprintf(line, sizeof line, format, args);
    ASSERT(len >= 0);
    if ((size_t)len < sizeof line) {
        log->write(log->ctx, level, category, line);
    } else {
        char *longer = xmalloc((size_t)len + 1);
        vsnprintf(longer, (size_t)len + 1, format, again);
        log->write(log->ctx, level, category, longer);
        xfree(longer);
    }
    va_end(again);
}

void log_printf(const struct log *log, enum log_category category, const char *format, ...)
{
    if (!log_is_on(log, category))
        return;
    /* Categories are for those who look for something; what is always written is for everybody. */
    enum log_level level = category == LOG_ALWAYS ? LOG_LEVEL_INFO : LOG_LEVEL_DEBUG;
    va_list args;
    va_start(args, format);
    write_line(log, level, category, format, args);
    va_end(args);
}

void log_warning(const struct log *log, const char *format, ...)
{
    if (!log)
        return;
    va_list args;
    va_start(args, format);
    write_line(log, LOG_LEVEL_WARNING, LOG_ALWAYS, format, args);
    va_end(args);
}

void log_error(const struct log *log, const char *format, ...)
{
    if (!log)
        return;
    va_list args;
    va_start(args, format);
    write_line(log, LOG_LEVEL_ERROR, LOG_ALWAYS, format, args);
    va_end(args);
}

char *log_escape(char *out, size_t out_len, const char *s, size_t len)
{
    static const char digits[] = "0123456789abcdef";
    ASSERT(out_len > 0);
    size_t n = 0;
    for (size_t i = 0; i < len; i++) {
        unsigned char c = (unsigned char)s[i];
        /* The backslash too: else a peer could write what looks like an escaped byte. */
        bool plain = c >= 0x20 && c < 0x7f && c != '\\';
        size_t need = plain ? 1 : 4;
        if (need >= out_len - n)
            break;
        if (plain) {
            out[n++] = (char)c;
        } else {
            out[n++] = '\\';
            out[n++] = 'x';
            out[n++] = digits[c >> 4];
            out[n++] = digits[c & 15];
        }
    }
    out[n] = '\0';
    return out;
}

static const char *const category_names[LOG_CATEGORY_COUNT] = {
#define X(name, string) [LOG_##name] = string,
    LOG_CATEGORIES(X)
#undef X
};

const char *log_category_name(enum log_category category)
{
    ASSERT((unsigned)category < LOG_CATEGORY_COUNT);
    return category_names[category];
}

int log_category_find(const char *name)
{
    for (int i = 0; i < LOG_CATEGORY_COUNT; i++)
        if (strcmp(category_names[i], name) == 0)
            return i;
    return -1;
}
