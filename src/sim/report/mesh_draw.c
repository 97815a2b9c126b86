/* mesh_draw.c - see mesh_draw.h */
#include "sim/report/mesh_draw.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "sim/report/mesh_layout.h"
#include "sim/report/svg.h"

/* Tenths of a pixel. */
enum {
    WIDTH = 5000,
    MAP_HEIGHT_MIN = 1500,
    MAP_HEIGHT_MAX = 3400,
    PLAIN_HEIGHT = 3000,
    EDGE = 120,
    DOT_MIN = 10,
    DOT_MAX = 56,
};

/* A place of the map. */
struct spot {
    const char *name;
    struct svg_point at;
    double lat, lon;
    uint32_t place, n_nodes, n_others; /* others: that are not honest */
    int radius;
};

struct map {
    const struct run *run;
    struct buffer *out;
    struct spot *spots; /* the one with most nodes first */
    size_t n_spots;
    uint32_t *spot_of; /* by a node's number; SPOT_NONE */
    double west, east, south, north;
    int height;
};

#define SPOT_NONE UINT32_MAX

/* -- Places -------------------------------------------------------------------------------------
 */

static int compare_spots(const void *a, const void *b)
{
    const struct spot *left = a, *right = b;
    if (left->n_nodes != right->n_nodes)
        return left->n_nodes > right->n_nodes ? -1 : 1;
    return left->place < right->place ? -1 : left->place > right->place;
}

/* Nodes of one name are at one place: that of the first of them. */
static void find_spots(struct map *map)
{
    const struct run *run = map->run;
    map->n_spots = run->places.list.n;
    map->spots = xcalloc(map->n_spots, sizeof *map->spots);
    for (uint32_t i = 0; i < map->n_spots; i++)
        map->spots[i].place = i;
    for (size_t i = 0; i < run->nodes.n; i++) {
        const struct run_node *node = &run->nodes.at[i];
        if (!node->has_place)
            continue;
        struct spot *spot = &map->spots[node->place];
        if (spot->n_nodes++ == 0) {
            spot->name = names_get(&run->places, node->place);
            spot->lat = node->lat_e6 / 1e6;
            spot->lon = node->lon_e6 / 1e6;
        }
        spot->n_others += !node->is_honest;
    }
    qsort(map->spots, map->n_spots, sizeof *map->spots, compare_spots);
    uint32_t rank[RUN_PLACES_MAX];
    for (uint32_t i = 0; i < map->n_spots; i++)
        rank[map->spots[i].place] = i;
    /* A node that is told of twice may have left a place with nobody: these are last. */
    while (map->n_spots > 0 && map->spots[map->n_spots - 1].n_nodes == 0)
        map->n_spots--;
    map->spot_of = xcalloc(run->nodes.n, sizeof *map->spot_of);
    for (size_t i = 0; i < run->nodes.n; i++)
        map->spot_of[i] = run->nodes.at[i].has_place ? rank[run->nodes.at[i].place] : SPOT_NONE;
}

/* The part of the earth that is shown: around all places, twice as wide as high at most. */
static void choose_window(struct map *map)
{
    map->west = map->south = 1000;
    map->east = map->north = -1000;
    for (size_t i = 0; i < map->n_spots; i++) {
        map->west = fmin(map->west, map->spots[i].lon);
        map->east = fmax(map->east, map->spots[i].lon);
        map->south = fmin(map->south, map->spots[i].lat);
        map->north = fmax(map->north, map->spots[i].lat);
    }
    double width = fmax((map->east - map->west) * 1.16, 8);
    double height = fmax((map->north - map->south) * 1.3, width * 0.3);
    double x = (map->east + map->west) / 2, y = (map->north + map->south) / 2;
    map->west = x - width / 2;
    map->east = x + width / 2;
    map->height = (int)(WIDTH * height / width);
    map->height = MIN_OF(MAX_OF(map->height, (int)MAP_HEIGHT_MIN), (int)MAP_HEIGHT_MAX);
    map->south = y - height / 2;
    map->north = y + height / 2;
}

static struct svg_point place_of(const struct map *map, double lat, double lon)
{
    double x = (lon - map->west) / (map->east - map->west);
    double y = (map->north - lat) / (map->north - map->south);
    return (struct svg_point){(int)lround(x * WIDTH), (int)lround(y * map->height)};
}

static void place_spots(struct map *map)
{
    double most = map->n_spots > 0 ? fmax(map->spots[0].n_nodes, 1) : 1;
    for (size_t i = 0; i < map->n_spots; i++) {
        struct spot *spot = &map->spots[i];
        spot->at = place_of(map, spot->lat, spot->lon);
        spot->radius = DOT_MIN + (int)lround(DOT_MAX * sqrt(spot->n_nodes / most));
    }
}

/* -- The map ------------------------------------------------------------------------------------
 */

static void draw_grid(const struct map *map)
{
    double step = map->east - map->west > 120 ? 30 : map->east - map->west > 30 ? 10 : 2;
    for (double lon = ceil(map->west / step) * step; lon < map->east; lon += step) {
        int x = place_of(map, 0, lon).x;
        svg_line(map->out, (struct svg_point){x, 0}, (struct svg_point){x, map->height}, "g");
    }
    for (double lat = ceil(map->south / step) * step; lat < map->north; lat += step) {
        int y = place_of(map, lat, 0).y;
        svg_line(map->out, (struct svg_point){0, y}, (struct svg_point){WIDTH, y}, "g");
    }
}

/* How many links there are between each two places. */
static uint32_t *count_links(const struct map *map, uint32_t *most)
{
    uint32_t *counts = xcalloc(map->n_spots * map->n_spots, sizeof *counts);
    *most = 0;
    for (size_t i = 0; i < map->run->links.n; i++) {
        uint32_t a = map->spot_of[map->run->links.at[i].from];
        uint32_t b = map->spot_of[map->run->links.at[i].to];
        if (a == SPOT_NONE || b == SPOT_NONE || a == b)
            continue;
        uint32_t *count = &counts[MIN_OF(a, b) * map->n_spots + MAX_OF(a, b)];
        ++*count;
        *most = MAX_OF(*most, *count);
    }
    return counts;
}

static void draw_map_links(const struct map *map)
{
    static const char *const classes[] = {"l l0", "l", "l l2", "l l3"};
    uint32_t most;
    uint32_t *counts = count_links(map, &most);
    size_t n_drawn = 0;
    for (size_t a = 0; a < map->n_spots; a++) {
        for (size_t b = a + 1; b < map->n_spots; b++) {
            uint32_t n = counts[a * map->n_spots + b];
            if (n == 0 || n_drawn++ >= MESH_LINKS_DRAWN_MAX)
                continue;
            size_t class =
                MIN_OF((size_t)n * COUNT_OF(classes) / (most + 1), COUNT_OF(classes) - 1);
            svg_line(map->out, map->spots[a].at, map->spots[b].at, classes[class]);
        }
    }
    xfree(counts);
}

struct box {
    int left, right, top, bottom;
};

/* The room that a place's name takes at a size of letters, to one side of its circle. */
static struct box box_of(const struct spot *spot, int letter, bool is_left)
{
    int width = (int)strlen(spot->name) * letter, x = spot->at.x + spot->radius + 25;
    if (is_left)
        x = spot->at.x - spot->radius - 25 - width;
    return (struct box){x, x + width, spot->at.y - letter, spot->at.y + letter};
}

static bool is_free(const struct map *map, const struct box *boxes, size_t n, struct box box)
{
    if (box.left < 0 || box.right > WIDTH || box.top < 0 || box.bottom > map->height)
        return false;
    for (size_t i = 0; i < n; i++)
        if (box.left < boxes[i].right && box.right > boxes[i].left && box.top < boxes[i].bottom &&
            box.bottom > boxes[i].top)
            return false;
    return true;
}

/* Boxes that are taken: at first by the circles. */
struct taken {
    struct box *boxes;
    size_t n;
};

static struct taken take_circles(const struct map *map)
{
    struct taken taken = {.boxes = xcalloc(2 * map->n_spots, sizeof *taken.boxes)};
    for (size_t i = 0; i < map->n_spots; i++) {
        const struct spot *spot = &map->spots[i];
        int r = spot->radius * 3 / 4;
        taken.boxes[taken.n++] =
            (struct box){spot->at.x - r, spot->at.x + r, spot->at.y - r, spot->at.y + r};
    }
    return taken;
}

/* To the right of the circle, or else to the left? Takes the room.
 *
 * Returns: false if there is none at either side */
static bool take_side(const struct map *map, struct taken *taken, const struct spot *spot,
                      int letter, bool *is_left)
{
    for (int side = 0; side < 2; side++) {
        struct box box = box_of(spot, letter, side);
        if (!is_free(map, taken->boxes, taken->n, box))
            continue;
        taken->boxes[taken->n++] = box;
        *is_left = side;
        return true;
    }
    return false;
}

/* Names in letters of both sizes, where there is room: class "o" only where letters are small. */
static void draw_names(const struct map *map)
{
    enum { SMALL = 36, LARGE = 74 };
    struct taken small = take_circles(map), large = take_circles(map);
    for (size_t i = 0; i < map->n_spots; i++) {
        const struct spot *spot = &map->spots[i];
        /* Large letters choose the side: there is less room for them. */
        bool is_left, has_room = take_side(map, &large, spot, LARGE, &is_left);
        if (has_room)
            small.boxes[small.n++] = box_of(spot, SMALL, is_left);
        else if (!take_side(map, &small, spot, SMALL, &is_left))
            continue;
        char class[8];
        snprintf(class, sizeof class, "%s%s", has_room ? "" : "o", is_left ? " e" : "");
        int x = spot->at.x + (spot->radius + 25) * (is_left ? -1 : 1);
        svg_text(map->out, (struct svg_point){x, spot->at.y + 23}, class, spot->name);
    }
    xfree(small.boxes);
    xfree(large.boxes);
}

static void draw_spots(const struct map *map)
{
    for (size_t i = 0; i < map->n_spots; i++) {
        const struct spot *spot = &map->spots[i];
        char hint[NAME_BYTES_MAX + 40];
        snprintf(hint, sizeof hint, "%s: %u node%s", spot->name, spot->n_nodes,
                 spot->n_nodes == 1 ? "" : "s");
        svg_circle(map->out, spot->at, spot->radius, "f1 n", hint);
        if (spot->n_others > 0)
            svg_circle(map->out, spot->at, spot->radius / 2, "f2 n", hint);
    }
}

static void draw_map(struct map *map, const char *id, const char *css)
{
    find_spots(map);
    choose_window(map);
    place_spots(map);
    svg_begin(
        map->out, id,
        (const char *const[]){"The mesh", "A map of the nodes' places and their connections."},
        (struct svg_point){WIDTH, map->height}, css);
    buffer_append_string(map->out, "<g class=\"map\">\n");
    draw_grid(map);
    draw_map_links(map);
    draw_spots(map);
    draw_names(map);
    buffer_append_string(map->out, "</g>\n");
    svg_end(map->out);
    xfree(map->spots);
    xfree(map->spot_of);
}

/* -- Without places -----------------------------------------------------------------------------
 */

static struct svg_point on_paper(struct mesh_point point)
{
    return (struct svg_point){EDGE + (int)lround(point.x * (WIDTH - 2 * EDGE)),
                              EDGE + (int)lround(point.y * (PLAIN_HEIGHT - 2 * EDGE))};
}

/* Whoever is not honest is drawn, however many there are. */
static bool is_drawn(const struct run *run, const struct mesh_share *share, uint32_t node)
{
    return node % share->one_node_of == 0 || !run->nodes.at[node].is_honest;
}

static bool is_link_drawn(const struct run *run, const struct mesh_share *share,
                          const struct run_link *link)
{
    return is_drawn(run, share, link->from) && is_drawn(run, share, link->to);
}

struct mesh_share mesh_share_of(const struct run *run)
{
    ASSERT(run);
    struct mesh_share share = {.one_node_of = 1, .one_link_of = 1};
    if (run->has_geography)
        return share;
    share.one_node_of = (run->nodes.n + MESH_NODES_DRAWN_MAX - 1) / MESH_NODES_DRAWN_MAX;
    share.one_node_of = MAX_OF(share.one_node_of, (size_t)1);
    size_t n_links = 0;
    for (size_t i = 0; i < run->links.n; i++)
        n_links += is_link_drawn(run, &share, &run->links.at[i]);
    share.one_link_of = n_links / MESH_LINKS_DRAWN_MAX + 1;
    return share;
}

static void draw_plain_links(const struct run *run, const struct mesh_point *points,
                             struct buffer *out)
{
    const struct mesh_share share = mesh_share_of(run);
    size_t n = 0;
    svg_path_begin(out, run->links.n > 600 ? "l l0" : "l");
    for (size_t i = 0; i < run->links.n; i++) {
        const struct run_link *link = &run->links.at[i];
        if (!is_link_drawn(run, &share, link) || n++ % share.one_link_of != 0)
            continue;
        svg_path_to(out, 'M', on_paper(points[link->from]));
        svg_path_to(out, 'L', on_paper(points[link->to]));
    }
    svg_path_end(out, false);
}

static void draw_plain_nodes(const struct run *run, const struct mesh_point *points,
                             struct buffer *out)
{
    const struct mesh_share share = mesh_share_of(run);
    int radius = MIN_OF(45, MAX_OF(12, (int)(600 / sqrt((double)run->nodes.n + 1))));
    for (uint32_t i = 0; i < run->nodes.n; i++) {
        const struct run_node *node = &run->nodes.at[i];
        if (!is_drawn(run, &share, i))
            continue;
        char hint[NAME_BYTES_MAX + 40];
        snprintf(hint, sizeof hint, "node %u, %s", i, names_get(&run->roles, node->role));
        svg_circle(out, on_paper(points[i]), node->is_honest ? radius : radius * 8 / 5,
                   node->is_honest ? "f1 n" : "f2 n",
                   run->nodes.n <= MESH_PUSHED_MAX ? hint : NULL);
    }
}

static void draw_plain(const struct run *run, const char *id, struct buffer *out, const char *css)
{
    struct mesh_point *points = xcalloc(run->nodes.n, sizeof *points);
    mesh_layout(run, points);
    svg_begin(out, id,
              (const char *const[]){"The mesh", "The nodes as points, their connections as lines."},
              (struct svg_point){WIDTH, PLAIN_HEIGHT}, css);
    draw_plain_links(run, points, out);
    draw_plain_nodes(run, points, out);
    svg_end(out);
    xfree(points);
}

void mesh_draw(const struct run *run, const char *id, struct buffer *out, const char *css)
{
    ASSERT(run && id && out && run->nodes.n > 0);
    struct map map = {.run = run, .out = out};
    if (run->has_geography)
        draw_map(&map, id, css);
    else
        draw_plain(run, id, out, css);
}
