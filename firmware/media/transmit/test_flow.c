/* Programme and multiplexer together on a clock of the test's own: feeds come, stall, die and change; the
 * analyser, which knows nothing of the multiplexer, judges the packets. */
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "analyser.h"
#include "check.h"
#include "clock.h"
#include "programme.h"

#define VIDEO_PID 256
#define AUDIO_PID 257
#define START (INT64_C(10) * 365 * 86400 * NS_PER_S) /* a box that has run for ten years */
#define VIDEO_STEP 3600 /* 25 Hz in 90 kHz */
#define AUDIO_STEP 1920 /* 1024 samples at 48 kHz */

/* One programme on air, and the encoder that feeds it. */
struct bench {
    struct spec spec;
    struct mux_state state;
    struct mux *mux;
    struct programme_flow *flow;
    struct analyser *analyser;
    int64_t now;
    bool feeding;
    int64_t late; /* units come this long after their label */
    struct feed_table table;
    uint64_t frame, sound; /* numbers of the next units on the box's grid */
    uint64_t opened;       /* first frame of this encoder: it is a key frame */
    unsigned keys_only_every;
    uint8_t payload[40000];
    size_t video_size;
};

static const struct feed_table normal = {.count = 2,
                                         .streams = {{0, FEED_H264, 25, 1, 3000000}, {1, FEED_AAC_ADTS, 48000, 1024, 128000}}};

static void write_slate(const char *path, const struct feed_table *table)
{
    uint8_t header[FEED_HEADER_SIZE + 16 * FEED_STREAMS_MAX], payload[400] = {0, 0, 0, 1, 0x65};
    FILE *file = fopen(path, "wb");
    CHECK(file != NULL);
    fwrite(header, 1, feed_write_table(header, table), file);
    for (unsigned i = 0; i < 25; i++) {
        for (size_t j = 0; j < table->count; j++) {
            struct feed_unit unit = {.stream = table->streams[j].stream, .data = payload, .size = sizeof payload};
            unit.flags = i == 0 || j > 0 ? FEED_KEY : 0;
            unit.dts = unit.pts = slate_offset(&table->streams[j], i);
            feed_write_unit_header(header, &unit);
            fwrite(header, 1, FEED_HEADER_SIZE, file);
            fwrite(payload, 1, sizeof payload, file);
        }
    }
    CHECK(fclose(file) == 0);
}

static struct slate *make_slate(const struct feed_table *table)
{
    char path[64], reason[96];
    snprintf(path, sizeof path, "/tmp/steadycast-slate-%d", (int)getpid());
    write_slate(path, table);
    struct slate *slate = slate_load(path, reason, sizeof reason);
    unlink(path);
    CHECK(slate != NULL);
    return slate;
}

static void set_intervals(struct spec *spec)
{
    spec->pat_interval = spec->pmt_interval = 80 * NS_PER_MS;
    spec->sdt_interval = NS_PER_S;
    spec->nit_interval = 5 * NS_PER_S;
    spec->tdt_interval = 10 * NS_PER_S;
    spec->pcr_interval = 30 * NS_PER_MS;
}

static struct bench *bench_new(int64_t delay, bool slate)
{
    struct analyser_options options = {.pid_missing_ms = 1500};
    struct bench *b = calloc(1, sizeof *b);
    CHECK(b != NULL);
    b->now = START;
    b->late = 60 * NS_PER_MS;
    b->table = normal;
    b->video_size = 12000;
    b->payload[3] = 1;
    b->spec = (struct spec){.bitrate = 4000000, .delay = delay, .programme_count = 1};
    set_intervals(&b->spec);
    b->spec.programmes[0] = (struct programme_spec){.number = 1, .pmt_pid = 4096, .pcr_pid = VIDEO_PID,
                                                    .slate_after = 600 * NS_PER_MS, .stream_count = 2};
    b->spec.programmes[0].streams[0] = (struct stream_spec){.stream = 0, .pid = VIDEO_PID};
    b->spec.programmes[0].streams[1] = (struct stream_spec){.stream = 1, .pid = AUDIO_PID, .language = "eng"};
    b->state.grid = (struct grid){.anchor = ticks_from_ns(START), .bitrate = b->spec.bitrate};
    b->mux = mux_new(&b->state);
    CHECK(b->mux != NULL && mux_apply(b->mux, &b->spec));
    b->flow = programme_new(b->mux, 0, &b->spec, START);
    b->analyser = analyser_new(&options);
    CHECK(b->flow != NULL && b->analyser != NULL);
    if (slate)
        programme_slate(b->flow, make_slate(&normal));
    return b;
}

static void bench_free(struct bench *b)
{
    programme_free(b->flow);
    mux_free(b->mux);
    analyser_free(b->analyser);
    free(b);
}

static int64_t label(const struct bench *b, size_t entry, uint64_t index)
{
    return slate_offset(&b->table.streams[entry], index);
}

/* The first unit of a stream's grid whose label is not before `from`. */
static uint64_t first_index(const struct bench *b, size_t entry, int64_t from)
{
    const struct feed_stream *stream = &b->table.streams[entry];
    uint64_t index = (uint64_t)((__int128)from * stream->rate_num / ((__int128)stream->rate_den * NS_PER_S));
    while (label(b, entry, index) < from)
        index++;
    return index;
}

static void feed_start(struct bench *b)
{
    b->feeding = true;
    b->frame = b->opened = first_index(b, 0, b->now);
    b->sound = first_index(b, 1, b->now);
    programme_table(b->flow, &b->table);
}

static void feed_stop(struct bench *b)
{
    b->feeding = false;
    programme_feed_lost(b->flow);
}

static void feed_units(struct bench *b)
{
    int64_t until = b->now - b->late;
    while (label(b, 0, b->frame) <= until) {
        bool key = (b->frame - b->opened) % 25 == 0;
        struct feed_unit unit = {.stream = 0, .flags = key ? FEED_KEY : 0, .data = b->payload, .size = b->video_size};
        b->payload[4] = key ? 0x65 : 0x41;
        unit.dts = unit.pts = label(b, 0, b->frame++);
        programme_unit(b->flow, &unit, b->now);
    }
    while (label(b, 1, b->sound) <= until) {
        struct feed_unit unit = {.stream = 1, .flags = FEED_KEY, .data = b->payload, .size = 341};
        unit.dts = unit.pts = label(b, 1, b->sound++);
        programme_unit(b->flow, &unit, b->now);
    }
}

static void run(struct bench *b, int64_t ms)
{
    for (int64_t end = b->now + ms * NS_PER_MS; b->now < end; b->now += 2 * NS_PER_MS) {
        uint8_t packet[PACKET_SIZE];
        bool pcr;
        if (b->feeding)
            feed_units(b);
        programme_tick(b->flow, b->now);
        while (grid_ns(&b->state.grid, b->state.slot) <= b->now) {
            uint64_t left = mux_beat_end(b->mux) - b->state.slot;
            if (!mux_next(b->mux, 0, packet, &pcr))
                mux_null_packet(packet);
            CHECK(!pcr || left == 1); /* the programme's PCRs end a beat */
            analyser_push(b->analyser, packet, b->now);
        }
    }
}

static void check_clean(const struct bench *b)
{
    for (int i = 0; i < ANALYSER_CHECKS; i++)
        CHECK(analyser_counters(b->analyser)->count[i] == 0);
    const struct analyser_pcr *pcr = analyser_pcr(b->analyser, VIDEO_PID);
    CHECK(pcr != NULL && pcr->error_ns <= 100 && pcr->interval.max <= 35 * TICKS_PER_S / 1000);
    CHECK(analyser_table(b->analyser, ANALYSER_TABLE_PAT).max <= TICKS_PER_S / 10);
    CHECK(analyser_table(b->analyser, ANALYSER_TABLE_PMT).max <= TICKS_PER_S / 10);
}

static bool exact_steps(const struct bench *b, uint16_t pid, int64_t step)
{
    const struct analyser_stream *stream = analyser_stream(b->analyser, pid);
    return stream != NULL && stream->backward == 0 && stream->units > 20 && stream->dts_step.min == step &&
           stream->dts_step.max == step;
}

static enum programme_state state_of(const struct bench *b)
{
    return programme_stats(b->flow).state;
}

static void test_steady(void)
{
    struct bench *b = bench_new(400 * NS_PER_MS, true);
    feed_start(b);
    run(b, 20000);
    check_clean(b);
    CHECK(state_of(b) == PROGRAMME_LIVE);
    CHECK(exact_steps(b, VIDEO_PID, VIDEO_STEP) && exact_steps(b, AUDIO_PID, AUDIO_STEP));
    CHECK(analyser_stream(b->analyser, VIDEO_PID)->lead_min > 0);
    CHECK(analyser_constant_rate(analyser_pcr(b->analyser, VIDEO_PID)));
    bench_free(b);
}

/* The encoder dies and is back before the slate: silence in between, no picture, no step in the sound. */
static void test_short_loss(void)
{
    struct bench *b = bench_new(400 * NS_PER_MS, true);
    feed_start(b);
    run(b, 3000);
    for (int i = 0; i < 20; i++) {
        feed_stop(b);
        run(b, 250 + i * 13);
        CHECK(state_of(b) == PROGRAMME_HOLD);
        feed_start(b);
        run(b, 1500);
        CHECK(state_of(b) == PROGRAMME_LIVE);
    }
    check_clean(b);
    CHECK(programme_stats(b->flow).feed_losses == 20);
    CHECK(exact_steps(b, AUDIO_PID, AUDIO_STEP));
    const struct analyser_stream *video = analyser_stream(b->analyser, VIDEO_PID);
    CHECK(video->backward == 0 && video->dts_step.min == VIDEO_STEP && video->dts_step.max % VIDEO_STEP == 0);
    CHECK(mux_stream_stats(b->mux, VIDEO_PID).dropped == 0);
    bench_free(b);
}

/* It stays away: the slate plays, and live joins it without a gap or an overlap. */
static void test_slate(void)
{
    struct bench *b = bench_new(400 * NS_PER_MS, true);
    feed_start(b);
    run(b, 2000);
    feed_stop(b);
    run(b, 5000);
    CHECK(state_of(b) == PROGRAMME_SLATE);
    uint64_t kinds = analyser_stream(b->analyser, VIDEO_PID)->step_kinds;
    CHECK(kinds == 2); /* regular, and the hold before the slate */
    feed_start(b);
    run(b, 3000);
    CHECK(state_of(b) == PROGRAMME_LIVE);
    check_clean(b);
    CHECK(exact_steps(b, AUDIO_PID, AUDIO_STEP));
    CHECK(analyser_stream(b->analyser, VIDEO_PID)->step_kinds == kinds);
    CHECK(analyser_stream(b->analyser, VIDEO_PID)->backward == 0);
    bench_free(b);
}

/* A frozen encoder wakes up with old units and without a key frame: nothing of it may be shown before one. */
static void test_frozen(void)
{
    struct bench *b = bench_new(400 * NS_PER_MS, true);
    feed_start(b);
    run(b, 2100);
    b->feeding = false;
    run(b, 2000);
    CHECK(state_of(b) == PROGRAMME_SLATE);
    b->feeding = true; /* the old units come in one go */
    run(b, 20);
    CHECK(programme_wants_key(b->flow) || state_of(b) == PROGRAMME_LIVE);
    run(b, 3000);
    CHECK(state_of(b) == PROGRAMME_LIVE);
    check_clean(b);
    CHECK(exact_steps(b, AUDIO_PID, AUDIO_STEP));
    CHECK(analyser_stream(b->analyser, VIDEO_PID)->backward == 0);
    bench_free(b);
}

/* Other sound coding: the PMT steps once, before the first unit of the new kind. */
static void test_codec_change(void)
{
    struct bench *b = bench_new(400 * NS_PER_MS, true);
    feed_start(b);
    run(b, 2000);
    uint8_t version = mux_pmt_version(b->mux, 0);
    feed_stop(b);
    run(b, 300);
    b->table.streams[1] = (struct feed_stream){1, FEED_MPEG_AUDIO, 48000, 1152, 192000};
    feed_start(b);
    run(b, 2000);
    CHECK(mux_pmt_version(b->mux, 0) == ((version + 1) & 0x1f));
    CHECK(analyser_programme(b->analyser, 0)->streams[1].type == 0x03);
    check_clean(b);
    bench_free(b);
}

static void test_without_slate(void)
{
    struct bench *b = bench_new(400 * NS_PER_MS, false);
    run(b, 500);
    feed_start(b);
    run(b, 1000);
    feed_stop(b);
    run(b, 1200);
    CHECK(state_of(b) == PROGRAMME_NONE);
    feed_start(b);
    run(b, 2000);
    CHECK(state_of(b) == PROGRAMME_LIVE);
    CHECK(analyser_counters(b->analyser)->count[ANALYSER_CONTINUITY] == 0);
    CHECK(analyser_counters(b->analyser)->count[ANALYSER_PCR_DISCONTINUITY] == 0);
    bench_free(b);
}

static void test_low_latency(void)
{
    struct bench *b = bench_new(150 * NS_PER_MS, true);
    b->late = 20 * NS_PER_MS;
    feed_start(b);
    run(b, 2000);
    feed_stop(b);
    run(b, 2000);
    feed_start(b);
    run(b, 2000);
    check_clean(b);
    CHECK(exact_steps(b, AUDIO_PID, AUDIO_STEP));
    CHECK(analyser_stream(b->analyser, VIDEO_PID)->lead_min > 0);
    bench_free(b);
}

/* An encoder above the multiplex rate: whole GOPs are dropped, the stream itself stays clean. */
static void test_overload(void)
{
    struct bench *b = bench_new(400 * NS_PER_MS, true);
    b->video_size = 26000; /* 5.2 Mbit/s into 4 */
    feed_start(b);
    run(b, 6000);
    CHECK(mux_stream_stats(b->mux, VIDEO_PID).dropped > 0);
    CHECK(analyser_stream(b->analyser, VIDEO_PID)->backward == 0);
    CHECK(analyser_counters(b->analyser)->count[ANALYSER_CONTINUITY] == 0);
    CHECK(analyser_counters(b->analyser)->count[ANALYSER_PCR_REPETITION] == 0);
    CHECK(exact_steps(b, AUDIO_PID, AUDIO_STEP));
    bench_free(b);
}

/* Names, rate and PIDs change on air: versions step by one, the PCR goes on. */
static void test_apply(void)
{
    struct bench *b = bench_new(400 * NS_PER_MS, true);
    feed_start(b);
    run(b, 1000);
    uint8_t version = mux_pmt_version(b->mux, 0);
    snprintf(b->spec.programmes[0].service_name, NAME_MAX_BYTES, "Other");
    b->spec.bitrate = 6000000;
    CHECK(mux_apply(b->mux, &b->spec));
    programme_apply(b->flow, 0, &b->spec);
    run(b, 2000);
    CHECK(mux_pmt_version(b->mux, 0) == version);
    CHECK(memcmp(analyser_programme(b->analyser, 0)->name, "Other", 5) == 0);
    CHECK(exact_steps(b, VIDEO_PID, VIDEO_STEP) && exact_steps(b, AUDIO_PID, AUDIO_STEP));
    CHECK(analyser_counters(b->analyser)->count[ANALYSER_CONTINUITY] == 0);
    CHECK(analyser_counters(b->analyser)->count[ANALYSER_PCR_DISCONTINUITY] == 0);
    bench_free(b);
}

/* A successor that knows the state goes on: same versions, counters without a step. */
static void test_succession(void)
{
    struct bench *b = bench_new(400 * NS_PER_MS, true);
    feed_start(b);
    run(b, 2000);
    uint8_t version = mux_pmt_version(b->mux, 0);
    for (int i = 0; i < 5; i++) {
        programme_free(b->flow);
        mux_free(b->mux);
        b->mux = mux_new(&b->state);
        CHECK(b->mux != NULL && mux_apply(b->mux, &b->spec));
        b->flow = programme_new(b->mux, 0, &b->spec, b->now);
        programme_slate(b->flow, make_slate(&normal));
        feed_start(b);
        run(b, 400 + 100 * i);
        CHECK(mux_pmt_version(b->mux, 0) == version);
    }
    check_clean(b);
    CHECK(analyser_programme(b->analyser, 0)->changes == 0);
    bench_free(b);
}

int main(void)
{
    test_steady();
    test_succession();
    test_short_loss();
    test_slate();
    test_frozen();
    test_codec_change();
    test_without_slate();
    test_low_latency();
    test_overload();
    test_apply();
    return 0;
}
