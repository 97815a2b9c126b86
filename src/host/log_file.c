/* log_file.c - see log_file.h */
#include "host/log_file.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "host/loop.h"
#include "util/alloc.h"
#include "util/buffer.h"
#include "util/utf8.h"

/* Lines are told apart by how they begin, up to the first digit: what one place in the code
 * writes usually begins alike. Two that fall into one slot share its budget. */
#define LIMIT_SLOTS        64
#define LIMIT_PREFIX_BYTES 16

/* What one kind of lines has written, and was not let write, in the hour that runs: hazard 58. */
struct limit {
    uint64_t bytes, dropped_bytes;
};

struct log_file {
    struct log log;
    pthread_mutex_t lock;
    char *path;
    int fd; /* -1: no file */
    struct log_file_options options;
    int64_t window_us; /* when the running hour began */
    struct limit limits[LIMIT_SLOTS];
};

/* -- Lines ---------------------------------------------------------------------------------- */

static void append_time(struct buffer *out, bool micros)
{
    struct timespec now;
    struct tm tm;
    char text[32];
    clock_gettime(CLOCK_REALTIME, &now);
    if (!gmtime_r(&now.tv_sec, &tm))
        return;
    strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%S", &tm);
    buffer_append_string(out, text);
    if (micros)
        buffer_append_format(out, ".%06ld", now.tv_nsec / 1000);
    buffer_append_string(out, "Z ");
}

/* Nothing that a peer has sent ends a line or moves a terminal's cursor (hazard 75). Bytes above
 * 127 stay: file names are UTF-8. */
static void append_escaped(struct buffer *out, const char *line)
{
    for (const char *c = line; *c; c++) {
        unsigned char byte = (unsigned char)*c;
        if (byte < 32 || byte == 127)
            buffer_append_format(out, "\\x%02x", byte);
        else
            buffer_append(out, c, 1);
    }
}

/* What is no UTF-8 becomes the character that stands for such. */
static void append_json_string(struct buffer *out, struct span line)
{
    buffer_append_string(out, "\"");
    while (line.len > 0) {
        size_t n = utf8_sequence_bytes(line);
        uint8_t byte = line.p[0];
        if (byte == '"' || byte == '\\')
            buffer_append_format(out, "\\%c", byte);
        else if (byte < 32 || byte == 127)
            buffer_append_format(out, "\\u%04x", byte);
        else if (n == 0)
            buffer_append_string(out, "\\ufffd");
        else
            buffer_append(out, line.p, n);
        n = n > 0 ? n : 1;
        line = span_of(line.p + n, line.len - n);
    }
    buffer_append_string(out, "\"");
}

static void append_json(struct buffer *out, const struct log_file *file, enum log_level level,
                        enum log_category category, const char *line)
{
    static const char *const levels[] = {[LOG_LEVEL_DEBUG] = "debug",
                                         [LOG_LEVEL_INFO] = "info",
                                         [LOG_LEVEL_WARNING] = "warning",
                                         [LOG_LEVEL_ERROR] = "error"};
    buffer_append_string(out, "{\"time\":\"");
    append_time(out, file->options.time_micros);
    out->len--; /* the blank behind it */
    buffer_append_format(out, "\",\"level\":\"%s\",\"category\":\"%s\",\"message\":", levels[level],
                         category == LOG_ALWAYS ? "main" : log_category_name(category));
    append_json_string(out, span_of_string(line));
    buffer_append_string(out, "}\n");
}

static void append_line(struct buffer *out, const struct log_file *file, enum log_level level,
                        enum log_category category, const char *line)
{
    if (file->options.as_json) {
        append_json(out, file, level, category, line);
        return;
    }
    if (file->options.timestamps)
        append_time(out, file->options.time_micros);
    if (category != LOG_ALWAYS)
        buffer_append_format(out, "[%s] ", log_category_name(category));
    else if (level == LOG_LEVEL_WARNING)
        buffer_append_string(out, "[warning] ");
    else if (level == LOG_LEVEL_ERROR)
        buffer_append_string(out, "[error] ");
    append_escaped(out, line);
    buffer_append_string(out, "\n");
}

/* A log that cannot be written is not worth stopping for: what fails is dropped. */
static void write_all(int fd, const struct buffer *text)
{
    size_t done = 0;
    while (done < text->len) {
        ssize_t n = write(fd, text->p + done, text->len - done);
        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            return;
        done += (size_t)n;
    }
}

/* -- The limit ------------------------------------------------------------------------------ */

static struct limit *limit_of(struct log_file *file, const char *line)
{
    uint32_t hash = 2166136261u; /* FNV-1a */
    for (int i = 0; i < LIMIT_PREFIX_BYTES && line[i] && !(line[i] >= '0' && line[i] <= '9'); i++)
        hash = (hash ^ (unsigned char)line[i]) * 16777619u;
    return &file->limits[hash % LIMIT_SLOTS];
}

/* Returns: true if the line may be written to the file. Appends a notice to out where the
 * reader has to know that something is missing. */
static bool limit_take(struct log_file *file, const char *line, size_t bytes, struct buffer *out)
{
    int64_t now_us = loop_now_us();
    if (now_us - file->window_us >= LOG_FILE_LIMIT_US) {
        uint64_t dropped_bytes = 0;
        for (int i = 0; i < LIMIT_SLOTS; i++)
            dropped_bytes += file->limits[i].dropped_bytes;
        memset(file->limits, 0, sizeof file->limits);
        file->window_us = now_us;
        if (dropped_bytes) {
            char notice[96];
            snprintf(notice, sizeof notice, "Logging restarts: %llu bytes were dropped",
                     (unsigned long long)dropped_bytes);
            append_line(out, file, LOG_LEVEL_WARNING, LOG_ALWAYS, notice);
        }
    }
    struct limit *limit = limit_of(file, line);
    if (limit->bytes + bytes <= LOG_FILE_LIMIT_BYTES) {
        limit->bytes += bytes;
        return true;
    }
    if (limit->dropped_bytes == 0) {
        char notice[128];
        snprintf(notice, sizeof notice,
                 "Excessive logging: for up to an hour no more lines like \"%.24s\"", line);
        append_line(out, file, LOG_LEVEL_WARNING, LOG_ALWAYS, notice);
    }
    limit->dropped_bytes += bytes;
    return false;
}

/* Any thread. Only lines that are always logged are limited: a debug category is on because
 * somebody wants to see all of it. The lock keeps lines whole, also while the file is opened anew.
 */
static void write_line(void *ctx, enum log_level level, enum log_category category,
                       const char *line)
{
    struct log_file *file = ctx;
    struct buffer text, notice;
    buffer_init(&text);
    buffer_init(&notice);
    append_line(&text, file, level, category, line);

    pthread_mutex_lock(&file->lock);
    if (file->options.to_console)
        write_all(STDOUT_FILENO, &text);
    if (file->fd >= 0) {
        bool is_limited = file->options.limit_rate && category == LOG_ALWAYS;
        bool may_write = !is_limited || limit_take(file, line, text.len, &notice);
        write_all(file->fd, &notice);
        if (may_write)
            write_all(file->fd, &text);
    }
    pthread_mutex_unlock(&file->lock);
    buffer_deinit(&notice);
    buffer_deinit(&text);
}

/* -- The file ------------------------------------------------------------------------------- */

static int open_append(const char *path)
{
    return open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
}

/* Keep the end of a file that has grown too large. A failure leaves it as it is.
 * Spec: Core ShrinkDebugFile() */
static void shrink(const char *path)
{
    int fd = open(path, O_RDWR | O_CLOEXEC);
    struct stat st;
    if (fd < 0)
        return;
    if (fstat(fd, &st) != 0 || st.st_size <= LOG_FILE_SHRINK_BYTES / 10 * 11) {
        close(fd);
        return;
    }
    struct buffer tail;
    buffer_init(&tail);
    uint8_t *p = buffer_reserve(&tail, LOG_FILE_SHRINK_BYTES);
    ssize_t got = pread(fd, p, LOG_FILE_SHRINK_BYTES, st.st_size - LOG_FILE_SHRINK_BYTES);
    if (got > 0 && ftruncate(fd, 0) == 0) {
        tail.len = (size_t)got;
        write_all(fd, &tail);
    }
    buffer_deinit(&tail);
    close(fd);
}

struct log_file *log_file_open(const struct log_file_options *options, char **error)
{
    ASSERT(options && error);
    *error = NULL;
    int fd = -1;
    if (options->path) {
        if (options->shrink)
            shrink(options->path);
        fd = open_append(options->path);
        if (fd < 0) {
            /* Core's words, which end with the name */
            *error = xasprintf("Could not open debug log file %s", options->path);
            return NULL;
        }
    }
    struct log_file *file = xcalloc(1, sizeof *file);
    file->options = *options;
    file->path = options->path ? xstrdup(options->path) : NULL;
    file->fd = fd;
    file->window_us = loop_now_us();
    file->log = (struct log){.categories = options->categories, .write = write_line, .ctx = file};
    int rc = pthread_mutex_init(&file->lock, NULL);
    ASSERT(rc == 0);
    return file;
}

void log_file_close(struct log_file *file)
{
    if (!file)
        return;
    if (file->fd >= 0)
        close(file->fd);
    pthread_mutex_destroy(&file->lock);
    xfree(file->path);
    xfree(file);
}

struct log *log_file_log(struct log_file *file)
{
    return &file->log;
}

void log_file_reopen(struct log_file *file)
{
    ASSERT(file);
    pthread_mutex_lock(&file->lock);
    if (file->path) {
        int fd = open_append(file->path);
        if (fd >= 0) {
            close(file->fd);
            file->fd = fd;
        }
    }
    pthread_mutex_unlock(&file->lock);
}

bool log_file_parse_category(const char *name, uint32_t *bits)
{
    if (strcmp(name, "") == 0 || strcmp(name, "1") == 0 || strcmp(name, "all") == 0) {
        *bits = UINT32_MAX;
        return true;
    }
    if (strcmp(name, "0") == 0 || strcmp(name, "none") == 0) {
        *bits = 0;
        return true;
    }
    int category = log_category_find(name);
    if (category < 0)
        return false;
    *bits = UINT32_C(1) << category;
    return true;
}
