/* Datagrams, recordings, and whose fault a gap is. */
#include <stdlib.h>
#include <string.h>

#include "check.h"
#include "datagram.h"
#include "file.h"
#include "gaps.h"

#define PACKET 188
#define MS INT64_C(1000000)

static void fill(uint8_t *bytes, size_t packets)
{
    memset(bytes, 0, packets * PACKET);
    for (size_t i = 0; i < packets; i++)
        bytes[i * PACKET] = 0x47;
}

static void test_udp(void)
{
    uint8_t b[1500];
    struct datagram d;
    fill(b, 7);
    CHECK(datagram_read(b, 1316, &d) && d.count == 7 && d.packets == b && !d.odd && !d.rtp);
    CHECK(datagram_read(b, 1300, &d) && d.count == 6 && d.odd);
    CHECK(datagram_read(b, 188, &d) && d.count == 1 && !d.odd);
    CHECK(!datagram_read(b, 187, &d) && !datagram_read(b, 0, &d));
    b[0] = 0x80; /* a damaged sync byte that looks like RTP */
    CHECK(datagram_read(b, 1316, &d) && d.count == 7 && !d.rtp);
    b[0] = 0x12;
    CHECK(!datagram_read(b, 1300, &d));
}

static void test_rtp(void)
{
    uint8_t b[1500] = {0x80, 33, 0x12, 0x34};
    struct datagram d;
    fill(b + 12, 7);
    CHECK(datagram_read(b, 1328, &d) && d.rtp && d.sequence == 0x1234);
    CHECK(d.count == 7 && d.packets == b + 12 && !d.odd);
    b[12] = 0; /* damaged sync byte */
    CHECK(datagram_read(b, 1328, &d) && d.rtp && d.count == 7);
    b[0] = 0x82; /* two contributing sources */
    fill(b + 20, 6);
    CHECK(datagram_read(b, 20 + 6 * PACKET, &d) && d.packets == b + 20 && d.count == 6);
    b[0] = 0x90; /* an extension of two words */
    memcpy(b + 12, (const uint8_t[]){0xbe, 0xde, 0, 2}, 4);
    fill(b + 24, 6);
    CHECK(datagram_read(b, 24 + 6 * PACKET, &d) && d.packets == b + 24 && d.count == 6);
    b[15] = 255; /* longer than the datagram */
    CHECK(!datagram_read(b, 100, &d));
    b[0] = 0xa0; /* padding of 4 */
    fill(b + 12, 6);
    b[12 + 6 * PACKET + 3] = 4;
    CHECK(datagram_read(b, 16 + 6 * PACKET, &d) && d.count == 6 && !d.odd);
    b[12 + 6 * PACKET + 3] = 255;
    CHECK(datagram_read(b, 16 + 6 * PACKET, &d) && d.odd);
    CHECK(!datagram_read(b, 20, &d));
}

static struct rtp_sequence sequence(const uint16_t *numbers, size_t count)
{
    struct rtp_sequence s = {0};
    for (size_t i = 0; i < count; i++)
        rtp_sequence_take(&s, numbers[i]);
    return s;
}

static void test_rtp_sequence(void)
{
    struct rtp_sequence s = sequence((const uint16_t[]){65534, 65535, 0, 1}, 4);
    CHECK(s.lost == 0 && s.disordered == 0);
    s = sequence((const uint16_t[]){65534, 1, 2}, 3);
    CHECK(s.lost == 2 && s.disordered == 0);
    s = sequence((const uint16_t[]){5, 7, 6, 8}, 4);
    CHECK(s.lost == 0 && s.disordered == 1);
    s = sequence((const uint16_t[]){5, 5, 6}, 3);
    CHECK(s.lost == 0 && s.disordered == 1);
}

struct seen {
    int count;
    struct gap last;
};

static void see(void *data, const struct gap *gap)
{
    struct seen *s = data;
    s->count++;
    s->last = *gap;
}

/* A stream each ms with a gap of `gap_ms` at 1 s, and a control stream each 2 ms that stalls from `stall_ms`
 * after the start of the gap for `stall_length_ms`. The control datagrams come a little later than the
 * stream's. */
static struct gaps run(struct seen *seen, int gap_ms, int stall_ms, int stall_length_ms)
{
    struct gaps g = {.threshold_ns = 40 * MS, .controlled = true, .found = see, .data = seen};
    *seen = (struct seen){0};
    for (int ms = 0; ms < 2000; ms++) {
        if (ms <= 1000 || ms >= 1000 + gap_ms)
            gaps_take(&g, ms * MS);
        if (ms % 2 == 0 && (ms <= 1000 + stall_ms || ms >= 1000 + stall_ms + stall_length_ms))
            gaps_take_control(&g, ms * MS + MS / 2);
    }
    gaps_finish(&g);
    return g;
}

static void test_gaps(void)
{
    struct seen seen;
    struct gaps g = run(&seen, 40, 0, 0); /* just within the threshold */
    CHECK(g.count == 0 && seen.count == 0 && g.longest_unexcused_ns == 40 * MS && g.stalls == 0);
    CHECK(g.longest.start_ns == 1000 * MS && g.longest.end_ns == 1040 * MS);
    g = run(&seen, 100, 0, 0); /* the sender's fault: control jitter of 2 ms does not excuse it */
    CHECK(g.count == 1 && g.unexcused == 1 && g.longest_unexcused_ns == 100 * MS && !seen.last.excused);
    g = run(&seen, 100, 0, 100); /* the machine's */
    CHECK(g.count == 1 && g.unexcused == 0 && g.longest_unexcused_ns == 1 * MS && seen.last.excused);
    CHECK(g.longest.end_ns - g.longest.start_ns == 100 * MS);
    g = run(&seen, 100, 20, 70); /* 30 ms remain */
    CHECK(g.count == 1 && g.unexcused == 0);
    g = run(&seen, 100, 20, 50); /* 50 ms remain */
    CHECK(g.count == 1 && g.unexcused == 1);
    g = run(&seen, 100, 90, 300); /* long enough, but mostly after it */
    CHECK(g.count == 1 && g.unexcused == 1);
    g = run(&seen, 45, 2, 8); /* remaining time is within the threshold, but that is jitter, no stall */
    CHECK(g.unexcused == 1 && g.stalls == 0);
    g = run(&seen, 100, 0, 5000); /* the control stream ended with the gap and does not come back */
    CHECK(g.count == 1 && g.unexcused == 1);
    gaps_take_control(&g, 60000 * MS); /* nor does a minute's absence count as a stall */
    CHECK_EQ_INT(g.stalls, 0);
}

/* Without a control stream every gap counts, and at once. */
static void test_gaps_alone(void)
{
    struct seen seen = {0};
    struct gaps g = {.threshold_ns = 40 * MS, .found = see, .data = &seen};
    gaps_take(&g, 5 * MS);
    gaps_take(&g, 4 * MS); /* time stamps may step back a little */
    gaps_take(&g, 50 * MS);
    CHECK(seen.count == 1 && seen.last.start_ns == 5 * MS && g.unexcused == 1);
    for (int i = 1; i <= 3 * GAPS_PENDING; i++) /* with one that says nothing, none is forgotten */
        gaps_take(&g, 50 * MS + i * 41 * MS);
    g.controlled = true;
    for (int i = 1; i <= 3 * GAPS_PENDING; i++)
        gaps_take(&g, g.last_ns + 41 * MS);
    gaps_finish(&g);
    CHECK_EQ_INT(g.count, 1 + 6 * GAPS_PENDING);
}

struct packets {
    size_t count, good;
};

static void count_packet(void *data, const uint8_t packet[PACKET])
{
    struct packets *p = data;
    p->count++;
    p->good += packet[0] == 0x47;
}

static void test_file(void)
{
    size_t size = 5000 * PACKET + 100; /* longer than a read, and with a rest */
    uint8_t *b = calloc(1, size);
    struct packets p = {0};
    CHECK(b);
    fill(b, 5000);
    FILE *file = fmemopen(b, size, "rb");
    CHECK(file && file_read(file, count_packet, &p) == 100 && p.count == 5000 && p.good == 5000);
    fclose(file);
    /* 50 bytes lost at packet 2000: what begins there is no packet, and neither is the next. */
    memmove(b + 2000 * PACKET, b + 2000 * PACKET + 50, size - 50 - 2000 * PACKET);
    p = (struct packets){0};
    file = fmemopen(b, size - 150, "rb");
    CHECK(file && file_read(file, count_packet, &p) == 138 && p.count == 4999 && p.good == 4997);
    fclose(file);
    free(b);
}

int main(void)
{
    test_udp();
    test_rtp();
    test_rtp_sequence();
    test_gaps();
    test_gaps_alone();
    test_file();
    return 0;
}
