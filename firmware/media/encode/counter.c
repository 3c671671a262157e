#include "counter.h"

#include <stdint.h>
#include <stdio.h>

struct counter {
    GstElement *overlay; /* borrowed: the probe ends with it */
    uint32_t frame;
};

static GstPadProbeReturn on_frame(GstPad *pad, GstPadProbeInfo *info, gpointer data)
{
    struct counter *counter = data;
    char text[16];
    (void)pad;
    (void)info;
    snprintf(text, sizeof text, "%u", counter->frame++);
    g_object_set(counter->overlay, "text", text, NULL);
    return GST_PAD_PROBE_OK;
}

void counter_attach(GstElement *overlay)
{
    GstPad *pad = gst_element_get_static_pad(overlay, "video_sink");
    if (pad == NULL)
        return;
    struct counter *counter = g_new0(struct counter, 1);
    counter->overlay = overlay;
    gst_pad_add_probe(pad, GST_PAD_PROBE_TYPE_BUFFER, on_frame, counter, g_free);
    gst_object_unref(pad);
}
