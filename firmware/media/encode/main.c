/* encode: turns one source into the access units of one programme, without a break.
 *
 *   encode --socket PATH [--orphan-seconds N]   serves the control socket
 *   encode --clip SPEC.json OUT.feed SECONDS    records the slate clip and ends */
#include <errno.h>
#include <getopt.h>
#include <gst/gst.h>
#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "clip.h"
#include "host.h"

#define ORPHAN_SECONDS_MAX 86400
#define CLIP_SECONDS_MAX 60
#define PICTURE_SIZE (512 * 1024) /* bytes; from here on memory is a picture's */

static int usage(void)
{
    fprintf(stderr, "usage: encode --socket PATH [--orphan-seconds N]\n"
                    "       encode --clip SPEC.json OUT.feed SECONDS\n");
    return EXIT_BAD_ARGUMENTS;
}

static bool read_number(const char *text, int min, int max, int *number)
{
    char *end;
    errno = 0;
    long value = strtol(text, &end, 10);
    if (errno != 0 || end == text || *end != '\0' || value < min || value > max)
        return false;
    *number = (int)value;
    return true;
}

static void terminate(void *data)
{
    loop_quit(data, EXIT_ORDERLY);
}

static int serve(const char *socket, int orphan_seconds)
{
    struct loop *loop = loop_new();
    if (loop == NULL || !loop_on_terminate(loop, terminate, loop)) {
        perror("encode");
        return EXIT_NO_RESOURCES;
    }
    gst_init(NULL, NULL);
    struct host *host = host_new(loop, socket, orphan_seconds);
    if (host == NULL) {
        int reason = errno;
        fprintf(stderr, "encode: %s: %s\n", socket, strerror(reason));
        loop_free(loop);
        return reason == EADDRINUSE ? EXIT_SOCKET_BUSY : EXIT_NO_RESOURCES;
    }
    int code = loop_run(loop);
    if (!host_free(host)) {
        fprintf(stderr, "encode: threads hang, ending without them\n");
        _exit(code);
    }
    loop_free(loop);
    return code;
}

int main(int argc, char **argv)
{
    static const struct option options[] = {{"socket", required_argument, NULL, 's'},
                                            {"orphan-seconds", required_argument, NULL, 'o'},
                                            {"clip", no_argument, NULL, 'c'},
                                            {NULL, 0, NULL, 0}};
    /* Pipelines come and go: what held their pictures shall go back to the system with them, rather than be
     * kept in pieces by each thread's heap. The heaps themselves are not to breathe with every frame. */
    mallopt(M_MMAP_THRESHOLD, PICTURE_SIZE);
    mallopt(M_TRIM_THRESHOLD, 8 * PICTURE_SIZE);
    const char *socket = NULL;
    int orphan_seconds = 0, seconds;
    bool clip = false;
    for (int option; (option = getopt_long(argc, argv, "", options, NULL)) != -1;) {
        if (option == 's')
            socket = optarg;
        else if (option == 'c')
            clip = true;
        else if (option != 'o' || !read_number(optarg, 0, ORPHAN_SECONDS_MAX, &orphan_seconds))
            return usage();
    }
    if (!clip)
        return socket == NULL || optind < argc ? usage() : serve(socket, orphan_seconds);
    if (argc - optind != 3 || !read_number(argv[optind + 2], 1, CLIP_SECONDS_MAX, &seconds))
        return usage();
    gst_init(NULL, NULL);
    return clip_make(argv[optind], argv[optind + 1], seconds);
}
