/* What `analyse` prints. */
#ifndef STEADYCAST_ANALYSE_REPORT_H
#define STEADYCAST_ANALYSE_REPORT_H

#include <jansson.h>

#include "analyser.h"

/** {"syncLoss":0,…}: the counters, named as in the control protocol. */
json_t *report_counters(const struct analyser *a);
/** {"event":"error","check","pid","time","packet"} and what was measured: "ms", "ns" or "missing". */
json_t *report_error(const struct analyser_event *event);
/** {"event":"pmt","time","programme","version","pcrPid","streams"}. */
json_t *report_pmt(const struct analyser_event *event);
/** Adds what is known of the stream: packets, bitrate, tr101290, pcr, tables, programmes, pids. */
void report_stream(json_t *report, const struct analyser *a);

/** Prints a whole report for people. */
void report_print(const json_t *report);

#endif
