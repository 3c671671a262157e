#include "test_stream.h"

#include <stdlib.h>
#include <string.h>

#include "check.h"

#define VIDEO_PACKETS 24
#define AUDIO_PACKETS 2
#define DELAY_MS 200 /* DTS after the start of the unit */

struct maker {
    const struct plan *plan;
    struct stream stream;
    uint8_t cc[8192];
    size_t video_left, audio_left;
};

static uint32_t crc_of(const uint8_t *data, size_t size)
{
    uint32_t crc = 0xffffffff;
    for (size_t i = 0; i < size * 8; i++) {
        uint32_t bit = (crc >> 31) ^ (data[i / 8] >> (7 - i % 8) & 1);
        crc = crc << 1 ^ (bit ? 0x04c11db7 : 0);
    }
    return crc;
}

static uint8_t *next_packet(struct maker *m, uint16_t pid, bool start, bool payload)
{
    uint8_t *p = m->stream.packets[m->stream.count++];
    memset(p, 0xff, PACKET);
    p[0] = 0x47;
    p[1] = (uint8_t)(start << 6 | pid >> 8);
    p[2] = (uint8_t)pid;
    if (payload)
        m->cc[pid] = (m->cc[pid] + 1) & 15;
    p[3] = (uint8_t)(payload << 4 | m->cc[pid]);
    return p;
}

static size_t finish_section(uint8_t *section, size_t size, bool crc)
{
    size_t length = size - 3 + (crc ? 4 : 0);
    section[1] = (uint8_t)((section[1] & 0xf0) | length >> 8);
    section[2] = (uint8_t)length;
    if (crc) {
        uint32_t value = crc_of(section, size);
        for (int i = 0; i < 4; i++)
            section[size + (size_t)i] = (uint8_t)(value >> (24 - 8 * i));
    }
    return length + 3;
}

void packet_section(uint8_t *packet, uint16_t pid, uint8_t cc, const uint8_t *section, size_t size, bool crc)
{
    uint8_t copy[PACKET];
    memcpy(copy, section, size);
    size = finish_section(copy, size, crc);
    CHECK(size + 5 <= PACKET);
    memset(packet, 0xff, PACKET);
    uint8_t header[] = {0x47, (uint8_t)(0x40 | pid >> 8), (uint8_t)pid, (uint8_t)(0x10 | cc), 0};
    memcpy(packet, header, sizeof header);
    memcpy(packet + 5, copy, size);
}

/* Sends a section in as many packets as it takes. */
static void put_section(struct maker *m, uint16_t pid, const uint8_t *section, size_t size, bool crc)
{
    uint8_t bytes[1024] = {0}; /* pointer_field first */
    memcpy(bytes + 1, section, size);
    size = 1 + finish_section(bytes + 1, size, crc);
    for (size_t at = 0; at < size; at += PACKET - 4) {
        uint8_t *p = next_packet(m, pid, at == 0, true);
        memcpy(p + 4, bytes + at, size - at < PACKET - 4 ? size - at : PACKET - 4);
    }
}

static void put_pmt(struct maker *m, bool changed)
{
    uint8_t s[1024] = {0x02, 0xb0, 0, 0, 1, changed ? 0xc3 : 0xc1, 0, 0, 0xe1, 0x01, 0xf0, 0};
    size_t size = 12, filler = m->plan->pmt_filler;
    if (filler) {
        s[10] = (uint8_t)(0xf0 | (filler + 2) >> 8);
        s[11] = (uint8_t)(filler + 2);
        s[12] = 0xfe;
        s[13] = (uint8_t)filler;
        size += filler + 2;
    }
    static const uint8_t streams[] = {0x1b, 0xe1, 0x01, 0xf0, 0, 0x03, 0xe1, 0x02, 0xf0, 6,
                                      0x0a, 4, 'd', 'e', 'u', 0};
    static const uint8_t more[] = {0x0f, 0xe1, 0x03, 0xf0, 0};
    memcpy(s + size, streams, sizeof streams);
    size += sizeof streams;
    if (changed)
        memcpy(s + size, more, sizeof more);
    put_section(m, PID_PMT, s, size + (changed ? sizeof more : 0), true);
}

static void put_table(struct maker *m, enum item item, bool changed)
{
    static const uint8_t pat[] = {0x00, 0xb0, 0, 0, 7, 0xc1, 0, 0, 0, 0, 0xe0, 0x10, 0, 1, 0xe1, 0x00};
    static const uint8_t sdt[] = {0x42, 0xf0, 0, 0, 7, 0xc1, 0, 0, 0, 1, 0xff, 0, 1, 0xfc, 0x80, 15,
                                  0x48, 13, 0x01, 5, 'M', 'a', 'k', 'e', 'r', 5, 0x15, 'K', 0xc3, 0xa4, 'n'};
    static const uint8_t nit[] = {0x40, 0xf0, 0, 0, 1, 0xc1, 0, 0, 0xf0, 0, 0xf0, 0};
    static const uint8_t tdt[] = {0x70, 0x70, 0, 0xe0, 0, 0x12, 0, 0};
    switch (item) {
    case ITEM_PAT: put_section(m, PID_PAT, pat, sizeof pat, true); break;
    case ITEM_PMT: put_pmt(m, changed); break;
    case ITEM_SDT: put_section(m, PID_SDT, sdt, sizeof sdt, true); break;
    case ITEM_NIT: put_section(m, PID_NIT, nit, sizeof nit, true); break;
    default: put_section(m, PID_TDT, tdt, sizeof tdt, false);
    }
}

static void write_pcr(uint8_t *p, int64_t ticks)
{
    int64_t modulus = (INT64_C(1) << 33) * 300, value = (ticks % modulus + modulus) % modulus;
    int64_t base = value / 300, extension = value % 300;
    p[0] = (uint8_t)(base >> 25);
    p[1] = (uint8_t)(base >> 17);
    p[2] = (uint8_t)(base >> 9);
    p[3] = (uint8_t)(base >> 1);
    p[4] = (uint8_t)((base & 1) << 7 | 0x7e | extension >> 8);
    p[5] = (uint8_t)extension;
}

static int64_t read_pcr(const uint8_t *p)
{
    int64_t base = (int64_t)p[0] << 25 | p[1] << 17 | p[2] << 9 | p[3] << 1 | p[4] >> 7;
    return base * 300 + ((p[4] & 1) << 8 | p[5]);
}

void packet_move_pcr(uint8_t *packet, int64_t ticks)
{
    CHECK(packet[3] & 0x20 && packet[4] >= 7 && packet[5] & 0x10);
    write_pcr(packet + 6, read_pcr(packet + 6) + ticks);
}

static void write_stamp(uint8_t *p, int prefix, int64_t value)
{
    p[0] = (uint8_t)(prefix << 4 | (value >> 30 & 7) << 1 | 1);
    p[1] = (uint8_t)(value >> 22);
    p[2] = (uint8_t)((value >> 15 & 0x7f) << 1 | 1);
    p[3] = (uint8_t)(value >> 7);
    p[4] = (uint8_t)((value & 0x7f) << 1 | 1);
}

/* A PES packet begins; video has PTS one frame after DTS, audio PTS alone. */
static void put_unit(struct maker *m, bool video, int64_t ticks)
{
    uint8_t *p = next_packet(m, video ? PID_VIDEO : PID_AUDIO, true, true) + 4;
    int64_t dts = (ticks / 300 + DELAY_MS * 90) & ((INT64_C(1) << 33) - 1);
    static const uint8_t headers[2][9] = {{0, 0, 1, 0xc0, 0, 0, 0x80, 0x80, 5},
                                          {0, 0, 1, 0xe0, 0, 0, 0x80, 0xc0, 10}};
    memcpy(p, headers[video], sizeof headers[video]);
    write_stamp(p + 9, video ? 3 : 2, video ? (dts + 3600) & ((INT64_C(1) << 33) - 1) : dts);
    if (video)
        write_stamp(p + 14, 1, dts);
}

static void put_pcr(struct maker *m, int64_t ticks, bool indicated)
{
    bool payload = m->video_left > 0;
    uint8_t *p = next_packet(m, PID_VIDEO, false, payload);
    p[3] |= 0x20;
    p[4] = payload ? 7 : 183;
    p[5] = indicated ? 0x90 : 0x10;
    write_pcr(p + 6, ticks);
    m->video_left -= payload;
}

struct stream stream_make(const struct plan *plan)
{
    static const size_t period[ITEMS] = {200, 200, 2000, 2000, 2000, 60, 80, 48};
    static const size_t phase[ITEMS] = {3, 5, 9, 11, 13, 0, 20, 22};
    struct maker m = {.plan = plan, .stream = {.packets = calloc(PER_MS(plan->ms) + 16, PACKET)}};
    bool due[ITEMS] = {0}, indicated = false;
    int64_t jump = 0;
    CHECK(m.stream.packets);
    for (size_t n; (n = m.stream.count) < PER_MS(plan->ms);) {
        for (size_t i = 0; i < ITEMS; i++) {
            bool silent = false;
            for (size_t k = 0; k < 2; k++)
                silent |= plan->silent[k].item == i && n >= PER_MS(plan->silent[k].from_ms) &&
                          n < PER_MS(plan->silent[k].to_ms);
            due[i] |= !silent && n % period[i] == phase[i];
        }
        if (plan->jump.at_ms && n == PER_MS(plan->jump.at_ms)) {
            jump = plan->jump.ticks;
            indicated = plan->jump.indicated;
        }
        int64_t ticks = plan->pcr + jump + (int64_t)n * PACKET_TICKS;
        size_t i = 0;
        static const enum item order[ITEMS] = {ITEM_PCR, ITEM_PAT, ITEM_PMT, ITEM_SDT,
                                               ITEM_NIT, ITEM_TDT, ITEM_VIDEO, ITEM_AUDIO};
        while (i < ITEMS && !due[order[i]])
            i++;
        enum item item = i < ITEMS ? order[i] : ITEMS;
        if (item == ITEM_PCR) {
            put_pcr(&m, ticks, indicated);
            indicated = false;
        } else if (item == ITEM_VIDEO && !m.audio_left) {
            put_unit(&m, true, plan->pcr + jump + (int64_t)(n - n % 80) * PACKET_TICKS);
            m.video_left = VIDEO_PACKETS - 1;
        } else if (item == ITEM_AUDIO && !m.video_left) {
            put_unit(&m, false, plan->pcr + jump + (int64_t)(n - n % 48) * PACKET_TICKS);
            m.audio_left = AUDIO_PACKETS - 1;
        } else if (item < ITEM_PCR) {
            put_table(&m, item, plan->pmt_change_ms && n >= PER_MS(plan->pmt_change_ms));
        } else {
            uint16_t pid = m.video_left ? PID_VIDEO : m.audio_left ? PID_AUDIO : PID_NULL;
            next_packet(&m, pid, false, pid != PID_NULL)[3] |= 0x10;
            m.video_left -= pid == PID_VIDEO;
            m.audio_left -= pid == PID_AUDIO;
            continue;
        }
        due[item] = false;
    }
    return m.stream;
}

uint16_t packet_pid(const uint8_t *packet)
{
    return (uint16_t)((packet[1] & 0x1f) << 8 | packet[2]);
}

size_t stream_find(const struct stream *s, size_t from, uint16_t pid, bool start, bool payload, int nth)
{
    for (size_t i = from; i < s->count; i++) {
        const uint8_t *p = s->packets[i];
        if (packet_pid(p) == pid && (!start || p[1] & 0x40) && (!payload || p[3] & 0x10) && nth-- == 0)
            return i;
    }
    CHECK(!"found");
    return 0;
}

void stream_remove(struct stream *s, size_t at)
{
    memmove(s->packets[at], s->packets[at + 1], (--s->count - at) * PACKET);
}

void stream_repeat(struct stream *s, size_t at)
{
    s->packets = realloc(s->packets, (s->count + 1) * PACKET);
    CHECK(s->packets);
    memmove(s->packets[at + 1], s->packets[at], (s->count++ - at) * PACKET);
}

int64_t no_arrival(size_t packet)
{
    (void)packet;
    return -1;
}

struct analyser *stream_analyse(const struct stream *s, const struct analyser_options *options,
                                int64_t (*arrival)(size_t packet))
{
    static const struct analyser_options none = {0};
    struct analyser *a = analyser_new(options ? options : &none);
    CHECK(a);
    for (size_t i = 0; i < s->count; i++)
        analyser_push(a, s->packets[i], arrival ? arrival(i) : 5000000000 + (int64_t)i * PACKET_NS);
    return a;
}
