/* Stream time: clocks made of points, marks that wait for the next point, and watches on what should come
 * again. */
#include <string.h>

#include "internal.h"

#define TICKS(ms) ((int64_t)(ms) * (ANALYSER_TICKS_PER_S / 1000))
/* A silent clock is replaced by another programme's, and when there is none, by arrival time. */
#define CLOCK_AFTER (ANALYSER_TICKS_PER_S / 2)
#define WALL_AFTER_NS INT64_C(1000000000)
#define WALL_STEP_NS INT64_C(100000000)
#define HOUR_NS (3600 * INT64_C(1000000000))
#define CHECK_EVERY TICKS(100)

static const struct ana_point *point(const struct ana_clock *c, uint64_t number)
{
    return &c->points[number % CLOCK_POINTS];
}

struct ana_point ana_newest(const struct ana_clock *c)
{
    return *point(c, c->count - 1);
}

int64_t ana_time(const struct ana_clock *c, int64_t packet)
{
    uint64_t oldest = c->count > CLOCK_POINTS ? c->count - CLOCK_POINTS : 0, i = c->count - 2;
    while (i > oldest && point(c, i)->packet > packet)
        i--;
    const struct ana_point *p = point(c, i), *q = point(c, i + 1);
    if (q->packet <= p->packet)
        return p->time;
    double slope = (double)(q->time - p->time) / (double)(q->packet - p->packet);
    return p->time + (int64_t)((double)(packet - p->packet) * slope);
}

int64_t ana_elapsed(const struct analyser *a, int64_t since)
{
    int64_t ns = a->arrival - since;
    return ns <= 0 ? 0 : (ns < HOUR_NS ? ns : HOUR_NS) * 27 / 1000;
}

void ana_watch_start(struct analyser *a, struct ana_watch *w, enum analyser_check check, uint16_t pid,
                     int limit_ms)
{
    w->check = check;
    w->pid = pid;
    w->limit = TICKS(limit_ms);
    w->heard = a->now;
    w->overdue = 0;
    w->seen = w->noticed = false;
}

static void late(struct analyser *a, struct ana_watch *w, int64_t interval)
{
    ana_error(a, w->check, w->pid, ana_ticks_to_ns(interval));
}

void ana_watch_seen(struct analyser *a, struct ana_watch *w, int64_t time)
{
    if (w->seen) {
        int64_t interval = time - w->last;
        ana_span(&w->interval, interval);
        if (w->limit && interval > w->limit && !w->overdue)
            late(a, w, interval);
    }
    w->seen = true;
    w->last = time;
    w->heard = a->now;
    w->overdue = 0;
}

/* Counts an absence that lasts longer than `limit`. */
static void check_absence(struct analyser *a, struct ana_watch *w, int64_t limit)
{
    if (w->noticed)
        w->heard = a->now;
    w->noticed = false;
    int64_t silent = a->now - w->heard;
    if (silent > limit + w->overdue * ANALYSER_TICKS_PER_S) {
        w->overdue++;
        late(a, w, silent);
    }
}

static void check_absences(struct analyser *a)
{
    if (a->now - a->checked < CHECK_EVERY)
        return;
    a->checked = a->now;
    check_absence(a, &a->tables[ANALYSER_TABLE_PAT], a->tables[ANALYSER_TABLE_PAT].limit);
    for (struct ana_pid *p = a->first; p; p = p->next) {
        if (ana_named(a, p->pmt))
            check_absence(a, &p->table, p->table.limit);
        if (ana_named(a, p->named)) {
            if (p->missing.noticed)
                p->missing.overdue = 0;
            check_absence(a, &p->missing, p->missing.limit);
            if (p->stream && p->stream->timed)
                check_absence(a, &p->stream->watch, p->stream->watch.limit);
        }
        /* Whether a PCR is late, its value tells when it comes. This is for when none comes. */
        if (p->clock && ana_named(a, p->clock->referenced))
            check_absence(a, &p->clock->watch, ANALYSER_TICKS_PER_S);
    }
}

static void settle(struct analyser *a, const struct ana_mark *m, const struct ana_clock *c)
{
    int64_t time = ana_time(c, m->packet);
    if (m->stream)
        ana_lead(m->stream, ana_wrap(m->dts * 300 - c->pcr + ana_newest(c).time - time, PCR_WRAP));
    else
        ana_watch_seen(a, m->watch, time + (m->clock ? 0 : a->shift));
}

void ana_settle(struct analyser *a, struct ana_clock *c)
{
    if (c->count < 2)
        return;
    size_t kept = 0;
    for (size_t i = 0; i < a->mark_count; i++) {
        const struct ana_mark *m = &a->marks[i];
        if ((m->clock ? m->clock : a->master) == c)
            settle(a, m, c);
        else
            a->marks[kept++] = *m;
    }
    a->mark_count = kept;
}

void ana_mark(struct analyser *a, struct ana_mark mark)
{
    if (a->mark_count == MARKS_MAX) { /* PCRs are too rare: judge the oldest by what is known */
        const struct ana_mark *m = &a->marks[0];
        const struct ana_clock *c = m->clock ? m->clock : a->master;
        if (c->count >= 2)
            settle(a, m, c);
        memmove(a->marks, a->marks + 1, --a->mark_count * sizeof *a->marks);
    }
    if (mark.watch)
        mark.watch->noticed = true;
    a->marks[a->mark_count++] = mark;
}

/* Clock `c`, which has just been given a point at `time`, gives the time from now on. */
static void take_over(struct analyser *a, struct ana_clock *c, int64_t time)
{
    int64_t passed = 0;
    if (a->arrival >= 0 && a->now_arrival >= 0)
        passed = ana_elapsed(a, a->now_arrival);
    else if (c->count > 1)
        passed = time - ana_time(c, a->now_packet);
    a->shift = a->now + (passed > 0 ? passed : 0) - time;
    a->master = c;
}

void ana_point(struct analyser *a, struct ana_clock *c, int64_t time)
{
    c->points[c->count++ % CLOCK_POINTS] = (struct ana_point){a->packet, time};
    if (c != a->master) {
        if (a->master == &a->wall || (c->count > 1 && time - ana_time(c, a->now_packet) > CLOCK_AFTER))
            take_over(a, c, time);
        if (!a->begun)
            a->origin = (struct ana_point){a->packet, time + a->shift};
        a->begun = true;
    }
    if (c == a->master) {
        a->now = time + a->shift;
        a->now_packet = a->packet;
        a->now_arrival = a->arrival;
    }
    ana_settle(a, c);
    if (c == a->master && c->count > 1)
        check_absences(a);
}

void ana_wall(struct analyser *a)
{
    struct ana_clock *wall = &a->wall;
    if (wall->count == 0)
        ana_point(a, wall, 0);
    bool running = a->master == wall;
    if (a->arrival < 0 || a->now_arrival < 0 ||
        a->arrival - a->now_arrival < (running ? WALL_STEP_NS : WALL_AFTER_NS))
        return;
    if (!running) {
        wall->points[0] = (struct ana_point){a->now_packet, a->now};
        wall->count = 1;
        a->master = wall;
        a->shift = 0;
    }
    ana_point(a, wall, a->now + ana_elapsed(a, a->now_arrival));
}
