#include "timeline.h"

/* Sound may run on by this much under the next round's, rather than let the picture wait. */
#define OVERHANG (100 * NS_PER_MS)

void timeline_begin(struct timeline *timeline, bool paced)
{
    timeline->paced = paced;
    timeline->anchored = !paced;
    timeline->offset = 0;
    timeline->odd_since[TIMELINE_VIDEO] = timeline->odd_since[TIMELINE_AUDIO] = 0;
    timeline->end[TIMELINE_VIDEO] = timeline->end[TIMELINE_AUDIO] = 0;
}

static void move(struct timeline *timeline, int64_t by)
{
    timeline->offset += by;
    timeline->odd_since[TIMELINE_VIDEO] = timeline->odd_since[TIMELINE_AUDIO] = 0;
    timeline->moves++;
}

/* False while a live source's stamp is beyond belief. */
static bool believe(struct timeline *timeline, enum timeline_stream stream, int64_t ahead, int64_t now,
                    int64_t latency)
{
    int64_t *odd_since = &timeline->odd_since[stream];
    if (ahead <= TIMELINE_LEAD_MAX && ahead >= -latency - TIMELINE_LATE_MAX) {
        *odd_since = 0;
        return true;
    }
    if (*odd_since == 0)
        *odd_since = now;
    if (now - *odd_since < TIMELINE_ODD_TIME)
        return false;
    move(timeline, -ahead);
    return true;
}

bool timeline_map(struct timeline *timeline, enum timeline_stream stream, int64_t running, int64_t duration,
                  int64_t now, int64_t latency, int64_t *time)
{
    if (!timeline->anchored) {
        timeline->offset = now + TIMELINE_PREROLL - running;
        timeline->anchored = true;
    }
    if (!timeline->paced) {
        if (!believe(timeline, stream, running + timeline->offset - now, now, latency))
            return false;
    } else if (running + timeline->offset < now - latency - TIMELINE_BEHIND_MAX) {
        move(timeline, now + TIMELINE_PREROLL - running - timeline->offset);
    }
    *time = running + timeline->offset;
    if (*time + duration > timeline->end[stream])
        timeline->end[stream] = *time + duration;
    return true;
}

void timeline_loop(struct timeline *timeline)
{
    int64_t picture = timeline->end[TIMELINE_VIDEO], sound = timeline->end[TIMELINE_AUDIO] - OVERHANG;
    timeline->offset = picture > sound ? picture : sound;
}
