#include "store.h"

#include <math.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "store_audio.h"
#include "store_internal.h"
#include "store_video.h"

#define START_TIME (3 * NS_PER_S) /* after which a source that has given nothing counts as lost */
#define SOUND_ALONE NS_PER_S      /* after which a source without a picture is taken for sound alone */
#define SLEEP_MAX (100 * NS_PER_MS)
#define QUEUE_MAX 8                /* pictures that may wait before the encoder */
#define PHASE_STEP (2 * NS_PER_MS) /* the sound does not follow smaller changes */
#define PREVIEW_INTERVAL NS_PER_S
#define PRIORITY 10 /* of the thread, SCHED_FIFO */

/* ---- the clockwork ---- */

static int64_t audio_due(const struct store *store, size_t track)
{
    return grid_time(store->labels[track], RATE_SAMPLES) + STORE_AUDIO_LATENCY;
}

/* When there is something to do next; `track` is then the one whose sound is due, −1 for the picture. */
static int64_t next_due(const struct store *store, int *track)
{
    int64_t due = grid_time(store->tick, store->video.rate);
    *track = -1;
    for (size_t i = 0; i < store->track_count; i++) {
        if (audio_due(store, i) < due) {
            due = audio_due(store, i);
            *track = (int)i;
        }
    }
    return due;
}

void store_place_labels(struct store *store, int64_t first)
{
    for (size_t i = 0; i < store->track_count; i++) {
        int64_t frame = store->tracks[i].frame;
        store->labels[i] = (first + frame - 1) / frame * frame;
    }
}

int64_t store_sample_of_tick(const struct store *store)
{
    return grid_from(grid_time(store->tick, store->video.rate), RATE_SAMPLES);
}

/* After a stall of this process too long to be made good, the grid is taken up again at `now`. */
static void jump_if_stalled(struct store *store, int64_t now)
{
    int64_t before = grid_time(store->tick, store->video.rate);
    if (now - before <= STORE_STALL)
        return;
    store->tick = grid_from(now, store->video.rate);
    store_place_labels(store, store_sample_of_tick(store));
    /* The source had no chance meanwhile. */
    store->frames.fresh_at += grid_time(store->tick, store->video.rate) - before;
    store->began_at += now - before;
    store->jumps++;
}

/* ---- pictures ---- */

static enum source_state state_of(const struct store *store, int64_t now)
{
    /* An input without a signal is one that was lost, too. */
    if (!store->has_source)
        return store->frames.state == PICTURE_LIVE || store->frames.state == PICTURE_HELD ? SOURCE_HELD : SOURCE_LOST;
    const struct store_input *input = store->input;
    if (input != NULL && input->last[TIMELINE_VIDEO] == 0 && input->last[TIMELINE_AUDIO] > now - NS_PER_S &&
        now - store->began_at > SOUND_ALONE)
        return SOURCE_LIVE;
    switch (store->frames.state) {
    case PICTURE_LIVE:
        return SOURCE_LIVE;
    case PICTURE_HELD:
        return SOURCE_HELD;
    case PICTURE_LOST:
        return SOURCE_LOST;
    case PICTURE_NONE:
        break;
    }
    bool failed = input != NULL && input->failed;
    return failed || now - store->began_at > START_TIME ? SOURCE_LOST : SOURCE_STARTING;
}

/* How many pictures may wait: a few, and after a stall as many as are being caught up with. */
static unsigned queue_max(struct store *store, bool behind)
{
    unsigned waiting = program_queue(store->program);
    if (behind)
        store->credit++;
    else if (store->credit > waiting)
        store->credit = waiting;
    return QUEUE_MAX + store->credit;
}

static void offer_preview(struct store *store, GstBuffer *picture, int64_t time)
{
    if (store->preview == NULL || time < store->preview_at)
        return;
    store->preview_at = time + PREVIEW_INTERVAL;
    preview_offer(store->preview, picture, &store->video);
}

int64_t store_due(const struct store *store, int64_t time)
{
    return time - store->latency - store->room - store->late;
}

static void video_tick(struct store *store, int64_t now)
{
    int64_t number = store->tick++, time = grid_time(number, store->video.rate);
    struct store_tick tick = {.time = time,
                              .due = store_due(store, time),
                              .period = grid_period(store->video.rate),
                              .hold = store->hold,
                              .format = store->format};
    /* While this process catches up with a stall of its own, the source is not to blame for being silent. */
    bool behind = now - time > 2 * tick.period;
    if (behind)
        store->frames.fresh_at += tick.period;
    GstBuffer *picture = store_video_pick(&store->frames, &tick);
    pthread_cond_broadcast(&store->taken);
    store->state = state_of(store, now);
    bool ended = picture == NULL && store->loss == LOSS_END;
    if (picture == NULL && store->loss_format == store->format)
        picture = store->loss_picture;
    if (picture == NULL)
        return;
    offer_preview(store, picture, time);
    if (ended)
        return;
    if (program_push_video(store->program, picture, number, queue_max(store, behind)))
        store->video_out++;
    else
        store->overload++;
}

/* ---- sound ---- */

/* How far behind its label a track's content lies, in samples. */
static int64_t content_offset(const struct store *store, size_t track)
{
    int64_t delay = store->latency + store->room + store->late + store->phase;
    return grid_nearest(delay, RATE_SAMPLES) + store->delays[track] * SAMPLES_PER_MS -
           store->tracks[track].priming;
}

static void follow_phase(struct store *store)
{
    bool follows = store->input != NULL && store->input->last[TIMELINE_VIDEO] != 0;
    int64_t phase = follows ? store_video_phase(&store->frames, grid_period(store->video.rate) / 2) : 0;
    if (llabs(phase - store->phase) > PHASE_STEP)
        store->phase = phase < 0 ? 0 : phase;
}

static void measure(struct store *store, const int16_t (*samples)[2], size_t count)
{
    int channels = store->tracks[0].channels;
    for (size_t i = 0; i < count; i++) {
        float left = samples[i][0], right = samples[i][1];
        if (channels == 1)
            left = right = (left + right) / 2;
        store->peak[0] = fmaxf(store->peak[0], fabsf(left));
        store->peak[1] = fmaxf(store->peak[1], fabsf(right));
        store->squares[0] += (double)(left * left);
        store->squares[1] += (double)(right * right);
    }
    store->measured += count;
}

static void audio_block(struct store *store, size_t track)
{
    int16_t block[AUDIO_BLOCK_MAX][2];
    bool lost = store->state != SOURCE_LIVE &&
                (store->frames.state == PICTURE_LOST || store->frames.state == PICTURE_NONE);
    struct audio_read read = {.label = store->labels[track],
                              .offset = content_offset(store, track),
                              .count = (size_t)store->tracks[track].frame,
                              .mute = lost && store->loss == LOSS_END,
                              .tone = lost && store->loss == LOSS_BARS};
    size_t silent = audio_track_read(&store->readers[track], &store->ring, &read, block);
    program_push_audio(store->program, track, (const int16_t(*)[2])block, read.label);
    store->labels[track] += (int64_t)read.count;
    if (track != 0)
        return;
    follow_phase(store);
    measure(store, (const int16_t(*)[2])block, read.count);
    store->audio_out += read.count;
    store->silence += silent;
}

/* ---- the thread ---- */

static void *run(void *data)
{
    struct store *store = data;
    enum source_state told = SOURCE_NONE;
    pthread_mutex_lock(&store->lock);
    while (!store->stopping) {
        if (store->program == NULL) {
            pthread_cond_wait(&store->changed, &store->lock);
            continue;
        }
        int track;
        int64_t due = next_due(store, &track), now = clock_now();
        if (now < due) {
            pthread_mutex_unlock(&store->lock);
            clock_sleep_until(due < now + SLEEP_MAX ? due : now + SLEEP_MAX);
            pthread_mutex_lock(&store->lock);
            continue;
        }
        jump_if_stalled(store, now);
        if (next_due(store, &track) > now)
            continue;
        if (track >= 0)
            audio_block(store, (size_t)track);
        else
            video_tick(store, now);
        if (store->state != told) {
            told = store->state;
            pthread_mutex_unlock(&store->lock);
            store->events.state(store->events.data);
            pthread_mutex_lock(&store->lock);
        }
    }
    pthread_mutex_unlock(&store->lock);
    return NULL;
}

/* Ahead of all that merely computes, where the system lets us; a holder of the lock that it waits for is
 * lifted with it. */
static bool start_thread(struct store *store)
{
    if (pthread_create(&store->thread, NULL, run, store) != 0)
        return false;
    struct sched_param parameters = {.sched_priority = PRIORITY};
    pthread_setschedparam(store->thread, SCHED_FIFO, &parameters);
    return true;
}

struct store *store_new(const struct store_events *events)
{
    struct store *store = calloc(1, sizeof *store);
    if (store == NULL)
        return NULL;
    store->events = *events;
    pthread_mutexattr_t attributes;
    pthread_mutexattr_init(&attributes);
    pthread_mutexattr_setprotocol(&attributes, PTHREAD_PRIO_INHERIT);
    pthread_mutex_init(&store->lock, &attributes);
    pthread_mutexattr_destroy(&attributes);
    pthread_cond_init(&store->changed, NULL);
    pthread_cond_init(&store->taken, NULL);
    if (audio_ring_init(&store->ring) && start_thread(store))
        return store;
    audio_ring_clear(&store->ring);
    free(store);
    return NULL;
}

void store_free(struct store *store)
{
    pthread_mutex_lock(&store->lock);
    store->stopping = true;
    pthread_cond_broadcast(&store->changed);
    pthread_mutex_unlock(&store->lock);
    pthread_join(store->thread, NULL);
    store_video_clear(&store->frames);
    audio_ring_clear(&store->ring);
    g_clear_pointer(&store->loss_picture, gst_buffer_unref);
    g_clear_pointer(&store->next_loss_picture, gst_buffer_unref);
    pthread_cond_destroy(&store->changed);
    pthread_cond_destroy(&store->taken);
    pthread_mutex_destroy(&store->lock);
    free(store);
}
