/* PCR: intervals, discontinuities, accuracy against the byte position, arrival jitter. */
#include <math.h>
#include <stdlib.h>

#include "internal.h"

#define STEP_MAX (ANALYSER_TICKS_PER_S / 10)
#define INTERVAL_MAX (ANALYSER_TICKS_PER_S / 25)
#define ERROR_MAX 13.5 /* ticks: 500 ns */
#define WINDOW ANALYSER_TICKS_PER_S
#define WINDOW_POINTS_MIN 8

struct ana_clock *ana_clock(struct analyser *a, struct ana_pid *p)
{
    if (p->clock || a->clock_count == CLOCKS_MAX)
        return p->clock;
    struct ana_clock *c = calloc(1, sizeof *c);
    if (!c)
        return NULL;
    c->pid = p->view.pid;
    c->stride = 1;
    ana_watch_start(a, &c->watch, ANALYSER_PCR_REPETITION, c->pid, 40);
    if (a->options.samples)
        c->samples = calloc(SAMPLES_MAX, sizeof *c->samples);
    a->clock_count++;
    return p->clock = c;
}

static int ascending(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static double median(double *values, size_t count)
{
    qsort(values, count, sizeof *values, ascending);
    return values[count / 2];
}

/* y = level + slope · x */
struct line {
    double level, slope;
};

static double off(struct line l, double x, double y)
{
    return y - l.level - l.slope * x;
}

/* Least squares over the points within `limit` of `l`; `l` itself when they are fewer than half. */
static struct line fit(const double *x, const double *y, size_t count, struct line l, double limit)
{
    double n = 0, sx = 0, sy = 0, sxx = 0, sxy = 0;
    for (size_t i = 0; i < count; i++) {
        if (fabs(off(l, x[i], y[i])) > limit)
            continue;
        n++;
        sx += x[i];
        sy += y[i];
    }
    double mx = sx / n, my = sy / n;
    if (n * 2 < (double)count)
        return l;
    for (size_t i = 0; i < count; i++) {
        if (fabs(off(l, x[i], y[i])) > limit)
            continue;
        sxx += (x[i] - mx) * (x[i] - mx);
        sxy += (x[i] - mx) * (y[i] - my);
    }
    if (sxx <= 0)
        return l;
    double slope = sxy / sxx;
    return (struct line){my - slope * mx, slope};
}

/* Accuracy over a window of points. The line that time follows over bytes is found by medians, so that a
 * wrong PCR does not bend it and only wrong ones are counted, then drawn exactly through the good ones. */
static void judge_window(struct analyser *a, struct ana_clock *c, const double *x, const double *y,
                         size_t count)
{
    double values[CLOCK_POINTS], half = (double)(count / 2);
    for (size_t i = 0; i < count / 2; i++) {
        size_t j = i + (size_t)half;
        values[i] = (y[j] - y[i]) / (x[j] - x[i]);
    }
    struct line l = {0, median(values, count / 2)};
    c->view.windows++;
    size_t steady = 0;
    for (size_t i = 1; i < count; i++) {
        double expected = l.slope * (x[i] - x[i - 1]);
        steady += fabs(y[i] - y[i - 1] - expected) <= expected * 0.01;
    }
    if (l.slope <= 0 || steady * 10 < (count - 1) * 9)
        return;
    for (size_t i = 0; i < count; i++)
        values[i] = off(l, x[i], y[i]);
    l.level = median(values, count);
    l = fit(x, y, count, l, ERROR_MAX);
    c->view.constant_windows++;
    c->view.bitrate = ANALYSER_PACKET_SIZE * 8 * (double)ANALYSER_TICKS_PER_S / l.slope;
    for (size_t i = 1; i < count; i++) { /* the first was the last of the window before */
        double error = fabs(off(l, x[i], y[i]));
        int64_t ns = (int64_t)(error * 1000 / 27 + 0.5);
        if (ns > c->view.error_ns)
            c->view.error_ns = ns;
        if (ns > a->recent.pcr_error_ns)
            a->recent.pcr_error_ns = ns;
        if (error > ERROR_MAX && ana_named(a, c->referenced))
            ana_error(a, ANALYSER_PCR_ACCURACY, c->pid, ns);
    }
}

static void measure_accuracy(struct analyser *a, struct ana_clock *c)
{
    uint64_t last = c->count - 1;
    size_t count = (size_t)(c->count - c->window);
    if (c->losses != a->losses) {
        c->losses = a->losses;
        c->window = last;
        return;
    }
    struct ana_point first = c->points[c->window % CLOCK_POINTS], newest = ana_newest(c);
    if (count < CLOCK_POINTS && (count < WINDOW_POINTS_MIN || newest.time - first.time < WINDOW))
        return;
    double x[CLOCK_POINTS], y[CLOCK_POINTS];
    for (size_t i = 0; i < count; i++) {
        struct ana_point p = c->points[(c->window + i) % CLOCK_POINTS];
        x[i] = (double)(p.packet - first.packet);
        y[i] = (double)(p.time - first.time);
    }
    judge_window(a, c, x, y, count);
    c->window = last;
}

/* Keeps every stride-th arrival; when the room is used up, every other one is dropped. */
static void sample(struct ana_clock *c, int64_t time, int64_t arrival)
{
    if (!c->samples || arrival < 0 || c->skip++ % c->stride)
        return;
    if (c->sample_count == SAMPLES_MAX) {
        c->sample_count /= 2;
        for (size_t i = 0; i < c->sample_count; i++)
            c->samples[i] = c->samples[2 * i];
        c->stride *= 2;
        c->skip = 1;
    }
    c->samples[c->sample_count].time = time;
    c->samples[c->sample_count++].arrival = arrival;
}

/* What passed since the last PCR when its value does not tell: arrival time, else bytes at the last rate. */
static int64_t passed(const struct analyser *a, const struct ana_clock *c, int64_t step)
{
    if (a->arrival >= 0 && c->arrival >= 0)
        return ana_elapsed(a, c->arrival);
    if (c->count > 1) {
        int64_t bytes = ana_time(c, a->packet) - ana_newest(c).time;
        return bytes < 3600 * ANALYSER_TICKS_PER_S ? bytes : 3600 * ANALYSER_TICKS_PER_S;
    }
    return step > 0 && step < ANALYSER_TICKS_PER_S ? step : 0;
}

/* PCR and the units in hand belong to different time bases; a jump that was indicated starts their time
 * stamps anew. */
static void part_streams(struct analyser *a, const struct ana_clock *c)
{
    for (struct ana_pid *p = a->first; p; p = p->next)
        if (p->stream && p->stream->clock_pid == c->pid) {
            p->stream->open = false;
            p->stream->started &= !c->indicated;
        }
}

void ana_pcr(struct analyser *a, struct ana_pid *p, int64_t pcr)
{
    struct ana_clock *c = ana_clock(a, p);
    if (!c)
        return;
    int64_t time = 0;
    bool jump = false;
    if (c->count) {
        int64_t step = ana_wrap(pcr - c->pcr, PCR_WRAP), interval = step;
        jump = step < 0 || step > STEP_MAX;
        if (jump) {
            interval = passed(a, c, step);
            ana_settle(a, c);
            c->view.discontinuities++;
            part_streams(a, c);
        } else {
            ana_span(&c->view.interval, step);
        }
        if (ana_named(a, c->referenced)) {
            int64_t ns = ana_ticks_to_ns(interval);
            if (ns > a->recent.pcr_interval_ns)
                a->recent.pcr_interval_ns = ns;
            if (jump && !c->indicated)
                ana_error(a, ANALYSER_PCR_DISCONTINUITY, c->pid, ana_ticks_to_ns(step));
            if (interval > INTERVAL_MAX && !c->watch.overdue)
                ana_error(a, ANALYSER_PCR_REPETITION, c->pid, ns);
        }
        time = ana_newest(c).time + interval;
    }
    c->pcr = pcr;
    c->arrival = a->arrival;
    c->indicated = false;
    c->watch.noticed = true; /* so that the absence which ends here is not counted again */
    ana_point(a, c, time);
    c->watch.noticed = false;
    c->watch.heard = a->now;
    c->watch.overdue = 0;
    if (jump)
        c->window = c->count - 1;
    measure_accuracy(a, c);
    sample(c, time, a->arrival);
}

bool analyser_constant_rate(const struct analyser_pcr *pcr)
{
    return pcr->constant_windows > 0 && pcr->constant_windows * 10 >= pcr->windows * 9;
}

bool analyser_jitter(const struct analyser *a, uint16_t pid, struct analyser_jitter *out)
{
    const struct ana_clock *c = pid < PID_COUNT && a->pids[pid] ? a->pids[pid]->clock : NULL;
    size_t count = c ? c->sample_count : 0;
    double *x = count < 3 ? NULL : calloc(2 * count, sizeof *x);
    if (!x)
        return false;
    double *y = x + count;
    for (size_t i = 0; i < count; i++) {
        x[i] = (double)(c->samples[i].time - c->samples[0].time) * 1000 / 27;
        y[i] = (double)(c->samples[i].arrival - c->samples[0].arrival) - x[i];
    }
    struct line l = fit(x, y, count, (struct line){0}, INFINITY);
    for (size_t i = 0; i < count; i++)
        y[i] = off(l, x[i], y[i]);
    qsort(y, count, sizeof *y, ascending);
    *out = (struct analyser_jitter){.p1 = y[count / 100], .p50 = y[count / 2],
                                    .p99 = y[count - 1 - count / 100], .drift_ppm = l.slope * 1e6,
                                    .samples = count};
    free(x);
    return true;
}
