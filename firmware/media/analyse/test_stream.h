/* A transport stream made by hand for the tests: constant rate, 2000 packets a second, so that a packet lasts
 * exactly 13500 ticks. Packet n passes at n · 0.5 ms. Programme 1: PMT on 0x100, H.264 at 25/s with the PCR
 * on 0x101, MPEG audio at 41⅔/s on 0x102. PAT and PMT come every 100 ms, PCR every 30 ms (in turn alone and
 * with payload), SDT, NIT and TDT every second. */
#ifndef STEADYCAST_ANALYSE_TEST_STREAM_H
#define STEADYCAST_ANALYSE_TEST_STREAM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "analyser.h"

#define PACKET 188
#define PACKET_TICKS 13500
#define PACKET_NS 500000
#define PER_MS(ms) ((size_t)(ms) * 2)

enum { PID_PAT = 0, PID_NIT = 0x10, PID_SDT = 0x11, PID_TDT = 0x14, PID_PMT = 0x100, PID_VIDEO = 0x101,
       PID_AUDIO = 0x102, PID_NULL = 0x1fff };
enum item { ITEM_PAT, ITEM_PMT, ITEM_SDT, ITEM_NIT, ITEM_TDT, ITEM_PCR, ITEM_VIDEO, ITEM_AUDIO, ITEMS };

struct plan {
    int ms;              /* length of the stream */
    int64_t pcr;         /* of packet 0, in ticks */
    struct { enum item item; int from_ms, to_ms; } silent[2]; /* what is left out, and when */
    struct { int at_ms; int64_t ticks; bool indicated; } jump; /* all time stamps step on */
    int pmt_change_ms;   /* from here on the PMT has version 1 and names AAC on 0x103 too; 0: never */
    size_t pmt_filler;   /* bytes of private descriptor in the PMT */
};

struct stream {
    size_t count;
    uint8_t (*packets)[PACKET];
};

/** Aborts the test when out of memory. Free `packets`. */
struct stream stream_make(const struct plan *plan);

/** The nth packet (from 0) of `pid`, from packet `from` on; `start`: only where a unit starts; `payload`:
 *  only with payload. Aborts the test when there is none. */
size_t stream_find(const struct stream *s, size_t from, uint16_t pid, bool start, bool payload, int nth);
void stream_remove(struct stream *s, size_t at);
/** Puts a copy of packet `at` behind it. */
void stream_repeat(struct stream *s, size_t at);

uint16_t packet_pid(const uint8_t *packet);
/** Adds to the PCR in a packet. */
void packet_move_pcr(uint8_t *packet, int64_t ticks);
/** Writes a packet that holds one section whose CRC (where `crc`) is right. */
void packet_section(uint8_t *packet, uint16_t pid, uint8_t cc, const uint8_t *section, size_t size, bool crc);

/** Analyses the stream; packet n arrives at `arrival`(n), or at its time when NULL. Free the analyser. */
struct analyser *stream_analyse(const struct stream *s, const struct analyser_options *options,
                                int64_t (*arrival)(size_t packet));
int64_t no_arrival(size_t packet);

#endif
