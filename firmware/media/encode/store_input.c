/* The source's side of the store. A unit's running time becomes box time (timeline.h); a source that is
 * ahead waits here, on its own thread, until there is room.
 *
 * Lip sync: the two streams' stamps may wander together (a network's clock that is being learnt), which
 * the picture would follow at once and the sound slowly; so the picture is put where the sound is.
 *
 * Sound that keeps arriving after the moment when it is needed would never be heard. When that has been
 * so for half a second, the whole input, picture and sound alike, is taken later by what is missing. */
#include <stdlib.h>

#include "store_internal.h"

#define PACED_AHEAD (400 * NS_PER_MS) /* of pictures; covers the seek at the end of a loop */
#define PACED_FRAMES 24
#define PACED_SOUND_AHEAD NS_PER_S
#define FRAMES_BYTES (256u * 1024 * 1024)
#define DEFICIT_TIME (500 * NS_PER_MS)
#define DEFICIT_MARGIN (10 * NS_PER_MS)
#define LATE_MAX NS_PER_S

struct store_input *store_input_new(struct store *store)
{
    struct store_input *input = calloc(1, sizeof *input);
    if (input == NULL)
        return NULL;
    input->store = store;
    input->ended = true;
    pthread_mutex_lock(&store->lock);
    store->input = input;
    store->began_at = clock_now();
    store->late = 0;
    store_video_restart(&store->frames);
    audio_ring_restart(&store->ring);
    pthread_mutex_unlock(&store->lock);
    return input;
}

void store_input_close(struct store_input *input)
{
    struct store *store = input->store;
    pthread_mutex_lock(&store->lock);
    input->closed = true;
    if (store->input == input)
        store->input = NULL;
    pthread_cond_broadcast(&store->taken);
    pthread_mutex_unlock(&store->lock);
}

void store_input_free(struct store_input *input)
{
    free(input);
}

void store_input_begin(struct store_input *input, bool paced)
{
    struct store *store = input->store;
    pthread_mutex_lock(&store->lock);
    input->ended = false;
    input->last[TIMELINE_VIDEO] = input->last[TIMELINE_AUDIO] = 0;
    timeline_begin(&input->timeline, paced);
    if (store->input == input) {
        store_video_restart(&store->frames);
        audio_ring_restart(&store->ring);
    }
    pthread_mutex_unlock(&store->lock);
}

void store_input_end(struct store_input *input)
{
    pthread_mutex_lock(&input->store->lock);
    input->ended = input->failed = true;
    pthread_cond_broadcast(&input->store->taken);
    pthread_mutex_unlock(&input->store->lock);
}

void store_input_loop(struct store_input *input)
{
    pthread_mutex_lock(&input->store->lock);
    timeline_loop(&input->timeline);
    if (input->store->input == input)
        audio_ring_cut(&input->store->ring);
    pthread_mutex_unlock(&input->store->lock);
}

static bool stopped(const struct store_input *input)
{
    return input->closed || input->ended || input->store->input != input;
}

/* Whether a frame of `time` must wait: of a paced source when it is far enough ahead, of any when memory is
 * used up. */
static bool frames_full(const struct store_input *input, int64_t time, size_t size)
{
    const struct store *store = input->store;
    if (store->frames.count == 0)
        return false;
    if (input->timeline.paced) {
        int64_t due = clock_now() - store->latency - store->room - store->late;
        return store->frames.count >= PACED_FRAMES || time > due + PACED_AHEAD;
    }
    return store->frames.count >= STORE_FRAMES_MAX - 1 || store->frames.count * size > FRAMES_BYTES;
}

/* 0 where the caps tell no rate but a time scale, as those of streams without a fixed rate do. */
static int64_t nominal_interval(const GstVideoInfo *info)
{
    bool told = info->fps_n > 0 && info->fps_n <= SOURCE_RATE_MAX * (int64_t)info->fps_d;
    return told ? NS_PER_S * info->fps_d / info->fps_n : 0;
}

bool store_input_video(struct store_input *input, GstBuffer *buffer, const GstVideoInfo *info,
                       int64_t running)
{
    struct store *store = input->store;
    uint64_t format = store_format(info->width, info->height, GST_VIDEO_INFO_FORMAT(info));
    int64_t nominal = nominal_interval(info), time = 0;
    pthread_mutex_lock(&store->lock);
    int64_t now = clock_now(), duration = nominal > 0 ? nominal : store->frames.spacing;
    if (running < 0)
        running = now - input->timeline.offset;
    bool taken = !stopped(input) && timeline_map(&input->timeline, TIMELINE_VIDEO, running, duration, now,
                                                 store->latency, &time);
    while (taken && frames_full(input, time, info->size)) {
        pthread_cond_wait(&store->taken, &store->lock);
        taken = !stopped(input);
    }
    if (taken) {
        input->last[TIMELINE_VIDEO] = clock_now();
        store->frames.nominal = nominal;
        store_video_push(&store->frames, buffer, time - audio_ring_lead(&store->ring), format);
    }
    bool going = !stopped(input);
    pthread_mutex_unlock(&store->lock);
    if (!taken)
        gst_buffer_unref(buffer);
    return going;
}

/* The box time up to which sound must be there by `now`, for the earliest track. */
static int64_t sound_needed(const struct store *store, int64_t now)
{
    int64_t ahead = 0;
    for (size_t i = 0; i < store->track_count; i++) {
        int64_t samples = store->tracks[i].frame + store->tracks[i].priming + AUDIO_FADE -
                          (int64_t)store->delays[i] * SAMPLES_PER_MS;
        ahead = samples > ahead ? samples : ahead;
    }
    int64_t content = now - STORE_AUDIO_LATENCY - store->latency - store->room - store->late - store->phase;
    return content + grid_time(ahead, RATE_SAMPLES);
}

/* Watches whether sound comes in time. `missing` > 0: this block ends that much too early. */
static void watch_deficit(struct store_input *input, int64_t missing, int64_t now)
{
    struct store *store = input->store;
    if (missing <= 0 || store->program == NULL) {
        input->deficit_since = 0;
        return;
    }
    if (input->deficit_since == 0) {
        input->deficit_since = now;
        input->deficit = missing;
    }
    input->deficit = missing < input->deficit ? missing : input->deficit;
    if (now - input->deficit_since < DEFICIT_TIME)
        return;
    store->late += input->deficit + DEFICIT_MARGIN;
    store->late = store->late > LATE_MAX ? LATE_MAX : store->late;
    input->deficit_since = 0;
}

bool store_input_audio(struct store_input *input, const int16_t (*samples)[2], size_t count, int rate,
                       int64_t running)
{
    struct store *store = input->store;
    int64_t duration = (int64_t)count * NS_PER_S / rate, time = 0;
    pthread_mutex_lock(&store->lock);
    int64_t now = clock_now();
    if (running < 0)
        running = now - input->timeline.offset;
    bool taken = !stopped(input) && timeline_map(&input->timeline, TIMELINE_AUDIO, running, duration, now,
                                                 store->latency, &time);
    while (taken && input->timeline.paced && time > clock_now() + PACED_SOUND_AHEAD) {
        pthread_cond_wait(&store->taken, &store->lock);
        taken = !stopped(input);
    }
    if (taken) {
        now = clock_now();
        input->last[TIMELINE_AUDIO] = now;
        watch_deficit(input, sound_needed(store, now) - (time + duration), now);
        audio_ring_write(&store->ring, samples, count, rate, time);
    }
    bool going = !stopped(input);
    pthread_mutex_unlock(&store->lock);
    return going;
}

int64_t store_input_last(struct store_input *input)
{
    pthread_mutex_lock(&input->store->lock);
    int64_t video = input->last[TIMELINE_VIDEO], audio = input->last[TIMELINE_AUDIO];
    pthread_mutex_unlock(&input->store->lock);
    return video > audio ? video : audio;
}
