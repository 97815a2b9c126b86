/* sim_report.c - see sim_report.h */
#include "sim/program/sim_report.h"

#include <stdio.h>

#include "sim/program/sim_trace_file.h"
#include "sim/report/figures.h"
#include "sim/report/report_page.h"

struct arguments {
    const char *traces[2];
    int n_traces;
    const char *out, *plots; /* NULL: not asked for */
    bool wants_help;
};

/* -- Arguments ----------------------------------------------------------------------------------
 */

static int print_usage(void)
{
    fputs("cairn-sim report TRACE [--out=FILE] [--plots=DIR]\n"
          "cairn-sim compare TRACE TRACE [--out=FILE]\n\n"
          "The figures of a run from its trace (-: standard input), or those of two side by side.\n"
          "  --out=FILE   write a page with diagrams (HTML, nothing in it comes from elsewhere)\n"
          "  --plots=DIR  write each diagram as DIR/NAME.svg\n",
          stdout);
    return 0;
}

static bool read_argument(struct arguments *arguments, const char *arg)
{
    if (strcmp(arg, "--help") == 0 || strcmp(arg, "-h") == 0)
        return arguments->wants_help = true;
    if (strncmp(arg, "--out=", 6) == 0 && arg[6]) {
        arguments->out = arg + 6;
        return true;
    }
    if (strncmp(arg, "--plots=", 8) == 0 && arg[8]) {
        arguments->plots = arg + 8;
        return true;
    }
    if ((arg[0] == '-' && arg[1]) || arguments->n_traces == 2)
        return false;
    arguments->traces[arguments->n_traces++] = arg;
    return true;
}

static bool read_arguments(struct arguments *arguments, int argc, char **argv, int n_traces)
{
    *arguments = (struct arguments){0};
    bool ok = true;
    for (int i = 1; ok && i < argc; i++)
        ok = read_argument(arguments, argv[i]);
    ok = ok && (arguments->wants_help || arguments->n_traces == n_traces) &&
         (n_traces == 1 || !arguments->plots);
    if (!ok)
        fprintf(stderr, "cairn-sim: wrong arguments; see cairn-sim %s --help\n", argv[0]);
    return ok;
}

/* -- Text ---------------------------------------------------------------------------------------
 */

static void print_figures(const struct run *run)
{
    struct figures figures;
    struct buffer text;
    buffer_init(&text);
    figures_of_run(run, &figures);
    buffer_append_format(&text, "%s, seed %lld\n\n", run->name, (long long)run->seed);
    figures_print(&figures, &text);
    fwrite(text.p, 1, text.len, stdout);
    buffer_deinit(&text);
    figures_free(&figures);
}

static void print_both(const struct run *a, const struct run *b)
{
    struct figures of_a, of_b;
    struct buffer text;
    buffer_init(&text);
    figures_of_run(a, &of_a);
    figures_of_run(b, &of_b);
    buffer_append_format(&text, "A: %s, seed %lld\nB: %s, seed %lld\n\n", a->name,
                         (long long)a->seed, b->name, (long long)b->seed);
    figures_print_both(&of_a, &of_b, &text);
    fwrite(text.p, 1, text.len, stdout);
    buffer_deinit(&text);
    figures_free(&of_a);
    figures_free(&of_b);
}

/* -- Files --------------------------------------------------------------------------------------
 */

static bool write_pictures(const struct run *run, const char *dir)
{
    bool ok = true;
    for (size_t i = 0; ok && i < report_pictures_count(); i++) {
        struct buffer picture;
        buffer_init(&picture);
        const char *name = report_picture(run, i, &picture);
        if (name) {
            char *path = xasprintf("%s/%s.svg", dir, name);
            ok = sim_file_write(path, buffer_span(&picture));
            xfree(path);
        }
        buffer_deinit(&picture);
    }
    return ok;
}

bool sim_report_write_page(const struct run *a, const struct run *b, const char *path)
{
    ASSERT(a && path);
    struct buffer page;
    buffer_init(&page);
    if (b)
        report_page_of_two(a, b, &page);
    else
        report_page(a, &page);
    bool ok = sim_file_write(path, buffer_span(&page));
    buffer_deinit(&page);
    return ok;
}

/* -- Commands -----------------------------------------------------------------------------------
 */

int sim_report_command(int argc, char **argv)
{
    ASSERT(argc > 0 && argv);
    struct arguments arguments;
    if (!read_arguments(&arguments, argc, argv, 1))
        return 2;
    if (arguments.wants_help)
        return print_usage();
    struct run *run = sim_trace_load(arguments.traces[0]);
    if (!run)
        return 1;
    print_figures(run);
    bool ok = !arguments.out || sim_report_write_page(run, NULL, arguments.out);
    ok = ok && (!arguments.plots || write_pictures(run, arguments.plots));
    run_free(run);
    return !ok;
}

int sim_compare_command(int argc, char **argv)
{
    ASSERT(argc > 0 && argv);
    struct arguments arguments;
    if (!read_arguments(&arguments, argc, argv, 2))
        return 2;
    if (arguments.wants_help)
        return print_usage();
    struct run *a = sim_trace_load(arguments.traces[0]);
    struct run *b = a ? sim_trace_load(arguments.traces[1]) : NULL;
    bool ok = a && b;
    if (ok) {
        print_both(a, b);
        ok = !arguments.out || sim_report_write_page(a, b, arguments.out);
    }
    run_free(a);
    run_free(b);
    return !ok;
}
