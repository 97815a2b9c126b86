/* mesh_layout.c - see mesh_layout.h */
#include "sim/report/mesh_layout.h"

#include <math.h>

#define ROUNDS       150
#define GOLDEN_ANGLE 2.399963229728653 /* of a spiral that fills a disc evenly */

static void spiral(struct mesh_point *points, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        double radius = sqrt(((double)i + 0.5) / (double)n) / 2, angle = GOLDEN_ANGLE * (double)i;
        points[i] = (struct mesh_point){0.5 + radius * cos(angle), 0.5 + radius * sin(angle)};
    }
}

static void push_apart(const struct mesh_point *points, struct mesh_point *moves, size_t n,
                       double spacing)
{
    for (size_t i = 0; i < n; i++) {
        for (size_t j = 0; j < i; j++) {
            double dx = points[i].x - points[j].x, dy = points[i].y - points[j].y;
            double force = spacing * spacing / fmax(dx * dx + dy * dy, 1e-6);
            moves[i].x += dx * force;
            moves[i].y += dy * force;
            moves[j].x -= dx * force;
            moves[j].y -= dy * force;
        }
    }
}

static void pull_links(const struct run *run, const struct mesh_point *points,
                       struct mesh_point *moves, double spacing)
{
    for (size_t i = 0; i < run->links.n; i++) {
        uint32_t a = run->links.at[i].from, b = run->links.at[i].to;
        double dx = points[a].x - points[b].x, dy = points[a].y - points[b].y;
        double force = sqrt(dx * dx + dy * dy) / spacing;
        moves[a].x -= dx * force;
        moves[a].y -= dy * force;
        moves[b].x += dx * force;
        moves[b].y += dy * force;
    }
}

/* Move by what was added up, but no further than heat. */
static void move(struct mesh_point *points, struct mesh_point *moves, size_t n, double heat)
{
    for (size_t i = 0; i < n; i++) {
        double length = sqrt(moves[i].x * moves[i].x + moves[i].y * moves[i].y);
        double share = length > heat ? heat / length : 1;
        points[i].x += moves[i].x * share;
        points[i].y += moves[i].y * share;
        moves[i] = (struct mesh_point){0};
    }
}

/* Let the points fill the square. */
static void fill_square(struct mesh_point *points, size_t n)
{
    struct mesh_point low = points[0], high = points[0];
    for (size_t i = 1; i < n; i++) {
        low = (struct mesh_point){fmin(low.x, points[i].x), fmin(low.y, points[i].y)};
        high = (struct mesh_point){fmax(high.x, points[i].x), fmax(high.y, points[i].y)};
    }
    double width = fmax(high.x - low.x, 1e-9), height = fmax(high.y - low.y, 1e-9);
    for (size_t i = 0; i < n; i++) {
        points[i].x = (points[i].x - low.x) / width;
        points[i].y = (points[i].y - low.y) / height;
    }
}

void mesh_layout(const struct run *run, struct mesh_point *points)
{
    ASSERT(run && (points || run->nodes.n == 0));
    size_t n = run->nodes.n;
    spiral(points, n);
    if (n < 2 || n > MESH_PUSHED_MAX)
        return;
    struct mesh_point *moves = xcalloc(n, sizeof *moves);
    double spacing = 0.8 / sqrt((double)n);
    for (int round = 0; round < ROUNDS; round++) {
        push_apart(points, moves, n, spacing);
        pull_links(run, points, moves, spacing);
        move(points, moves, n, 0.1 * (1 - (double)round / ROUNDS));
    }
    xfree(moves);
    fill_square(points, n);
}
