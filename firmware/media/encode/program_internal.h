/* What building the program pipeline (program_build.c) and running it (program.c) share. */
#ifndef STEADYCAST_ENCODE_PROGRAM_INTERNAL_H
#define STEADYCAST_ENCODE_PROGRAM_INTERNAL_H

#include <gst/app/app.h>
#include <pthread.h>

#include "program.h"

#define PROGRAM_PUSHED 256 /* ticks whose push time is remembered */
#define PROGRAM_TIMES 256  /* coding times between two looks at the figures */

struct program_stream {
    struct program *program;
    size_t index;
    struct rate rate; /* the grid of its time stamps */
    GstElement *sink;
};

struct program {
    struct spec *spec;
    struct program_output output;
    GstElement *pipeline, *video, *audio[SPEC_TRACKS_MAX];
    struct program_stream streams[1 + SPEC_TRACKS_MAX];
    bool paced;
    int64_t last_tick; /* store's thread only */

    pthread_mutex_t lock; /* guards what follows; held while a unit is given out */
    bool open;
    int64_t pushed[PROGRAM_PUSHED];
    int64_t resumed_at; /* pictures before this time are stale */
    int64_t waiting_since, last_check;
    bool began;
    float times[PROGRAM_TIMES]; /* ms */
    size_t time_count;
    struct program_stats stats;
};

/** Takes what a stream's appsink has; `data` is the program_stream. */
GstFlowReturn program_on_sample(GstAppSink *sink, gpointer data);

#endif
