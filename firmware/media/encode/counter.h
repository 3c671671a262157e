/* The frame counter in the test picture: a text overlay whose text is the number of the frame. */
#ifndef STEADYCAST_ENCODE_COUNTER_H
#define STEADYCAST_ENCODE_COUNTER_H

#include <gst/gst.h>

/** Gives every frame that passes `overlay` (an element with `video_sink` and `text`) its number, from 0. */
void counter_attach(GstElement *overlay);

#endif
