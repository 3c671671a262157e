/* Sections: reassembly from packets (13818-1 clause 2.4.4) and their CRC. */
#include <stdlib.h>
#include <string.h>

#include "internal.h"

#define STUFFING 0xff
#define TABLE_TDT 0x70
#define TABLE_TOT 0x73

/* CRC-32 of 13818-1 annex A; zero over a section that ends with its own. */
static uint32_t crc32(const uint8_t *data, size_t size)
{
    uint32_t crc = UINT32_MAX;
    for (size_t i = 0; i < size; i++) {
        crc ^= (uint32_t)data[i] << 24;
        for (int bit = 0; bit < 8; bit++)
            crc = crc << 1 ^ (crc >> 31 ? UINT32_C(0x04c11db7) : 0);
    }
    return crc;
}

/* Whether TR 101 290 check 2.2 applies to the table. */
static bool has_crc(uint8_t table)
{
    return table <= 0x02 || table == 0x40 || table == 0x41 || table == 0x42 || table == 0x46 ||
           table == 0x4a || (table >= 0x4e && table <= 0x6f) || table == TABLE_TOT;
}

static void deliver(struct analyser *a, struct ana_pid *p, const uint8_t *section, size_t size)
{
    if (has_crc(section[0])) {
        bool right = crc32(section, size) == 0;
#ifdef FUZZING_BUILD_MODE_UNSAFE_FOR_PRODUCTION
        right = true;
#endif
        if (!right) {
            ana_error(a, ANALYSER_CRC, p->view.pid, 0);
            return;
        }
        if (size < (section[0] == TABLE_TOT ? 3 + 5 + 2 + 4 : 3 + 5 + 4))
            return;
    } else if (section[0] != TABLE_TDT) {
        if (p->view.pid != 0)
            return;
    }
    ana_table(a, p, section, size);
}

/* Takes bytes of the section in hand; returns how many belonged to it. */
static size_t collect(struct analyser *a, struct ana_pid *p, const uint8_t *data, size_t size)
{
    struct ana_section *s = p->section;
    size_t used = 0;
    while (used < size) {
        size_t whole = s->size < 3 ? 3 : 3 + (size_t)(ana_u16(s->data + 1) & 0xfff);
        size_t n = whole - s->size < size - used ? whole - s->size : size - used;
        memcpy(s->data + s->size, data + used, n);
        s->size += n;
        used += n;
        if (s->size >= 3 && s->size == 3 + (size_t)(ana_u16(s->data + 1) & 0xfff)) {
            deliver(a, p, s->data, s->size);
            s->size = 0;
            break;
        }
    }
    return used;
}

void ana_sections(struct analyser *a, struct ana_pid *p, const uint8_t *payload, size_t size, bool start)
{
    struct ana_section *s = p->section ? p->section : (p->section = calloc(1, sizeof *s));
    if (!s)
        return;
    if (!start) {
        if (s->active && s->size)
            collect(a, p, payload, size);
        return;
    }
    size_t pointer = (size_t)payload[0] + 1;
    if (pointer > size) {
        s->active = false;
        return;
    }
    if (s->active && s->size)
        collect(a, p, payload + 1, pointer - 1);
    s->active = true;
    s->size = 0;
    while (pointer < size && payload[pointer] != STUFFING)
        pointer += collect(a, p, payload + pointer, size - pointer);
}
