/* The picture half of the frame store: exact steps, few repeats, losses found, whatever the source does. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "check.h"
#include "grid.h"
#include "store_video.h"

#define MS NS_PER_MS
#define FORMAT 1

/* A source and a programme on a clock of the test's own. */
struct run {
    double source_hz, programme_hz;
    int64_t phase;      /* of the source's first frame */
    int64_t latency;    /* input buffer */
    int64_t travel;     /* from a frame's time to its arrival */
    int64_t jitter;     /* of the time stamps, ± */
    int64_t burst;      /* frames arrive only at multiples of this, 0: at once */
    int64_t stop, back; /* no frames from … to */
    int64_t hold;
    int64_t length;
    bool untold; /* the caps tell no rate */
    /* found */
    int shown, none, held, lost, state_changes;
    double lip_error; /* greatest distance of a picture from the sound that is told to follow, ms */
    int64_t lost_after;
};

static GstBuffer *frame(void)
{
    return gst_buffer_new();
}

static int64_t jittered(int64_t jitter)
{
    return jitter == 0 ? 0 : rand() % (2 * jitter) - jitter;
}

/* When a frame with this time is there. */
static int64_t arrival(const struct run *run, int64_t time)
{
    int64_t at = time + run->travel;
    return run->burst == 0 ? at : (at + run->burst - 1) / run->burst * run->burst;
}

static struct store_video *play(struct run *run)
{
    static struct store_video video;
    memset(&video, 0, sizeof video);
    video.nominal = run->untold ? 0 : (int64_t)(1e9 / run->source_hz);
    int64_t next = 0, period = (int64_t)(1e9 / run->programme_hz);
    enum picture_state before = PICTURE_NONE;
    int64_t last_fresh = 0;
    for (int64_t n = 1; n * period < run->length; n++) {
        int64_t tick = n * period;
        for (;; next++) {
            int64_t time = run->phase + (int64_t)((double)next * 1e9 / run->source_hz);
            if (arrival(run, time) > tick)
                break;
            if (time < run->stop || time >= run->back)
                store_video_push(&video, frame(), time + jittered(run->jitter), FORMAT);
        }
        struct store_tick asked = {tick, tick - run->latency, period, run->hold, FORMAT};
        int64_t shown_before = video.shown.time;
        GstBuffer *picture = store_video_pick(&video, &asked);
        CHECK((picture == NULL) == (video.state == PICTURE_NONE || video.state == PICTURE_LOST));
        run->shown += video.state == PICTURE_LIVE;
        run->none += video.state == PICTURE_NONE;
        run->held += video.state == PICTURE_HELD;
        run->lost += video.state == PICTURE_LOST;
        run->state_changes += video.state != before;
        if (video.state == PICTURE_LOST && before != PICTURE_LOST)
            run->lost_after = tick - last_fresh;
        before = video.state;
        if (video.fresh_at == tick && video.phase_known && tick > 2 * NS_PER_S) {
            /* Of the first frame that was not shown before, which may have been left out. */
            double seen = fmin((double)shown_before + 1e9 / run->source_hz, (double)video.shown.time);
            double error = ((double)asked.due - seen - (double)store_video_phase(&video, 0)) / 1e6;
            run->lip_error = fmax(run->lip_error, fabs(error));
        }
        if (video.fresh_at == tick)
            last_fresh = tick;
    }
    return &video;
}

/* At the same rate no frame is repeated or dropped, whatever the phase, with jitter of 6 ms. */
static void locked_source_is_passed_through(void)
{
    for (int64_t phase = 0; phase < 40 * MS; phase += 3 * MS) {
        struct run run = {.source_hz = 25,
                          .programme_hz = 25,
                          .phase = phase,
                          .latency = 100 * MS,
                          .travel = 20 * MS,
                          .jitter = 6 * MS,
                          .stop = INT64_MAX,
                          .back = INT64_MAX,
                          .length = 60 * NS_PER_S};
        struct store_video *video = play(&run);
        /* Until the phase is learnt, jitter at the boundary may cost some. */
        CHECK(video->repeated <= 4 && video->dropped <= 4);
        CHECK(run.lip_error < 12);
        CHECK_EQ_INT(run.held + run.lost, 0);
        store_video_clear(video);
    }
}

static void without_jitter_nothing_is_lost_even_without_a_buffer(void)
{
    for (int64_t phase = 0; phase < 40 * MS; phase += 3 * MS) {
        struct run run = {.source_hz = 25,
                          .programme_hz = 25,
                          .phase = phase,
                          .stop = INT64_MAX,
                          .back = INT64_MAX,
                          .length = 20 * NS_PER_S};
        struct store_video *video = play(&run);
        /* Of two frames that are there at the very first tick, the newer is shown. */
        CHECK_EQ_INT(video->repeated + video->dropped, phase == 0);
        CHECK(run.lip_error < 1);
        store_video_clear(video);
    }
}

/* 200 ppm at 25 Hz are a frame in 200 s. */
static void drifting_source_slips_whole_frames(void)
{
    for (int sign = -1; sign <= 1; sign += 2) {
        struct run run = {.source_hz = 25 * (1 + sign * 200e-6),
                          .programme_hz = 25,
                          .latency = 60 * MS,
                          .travel = 5 * MS,
                          .jitter = 2 * MS,
                          .stop = INT64_MAX,
                          .back = INT64_MAX,
                          .length = 1000 * NS_PER_S};
        struct store_video *video = play(&run);
        /* Where the boundary is crossed, jitter may make a few pairs of what one would do. */
        uint64_t slips = sign > 0 ? video->dropped : video->repeated;
        uint64_t others = sign > 0 ? video->repeated : video->dropped;
        CHECK(slips >= 5 && slips - others >= 4 && slips - others <= 6);
        CHECK(run.lip_error <= 24);
        store_video_clear(video);
    }
}

static void other_rates_are_converted(void)
{
    static const double rates[] = {10, 23.976, 24, 29.97, 30, 50, 59.94, 60};
    size_t count = sizeof rates / sizeof *rates;
    for (size_t n = 0; n < 2 * count; n++) {
        size_t i = n % count;
        struct run run = {.source_hz = rates[i],
                          .programme_hz = 25,
                          .phase = 7 * MS,
                          .latency = 60 * MS,
                          .stop = INT64_MAX,
                          .back = INT64_MAX,
                          .length = 100 * NS_PER_S,
                          .untold = n >= count};
        struct store_video *video = play(&run);
        double expected = rates[i] > 25 ? (rates[i] - 25) * 100 : (25 - rates[i]) * 100;
        double found = (double)(rates[i] > 25 ? video->dropped : video->repeated);
        CHECK(fabs(found - expected) < 5);
        CHECK_EQ_INT(run.held + run.lost, 0);
        CHECK(run.lip_error <= 20.1);
        store_video_clear(video);
    }
}

static void one_frame_a_second_is_alive(void)
{
    struct run run = {.source_hz = 1,
                      .programme_hz = 25,
                      .phase = 13 * MS,
                      .latency = 30 * MS,
                      .travel = 10 * MS,
                      .jitter = 10 * MS,
                      .stop = INT64_MAX,
                      .back = INT64_MAX,
                      .length = 60 * NS_PER_S};
    struct store_video *video = play(&run);
    CHECK_EQ_INT(run.held + run.lost, 0);
    CHECK(run.shown > 58 * 25);
    store_video_clear(video);
    /* Without hold time and without a rate in the caps, it is learnt after the first gap. */
    memset(video, 0, sizeof *video);
    int lost = 0;
    for (int n = 0; n < 250; n++) {
        if (n % 25 == 0)
            store_video_push(video, frame(), n * 40 * MS, FORMAT);
        struct store_tick asked = {n * 40 * MS, n * 40 * MS, 40 * MS, 0, FORMAT};
        store_video_pick(video, &asked);
        lost += n > 25 && video->state != PICTURE_LIVE;
    }
    CHECK_EQ_INT(lost, 0);
    store_video_clear(video);
}

static void bursts_within_the_buffer_are_none(void)
{
    struct run run = {.source_hz = 25,
                      .programme_hz = 25,
                      .latency = 300 * MS,
                      .travel = 20 * MS,
                      .burst = 240 * MS,
                      .stop = INT64_MAX,
                      .back = INT64_MAX,
                      .length = 30 * NS_PER_S};
    struct store_video *video = play(&run);
    CHECK_EQ_INT(video->repeated + video->dropped, 0);
    CHECK_EQ_INT(run.held + run.lost, 0);
    store_video_clear(video);
}

static void loss_is_held_then_lost_then_live_at_once(void)
{
    static const int64_t holds[] = {0, 1000 * MS, 10000 * MS};
    for (size_t i = 0; i < 3; i++) {
        struct run run = {.source_hz = 25,
                          .programme_hz = 25,
                          .latency = 40 * MS,
                          .stop = 5 * NS_PER_S,
                          .back = 25 * NS_PER_S,
                          .hold = holds[i],
                          .length = 40 * NS_PER_S};
        struct store_video *video = play(&run);
        CHECK(run.lost_after > 150 * MS + holds[i] && run.lost_after <= 150 * MS + holds[i] + 80 * MS);
        CHECK((run.held > 0) == (holds[i] > 0));
        /* none → live → (held →) lost → live, and 15 s of live at the end but for the buffer. */
        CHECK_EQ_INT(run.state_changes, holds[i] == 0 ? 3 : 4);
        CHECK(run.shown >= (5 + 15) * 25 - 5);
        /* The twenty seconds without a frame are not taken for the source's pace. */
        CHECK(video->state == PICTURE_LIVE);
        store_video_clear(video);
    }
}

static void frames_of_another_format_are_not_shown(void)
{
    static struct store_video video;
    struct store_tick asked = {40 * MS, 40 * MS, 40 * MS, 0, FORMAT};
    store_video_push(&video, frame(), 10 * MS, FORMAT + 1);
    CHECK(store_video_pick(&video, &asked) == NULL && video.state == PICTURE_NONE);
    store_video_push(&video, frame(), 50 * MS, FORMAT);
    store_video_push(&video, frame(), 60 * MS, FORMAT + 1);
    asked.time = asked.due = 80 * MS;
    CHECK(store_video_pick(&video, &asked) != NULL && video.shown.time == 50 * MS);
    /* The newest one waits for a programme of its format. */
    CHECK_EQ_INT(video.count, 1);
    CHECK(store_video_has(&video, FORMAT + 1, 80 * MS) && !store_video_has(&video, FORMAT + 2, 80 * MS));
    asked.format = FORMAT + 2;
    CHECK(store_video_pick(&video, &asked) == NULL && video.state == PICTURE_NONE);
    asked.format = FORMAT + 1;
    CHECK(store_video_pick(&video, &asked) != NULL && video.shown.time == 60 * MS);
    store_video_clear(&video);
}

static void queue_is_bounded_and_stays_in_order(void)
{
    static struct store_video video;
    for (int i = 0; i < 3 * STORE_FRAMES_MAX; i++)
        store_video_push(&video, frame(), i * MS, FORMAT);
    CHECK_EQ_INT(video.count, STORE_FRAMES_MAX);
    /* A step back in time replaces what was queued from there on. */
    store_video_push(&video, frame(), (3 * STORE_FRAMES_MAX - 10) * MS, FORMAT);
    CHECK_EQ_INT(video.count, STORE_FRAMES_MAX - 9);
    store_video_clear(&video);
}

int main(int argc, char **argv)
{
    gst_init(&argc, &argv);
    srand(1);
    locked_source_is_passed_through();
    without_jitter_nothing_is_lost_even_without_a_buffer();
    drifting_source_slips_whole_frames();
    other_rates_are_converted();
    one_frame_a_second_is_alive();
    bursts_within_the_buffer_are_none();
    loss_is_held_then_lost_then_live_at_once();
    frames_of_another_format_are_not_shown();
    queue_is_bounded_and_stays_in_order();
    return 0;
}
