/* analyse: measures a transport stream from the network or from a file. */
#include <getopt.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/signalfd.h>
#include <time.h>
#include <unistd.h>

#include "datagram.h"
#include "file.h"
#include "gaps.h"
#include "receive.h"
#include "report.h"

#define LIST_MAX 1000
#define FULL_DATAGRAM 7
#define REAL_DIGITS JSON_REAL_PRECISION(12)
#define NS_PER_S INT64_C(1000000000)

static const char usage[] =
    "usage: analyse --listen ADDRESS:PORT [--interface NAME] [--control ADDRESS:PORT] [options]\n"
    "       analyse --file PATH [options]\n"
    "Measures an MPEG transport stream (UDP, RTP or a file, - for standard input) against TR 101 290.\n"
    "  --control ADDRESS:PORT  listen to a `metronome` too: gaps are excused where it stalled\n"
    "  --gap-ms N              list gaps between datagrams over N ms (40)\n"
    "  --pid-missing-ms N      limit of check 1.6 (5000)\n"
    "  --seconds N             end after N seconds; else SIGINT and SIGTERM end it\n"
    "  --record FILE           keep the packets\n"
    "  --json                  report as JSON\n"
    "  --follow                print each error at once and a summary each second, one JSON object a line\n"
    "Times are in ns of CLOCK_MONOTONIC.\n";

struct arguments {
    const char *listen, *interface, *control, *file, *record;
    double gap_ms, seconds;
    int pid_missing_ms;
    bool json, follow;
};

struct session {
    struct arguments arguments;
    struct analyser *analyser;
    struct gaps gaps;
    struct rtp_sequence rtp;
    uint64_t datagrams, odd, foreign, rtp_datagrams;
    json_t *errors, *pmts, *gap_list;
    FILE *record;
    int64_t start_ns;
    uint64_t packets_before, datagrams_before; /* at the last summary */
};

static int64_t now_ns(void)
{
    struct timespec ts;
    clock_gettime(CLOCK_MONOTONIC, &ts);
    return ts.tv_sec * NS_PER_S + ts.tv_nsec;
}

/* Prints `object` when following, and keeps it in a list of limited length. */
static void note(struct session *s, json_t *list, json_t *object)
{
    if (s->arguments.follow) {
        json_dumpf(object, stdout, JSON_COMPACT | REAL_DIGITS);
        putchar('\n');
        fflush(stdout);
    }
    if (list && json_array_size(list) < LIST_MAX)
        json_array_append(list, object);
    json_decref(object);
}

static void take_event(void *data, const struct analyser_event *event)
{
    struct session *s = data;
    if (event->kind == ANALYSER_PMT_CHANGED)
        note(s, s->pmts, report_pmt(event));
    else
        note(s, s->errors, report_error(event));
}

static void take_gap(void *data, const struct gap *gap)
{
    struct session *s = data;
    note(s, s->gap_list, json_pack("{s:s, s:I, s:f, s:f, s:b}", "event", "gap",
                                   "time", (json_int_t)gap->start_ns,
                                   "ms", (double)(gap->end_ns - gap->start_ns) / 1e6,
                                   "stalledMs", (double)gap->stalled_ns / 1e6, "excused", gap->excused));
}

static void take_datagram(void *data, const uint8_t *bytes, size_t size, int64_t arrival_ns)
{
    struct session *s = data;
    struct datagram d;
    s->datagrams++;
    if (!datagram_read(bytes, size, &d)) {
        s->foreign++;
        return;
    }
    s->odd += d.odd || d.count != FULL_DATAGRAM;
    if (d.rtp) {
        s->rtp_datagrams++;
        rtp_sequence_take(&s->rtp, d.sequence);
    }
    gaps_take(&s->gaps, arrival_ns);
    for (size_t i = 0; i < d.count; i++)
        analyser_push(s->analyser, d.packets + i * ANALYSER_PACKET_SIZE, arrival_ns);
    if (s->record)
        fwrite(d.packets, ANALYSER_PACKET_SIZE, d.count, s->record);
}

static void take_control(void *data, const uint8_t *bytes, size_t size, int64_t arrival_ns)
{
    struct session *s = data;
    (void)bytes;
    (void)size;
    gaps_take_control(&s->gaps, arrival_ns);
}

static void take_packet(void *data, const uint8_t packet[188])
{
    struct session *s = data;
    analyser_push(s->analyser, packet, -1);
    if (s->record)
        fwrite(packet, ANALYSER_PACKET_SIZE, 1, s->record);
}

static void summarise(struct session *s, const struct receiver *r, int64_t now, int64_t passed_ns)
{
    struct analyser_recent recent = analyser_take_recent(s->analyser);
    uint64_t packets = analyser_packets(s->analyser);
    int64_t silent = s->gaps.started ? now - s->gaps.last_ns : 0;
    if (silent > s->gaps.recent_ns)
        s->gaps.recent_ns = silent;
    json_t *line = json_pack("{s:s, s:I, s:I, s:f, s:f, s:I, s:{s:f, s:I}, s:o}", "event", "second",
        "time", (json_int_t)now, "datagrams", (json_int_t)(s->datagrams - s->datagrams_before),
        "bitrate", (double)(packets - s->packets_before) * ANALYSER_PACKET_SIZE * 8 * 1e9 / (double)passed_ns,
        "gapMs", (double)s->gaps.recent_ns / 1e6, "kernelDropped", (json_int_t)receiver_dropped(r),
        "pcr", "intervalMs", (double)recent.pcr_interval_ns / 1e6, "errorNs", (json_int_t)recent.pcr_error_ns,
        "tr101290", report_counters(s->analyser));
    s->gaps.recent_ns = 0;
    s->packets_before = packets;
    s->datagrams_before = s->datagrams;
    note(s, NULL, line);
}

/* Receives until the time is over or a signal comes. */
static void receive(struct session *s, struct receiver *stream, struct receiver *control, int signals)
{
    struct pollfd fds[] = {{.fd = signals, .events = POLLIN},
                           {.fd = receiver_fd(stream), .events = POLLIN},
                           {.fd = control ? receiver_fd(control) : -1, .events = POLLIN}};
    int64_t end = s->arguments.seconds > 0 ? s->start_ns + (int64_t)(s->arguments.seconds * 1e9) : INT64_MAX;
    int64_t second = s->start_ns;
    note(s, NULL, json_pack("{s:s, s:I}", "event", "listening", "time", (json_int_t)s->start_ns));
    for (int64_t now; (now = now_ns()) < end && !(fds[0].revents & POLLIN);) {
        if (now - second >= NS_PER_S) {
            if (s->arguments.follow)
                summarise(s, stream, now, now - second);
            second = now;
        }
        int64_t wake = second + NS_PER_S < end ? second + NS_PER_S : end;
        if (poll(fds, 3, (int)((wake - now) / 1000000) + 1) <= 0)
            continue;
        receiver_read(stream);
        if (control)
            receiver_read(control);
    }
    gaps_finish(&s->gaps);
}

static void report_datagrams(const struct session *s, json_t *report, int64_t end,
                             const struct receiver *stream, const struct receiver *control)
{
    const struct gaps *g = &s->gaps;
    json_object_set_new(report, "datagrams", json_pack("{s:s, s:I, s:I, s:I, s:I, s:I, s:I, s:f}",
        "protocol", s->rtp_datagrams ? "rtp" : "udp", "count", (json_int_t)s->datagrams,
        "oddSize", (json_int_t)s->odd, "foreign", (json_int_t)s->foreign, "rtpLost", (json_int_t)s->rtp.lost,
        "rtpDisordered", (json_int_t)s->rtp.disordered, "kernelDropped", (json_int_t)receiver_dropped(stream),
        "silentMs", (double)(end - (g->started ? g->last_ns : s->start_ns)) / 1e6));
    json_object_set_new(report, "gap", json_pack("{s:f, s:f, s:I, s:f, s:I, s:I, s:O}",
        "thresholdMs", (double)g->threshold_ns / 1e6,
        "longestMs", (double)(g->longest.end_ns - g->longest.start_ns) / 1e6,
        "longestTime", (json_int_t)g->longest.start_ns,
        "longestUnexcusedMs", (double)g->longest_unexcused_ns / 1e6,
        "count", (json_int_t)g->count, "unexcused", (json_int_t)g->unexcused, "list", s->gap_list));
    if (control)
        json_object_set_new(report, "control", json_pack("{s:I, s:I, s:f, s:I}",
            "datagrams", (json_int_t)g->controls, "stalls", (json_int_t)g->stalls,
            "longestMs", (double)g->longest_control_ns / 1e6,
            "kernelDropped", (json_int_t)receiver_dropped(control)));
}

static json_t *begin_report(const struct session *s, int64_t end)
{
    const struct arguments *a = &s->arguments;
    return json_pack("{s:s, s:s, s:I, s:I, s:f}", "event", "report", "source", a->file ? a->file : a->listen,
                     "startTime", (json_int_t)s->start_ns, "endTime", (json_int_t)end,
                     "seconds", (double)(end - s->start_ns) / 1e9);
}

static void finish_report(const struct session *s, json_t *report)
{
    report_stream(report, s->analyser);
    json_object_set(report, "pmtChanges", s->pmts);
    json_object_set(report, "errors", s->errors);
    if (s->arguments.json || s->arguments.follow) {
        json_dumpf(report, stdout, (s->arguments.follow ? JSON_COMPACT : JSON_INDENT(2)) | REAL_DIGITS);
        putchar('\n');
    } else {
        report_print(report);
    }
    json_decref(report);
}

static int run_file(struct session *s)
{
    FILE *file = strcmp(s->arguments.file, "-") ? fopen(s->arguments.file, "rb") : stdin;
    int64_t skipped = file ? file_read(file, take_packet, s) : -1;
    if (skipped < 0) {
        perror(s->arguments.file);
        return 1;
    }
    json_t *report = begin_report(s, now_ns());
    json_object_set_new(report, "skippedBytes", json_integer(skipped));
    finish_report(s, report);
    return 0;
}

static int run_network(struct session *s)
{
    struct address from, control_from;
    const struct arguments *a = &s->arguments;
    if (!address_read(a->listen, a->interface, &from) ||
        (a->control && !address_read(a->control, a->interface, &control_from)))
        return 2;
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, SIGINT);
    sigaddset(&set, SIGTERM);
    sigprocmask(SIG_BLOCK, &set, NULL);
    int signals = signalfd(-1, &set, SFD_CLOEXEC);
    struct receiver *stream = receiver_new(&from, take_datagram, s);
    struct receiver *control = a->control && stream ? receiver_new(&control_from, take_control, s) : NULL;
    bool ready = signals >= 0 && stream && (control || !a->control);
    if (ready) {
        receive(s, stream, control, signals);
        int64_t end = now_ns();
        json_t *report = begin_report(s, end);
        report_datagrams(s, report, end, stream, control);
        finish_report(s, report);
    }
    receiver_free(stream);
    receiver_free(control);
    close(signals);
    return ready ? 0 : 1;
}

/* Reads a number within limits into `out`. */
static bool read_number(const char *name, const char *text, double min, double max, double *out)
{
    char *end;
    double value = strtod(text, &end);
    if (end == text || *end || !(value >= min && value <= max)) {
        fprintf(stderr, "%s is \"%s\"; it must be %g to %g\n", name, text, min, max);
        return false;
    }
    *out = value;
    return true;
}

static bool read_arguments(int argc, char **argv, struct arguments *a)
{
    static const struct option options[] = {
        {"listen", required_argument, NULL, 'l'},  {"interface", required_argument, NULL, 'i'},
        {"control", required_argument, NULL, 'c'}, {"file", required_argument, NULL, 'f'},
        {"record", required_argument, NULL, 'r'},  {"gap-ms", required_argument, NULL, 'g'},
        {"seconds", required_argument, NULL, 's'}, {"pid-missing-ms", required_argument, NULL, 'p'},
        {"json", no_argument, NULL, 'j'},          {"follow", no_argument, NULL, 'F'},
        {NULL, 0, NULL, 0}};
    bool right = true;
    double pid_missing = 5000;
    *a = (struct arguments){.gap_ms = 40};
    for (int o; (o = getopt_long(argc, argv, "", options, NULL)) != -1;) {
        switch (o) {
        case 'l': a->listen = optarg; break;
        case 'i': a->interface = optarg; break;
        case 'c': a->control = optarg; break;
        case 'f': a->file = optarg; break;
        case 'r': a->record = optarg; break;
        case 'g': right &= read_number("--gap-ms", optarg, 1, 60000, &a->gap_ms); break;
        case 's': right &= read_number("--seconds", optarg, 0.1, 1e7, &a->seconds); break;
        case 'p': right &= read_number("--pid-missing-ms", optarg, 100, 600000, &pid_missing); break;
        case 'j': a->json = true; break;
        case 'F': a->follow = true; break;
        default: right = false;
        }
    }
    a->pid_missing_ms = (int)pid_missing;
    return right && optind == argc && !a->listen != !a->file && (a->listen || !a->control);
}

int main(int argc, char **argv)
{
    struct session s = {.start_ns = now_ns()};
    if (!read_arguments(argc, argv, &s.arguments)) {
        fputs(usage, stderr);
        return 2;
    }
    s.gaps = (struct gaps){.threshold_ns = (int64_t)(s.arguments.gap_ms * 1e6),
                           .controlled = s.arguments.control, .found = take_gap, .data = &s};
    s.analyser = analyser_new(&(struct analyser_options){.pid_missing_ms = s.arguments.pid_missing_ms,
                                                         .samples = true, .event = take_event, .data = &s});
    s.errors = json_array();
    s.pmts = json_array();
    s.gap_list = json_array();
    if (s.arguments.record && !(s.record = fopen(s.arguments.record, "wb"))) {
        perror(s.arguments.record);
        return 1;
    }
    if (!s.analyser || !s.errors || !s.pmts || !s.gap_list) {
        fputs("out of memory\n", stderr);
        return 1;
    }
    int code = s.arguments.file ? run_file(&s) : run_network(&s);
    if (s.record && fclose(s.record) != 0) {
        perror(s.arguments.record);
        code = 1;
    }
    analyser_free(s.analyser);
    json_decref(s.errors);
    json_decref(s.pmts);
    json_decref(s.gap_list);
    return code;
}
