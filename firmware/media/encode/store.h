/* The frame store: takes what a source gives, whenever it gives it, and feeds the program one picture
 * and one block of sound a track at every tick of the box clock's grid.
 *
 * Threads: the store has one of its own, which sleeps to the next tick and works under the store's
 * lock for some ten microseconds. Sources call the store_input functions from GStreamer's threads, which
 * may wait there for room. All else is called by the host's thread and never waits
 * for more than the lock. The picks and the ring are in store_video.h and store_audio.h. */
#ifndef STEADYCAST_ENCODE_STORE_H
#define STEADYCAST_ENCODE_STORE_H

#include <gst/video/video.h>

#include "preview.h"
#include "program.h"
#include "spec.h"

/** Sound of label time t is processed this long after t: what a source delivers in pieces of up to
 *  some ten milliseconds has arrived by then. */
#define STORE_AUDIO_LATENCY (60 * NS_PER_MS)

enum source_state { SOURCE_NONE, SOURCE_STARTING, SOURCE_LIVE, SOURCE_HELD, SOURCE_LOST };

struct store;

struct store_events {
    void *data;
    /** The source's state has changed. On the store's thread, without the lock. */
    void (*state)(void *data);
};

struct store_stats {
    enum source_state state;
    uint64_t video_in, video_out, repeated, dropped, overload;
    uint64_t audio_in, audio_out, silence; /* samples; out and silence of the first track */
    double drift_ppm;
    uint64_t resyncs;
    uint64_t jumps; /* stalls of this process after which the grid was taken up again later */
};

struct store_levels {
    int channels;           /* 0: there is no track */
    double peak[2], rms[2]; /* dBFS, at least −100 */
};

/** NULL when out of memory or threads. */
struct store *store_new(const struct store_events *events);
/** The program must have been taken away before. */
void store_free(struct store *store);

/** Takes over what of a spec needs no new program: latency, delays, loss, and whether there is a source. */
void store_configure(struct store *store, const struct spec *spec);
/** The picture for a loss, of `video`'s size and format (the reference is taken). Without one of the
 *  program's format ticks are skipped. */
void store_set_loss_picture(struct store *store, GstBuffer *picture, const struct video_spec *video);
/** From the next tick on `program` (NULL: none) is fed; gives the one before, which is told where the new
 *  one begins. */
struct program *store_swap_program(struct store *store, struct program *program);
/** Whether a program of `video`'s format would have a picture at once. False only while a picture of
 *  another format is on air. */
bool store_can_show(struct store *store, const struct video_spec *video);
/** Where a picture goes each second; NULL: nowhere. Returns the one before. */
struct preview *store_swap_preview(struct store *store, struct preview *preview);

void store_stats(struct store *store, struct store_stats *stats);
/** Levels of the first track since they were last asked for. */
void store_levels(struct store *store, struct store_levels *levels);

/* ---- the source's side ---- */

struct store_input;

/** A new source. Its frames are taken until it is closed; those of an older input no longer are. NULL
 *  when out of memory. */
struct store_input *store_input_new(struct store *store);
/** Wakes who waits in it; from then on nothing is taken. */
void store_input_close(struct store_input *input);
void store_input_free(struct store_input *input);

/** A pipeline starts, `paced` or live; running times begin anew. */
void store_input_begin(struct store_input *input, bool paced);
/** A pipeline ended: who waits in it is let go, until the next begin. */
void store_input_end(struct store_input *input);
/** A paced pipeline begins again at running time 0. */
void store_input_loop(struct store_input *input);

/** A frame (the reference is taken) of running time `running` (ns). Waits while the store is full.
 *  False when the pipeline is to stop. */
bool store_input_video(struct store_input *input, GstBuffer *buffer, const GstVideoInfo *info,
                       int64_t running);
/** The same for sound: stereo samples of `rate` Hz (AUDIO_RATE_MIN … _MAX). */
bool store_input_audio(struct store_input *input, const int16_t (*samples)[2], size_t count, int rate,
                       int64_t running);

/** Box time when the last unit of any stream came; 0: none since store_input_begin(). */
int64_t store_input_last(struct store_input *input);

#endif
