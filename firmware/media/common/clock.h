/* The box clock: CLOCK_MONOTONIC in nanoseconds, the same in every process and over restarts. */
#ifndef STEADYCAST_CLOCK_H
#define STEADYCAST_CLOCK_H

#include <stdint.h>
#include <time.h>

#define NS_PER_MS INT64_C(1000000)
#define NS_PER_S INT64_C(1000000000)

/** The box clock now, in nanoseconds. */
static inline int64_t clock_now(void)
{
    struct timespec ts;
    clock_gettime(CLOCK_MONOTONIC, &ts);
    return (int64_t)ts.tv_sec * NS_PER_S + ts.tv_nsec;
}

/** Sleeps until the box clock shows `deadline` (ns); returns at once when that is past. */
static inline void clock_sleep_until(int64_t deadline)
{
    struct timespec ts = {.tv_sec = deadline / NS_PER_S, .tv_nsec = deadline % NS_PER_S};
    while (clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &ts, 0) != 0) {
    }
}

#endif
