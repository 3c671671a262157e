#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "picture.h"
#include "program_internal.h"

#define BLOCKING_QUEUE 8 /* buffers that wait before an encoder, when not paced */

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
    gst_util_set_object_arg(G_OBJECT(element), name,
                            json_is_string(value) ? json_string_value(value) : number);
    return true;
}

bool program_set_properties(struct program *program, const json_t *live, char *reason, size_t reason_size)
{
    const char *name, *property;
    json_t *properties, *value;
    bool all = true;
    json_object_foreach ((json_t *)(uintptr_t)live, name, properties) {
        GstElement *element = gst_bin_get_by_name(GST_BIN(program->pipeline), name);
        json_object_foreach (properties, property, value) {
            if (element != NULL && set_property(element, property, value))
                continue;
            snprintf(reason, reason_size, "the program has no property %s of an element %s", property, name);
            all = false;
        }
        g_clear_object(&element);
    }
    return all;
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

static GstElement *find_source(struct program *program, const char *name, GstCaps *caps, char *reason,
                               size_t size)
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
    return gst_caps_new_simple("audio/x-raw", "format", G_TYPE_STRING, "S16LE", "layout", G_TYPE_STRING,
                               "interleaved", "rate", G_TYPE_INT, SAMPLE_RATE, "channels", G_TYPE_INT,
                               channels, NULL);
}

static bool find_sink(struct program *program, size_t index, char *reason, size_t size)
{
    char name[32];
    snprintf(name, sizeof name, "out%zu", index);
    GstAppSinkCallbacks callbacks = {.new_sample = program_on_sample};
    const struct feed_stream *entry = &program->spec->table.streams[index];
    struct program_stream *stream = &program->streams[index];
    *stream = (struct program_stream){.program = program,
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
        char name[32];
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
    program->pipeline = gst_parse_launch_full(program->spec->launch, NULL, GST_PARSE_FLAG_FATAL_ERRORS,
                                              &error);
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
    for (size_t i = 0; i <= SPEC_TRACKS_MAX; i++)
        program->limits[i] = INT64_MAX;
    g_queue_init(&program->held);
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
    program_close(program);
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
