/* The analyser: measures an MPEG transport stream (ISO/IEC 13818-1) against priorities 1 and 2 of ETSI TR 101
 * 290.
 *
 * * It takes one packet after another, does no I/O and shares nothing with the multiplexer, so that an error
 * in one cannot hide in the other. Memory is bounded by the number of PIDs. One instance belongs to one
 * thread.
 *
 * * Intervals are judged in stream time, the time at which a receiver without network jitter sees the packet:
 * bytes between two PCRs pass at constant rate (13818-1 clause 2.4.2.2). So what happens between two PCRs is
 * judged when the second one comes. Where no PCR comes for a second, arrival time takes its place; without
 * arrival time either (a file without PCR), time stands still and no interval is judged. An interval that
 * exceeds its limit is one error, and one more for each further second that the thing stays away.
 *
 * * Ticks are those of the system clock, 27 MHz. */
#ifndef STEADYCAST_ANALYSER_H
#define STEADYCAST_ANALYSER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define ANALYSER_PACKET_SIZE 188
#define ANALYSER_TICKS_PER_S INT64_C(27000000)
#define ANALYSER_STREAMS_MAX 64
#define ANALYSER_STEPS_MAX 16

struct analyser;

/** The checks, by their clause in TR 101 290 (V1.4.1, 5.2.1 and 5.2.2). */
enum analyser_check {
    ANALYSER_SYNC_LOSS,         /* 1.1: two sync bytes in a row are wrong; five good ones end it */
    ANALYSER_SYNC_BYTE,         /* 1.2: sync byte is not 0x47 */
    ANALYSER_PAT,               /* 1.3.a: no PAT for 0.5 s; another table on PID 0; PID 0 scrambled */
    ANALYSER_CONTINUITY,        /* 1.4: packet lost, out of order, or sent more than twice */
    ANALYSER_PMT,               /* 1.5.a: no PMT for 0.5 s on a PID that the PAT names; PMT scrambled */
    ANALYSER_PID_MISSING,       /* 1.6: a PID that a PMT names is silent for the set time */
    ANALYSER_TRANSPORT_ERROR,   /* 2.1: transport_error_indicator set; such a packet tells nothing else */
    ANALYSER_CRC,               /* 2.2: PAT, CAT, PMT, NIT, SDT, BAT, EIT or TOT with a wrong CRC */
    ANALYSER_PCR_REPETITION,    /* 2.3.a: more than 40 ms between two PCRs */
    ANALYSER_PCR_DISCONTINUITY, /* 2.3.b: step outside 0…100 ms without discontinuity_indicator */
    ANALYSER_PCR_ACCURACY,      /* 2.4: PCR more than 500 ns off its byte position (constant rate only) */
    ANALYSER_PTS,               /* 2.5: more than 700 ms between two PTS of a video or audio stream */
    ANALYSER_CHECKS
};

/** The name of a check in reports and in the control protocol, such as "pcrRepetition". */
const char *analyser_check_name(enum analyser_check check);

struct analyser_counters {
    uint64_t count[ANALYSER_CHECKS];
};

/** Minimum, maximum and mean of a step; all zero while count is 0. */
struct analyser_span {
    int64_t min, max, sum;
    uint64_t count;
};

static inline double analyser_mean(const struct analyser_span *span)
{
    return span->count ? (double)span->sum / (double)span->count : 0;
}

struct analyser_entry {
    uint16_t pid;
    uint8_t type;       /* stream_type, 13818-1 table 2-34 */
    uint8_t descriptor; /* of private data: tag of the one that tells the format (EN 300 468); else 0 */
    char language[4];   /* ISO 639-2, or empty */
};

/** A programme as PAT, PMT and SDT describe it. Names are as sent, DVB character set selector included. */
struct analyser_programme {
    uint16_t number, pmt_pid, pcr_pid;
    int version;      /* of the PMT; −1 before the first one */
    uint64_t changes; /* how often the PMT's content changed */
    size_t count;
    struct analyser_entry streams[ANALYSER_STREAMS_MAX];
    uint8_t name[256], provider[256];
    size_t name_size, provider_size;
};

struct analyser_event {
    enum { ANALYSER_ERROR, ANALYSER_PMT_CHANGED } kind;
    enum analyser_check check;
    uint16_t pid;
    int64_t arrival_ns; /* of the packet that showed it; −1 when unknown */
    uint64_t packet;    /* its number, from 0 */
    /** Interval checks and PCR accuracy: the measured value in ns. Continuity: packets missing, modulo 16. */
    int64_t value;
    const struct analyser_programme *programme; /* of a new PMT; valid during the call */
};

struct analyser_options {
    int pid_missing_ms; /* limit of check 1.6; 0 means 5000 */
    bool samples;       /* keep PCR arrival times for analyser_jitter(): 64 KiB a PCR PID */
    /** Called from within analyser_push(); it must not call the analyser. May be NULL. */
    void (*event)(void *data, const struct analyser_event *event);
    void *data;
};

/** A new analyser, or NULL when out of memory. */
struct analyser *analyser_new(const struct analyser_options *options);
void analyser_free(struct analyser *a);

/** Takes the next packet. `arrival_ns` is when it came by any steady clock, or −1 when that is unknown. When
 *  memory runs out, packets of PIDs seen for the first time are counted but not analysed. */
void analyser_push(struct analyser *a, const uint8_t packet[ANALYSER_PACKET_SIZE], int64_t arrival_ns);

/** The errors so far. */
const struct analyser_counters *analyser_counters(const struct analyser *a);

/** The widest PCR interval and, at constant rate, the largest PCR error in ns since the last call. */
struct analyser_recent {
    int64_t pcr_interval_ns, pcr_error_ns;
};
struct analyser_recent analyser_take_recent(struct analyser *a);

/** Packets so far, and the mean rate over them in bit/s of stream time (0 while unknown). */
uint64_t analyser_packets(const struct analyser *a);
double analyser_bitrate(const struct analyser *a);

/** Programme `n` of the PAT in its order, or NULL past the last. */
const struct analyser_programme *analyser_programme(const struct analyser *a, size_t n);

enum analyser_table { ANALYSER_TABLE_PAT, ANALYSER_TABLE_PMT, ANALYSER_TABLE_SDT, ANALYSER_TABLE_NIT,
                      ANALYSER_TABLE_TDT, ANALYSER_TABLES };
/** Intervals of a table in ticks; of the PMTs, all programmes together. SDT and NIT are the "actual" ones. */
struct analyser_span analyser_table(const struct analyser *a, enum analyser_table table);

struct analyser_pid {
    uint16_t pid;
    uint64_t packets, continuity, duplicates, scrambled;
};
/** The first PID from `pid` upwards that was seen or is named by a table, or NULL. */
const struct analyser_pid *analyser_pid(const struct analyser *a, unsigned pid);

struct analyser_pcr {
    bool referenced;             /* a PMT names this PID as PCR_PID */
    struct analyser_span interval; /* ticks; steps outside 0…100 ms are not in it */
    uint64_t discontinuities;    /* such steps, flagged or not */
    /** Accuracy is measured in windows of about a second. Those where 90 % of the intervals agree within 1 %
     *  count as constant rate; `bitrate` (bit/s) and the largest error (ns) come from them. */
    uint64_t windows, constant_windows;
    double bitrate;
    int64_t error_ns;
};
/** The PCR on `pid`, or NULL when it carries none. */
const struct analyser_pcr *analyser_pcr(const struct analyser *a, uint16_t pid);
/** True when at least 90 % of the windows, and at least one, had a constant rate. */
bool analyser_constant_rate(const struct analyser_pcr *pcr);

/** Arrival time less PCR, in ns around the mean, and the drift between both clocks, which is taken out. */
struct analyser_jitter {
    double p1, p50, p99, drift_ppm;
    size_t samples;
};
/** False when there are fewer than three samples, or out of memory. */
bool analyser_jitter(const struct analyser *a, uint16_t pid, struct analyser_jitter *out);

/** Time stamps of an elementary stream, in 90 kHz; the PTS stands for a DTS that is not sent. */
struct analyser_stream {
    struct analyser_entry entry; /* as the PMT last named it */
    uint64_t units;              /* PES packets with a time stamp */
    struct analyser_span dts_step, pts_step;
    uint64_t backward;           /* DTS that did not advance */
    struct { int64_t step; uint64_t count; } steps[ANALYSER_STEPS_MAX]; /* DTS steps by value, as they came */
    size_t step_kinds;
    uint64_t other_steps; /* those that had no more room */
    /** DTS less PCR when the last byte of the unit had come: the smallest, in ticks. */
    int64_t lead_min;
    bool lead_known;
};
const struct analyser_stream *analyser_stream(const struct analyser *a, uint16_t pid);

#endif
