/* A source: a pipeline that may fail, end, stall or change at any time, and is then built anew.
 *
 * Threads: each source is a job of the crew, which builds the pipeline, watches its bus and pulls it
 * down; frames come on GStreamer's threads (tap.h). Since an element may block for any time while it is
 * opened or closed (a device that hangs), source_stop() never waits: the job ends by itself and frees what
 * is left. The other functions are called by the host's thread. */
#ifndef STEADYCAST_ENCODE_SOURCE_H
#define STEADYCAST_ENCODE_SOURCE_H

#include "crew.h"
#include "spec.h"
#include "store.h"

struct source;

struct source_info {
    char detail[200];  /* what is wrong, "" when nothing is */
    int width, height; /* of the newest decoded frame before scaling, 0: unknown */
    double rate;
    const char *scan;  /* "", "progressive", "interlaced" */
    uint64_t rebuilds; /* pipelines after the first one */
    bool hangs;        /* building or pulling down has taken 4 s: better start another one */
};

/** Starts building at once. NULL when out of memory or threads. */
struct source *source_start(struct store *store, struct crew *crew, struct spec *spec);
/** No frame is taken any more once this returns; the rest goes on in the source's own thread. */
void source_stop(struct source *source);
void source_info(struct source *source, struct source_info *info);

#endif
