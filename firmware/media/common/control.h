/* The control socket of a media process: newline-delimited JSON on a UNIX stream socket.
 *
 *   request   {"id":7,"method":"apply","params":{…}}
 *   answer    {"id":7,"result":{…}}  or  {"id":7,"error":{"code":"invalid","message":"…","field":"/rate/bitrate"}}
 *   event     {"event":"stats",…}    at any time, to every client
 *
 * The first line after a connect is {"event":"hello","role","version","protocol","pid","spec"}.
 * Methods that every role has: ping, apply, stats, quit. The same definitions, for the supervisor,
 * are in src/media/protocol.ts. */
#ifndef STEADYCAST_CONTROL_H
#define STEADYCAST_CONTROL_H

#include <jansson.h>

#include <stdbool.h>
#include <stddef.h>

#include "loop.h"

/** Version of the protocol; a supervisor replaces a worker that speaks another one. */
#define CONTROL_PROTOCOL 1
/** The longest request line in bytes; a client that sends a longer one is cut off. */
#define CONTROL_LINE_MAX (1024 * 1024)

/* Exit codes of every media process; they carry the reason to the supervisor. */
enum exit_code {
    EXIT_ORDERLY = 0,      /* asked to quit, or SIGTERM */
    EXIT_BAD_ARGUMENTS = 2,
    EXIT_SOCKET_BUSY = 3,  /* another process serves this socket */
    EXIT_NO_RESOURCES = 4, /* memory, descriptors, threads */
    EXIT_ORPHANED = 5,     /* no supervisor came within the orphan time */
    EXIT_BROKEN = 6,       /* the process found itself unable to work; a new one may do better */
};

struct control;

/** Why a request was refused. `field` is a JSON pointer into the params, or empty. */
struct control_error {
    char code[24];     /* "invalid", "unsupported", "busy", "failed", "unknown-method" */
    char message[240]; /* says what is wrong, with limit and value, and what to do */
    char field[96];
};

/** Fills `error`; always returns NULL so that a handler can return it. */
json_t *control_fail(struct control_error *error, const char *code, const char *field, const char *format, ...)
    __attribute__((format(printf, 4, 5)));

struct control_handler {
    const char *role; /* ASCII */
    void *data;
    /** Handles a request on the loop's thread: returns the result (ownership passes), or NULL with
     *  `error` filled. `params` is borrowed and may be NULL. `ping` and `quit` never reach it. */
    json_t *(*request)(void *data, const char *method, const json_t *params, struct control_error *error);
    /** The spec that runs now, as a new reference, or NULL while there is none (hello shows it). */
    json_t *(*spec)(void *data);
};

/** Answers one request line (without its newline): a new JSON object with the request's id and either
 *  `result` or `error`. `quit` is set when the line asks the process to end. The server does this with
 *  each line; it is here for what tests requests without a socket. */
json_t *control_answer(const struct control_handler *handler, const char *line, size_t length, bool *quit);

/** Serves `path`. A dead socket file is replaced; a live one is refused with errno EADDRINUSE.
 *  `orphan_s` > 0: the loop ends with EXIT_ORPHANED when no client was connected for that long. */
struct control *control_new(struct loop *loop, const char *path, int orphan_s, const struct control_handler *handler);
void control_free(struct control *control);

/** Sends `event` (a JSON object with a member "event"; the reference is taken) to every client. */
void control_event(struct control *control, json_t *event);

/** Sends {"event":"log","level":…,"message":…} to every client and a line to stderr. Any thread, until
 *  control_free(). `level` is a literal: debug, info, warning or error. */
void control_log(struct control *control, const char *level, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

#endif
