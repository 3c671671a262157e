/* What an `encode` shall do: the checked form of EncodeSpec in src/media/protocol.ts.
 *
 * A spec is immutable once made, so that any thread may read it while it holds a reference. */
#ifndef STEADYCAST_ENCODE_SPEC_H
#define STEADYCAST_ENCODE_SPEC_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/un.h>

#include "control.h"
#include "feed.h"
#include "grid.h"

#define SPEC_TRACKS_MAX 8
#define SPEC_LAUNCH_MAX 16384
#define SPEC_LATENCY_MAX_MS 5000
#define SPEC_DELAY_MAX_MS 500
#define SPEC_HOLD_MAX_MS 10000

enum loss_picture { LOSS_BLACK, LOSS_BARS, LOSS_SLATE, LOSS_END };
enum video_format { VIDEO_I420, VIDEO_NV12 };

struct source_spec {
    bool present;
    char launch[SPEC_LAUNCH_MAX];
    int64_t latency; /* ns */
    bool stamp, loop;
};

struct video_spec {
    int width, height;
    struct rate rate;
    enum video_format format;
};

struct track_spec {
    int channels;
    int delay_ms;
    int frame; /* samples in an access unit: 1024 (AAC), 1152 (Layer II) */
};

struct loss_spec {
    int64_t hold; /* ns */
    enum loss_picture picture;
    char text[481];
    char image[4097]; /* "": none */
};

struct preview_spec {
    bool present;
    char file[1024];
    int width, height;
};

struct spec {
    int references;
    json_t *json; /* as it came, for hello and comparison */
    struct source_spec source;
    struct video_spec video;
    size_t track_count;
    struct track_spec tracks[SPEC_TRACKS_MAX];
    struct loss_spec loss;
    char launch[SPEC_LAUNCH_MAX];
    const json_t *live; /* element name → {property: value}; within `json` */
    struct feed_table table;
    char feed[sizeof(((struct sockaddr_un *)0)->sun_path)];
    struct preview_spec preview;
};

/** A spec from its JSON, or NULL with `error` filled with the first fault. */
struct spec *spec_parse(const json_t *json, struct control_error *error);
struct spec *spec_ref(struct spec *spec);
void spec_unref(struct spec *spec);

/** What must be done to get from one spec to another. */
struct spec_change {
    json_t *live, *rebuilt; /* arrays of JSON pointers; the caller's */
    bool source;            /* the source pipeline is to be built anew */
    bool program;           /* … the program pipeline */
    bool table;             /* the feed's table changes while the program stays */
    bool properties;        /* live properties of the program */
    bool picture;           /* the loss picture is to be drawn anew */
    bool feed;              /* the feed is served at another path */
    bool preview;
};

/** Compares; `before` is NULL for the first spec of a process. */
struct spec_change spec_compare(const struct spec *before, const struct spec *after);

#endif
