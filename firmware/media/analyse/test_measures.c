/* What the analyser reports beside errors, against what the stream was made with. */
#include <stdlib.h>
#include <string.h>

#include "check.h"
#include "test_stream.h"

#define NEAR(value, expected, by) CHECK((value) >= (expected) - (by) && (value) <= (expected) + (by))

static void test_pcr_and_rate(void)
{
    struct stream s = stream_make(&(struct plan){.ms = 10000, .pcr = 12345});
    struct analyser *a = stream_analyse(&s, NULL, NULL);
    const struct analyser_pcr *p = analyser_pcr(a, PID_VIDEO);
    CHECK(p && p->referenced && !analyser_pcr(a, PID_AUDIO));
    CHECK_EQ_INT(p->interval.min, 60 * PACKET_TICKS);
    CHECK_EQ_INT(p->interval.max, 60 * PACKET_TICKS);
    CHECK_EQ_INT(p->interval.count, 333);
    CHECK(analyser_constant_rate(p));
    CHECK_EQ_INT(p->error_ns, 0);
    NEAR(p->bitrate, 2000 * 1504.0, 1e-3);
    NEAR(analyser_bitrate(a), 2000 * 1504.0, 1e-3);
    CHECK_EQ_INT(analyser_packets(a), 20000);
    CHECK_EQ_INT(analyser_pid(a, PID_AUDIO)->packets, 20000 / 48 * 2 + 2);

    struct analyser_recent recent = analyser_take_recent(a);
    CHECK_EQ_INT(recent.pcr_interval_ns, 30000000);
    CHECK_EQ_INT(analyser_take_recent(a).pcr_interval_ns, 0);
    analyser_free(a);

    size_t at = stream_find(&s, 4001, PID_VIDEO, false, false, 0);
    while (!(s.packets[at][3] & 0x20))
        at++;
    packet_move_pcr(s.packets[at], 8); /* 296 ns: no error, but measured */
    a = stream_analyse(&s, NULL, no_arrival);
    NEAR(analyser_pcr(a, PID_VIDEO)->error_ns, 296, 40); /* it bends the line a little */
    NEAR(analyser_take_recent(a).pcr_error_ns, 296, 40);
    CHECK_EQ_INT(analyser_pcr(a, PID_VIDEO)->interval.max, 60 * PACKET_TICKS + 8);
    analyser_free(a);
    free(s.packets);
}

static void test_tables(void)
{
    struct stream s = stream_make(&(struct plan){.ms = 6000, .silent = {{ITEM_PMT, 1010, 1310}}});
    struct analyser *a = stream_analyse(&s, NULL, no_arrival);
    struct analyser_span pat = analyser_table(a, ANALYSER_TABLE_PAT);
    struct analyser_span pmt = analyser_table(a, ANALYSER_TABLE_PMT);
    NEAR(pat.max, 200 * PACKET_TICKS, 1);
    NEAR(pat.min, 200 * PACKET_TICKS, 1);
    NEAR(pmt.max, 800 * PACKET_TICKS, 1);
    for (enum analyser_table t = ANALYSER_TABLE_SDT; t <= ANALYSER_TABLE_TDT; t++)
        NEAR(analyser_table(a, t).max, ANALYSER_TICKS_PER_S, 2 * PACKET_TICKS); /* a PCR may come first */

    const struct analyser_programme *g = analyser_programme(a, 0);
    CHECK(g && !analyser_programme(a, 1));
    CHECK(g->number == 1 && g->pmt_pid == PID_PMT && g->pcr_pid == PID_VIDEO);
    CHECK(g->version == 0 && g->count == 2);
    CHECK(g->streams[0].pid == PID_VIDEO && g->streams[0].type == 0x1b);
    CHECK(g->streams[1].pid == PID_AUDIO && g->streams[1].type == 3);
    CHECK(strcmp(g->streams[1].language, "deu") == 0);
    CHECK(g->provider_size == 5 && memcmp(g->provider, "Maker", 5) == 0);
    CHECK(g->name_size == 5 && memcmp(g->name, "\x15K\xc3\xa4n", 5) == 0);
    analyser_free(a);
    free(s.packets);
}

/* DTS less PCR at the last packet of each unit, from the packets themselves. */
static int64_t lead_of(const struct stream *s, uint16_t pid, size_t slots)
{
    int64_t least = INT64_MAX, dts = -1;
    size_t last = 0;
    for (size_t i = 0; i < s->count; i++) {
        const uint8_t *p = s->packets[i];
        if (packet_pid(p) != pid || !(p[3] & 0x10))
            continue;
        if (p[1] & 0x40) {
            if (dts >= 0 && dts - (int64_t)last * PACKET_TICKS < least)
                least = dts - (int64_t)last * PACKET_TICKS;
            dts = (int64_t)(i - i % slots + PER_MS(200)) * PACKET_TICKS;
        }
        last = i;
    }
    return least;
}

static void test_stamps(void)
{
    /* PTS and DTS wrap in the middle. */
    int64_t pcr = (INT64_C(1) << 33) * 300 - 4 * ANALYSER_TICKS_PER_S;
    struct stream s = stream_make(&(struct plan){.ms = 8000, .pcr = pcr});
    struct analyser *a = stream_analyse(&s, NULL, no_arrival);
    const struct analyser_stream *v = analyser_stream(a, PID_VIDEO), *w = analyser_stream(a, PID_AUDIO);
    CHECK(v && w && !analyser_stream(a, PID_PMT));
    CHECK(v->units == 200 && v->dts_step.count == 199 && v->backward == 0);
    CHECK(v->dts_step.min == 3600 && v->dts_step.max == 3600);
    CHECK(v->pts_step.min == 3600 && v->pts_step.max == 3600);
    CHECK(v->step_kinds == 1 && v->steps[0].step == 3600 && v->steps[0].count == 199);
    CHECK(w->dts_step.min == 2160 && w->dts_step.max == 2160);
    NEAR(v->lead_min, lead_of(&s, PID_VIDEO, 80), 1);
    NEAR(w->lead_min, lead_of(&s, PID_AUDIO, 48), 1);
    analyser_free(a);

    /* A unit that cannot be read is not taken for the end of the one before. */
    size_t at = stream_find(&s, 4000, PID_VIDEO, true, true, 0);
    s.packets[at][4 + 2] = 0;
    a = stream_analyse(&s, NULL, no_arrival);
    NEAR(analyser_stream(a, PID_VIDEO)->lead_min, lead_of(&s, PID_VIDEO, 80), 1);
    analyser_free(a);

    /* Besides, one whose DTS is before that of the one before it. */
    at = stream_find(&s, 8000, PID_VIDEO, true, true, 0);
    while (s.packets[at][4 + 14 + 3] < 64)
        at = stream_find(&s, at, PID_VIDEO, true, true, 1);
    s.packets[at][4 + 14 + 3] -= 64; /* 8192 less */
    a = stream_analyse(&s, NULL, no_arrival);
    v = analyser_stream(a, PID_VIDEO);
    CHECK(v->units == 199 && v->backward == 1 && v->step_kinds == 4 && v->other_steps == 0);
    CHECK(v->dts_step.min == 3600 - 8192 && v->dts_step.max == 3600 + 8192);
    CHECK(v->steps[1].step == 7200 && v->steps[1].count == 1);
    NEAR(v->lead_min, lead_of(&s, PID_VIDEO, 80) - 8192 * 300, 80 * PACKET_TICKS);
    analyser_free(a);
    free(s.packets);

    s = stream_make(&(struct plan){.ms = 4000, .jump = {2010, 90 * ANALYSER_TICKS_PER_S, true}});
    a = stream_analyse(&s, NULL, no_arrival); /* a step into a new time base is none of the stream's */
    CHECK_EQ_INT(analyser_pcr(a, PID_VIDEO)->discontinuities, 1);
    CHECK_EQ_INT(analyser_stream(a, PID_AUDIO)->dts_step.max, 2160);
    CHECK(analyser_stream(a, PID_AUDIO)->lead_min > 0);
    analyser_free(a);
    free(s.packets);
}

struct heard {
    int pmts, version;
    size_t streams;
    int64_t arrival;
    struct analyser_event error;
};

static void hear(void *data, const struct analyser_event *event)
{
    struct heard *h = data;
    if (event->kind == ANALYSER_ERROR) {
        h->error = *event;
        return;
    }
    h->pmts++;
    h->version = event->programme->version;
    h->streams = event->programme->count;
    h->arrival = event->arrival_ns;
}

static void test_events(void)
{
    struct heard h = {0};
    struct analyser_options options = {.event = hear, .data = &h};
    struct stream s = stream_make(&(struct plan){.ms = 2000, .pmt_change_ms = 950});
    size_t lost = stream_find(&s, 1000, PID_AUDIO, true, true, 0);
    s.packets[lost][3] ^= 2;
    struct analyser *a = stream_analyse(&s, &options, NULL);
    CHECK(h.pmts == 2 && h.version == 1 && h.streams == 3 && analyser_programme(a, 0)->changes == 1);
    CHECK_EQ_INT(h.arrival, 5000000000 + 2005 * (int64_t)PACKET_NS);
    CHECK(analyser_stream(a, 0x103) && analyser_stream(a, 0x103)->entry.type == 0x0f);
    CHECK(h.error.check == ANALYSER_CONTINUITY && h.error.pid == PID_AUDIO);
    CHECK(h.error.arrival_ns > 5000000000 + (int64_t)lost * PACKET_NS && h.error.packet > lost);
    analyser_free(a);
    free(s.packets);

    s = stream_make(&(struct plan){.ms = 2000, .silent = {{ITEM_PCR, 1000, 1030}}});
    a = stream_analyse(&s, &options, NULL);
    CHECK(h.error.check == ANALYSER_PCR_REPETITION && h.error.value == 60000000);
    analyser_free(a);
    free(s.packets);
}

/* The sender's clock is 40 ppm slow, and every tenth PCR comes 200 µs late. */
static int64_t uneven_arrival(size_t packet)
{
    return 7000000000 + (int64_t)((double)packet * PACKET_NS * 1.00004) + (packet % 600 == 0 ? 200000 : 0);
}

static void test_jitter(void)
{
    struct analyser_options options = {.samples = true};
    struct analyser_jitter j;
    struct stream s = stream_make(&(struct plan){.ms = 60000});
    struct analyser *a = stream_analyse(&s, &options, uneven_arrival);
    CHECK(analyser_jitter(a, PID_VIDEO, &j) && j.samples == 2000 && !analyser_jitter(a, PID_AUDIO, &j));
    NEAR(j.drift_ppm, 40, 0.1);
    NEAR(j.p1, -20000, 1000); /* around the mean of 20 µs */
    NEAR(j.p50, -20000, 1000);
    NEAR(j.p99, 180000, 1000);
    analyser_free(a);
    a = stream_analyse(&s, NULL, uneven_arrival);
    CHECK(!analyser_jitter(a, PID_VIDEO, &j));
    analyser_free(a);
    free(s.packets);

    /* A step of the PCR takes its length from arrival, jitter and all; that is no matter of accuracy. */
    s = stream_make(&(struct plan){.ms = 4000, .jump = {2010, 90 * ANALYSER_TICKS_PER_S, true}});
    a = stream_analyse(&s, NULL, uneven_arrival);
    CHECK_EQ_INT(analyser_pcr(a, PID_VIDEO)->discontinuities, 1);
    CHECK_EQ_INT(analyser_counters(a)->count[ANALYSER_PCR_ACCURACY], 0);
    analyser_free(a);
    free(s.packets);

    s = stream_make(&(struct plan){.ms = 300000}); /* more samples than there is room for */
    a = stream_analyse(&s, &options, uneven_arrival);
    CHECK(analyser_jitter(a, PID_VIDEO, &j) && j.samples >= 2048 && j.samples <= 4096);
    NEAR(j.drift_ppm, 40, 0.1);
    analyser_free(a);
    free(s.packets);
}

/* Two programmes with clocks of their own. Every second packet belongs to the second, whose PIDs are 0x20
 * higher and whose time runs 2 % fast; the first ends after 20 s. */
static void test_two_programmes(void)
{
    static const uint8_t pat[] = {0x00, 0xb0, 0, 0, 7, 0xc3, 0, 0, 0, 1, 0xe1, 0x00, 0, 2, 0xe1, 0x20};
    struct stream s = stream_make(&(struct plan){.ms = 60000});
    struct analyser *a = analyser_new(&(struct analyser_options){.pid_missing_ms = 60000});
    CHECK(a);
    for (size_t i = 0; i < s.count; i++) {
        uint8_t packet[PACKET];
        int64_t arrival = 1000000 + (int64_t)i * PACKET_NS;
        uint16_t pid = packet_pid(s.packets[i]);
        memcpy(packet, s.packets[i], PACKET);
        if (pid == PID_PAT)
            packet_section(packet, PID_PAT, packet[3] & 15, pat, sizeof pat, true);
        if (i < 40000 || pid < 0x100 || pid == PID_PMT)
            analyser_push(a, packet, arrival);
        if (pid < 0x100 || pid == PID_NULL)
            continue;
        packet[2] |= 0x20;
        if (pid == PID_PMT) {
            static const uint8_t pmt[] = {0x02, 0xb0, 0, 0, 2, 0xc1, 0, 0, 0xe1, 0x21, 0xf0, 0,
                                          0x1b, 0xe1, 0x21, 0xf0, 0, 0x03, 0xe1, 0x22, 0xf0, 0};
            packet_section(packet, PID_PMT + 0x20, packet[3] & 15, pmt, sizeof pmt, true);
        }
        if (packet[3] & 0x20 && packet[4] >= 7)
            packet_move_pcr(packet, 900 * ANALYSER_TICKS_PER_S + (int64_t)i * PACKET_TICKS * 2 / 100);
        analyser_push(a, packet, arrival);
    }
    CHECK(analyser_programme(a, 1) && analyser_programme(a, 1)->number == 2 && !analyser_programme(a, 2));
    CHECK(analyser_stream(a, 0x122)->dts_step.max == 2160);
    for (enum analyser_check i = 0; i < ANALYSER_CHECKS; i++) {
        uint64_t count = analyser_counters(a)->count[i];
        if (i == ANALYSER_PCR_REPETITION || i == ANALYSER_PTS) /* those of the first, while it is away */
            CHECK(count >= 38 && count <= 80);
        else if (i != ANALYSER_PCR_ACCURACY) /* the mixture has no even rate */
            CHECK_EQ_INT(count, 0);
    }
    struct analyser_span span = analyser_table(a, ANALYSER_TABLE_PAT);
    CHECK(span.max < 125 * ANALYSER_TICKS_PER_S / 1000 && span.min > 75 * ANALYSER_TICKS_PER_S / 1000);
    analyser_free(a);
    free(s.packets);
}

int main(void)
{
    test_pcr_and_rate();
    test_tables();
    test_stamps();
    test_events();
    test_jitter();
    test_two_programmes();
    return 0;
}
