#include "psi.h"

#include <stdbool.h>
#include <string.h>

#include "bytes.h"
#include "dvb_text.h"

#define SERVICE_TYPE_TELEVISION 0x01

/* A section is written front to back; lengths are put in when what they count is complete. */
struct writer {
    uint8_t *out;
    size_t size;
};

static void w8(struct writer *w, unsigned value)
{
    if (w->size < SECTION_MAX)
        w->out[w->size] = (uint8_t)value;
    w->size++;
}

static void w16(struct writer *w, unsigned value)
{
    w8(w, value >> 8);
    w8(w, value & 0xff);
}

static void put_length12(struct writer *w, size_t at, unsigned reserved)
{
    put_be16(w->out + at, (uint16_t)(reserved << 12 | (w->size - at - 2)));
}

uint32_t psi_crc(const uint8_t *data, size_t size)
{
    uint32_t crc = 0xffffffff;
    for (size_t i = 0; i < size; i++) {
        crc ^= (uint32_t)data[i] << 24;
        for (int bit = 0; bit < 8; bit++)
            crc = crc << 1 ^ ((crc & 0x80000000) != 0 ? 0x04c11db7 : 0);
    }
    return crc;
}

/* The eight bytes that all long sections begin with. */
static struct writer begin(uint8_t *out, uint8_t table, uint16_t extension, uint8_t version, uint8_t number,
                           uint8_t last_number)
{
    struct writer w = {.out = out};
    w8(&w, table);
    w16(&w, 0); /* section_length, see finish() */
    w16(&w, extension);
    w8(&w, 0xc1u | (unsigned)version << 1); /* current_next_indicator 1 */
    w8(&w, number);
    w8(&w, last_number);
    return w;
}

/* DVB's own sections set the bit behind section_syntax_indicator, PSI's clear it. */
static size_t finish(struct writer *w, bool dvb)
{
    put_be16(w->out + 1, (uint16_t)((dvb ? 0xf000 : 0xb000) | (w->size + 4 - 3)));
    uint32_t crc = psi_crc(w->out, w->size);
    w16(w, crc >> 16);
    w16(w, crc & 0xffff);
    return w->size;
}

size_t psi_pat(uint8_t *out, const struct spec *spec, uint8_t version)
{
    struct writer w = begin(out, 0x00, spec->transport_stream_id, version, 0, 0);
    w16(&w, 0);
    w16(&w, 0xe000 | PID_NIT);
    for (size_t i = 0; i < spec->programme_count; i++) {
        w16(&w, spec->programmes[i].number);
        w16(&w, 0xe000u | spec->programmes[i].pmt_pid);
    }
    return finish(&w, false);
}

static uint8_t stream_type(uint8_t codec)
{
    switch (codec) {
    case FEED_H264:
        return 0x1b;
    case FEED_H265:
        return 0x24;
    case FEED_AAC_ADTS:
        return 0x0f;
    default:
        return 0x03; /* ISO/IEC 11172-3 audio */
    }
}

size_t psi_pmt(uint8_t *out, const struct programme_spec *programme, const struct psi_stream *streams, size_t count,
               uint8_t version)
{
    struct writer w = begin(out, 0x02, programme->number, version, 0, 0);
    w16(&w, 0xe000u | programme->pcr_pid);
    w16(&w, 0xf000); /* program_info_length 0 */
    for (size_t i = 0; i < count; i++) {
        w8(&w, stream_type(streams[i].codec));
        w16(&w, 0xe000u | streams[i].pid);
        size_t length_at = w.size;
        w16(&w, 0);
        if (!feed_codec_is_video(streams[i].codec) && streams[i].language[0] != '\0') {
            w8(&w, 0x0a); /* ISO_639_language_descriptor */
            w8(&w, 4);
            for (int j = 0; j < 3; j++)
                w8(&w, (unsigned char)streams[i].language[j]);
            w8(&w, 0);
        }
        if (streams[i].codec == FEED_AAC_ADTS) {
            w8(&w, 0x7c); /* AAC_descriptor (EN 300 468 annex H): AAC profile, level 2, no type */
            w8(&w, 2);
            w8(&w, 0x51);
            w8(&w, 0x7f);
        }
        put_length12(&w, length_at, 0xf);
    }
    return finish(&w, false);
}

static void write_text(struct writer *w, const char *character_set, const char *text, size_t max)
{
    uint8_t encoded[255];
    size_t length = dvb_text(character_set, text, encoded, max);
    w8(w, (unsigned)length);
    for (size_t i = 0; i < length; i++)
        w8(w, encoded[i]);
}

size_t psi_sdt(uint8_t *out, const struct spec *spec, size_t index, uint8_t version)
{
    const struct programme_spec *programme = &spec->programmes[index];
    struct writer w = begin(out, 0x42, spec->transport_stream_id, version, (uint8_t)index,
                            (uint8_t)(spec->programme_count - 1));
    w16(&w, spec->original_network_id);
    w8(&w, 0xff);
    w16(&w, programme->number);
    w8(&w, 0xfc); /* no EIT */
    size_t length_at = w.size;
    w16(&w, 0);
    w8(&w, 0x48); /* service_descriptor */
    size_t descriptor_at = w.size;
    w8(&w, 0);
    w8(&w, SERVICE_TYPE_TELEVISION);
    write_text(&w, spec->character_set, programme->provider_name, 125);
    write_text(&w, spec->character_set, programme->service_name, 125);
    out[descriptor_at] = (uint8_t)(w.size - descriptor_at - 1);
    put_length12(&w, length_at, 0x8); /* running_status 4 (running), free_CA_mode 0 */
    return finish(&w, true);
}

size_t psi_nit(uint8_t *out, const struct spec *spec, uint8_t version)
{
    struct writer w = begin(out, 0x40, spec->network_id, version, 0, 0);
    size_t length_at = w.size;
    w16(&w, 0);
    w8(&w, 0x40); /* network_name_descriptor */
    write_text(&w, spec->character_set, spec->network_name, 250);
    put_length12(&w, length_at, 0xf);
    size_t loop_at = w.size;
    w16(&w, 0);
    w16(&w, spec->transport_stream_id);
    w16(&w, spec->original_network_id);
    size_t descriptors_at = w.size;
    w16(&w, 0);
    w8(&w, 0x41); /* service_list_descriptor */
    w8(&w, (unsigned)(3 * spec->programme_count));
    for (size_t i = 0; i < spec->programme_count; i++) {
        w16(&w, spec->programmes[i].number);
        w8(&w, SERVICE_TYPE_TELEVISION);
    }
    put_length12(&w, descriptors_at, 0xf);
    put_length12(&w, loop_at, 0xf);
    return finish(&w, true);
}

static unsigned bcd(int value)
{
    return (unsigned)(value / 10 << 4 | value % 10);
}

size_t psi_tdt(uint8_t *out, time_t utc)
{
    struct tm tm;
    struct writer w = {.out = out};
    gmtime_r(&utc, &tm);
    w8(&w, 0x70);
    w16(&w, 0x7005);
    w16(&w, (unsigned)(40587 + utc / 86400)); /* MJD; day 0 of Unix time is 40587 */
    w8(&w, bcd(tm.tm_hour));
    w8(&w, bcd(tm.tm_min));
    w8(&w, bcd(tm.tm_sec));
    return w.size;
}
