/* Tables: PAT and PMT say what the stream should contain (13818-1 clause 2.4.4), SDT, NIT and TDT what it is
 * called and when (EN 300 468). */
#include <stdlib.h>
#include <string.h>

#include "internal.h"

#define PID_PAT 0x00
#define PID_CAT 0x01
#define PID_SDT 0x11
#define PID_EIT 0x12
#define PID_TDT 0x14
#define CRC_SIZE 4

enum { TABLE_PAT = 0x00, TABLE_PMT = 0x02, TABLE_NIT = 0x40, TABLE_SDT = 0x42, TABLE_TDT = 0x70 };

bool ana_is_psi(const struct analyser *a, const struct ana_pid *p)
{
    uint16_t pid = p->view.pid;
    return pid == PID_PAT || pid == PID_CAT || pid == PID_SDT || pid == PID_EIT || pid == PID_TDT ||
           pid == a->nit_pid || ana_named(a, p->pmt);
}

/* Marks something as named by the tables of this generation; true when the last one did not. */
static bool name(const struct analyser *a, uint32_t *generation)
{
    bool new = *generation != a->generation && *generation != a->generation - 1;
    *generation = a->generation;
    return new;
}

static struct ana_pid *name_pid(struct analyser *a, uint16_t pid)
{
    struct ana_pid *p = pid == PID_NULL ? NULL : ana_pid(a, pid);
    if (p && name(a, &p->named))
        ana_watch_start(a, &p->missing, ANALYSER_PID_MISSING, pid, a->options.pid_missing_ms);
    return p;
}

static void name_stream(struct analyser *a, const struct analyser_entry *entry, uint16_t clock_pid)
{
    struct ana_pid *p = name_pid(a, entry->pid);
    if (!p || (!p->stream && !(p->stream = calloc(1, sizeof *p->stream))))
        return;
    struct ana_stream *s = p->stream;
    if (name(a, &s->named))
        s->timed = s->open = s->started = false;
    if (s->view.entry.type != entry->type || s->clock_pid != clock_pid)
        s->timed = s->open = false;
    s->view.entry = *entry;
    s->clock_pid = clock_pid;
}

/* After a change of PAT or PMT: what is named now, and since when. */
static void name_all(struct analyser *a)
{
    a->generation++;
    for (size_t i = 0; i < a->programme_count; i++) {
        const struct analyser_programme *g = &a->programmes[i]->view;
        struct ana_pid *p = ana_pid(a, g->pmt_pid);
        if (p && name(a, &p->pmt))
            ana_watch_start(a, &p->table, ANALYSER_PMT, g->pmt_pid, 500);
        if (g->version < 0)
            continue;
        p = name_pid(a, g->pcr_pid);
        struct ana_clock *c = p ? ana_clock(a, p) : NULL;
        if (c && name(a, &c->referenced)) {
            c->watch.heard = a->now;
            c->watch.overdue = 0;
            c->view.referenced = true;
        }
        for (size_t k = 0; k < g->count; k++)
            name_stream(a, &g->streams[k], g->pcr_pid);
    }
    for (struct ana_pid *p = a->first; p; p = p->next)
        if (p->clock)
            p->clock->view.referenced = ana_named(a, p->clock->referenced);
}

static uint32_t section_crc(const uint8_t *section, size_t size)
{
    const uint8_t *p = section + size - CRC_SIZE;
    return (uint32_t)ana_u16(p) << 16 | ana_u16(p + 2);
}

static bool is_current(const uint8_t *section)
{
    return section[5] & 1;
}

static struct ana_programme *find_programme(const struct analyser *a, uint16_t number)
{
    for (size_t i = 0; i < a->programme_count; i++)
        if (a->programmes[i]->view.number == number)
            return a->programmes[i];
    return NULL;
}

static void list_programme(struct analyser *a, uint16_t number, uint16_t pid)
{
    struct ana_programme *g = find_programme(a, number);
    if (!g) {
        if (a->programme_count == PROGRAMMES_MAX || !(g = calloc(1, sizeof *g)))
            return;
        g->view.number = number;
        g->view.version = -1;
        a->programmes[a->programme_count++] = g;
    }
    g->view.pmt_pid = pid;
    g->listed = true;
}

static void read_pat(struct analyser *a, const uint8_t *section, size_t size)
{
    int version = section[5] >> 1 & 31;
    uint32_t crc = section_crc(section, size);
    if (version == a->pat_version && crc == a->pat_crc)
        return;
    bool whole = section[7] == 0;
    if (version != a->pat_version || whole)
        for (size_t i = 0; i < a->programme_count; i++)
            a->programmes[i]->listed = false;
    a->pat_version = version;
    a->pat_crc = crc;
    for (size_t at = 8; at + 4 + CRC_SIZE <= size; at += 4) {
        uint16_t number = ana_u16(section + at), pid = ana_u16(section + at + 2) & 0x1fff;
        if (number == 0)
            a->nit_pid = pid;
        else
            list_programme(a, number, pid);
    }
    if (section[6] == section[7]) { /* the last section: what was not listed is gone */
        size_t kept = 0;
        for (size_t i = 0; i < a->programme_count; i++) {
            if (a->programmes[i]->listed)
                a->programmes[kept++] = a->programmes[i];
            else
                free(a->programmes[i]);
        }
        a->programme_count = kept;
    }
    name_all(a);
}

static void read_descriptors(struct analyser_entry *entry, const uint8_t *p, size_t size)
{
    for (size_t at = 0; at + 2 <= size && at + 2 + p[at + 1] <= size; at += 2u + p[at + 1]) {
        uint8_t tag = p[at];
        if (tag == 0x0a && p[at + 1] >= 3) /* ISO_639_language */
            memcpy(entry->language, p + at + 2, 3);
        else if (tag == 0x56 || tag == 0x59 || tag == 0x6a || tag == 0x7a || tag == 0x7c)
            entry->descriptor = tag;
    }
}

static void read_pmt(struct analyser *a, const struct ana_pid *p, const uint8_t *section, size_t size)
{
    struct ana_programme *g = find_programme(a, ana_u16(section + 3));
    uint32_t crc = section_crc(section, size);
    if (!g || g->view.pmt_pid != p->view.pid || size < 12 + CRC_SIZE ||
        (g->view.version >= 0 && crc == g->crc))
        return;
    struct analyser_programme *v = &g->view;
    v->changes += v->version >= 0;
    v->version = section[5] >> 1 & 31;
    v->pcr_pid = ana_u16(section + 8) & 0x1fff;
    v->count = 0;
    g->crc = crc;
    size_t at = 12 + (size_t)(ana_u16(section + 10) & 0xfff), end = size - CRC_SIZE;
    while (at + 5 <= end && v->count < ANALYSER_STREAMS_MAX) {
        struct analyser_entry *entry = &v->streams[v->count++];
        size_t info = ana_u16(section + at + 3) & 0xfff;
        *entry = (struct analyser_entry){.pid = ana_u16(section + at + 1) & 0x1fff, .type = section[at]};
        at += 5;
        if (info > end - at)
            break;
        read_descriptors(entry, section + at, info);
        at += info;
    }
    name_all(a);
    if (a->options.event)
        a->options.event(a->options.data, &(struct analyser_event){
            .kind = ANALYSER_PMT_CHANGED, .pid = p->view.pid, .arrival_ns = a->arrival,
            .packet = (uint64_t)a->packet, .programme = v});
}

/* Service descriptor, EN 300 468 clause 6.2.33: type, provider name, service name. */
static void read_service(struct analyser_programme *g, const uint8_t *p, size_t size)
{
    if (size < 3 || 3 + (size_t)p[1] > size || 3 + (size_t)p[1] + p[2 + p[1]] > size)
        return;
    g->provider_size = p[1];
    memcpy(g->provider, p + 2, g->provider_size);
    g->name_size = p[2 + p[1]];
    memcpy(g->name, p + 3 + p[1], g->name_size);
}

static void read_sdt(struct analyser *a, const uint8_t *section, size_t size)
{
    size_t end = size - CRC_SIZE;
    for (size_t at = 11; at + 5 <= end;) {
        uint16_t number = ana_u16(section + at);
        size_t loop = ana_u16(section + at + 3) & 0xfff;
        at += 5;
        if (loop > end - at)
            return;
        struct ana_programme *g = find_programme(a, number);
        const uint8_t *p = section + at;
        for (size_t d = 0; d + 2 <= loop && d + 2 + p[d + 1] <= loop; d += 2u + p[d + 1])
            if (g && p[d] == 0x48)
                read_service(&g->view, p + d + 2, p[d + 1]);
        at += loop;
    }
}

void ana_table(struct analyser *a, struct ana_pid *p, const uint8_t *section, size_t size)
{
    uint16_t pid = p->view.pid;
    uint8_t table = section[0];
    struct ana_watch *watch = NULL;
    if (pid == PID_PAT && table != TABLE_PAT) {
        ana_error(a, ANALYSER_PAT, pid, 0);
    } else if (table == TABLE_TDT) {
        watch = pid == PID_TDT ? &a->tables[ANALYSER_TABLE_TDT] : NULL;
    } else if (!is_current(section)) {
        return;
    } else if (pid == PID_PAT) {
        watch = &a->tables[ANALYSER_TABLE_PAT];
        read_pat(a, section, size);
    } else if (table == TABLE_PMT && ana_named(a, p->pmt)) {
        watch = &p->table;
        read_pmt(a, p, section, size);
    } else if (table == TABLE_SDT && pid == PID_SDT) {
        watch = &a->tables[ANALYSER_TABLE_SDT];
        read_sdt(a, section, size);
    } else if (table == TABLE_NIT && pid == a->nit_pid) {
        watch = &a->tables[ANALYSER_TABLE_NIT];
    }
    if (watch && (table == TABLE_TDT || section[6] == 0))
        ana_mark(a, (struct ana_mark){.packet = a->packet, .watch = watch});
}
