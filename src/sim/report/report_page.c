/* report_page.c - see report_page.h */
#include "sim/report/report_page.h"

#include <math.h>

#include "sim/report/chart_draw.h"
#include "sim/report/chart_table.h"
#include "sim/report/figures.h"
#include "sim/report/mesh_draw.h"
#include "sim/report/report_style.h"
#include "sim/report/run_charts.h"
#include "sim/report/svg.h"
#include "util/version.h"

/* One run or two. */
struct report {
    const struct run *runs[2];
    struct figures figures[2];
    unsigned n;
    struct buffer *out;
};

static void put(struct report *r, const char *text)
{
    buffer_append_string(r->out, text);
}

static void put_value(struct report *r, const struct figure *row)
{
    if (row)
        figure_text(r->out, row->kind, row->value);
    else
        put(r, "-");
}

/* -- Head ---------------------------------------------------------------------------------------
 */

static void put_run_line(struct report *r, unsigned i)
{
    static const char *const letters[] = {"<b class=\"ka\">A</b> ", "<b class=\"kb\">B</b> "};
    const struct run *run = r->runs[i];
    put(r, "<p class=\"sub\">");
    if (r->n > 1) {
        put(r, letters[i]);
        svg_escape(r->out, run->name);
        put(r, ": ");
    }
    figure_text(r->out, FIGURE_COUNT, (double)run->nodes.n);
    put(r, " nodes, measured for ");
    figure_text(r->out, FIGURE_SECONDS, (double)run->t_us / 1e6);
    buffer_append_format(r->out, ", seed %lld</p>\n", (long long)run->seed);
    if (!run->has_ended)
        put(r, "<p class=\"warn\">This run was cut off: the trace has no end.</p>\n");
}

static void put_head(struct report *r)
{
    put(r, "<!DOCTYPE html>\n<html lang=\"en\"><head><meta charset=\"utf-8\"/>\n"
           "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\"/>\n<title>");
    for (unsigned i = 0; i < r->n; i++) {
        put(r, i > 0 ? " and " : "");
        svg_escape(r->out, r->runs[i]->name);
    }
    put(r, "</title>\n<style>");
    put(r, report_style_picture);
    put(r, report_style_page);
    put(r, "</style></head>\n<body>\n<header><h1>");
    if (r->n > 1)
        put(r, "Two runs");
    else
        svg_escape(r->out, r->runs[0]->name);
    put(r, "</h1>\n");
    for (unsigned i = 0; i < r->n; i++)
        put_run_line(r, i);
    put(r, "</header>\n");
}

/* clang-format off */
static const struct { const char *title, *group, *label; } keys[] = {
    {"stale rate", "Blocks", "stale rate"},
    {"half of the nodes have a block after", "Propagation",
     "half of the nodes have it, median block"},
    {"99 % of the nodes after", "Propagation", "99 % of the nodes have it, median block"},
    {"deepest reorg, blocks", "Blocks", "deepest reorganisation, blocks"},
    {"mempool agreement", "Transactions", "mempool agreement, mean"},
    {"traffic, a node and minute", "Traffic, a node and minute", "all messages"},
};
/* clang-format on */

static void put_keys(struct report *r)
{
    put(r, "<dl class=\"keys\">\n");
    for (size_t i = 0; i < COUNT_OF(keys); i++) {
        const struct figure *rows[2] = {NULL, NULL};
        for (unsigned j = 0; j < r->n; j++)
            rows[j] = figures_find(&r->figures[j], keys[i].group, keys[i].label);
        if (!rows[0] && !rows[1])
            continue;
        buffer_append_format(r->out, "<div><dt>%s</dt><dd%s>", keys[i].title,
                             r->n > 1 ? " class=\"two\"" : "");
        put(r, r->n > 1 ? "<b class=\"ka\">A</b> " : "");
        put_value(r, rows[0]);
        if (r->n > 1) {
            put(r, "<br/><b class=\"kb\">B</b> ");
            put_value(r, rows[1]);
        }
        put(r, "</dd></div>\n");
    }
    put(r, "</dl>\n");
}

/* -- Diagrams -----------------------------------------------------------------------------------
 */

static void put_chart(struct report *r, size_t number)
{
    struct chart chart;
    run_chart_begin(number, &chart);
    for (unsigned i = 0; i < r->n; i++)
        run_chart_fill(number, &chart, (struct run_of){r->runs[i], i, r->n > 1});
    chart_fit(&chart);
    if (!chart_is_empty(&chart)) {
        buffer_append_format(r->out, "<figure><h2>%s</h2>\n", chart.title);
        chart_draw(&chart, r->out, NULL);
        put(r, "<figcaption>");
        svg_escape(r->out, chart.caption);
        put(r, "</figcaption>\n<details><summary>The numbers</summary>\n");
        chart_table(&chart, r->out);
        put(r, "</details></figure>\n");
    }
    chart_free(&chart);
}

static void put_share(struct report *r, const struct run *run)
{
    const struct mesh_share share = mesh_share_of(run);
    if (share.one_node_of > 1)
        buffer_append_format(r->out, " Of %zu nodes one is drawn, and what connects those.",
                             share.one_node_of);
    if (share.one_link_of > 1)
        buffer_append_format(r->out, " Of %zu lines one is drawn.", share.one_link_of);
}

static void put_mesh_caption(struct report *r, const struct run *run)
{
    put(r, "<figcaption>");
    figure_text(r->out, FIGURE_COUNT, (double)run->nodes.n);
    put(r, " nodes and ");
    figure_text(r->out, FIGURE_COUNT, (double)run->links.n);
    put(r, run->has_geography
               ? " connections in the end, by place: circles by their nodes, lines by "
                 "the number of connections, latitude and longitude as a plain grid."
               : " connections in the end.");
    put_share(r, run);
    if (run->roles.list.n > 1)
        put(r, " Nodes that are not honest stand out in the second colour.");
    put(r, "</figcaption>");
}

static void put_mesh(struct report *r, unsigned i)
{
    const struct run *run = r->runs[i];
    if (run->nodes.n == 0)
        return;
    buffer_append_format(r->out, "<figure%s><h2>The mesh%s</h2>\n",
                         r->n == 1 ? " class=\"wide\""
                         : i == 0  ? " class=\"pair first\""
                                   : " class=\"pair\"",
                         r->n == 1 ? ""
                         : i       ? " of B"
                                   : " of A");
    mesh_draw(run, i == 0 ? "mesh" : "mesh-b", r->out, NULL);
    put_mesh_caption(r, run);
    put(r, "</figure>\n");
}

static void put_key_of_marks(struct report *r)
{
    const struct run *run = r->runs[0];
    if (r->n > 1 || (run->partitions.n == 0 && run->attacks.n == 0))
        return;
    put(r, "<p class=\"sub\">In the diagrams over time ");
    if (run->partitions.n > 0)
        put(r, "shaded stretches are partitions of the network");
    if (run->attacks.n > 0)
        put(r, run->partitions.n > 0 ? ", and ticks at the foot are acts of attackers"
                                     : "ticks at the foot are acts of attackers");
    put(r, ".</p><br/>\n");
}

static void put_charts(struct report *r)
{
    put_key_of_marks(r);
    put(r, "<main class=\"grid\">\n");
    for (size_t i = 0; i < run_charts_count(); i++)
        put_chart(r, i);
    for (unsigned i = 0; i < r->n; i++)
        put_mesh(r, i);
    put(r, "</main>\n");
}

/* -- Tables -------------------------------------------------------------------------------------
 */

/* How b differs from a, and in percent of it where that says something. Shares differ by points. */
static void put_difference(struct report *r, const struct figure *a, const struct figure *b)
{
    put(r, "<td>");
    if (!a || !b || a->kind == FIGURE_FLAG || a->value == b->value) {
        put(r, a && b && a->value == b->value ? "same" : "-");
    } else if (a->kind == FIGURE_PERCENT) {
        buffer_append_format(r->out, "%+.1f points", b->value - a->value);
    } else {
        put(r, b->value > a->value ? "+" : "");
        figure_text(r->out, a->kind, b->value - a->value);
    }
    put(r, "</td><td>");
    if (a && b && a->kind != FIGURE_PERCENT && a->kind != FIGURE_FLAG && a->value > 0 &&
        fabs(b->value / a->value - 1) >= 0.005)
        buffer_append_format(r->out, "%+.0f %%", 100 * (b->value / a->value - 1));
    put(r, "</td>");
}

static void put_row(struct report *r, const struct figure *row, unsigned from)
{
    put(r, "<tr><th scope=\"row\">");
    svg_escape(r->out, row->label);
    put(r, "</th><td>");
    put_value(r, from == 0 ? row : NULL);
    put(r, "</td>");
    if (r->n > 1) {
        const struct figure *other =
            from == 0 ? figures_find(&r->figures[1], row->group, row->label) : row;
        put(r, "<td>");
        put_value(r, other);
        put(r, "</td>");
        put_difference(r, from == 0 ? row : NULL, other);
    }
    put(r, "</tr>\n");
}

/* The rows of a group; of the second run those that the first has not. */
static void put_rows_of_group(struct report *r, const char *group)
{
    for (unsigned i = 0; i < r->n; i++) {
        for (size_t j = 0; j < r->figures[i].rows.n; j++) {
            const struct figure *row = &r->figures[i].rows.at[j];
            bool is_known = i == 1 && figures_find(&r->figures[0], group, row->label);
            if (strcmp(row->group, group) == 0 && !is_known)
                put_row(r, row, i);
        }
    }
}

/* Is this the first row of its group, in both runs? */
static bool begins_group(const struct report *r, unsigned i, size_t j)
{
    const char *group = r->figures[i].rows.at[j].group;
    for (unsigned other = 0; other <= i; other++) {
        size_t n = other == i ? j : r->figures[other].rows.n;
        for (size_t k = 0; k < n; k++)
            if (strcmp(r->figures[other].rows.at[k].group, group) == 0)
                return false;
    }
    return true;
}

static void put_summary(struct report *r)
{
    buffer_append_format(r->out, "<section><h2>All figures</h2>\n<div class=\"%s\">\n",
                         r->n > 1 ? "scroll two" : "cols");
    for (unsigned i = 0; i < r->n; i++) {
        for (size_t j = 0; j < r->figures[i].rows.n; j++) {
            if (!begins_group(r, i, j))
                continue;
            const char *group = r->figures[i].rows.at[j].group;
            buffer_append_format(r->out, "<table><caption>%s</caption>", group);
            if (r->n > 1)
                put(r,
                    "<thead><tr><th></th><th scope=\"col\" class=\"ka\">A</th><th scope=\"col\" "
                    "class=\"kb\">B</th><th scope=\"col\">difference</th><th></th></tr></thead>");
            put(r, "<tbody>\n");
            put_rows_of_group(r, group);
            put(r, "</tbody></table>\n");
        }
    }
    put(r, "</div></section>\n");
}

static const char *parameter_of(const struct run *run, const char *name)
{
    for (size_t i = 0; i < run->parameters.n; i++)
        if (strcmp(run->parameters.at[i].name, name) == 0)
            return run->parameters.at[i].value;
    return NULL;
}

static void put_cell(struct report *r, const char *text)
{
    put(r, "<td class=\"s\">");
    svg_escape(r->out, text ? text : "-");
    put(r, "</td>");
}

static void put_parameters(struct report *r)
{
    put(r, "<section><h2>Parameters</h2>\n<table><tbody>\n");
    for (unsigned i = 0; i < r->n; i++) {
        for (size_t j = 0; j < r->runs[i]->parameters.n; j++) {
            const char *name = r->runs[i]->parameters.at[j].name;
            if (i == 1 && parameter_of(r->runs[0], name))
                continue;
            put(r, "<tr><th scope=\"row\">");
            svg_escape(r->out, name);
            put(r, "</th>");
            for (unsigned k = 0; k < r->n; k++)
                put_cell(r, parameter_of(r->runs[k], name));
            put(r, "</tr>\n");
        }
    }
    put(r, "</tbody></table></section>\n");
}

/* -- The whole ----------------------------------------------------------------------------------
 */

static void put_page(struct report *r)
{
    for (unsigned i = 0; i < r->n; i++)
        figures_of_run(r->runs[i], &r->figures[i]);
    put_head(r);
    put_keys(r);
    put_charts(r);
    put_summary(r);
    put_parameters(r);
    put(r, "<footer>Made by cairn-sim " CAIRN_VERSION
           " from its trace. The same trace gives the same bytes.</footer>\n</body></html>\n");
    for (unsigned i = 0; i < r->n; i++)
        figures_free(&r->figures[i]);
}

void report_page(const struct run *run, struct buffer *out)
{
    ASSERT(run && run->has_begun && out);
    struct report report = {.runs = {run}, .n = 1, .out = out};
    put_page(&report);
}

void report_page_of_two(const struct run *a, const struct run *b, struct buffer *out)
{
    ASSERT(a && a->has_begun && b && b->has_begun && out);
    struct report report = {.runs = {a, b}, .n = 2, .out = out};
    put_page(&report);
}

size_t report_pictures_count(void)
{
    return run_charts_count() + 1;
}

const char *report_picture(const struct run *run, size_t number, struct buffer *out)
{
    ASSERT(run && number < report_pictures_count() && out);
    if (number == run_charts_count()) {
        if (run->nodes.n > 0)
            mesh_draw(run, "mesh", out, report_style_picture);
        return run->nodes.n > 0 ? "mesh" : NULL;
    }
    struct chart chart;
    run_chart_begin(number, &chart);
    run_chart_fill(number, &chart, (struct run_of){run, 0, false});
    chart_fit(&chart);
    bool is_empty = chart_is_empty(&chart);
    if (!is_empty)
        chart_draw(&chart, out, report_style_picture);
    chart_free(&chart);
    return is_empty ? NULL : chart.id;
}
