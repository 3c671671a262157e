/* The sound half of the frame store: source samples in, exact 48 kHz blocks a track out.
 *
 * Pure bookkeeping like store_video.h: no clock, no lock, no thread. One stereo ring holds the last ten
 * seconds; its index is the sample's number on the box clock's 48 kHz grid (sample k at k/48000 s), so
 * reading at any delay is a subtraction.
 *
 * Writing. Samples follow each other at the write head. Each block's time stamp says where the head
 * should be. While source and box clock agree (error below 1 ms) samples of 48 kHz are copied; else, and
 * at other rates, they go through a resampler whose ratio a slow PI loop steers (natural frequency
 * 0.02 Hz), which takes out jitter of the time stamps and follows a drift. An error above 40 ms is no
 * drift but a jump: the head moves.
 *
 * Reading. The ring knows which spans of it were written. A reader's gain rises over 5 ms from the
 * start of a span and falls over 5 ms before its end, as far as that is known yet; so onset, end, gap and
 * jump never click, and what was not written is silence. A change of a track's delay cross-fades. */
#ifndef STEADYCAST_STORE_AUDIO_H
#define STEADYCAST_STORE_AUDIO_H

#include <samplerate.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "grid.h"

#define AUDIO_RING (1 << 19) /* samples: 10.9 s */
#define AUDIO_SPANS 16
#define AUDIO_RATE_MIN 8000 /* Hz */
#define AUDIO_RATE_MAX 192000
#define AUDIO_FADE 240       /* samples: 5 ms */
#define AUDIO_BLOCK_MAX 1152 /* samples in a block that is read */

struct audio_span {
    int64_t start, end;
};

struct audio_ring {
    int16_t (*samples)[2];
    struct audio_span spans[AUDIO_SPANS]; /* rising, not overlapping; the last one grows */
    size_t span_count;

    /* the writer */
    SRC_STATE *resampler;
    int rate;        /* of the source's samples, Hz */
    bool running;    /* the head has a place */
    bool resampling; /* else samples are copied */
    double next;     /* place of the next source sample, relative to `origin` */
    int64_t origin;
    int64_t head; /* index of the next sample to be written */
    int64_t skip; /* resampled samples that are there already, after the change from copying */
    double error; /* smoothed distance from where the time stamps want the head, samples */
    double lead;  /* the same, smoothed little */
    double drift; /* what the ratio is steered by, 1 = 10⁶ ppm */
    uint64_t in, resyncs;
};

struct audio_track {
    int64_t offset; /* of the content behind the label in samples */
    bool placed;    /* `offset` is valid */
    float gain, tone;
};

/** False when out of memory. */
bool audio_ring_init(struct audio_ring *ring);
void audio_ring_clear(struct audio_ring *ring);

/** Takes `count` stereo samples of `rate` Hz (AUDIO_RATE_MIN … _MAX), the first of which belongs at box time
 *  `time` (ns). */
void audio_ring_write(struct audio_ring *ring, const int16_t (*samples)[2], size_t count, int rate, int64_t time);

/** The next block does not continue the last one: it is placed by its time stamp, however near. */
void audio_ring_cut(struct audio_ring *ring);

/** The source begins anew: what was learnt of its clock is forgotten, what was written stays. */
void audio_ring_restart(struct audio_ring *ring);

/** End of what was written: the index after the last sample. 0 when there is nothing. */
int64_t audio_ring_end(const struct audio_ring *ring);

/** How much earlier than their time stamps say samples are placed now, since the head follows the stamps
 *  slowly, in ns. A picture that is shifted as much stays in sync. */
int64_t audio_ring_lead(const struct audio_ring *ring);

/** How much faster the source's clock runs than the box clock, as far as known, in ppm. */
double audio_ring_drift(const struct audio_ring *ring);

struct audio_read {
    int64_t label;  /* index of the first sample on the programme's grid */
    int64_t offset; /* of the content behind the label in samples, ≥ 0 or < 0 */
    size_t count;   /* ≤ AUDIO_BLOCK_MAX */
    bool mute;      /* silence whatever there is */
    bool tone;      /* where there is no sound: 1 kHz at −20 dBFS */
};

/** Gives the next block of a track, stereo; returns how many of its samples lack content. */
size_t audio_track_read(struct audio_track *track, const struct audio_ring *ring,
                        const struct audio_read *read, int16_t (*out)[2]);

#endif
