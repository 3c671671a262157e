/* From a source's running time to box time: one mapping for its picture and its sound, so that no
 * correction can part them. Pure bookkeeping; all times in ns.
 *
 * A live source (capture, network) stamps its frames with the box clock already. Should its stamps leave
 * what can be (further ahead than any sender's buffer, or older than the input buffer by a second) for
 * 300 ms, as after a sender that came back with another clock, the mapping is moved so that what arrives
 * is due at once.
 *
 * A paced source (file) counts from 0 and gives frames as fast as they are taken. It is anchored to the
 * moment of its first frame, anew whenever it has fallen half a second behind, and at each loop to the
 * end of what was played. */
#ifndef STEADYCAST_ENCODE_TIMELINE_H
#define STEADYCAST_ENCODE_TIMELINE_H

#include <stdbool.h>
#include <stdint.h>

#include "clock.h"

#define TIMELINE_LEAD_MAX (3 * NS_PER_S)
#define TIMELINE_LATE_MAX NS_PER_S
#define TIMELINE_ODD_TIME (300 * NS_PER_MS)
#define TIMELINE_PREROLL (120 * NS_PER_MS)
#define TIMELINE_BEHIND_MAX (500 * NS_PER_MS)

enum timeline_stream { TIMELINE_VIDEO, TIMELINE_AUDIO };

struct timeline {
    bool paced;
    bool anchored;
    int64_t offset;
    int64_t odd_since[2]; /* by stream; 0: stamps are fine */
    int64_t end[2];       /* where each stream has got to */
    unsigned moves;       /* how often the mapping was moved */
};

/** Begins anew; what was played stays known, so that a paced source goes on where it ended. */
void timeline_begin(struct timeline *timeline, bool paced);

/** Maps the running time of a unit of `duration` that arrives at `now`; false when the unit is to be
 *  dropped since its stamp cannot be. `latency` is the input buffer. */
bool timeline_map(struct timeline *timeline, enum timeline_stream stream, int64_t running, int64_t duration,
                  int64_t now, int64_t latency, int64_t *time);

/** The next unit of a paced source begins again at running time 0, and follows what was played. */
void timeline_loop(struct timeline *timeline);

#endif
