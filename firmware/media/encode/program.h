/* The program pipeline: appsrcs → encoders → parsers → appsinks. It is fed by the store with exact
 * ticks and never touched by a source; what comes out are access units with times on the same grids.
 *
 * Threads: program_new() and program_free() block and belong into a side thread; the pushes come from
 * the store's thread; units leave on GStreamer's threads, one a stream; all else may be called from any
 * thread. 
 *
 * Succession without a lost unit: the new program is fed while its units are held back; the old one is
 * told where the new one begins, and finished; then it is closed and the new one is opened. */
#ifndef STEADYCAST_ENCODE_PROGRAM_H
#define STEADYCAST_ENCODE_PROGRAM_H

#include <gst/gst.h>

#include "feed.h"
#include "spec.h"

struct program;

struct program_output {
    void *data;
    /** A finished access unit, valid during the call. Units of one stream come in decoding order. */
    void (*unit)(void *data, const struct feed_unit *unit);
};

struct program_stats {
    uint64_t bytes[FEED_STREAMS_MAX]; /* by stream */
    double median_ms, max_ms;         /* from tick to access unit, since they were last begun anew */
    uint64_t off_grid;                /* units whose times an element had moved off the grid */
};

/** Builds the pipeline and sets it playing; its units are held back. `paced`: pushes never block, the
 *  caller keeps time; else they block while the encoders are busy. NULL with `reason` filled when it
 *  cannot be built. */
struct program *program_new(struct spec *spec, bool paced, const struct program_output *output, char *reason,
                            size_t reason_size);
void program_free(struct program *program);

const struct spec *program_spec(const struct program *program);

/** Lets units out, those first that were held back. */
void program_open(struct program *program);
/** Drops all units from here on; returns once none is on its way out. */
void program_close(struct program *program);
/** Units of a stream from box time `time` on are the successor's, and dropped. */
void program_limit(struct program *program, size_t stream, int64_t time);

/** The picture of a tick, borrowed and held by reference until it is coded. False when the encoder has
 *  `queue_max` pictures waiting already: the tick is skipped. */
bool program_push_video(struct program *program, GstBuffer *picture, int64_t tick, unsigned queue_max);
/** Pictures that wait before the encoder. */
unsigned program_queue(const struct program *program);
/** One block of a track, as many samples as its access unit has; `label` is the index of the first one. */
void program_push_audio(struct program *program, size_t track, const int16_t (*samples)[2], int64_t label);
/** Ends the streams and waits until all units are out, at most `timeout` ns. */
bool program_finish(struct program *program, int64_t timeout);

void program_force_key(struct program *program);
/** Sets live properties; false with `reason` filled when an element or property is not there. */
bool program_set_properties(struct program *program, const json_t *live, char *reason, size_t reason_size);

/** False with `reason` filled when the pipeline is broken: an element failed, or nothing came out for
 *  2 s (4 s at the start) while pictures went in. To be called about ten times a second. */
bool program_check(struct program *program, int64_t now, char *reason, size_t reason_size);

/** The figures; with `anew` the coding times begin anew. */
void program_stats(struct program *program, bool anew, struct program_stats *stats);

#endif
