/* What the host asks of the store and sets in it; see store.h. */
#include <math.h>
#include <stdlib.h>

#include "store_internal.h"

/* ---- what the host sets ---- */

void store_configure(struct store *store, const struct spec *spec)
{
    pthread_mutex_lock(&store->lock);
    store->has_source = spec->source.present;
    store->latency = spec->source.latency;
    store->hold = spec->loss.hold;
    store->loss = spec->loss.picture;
    int earliest = 0;
    for (size_t i = 0; i < spec->track_count; i++) {
        store->delays[i] = spec->tracks[i].delay_ms;
        earliest = spec->tracks[i].delay_ms < earliest ? spec->tracks[i].delay_ms : earliest;
    }
    store->room = -earliest * NS_PER_MS;
    pthread_mutex_unlock(&store->lock);
}

static uint64_t format_of(const struct video_spec *video)
{
    return store_format(video->width, video->height,
                        video->format == VIDEO_NV12 ? GST_VIDEO_FORMAT_NV12 : GST_VIDEO_FORMAT_I420);
}

static void exchange_loss_picture(struct store *store, GstBuffer *picture, uint64_t format)
{
    g_clear_pointer(&store->loss_picture, gst_buffer_unref);
    store->loss_picture = picture;
    store->loss_format = format;
}

void store_set_loss_picture(struct store *store, GstBuffer *picture, const struct video_spec *video)
{
    uint64_t format = format_of(video);
    pthread_mutex_lock(&store->lock);
    g_clear_pointer(&store->next_loss_picture, gst_buffer_unref);
    if (store->program == NULL || format == store->format) {
        exchange_loss_picture(store, picture, format);
    } else {
        store->next_loss_picture = picture;
        store->next_loss_format = format;
    }
    pthread_mutex_unlock(&store->lock);
}

/* Encoder and decoder delay of the codecs in samples: content is taken that much ahead of its label. */
static int priming(uint8_t codec)
{
    return codec == FEED_AAC_ADTS ? 1024 : 481;
}

/* Takes over the format of a program that begins with the first tick at or after `after`. Sound goes on
 * where it has got to, which is behind the picture by its latency. */
static void adopt(struct store *store, const struct spec *spec, int64_t after)
{
    int64_t sound = INT64_MIN;
    for (size_t i = 0; i < store->track_count; i++)
        sound = store->labels[i] > sound ? store->labels[i] : sound;
    store->video = spec->video;
    store->format = format_of(&spec->video);
    if (store->next_loss_picture != NULL && store->next_loss_format == store->format) {
        exchange_loss_picture(store, store->next_loss_picture, store->format);
        store->next_loss_picture = NULL;
    }
    store->tick = grid_from(after, spec->video.rate);
    store->track_count = spec->track_count;
    for (size_t i = 0; i < spec->track_count; i++) {
        store->tracks[i] = (struct store_track){.channels = spec->tracks[i].channels,
                                                .frame = spec->tracks[i].frame,
                                                .priming = priming(spec->table.streams[i + 1].codec)};
    }
    bool goes_on = sound > grid_nearest(after - STORE_STALL, RATE_SAMPLES);
    store_place_labels(store, goes_on ? sound : store_sample_of_tick(store));
    store->credit = 0;
}

/* Tells a program where its successor begins. */
static void limit(const struct store *store, struct program *program)
{
    program_limit(program, 0, grid_time(store->tick, store->video.rate));
    for (size_t i = 0; i < store->track_count; i++)
        program_limit(program, i + 1, grid_time(store->labels[i], RATE_SAMPLES));
}

struct program *store_swap_program(struct store *store, struct program *program)
{
    pthread_mutex_lock(&store->lock);
    struct program *before = store->program;
    int64_t after = clock_now();
    if (before != NULL) {
        int64_t next = grid_time(store->tick, store->video.rate);
        after = next > after - STORE_STALL ? next : after;
    }
    store->program = program;
    if (program != NULL)
        adopt(store, program_spec(program), after);
    if (before != NULL)
        limit(store, before);
    pthread_cond_broadcast(&store->changed);
    pthread_mutex_unlock(&store->lock);
    return before;
}

bool store_can_show(struct store *store, const struct video_spec *video)
{
    uint64_t format = format_of(video);
    pthread_mutex_lock(&store->lock);
    bool shows = store->frames.state == PICTURE_LIVE || store->frames.state == PICTURE_HELD;
    bool can = !shows || store_video_has(&store->frames, format, store_due(store, clock_now()));
    pthread_mutex_unlock(&store->lock);
    return can;
}

struct preview *store_swap_preview(struct store *store, struct preview *preview)
{
    pthread_mutex_lock(&store->lock);
    struct preview *before = store->preview;
    store->preview = preview;
    store->preview_at = 0;
    pthread_mutex_unlock(&store->lock);
    return before;
}

/* ---- what the host asks ---- */

void store_stats(struct store *store, struct store_stats *stats)
{
    pthread_mutex_lock(&store->lock);
    *stats = (struct store_stats){.state = store->state,
                                  .video_in = store->frames.in,
                                  .video_out = store->video_out,
                                  .repeated = store->frames.repeated,
                                  .dropped = store->frames.dropped,
                                  .overload = store->overload,
                                  .audio_in = store->ring.in,
                                  .audio_out = store->audio_out,
                                  .silence = store->silence,
                                  .drift_ppm = audio_ring_drift(&store->ring),
                                  .resyncs = store->ring.resyncs,
                                  .jumps = store->jumps};
    pthread_mutex_unlock(&store->lock);
}

static double decibels(double amplitude)
{
    return amplitude < 0.3277 ? -100 : 20 * log10(amplitude / 32768);
}

void store_levels(struct store *store, struct store_levels *levels)
{
    pthread_mutex_lock(&store->lock);
    levels->channels = store->track_count == 0 ? 0 : store->tracks[0].channels;
    for (int i = 0; i < 2; i++) {
        double mean = store->measured == 0 ? 0 : store->squares[i] / (double)store->measured;
        levels->peak[i] = decibels((double)store->peak[i]);
        levels->rms[i] = decibels(sqrt(mean));
        store->peak[i] = 0;
        store->squares[i] = 0;
    }
    store->measured = 0;
    pthread_mutex_unlock(&store->lock);
}
