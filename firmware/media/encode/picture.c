#include "picture.h"

#include <gst/app/app.h>
#include <stdio.h>
#include <string.h>

#define DRAW_TIME (5 * NS_PER_S)
#define LOOK_TIME (20 * NS_PER_MS) /* between looks at whether drawing has failed */
#define SD_LINES 576

void picture_info(GstVideoInfo *info, const struct video_spec *video)
{
    gst_video_info_set_format(info,
                              video->format == VIDEO_NV12 ? GST_VIDEO_FORMAT_NV12 : GST_VIDEO_FORMAT_I420,
                              (guint)video->width, (guint)video->height);
    info->fps_n = (int)video->rate.num;
    info->fps_d = (int)video->rate.den;
    gst_video_colorimetry_from_string(&info->colorimetry, video->height > SD_LINES
                                                              ? GST_VIDEO_COLORIMETRY_BT709
                                                              : GST_VIDEO_COLORIMETRY_BT601);
}

struct colour {
    uint8_t y, cb, cr;
};

/* Studio range (ITU-R BT.601, BT.709) from components of 0…1. */
static struct colour colour_of(double r, double g, double b, bool hd)
{
    double kr = hd ? 0.2126 : 0.299, kb = hd ? 0.0722 : 0.114;
    double y = kr * r + (1 - kr - kb) * g + kb * b;
    return (struct colour){.y = (uint8_t)(16.5 + 219 * y),
                           .cb = (uint8_t)(128.5 + 112 * (b - y) / (1 - kb)),
                           .cr = (uint8_t)(128.5 + 112 * (r - y) / (1 - kr))};
}

static void fill(GstVideoFrame *frame, int component, const uint8_t *values, int columns)
{
    uint8_t *data = GST_VIDEO_FRAME_COMP_DATA(frame, component);
    int width = GST_VIDEO_FRAME_COMP_WIDTH(frame, component),
        step = GST_VIDEO_FRAME_COMP_PSTRIDE(frame, component);
    for (int y = 0; y < GST_VIDEO_FRAME_COMP_HEIGHT(frame, component); y++) {
        for (int x = 0; x < width; x++)
            data[x * step] = values[x * columns / width];
        data += GST_VIDEO_FRAME_COMP_STRIDE(frame, component);
    }
}

/* Vertical columns of equal width. */
static GstBuffer *draw_columns(const struct video_spec *video, const struct colour *colours, int columns)
{
    GstVideoInfo info;
    picture_info(&info, video);
    GstBuffer *buffer = gst_buffer_new_allocate(NULL, info.size, NULL);
    GstVideoFrame frame;
    if (buffer == NULL || !gst_video_frame_map(&frame, &info, buffer, GST_MAP_WRITE)) {
        g_clear_pointer(&buffer, gst_buffer_unref);
        return NULL;
    }
    uint8_t y[8], cb[8], cr[8];
    for (int i = 0; i < columns; i++) {
        y[i] = colours[i].y;
        cb[i] = colours[i].cb;
        cr[i] = colours[i].cr;
    }
    fill(&frame, 0, y, columns);
    fill(&frame, 1, cb, columns);
    fill(&frame, 2, cr, columns);
    gst_video_frame_unmap(&frame);
    return buffer;
}

GstBuffer *picture_black(const struct video_spec *video)
{
    return draw_columns(video, &(struct colour){16, 128, 128}, 1);
}

/* EBU bars 100/0/75/0: white, then the colours at 75 %. */
static GstBuffer *draw_bars(const struct video_spec *video)
{
    struct colour colours[8];
    for (int i = 0; i < 8; i++) {
        double level = i == 0 ? 1 : 0.75;
        int bits = 7 - i;
        /* Counting down through green, red, blue gives the usual order. */
        colours[i] = colour_of(bits & 2 ? level : 0, bits & 4 ? level : 0, bits & 1 ? level : 0,
                               video->height > SD_LINES);
    }
    return draw_columns(video, colours, 8);
}

/* ---- the slate ---- */

static void set_string(GstElement *pipeline, const char *name, const char *property, const char *value)
{
    GstElement *element = gst_bin_get_by_name(GST_BIN(pipeline), name);
    if (element != NULL)
        g_object_set(element, property, value, NULL);
    g_clear_object(&element);
}

/* True when the pipeline has failed. */
static bool failed(GstElement *pipeline, char *fault, size_t size)
{
    GstBus *bus = gst_element_get_bus(pipeline);
    GstMessage *message = gst_bus_pop_filtered(bus, GST_MESSAGE_ERROR);
    bool error_came = message != NULL;
    if (error_came) {
        GError *error = NULL;
        gst_message_parse_error(message, &error, NULL);
        snprintf(fault, size, "%s", error->message);
        g_clear_error(&error);
        gst_message_unref(message);
    }
    gst_object_unref(bus);
    return error_came;
}

/* Runs a pipeline until the appsink `out` has its one picture. */
static GstBuffer *draw(const char *launch, const struct loss_spec *loss, char *fault, size_t size)
{
    GError *error = NULL;
    GstElement *pipeline = gst_parse_launch_full(launch, NULL, GST_PARSE_FLAG_FATAL_ERRORS, &error);
    if (pipeline == NULL) {
        snprintf(fault, size, "%s", error->message);
        g_clear_error(&error);
        return NULL;
    }
    set_string(pipeline, "file", "location", loss->image);
    /* The element takes its text for Pango markup. */
    gchar *text = g_markup_escape_text(loss->text, -1);
    set_string(pipeline, "text", "text", text);
    g_free(text);
    GstElement *sink = gst_bin_get_by_name(GST_BIN(pipeline), "out");
    gst_element_set_state(pipeline, GST_STATE_PLAYING);
    GstSample *sample = NULL;
    snprintf(fault, size, "no picture came of it");
    for (int64_t end = clock_now() + DRAW_TIME; sample == NULL && clock_now() < end;) {
        sample = gst_app_sink_try_pull_sample(GST_APP_SINK(sink), LOOK_TIME);
        if (sample == NULL && (failed(pipeline, fault, size) || gst_app_sink_is_eos(GST_APP_SINK(sink))))
            break;
    }
    GstBuffer *picture = NULL;
    if (sample != NULL) {
        /* A copy: the pipeline's pool goes with it. */
        picture = gst_buffer_copy_deep(gst_sample_get_buffer(sample));
        gst_sample_unref(sample);
    }
    gst_element_set_state(pipeline, GST_STATE_NULL);
    gst_object_unref(sink);
    gst_object_unref(pipeline);
    return picture;
}

static GstBuffer *draw_slate(const struct video_spec *video, const struct loss_spec *loss, bool image,
                             char *fault, size_t size)
{
    GstVideoInfo info;
    picture_info(&info, video);
    GstCaps *caps = gst_video_info_to_caps(&info);
    gst_caps_set_simple(caps, "framerate", GST_TYPE_FRACTION_RANGE, 0, 1, G_MAXINT, 1, NULL);
    gchar *format = gst_caps_to_string(caps);
    static const char plain[] = "videotestsrc num-buffers=1 pattern=solid-color foreground-color=0xff1c2733";
    static const char file[] = "filesrc name=file ! decodebin";
    gchar *launch = g_strdup_printf(
        "%s ! videoconvert ! videoscale add-borders=true ! %s%s ! appsink name=out sync=false",
        image ? file : plain, format,
        loss->text[0] == '\0' ? ""
        : image               ? " ! textoverlay name=text font-desc=\"Sans 22\" shaded-background=true"
                              : " ! textoverlay name=text font-desc=\"Sans 32\" valignment=center");
    GstBuffer *picture = draw(launch, loss, fault, size);
    g_free(launch);
    g_free(format);
    gst_caps_unref(caps);
    return picture;
}

GstBuffer *picture_of_loss(const struct video_spec *video, const struct loss_spec *loss, char *fault,
                           size_t size)
{
    GstBuffer *picture = NULL;
    char reason[160] = "";
    fault[0] = '\0';
    if (loss->picture == LOSS_BARS)
        picture = draw_bars(video);
    if (loss->picture == LOSS_SLATE && loss->image[0] != '\0') {
        picture = draw_slate(video, loss, true, reason, sizeof reason);
        if (picture == NULL)
            snprintf(fault, size, "the slate image %.80s cannot be drawn: %s", loss->image, reason);
    }
    if (loss->picture == LOSS_SLATE && picture == NULL) {
        picture = draw_slate(video, loss, false, reason, sizeof reason);
        if (picture == NULL)
            snprintf(fault, size, "the slate cannot be drawn: %s", reason);
    }
    return picture == NULL ? picture_black(video) : picture;
}
