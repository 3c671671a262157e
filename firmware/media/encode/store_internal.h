/* What the two sides of the store share: the clockwork (store.c) and the source's side (store_input.c). */
#ifndef STEADYCAST_ENCODE_STORE_INTERNAL_H
#define STEADYCAST_ENCODE_STORE_INTERNAL_H

#include <pthread.h>

#include "store.h"
#include "store_audio.h"
#include "store_video.h"
#include "timeline.h"

struct store_track {
    int channels;
    int frame;   /* samples in a block */
    int priming; /* samples that coding and decoding delay the sound by */
};

struct store_input {
    struct store *store;
    bool closed, ended;
    bool failed;     /* a pipeline has ended since the source was made */
    int64_t last[2]; /* box time when the last unit came, by stream */
    struct timeline timeline;
    int64_t deficit;       /* by how much the sound comes too late, see store_input.c */
    int64_t deficit_since; /* 0: it does not */
};

struct store {
    pthread_t thread;
    struct store_events events;
    pthread_mutex_t lock;   /* guards all that follows */
    pthread_cond_t changed; /* there is a program, or the end */
    pthread_cond_t taken;   /* there may be room for a source that waits */
    bool stopping;

    /* the programme */
    struct program *program;
    struct video_spec video;
    uint64_t format;
    size_t track_count;
    struct store_track tracks[SPEC_TRACKS_MAX];
    int64_t tick;                    /* the next one */
    int64_t labels[SPEC_TRACKS_MAX]; /* next sample of each track */
    unsigned credit;                 /* pictures that may wait beyond the usual, after a stall */
    struct preview *preview;
    int64_t preview_at;

    /* settings */
    bool has_source;
    int64_t latency;             /* input buffer */
    int64_t room;                /* the picture waits this long for tracks with a negative delay */
    int delays[SPEC_TRACKS_MAX]; /* ms */
    int64_t hold;
    enum loss_picture loss;
    GstBuffer *loss_picture, *next_loss_picture; /* the next one for a program that is on its way */
    uint64_t loss_format, next_loss_format;

    /* the source */
    struct store_input *input; /* the newest one, NULL: none */
    int64_t began_at;          /* when it was made */
    int64_t late;              /* added to the input buffer for a source whose sound comes late */
    int64_t phase;             /* how much later the sound is taken, for the picture's sake */
    struct store_video frames;
    struct audio_ring ring;
    struct audio_track readers[SPEC_TRACKS_MAX];

    /* figures */
    enum source_state state;
    uint64_t video_out, overload, audio_out, silence, jumps;
    float peak[2];
    double squares[2];
    uint64_t measured;
};

/** A later tick than this is not caught up with, ns. */
#define STORE_STALL (2 * NS_PER_S)

/* ---- under the lock ---- */

/** The content time of a picture that is shown at box time `time`. */
int64_t store_due(const struct store *store, int64_t time);
/** Every track goes on with its first whole block at or after sample `first`. */
void store_place_labels(struct store *store, int64_t first);
/** The sample at the next tick of the picture. */
int64_t store_sample_of_tick(const struct store *store);

#endif
