/* The grids of the programme. Tick n of a rate num/den lies n · den/num seconds after box time 0,
 * rounded to the nearest nanosecond; nothing is ever summed up, so that any process, whenever started,
 * computes the same ticks. Video frames, audio samples and audio frames each lie on such a grid. */
#ifndef STEADYCAST_ENCODE_GRID_H
#define STEADYCAST_ENCODE_GRID_H

#include <stdint.h>

#include "clock.h"

/** Ticks per second as a fraction; both parts > 0. */
struct rate {
    int64_t num, den;
};

#define SAMPLE_RATE 48000
#define SAMPLES_PER_MS (SAMPLE_RATE / 1000)
#define RATE_SAMPLES ((struct rate){SAMPLE_RATE, 1})

/** Box time of tick `n`, in ns. */
static inline int64_t grid_time(int64_t n, struct rate rate)
{
    __int128 twice = (__int128)n * NS_PER_S * rate.den * 2 + rate.num;
    __int128 unit = (__int128)rate.num * 2;
    return (int64_t)(twice >= 0 ? twice / unit : (twice - unit + 1) / unit);
}

/** The tick nearest to box time `time`; the later of two equally near ones. */
static inline int64_t grid_nearest(int64_t time, struct rate rate)
{
    __int128 twice = (__int128)time * rate.num * 2 + (__int128)NS_PER_S * rate.den;
    __int128 unit = (__int128)NS_PER_S * rate.den * 2;
    return (int64_t)(twice >= 0 ? twice / unit : (twice - unit + 1) / unit);
}

/** The first tick at or after box time `time`. */
static inline int64_t grid_from(int64_t time, struct rate rate)
{
    int64_t n = grid_nearest(time, rate);
    return grid_time(n, rate) < time ? n + 1 : n;
}

/** Length of one step, in ns, rounded down. */
static inline int64_t grid_period(struct rate rate)
{
    return NS_PER_S * rate.den / rate.num;
}

#endif
