/* transmit: the multiplexer and pacer of one transport stream. */
#include <errno.h>
#include <getopt.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

#include "control.h"
#include "transmit.h"

#define REALTIME_PRIORITY 10

struct process {
    struct loop *loop;
    struct transmit *transmit;
};

static json_t *request(void *data, const char *method, const json_t *params, struct control_error *error)
{
    struct process *process = data;
    if (strcmp(method, "apply") == 0)
        return transmit_apply(process->transmit, json_object_get(params, "spec"), error);
    if (strcmp(method, "stats") == 0)
        return transmit_stats(process->transmit);
    if (strcmp(method, "handover") == 0) {
        transmit_hand_over(process->transmit);
        loop_quit(process->loop, EXIT_ORDERLY);
        return json_object();
    }
    return control_fail(error, "unknown-method", "", "transmit knows ping, apply, stats, handover and quit, not %.40s",
                        method);
}

static json_t *spec(void *data)
{
    struct process *process = data;
    return transmit_spec(process->transmit);
}

static void terminate(void *data)
{
    loop_quit(data, EXIT_ORDERLY);
}

/* The pacer must not wait behind encoders. Where real time is not allowed (a PC), a higher priority may be; where
 * that is not either, it works all the same. RLIMIT_RTTIME ends a runaway before it takes the box. */
static void raise_priority(void)
{
    struct sched_param parameters = {.sched_priority = REALTIME_PRIORITY};
    struct rlimit limit = {.rlim_cur = 1000000, .rlim_max = 2000000};
    setrlimit(RLIMIT_RTTIME, &limit);
    if (sched_setscheduler(0, SCHED_FIFO | SCHED_RESET_ON_FORK, &parameters) < 0)
        setpriority(PRIO_PROCESS, 0, -10);
}

static int usage(const char *program)
{
    fprintf(stderr, "usage: %s --socket PATH [--orphan-seconds N]\n", program);
    return EXIT_BAD_ARGUMENTS;
}

int main(int argc, char **argv)
{
    static const struct option options[] = {
        {"socket", required_argument, NULL, 's'}, {"orphan-seconds", required_argument, NULL, 'o'}, {0}};
    const char *path = NULL;
    int orphan_s = 0, option;
    while ((option = getopt_long(argc, argv, "", options, NULL)) != -1) {
        if (option == 's')
            path = optarg;
        else if (option == 'o')
            orphan_s = atoi(optarg);
        else
            return usage(argv[0]);
    }
    if (path == NULL || orphan_s < 0 || optind != argc)
        return usage(argv[0]);

    struct loop *loop = loop_new();
    if (loop == NULL || !loop_on_terminate(loop, terminate, loop))
        return EXIT_NO_RESOURCES;
    struct transmit *transmit = transmit_new(loop);
    if (transmit == NULL)
        return EXIT_NO_RESOURCES;
    struct process process = {loop, transmit};
    struct control_handler handler = {.role = "transmit", .data = &process, .request = request, .spec = spec};
    struct control *control = control_new(loop, path, orphan_s, &handler);
    if (control == NULL) {
        int code = errno == EADDRINUSE ? EXIT_SOCKET_BUSY : EXIT_NO_RESOURCES;
        fprintf(stderr, "transmit: can't serve %s: %s\n", path, strerror(errno));
        transmit_free(transmit);
        loop_free(loop);
        return code;
    }
    transmit_set_control(transmit, control);
    raise_priority();
    int code = loop_run(loop);
    transmit_set_control(transmit, NULL);
    control_free(control);
    transmit_free(transmit);
    loop_free(loop);
    return code;
}
