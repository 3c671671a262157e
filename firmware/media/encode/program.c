#include "program_internal.h"

#include <gst/video/video.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define HANG (2 * NS_PER_S)
#define HANG_AT_START (4 * NS_PER_S)
#define SNAP NS_PER_MS   /* what an element may have moved a time by */
#define RESUMED NS_PER_S /* a gap in the ticks after which older pictures are stale */

/* ---- out ---- */

static int64_t running_time(const GstSegment *segment, GstClockTime time)
{
    guint64 running = 0;
    int sign = gst_segment_to_running_time_full(segment, GST_FORMAT_TIME, time, &running);
    return sign < 0 ? -(int64_t)running : (int64_t)running;
}

/* Back onto the grid, should an element have rounded. */
static int64_t snap(struct program *program, const struct program_stream *stream, int64_t time)
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
    int64_t pushed = program->pushed[(uint64_t)tick % PROGRAM_PUSHED];
    if (pushed != 0 && program->time_count < PROGRAM_TIMES)
        program->times[program->time_count++] = (float)(clock_now() - pushed) / NS_PER_MS;
    program->waiting_since = 0;
    program->began = true;
}

/* Under the lock. */
static void let_out(struct program *program, const struct feed_unit *unit)
{
    program->stats.bytes[unit->stream] += unit->size;
    program->output.unit(program->output.data, unit);
}

/* Under the lock. */
static void hold_back(struct program *program, const struct feed_unit *unit, GstBuffer *buffer)
{
    struct program_held *held = g_new(struct program_held, 1);
    *held = (struct program_held){.unit = *unit, .buffer = gst_buffer_ref(buffer)};
    g_queue_push_tail(&program->held, held);
}

static void give(struct program_stream *stream, GstBuffer *buffer, const GstSegment *segment)
{
    struct program *program = stream->program;
    if (!GST_BUFFER_PTS_IS_VALID(buffer))
        return;
    int64_t pts = running_time(segment, GST_BUFFER_PTS(buffer));
    int64_t dts = GST_BUFFER_DTS_IS_VALID(buffer) ? running_time(segment, GST_BUFFER_DTS(buffer)) : pts;
    bool key = !GST_BUFFER_FLAG_IS_SET(buffer, GST_BUFFER_FLAG_DELTA_UNIT);
    GstMapInfo map;
    if (!gst_buffer_map(buffer, &map, GST_MAP_READ))
        return;
    pthread_mutex_lock(&program->lock);
    struct feed_unit unit = {.stream = (uint8_t)stream->index,
                             .flags = key ? FEED_KEY : 0,
                             .pts = snap(program, stream, pts),
                             .dts = snap(program, stream, dts),
                             .data = map.data,
                             .size = map.size};
    if (stream->index == 0)
        note_time(program, unit.pts);
    bool stale = stream->index == 0 && unit.pts < program->resumed_at;
    bool wanted = !stale && unit.pts < program->limits[stream->index];
    if (wanted && program->gate == PROGRAM_OPEN)
        let_out(program, &unit);
    else if (wanted && program->gate == PROGRAM_HELD)
        hold_back(program, &unit, buffer);
    pthread_mutex_unlock(&program->lock);
    gst_buffer_unmap(buffer, &map);
}

GstFlowReturn program_on_sample(GstAppSink *sink, gpointer data)
{
    GstSample *sample = gst_app_sink_pull_sample(sink);
    if (sample == NULL)
        return GST_FLOW_EOS;
    give(data, gst_sample_get_buffer(sample), gst_sample_get_segment(sample));
    gst_sample_unref(sample);
    return GST_FLOW_OK;
}

const struct spec *program_spec(const struct program *program)
{
    return program->spec;
}

void program_open(struct program *program)
{
    pthread_mutex_lock(&program->lock);
    program->gate = PROGRAM_OPEN;
    for (struct program_held *held; (held = g_queue_pop_head(&program->held)) != NULL;) {
        GstMapInfo map;
        if (gst_buffer_map(held->buffer, &map, GST_MAP_READ)) {
            held->unit.data = map.data;
            let_out(program, &held->unit);
            gst_buffer_unmap(held->buffer, &map);
        }
        gst_buffer_unref(held->buffer);
        g_free(held);
    }
    pthread_mutex_unlock(&program->lock);
}

void program_close(struct program *program)
{
    pthread_mutex_lock(&program->lock);
    program->gate = PROGRAM_CLOSED;
    for (struct program_held *held; (held = g_queue_pop_head(&program->held)) != NULL;) {
        gst_buffer_unref(held->buffer);
        g_free(held);
    }
    pthread_mutex_unlock(&program->lock);
}

void program_limit(struct program *program, size_t stream, int64_t time)
{
    pthread_mutex_lock(&program->lock);
    if (stream < program->spec->table.count)
        program->limits[stream] = time;
    pthread_mutex_unlock(&program->lock);
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
    program->pushed[(uint64_t)tick % PROGRAM_PUSHED] = now;
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
    GST_BUFFER_DURATION(buffer) = (GstClockTime)(grid_time(label + spec->frame, RATE_SAMPLES) -
                                                 grid_time(label, RATE_SAMPLES));
    gst_app_src_push_buffer(GST_APP_SRC(program->audio[track]), buffer);
}

bool program_finish(struct program *program, int64_t timeout)
{
    gst_app_src_end_of_stream(GST_APP_SRC(program->video));
    for (size_t i = 0; i < program->spec->track_count; i++)
        gst_app_src_end_of_stream(GST_APP_SRC(program->audio[i]));
    GstBus *bus = gst_element_get_bus(program->pipeline);
    GstMessage *message = gst_bus_timed_pop_filtered(bus, (GstClockTime)timeout,
                                                     GST_MESSAGE_EOS | GST_MESSAGE_ERROR);
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
