/* progress.c - see progress.h */
#include "node/progress.h"

#include "util/assert.h"

#include <stdio.h>
#include <time.h> /* lint: formats a date, reads no clock */

#define SAMPLE_US INT64_C(1000000)
#define SPAN_US   INT64_C(30000000) /* what is older says nothing of the present rate */

static const struct progress_sample *newest(const struct progress *progress)
{
    ASSERT(progress->n > 0 && progress->next < PROGRESS_SAMPLES);
    return &progress->samples[(progress->next + PROGRESS_SAMPLES - 1) % PROGRESS_SAMPLES];
}

static const struct progress_sample *oldest(const struct progress *progress)
{
    ASSERT(progress->n > 0 && progress->n <= PROGRESS_SAMPLES);
    size_t at = progress->next + PROGRESS_SAMPLES - progress->n;
    return &progress->samples[at % PROGRESS_SAMPLES];
}

void progress_add(struct progress *progress, int64_t now_us, int32_t height, double part)
{
    ASSERT(progress);
    /* Within a second the last sample is replaced, so that the ring spans half a minute. The
     * first one stays: without it a short run would have no rate. */
    if (progress->n >= 2) {
        size_t before = (progress->next + PROGRESS_SAMPLES - 2) % PROGRESS_SAMPLES;
        if (now_us - progress->samples[before].now_us < SAMPLE_US) {
            progress->next = (progress->next + PROGRESS_SAMPLES - 1) % PROGRESS_SAMPLES;
            progress->n--;
        }
    }
    progress->samples[progress->next] =
        (struct progress_sample){.now_us = now_us, .height = height, .part = part};
    progress->next = (progress->next + 1) % PROGRESS_SAMPLES;
    if (progress->n < PROGRESS_SAMPLES)
        progress->n++;
    while (progress->n > 2 && now_us - oldest(progress)->now_us > SPAN_US)
        progress->n--;
}

double progress_blocks_per_s(const struct progress *progress)
{
    ASSERT(progress);
    if (progress->n < 2)
        return 0;
    const struct progress_sample *a = oldest(progress), *b = newest(progress);
    if (b->now_us <= a->now_us || b->height <= a->height)
        return 0;
    return (double)(b->height - a->height) * 1e6 / (double)(b->now_us - a->now_us);
}

int64_t progress_seconds_left(const struct progress *progress)
{
    ASSERT(progress);
    if (progress->n < 2)
        return -1;
    const struct progress_sample *a = oldest(progress), *b = newest(progress);
    if (b->now_us <= a->now_us || b->part <= a->part || b->part >= 1)
        return -1;
    double rate = (b->part - a->part) * 1e6 / (double)(b->now_us - a->now_us);
    double left = (1 - b->part) / rate;
    /* Years of it mean nothing. */
    return left < 1e9 ? (int64_t)left : -1;
}

static void format_left(int64_t left_s, char *out, size_t size)
{
    long long s = left_s;
    if (s < 0)
        out[0] = '\0';
    else if (s < 90)
        snprintf(out, size, "  %lld s left", s);
    else if (s < 90 * 60)
        snprintf(out, size, "  %lld min left", (s + 30) / 60);
    else if (s < 48 * 3600)
        snprintf(out, size, "  %lld h %lld min left", s / 3600, s % 3600 / 60);
    else
        snprintf(out, size, "  %lld days left", (s + 43200) / 86400);
}

char *progress_format(const struct progress *progress, int64_t tip_time_s, char *line)
{
    ASSERT(progress);
    static const struct progress_sample none;
    const struct progress_sample *last = progress->n ? newest(progress) : &none;
    char date[16] = "", left[48];
    time_t when = (time_t)tip_time_s;
    struct tm tm;
    if (gmtime_r(&when, &tm))
        strftime(date, sizeof date, "%Y-%m-%d", &tm);
    format_left(progress_seconds_left(progress), left, sizeof left);
    double rate = progress_blocks_per_s(progress);
    snprintf(line, PROGRESS_LINE_BYTES, "height %d  %s  %.*f%%  %.*f blocks/s%s", last->height,
             date, last->part > 0.99 ? 2 : 1, last->part * 100, rate < 10 ? 1 : 0, rate, left);
    return line;
}

static void format_rate(uint64_t bytes, int64_t us, char *out, size_t size)
{
    double rate = (double)bytes * 1e6 / (double)us;
    if (rate < 999.5)
        snprintf(out, size, "%.0f B/s", rate);
    else if (rate < 999.5e3)
        snprintf(out, size, "%.1f kB/s", rate / 1e3);
    else
        snprintf(out, size, "%.1f MB/s", rate / 1e6);
}

char *progress_format_traffic(const struct traffic *before, const struct traffic *now, char *out)
{
    ASSERT(before && now);
    ASSERT(out && now->received >= before->received && now->sent >= before->sent);
    const char *peers = now->n_peers == 1 ? "peer" : "peers";
    char down[24], up[24];
    if (now->now_us <= before->now_us) {
        snprintf(out, PROGRESS_LINE_BYTES, "%zu %s", now->n_peers, peers);
        return out;
    }
    format_rate(now->received - before->received, now->now_us - before->now_us, down, sizeof down);
    format_rate(now->sent - before->sent, now->now_us - before->now_us, up, sizeof up);
    snprintf(out, PROGRESS_LINE_BYTES, "%zu %s  down %s  up %s", now->n_peers, peers, down, up);
    return out;
}
