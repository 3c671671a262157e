#include "tap.h"

#include <gst/app/app.h>

#include "store_audio.h"

/* Running time in ns, −1 when the buffer has no time stamp. */
static int64_t running_time(GstSample *sample)
{
    guint64 running = 0;
    GstClockTime pts = GST_BUFFER_PTS(gst_sample_get_buffer(sample));
    const GstSegment *segment = gst_sample_get_segment(sample);
    if (!GST_CLOCK_TIME_IS_VALID(pts) || segment->format != GST_FORMAT_TIME ||
        gst_segment_to_running_time_full(segment, GST_FORMAT_TIME, pts, &running) <= 0)
        return -1;
    return (int64_t)running;
}

/* A pool that cannot grow (a capture device's) would run dry while frames are held: those are copied. */
static GstBuffer *holdable(struct tap *tap, GstBuffer *buffer)
{
    if (buffer->pool != tap->pool) {
        tap->pool = buffer->pool;
        tap->pool_bounded = false;
        if (buffer->pool != NULL) {
            guint max = 0;
            GstStructure *config = gst_buffer_pool_get_config(buffer->pool);
            gst_buffer_pool_config_get_params(config, NULL, NULL, NULL, &max);
            gst_structure_free(config);
            tap->pool_bounded = max > 0;
        }
    }
    return tap->pool_bounded ? gst_buffer_copy_deep(buffer) : gst_buffer_ref(buffer);
}

/* True when samples of these caps can be used; caps are looked at only when they change. */
static bool check_caps(struct tap *tap, GstCaps *caps, const char *(*fault_of)(struct tap *tap))
{
    if (caps != tap->caps) {
        gst_caps_replace(&tap->caps, caps);
        atomic_store(&tap->fault, caps == NULL ? "the source gives data without caps" : fault_of(tap));
    }
    return atomic_load(&tap->fault) == NULL;
}

static const char *video_fault(struct tap *tap)
{
    return gst_video_info_from_caps(&tap->info, tap->caps) ? NULL : "the source gives no raw video";
}

/* Samples must be S16LE stereo, as the launch description has to make them, at the source's own rate. */
static const char *audio_fault(struct tap *tap)
{
    const GstStructure *structure = gst_caps_get_structure(tap->caps, 0);
    int channels = 0;
    bool right = gst_structure_get_int(structure, "rate", &tap->rate) && tap->rate >= AUDIO_RATE_MIN &&
                 tap->rate <= AUDIO_RATE_MAX && gst_structure_get_int(structure, "channels", &channels) && channels == 2 &&
                 g_strcmp0(gst_structure_get_string(structure, "format"), "S16LE") == 0;
    return right ? NULL : "the source's sound is not S16LE stereo of 8 to 192 kHz";
}

static GstFlowReturn on_video(GstAppSink *sink, gpointer data)
{
    struct tap *tap = data;
    GstSample *sample = gst_app_sink_pull_sample(sink);
    if (sample == NULL)
        return GST_FLOW_EOS;
    bool going = true;
    if (check_caps(tap, gst_sample_get_caps(sample), video_fault)) {
        going = store_input_video(tap->input, holdable(tap, gst_sample_get_buffer(sample)), &tap->info,
                                  running_time(sample));
        atomic_store(&tap->flowing, true);
    }
    gst_sample_unref(sample);
    return going ? GST_FLOW_OK : GST_FLOW_FLUSHING;
}

static GstFlowReturn on_audio(GstAppSink *sink, gpointer data)
{
    struct tap *tap = data;
    GstSample *sample = gst_app_sink_pull_sample(sink);
    if (sample == NULL)
        return GST_FLOW_EOS;
    bool going = true;
    GstMapInfo map;
    GstBuffer *buffer = gst_sample_get_buffer(sample);
    if (check_caps(tap, gst_sample_get_caps(sample), audio_fault) &&
        gst_buffer_map(buffer, &map, GST_MAP_READ)) {
        going = store_input_audio(tap->input, (const int16_t(*)[2])(void *)map.data, map.size / 4,
                                  tap->rate, running_time(sample));
        gst_buffer_unmap(buffer, &map);
        atomic_store(&tap->flowing, true);
    }
    gst_sample_unref(sample);
    return going ? GST_FLOW_OK : GST_FLOW_FLUSHING;
}

static void on_eos(GstAppSink *sink, gpointer data)
{
    struct tap *tap = data;
    atomic_store(&tap->ended, true);
    GstStructure *structure = gst_structure_new_empty("ended");
    gst_element_post_message(GST_ELEMENT(sink), gst_message_new_application(GST_OBJECT(sink), structure));
}

static bool attach(struct tap *tap, GstElement *pipeline, const char *name, struct store_input *input,
                   GstFlowReturn (*on_sample)(GstAppSink *sink, gpointer data))
{
    *tap = (struct tap){.input = input, .sink = gst_bin_get_by_name(GST_BIN(pipeline), name)};
    if (tap->sink == NULL || !GST_IS_APP_SINK(tap->sink)) {
        g_clear_object(&tap->sink);
        return false;
    }
    /* The store does the timing, so the sink never waits for a time; nor does the pipeline for a
     * stream that this source does not have. */
    g_object_set(tap->sink, "sync", FALSE, "async", FALSE, "emit-signals", FALSE, "max-buffers", 2, "drop",
                 FALSE, "qos", FALSE, NULL);
    GstAppSinkCallbacks callbacks = {.eos = on_eos, .new_sample = on_sample};
    gst_app_sink_set_callbacks(GST_APP_SINK(tap->sink), &callbacks, tap, NULL);
    return true;
}

bool tap_video(struct tap *tap, GstElement *pipeline, struct store_input *input)
{
    return attach(tap, pipeline, "video", input, on_video);
}

bool tap_audio(struct tap *tap, GstElement *pipeline, struct store_input *input)
{
    return attach(tap, pipeline, "audio", input, on_audio);
}

void tap_clear(struct tap *tap)
{
    g_clear_object(&tap->sink);
    gst_caps_replace(&tap->caps, NULL);
}
