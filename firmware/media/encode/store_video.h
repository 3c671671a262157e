/* The picture half of the frame store: source frames in, one picture a tick out.
 *
 * It is pure bookkeeping on the times that it is given: no clock, no lock, no thread (store.c has
 * those). All times are box time in ns. Frames are held by reference.
 *
 * Choice. The picture of a tick is the newest frame whose time is not after `due`, the tick less the
 * input buffer. The boundary is then moved by up to half a frame so that the frames of a source which
 * is locked to us arrive in the middle between two boundaries: then no jitter of less than half a frame
 * repeats or drops one, and a source that drifts does so once a whole frame is won or lost. How much
 * later than its time a picture is shown, on average (`phase`), is told to the sound, which is taken as
 * much later, so that lip sync is right for any phase, and within half a frame while drifting.
 *
 * Loss. A source of 1 frame a second is alive, so the time without a frame that counts as a loss
 * follows the source: 1.2 times the longest of the last four intervals between fresh pictures (the
 * frame rate told by the caps stands in before there are any), at least 150 ms and at most 2.5 s. It is
 * measured on the output side, from the tick at which a frame was first shown, so that bursts that the
 * input buffer absorbs are none. From there the picture is held, then lost; an interval that ended a
 * loss counts as one only up to 2.1 s, so that a source that slows down is learnt and one that was
 * unplugged is not taken for a slow one. */
#ifndef STEADYCAST_STORE_VIDEO_H
#define STEADYCAST_STORE_VIDEO_H

#include <gst/gst.h>
#include <stdbool.h>
#include <stdint.h>

#include "clock.h"

#define STORE_FRAMES_MAX 512
#define STORE_INTERVALS 4
#define SOURCE_RATE_MAX 240  /* frames a second; caps that tell more mean a time scale */
#define STORE_PHASE_FRAMES 8 /* fresh pictures over which the phase is averaged */

enum picture_state {
    PICTURE_NONE, /* no frame yet since the store began, or in this format */
    PICTURE_LIVE,
    PICTURE_HELD, /* the last frame, since no new one came in time */
    PICTURE_LOST, /* and the hold time is over */
};

struct store_frame {
    GstBuffer *buffer;
    int64_t time;
    uint64_t format; /* size and pixel format, see store_format() */
};

struct store_video {
    struct store_frame queue[STORE_FRAMES_MAX]; /* a ring by rising time */
    size_t head, count;
    struct store_frame shown; /* buffer NULL: none */
    int64_t fresh_at;         /* tick at which `shown` was new */
    enum picture_state state;
    int64_t intervals[STORE_INTERVALS];
    size_t interval_count;
    int64_t nominal; /* frame interval by the caps, 0: unknown */
    int64_t newest;  /* time of the newest frame */
    int64_t spacing; /* of the frames' times, smoothed, 0: unknown; stands in where the caps tell no rate */
    int64_t lateness[STORE_PHASE_FRAMES];
    int lateness_count;
    bool phase_known;
    int64_t phase; /* the average lateness */
    int64_t slack; /* how much later than `due` a frame's time may be */
    uint64_t in, repeated, dropped;
};

struct store_tick {
    int64_t time;   /* the tick */
    int64_t due;    /* content time: the tick less the input buffer and the lip-sync room */
    int64_t period; /* of the ticks */
    int64_t hold;
    uint64_t format; /* frames of another format cannot be shown */
};

static inline uint64_t store_format(int width, int height, int pixels)
{
    return (uint64_t)width << 40 | (uint64_t)height << 16 | (uint64_t)pixels;
}

/** Takes the reference to `buffer`. A frame that is not newer than others in the queue replaces them. */
void store_video_push(struct store_video *video, GstBuffer *buffer, int64_t time, uint64_t format);

/** Chooses the picture of a tick: a borrowed buffer, or NULL in PICTURE_NONE and _LOST; `state` says. */
GstBuffer *store_video_pick(struct store_video *video, const struct store_tick *tick);

/** Whether there is a frame of this format that could be shown now. */
bool store_video_has(const struct store_video *video, uint64_t format, int64_t due);

/** How much later than its time a picture is shown, less the buffers, in ns; `fallback` while not known. */
int64_t store_video_phase(const struct store_video *video, int64_t fallback);

/** The source's frame interval in ns, as the caps tell or the frames' times show; 0: unknown. */
int64_t store_video_interval(const struct store_video *video);

/** Forgets what is queued and learnt but keeps the shown picture: the source starts anew. */
void store_video_restart(struct store_video *video);

/** Drops everything. */
void store_video_clear(struct store_video *video);

#endif
