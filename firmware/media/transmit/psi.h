/* PSI and SI sections (ISO/IEC 13818-1 2.4.4, EN 300 468 clause 5.2). */
#ifndef STEADYCAST_PSI_H
#define STEADYCAST_PSI_H

#include <stddef.h>
#include <stdint.h>
#include <time.h>

#include "spec.h"

#define SECTION_MAX 1024
#define PID_PAT 0x0000
#define PID_NIT 0x0010
#define PID_SDT 0x0011
#define PID_TDT 0x0014

/** A stream as the PMT names it. */
struct psi_stream {
    uint16_t pid;
    uint8_t codec; /* enum feed_codec */
    char language[4];
};

/* Each writes one section into `out` (SECTION_MAX bytes) and returns its length. `version` is 0…31. */
size_t psi_pat(uint8_t *out, const struct spec *spec, uint8_t version);
size_t psi_pmt(uint8_t *out, const struct programme_spec *programme, const struct psi_stream *streams, size_t count,
               uint8_t version);
/** The SDT carries one service a section: this is the section of programme `index`. */
size_t psi_sdt(uint8_t *out, const struct spec *spec, size_t index, uint8_t version);
size_t psi_nit(uint8_t *out, const struct spec *spec, uint8_t version);
/** UTC in `out`: MJD and BCD (annex C). */
size_t psi_tdt(uint8_t *out, time_t utc);

/** CRC_32 (13818-1 annex A). */
uint32_t psi_crc(const uint8_t *data, size_t size);

#endif
