/* Each check of TR 101 290 counts its error, exactly as often as it happens, and none of the others does. */
#include <stdlib.h>
#include <string.h>

#include "check.h"
#include "test_stream.h"

#define NONE ANALYSER_CHECKS

/* The stream shall show these errors and no other. */
static void expect_arrival(struct stream *s, enum analyser_check check, uint64_t count,
                           enum analyser_check also, uint64_t also_count, int64_t (*arrival)(size_t))
{
    struct analyser *a = stream_analyse(s, NULL, arrival);
    for (enum analyser_check i = 0; i < ANALYSER_CHECKS; i++) {
        uint64_t expected = i == check ? count : i == also ? also_count : 0;
        if (analyser_counters(a)->count[i] != expected)
            fprintf(stderr, "%s:\n", analyser_check_name(i));
        CHECK_EQ_INT(analyser_counters(a)->count[i], expected);
    }
    analyser_free(a);
}

static void expect2(struct stream *s, enum analyser_check check, uint64_t count, enum analyser_check also,
                    uint64_t also_count)
{
    expect_arrival(s, check, count, also, also_count, NULL);
    expect_arrival(s, check, count, also, also_count, no_arrival);
    free(s->packets);
}

static void expect(struct stream *s, enum analyser_check check, uint64_t count)
{
    expect2(s, check, count, NONE, 0);
}

static struct stream make(int ms)
{
    return stream_make(&(struct plan){.ms = ms});
}

static struct stream silent(int ms, enum item item, int from_ms, int to_ms)
{
    return stream_make(&(struct plan){.ms = ms, .silent = {{item, from_ms, to_ms}}});
}

static void test_clean(void)
{
    struct stream s = make(20000);
    expect(&s, NONE, 0);
    s = stream_make(&(struct plan){.ms = 4000, .pcr = (INT64_C(1) << 33) * 300 - 2 * ANALYSER_TICKS_PER_S});
    expect(&s, NONE, 0); /* all counters wrap after 2 s */
    s = stream_make(&(struct plan){.ms = 2000, .pmt_filler = 250});
    expect(&s, NONE, 0); /* a PMT over two packets */
}

static void test_sync(void)
{
    struct stream s = make(2000);
    size_t at = stream_find(&s, 1000, PID_VIDEO, false, true, 0);
    s.packets[at][0] = 0x46;
    expect(&s, ANALYSER_SYNC_BYTE, 1);

    s = make(2000);
    for (size_t i = 0; i < 4; i++) /* lost once, at the second; packets 3 and 4 are not looked at */
        s.packets[at + i][0] = 0;
    expect2(&s, ANALYSER_SYNC_BYTE, 2, ANALYSER_SYNC_LOSS, 1);

    s = make(2000);
    for (size_t i = 0; i < 9; i++) /* four good ones do not end the loss */
        s.packets[at + i][0] = i < 2 || i == 6 ? 0 : 0x47;
    expect2(&s, ANALYSER_SYNC_BYTE, 2, ANALYSER_SYNC_LOSS, 1);

    s = make(2000);
    for (size_t i = 0; i < 9; i++) /* five do */
        s.packets[at + i][0] = i < 2 || i == 7 || i == 8 ? 0 : 0x47;
    expect2(&s, ANALYSER_SYNC_BYTE, 4, ANALYSER_SYNC_LOSS, 2);
}

static void test_pat(void)
{
    struct stream s = silent(4000, ITEM_PAT, 1010, 1410); /* leaves 500 ms between two */
    expect(&s, NONE, 0);
    s = silent(4000, ITEM_PAT, 1010, 1510);
    expect(&s, ANALYSER_PAT, 1);
    s = silent(8000, ITEM_PAT, 1010, 3610); /* 2.7 s: after 0.5, 1.5 and 2.5 s */
    expect(&s, ANALYSER_PAT, 3);
    s = silent(3000, ITEM_PAT, 1010, 3000); /* does not come back */
    expect(&s, ANALYSER_PAT, 2);

    static const uint8_t wrong[] = {0x02, 0xb0, 0, 0, 7, 0xc1, 0, 0, 0, 1, 0xe1, 0};
    s = make(2000);
    size_t at = stream_find(&s, 1000, PID_PAT, true, true, 0);
    packet_section(s.packets[at], PID_PAT, s.packets[at][3] & 15, wrong, sizeof wrong, true);
    expect(&s, ANALYSER_PAT, 1);
    s = make(2000);
    s.packets[at][3] |= 0x80; /* scrambled */
    expect(&s, ANALYSER_PAT, 1);
}

static void test_continuity(void)
{
    struct stream s = make(2000);
    size_t at = stream_find(&s, 1000, PID_VIDEO, false, true, 1);
    memset(s.packets[at], 0xff, PACKET); /* a packet lost, and its place filled */
    memcpy(s.packets[at], (const uint8_t[]){0x47, 0x1f, 0xff, 0x10}, 4);
    expect(&s, ANALYSER_CONTINUITY, 1);

    s = make(5000); /* really lost: PCR accuracy accounts for byte positions that are off */
    stream_remove(&s, stream_find(&s, 4500, PID_VIDEO, false, true, 1));
    expect(&s, ANALYSER_CONTINUITY, 1);

    s = make(2000); /* two packets swapped: neither fits, nor does what comes after */
    uint8_t swap[PACKET];
    size_t first = stream_find(&s, at, PID_AUDIO, true, true, 0);
    size_t second = stream_find(&s, first, PID_AUDIO, false, true, 1);
    memcpy(swap, s.packets[first], PACKET);
    memcpy(s.packets[first], s.packets[second], PACKET);
    memcpy(s.packets[second], swap, PACKET);
    expect(&s, ANALYSER_CONTINUITY, 3);

    s = make(2000); /* null packets have no counter */
    s.packets[stream_find(&s, 0, PID_NULL, false, true, 3)][3] ^= 7;
    expect(&s, NONE, 0);
    s = make(2000); /* neither do packets without payload: theirs must stand still */
    at = stream_find(&s, 1000, PID_VIDEO, false, false, 0);
    while (s.packets[at][3] & 0x10)
        at = stream_find(&s, at, PID_VIDEO, false, false, 1);
    s.packets[at][3] ^= 1;
    expect(&s, ANALYSER_CONTINUITY, 2);
}

/* One copy is allowed, even when its PCR is a new one. It takes up room: too short a stream for accuracy. */
static void test_duplicates(void)
{
    for (int copies = 0; copies <= 2; copies++) {
        for (int altered = 0; altered <= 1; altered++) {
            struct stream s = make(900);
            size_t at = stream_find(&s, 1000, PID_AUDIO, true, true, 0);
            for (int i = 0; i < copies; i++)
                stream_repeat(&s, at);
            s.packets[at][PACKET - 1] ^= (uint8_t)altered;
            struct analyser *a = stream_analyse(&s, NULL, NULL);
            uint64_t errors = copies == 2 ? 1 : copies == 1 ? (uint64_t)altered : 0;
            CHECK_EQ_INT(analyser_counters(a)->count[ANALYSER_CONTINUITY], errors);
            CHECK_EQ_INT(analyser_pid(a, PID_AUDIO)->duplicates, copies >= 1 && (copies == 2 || !altered));
            analyser_free(a);
            free(s.packets);
        }
    }
    struct stream s = make(900);
    size_t at = stream_find(&s, 1000, PID_VIDEO, false, true, 0);
    while (!(s.packets[at][3] & 0x20))
        at = stream_find(&s, at, PID_VIDEO, false, true, 1);
    stream_repeat(&s, at);
    packet_move_pcr(s.packets[at + 1], PACKET_TICKS);
    expect(&s, NONE, 0);
}

static void test_continuity_indicated(void)
{
    struct stream s = make(900);
    size_t at = stream_find(&s, 1000, PID_AUDIO, true, true, 0);
    for (size_t i = at; i < s.count; i++)
        if (packet_pid(s.packets[i]) == PID_AUDIO)
            s.packets[i][3] = (uint8_t)((s.packets[i][3] & 0xf0) | ((s.packets[i][3] + 5) & 15));
    struct stream copy = {s.count, malloc(s.count * PACKET)};
    CHECK(copy.packets);
    memcpy(copy.packets, s.packets, s.count * PACKET);
    expect(&copy, ANALYSER_CONTINUITY, 1);
    memmove(s.packets[at] + 6, s.packets[at] + 4, PACKET - 6); /* room for the indicator */
    s.packets[at][3] |= 0x20;
    s.packets[at][4] = 1;
    s.packets[at][5] = 0x80;
    expect(&s, NONE, 0);
}

static void test_pmt(void)
{
    struct stream s = silent(4000, ITEM_PMT, 1010, 1410);
    expect(&s, NONE, 0);
    s = silent(4000, ITEM_PMT, 1010, 1510);
    expect(&s, ANALYSER_PMT, 1);
    s = make(2000);
    s.packets[stream_find(&s, 1000, PID_PMT, true, true, 0)][3] |= 0x80;
    expect(&s, ANALYSER_PMT, 1);
    s = silent(2000, ITEM_PMT, 0, 2000); /* never comes */
    expect(&s, ANALYSER_PMT, 2);
}

static void test_pid_missing(void)
{
    struct stream s = silent(9000, ITEM_AUDIO, 1000, 5500);
    expect(&s, ANALYSER_PTS, 4); /* after 0.7 … 3.7 s */
    s = silent(9000, ITEM_AUDIO, 1000, 7500);
    expect2(&s, ANALYSER_PID_MISSING, 2, ANALYSER_PTS, 6);
    s = stream_make(&(struct plan){
        .ms = 15000, .silent = {{ITEM_AUDIO, 1000, 6500}, {ITEM_AUDIO, 8000, 13500}}});
    expect2(&s, ANALYSER_PID_MISSING, 2, ANALYSER_PTS, 10);
    s = silent(7500, ITEM_AUDIO, 0, 7500); /* named, but never there; so no PTS is expected either */
    expect(&s, ANALYSER_PID_MISSING, 3);
    s = stream_make(&(struct plan){.ms = 8000, .pmt_change_ms = 1000}); /* names a PID that does not come */
    expect(&s, ANALYSER_PID_MISSING, 2);
}

static void test_transport_error(void)
{
    struct stream s = make(2000);
    uint8_t *p = s.packets[stream_find(&s, 1000, PID_PAT, true, true, 0)];
    p[1] |= 0x80;
    memset(p + 20, 0, 20); /* nothing else is said about a damaged packet */
    expect(&s, ANALYSER_TRANSPORT_ERROR, 1);
}

static void test_crc(void)
{
    static const uint16_t pids[] = {PID_PAT, PID_PMT, PID_SDT, PID_NIT};
    for (size_t i = 0; i < 4; i++) {
        struct stream s = make(3000);
        s.packets[stream_find(&s, 1000, pids[i], true, true, 0)][17] ^= 1;
        expect(&s, ANALYSER_CRC, 1);
    }
    struct stream s = make(3000); /* the TDT has none */
    s.packets[stream_find(&s, 1000, PID_TDT, true, true, 0)][10] ^= 1;
    expect(&s, NONE, 0);
    static const uint8_t tot[] = {0x73, 0x70, 0, 0xe0, 0, 0x12, 0, 0, 0xf0, 0};
    for (int wrong = 0; wrong <= 1; wrong++) {
        s = make(3000);
        uint8_t *p = s.packets[stream_find(&s, 1000, PID_TDT, true, true, 0)];
        packet_section(p, PID_TDT, p[3] & 15, tot, sizeof tot, true);
        p[10] ^= (uint8_t)wrong;
        expect(&s, ANALYSER_CRC, (uint64_t)wrong);
    }
}

static void test_pcr(void)
{
    struct stream s = silent(3000, ITEM_PCR, 1000, 1030); /* one is left out */
    expect(&s, ANALYSER_PCR_REPETITION, 1);
    s = silent(3000, ITEM_PCR, 1000, 1120); /* 150 ms */
    expect2(&s, ANALYSER_PCR_REPETITION, 1, ANALYSER_PCR_DISCONTINUITY, 1);
    s = silent(6500, ITEM_PCR, 1000, 6500); /* none any more: noticed after 1, 2, 3, 4, 5 s of arrival time */
    expect_arrival(&s, ANALYSER_PCR_REPETITION, 5, NONE, 0, NULL);
    expect_arrival(&s, NONE, 0, NONE, 0, no_arrival);
    free(s.packets);

    /* Noticed after 1 and 2 s, or when it is back, but not twice. */
    s = stream_make(&(struct plan){.ms = 9000, .silent = {{ITEM_PCR, 1000, 3500}, {ITEM_PCR, 5000, 7500}}});
    expect_arrival(&s, ANALYSER_PCR_REPETITION, 4, ANALYSER_PCR_DISCONTINUITY, 2, NULL);
    expect_arrival(&s, ANALYSER_PCR_REPETITION, 2, ANALYSER_PCR_DISCONTINUITY, 2, no_arrival);
    free(s.packets);

    static const int64_t seconds[] = {1, -1, 40000};
    for (size_t i = 0; i < 3; i++) {
        int64_t jump = seconds[i] * ANALYSER_TICKS_PER_S;
        s = stream_make(&(struct plan){.ms = 3000, .pcr = 1, .jump = {1500, jump, false}});
        expect(&s, ANALYSER_PCR_DISCONTINUITY, 1);
        s = stream_make(&(struct plan){.ms = 3000, .pcr = 1, .jump = {1500, jump, true}});
        expect(&s, NONE, 0);
    }
}

/* The indicator is good for one step. */
static void test_pcr_indicated_once(void)
{
    struct stream s = stream_make(&(struct plan){.ms = 3000, .jump = {1500, ANALYSER_TICKS_PER_S, true}});
    for (size_t i = 4000; i < s.count; i++)
        if (packet_pid(s.packets[i]) == PID_VIDEO && s.packets[i][3] & 0x20)
            packet_move_pcr(s.packets[i], ANALYSER_TICKS_PER_S);
    expect(&s, ANALYSER_PCR_DISCONTINUITY, 1);
}

/* A PMT begins in one packet and ends in the next, which has two damaged sections behind it. */
static void test_sections(void)
{
    static const uint8_t pat[] = {0x00, 0xb0, 0, 0, 7, 0xc1, 0, 0, 0, 1, 0xe1, 0x00};
    static const uint8_t damaged[] = {0x02, 0xb0, 9, 0, 1, 0xc1, 0, 0, 0, 0, 0, 0};
    struct stream s = stream_make(&(struct plan){.ms = 100, .pmt_filler = 250});
    struct analyser *a = analyser_new(&(struct analyser_options){0});
    uint8_t packet[PACKET], *first = s.packets[stream_find(&s, 0, PID_PMT, true, true, 0)],
            *second = s.packets[stream_find(&s, 0, PID_PMT, false, true, 1)];
    size_t rest = 3 + ((size_t)(first[6] & 15) << 8 | first[7]) - (PACKET - 5);
    CHECK(a);
    packet_section(packet, PID_PAT, 0, pat, sizeof pat, true);
    analyser_push(a, packet, -1);
    analyser_push(a, first, -1);
    memmove(second + 5, second + 4, rest);
    second[1] |= 0x40;
    second[4] = (uint8_t)rest;
    memcpy(second + 5 + rest, damaged, sizeof damaged);
    memcpy(second + 5 + rest + sizeof damaged, damaged, sizeof damaged);
    analyser_push(a, second, -1);
    CHECK_EQ_INT(analyser_counters(a)->count[ANALYSER_CRC], 2);
    CHECK(analyser_programme(a, 0) && analyser_programme(a, 0)->count == 2);
    analyser_free(a);
    free(s.packets);
}

static void test_accuracy(void)
{
    for (int64_t ticks = -30; ticks <= 30; ticks += 15) { /* 15 ticks are 556 ns, 13 are 481 ns */
        struct stream s = make(5000);
        size_t at = stream_find(&s, 3000, PID_VIDEO, false, false, 0);
        while (!(s.packets[at][3] & 0x20))
            at++;
        packet_move_pcr(s.packets[at], ticks);
        expect(&s, ANALYSER_PCR_ACCURACY, ticks != 0);
        s = make(5000);
        packet_move_pcr(s.packets[at], ticks < 0 ? -13 : 13);
        expect(&s, NONE, 0);
    }
    struct stream s = make(5000); /* without null packets the rate is not constant, and nothing can be said */
    for (size_t i = s.count; i-- > 0;)
        if (packet_pid(s.packets[i]) == PID_NULL)
            stream_remove(&s, i);
    expect_arrival(&s, NONE, 0, NONE, 0, no_arrival);
    free(s.packets);
}

static void test_pts(void)
{
    struct stream s = silent(4000, ITEM_VIDEO, 1000, 1640); /* 680 ms between two */
    expect(&s, NONE, 0);
    s = silent(4000, ITEM_VIDEO, 1000, 1700);
    expect(&s, ANALYSER_PTS, 1);
}

/* A stream without PCR is judged by arrival time; a file without PCR cannot be. */
static void test_no_pcr(void)
{
    struct stream s = stream_make(&(struct plan){
        .ms = 6000, .silent = {{ITEM_PCR, 0, 6000}, {ITEM_PAT, 1000, 2600}}});
    expect_arrival(&s, ANALYSER_PCR_REPETITION, 5, ANALYSER_PAT, 2, NULL);
    expect_arrival(&s, NONE, 0, NONE, 0, no_arrival);
    free(s.packets);
}

int main(void)
{
    test_clean();
    test_sync();
    test_pat();
    test_continuity();
    test_duplicates();
    test_continuity_indicated();
    test_pmt();
    test_pid_missing();
    test_transport_error();
    test_crc();
    test_pcr();
    test_pcr_indicated_once();
    test_sections();
    test_accuracy();
    test_pts();
    test_no_pcr();
    return 0;
}
