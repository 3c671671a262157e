/* The preview: a small JPEG of what is on air, written by rename so that no reader sees half a file.
 *
 * Threads: it has one of its own, which owns a small pipeline. preview_offer() may be called from any
 * thread and never waits: a picture that comes while the last one is being coded replaces none. */
#ifndef STEADYCAST_ENCODE_PREVIEW_H
#define STEADYCAST_ENCODE_PREVIEW_H

#include <gst/video/video.h>

#include "spec.h"

struct preview;

/** NULL when out of memory or threads. */
struct preview *preview_new(const struct preview_spec *spec);
void preview_free(struct preview *preview);

/** A picture of `video`'s size and format; a reference is kept until it is coded. */
void preview_offer(struct preview *preview, GstBuffer *picture, const struct video_spec *video);

#endif
