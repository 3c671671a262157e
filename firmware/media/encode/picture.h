/* The pictures of the box itself: black, colour bars, the slate. Each is drawn once, in the programme's
 * size and format, and then shown by reference. */
#ifndef STEADYCAST_ENCODE_PICTURE_H
#define STEADYCAST_ENCODE_PICTURE_H

#include <gst/video/video.h>

#include "spec.h"

/** The size and format that the programme has; BT.709 above 576 lines, else BT.601. */
void picture_info(GstVideoInfo *info, const struct video_spec *video);

/** Black (luma 16). NULL when out of memory. */
GstBuffer *picture_black(const struct video_spec *video);

/** What is shown after a loss. The slate is drawn by a pipeline that lives as long as that takes (some
 *  hundred milliseconds, at most 5 s), so call it from a side thread. When an image or text cannot be
 *  drawn, the picture is what is left of it and `fault` says why; else `fault` is "". */
GstBuffer *picture_of_loss(const struct video_spec *video, const struct loss_spec *loss, char *fault,
                           size_t size);

#endif
