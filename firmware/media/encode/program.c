#include "program.h"

#include <gst/app/app.h>
#include <gst/video/video.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "picture.h"

#define HANG (2 * NS_PER_S)
#define HANG_AT_START (4 * NS_PER_S)
#define SNAP NS_PER_MS        /* what an element may have moved a time by */
#define PUSHED 256            /* ticks whose push time is remembered */
#define TIMES 256             /* coding times between two looks at the figures */
#define BLOCKING_QUEUE 8      /* buffers, when not paced */
#define RESUMED NS_PER_S      /* a gap in the ticks after which older pictures are stale */

struct stream {
    struct program *program;
    size_t index;
    struct rate rate; /* the grid of its time stamps */
    GstElement *sink;
};

struct program {
    struct spec *spec;
    struct program_output output;
    GstElement *pipeline, *video, *audio[SPEC_TRACKS_MAX];
    struct stream streams[1 + SPEC_TRACKS_MAX];
    bool paced;
    int64_t last_tick; /* store's thread only */

    pthread_mutex_t lock; /* guards what follows; held while a unit is given out */
    bool open;
    int64_t pushed[PUSHED];
    int64_t resumed_at; /* pictures before this time are stale */
    int64_t waiting_since, last_check;
    bool began;
    float times[TIMES]; /* ms */
    size_t time_count;
    struct program_stats stats;
};

/* ---- out ---- */

static int64_t running_time(const GstSegment *segment, GstClockTime time)
{
    guint64 running = 0;
    int sign = gst_segment_to_running_time_full(segment, GST_FORMAT_TIME, time, &running);
    return sign < 0 ? -(int64_t)running : (int64_t)running;
}

/* Back onto the grid, should an element have rounded. */
static int64_t snap(struct program *program, const struct stream *stream, int64_t time)
{
    int64_t exact = grid_time(grid_nearest(time, stream->rate), stream->rate);
    if (time == exact)
        return time;
    if (llabs(time - exact) > SNAP) {
        program->stats.off_grid++;
        return time;
    }
    return exact;
}

static void note_time(struct program *program, int64_t pts)
{
    int64_t tick = grid_nearest(pts, program->streams[0].rate);
    int64_t pushed = program->pushed[(uint64_t)tick % PUSHED];
    if (pushed != 0 && program->time_count < TIMES)
        program->times[program->time_count++] = (float)(clock_now() - pushed) / NS_PER_MS;
    program->waiting_since = 0;
    program->began = true;
}

static void give(struct stream *stream, GstBuffer *buffer, const GstSegment *segment)
{
    struct program *program = stream->program;
    if (!GST_BUFFER_PTS_IS_VALID(buffer))
        return;
    int64_t pts = running_time(segment, GST_BUFFER_PTS(buffer));
    int64_t dts = GST_BUFFER_DTS_IS_VALID(buffer) ? running_time(segment, GST_BUFFER_DTS(buffer)) : pts;
    GstMapInfo map;
    if (!gst_buffer_map(buffer, &map, GST_MAP_READ))
        return;
    pthread_mutex_lock(&program->lock);
    struct feed_unit unit = {.stream = (uint8_t)stream->index,
                             .flags = GST_BUFFER_FLAG_IS_SET(buffer, GST_BUFFER_FLAG_DELTA_UNIT) ? 0 : FEED_KEY,
                             .pts = snap(program, stream, pts),
                             .dts = snap(program, stream, dts),
                             .data = map.data,
                             .size = map.size};
    if (stream->index == 0)
        note_time(program, unit.pts);
    bool stale = stream->index == 0 && unit.pts < program->resumed_at;
    if (program->open && !stale) {
        program->stats.bytes[stream->index] += map.size;
        program->output.unit(program->output.data, &unit);
    }
    pthread_mutex_unlock(&program->lock);
    gst_buffer_unmap(buffer, &map);
}

static GstFlowReturn on_sample(GstAppSink *sink, gpointer data)
{
    GstSample *sample = gst_app_sink_pull_sample(sink);
    if (sample == NULL)
        return GST_FLOW_EOS;
    give(data, gst_sample_get_buffer(sample), gst_sample_get_segment(sample));
    gst_sample_unref(sample);
    return GST_FLOW_OK;
}

/* ---- building ---- */

static GstElement *find(struct program *program, const char *name, GType type, char *reason, size_t size)
{
    GstElement *element = gst_bin_get_by_name(GST_BIN(program->pipeline), name);
    if (element == NULL || !g_type_is_a(G_OBJECT_TYPE(element), type)) {
        snprintf(reason, size, "the program has no %s named \"%s\"", g_type_name(type), name);
        g_clear_object(&element);
    }
    return element;
}

static GstElement *find_source(struct program *program, const char *name, GstCaps *caps, char *reason, size_t size)
{
    GstElement *source = find(program, name, GST_TYPE_APP_SRC, reason, size);
    if (source != NULL) {
        gst_app_src_set_caps(GST_APP_SRC(source), caps);
        g_object_set(source, "format", GST_FORMAT_TIME, "is-live", program->paced, "block", !program->paced,
                     "max-bytes", (guint64)0, "max-time", (guint64)0, "max-buffers",
                     (guint64)(program->paced ? 0 : BLOCKING_QUEUE), NULL);
    }
    gst_caps_unref(caps);
    return source;
}

static GstCaps *video_caps(const struct video_spec *video)
{
    GstVideoInfo info;
    picture_info(&info, video);
    return gst_video_info_to_caps(&info);
}

static GstCaps *audio_caps(int channels)
{
    return gst_caps_new_simple("audio/x-raw", "format", G_TYPE_STRING, "S16LE", "layout", G_TYPE_STRING, "interleaved",
                               "rate", G_TYPE_INT, SAMPLE_RATE, "channels", G_TYPE_INT, channels, NULL);
}

static bool find_sink(struct program *program, size_t index, char *reason, size_t size)
{
    char name[16];
    snprintf(name, sizeof name, "out%zu", index);
    GstAppSinkCallbacks callbacks = {.new_sample = on_sample};
    const struct feed_stream *entry = &program->spec->table.streams[index];
    struct stream *stream = &program->streams[index];
    *stream = (struct stream){.program = program,
                              .index = index,
                              .rate = {entry->rate_num, entry->rate_den},
                              .sink = find(program, name, GST_TYPE_APP_SINK, reason, size)};
    if (stream->sink == NULL)
        return false;
    g_object_set(stream->sink, "sync", FALSE, "async", FALSE, "emit-signals", FALSE, NULL);
    gst_app_sink_set_callbacks(GST_APP_SINK(stream->sink), &callbacks, stream, NULL);
    return true;
}

static bool find_elements(struct program *program, char *reason, size_t size)
{
    const struct spec *spec = program->spec;
    program->video = find_source(program, "video", video_caps(&spec->video), reason, size);
    if (program->video == NULL)
        return false;
    for (size_t i = 0; i < spec->track_count; i++) {
        char name[16];
        snprintf(name, sizeof name, "audio%zu", i);
        program->audio[i] = find_source(program, name, audio_caps(spec->tracks[i].channels), reason, size);
        if (program->audio[i] == NULL)
            return false;
    }
    for (size_t i = 0; i < spec->table.count; i++) {
        if (!find_sink(program, i, reason, size))
            return false;
    }
    return true;
}

static bool play(struct program *program, char *reason, size_t size)
{
    GError *error = NULL;
    program->pipeline = gst_parse_launch_full(program->spec->launch, NULL, GST_PARSE_FLAG_FATAL_ERRORS, &error);
    if (program->pipeline == NULL || !GST_IS_PIPELINE(program->pipeline)) {
        snprintf(reason, size, "the program cannot be built: %s",
                 error == NULL ? "it is a single element" : error->message);
        g_clear_error(&error);
        return false;
    }
    /* One clock for all: running time is the box clock. */
    GstClock *clock = gst_system_clock_obtain();
    gst_pipeline_use_clock(GST_PIPELINE(program->pipeline), clock);
    gst_object_unref(clock);
    gst_element_set_start_time(program->pipeline, GST_CLOCK_TIME_NONE);
    gst_element_set_base_time(program->pipeline, 0);
    if (!find_elements(program, reason, size) ||
        !program_set_properties(program, program->spec->live, reason, size))
        return false;
    if (gst_element_set_state(program->pipeline, GST_STATE_PLAYING) != GST_STATE_CHANGE_FAILURE)
        return true;
    snprintf(reason, size, "the program cannot be set playing");
    program_check(program, clock_now(), reason, size);
    return false;
}

struct program *program_new(struct spec *spec, bool paced, const struct program_output *output, char *reason,
                            size_t reason_size)
{
    struct program *program = calloc(1, sizeof *program);
    if (program == NULL) {
        snprintf(reason, reason_size, "out of memory");
        return NULL;
    }
    program->spec = spec_ref(spec);
    program->output = *output;
    program->paced = paced;
    program->last_tick = INT64_MIN;
    program->resumed_at = INT64_MIN;
    pthread_mutex_init(&program->lock, NULL);
    if (play(program, reason, reason_size))
        return program;
    program_free(program);
    return NULL;
}

void program_free(struct program *program)
{
    if (program == NULL)
        return;
    if (program->pipeline != NULL)
        gst_element_set_state(program->pipeline, GST_STATE_NULL);
    g_clear_object(&program->video);
    for (size_t i = 0; i < SPEC_TRACKS_MAX; i++)
        g_clear_object(&program->audio[i]);
    for (size_t i = 0; i <= SPEC_TRACKS_MAX; i++)
        g_clear_object(&program->streams[i].sink);
    g_clear_object(&program->pipeline);
    pthread_mutex_destroy(&program->lock);
    spec_unref(program->spec);
    free(program);
}

const struct spec *program_spec(const struct program *program)
{
    return program->spec;
}

static void set_open(struct program *program, bool open)
{
    pthread_mutex_lock(&program->lock);
    program->open = open;
    pthread_mutex_unlock(&program->lock);
}

void program_open(struct program *program)
{
    set_open(program, true);
}

void program_close(struct program *program)
{
    set_open(program, false);
}

/* ---- in ---- */

unsigned program_queue(const struct program *program)
{
    return (unsigned)gst_app_src_get_current_level_buffers(GST_APP_SRC(program->video));
}

/* The same memory under new times. The parent meta keeps the original from going back to its pool
 * while the encoder reads it. */
static GstBuffer *at_tick(GstBuffer *picture, int64_t tick, struct rate rate)
{
    GstBuffer *buffer = gst_buffer_copy(picture);
    gst_buffer_add_parent_buffer_meta(buffer, picture);
    GST_BUFFER_FLAG_UNSET(buffer, GST_BUFFER_FLAG_DISCONT | GST_BUFFER_FLAG_DELTA_UNIT);
    GST_BUFFER_PTS(buffer) = (GstClockTime)grid_time(tick, rate);
    GST_BUFFER_DTS(buffer) = GST_CLOCK_TIME_NONE;
    GST_BUFFER_DURATION(buffer) = (GstClockTime)(grid_time(tick + 1, rate) - grid_time(tick, rate));
    GST_BUFFER_OFFSET(buffer) = GST_BUFFER_OFFSET_END(buffer) = GST_BUFFER_OFFSET_NONE;
    return buffer;
}

bool program_push_video(struct program *program, GstBuffer *picture, int64_t tick, unsigned queue_max)
{
    struct rate rate = program->streams[0].rate;
    if (program->paced && program_queue(program) >= queue_max)
        return false;
    int64_t now = clock_now(), pts = grid_time(tick, rate);
    bool resumed = program->last_tick != INT64_MIN && pts - grid_time(program->last_tick, rate) > RESUMED;
    program->last_tick = tick;
    pthread_mutex_lock(&program->lock);
    program->pushed[(uint64_t)tick % PUSHED] = now;
    if (program->waiting_since == 0)
        program->waiting_since = now;
    if (resumed)
        program->resumed_at = pts;
    pthread_mutex_unlock(&program->lock);
    if (resumed)
        program_force_key(program);
    gst_app_src_push_buffer(GST_APP_SRC(program->video), at_tick(picture, tick, rate));
    return true;
}

void program_push_audio(struct program *program, size_t track, const int16_t (*samples)[2], int64_t label)
{
    const struct track_spec *spec = &program->spec->tracks[track];
    size_t count = (size_t)spec->frame, size = count * sizeof(int16_t) * (size_t)spec->channels;
    GstBuffer *buffer = gst_buffer_new_allocate(NULL, size, NULL);
    GstMapInfo map;
    if (buffer == NULL || !gst_buffer_map(buffer, &map, GST_MAP_WRITE)) {
        g_clear_pointer(&buffer, gst_buffer_unref);
        return;
    }
    int16_t *out = (int16_t *)(void *)map.data;
    if (spec->channels == 2)
        memcpy(out, samples, size);
    else
        for (size_t i = 0; i < count; i++)
            out[i] = (int16_t)((samples[i][0] + samples[i][1]) / 2);
    gst_buffer_unmap(buffer, &map);
    GST_BUFFER_PTS(buffer) = (GstClockTime)grid_time(label, RATE_SAMPLES);
    GST_BUFFER_DURATION(buffer) =
        (GstClockTime)(grid_time(label + spec->frame, RATE_SAMPLES) - grid_time(label, RATE_SAMPLES));
    gst_app_src_push_buffer(GST_APP_SRC(program->audio[track]), buffer);
}

bool program_finish(struct program *program, int64_t timeout)
{
    gst_app_src_end_of_stream(GST_APP_SRC(program->video));
    for (size_t i = 0; i < program->spec->track_count; i++)
        gst_app_src_end_of_stream(GST_APP_SRC(program->audio[i]));
    GstBus *bus = gst_element_get_bus(program->pipeline);
    GstMessage *message =
        gst_bus_timed_pop_filtered(bus, (GstClockTime)timeout, GST_MESSAGE_EOS | GST_MESSAGE_ERROR);
    bool ended = message != NULL && GST_MESSAGE_TYPE(message) == GST_MESSAGE_EOS;
    g_clear_pointer(&message, gst_message_unref);
    gst_object_unref(bus);
    return ended;
}

/* ---- control ---- */

void program_force_key(struct program *program)
{
    gst_element_send_event(program->streams[0].sink,
                           gst_video_event_new_upstream_force_key_unit(GST_CLOCK_TIME_NONE, TRUE, 0));
}

static bool set_property(GstElement *element, const char *name, const json_t *value)
{
    GParamSpec *spec = g_object_class_find_property(G_OBJECT_GET_CLASS(element), name);
    if (spec == NULL || (spec->flags & G_PARAM_WRITABLE) == 0)
        return false;
    if (json_is_boolean(value)) {
        g_object_set(element, name, json_is_true(value), NULL);
        return true;
    }
    char number[32];
    if (json_is_integer(value))
        snprintf(number, sizeof number, "%lld", (long long)json_integer_value(value));
    else
        g_ascii_dtostr(number, sizeof number, json_real_value(value));
    gst_util_set_object_arg(G_OBJECT(element), name, json_is_string(value) ? json_string_value(value) : number);
    return true;
}

bool program_set_properties(struct program *program, const json_t *live, char *reason, size_t reason_size)
{
    const char *name, *property;
    json_t *properties, *value;
    bool all = true;
    json_object_foreach((json_t *)(uintptr_t)live, name, properties)
    {
        GstElement *element = gst_bin_get_by_name(GST_BIN(program->pipeline), name);
        json_object_foreach(properties, property, value)
        {
            if (element != NULL && set_property(element, property, value))
                continue;
            snprintf(reason, reason_size, "the program has no property %s of an element %s", property, name);
            all = false;
        }
        g_clear_object(&element);
    }
    return all;
}

/* ---- health and figures ---- */

static bool bus_error(struct program *program, char *reason, size_t size)
{
    GstBus *bus = gst_element_get_bus(program->pipeline);
    bool failed = false;
    GstMessage *message;
    while ((message = gst_bus_pop(bus)) != NULL) {
        if (GST_MESSAGE_TYPE(message) == GST_MESSAGE_ERROR && !failed) {
            GError *error = NULL;
            gst_message_parse_error(message, &error, NULL);
            snprintf(reason, size, "%s: %s", GST_MESSAGE_SRC_NAME(message), error->message);
            g_clear_error(&error);
            failed = true;
        }
        gst_message_unref(message);
    }
    gst_object_unref(bus);
    return failed;
}

bool program_check(struct program *program, int64_t now, char *reason, size_t reason_size)
{
    if (bus_error(program, reason, reason_size))
        return false;
    pthread_mutex_lock(&program->lock);
    /* While this process was stopped the encoder could not work either. */
    if (program->waiting_since != 0 && program->last_check != 0 && now - program->last_check > NS_PER_S / 2)
        program->waiting_since += now - program->last_check;
    program->last_check = now;
    int64_t limit = program->began ? HANG : HANG_AT_START;
    bool hangs = program->waiting_since != 0 && now - program->waiting_since > limit;
    pthread_mutex_unlock(&program->lock);
    if (hangs)
        snprintf(reason, reason_size, "the encoder gave nothing for %d s", (int)(limit / NS_PER_S));
    return !hangs;
}

static int compare_times(const void *a, const void *b)
{
    float x = *(const float *)a, y = *(const float *)b;
    return (x > y) - (x < y);
}

void program_stats(struct program *program, bool anew, struct program_stats *stats)
{
    pthread_mutex_lock(&program->lock);
    *stats = program->stats;
    qsort(program->times, program->time_count, sizeof *program->times, compare_times);
    if (program->time_count > 0) {
        stats->median_ms = (double)program->times[program->time_count / 2];
        stats->max_ms = (double)program->times[program->time_count - 1];
    }
    if (anew)
        program->time_count = 0;
    pthread_mutex_unlock(&program->lock);
}
