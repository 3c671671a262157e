/* What host.c (the spec, control, health) and report.c (stats and events) share. */
#ifndef STEADYCAST_ENCODE_HOST_INTERNAL_H
#define STEADYCAST_ENCODE_HOST_INTERNAL_H

#include "crew.h"
#include "host.h"
#include "preview.h"
#include "program.h"
#include "source.h"
#include "spec.h"
#include "store.h"

struct host {
    struct loop *loop;
    struct control *control;
    struct crew crew;
    struct store *store;
    struct loop_timer *second, *tenth;

    struct spec *spec; /* NULL until the first apply */
    struct feed_server *feed;
    struct source *source;
    uint64_t rebuilds;      /* of sources before this one */
    enum source_state told; /* by the last event */
    struct preview *preview;

    struct program *program; /* the one that is fed; NULL: none yet */
    struct program *leaving; /* its predecessor, while the last units come out; NULL: none */
    struct program *ready;   /* one that is built, and waits for the source's first picture in its format */
    struct loop_timer *ready_timer;
    int64_t ready_until;
    unsigned program_generation; /* of the newest build that was begun */
    unsigned placed_generation;  /* of `program` */
    unsigned picture_generation;
    int64_t failed_at; /* when the program last failed, 0: never */
    int64_t key_at;    /* when the last key frame was asked for */
    bool key_wanted;
    bool levels_watched;
};

/* ---- host_program.c ---- */

/** Builds a program for the spec, which then takes the place of the present one. */
void program_rebuild(struct host *host);
/** Sets the spec's live properties on the program, or announces its table again, unless a program that
 *  has them is on its way. */
void program_refresh(struct host *host);
void program_announce(struct host *host);
/** Serves the program on the feed that is there now, when it was closed for that. */
void program_resume(struct host *host);
/** Brings a succession that is under way to its end at once. */
void program_succeed(struct host *host);
/** Looks whether the program works; to be called ten times a second. */
void program_watch(struct host *host);
/** Asks for a key frame, four times a second at most; `data` is the host. */
void program_want_key(void *data);
/** Takes the program away for good. */
void program_stop(struct host *host);

/* ---- report.c ---- */

/** The stats object, with an event member when `event`. The coding times begin anew when it is. */
json_t *report_stats(struct host *host, bool event);
json_t *report_source(struct host *host, enum source_state state);
/** NULL while there is no audio track. */
json_t *report_levels(struct host *host);

#endif
