/* Packets: sync, continuity, adaptation field; and what a user of the analyser reads from it. */
#include <stdlib.h>
#include <string.h>

#include "internal.h"

#define SYNC_BYTE 0x47
#define SYNC_REGAIN 5
#define ARRIVAL_MAX (INT64_C(1) << 60)

const char *analyser_check_name(enum analyser_check check)
{
    static const char *const names[ANALYSER_CHECKS] = {
        "syncLoss", "syncByte", "pat", "continuity", "pmt", "pidMissing", "transportError", "crc",
        "pcrRepetition", "pcrDiscontinuity", "pcrAccuracy", "pts"};
    return names[check];
}

void ana_error(struct analyser *a, enum analyser_check check, uint16_t pid, int64_t value)
{
    a->counters.count[check]++;
    if (a->options.event)
        a->options.event(a->options.data, &(struct analyser_event){
            .kind = ANALYSER_ERROR, .check = check, .pid = pid,
            .arrival_ns = a->arrival, .packet = (uint64_t)a->packet, .value = value});
}

void ana_span(struct analyser_span *span, int64_t value)
{
    if (span->count == 0 || value < span->min)
        span->min = value;
    if (span->count == 0 || value > span->max)
        span->max = value;
    span->sum += value;
    span->count++;
}

struct ana_pid *ana_pid(struct analyser *a, uint16_t pid)
{
    struct ana_pid *p = a->pids[pid];
    if (p || !(p = calloc(1, sizeof *p)))
        return p;
    p->view.pid = pid;
    p->cc = -1;
    p->next = a->first;
    a->first = a->pids[pid] = p;
    return p;
}

struct analyser *analyser_new(const struct analyser_options *options)
{
    struct analyser *a = calloc(1, sizeof *a);
    if (!a)
        return NULL;
    a->options = *options;
    if (a->options.pid_missing_ms <= 0)
        a->options.pid_missing_ms = 5000;
    a->packet = a->arrival = a->now_arrival = -1;
    a->master = &a->wall;
    a->generation = 1;
    a->nit_pid = 0x10;
    a->pat_version = -1;
    ana_watch_start(a, &a->tables[ANALYSER_TABLE_PAT], ANALYSER_PAT, 0, 500);
    return a;
}

void analyser_free(struct analyser *a)
{
    if (!a)
        return;
    for (struct ana_pid *p = a->first, *next; p; p = next) {
        next = p->next;
        if (p->clock)
            free(p->clock->samples);
        free(p->clock);
        free(p->stream);
        free(p->section);
        free(p);
    }
    for (size_t i = 0; i < a->programme_count; i++)
        free(a->programmes[i]);
    free(a);
}

/* Whether both packets are the same but for the PCR, which a duplicate carries anew. */
static bool same_packet(const uint8_t *a, const uint8_t *b)
{
    size_t skip_from = ANALYSER_PACKET_SIZE, skip_to = ANALYSER_PACKET_SIZE;
    if (a[3] & 0x20 && a[4] >= 7 && a[5] & 0x10) {
        skip_from = 6;
        skip_to = 12;
    }
    return memcmp(a, b, skip_from) == 0 &&
           memcmp(a + skip_to, b + skip_to, ANALYSER_PACKET_SIZE - skip_to) == 0;
}

/* Checks the continuity counter (13818-1 clause 2.4.3.3); false when the packet is a permitted duplicate. */
static bool check_continuity(struct analyser *a, struct ana_pid *p, const uint8_t *packet, bool indicated)
{
    int cc = packet[3] & 15, payload = packet[3] >> 4 & 1;
    if (p->cc >= 0 && !indicated) {
        if (payload && cc == p->cc && p->repeatable && same_packet(packet, p->last)) {
            p->repeatable = false;
            p->view.duplicates++;
            return false;
        }
        int missing = (cc - p->cc - payload) & 15;
        if (missing) {
            p->view.continuity++;
            a->losses++;
            if (p->section)
                p->section->active = false;
            ana_error(a, ANALYSER_CONTINUITY, p->view.pid, missing);
        }
    }
    p->cc = cc;
    p->repeatable = payload;
    if (payload)
        memcpy(p->last, packet, sizeof p->last);
    return true;
}

/* A packet that cannot be trusted tells nothing (5.2.1), but it should not look like a lost one either. */
static void pass_damaged(struct analyser *a, const uint8_t *packet)
{
    struct ana_pid *p = a->pids[ana_u16(packet + 1) & 0x1fff];
    if (p && p->cc >= 0 && packet[3] & 0x10 && (packet[3] & 15) == ((p->cc + 1) & 15)) {
        p->cc = packet[3] & 15;
        p->repeatable = false;
        if (p->section)
            p->section->active = false;
    }
}

/* True when the packet is in sync and may be looked at. */
static bool check_sync(struct analyser *a, const uint8_t *packet)
{
    if (packet[0] == SYNC_BYTE) {
        a->bad_sync = 0;
        if (!a->lost_sync)
            return true;
        if (++a->good_sync < SYNC_REGAIN)
            return false;
        a->lost_sync = false;
        for (struct ana_pid *p = a->first; p; p = p->next) {
            p->cc = -1;
            if (p->section)
                p->section->active = false;
        }
        return true;
    }
    a->good_sync = 0;
    a->losses++;
    if (a->lost_sync)
        return false;
    ana_error(a, ANALYSER_SYNC_BYTE, ana_u16(packet + 1) & 0x1fff, 0);
    if (++a->bad_sync >= 2) {
        a->lost_sync = true;
        ana_error(a, ANALYSER_SYNC_LOSS, PID_NULL, 0);
    } else {
        pass_damaged(a, packet);
    }
    return false;
}

static int64_t read_pcr(const uint8_t *p)
{
    int64_t base = (int64_t)p[0] << 25 | p[1] << 17 | p[2] << 9 | p[3] << 1 | p[4] >> 7;
    return base * 300 + ((p[4] & 1) << 8 | p[5]);
}

void analyser_push(struct analyser *a, const uint8_t packet[ANALYSER_PACKET_SIZE], int64_t arrival_ns)
{
    a->packet++;
    a->arrival = arrival_ns >= 0 && arrival_ns < ARRIVAL_MAX ? arrival_ns : -1;
    if (!check_sync(a, packet))
        return;
    ana_wall(a);
    uint16_t pid = ana_u16(packet + 1) & 0x1fff;
    if (packet[1] & 0x80) {
        ana_error(a, ANALYSER_TRANSPORT_ERROR, pid, 0);
        pass_damaged(a, packet);
        return;
    }
    struct ana_pid *p = ana_pid(a, pid);
    if (!p)
        return;
    p->view.packets++;
    p->missing.noticed = true;
    if (pid == PID_NULL || !(packet[3] & 0x30))
        return;

    size_t header = 4;
    const uint8_t *pcr = NULL;
    bool indicated = false;
    if (packet[3] & 0x20) {
        header = 5 + (size_t)packet[4];
        if (header > ANALYSER_PACKET_SIZE)
            return;
        indicated = packet[4] && packet[5] & 0x80;
        pcr = packet[4] >= 7 && packet[5] & 0x10 ? packet + 6 : NULL;
    }
    if (!check_continuity(a, p, packet, indicated))
        return;
    if (indicated && p->clock)
        p->clock->indicated = true;
    if (pcr)
        ana_pcr(a, p, read_pcr(pcr));
    if (packet[3] & 0xc0) {
        p->view.scrambled++;
        if (pid == 0 || ana_named(a, p->pmt))
            ana_error(a, pid == 0 ? ANALYSER_PAT : ANALYSER_PMT, pid, 0);
    } else if (packet[3] & 0x10 && header < ANALYSER_PACKET_SIZE) {
        bool start = packet[1] & 0x40;
        if (ana_is_psi(a, p))
            ana_sections(a, p, packet + header, ANALYSER_PACKET_SIZE - header, start);
        else if (p->stream && ana_named(a, p->named))
            ana_pes(a, p, packet + header, ANALYSER_PACKET_SIZE - header, start);
    }
}

const struct analyser_counters *analyser_counters(const struct analyser *a)
{
    return &a->counters;
}

struct analyser_recent analyser_take_recent(struct analyser *a)
{
    struct analyser_recent recent = a->recent;
    a->recent = (struct analyser_recent){0};
    return recent;
}

uint64_t analyser_packets(const struct analyser *a)
{
    return (uint64_t)(a->packet + 1);
}

double analyser_bitrate(const struct analyser *a)
{
    int64_t ticks = a->now - a->origin.time, packets = a->now_packet - a->origin.packet;
    return ticks > 0 ? (double)packets * ANALYSER_PACKET_SIZE * 8 * ANALYSER_TICKS_PER_S / (double)ticks : 0;
}

const struct analyser_programme *analyser_programme(const struct analyser *a, size_t n)
{
    return n < a->programme_count ? &a->programmes[n]->view : NULL;
}

struct analyser_span analyser_table(const struct analyser *a, enum analyser_table table)
{
    struct analyser_span all = a->tables[table].interval;
    if (table != ANALYSER_TABLE_PMT)
        return all;
    for (const struct ana_pid *p = a->first; p; p = p->next) {
        const struct analyser_span *one = &p->table.interval;
        if (one->count == 0)
            continue;
        all.min = all.count == 0 || one->min < all.min ? one->min : all.min;
        all.max = all.count == 0 || one->max > all.max ? one->max : all.max;
        all.sum += one->sum;
        all.count += one->count;
    }
    return all;
}

const struct analyser_pid *analyser_pid(const struct analyser *a, unsigned pid)
{
    for (; pid < PID_COUNT; pid++)
        if (a->pids[pid])
            return &a->pids[pid]->view;
    return NULL;
}

const struct analyser_pcr *analyser_pcr(const struct analyser *a, uint16_t pid)
{
    const struct ana_pid *p = pid < PID_COUNT ? a->pids[pid] : NULL;
    return p && p->clock && p->clock->count ? &p->clock->view : NULL;
}

const struct analyser_stream *analyser_stream(const struct analyser *a, uint16_t pid)
{
    const struct ana_pid *p = pid < PID_COUNT ? a->pids[pid] : NULL;
    return p && p->stream ? &p->stream->view : NULL;
}
