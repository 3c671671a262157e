/* What the parts of the analyser share: analyser.c packets, time.c stream time, pcr.c, psi.c and sections.c
 * tables, pes.c time stamps. */
#ifndef STEADYCAST_ANALYSE_INTERNAL_H
#define STEADYCAST_ANALYSE_INTERNAL_H

#include "analyser.h"

#define PID_COUNT 8192
#define PID_NULL 0x1fff
#define PROGRAMMES_MAX 64
#define CLOCKS_MAX 64
#define CLOCK_POINTS 64
#define SAMPLES_MAX 4096
#define MARKS_MAX 128
#define SECTION_MAX 4098 /* what a 12-bit section_length can ask for */
#define PCR_WRAP ((INT64_C(1) << 33) * 300)
#define STAMP_WRAP (INT64_C(1) << 33)

/** Something that should come again and again. */
struct ana_watch {
    enum analyser_check check;
    uint16_t pid;
    int64_t limit; /* ticks; 0: measured but not judged */
    bool seen;
    bool noticed;  /* came since the last check for absence; its time may not be known yet */
    int64_t last;  /* stream time of the newest one, on the clock that it is measured by */
    int64_t heard; /* analyser.now when it was noticed */
    int overdue;   /* errors already counted for the absence that lasts now */
    struct analyser_span interval;
};

/** A line of stream time: PCR values unwrapped, jumps replaced by the time that really passed. */
struct ana_point {
    int64_t packet, time;
};

struct ana_clock {
    uint16_t pid;
    uint32_t referenced; /* generation of the tables that named it */
    struct analyser_pcr view;
    struct ana_watch watch;
    int64_t pcr, arrival;   /* of the newest PCR */
    bool indicated;         /* discontinuity_indicator seen since */
    struct ana_point points[CLOCK_POINTS]; /* ring; `count` points were ever set */
    uint64_t count, window; /* `window`: the first point of the accuracy window */
    uint64_t losses;        /* analyser.losses when the window began */
    struct { int64_t time, arrival; } *samples; /* every `stride`th point */
    size_t sample_count;
    uint32_t stride, skip;
};

struct ana_stream {
    struct analyser_stream view;
    uint32_t named;     /* generation of the tables that named it as a stream */
    uint16_t clock_pid;
    bool started;       /* pts and dts were set, by this unit or one before */
    bool open;          /* by this unit, and its clock did not jump since */
    int64_t pts, dts;
    int64_t end;        /* number of the last packet of the unit */
    bool timed;         /* video or audio, so that check 2.5 applies */
    struct ana_watch watch;
};

struct ana_section {
    bool active; /* between a unit start and a loss */
    size_t size;
    uint8_t data[SECTION_MAX];
};

struct ana_pid {
    struct ana_pid *next;
    struct analyser_pid view;
    uint32_t named, pmt; /* generation of the tables that named it as part of a programme, as a PMT */
    int cc;              /* −1: not known */
    bool repeatable;     /* `last` may be sent once more */
    uint8_t last[ANALYSER_PACKET_SIZE];
    struct ana_watch missing, table;
    struct ana_clock *clock;
    struct ana_stream *stream;
    struct ana_section *section;
};

struct ana_programme {
    struct analyser_programme view;
    uint32_t crc;
    bool listed;
};

/** An occurrence that waits until the clock's next point tells its time. */
struct ana_mark {
    int64_t packet;
    struct ana_clock *clock; /* NULL: the one that gives the time */
    struct ana_watch *watch; /* occurrence of this, or */
    struct ana_stream *stream; /* end of a unit that is to be decoded at `dts` */
    int64_t dts;
};

struct analyser {
    struct analyser_options options;
    struct analyser_counters counters;
    struct analyser_recent recent;

    int64_t packet;  /* number of the packet in hand; −1 before the first */
    int64_t arrival; /* its arrival in ns, or −1 */
    int bad_sync, good_sync;
    bool lost_sync;
    uint64_t losses; /* where packets are missing, byte positions do not tell time */

    /* Stream time is the time of clock `master` plus `shift`; `now` is that of its newest point. */
    struct ana_clock *master, wall;
    int64_t shift, now, now_packet, now_arrival, checked;
    struct ana_point origin; /* the first PCR */
    bool begun;
    size_t clock_count;
    struct ana_mark marks[MARKS_MAX];
    size_t mark_count;

    struct ana_watch tables[ANALYSER_TABLES]; /* the PMTs' are with their PIDs */
    uint32_t generation; /* of what the tables name; see ana_named() */
    uint16_t nit_pid;
    int pat_version;
    uint32_t pat_crc;
    struct ana_programme *programmes[PROGRAMMES_MAX];
    size_t programme_count;

    struct ana_pid *first, *pids[PID_COUNT];
};

static inline uint16_t ana_u16(const uint8_t *p)
{
    return (uint16_t)(p[0] << 8 | p[1]);
}

/** `difference` of two counters that wrap at `modulus`, as the nearer way round. */
static inline int64_t ana_wrap(int64_t difference, int64_t modulus)
{
    difference %= modulus;
    if (difference < -modulus / 2)
        return difference + modulus;
    return difference >= modulus / 2 ? difference - modulus : difference;
}

static inline int64_t ana_ticks_to_ns(int64_t ticks)
{
    return ticks / 27 * 1000 + ticks % 27 * 1000 / 27;
}

static inline bool ana_named(const struct analyser *a, uint32_t generation)
{
    return generation == a->generation;
}

/* analyser.c */
void ana_error(struct analyser *a, enum analyser_check check, uint16_t pid, int64_t value);
void ana_span(struct analyser_span *span, int64_t value);
struct ana_pid *ana_pid(struct analyser *a, uint16_t pid);

/* time.c */
/** Sets a point: the packet in hand passes at `time` of the clock. Settles what waited for it. */
void ana_point(struct analyser *a, struct ana_clock *c, int64_t time);
/** Settles what waits for clock `c` by what is known of it so far. */
void ana_settle(struct analyser *a, struct ana_clock *c);
/** Lets arrival time take over when no PCR has come for a second. */
void ana_wall(struct analyser *a);
/** The newest point; there must be one. */
struct ana_point ana_newest(const struct ana_clock *c);
/** Time at which packet number `packet` passes; at least two points must be set. */
int64_t ana_time(const struct ana_clock *c, int64_t packet);
/** Ticks from `since` to the arrival of the packet in hand, from 0 to an hour. */
int64_t ana_elapsed(const struct analyser *a, int64_t since);
void ana_mark(struct analyser *a, struct ana_mark mark);
void ana_watch_start(struct analyser *a, struct ana_watch *w, enum analyser_check check, uint16_t pid,
                     int limit_ms);
void ana_watch_seen(struct analyser *a, struct ana_watch *w, int64_t time);

/* pcr.c */
struct ana_clock *ana_clock(struct analyser *a, struct ana_pid *p);
void ana_pcr(struct analyser *a, struct ana_pid *p, int64_t pcr);

/* sections.c */
/** Takes the payload of a packet and calls ana_table() for each section that is complete and undamaged. */
void ana_sections(struct analyser *a, struct ana_pid *p, const uint8_t *payload, size_t size, bool start);

/* psi.c */
void ana_table(struct analyser *a, struct ana_pid *p, const uint8_t *section, size_t size);
bool ana_is_psi(const struct analyser *a, const struct ana_pid *p);

/* pes.c */
void ana_pes(struct analyser *a, struct ana_pid *p, const uint8_t *payload, size_t size, bool start);
/** The unit in hand of a stream is complete `lead` ticks before it is decoded. */
void ana_lead(struct ana_stream *s, int64_t lead);

#endif
