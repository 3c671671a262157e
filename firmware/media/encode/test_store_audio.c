/* The sound half of the frame store, on a synthetic clock. The "world" is a signal over box time: on the
 * left a saw of 2 s that tells the time, on the right a sine of 997 Hz on which any click shows. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "check.h"
#include "store_audio.h"

#define PI 3.14159265358979
#define SAW_PERIOD 2.0
#define SINE_HZ 997.0
#define SINE_PEAK 12000.0
#define BLOCK 1024
#define DELAY (200 * SAMPLES_PER_MS) /* of the reader */

static double saw_at(double seconds)
{
    return fmod(seconds, SAW_PERIOD) / SAW_PERIOD * 60000 - 30000;
}

/* A source's clock runs faster than the box clock by `ppm`. */
struct source {
    int rate; /* Hz, 0: 48000 */
    double ppm;
    double offset; /* s, of its first sample */
    int64_t sample;
};

static int rate_of(const struct source *source)
{
    return source->rate == 0 ? SAMPLE_RATE : source->rate;
}

static double time_of(const struct source *source, int64_t sample)
{
    return source->offset + (double)sample / (rate_of(source) * (1 + source->ppm * 1e-6));
}

/* Writes the next block, the time stamp off by `jitter` seconds. */
static void write_block(struct audio_ring *ring, struct source *source, size_t count, double jitter)
{
    int16_t block[2048][2];
    for (size_t i = 0; i < count; i++) {
        double t = time_of(source, source->sample + (int64_t)i);
        block[i][0] = (int16_t)saw_at(t);
        block[i][1] = (int16_t)(SINE_PEAK * sin(2 * PI * SINE_HZ * t));
    }
    double stamp = time_of(source, source->sample) + jitter;
    audio_ring_write(ring, (const int16_t(*)[2])block, count, rate_of(source), (int64_t)(stamp * 1e9));
    source->sample += (int64_t)count;
}

/* What reading found. */
struct found {
    double worst_sync; /* ms, from the saw */
    double worst_step; /* of the sine from sample to sample */
    size_t silent;
};

struct listener {
    struct audio_track track;
    int64_t label;
    int16_t last;
    struct found found;
};

static void listen_block(struct listener *listener, const struct audio_ring *ring, int64_t offset)
{
    int16_t out[BLOCK][2];
    struct audio_read read = {.label = listener->label, .offset = offset, .count = BLOCK};
    bool full = listener->track.gain == 1.0f;
    size_t silent = audio_track_read(&listener->track, ring, &read, out);
    full = full && listener->track.gain == 1.0f && silent == 0;
    listener->found.silent += silent;
    for (int i = 0; i < BLOCK; i++) {
        double place = (double)(listener->label + i - offset) / SAMPLE_RATE;
        double told = ((double)out[i][0] + 30000) / 60000 * SAW_PERIOD;
        double off = fmod(told - place, SAW_PERIOD);
        off = off > SAW_PERIOD / 2 ? off - SAW_PERIOD : off < -SAW_PERIOD / 2 ? off + SAW_PERIOD : off;
        /* Not where fades scale the saw, nor at its edge, where the resampler rings. */
        double edge = fmod(place, SAW_PERIOD);
        if (full && edge > 0.01 && edge < SAW_PERIOD - 0.01)
            listener->found.worst_sync = fmax(listener->found.worst_sync, fabs(off) * 1000);
        listener->found.worst_step = fmax(listener->found.worst_step, abs(out[i][1] - listener->last));
        listener->last = out[i][1];
    }
    listener->label += BLOCK;
}

/* Steps of an undisturbed sine, and of one that fades within 5 ms. */
#define SINE_STEP (SINE_PEAK * 2 * PI * SINE_HZ / SAMPLE_RATE + 2)
#define FADE_STEP (SINE_STEP + SINE_PEAK / AUDIO_FADE + 2)

static double noise(double peak)
{
    return ((double)rand() / RAND_MAX * 2 - 1) * peak;
}

static void drift_is_followed(int rate, double ppm, double jitter, size_t block)
{
    struct audio_ring ring;
    CHECK(audio_ring_init(&ring));
    struct source source = {.rate = rate, .ppm = ppm, .offset = 3.0};
    struct listener listener = {.label = 4 * SAMPLE_RATE};
    for (int64_t end = 3 * SAMPLE_RATE; end < 120 * SAMPLE_RATE;) {
        write_block(&ring, &source, block, noise(jitter));
        end = (int64_t)(time_of(&source, source.sample) * SAMPLE_RATE);
        while (listener.label + BLOCK - DELAY + 100 * SAMPLES_PER_MS < end)
            listen_block(&listener, &ring, DELAY);
        /* The first second is the onset. */
        if (listener.label < 5 * SAMPLE_RATE)
            listener.found = (struct found){0};
    }
    CHECK(listener.found.worst_sync < 5);
    CHECK(listener.found.worst_step < SINE_STEP * 1.01 + 2);
    CHECK_EQ_INT(listener.found.silent, 0);
    CHECK_EQ_INT(ring.resyncs, 0);
    CHECK(fabs(audio_ring_drift(&ring) - ppm) < 20 || fabs(ppm) < 10);
    audio_ring_clear(&ring);
}

static void locked_sound_is_copied(void)
{
    struct audio_ring ring;
    CHECK(audio_ring_init(&ring));
    struct source source = {.offset = 3.0};
    for (int i = 0; i < 1000; i++)
        write_block(&ring, &source, BLOCK, noise(0.0005));
    CHECK(!ring.resampling);
    struct audio_track track = {.gain = 1};
    struct audio_read read = {.label = 41 * SAMPLE_RATE / 2, .count = BLOCK};
    int16_t out[BLOCK][2];
    CHECK_EQ_INT(audio_track_read(&track, &ring, &read, out), 0);
    /* Not a bit differs; the head never left where the first time stamp put it. */
    for (int i = 0; i < BLOCK; i++)
        CHECK_EQ_INT(out[i][0], (int16_t)saw_at(time_of(&source, read.label + i - ring.origin)));
    audio_ring_clear(&ring);
}

/* A gap, a jump and the end are silence with soft edges; what follows lies right. */
static void gaps_are_silence(double gap, uint64_t resyncs)
{
    struct audio_ring ring;
    CHECK(audio_ring_init(&ring));
    struct source source = {.offset = 3.0};
    struct listener listener = {.label = 4 * SAMPLE_RATE};
    for (int i = 0; i < 400; i++) {
        if (i == 200)
            source.sample += (int64_t)(gap * SAMPLE_RATE);
        write_block(&ring, &source, BLOCK, 0);
        int64_t end = 3 * SAMPLE_RATE + source.sample;
        while (listener.label + BLOCK - DELAY + 100 * SAMPLES_PER_MS < end)
            listen_block(&listener, &ring, DELAY);
        if (i == 100)
            listener.found.silent = 0;
    }
    CHECK(listener.found.worst_sync < 1);
    CHECK(listener.found.worst_step < FADE_STEP);
    CHECK_EQ_INT(ring.resyncs, resyncs);
    if (gap > 0)
        CHECK_EQ_INT(listener.found.silent, (int64_t)(gap * SAMPLE_RATE));
    /* Nothing more comes: the last sample is faded out, then silence, to the sample. */
    listener.found.silent = 0;
    int64_t rest = audio_ring_end(&ring) - (listener.label - DELAY);
    for (int i = 0; i < 30; i++)
        listen_block(&listener, &ring, DELAY);
    CHECK_EQ_INT(listener.found.silent, 30 * BLOCK - rest);
    CHECK(listener.found.worst_step < FADE_STEP);
    CHECK_EQ_INT(listener.last, 0);
    audio_ring_clear(&ring);
}

/* A source that starts again before where it was replaces what was not heard yet. */
static void step_back_is_soft(void)
{
    struct audio_ring ring;
    CHECK(audio_ring_init(&ring));
    struct source source = {.offset = 3.0};
    struct listener listener = {.label = 3 * SAMPLE_RATE};
    for (int i = 0; i < 300; i++) {
        if (i == 150)
            source.offset -= 0.15;
        write_block(&ring, &source, BLOCK, 0);
        if (i > 50)
            listen_block(&listener, &ring, DELAY);
    }
    CHECK_EQ_INT(ring.resyncs, 1);
    CHECK(listener.found.worst_step < FADE_STEP);
    audio_ring_clear(&ring);
}

static void delay_changes_without_a_click(void)
{
    struct audio_ring ring;
    CHECK(audio_ring_init(&ring));
    struct source source = {.offset = 3.0};
    for (int i = 0; i < 400; i++)
        write_block(&ring, &source, BLOCK, 0);
    struct listener listener = {.label = 5 * SAMPLE_RATE};
    listen_block(&listener, &ring, 0);
    listener.found = (struct found){0};
    for (int i = 0; i < 50; i++)
        listen_block(&listener, &ring, i * 7 * SAMPLES_PER_MS);
    CHECK(listener.found.worst_step < SINE_STEP + 2 * SINE_PEAK / AUDIO_FADE + 2);
    CHECK_EQ_INT(listener.found.silent, 0);
    audio_ring_clear(&ring);
}

static void tone_sounds_where_nothing_is(void)
{
    struct audio_ring ring;
    CHECK(audio_ring_init(&ring));
    struct audio_track track = {0};
    int16_t out[BLOCK][2], last = 0;
    double squares = 0;
    for (int b = 0; b < 10; b++) {
        struct audio_read read = {.label = SAMPLE_RATE + b * BLOCK, .count = BLOCK, .tone = true};
        CHECK_EQ_INT(audio_track_read(&track, &ring, &read, out), BLOCK);
        for (int i = 0; i < BLOCK; i++) {
            CHECK(abs(out[i][0] - last) < 3277 * 2 * PI / SAMPLES_PER_MS + 16);
            last = out[i][0];
            squares += b > 0 ? (double)last * last : 0;
        }
    }
    double level = 10 * log10(squares / (9 * BLOCK) / 32768 / 32768);
    CHECK(fabs(level + 23.01) < 0.1);
    struct audio_read mute = {.label = SAMPLE_RATE + 10 * BLOCK, .count = BLOCK, .tone = true, .mute = true};
    audio_track_read(&track, &ring, &mute, out);
    CHECK_EQ_INT(out[BLOCK - 1][0], 0);
    audio_ring_clear(&ring);
}

static void nonsense_is_survived(void)
{
    struct audio_ring ring;
    CHECK(audio_ring_init(&ring));
    struct source source = {.offset = 0};
    struct listener listener = {.label = 0};
    for (int i = 0; i < 3000; i++) {
        source.offset = rand() % 4 == 0 ? (double)(rand() % 100) - 50 : source.offset;
        write_block(&ring, &source, 1 + (size_t)rand() % 2000, noise(0.05));
        listener.label = rand() % 4 == 0 ? rand() : listener.label;
        listen_block(&listener, &ring, rand() % 1000000 - 500000);
        CHECK(ring.span_count <= AUDIO_SPANS);
        for (size_t s = 0; s < ring.span_count; s++) {
            CHECK(ring.spans[s].start <= ring.spans[s].end);
            CHECK(s == 0 || ring.spans[s - 1].end <= ring.spans[s].start);
        }
    }
    audio_ring_clear(&ring);
}

int main(void)
{
    srand(1);
    drift_is_followed(48000, 200, 0, 1024);
    drift_is_followed(48000, -200, 0, 1024);
    drift_is_followed(48000, 200, 0.001, 480);
    drift_is_followed(48000, -200, 0.005, 1152);
    drift_is_followed(48000, 0, 0.001, 1024);
    drift_is_followed(44100, 200, 0.001, 1152);
    drift_is_followed(8000, 0, 0, 160);
    drift_is_followed(96000, 100, 0, 960);
    locked_sound_is_copied();
    gaps_are_silence(0, 0);
    gaps_are_silence(0.1, 1);
    gaps_are_silence(1.5, 1);
    step_back_is_soft();
    delay_changes_without_a_click();
    tone_sounds_where_nothing_is();
    nonsense_is_survived();
    return 0;
}
