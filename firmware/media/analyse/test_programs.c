/* `analyse` and `metronome` together, over loopback multicast: one metronome is the stream, the other the
 * control. usage: test_programs ANALYSE METRONOME */
#include <jansson.h>
#include <signal.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "check.h"

#define STREAM "239.255.4.1:4101"
#define CONTROL "239.255.4.2:4102"

static pid_t start(const char *const argv[], int *output)
{
    int ends[2];
    CHECK(pipe(ends) == 0);
    pid_t pid = fork();
    CHECK(pid >= 0);
    if (pid == 0) {
        dup2(ends[1], 1);
        close(ends[0]);
        close(ends[1]);
        execv(argv[0], (char *const *)(uintptr_t)argv);
        _exit(127);
    }
    close(ends[1]);
    if (output)
        *output = ends[0];
    else
        close(ends[0]);
    return pid;
}

static void pause_ms(long ms)
{
    nanosleep(&(struct timespec){.tv_sec = ms / 1000, .tv_nsec = ms % 1000 * 1000000}, NULL);
}

static void stop(pid_t pid)
{
    int status;
    CHECK(kill(pid, SIGTERM) == 0 && waitpid(pid, &status, 0) == pid);
}

static json_int_t integer(json_t *report, const char *object, const char *key)
{
    return json_integer_value(json_object_get(json_object_get(report, object), key));
}

int main(int argc, char **argv)
{
    CHECK(argc == 3);
    int output;
    pid_t analyse = start((const char *const[]){argv[1], "--listen", STREAM, "--control", CONTROL,
                                                "--interface", "lo", "--follow", "--gap-ms", "100", NULL},
                          &output);
    FILE *lines = fdopen(output, "r");
    json_t *line = json_loadf(lines, JSON_DISABLE_EOF_CHECK, NULL);
    CHECK(line && strcmp(json_string_value(json_object_get(line, "event")), "listening") == 0);
    json_decref(line);
    pid_t stream = start((const char *const[]){argv[2], "--to", STREAM, "--interface", "lo", NULL}, NULL);
    pid_t control = start((const char *const[]){argv[2], "--to", CONTROL, "--interface", "lo", NULL}, NULL);

    pause_ms(300);
    kill(stream, SIGSTOP); /* the stream alone: its own fault */
    pause_ms(400);
    kill(stream, SIGCONT);
    pause_ms(300);
    kill(control, SIGSTOP); /* both: the machine's */
    kill(stream, SIGSTOP);
    pause_ms(400);
    kill(stream, SIGCONT);
    kill(control, SIGCONT);
    pause_ms(600);
    stop(analyse);
    stop(stream);
    stop(control);

    int gaps = 0, excused = 0, seconds = 0;
    for (line = NULL; (line = json_loadf(lines, JSON_DISABLE_EOF_CHECK, NULL)); json_decref(line)) {
        const char *event = json_string_value(json_object_get(line, "event"));
        CHECK(event);
        if (strcmp(event, "report") == 0)
            break;
        seconds += strcmp(event, "second") == 0;
        if (strcmp(event, "gap") == 0 && json_number_value(json_object_get(line, "ms")) >= 390) {
            gaps++;
            excused += json_is_true(json_object_get(line, "excused"));
        }
    }
    fclose(lines);
    CHECK(line && seconds >= 1);
    CHECK_EQ_INT(gaps, 2);
    CHECK_EQ_INT(excused, 1);
    CHECK(integer(line, "gap", "count") >= 2 && integer(line, "control", "stalls") >= 1);
    CHECK(json_number_value(json_object_get(json_object_get(line, "gap"), "longestUnexcusedMs")) >= 390);
    CHECK(integer(line, "datagrams", "count") > 200 && integer(line, "datagrams", "oddSize") == 0);
    CHECK(integer(line, "datagrams", "kernelDropped") == 0);
    json_int_t packets = json_integer_value(json_object_get(line, "packets"));
    CHECK_EQ_INT(packets, 7 * integer(line, "datagrams", "count"));
    json_decref(line);
    return 0;
}
