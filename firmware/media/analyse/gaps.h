/* Gaps between datagrams, and whose fault they are.
 *
 * * A control stream of datagrams in short, even steps comes from another process of the sending machine
 * (`metronome`). Where both streams stand still, the machine did, not the sender. A stall is a control gap of
 * at least 10 ms that another control datagram ends: ordinary jitter is none, and neither is a control sender
 * that is not there. A gap over the threshold is excused when what remains of it without the stalls inside it
 * is within the threshold. */
#ifndef STEADYCAST_ANALYSE_GAPS_H
#define STEADYCAST_ANALYSE_GAPS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define GAP_STALL_MIN_NS INT64_C(10000000)
#define GAP_STALL_MAX_NS INT64_C(5000000000) /* longer: the control sender was away */
#define GAPS_PENDING 64
#define GAPS_STALLS 256

struct gap {
    int64_t start_ns, end_ns, stalled_ns;
    bool excused;
};

struct gaps {
    /* Set these before the first datagram. */
    int64_t threshold_ns;
    bool controlled; /* there is a control stream */
    /** Called for a gap over the threshold once it is judged. May be NULL. */
    void (*found)(void *data, const struct gap *gap);
    void *data;

    /* Read these. */
    struct gap longest;
    int64_t longest_unexcused_ns; /* of all gaps, those within the threshold too */
    int64_t recent_ns;            /* longest since the reader last set it to 0 */
    uint64_t count, unexcused;    /* over the threshold */
    uint64_t controls, stalls;
    int64_t longest_control_ns;

    int64_t last_ns, last_control_ns;
    bool started;
    struct gap pending[GAPS_PENDING]; /* until the control stream has come past them */
    size_t pending_count;
    struct gap stall[GAPS_STALLS]; /* ring */
};

/** A datagram of the stream, and one of the control stream; each in its own order of time. */
void gaps_take(struct gaps *g, int64_t arrival_ns);
void gaps_take_control(struct gaps *g, int64_t arrival_ns);
/** Judges what still waits, by the stalls known. */
void gaps_finish(struct gaps *g);

#endif
