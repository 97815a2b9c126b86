/* geography.c - see geography.h
 *
 * A way is the great circle between two cities, at two thirds of the speed of light (that of glass
 * with a refractive index of 1.5), times 1.4 for cables that do not go straight, and 2 ms for both
 * ends' last mile and the machines between. It is rounded to a tenth of a millisecond, so that how
 * a library rounds a cosine does not reach a run. */
#include "sim/study/geography.h"

#include <math.h>
#include <string.h>

#include "util/assert.h"

#define EARTH_KM       6371.0
#define GLASS_KM_PER_S 199861.6
#define DETOUR         1.4
#define ENDS_US        2000
#define STEP_US        100
#define CENTI_TO_RAD   (3.14159265358979323846 / 18000.0)

/* clang-format off */
static const struct city cities[] = {
    {"Amsterdam", 5237, 490, 6},      {"Ashburn", 3904, -7749, 9},     {"Atlanta", 3375, -8439, 3},
    {"Bangalore", 1297, 7759, 2},     {"Buenos Aires", -3460, -5838, 1},
    {"Chicago", 4188, -8763, 5},
    {"Dallas", 3278, -9680, 4},       {"Dublin", 5335, -626, 2},       {"Frankfurt", 5011, 868, 12},
    {"Helsinki", 6017, 2494, 5},      {"Hong Kong", 2232, 11417, 2},  
    {"Johannesburg", -2620, 2805, 1},
    {"London", 5151, -13, 6},         {"Los Angeles", 3405, -11824, 5}, {"Madrid", 4042, -370, 2},
    {"Moscow", 5576, 3762, 3},        {"New York", 4071, -7401, 7},    {"Paris", 4886, 235, 6},
    {"San Francisco", 3777, -12242, 5}, {"Sao Paulo", -2355, -4663, 2}, {"Seoul", 3757, 12698, 2},
    {"Singapore", 135, 10382, 4},     {"Sydney", -3387, 15121, 3},     {"Tokyo", 3568, 13969, 4},
    {"Toronto", 4365, -7938, 5},      {"Zurich", 4738, 854, 3},
};
/* clang-format on */

size_t geography_count(void)
{
    return COUNT_OF(cities);
}

const struct city *geography_city(size_t i)
{
    ASSERT(i < COUNT_OF(cities));
    return &cities[i];
}

int geography_find(const char *name)
{
    ASSERT(name);
    for (size_t i = 0; i < COUNT_OF(cities); i++)
        if (strcmp(cities[i].name, name) == 0)
            return (int)i;
    return -1;
}

/* By the haversine formula, which is good for near points too. */
int64_t geography_latency_us(size_t a, size_t b)
{
    ASSERT(a < COUNT_OF(cities) && b < COUNT_OF(cities));
    const struct city *from = &cities[a < b ? a : b], *to = &cities[a < b ? b : a];
    double lat_a = from->lat_centi * CENTI_TO_RAD, lat_b = to->lat_centi * CENTI_TO_RAD;
    double d_lat = sin((lat_b - lat_a) / 2);
    double d_lon = sin((to->lon_centi - from->lon_centi) * CENTI_TO_RAD / 2);
    double h = d_lat * d_lat + cos(lat_a) * cos(lat_b) * d_lon * d_lon;
    double km = 2 * EARTH_KM * asin(sqrt(h < 1 ? h : 1));
    double us = km / GLASS_KM_PER_S * DETOUR * 1e6;
    return ENDS_US + (int64_t)llround(us / STEP_US) * STEP_US;
}

size_t geography_draw(uint64_t random)
{
    uint64_t total = 0;
    for (size_t i = 0; i < COUNT_OF(cities); i++)
        total += cities[i].share;
    uint64_t left = random % total;
    size_t i = 0;
    while (left >= cities[i].share)
        left -= cities[i++].share;
    return i;
}
