#include "gaps.h"

#include <string.h>

static int64_t overlap(const struct gap *a, const struct gap *b)
{
    int64_t start = a->start_ns > b->start_ns ? a->start_ns : b->start_ns;
    int64_t end = a->end_ns < b->end_ns ? a->end_ns : b->end_ns;
    return end > start ? end - start : 0;
}

static void judge(struct gaps *g, struct gap gap)
{
    int64_t length = gap.end_ns - gap.start_ns;
    for (size_t i = 0; i < g->stalls && i < GAPS_STALLS; i++)
        gap.stalled_ns += overlap(&gap, &g->stall[i]);
    gap.excused = length - gap.stalled_ns <= g->threshold_ns;
    g->count++;
    if (!gap.excused) {
        g->unexcused++;
        if (length > g->longest_unexcused_ns)
            g->longest_unexcused_ns = length;
    }
    if (g->found)
        g->found(g->data, &gap);
}

/* Judges the first `count` of those that wait. */
static void judge_pending(struct gaps *g, size_t count)
{
    for (size_t i = 0; i < count; i++)
        judge(g, g->pending[i]);
    g->pending_count -= count;
    memmove(g->pending, g->pending + count, g->pending_count * sizeof *g->pending);
}

void gaps_take(struct gaps *g, int64_t arrival_ns)
{
    struct gap gap = {.start_ns = g->last_ns, .end_ns = arrival_ns};
    int64_t length = g->started ? arrival_ns - g->last_ns : 0;
    if (g->started && length <= 0)
        return;
    g->started = true;
    g->last_ns = arrival_ns;
    if (length > g->longest.end_ns - g->longest.start_ns)
        g->longest = gap;
    if (length > g->recent_ns)
        g->recent_ns = length;
    if (length <= g->threshold_ns) {
        if (length > g->longest_unexcused_ns)
            g->longest_unexcused_ns = length;
        return;
    }
    if (g->pending_count == GAPS_PENDING)
        judge_pending(g, 1);
    g->pending[g->pending_count++] = gap;
    if (!g->controlled)
        judge_pending(g, 1);
}

void gaps_take_control(struct gaps *g, int64_t arrival_ns)
{
    int64_t length = g->controls++ ? arrival_ns - g->last_control_ns : 0;
    if (length >= GAP_STALL_MIN_NS && length <= GAP_STALL_MAX_NS)
        g->stall[g->stalls++ % GAPS_STALLS] = (struct gap){g->last_control_ns, arrival_ns, 0, false};
    if (length > g->longest_control_ns)
        g->longest_control_ns = length;
    g->last_control_ns = arrival_ns;
    size_t ready = 0;
    while (ready < g->pending_count && g->pending[ready].end_ns <= arrival_ns)
        ready++;
    if (ready)
        judge_pending(g, ready);
}

void gaps_finish(struct gaps *g)
{
    judge_pending(g, g->pending_count);
}
