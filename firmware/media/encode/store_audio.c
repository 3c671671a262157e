#include "store_audio.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define COPY_ERROR_MAX (1.0 * SAMPLES_PER_MS) /* samples; above it the ratio is steered */
#define JUMP (40.0 * SAMPLES_PER_MS)
#define DRIFT_MAX 0.001 /* of a clock */
#define STEER_MAX 0.005 /* of the ratio, while catching up */
#define SMOOTHING 0.5   /* s, of the error that steers */
#define LEAD_TIME 0.05  /* s, of the error that is told to the picture */
#define OMEGA 0.126     /* rad/s, natural frequency of the loop; damping 0.7 */
#define STEP_MAX 0.0015 /* s, error that the drift is learnt from */
#define HISTORY 256     /* samples that the resampler is primed with */
#define CHUNK 512       /* samples that are resampled at once */

bool audio_ring_init(struct audio_ring *ring)
{
    int failure;
    *ring = (struct audio_ring){.samples = calloc(AUDIO_RING, sizeof *ring->samples)};
    ring->resampler = src_new(SRC_SINC_FASTEST, 2, &failure);
    if (ring->samples != NULL && ring->resampler != NULL)
        return true;
    audio_ring_clear(ring);
    return false;
}

void audio_ring_clear(struct audio_ring *ring)
{
    free(ring->samples);
    if (ring->resampler != NULL)
        src_delete(ring->resampler);
    *ring = (struct audio_ring){0};
}

/* ---- writing ---- */

static void place(struct audio_ring *ring, int64_t index, const int16_t sample[2])
{
    memcpy(ring->samples[index & (AUDIO_RING - 1)], sample, sizeof *ring->samples);
}

/* Lets the last span end at the head, and forgets what the ring no longer holds. */
static void extend(struct audio_ring *ring)
{
    ring->spans[ring->span_count - 1].end = ring->head;
    int64_t oldest = ring->head - AUDIO_RING;
    while (ring->span_count > 1 && ring->spans[0].end <= oldest)
        memmove(ring->spans, ring->spans + 1, --ring->span_count * sizeof *ring->spans);
    if (ring->spans[0].start < oldest)
        ring->spans[0].start = oldest;
}

/* Moves the head and begins a span there; of older spans stays what lies before it. */
static void begin(struct audio_ring *ring, int64_t index)
{
    while (ring->span_count > 0 && ring->spans[ring->span_count - 1].start >= index)
        ring->span_count--;
    if (ring->span_count > 0 && ring->spans[ring->span_count - 1].end > index)
        ring->spans[ring->span_count - 1].end = index;
    if (ring->span_count == AUDIO_SPANS)
        memmove(ring->spans, ring->spans + 1, --ring->span_count * sizeof *ring->spans);
    ring->spans[ring->span_count++] = (struct audio_span){index, index};
    ring->head = ring->origin = index;
    ring->next = 0;
    ring->skip = 0;
    ring->error = ring->lead = 0;
    ring->running = true;
    src_reset(ring->resampler);
    /* A drift that is known already goes on being followed. */
    ring->resampling = ring->rate != SAMPLE_RATE || fabs(ring->drift) > 5e-6;
}

/* Runs samples through the resampler at `ratio`; those due to be skipped are not written. */
static void resample(struct audio_ring *ring, const int16_t (*samples)[2], size_t count, double ratio)
{
    float in[CHUNK][2], out[CHUNK + 64][2];
    src_set_ratio(ring->resampler, ratio);
    while (count > 0) {
        size_t part = count < CHUNK ? count : CHUNK;
        src_short_to_float_array(&samples[0][0], &in[0][0], (int)(2 * part));
        SRC_DATA data = {.data_in = &in[0][0],
                         .data_out = &out[0][0],
                         .input_frames = (long)part,
                         .output_frames = CHUNK + 64,
                         .src_ratio = ratio};
        if (src_process(ring->resampler, &data) != 0 ||
            (data.input_frames_used <= 0 && data.output_frames_gen <= 0))
            return;
        int16_t whole[CHUNK + 64][2];
        src_float_to_short_array(&out[0][0], &whole[0][0], (int)(2 * data.output_frames_gen));
        for (long i = 0; i < data.output_frames_gen; i++) {
            if (ring->skip > 0)
                ring->skip--;
            else
                place(ring, ring->head++, whole[i]);
        }
        samples += data.input_frames_used;
        count -= (size_t)data.input_frames_used;
    }
}

/* From copying to resampling without a seam: the resampler is given the last samples again, and what
 * it makes of them is dropped. */
static void start_resampling(struct audio_ring *ring)
{
    int16_t history[HISTORY][2];
    int64_t written = ring->head - ring->spans[ring->span_count - 1].start;
    int64_t count = written < HISTORY ? written : HISTORY;
    for (int64_t i = 0; i < count; i++)
        memcpy(history[i], ring->samples[(ring->head - count + i) & (AUDIO_RING - 1)], sizeof *history);
    src_reset(ring->resampler);
    ring->skip = count;
    ring->resampling = true;
    resample(ring, history, (size_t)count, 1.0);
}

/* By how much the next `count` samples are to be stretched, from where they should be placed. */
static double steer(struct audio_ring *ring, double error, size_t count)
{
    double step = (double)count / ring->rate;
    ring->error += (error - ring->error) * step / (SMOOTHING + step);
    ring->lead += (error - ring->lead) * step / (LEAD_TIME + step);
    if (!ring->resampling && fabs(ring->error) > COPY_ERROR_MAX)
        start_resampling(ring);
    if (!ring->resampling)
        return 1.0;
    double seconds = ring->error / SAMPLE_RATE;
    /* A step of the time stamps is made good, but says little of the clock. */
    double told = fmax(-STEP_MAX, fmin(STEP_MAX, seconds));
    ring->drift += OMEGA * OMEGA * told * step;
    ring->drift = fmax(-DRIFT_MAX, fmin(DRIFT_MAX, ring->drift));
    return 1.0 + fmax(-STEER_MAX, fmin(STEER_MAX, ring->drift + 1.4 * OMEGA * seconds));
}

void audio_ring_write(struct audio_ring *ring, const int16_t (*samples)[2], size_t count, int rate, int64_t time)
{
    if (count == 0 || count > (size_t)AUDIO_RING / 4 * (size_t)rate / SAMPLE_RATE)
        return;
    ring->running = ring->running && rate == ring->rate;
    ring->rate = rate;
    int64_t whole = grid_nearest(time, RATE_SAMPLES);
    double exact = (double)(whole - ring->origin) +
                   (double)(time - grid_time(whole, RATE_SAMPLES)) * SAMPLE_RATE / NS_PER_S;
    double error = exact - ring->next;
    if (!ring->running || fabs(error) > JUMP) {
        ring->resyncs += ring->running;
        begin(ring, whole);
        error = 0;
    }
    double ratio = steer(ring, error, count) * SAMPLE_RATE / rate;
    if (ring->resampling) {
        resample(ring, samples, count, ratio);
    } else {
        for (size_t i = 0; i < count; i++)
            place(ring, ring->head++, samples[i]);
    }
    extend(ring);
    ring->next += (double)count * ratio;
    ring->in += count;
    if (ring->next > 1e9) {
        ring->next -= 1e9;
        ring->origin += 1000000000;
    }
}

void audio_ring_cut(struct audio_ring *ring)
{
    ring->running = false;
}

void audio_ring_restart(struct audio_ring *ring)
{
    audio_ring_cut(ring);
    ring->resampling = false;
    ring->drift = 0;
}

int64_t audio_ring_end(const struct audio_ring *ring)
{
    return ring->span_count == 0 ? 0 : ring->spans[ring->span_count - 1].end;
}

int64_t audio_ring_lead(const struct audio_ring *ring)
{
    return ring->running ? (int64_t)(ring->lead * NS_PER_S / SAMPLE_RATE) : 0;
}

double audio_ring_drift(const struct audio_ring *ring)
{
    return -ring->drift * 1e6;
}

/* ---- reading ---- */

/* 1 kHz at −20 dBFS (peak), phase-locked to box time. */
static float tone_sample(int64_t label)
{
    return 3276.7f * sinf((float)(label % SAMPLES_PER_MS) * (float)(2 * 3.14159265358979 / SAMPLES_PER_MS));
}

/* The span that holds `index`, or the first one after it, or NULL. */
static const struct audio_span *span_at(const struct audio_ring *ring, int64_t index)
{
    for (size_t i = 0; i < ring->span_count; i++) {
        if (index < ring->spans[i].end)
            return &ring->spans[i];
    }
    return NULL;
}

static float toward(float value, float target)
{
    const float step = 1.0f / AUDIO_FADE;
    return value < target ? fminf(value + step, target) : fmaxf(value - step, target);
}

static int16_t clip(float value)
{
    return (int16_t)lrintf(fmaxf(-32768.0f, fminf(32767.0f, value)));
}

/* Reads a block at one place of the ring with fades; `gain` and `tone` carry over from block to block. */
static size_t read_at(struct audio_track *track, const struct audio_ring *ring, const struct audio_read *read,
                      int64_t offset, int16_t (*out)[2])
{
    int64_t from = read->label - offset, to = from + (int64_t)read->count;
    const struct audio_span *span = span_at(ring, from);
    if (track->gain == 1.0f && track->tone == 0.0f && !read->mute && span != NULL && span->start <= from &&
        span->end >= to + AUDIO_FADE) {
        for (int64_t i = from; i < to; i++)
            memcpy(out[i - from], ring->samples[i & (AUDIO_RING - 1)], sizeof *out);
        return 0;
    }
    size_t silent = 0;
    for (int64_t i = from; i < to; i++) {
        if (span != NULL && i >= span->end)
            span = span_at(ring, i);
        bool there = span != NULL && i >= span->start;
        track->gain = toward(track->gain, there && !read->mute ? 1.0f : 0.0f);
        track->tone = toward(track->tone, !there && read->tone && !read->mute ? 1.0f : 0.0f);
        if (!there)
            track->gain = 0.0f;
        else if (span->end - i <= AUDIO_FADE)
            track->gain = fminf(track->gain, (float)(span->end - i) / AUDIO_FADE);
        float tone = track->tone == 0.0f ? 0.0f : track->tone * tone_sample(read->label + (i - from));
        const int16_t *sample = ring->samples[i & (AUDIO_RING - 1)];
        out[i - from][0] = clip((float)sample[0] * track->gain + tone);
        out[i - from][1] = clip((float)sample[1] * track->gain + tone);
        silent += !there;
    }
    return silent;
}

size_t audio_track_read(struct audio_track *track, const struct audio_ring *ring,
                        const struct audio_read *read, int16_t (*out)[2])
{
    int64_t before = track->placed ? track->offset : read->offset;
    track->offset = read->offset;
    track->placed = true;
    if (before == read->offset)
        return read_at(track, ring, read, read->offset, out);
    struct audio_track leaving = *track;
    int16_t old[AUDIO_BLOCK_MAX][2];
    read_at(&leaving, ring, read, before, old);
    size_t silent = read_at(track, ring, read, read->offset, out);
    for (size_t i = 0; i < read->count && i < AUDIO_FADE; i++) {
        float weight = (float)i / AUDIO_FADE;
        for (int c = 0; c < 2; c++)
            out[i][c] = clip((float)old[i][c] * (1.0f - weight) + (float)out[i][c] * weight);
    }
    return silent;
}
