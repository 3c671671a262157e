/* The grids: exact at any time, and the same whoever computes them. */
#include <stdlib.h>

#include "check.h"
#include "grid.h"

static const struct rate rates[] = {{25, 1},       {50, 1},       {24000, 1001}, {30000, 1001}, {60000, 1001},
                                    {48000, 1024}, {48000, 1152}, {48000, 1},    {1, 1}};
#define RATES (sizeof rates / sizeof *rates)
/* Ticks at the start, and after a day, a year and ten years of uptime. */
static const int64_t seconds[] = {0, 1, 86400, 31557600, 315576000};

static void steps_are_exact(struct rate rate, int64_t from)
{
    int64_t n = grid_from(from * NS_PER_S, rate);
    for (int i = 0; i < 5000; i++, n++) {
        int64_t time = grid_time(n, rate), step = grid_time(n + 1, rate) - time;
        double exact = 1e9 * (double)rate.den / (double)rate.num;
        CHECK((double)step > exact - 1 && (double)step < exact + 1);
        CHECK_EQ_INT(grid_nearest(time, rate), n);
        CHECK_EQ_INT(grid_from(time, rate), n);
        CHECK_EQ_INT(grid_from(time - 1, rate), n);
        CHECK_EQ_INT(grid_from(time + 1, rate), n + 1);
        CHECK_EQ_INT(grid_nearest(time + step / 2 - 1, rate), n);
        CHECK_EQ_INT(grid_nearest(time - step / 2 + 1, rate), n);
    }
}

int main(void)
{
    for (size_t r = 0; r < RATES; r++) {
        for (size_t s = 0; s < sizeof seconds / sizeof *seconds; s++)
            steps_are_exact(rates[r], seconds[s]);
    }
    CHECK_EQ_INT(grid_time(1, (struct rate){25, 1}), 40000000);
    CHECK_EQ_INT(grid_time(3, (struct rate){30000, 1001}), 100100000);
    CHECK_EQ_INT(grid_time(1, (struct rate){30000, 1001}), 33366667);
    /* 1001 frames take 1001 · 1001 / 30000 s, whatever was rounded on the way. */
    CHECK_EQ_INT(grid_time(30000, (struct rate){30000, 1001}), 1001 * NS_PER_S);
    CHECK_EQ_INT(grid_time(-3, (struct rate){30000, 1001}), -100100000);
    CHECK_EQ_INT(grid_nearest(-40000000, (struct rate){25, 1}), -1);
    CHECK_EQ_INT(grid_from(-39999999, (struct rate){25, 1}), 0);
    return 0;
}
