/* Where a source's frames leave its pipeline: the appsinks `video` and `audio`.
 *
 * Threads: a tap belongs to the source's thread; its callbacks run on GStreamer's threads, none of which
 * is left once the pipeline is in NULL, so a tap may then be cleared. */
#ifndef STEADYCAST_ENCODE_TAP_H
#define STEADYCAST_ENCODE_TAP_H

#include <gst/video/video.h>
#include <stdatomic.h>

#include "store.h"

struct tap {
    struct store_input *input;
    GstElement *sink;
    atomic_bool flowing, ended; /* since the pipeline began, or was rewound */
    const char *_Atomic fault;  /* why samples are not usable, NULL: they are */

    /* GStreamer's thread only */
    GstCaps *caps;
    GstVideoInfo info;
    int rate; /* of sound, Hz */
    GstBufferPool *pool; /* only compared */
    bool pool_bounded;
};

/** Attaches to the appsink of this name; false when there is none. At the end of the stream an
 *  application message is posted on the pipeline's bus. */
bool tap_video(struct tap *tap, GstElement *pipeline, struct store_input *input);
bool tap_audio(struct tap *tap, GstElement *pipeline, struct store_input *input);
void tap_clear(struct tap *tap);

#endif
