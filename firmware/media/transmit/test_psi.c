/* Sections, text and PES packets, checked byte for byte against the standards. */
#include <string.h>

#include "bytes.h"
#include "check.h"
#include "clock.h"
#include "dvb_text.h"
#include "pes.h"
#include "psi.h"

static struct spec example(void)
{
    struct spec spec = {.transport_stream_id = 0x1234, .original_network_id = 0xff01, .network_id = 0xff02};
    snprintf(spec.network_name, sizeof spec.network_name, "Net");
    snprintf(spec.character_set, sizeof spec.character_set, "auto");
    spec.programme_count = 2;
    for (unsigned i = 0; i < 2; i++) {
        struct programme_spec *programme = &spec.programmes[i];
        programme->number = (uint16_t)(10 + i);
        programme->pmt_pid = (uint16_t)(0x1000 + i);
        programme->pcr_pid = (uint16_t)(0x100 + 16 * i);
        snprintf(programme->service_name, sizeof programme->service_name, "Kanal Ä");
        snprintf(programme->provider_name, sizeof programme->provider_name, "P");
    }
    return spec;
}

/* A section is whole when the CRC over all of it, CRC_32 included, is zero. */
static void check_section(const uint8_t *section, size_t size, uint8_t table)
{
    CHECK(section[0] == table);
    CHECK((size_t)(get_be16(section + 1) & 0xfff) + 3 == size);
    CHECK(psi_crc(section, size) == 0);
}

static void test_pat_and_nit(void)
{
    uint8_t out[SECTION_MAX];
    struct spec spec = example();
    size_t size = psi_pat(out, &spec, 5);
    check_section(out, size, 0x00);
    CHECK(get_be16(out + 3) == 0x1234);
    CHECK((out[5] >> 1 & 0x1f) == 5 && (out[5] & 1) == 1);
    CHECK(get_be16(out + 8) == 0 && (get_be16(out + 10) & 0x1fff) == PID_NIT);
    CHECK(get_be16(out + 12) == 10 && (get_be16(out + 14) & 0x1fff) == 0x1000);
    CHECK(get_be16(out + 16) == 11 && size == 24);

    size = psi_nit(out, &spec, 0);
    check_section(out, size, 0x40);
    CHECK(get_be16(out + 3) == 0xff02);
    CHECK((get_be16(out + 8) & 0xfff) == 5 && memcmp(out + 10, "\x40\x03Net", 5) == 0);
    CHECK((get_be16(out + 15) & 0xfff) == 14);
    CHECK(get_be16(out + 17) == 0x1234 && get_be16(out + 19) == 0xff01);
    CHECK(memcmp(out + 23, "\x41\x06\x00\x0a\x01\x00\x0b\x01", 8) == 0);
}

static void test_pmt(void)
{
    uint8_t out[SECTION_MAX];
    struct spec spec = example();
    struct psi_stream streams[] = {{0x100, FEED_H264, ""}, {0x101, FEED_AAC_ADTS, "deu"}, {0x102, FEED_MPEG_AUDIO, ""}};
    size_t size = psi_pmt(out, &spec.programmes[0], streams, 3, 31);
    check_section(out, size, 0x02);
    CHECK(get_be16(out + 3) == 10 && (out[5] >> 1 & 0x1f) == 31);
    CHECK((get_be16(out + 8) & 0x1fff) == 0x100);
    CHECK(memcmp(out + 12, "\x1b\xe1\x00\xf0\x00", 5) == 0);
    CHECK(memcmp(out + 17, "\x0f\xe1\x01\xf0\x0a\x0a\x04" "deu\x00\x7c\x02\x51\x7f", 15) == 0);
    CHECK(memcmp(out + 32, "\x03\xe1\x02\xf0\x00", 5) == 0);
}

static void test_sdt_and_tdt(void)
{
    uint8_t out[SECTION_MAX];
    struct spec spec = example();
    size_t size = psi_sdt(out, &spec, 1, 2);
    check_section(out, size, 0x42);
    CHECK(out[6] == 1 && out[7] == 1); /* second of two sections */
    CHECK(get_be16(out + 8) == 0xff01 && get_be16(out + 11) == 11);
    CHECK(out[14] >> 5 == 4); /* running */
    CHECK(memcmp(out + 16, "\x48\x0d\x01\x01P\x09\x15Kanal \xc3\x84", 15) == 0);

    CHECK(psi_tdt(out, 1700000000) == 8);
    /* 14 November 2023, 22:13:20 */
    CHECK(memcmp(out, "\x70\x70\x05\xeb\x66\x22\x13\x20", 8) == 0);
}

static void test_text(void)
{
    uint8_t out[32];
    CHECK(dvb_text("iso-8859-5", "News", out, sizeof out) == 4 && memcmp(out, "News", 4) == 0);
    CHECK(dvb_text("iso-8859-5", "Ж", out, sizeof out) == 2 && memcmp(out, "\x01\xb6", 2) == 0);
    CHECK(dvb_text("iso-8859-1", "Ä", out, sizeof out) == 4 && memcmp(out, "\x10\x00\x01\xc4", 4) == 0);
    /* Not in the set: UTF-8 instead. */
    CHECK(dvb_text("iso-8859-1", "Ж", out, sizeof out) == 3 && memcmp(out, "\x15\xd0\x96", 3) == 0);
    CHECK(dvb_text("auto", "Ж", out, sizeof out) == 3 && out[0] == 0x15);
    /* Cut between characters, control characters left out. */
    CHECK(dvb_text("utf-8", "ЖЖЖ", out, 6) == 5);
    CHECK(dvb_text("utf-8", "a\tb", out, sizeof out) == 2 && memcmp(out, "ab", 2) == 0);
    /* A character that is cut off at the end of the string must not be read past it. */
    CHECK(dvb_text("utf-8", "a\xd0", out, sizeof out) == 2);
}

static uint64_t timestamp(const uint8_t *at)
{
    CHECK((at[0] & 1) == 1 && (at[2] & 1) == 1 && (at[4] & 1) == 1);
    return (uint64_t)(at[0] >> 1 & 7) << 30 | (uint64_t)(get_be16(at + 1) >> 1) << 15 | get_be16(at + 3) >> 1;
}

static void test_pes(void)
{
    static const uint8_t idr[] = {0, 0, 0, 1, 0x67, 0x64, 0, 31, 0, 0, 1, 0x68, 0xee, 0, 0, 1, 0x65, 0x88, 0x84};
    struct feed_unit unit = {.flags = FEED_KEY, .pts = 3 * NS_PER_S, .dts = 2 * NS_PER_S, .data = idr, .size = sizeof idr};
    struct pes *pes = pes_new(&unit, FEED_H264, NS_PER_S);
    CHECK(pes != NULL && pes->key && pes->dts == 3 * NS_PER_S);
    CHECK(get_be32(pes->bytes) == 0x1e0);
    CHECK((size_t)get_be16(pes->bytes + 4) + 6 == pes->size);
    CHECK(timestamp(pes->bytes + 9) == 360000 && timestamp(pes->bytes + 14) == 270000);
    /* An access unit delimiter was put in front. */
    CHECK(memcmp(pes->bytes + 19, "\0\0\0\1\x09\xf0\0\0\0\1\x67", 11) == 0);
    free(pes);

    static const uint8_t delimited[] = {0, 0, 0, 1, 9, 0x10, 0, 0, 0, 1, 0x41, 0x9a};
    unit = (struct feed_unit){.pts = 0, .dts = 0, .data = delimited, .size = sizeof delimited};
    pes = pes_new(&unit, FEED_H264, 0);
    CHECK(pes != NULL && pes->size == 14 + sizeof delimited && pes->bytes[7] == 0x80);
    free(pes);

    /* 2^33 ticks of 90 kHz are 95443.7 s; time stamps wrap there. */
    CHECK(pes_timestamp(INT64_C(95443717677778)) == (UINT64_C(1) << 33) - 1);
    CHECK(pes_timestamp(INT64_C(95443717688889)) == 0);

    CHECK(pes_h264_max_bitrate(idr, sizeof idr) == INT64_C(14000) * 1250);
    CHECK(pes_h264_max_bitrate(delimited, sizeof delimited) == 0);
}

int main(void)
{
    test_pat_and_nit();
    test_pmt();
    test_sdt_and_tdt();
    test_text();
    test_pes();
    return 0;
}
