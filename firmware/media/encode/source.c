#include "source.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "counter.h"
#include "stamp.h"
#include "store_video.h"
#include "tap.h"

#define RETRY_MIN (250 * NS_PER_MS)
#define RETRY_MAX (2 * NS_PER_S)
#define HEALTHY (5 * NS_PER_S) /* after a pipeline that lasted this long the retries begin anew */
#define HANG (4 * NS_PER_S)
#define WATCH (100 * NS_PER_MS)
#define STALL_FIRST (5 * NS_PER_S)  /* without any unit: built anew, */
#define STALL_AGAIN (30 * NS_PER_S) /* and when that does not help, this seldom */
#define LOOP_MIN (200 * NS_PER_MS)  /* the shortest round of a loop */

struct source {
    int references; /* the holder's and the thread's; under the lock */
    struct spec *spec;
    struct store_input *input;

    pthread_mutex_t lock; /* guards what follows */
    pthread_cond_t woken;
    bool stopping;
    int64_t busy_since; /* 0: not building or pulling down */
    struct source_info info;

    /* the source's thread only */
    GstElement *pipeline;
    struct tap video, audio;
    int64_t retry, stall;
};

static void source_unref(struct source *source)
{
    pthread_mutex_lock(&source->lock);
    bool last = --source->references == 0;
    pthread_mutex_unlock(&source->lock);
    if (!last)
        return;
    store_input_free(source->input);
    spec_unref(source->spec);
    pthread_mutex_destroy(&source->lock);
    pthread_cond_destroy(&source->woken);
    free(source);
}

static void set_detail(struct source *source, const char *format, ...) __attribute__((format(printf, 2, 3)));
static void set_detail(struct source *source, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    pthread_mutex_lock(&source->lock);
    vsnprintf(source->info.detail, sizeof source->info.detail, format, arguments);
    pthread_mutex_unlock(&source->lock);
    va_end(arguments);
}

static void set_busy(struct source *source, bool busy)
{
    pthread_mutex_lock(&source->lock);
    source->busy_since = busy ? clock_now() : 0;
    pthread_mutex_unlock(&source->lock);
}

static bool is_stopping(struct source *source)
{
    pthread_mutex_lock(&source->lock);
    bool stopping = source->stopping;
    pthread_mutex_unlock(&source->lock);
    return stopping;
}

/* Sleeps, unless it is to stop. */
static void pause_for(struct source *source, int64_t time)
{
    int64_t deadline = clock_now() + time;
    struct timespec ts = {.tv_sec = deadline / NS_PER_S, .tv_nsec = deadline % NS_PER_S};
    pthread_mutex_lock(&source->lock);
    while (!source->stopping && pthread_cond_timedwait(&source->woken, &source->lock, &ts) == 0) {
    }
    pthread_mutex_unlock(&source->lock);
}

/* ---- building ---- */

/* Caps that pass `mode`, before scaling, tell what the source is. */
static GstPadProbeReturn on_mode(GstPad *pad, GstPadProbeInfo *probe, gpointer data)
{
    struct source *source = data;
    GstEvent *event = GST_PAD_PROBE_INFO_EVENT(probe);
    (void)pad;
    if (GST_EVENT_TYPE(event) != GST_EVENT_CAPS)
        return GST_PAD_PROBE_OK;
    GstCaps *caps;
    GstVideoInfo video;
    gst_event_parse_caps(event, &caps);
    if (!gst_video_info_from_caps(&video, caps))
        return GST_PAD_PROBE_OK;
    pthread_mutex_lock(&source->lock);
    source->info.width = video.width;
    source->info.height = video.height;
    source->info.rate = video.fps_d > 0 ? (double)video.fps_n / video.fps_d : 0;
    if (source->info.rate > SOURCE_RATE_MAX)
        source->info.rate = 0;
    source->info.scan = GST_VIDEO_INFO_IS_INTERLACED(&video) ? "interlaced" : "progressive";
    pthread_mutex_unlock(&source->lock);
    return GST_PAD_PROBE_OK;
}

static void watch_mode(struct source *source)
{
    GstElement *element = gst_bin_get_by_name(GST_BIN(source->pipeline), "mode");
    GstPad *pad = element == NULL ? NULL : gst_element_get_static_pad(element, "sink");
    if (pad != NULL)
        gst_pad_add_probe(pad, GST_PAD_PROBE_TYPE_EVENT_DOWNSTREAM, on_mode, source, NULL);
    g_clear_object(&pad);
    g_clear_object(&element);
}

/* What the test picture carries: frame numbers to read, and on demand the strip for machines. */
static void attach_marks(struct source *source)
{
    GstElement *stamp = gst_bin_get_by_name(GST_BIN(source->pipeline), "stamp");
    GstElement *counter = gst_bin_get_by_name(GST_BIN(source->pipeline), "counter");
    if (source->spec->source.stamp && stamp != NULL)
        stamp_attach(stamp);
    if (counter != NULL)
        counter_attach(counter);
    g_clear_object(&stamp);
    g_clear_object(&counter);
}

static bool build(struct source *source)
{
    GError *error = NULL;
    source->pipeline = gst_parse_launch_full(source->spec->source.launch, NULL, GST_PARSE_FLAG_FATAL_ERRORS,
                                             &error);
    if (source->pipeline == NULL || !GST_IS_PIPELINE(source->pipeline)) {
        set_detail(source, "the source cannot be built: %s",
                   error == NULL ? "it is a single element" : error->message);
        g_clear_error(&error);
        g_clear_object(&source->pipeline);
        return false;
    }
    /* One clock for all: the running time of a live source is the box clock. */
    GstClock *clock = gst_system_clock_obtain();
    gst_pipeline_use_clock(GST_PIPELINE(source->pipeline), clock);
    gst_object_unref(clock);
    gst_element_set_start_time(source->pipeline, GST_CLOCK_TIME_NONE);
    gst_element_set_base_time(source->pipeline, 0);
    bool video = tap_video(&source->video, source->pipeline, source->input);
    bool audio = tap_audio(&source->audio, source->pipeline, source->input);
    if (!video && !audio) {
        set_detail(source, "the source has no appsink named \"video\" or \"audio\"");
        return false;
    }
    watch_mode(source);
    attach_marks(source);
    /* Only a live source cannot preroll. */
    GstStateChangeReturn paused = gst_element_set_state(source->pipeline, GST_STATE_PAUSED);
    store_input_begin(source->input, paused != GST_STATE_CHANGE_NO_PREROLL);
    return paused != GST_STATE_CHANGE_FAILURE &&
           gst_element_set_state(source->pipeline, GST_STATE_PLAYING) != GST_STATE_CHANGE_FAILURE;
}

static void pull_down(struct source *source)
{
    if (source->pipeline == NULL)
        return;
    set_busy(source, true);
    store_input_end(source->input);
    gst_element_set_state(source->pipeline, GST_STATE_NULL);
    tap_clear(&source->video);
    tap_clear(&source->audio);
    g_clear_object(&source->pipeline);
    set_busy(source, false);
}

/* ---- watching ---- */

static void note_error(struct source *source, GstMessage *message)
{
    GError *error = NULL;
    gst_message_parse_error(message, &error, NULL);
    set_detail(source, "%s: %s", GST_MESSAGE_SRC_NAME(message), error->message);
    g_clear_error(&error);
}

/* Every stream that this source has is at its end. */
static bool at_end(struct source *source)
{
    struct tap *taps[] = {&source->video, &source->audio};
    bool ended = false;
    for (int i = 0; i < 2; i++) {
        if (taps[i]->sink == NULL)
            continue;
        if (atomic_load(&taps[i]->flowing) && !atomic_load(&taps[i]->ended))
            return false;
        ended |= atomic_load(&taps[i]->ended);
    }
    return ended;
}

/* Plays a paced source again from its start; false when it cannot seek. The seek goes to one sink
 * only, from where it reaches the demultiplexer and all its streams. */
static bool play_again(struct source *source)
{
    struct tap *tap = atomic_load(&source->video.flowing) ? &source->video : &source->audio;
    if (tap->sink == NULL)
        return false;
    store_input_loop(source->input);
    atomic_store(&source->video.ended, false);
    atomic_store(&source->audio.ended, false);
    return gst_element_seek_simple(tap->sink, GST_FORMAT_TIME, GST_SEEK_FLAG_FLUSH | GST_SEEK_FLAG_KEY_UNIT,
                                   0);
}

/* Nothing came for so long that a new pipeline is worth a try. */
static bool stalled(struct source *source, int64_t began)
{
    int64_t last = store_input_last(source->input), since = last > began ? last : began;
    if (last > 0)
        source->stall = STALL_FIRST;
    if (clock_now() - since < source->stall)
        return false;
    source->stall = STALL_AGAIN;
    set_detail(source, "no signal");
    return true;
}

/* A streaming fault ends as soon as samples flow; one of their format stays. */
static void note_flow(struct source *source)
{
    const char *fault = atomic_load(&source->video.fault);
    if (fault == NULL)
        fault = atomic_load(&source->audio.fault);
    if (fault != NULL || atomic_load(&source->video.flowing) || atomic_load(&source->audio.flowing))
        set_detail(source, "%s", fault == NULL ? "" : fault);
}

/* What a message of the bus means; true when the pipeline is of no more use. */
static bool handle(struct source *source, GstMessage *message, int64_t *round)
{
    if (GST_MESSAGE_TYPE(message) == GST_MESSAGE_ERROR) {
        note_error(source, message);
        return true;
    }
    if (!at_end(source))
        return false;
    if (source->spec->source.loop) {
        if (clock_now() - *round < LOOP_MIN)
            pause_for(source, LOOP_MIN);
        *round = clock_now();
        if (play_again(source))
            return false;
    }
    set_detail(source, "the source has ended");
    return true;
}

static void watch(struct source *source, GstBus *bus)
{
    int64_t began = clock_now(), round = began;
    bool ends = false;
    while (!ends && !is_stopping(source)) {
        GstMessage *message = gst_bus_timed_pop_filtered(
            bus, WATCH, GST_MESSAGE_ERROR | GST_MESSAGE_EOS | GST_MESSAGE_APPLICATION);
        note_flow(source);
        ends = message == NULL ? stalled(source, began) : handle(source, message, &round);
        g_clear_pointer(&message, gst_message_unref);
        if (clock_now() - began > HEALTHY)
            source->retry = RETRY_MIN;
    }
}

/* ---- the thread ---- */

static void live_once(struct source *source)
{
    set_busy(source, true);
    bool built = build(source);
    set_busy(source, false);
    if (source->pipeline == NULL) {
        store_input_end(source->input);
        return;
    }
    GstBus *bus = gst_element_get_bus(source->pipeline);
    if (built) {
        watch(source, bus);
    } else {
        GstMessage *message = gst_bus_pop_filtered(bus, GST_MESSAGE_ERROR);
        if (message != NULL)
            note_error(source, message);
        g_clear_pointer(&message, gst_message_unref);
    }
    gst_object_unref(bus);
    pull_down(source);
}

static void run(void *data)
{
    struct source *source = data;
    while (!is_stopping(source)) {
        live_once(source);
        pause_for(source, source->retry);
        source->retry = source->retry * 2 > RETRY_MAX ? RETRY_MAX : source->retry * 2;
        pthread_mutex_lock(&source->lock);
        source->info.rebuilds += !source->stopping;
        pthread_mutex_unlock(&source->lock);
    }
    source_unref(source);
}

static bool set_up(struct source *source, struct store *store)
{
    pthread_condattr_t attributes;
    pthread_condattr_init(&attributes);
    pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
    pthread_mutex_init(&source->lock, NULL);
    pthread_cond_init(&source->woken, &attributes);
    pthread_condattr_destroy(&attributes);
    source->input = store_input_new(store);
    return source->input != NULL;
}

struct source *source_start(struct store *store, struct crew *crew, struct spec *spec)
{
    struct source *source = calloc(1, sizeof *source);
    if (source == NULL)
        return NULL;
    *source = (struct source){.references = 2,
                              .spec = spec_ref(spec),
                              .retry = RETRY_MIN,
                              .stall = STALL_FIRST,
                              .info = {.scan = ""}};
    if (set_up(source, store) && crew_run(crew, run, source))
        return source;
    if (source->input != NULL)
        store_input_close(source->input);
    source->references = 1;
    source_unref(source);
    return NULL;
}

void source_stop(struct source *source)
{
    if (source == NULL)
        return;
    store_input_close(source->input);
    pthread_mutex_lock(&source->lock);
    source->stopping = true;
    pthread_cond_broadcast(&source->woken);
    pthread_mutex_unlock(&source->lock);
    source_unref(source);
}

void source_info(struct source *source, struct source_info *info)
{
    pthread_mutex_lock(&source->lock);
    *info = source->info;
    info->hangs = source->busy_since != 0 && clock_now() - source->busy_since > HANG;
    pthread_mutex_unlock(&source->lock);
}
