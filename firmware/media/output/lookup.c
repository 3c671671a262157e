/* The resolver may block for half a minute and cannot be interrupted. It runs in a detached thread that
 * shares nothing with the loop but a pipe, so that it may outlive whoever asked. */
#include "lookup.h"

#include <fcntl.h>
#include <netdb.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

struct question {
    int pipe;
    char name[256];
};

struct answer {
    int error; /* of getaddrinfo() */
    struct in_addr address;
};

struct lookup {
    struct loop_fd *watch;
    int pipe;
    lookup_fn *fn;
    void *data;
};

static void *resolve(void *data)
{
    struct question *question = data;
    struct addrinfo hints = {.ai_family = AF_INET, .ai_socktype = SOCK_DGRAM}, *found = NULL;
    struct answer answer = {.error = getaddrinfo(question->name, NULL, &hints, &found)};
    if (answer.error == 0)
        answer.address = ((struct sockaddr_in *)(void *)found->ai_addr)->sin_addr;
    if (found != NULL)
        freeaddrinfo(found);
    /* Fails only when nobody waits for it any more. */
    ssize_t written = write(question->pipe, &answer, sizeof answer);
    (void)written;
    close(question->pipe);
    free(question);
    return NULL;
}

static void answered(void *data, uint32_t events)
{
    struct lookup *lookup = data;
    struct answer answer = {.error = EAI_SYSTEM};
    (void)events;
    if (read(lookup->pipe, &answer, sizeof answer) != sizeof answer)
        answer = (struct answer){.error = EAI_SYSTEM};
    lookup_fn *fn = lookup->fn;
    void *to = lookup->data;
    lookup_cancel(lookup);
    fn(to, answer.address, answer.error == 0 ? NULL : gai_strerror(answer.error));
}

struct lookup *lookup_start(struct loop *loop, const char *name, lookup_fn *fn, void *data)
{
    int ends[2];
    struct question *question = calloc(1, sizeof *question);
    struct lookup *lookup = calloc(1, sizeof *lookup);
    if (question == NULL || lookup == NULL || strlen(name) >= sizeof question->name ||
        pipe2(ends, O_CLOEXEC) != 0) {
        free(question);
        free(lookup);
        return NULL;
    }
    *lookup = (struct lookup){.pipe = ends[0], .fn = fn, .data = data};
    question->pipe = ends[1];
    strcpy(question->name, name);
    lookup->watch = loop_watch(loop, lookup->pipe, EPOLLIN, answered, lookup);
    pthread_t thread;
    if (lookup->watch == NULL || pthread_create(&thread, NULL, resolve, question) != 0) {
        close(ends[1]);
        free(question);
        lookup_cancel(lookup);
        return NULL;
    }
    pthread_detach(thread);
    return lookup;
}

void lookup_cancel(struct lookup *lookup)
{
    if (lookup->watch != NULL)
        loop_unwatch(lookup->watch);
    close(lookup->pipe);
    free(lookup);
}
