/* The report for people, made from the one for programs. */
#include <stdio.h>

#include "report.h"

#define LINES_SHOWN 20

static const json_t *at(const json_t *object, const char *key)
{
    return json_object_get(object, key);
}

static double number(const json_t *object, const char *key)
{
    return json_number_value(at(object, key));
}

static long long integer(const json_t *object, const char *key)
{
    return (long long)json_integer_value(at(object, key));
}

static const char *text(const json_t *object, const char *key)
{
    const char *value = json_string_value(at(object, key));
    return value ? value : "";
}

static void print_datagrams(const json_t *report)
{
    const json_t *d = at(report, "datagrams"), *g = at(report, "gap"), *c = at(report, "control"), *one;
    if (!d)
        return;
    printf("datagrams     %lld (%s), %lld of odd size, %lld foreign, RTP %lld lost %lld disordered, "
           "kernel dropped %lld\n",
           integer(d, "count"), text(d, "protocol"), integer(d, "oddSize"), integer(d, "foreign"),
           integer(d, "rtpLost"), integer(d, "rtpDisordered"), integer(d, "kernelDropped"));
    printf("gaps          longest %.3f ms, %lld over %.0f ms; unexcused: longest %.3f ms, %lld over\n",
           number(g, "longestMs"), integer(g, "count"), number(g, "thresholdMs"),
           number(g, "longestUnexcusedMs"), integer(g, "unexcused"));
    if (c)
        printf("control       %lld datagrams, %lld stalls, longest %.3f ms\n", integer(c, "datagrams"),
               integer(c, "stalls"), number(c, "longestMs"));
    size_t i;
    json_array_foreach (at(g, "list"), i, one)
        if (i < LINES_SHOWN)
            printf("  gap         %.3f ms at %lld ns, machine stalled %.3f ms%s\n", number(one, "ms"),
                   integer(one, "time"), number(one, "stalledMs"),
                   json_is_true(at(one, "excused")) ? ", excused" : "");
}

static void print_programme(const json_t *g)
{
    printf("programme     %lld \"%s\" by \"%s\", PMT PID %lld version %lld (%lld changes), PCR PID %lld\n",
           integer(g, "number"), text(g, "name"), text(g, "provider"), integer(g, "pmtPid"),
           integer(g, "version"), integer(g, "changes"), integer(g, "pcrPid"));
}

static void print_pcr(const json_t *p)
{
    const json_t *i = at(p, "intervalMs"), *j = at(p, "jitterUs");
    printf("PCR           PID %lld: interval %.3f / %.3f / %.3f ms (min / mean / max), %lld jumps\n",
           integer(p, "pid"), number(i, "min"), number(i, "mean"), number(i, "max"),
           integer(p, "discontinuities"));
    if (json_is_true(at(p, "cbr")))
        printf("              constant rate %.0f bit/s, error at most %lld ns\n", number(p, "bitrate"),
               integer(p, "errorNs"));
    else
        printf("              no constant rate (%lld of %lld windows)\n", integer(p, "constantWindows"),
               integer(p, "windows"));
    if (j)
        printf("              arrival jitter %.1f / %.1f / %.1f us (p1 / p50 / p99), drift %.3f ppm\n",
               number(j, "p1"), number(j, "p50"), number(j, "p99"), number(j, "driftPpm"));
}

static void print_stream(const json_t *s)
{
    const json_t *d = at(s, "dtsStep"), *lead = at(s, "leadMinMs");
    printf("stream        PID %lld %s%s%s: %lld units, DTS step %lld / %.3f / %lld, %lld backward, ",
           integer(s, "pid"), text(s, "codec"), *text(s, "language") ? " " : "", text(s, "language"),
           integer(s, "units"), integer(d, "min"), number(d, "mean"), integer(d, "max"),
           integer(s, "backward"));
    if (json_is_number(lead))
        printf("lead at least %.3f ms\n", json_number_value(lead));
    else
        printf("lead unknown\n");
}

static void print_error(const json_t *e)
{
    const json_t *value = NULL;
    const char *unit = "";
    static const char *const units[] = {"ms", "ns", "missing"};
    for (size_t i = 0; i < 3 && !value; i++) {
        unit = units[i];
        value = at(e, unit);
    }
    printf("  error       packet %lld PID %lld %s", integer(e, "packet"), integer(e, "pid"),
           text(e, "check"));
    if (value)
        printf(" %.3f %s", json_number_value(value), unit);
    putchar('\n');
}

void report_print(const json_t *report)
{
    const char *key;
    const json_t *value;
    size_t i;
    printf("source        %s, %.3f s, %lld packets, %.0f bit/s\n", text(report, "source"),
           number(report, "seconds"), integer(report, "packets"), number(report, "bitrate"));
    print_datagrams(report);
    json_array_foreach (at(report, "programmes"), i, value)
        print_programme(value);
    json_array_foreach (at(report, "pcr"), i, value)
        print_pcr(value);
    json_array_foreach (at(report, "streams"), i, value)
        print_stream(value);
    json_object_foreach ((json_t *)(uintptr_t)at(report, "tables"), key, value)
        if (integer(value, "count"))
            printf("table         %s interval %.1f / %.1f / %.1f ms\n", key, number(value, "min"),
                   number(value, "mean"), number(value, "max"));
    json_array_foreach (at(report, "pids"), i, value)
        printf("PID           %4lld: %lld packets, %.0f bit/s, %lld continuity errors\n",
               integer(value, "pid"), integer(value, "packets"), number(value, "bitrate"),
               integer(value, "continuity"));
    json_object_foreach ((json_t *)(uintptr_t)at(report, "tr101290"), key, value)
        printf("%-13s %s %lld\n", "TR 101 290", key, (long long)json_integer_value(value));
    json_array_foreach (at(report, "errors"), i, value)
        if (i < LINES_SHOWN)
            print_error(value);
}
