#include "store_video.h"

#include <math.h>

#define LOSS_MIN (150 * NS_PER_MS)
#define LOSS_MAX (2500 * NS_PER_MS)
#define INTERVAL_MAX (2100 * NS_PER_MS)

static struct store_frame *frame_at(struct store_video *video, size_t index)
{
    return &video->queue[(video->head + index) % STORE_FRAMES_MAX];
}

static void drop_oldest(struct store_video *video)
{
    gst_buffer_unref(frame_at(video, 0)->buffer);
    video->head = (video->head + 1) % STORE_FRAMES_MAX;
    video->count--;
    video->dropped++;
}

static void learn_spacing(struct store_video *video, int64_t time)
{
    int64_t step = time - video->newest;
    video->newest = time;
    if (step <= 0 || step > INTERVAL_MAX)
        return;
    video->spacing = video->spacing == 0 ? step : video->spacing + (step - video->spacing) / 8;
}

void store_video_push(struct store_video *video, GstBuffer *buffer, int64_t time, uint64_t format)
{
    while (video->count > 0 && frame_at(video, video->count - 1)->time >= time) {
        gst_buffer_unref(frame_at(video, video->count - 1)->buffer);
        video->count--;
        video->dropped++;
    }
    if (video->count == STORE_FRAMES_MAX)
        drop_oldest(video);
    *frame_at(video, video->count) = (struct store_frame){.buffer = buffer, .time = time, .format = format};
    video->count++;
    video->in++;
    learn_spacing(video, time);
}

int64_t store_video_interval(const struct store_video *video)
{
    return video->nominal > 0 ? video->nominal : video->spacing;
}

/* The frame interval of the source as far as known, else 0. */
static int64_t longest_interval(const struct store_video *video)
{
    int64_t longest = video->interval_count == 0 ? store_video_interval(video) : 0;
    size_t known = video->interval_count < STORE_INTERVALS ? video->interval_count : STORE_INTERVALS;
    for (size_t i = 0; i < known; i++)
        longest = video->intervals[i] > longest ? video->intervals[i] : longest;
    return longest;
}

static int64_t loss_time(const struct store_video *video)
{
    int64_t time = longest_interval(video) * 6 / 5;
    return time < LOSS_MIN ? LOSS_MIN : time > LOSS_MAX ? LOSS_MAX : time;
}

static void forget_phase(struct store_video *video)
{
    video->lateness_count = 0;
    video->slack = 0;
}

/* Whether the source's frames keep their place between the ticks, but for a drift of clocks. */
static bool is_locked(int64_t interval, int64_t period)
{
    double ratio = interval > period ? (double)interval / (double)period : (double)period / (double)interval;
    return fabs(ratio - round(ratio)) < 0.002 * ratio;
}

/* The mean of what was learnt. With a locked source, lateness near 0 and near a whole step are
 * neighbours, so the mean is taken on the circle, around the first one. */
static int64_t mean_lateness(const struct store_video *video, int64_t step, bool locked)
{
    int64_t first = video->lateness[0], sum = 0;
    for (int i = 0; i < STORE_PHASE_FRAMES; i++) {
        int64_t off = video->lateness[i] - first;
        if (locked)
            off -= (int64_t)round((double)off / (double)step) * step;
        sum += off;
    }
    return first + sum / STORE_PHASE_FRAMES;
}

/* Learns from the lateness of a fresh picture; a source that has come to lie elsewhere is learnt anew. */
static void learn_phase(struct store_video *video, int64_t lateness, int64_t period)
{
    if (video->lateness_count == STORE_PHASE_FRAMES) {
        if (lateness > video->phase + 3 * period || lateness < video->phase - 3 * period)
            forget_phase(video);
        return;
    }
    video->lateness[video->lateness_count++] = lateness;
    if (video->lateness_count < STORE_PHASE_FRAMES)
        return;
    int64_t interval = store_video_interval(video);
    int64_t step = interval > 0 && interval < period ? interval : period;
    bool locked = interval > 0 && is_locked(interval, period);
    int64_t mean = mean_lateness(video, step, locked);
    /* Frames that wander between the ticks are late by anything up to a step. */
    if (!locked && mean < step)
        mean = step / 2;
    int64_t slack = locked ? step / 2 - mean : 0;
    video->slack = slack < -step / 2 ? -step / 2 : slack > step / 2 ? step / 2 : slack;
    /* What a frame shows that is left out is seen with the next one, later by up to the rest of a period. */
    video->phase = mean + (period - step) / 2;
    video->phase_known = true;
}

static void show(struct store_video *video, const struct store_tick *tick)
{
    struct store_frame *frame = frame_at(video, 0);
    if (video->shown.buffer != NULL) {
        int64_t interval = tick->time - video->fresh_at;
        if (interval > 0 && interval <= INTERVAL_MAX)
            video->intervals[video->interval_count++ % STORE_INTERVALS] = interval;
        gst_buffer_unref(video->shown.buffer);
    }
    if (video->state != PICTURE_LIVE)
        forget_phase(video);
    video->shown = *frame;
    video->head = (video->head + 1) % STORE_FRAMES_MAX;
    video->count--;
    video->fresh_at = tick->time;
    video->state = PICTURE_LIVE;
    learn_phase(video, tick->due - video->shown.time, tick->period);
}

GstBuffer *store_video_pick(struct store_video *video, const struct store_tick *tick)
{
    int64_t boundary = tick->due + video->slack;
    size_t ripe = 0, newest = 0;
    for (size_t i = 0; i < video->count && frame_at(video, i)->time <= boundary; i++) {
        ripe = i + 1;
        if (frame_at(video, i)->format == tick->format)
            newest = i + 1;
    }
    if (newest > 0) {
        for (; newest > 1; newest--, ripe--)
            drop_oldest(video);
        show(video, tick);
        ripe--;
    }
    /* The newest of another format is kept: a program that can show it may be about to begin. */
    for (; ripe > 1; ripe--)
        drop_oldest(video);

    if (video->shown.buffer == NULL || video->shown.format != tick->format) {
        video->state = PICTURE_NONE;
        return NULL;
    }
    int64_t age = tick->time - video->fresh_at;
    if (age == 0)
        return video->shown.buffer;
    video->repeated++;
    if (age > loss_time(video))
        video->state = age > loss_time(video) + tick->hold ? PICTURE_LOST : PICTURE_HELD;
    return video->state == PICTURE_LOST ? NULL : video->shown.buffer;
}

bool store_video_has(const struct store_video *video, uint64_t format, int64_t due)
{
    for (size_t i = 0; i < video->count; i++) {
        const struct store_frame *frame = &video->queue[(video->head + i) % STORE_FRAMES_MAX];
        if (frame->format == format && frame->time <= due + video->slack)
            return true;
    }
    return video->shown.buffer != NULL && video->shown.format == format;
}

int64_t store_video_phase(const struct store_video *video, int64_t fallback)
{
    return video->phase_known ? video->phase : fallback;
}

void store_video_restart(struct store_video *video)
{
    while (video->count > 0)
        drop_oldest(video);
    video->interval_count = 0;
    video->nominal = video->newest = video->spacing = 0;
    video->phase_known = false;
    forget_phase(video);
}

void store_video_clear(struct store_video *video)
{
    store_video_restart(video);
    if (video->shown.buffer != NULL)
        gst_buffer_unref(video->shown.buffer);
    video->shown.buffer = NULL;
    video->state = PICTURE_NONE;
}
