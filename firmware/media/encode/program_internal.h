/* What building the program pipeline (program_build.c) and running it (program.c) share. */
#ifndef STEADYCAST_ENCODE_PROGRAM_INTERNAL_H
#define STEADYCAST_ENCODE_PROGRAM_INTERNAL_H

#include <gst/app/app.h>
#include <pthread.h>

#include "program.h"

#define PROGRAM_PUSHED 256 /* ticks whose push time is remembered */
#define PROGRAM_TIMES 256  /* coding times between two looks at the figures */

/* A unit that waits for the program to be opened. */
struct program_held {
    struct feed_unit unit; /* its data is the buffer's */
    GstBuffer *buffer;
};

enum program_gate { PROGRAM_HELD, PROGRAM_OPEN, PROGRAM_CLOSED };

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
    enum program_gate gate;
    GQueue held;                         /* of program_held */
    int64_t limits[1 + SPEC_TRACKS_MAX]; /* by stream; units from this time on are the successor's */
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
