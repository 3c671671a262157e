/* The event loop of the media processes: file descriptors, timers and calls from other threads, on
 * one epoll instance. Everything here but loop_post() belongs to the loop's own thread. */
#ifndef STEADYCAST_LOOP_H
#define STEADYCAST_LOOP_H

#include <stdbool.h>
#include <stdint.h>

struct loop;
struct loop_fd;
struct loop_timer;

/** Called with the ready EPOLL* bits. It may remove its own watch. */
typedef void loop_fd_fn(void *data, uint32_t events);
typedef void loop_call_fn(void *data);

/** A new loop, or NULL with errno set. SIGPIPE is ignored from here on. */
struct loop *loop_new(void);
void loop_free(struct loop *loop);

/** Runs until loop_quit(), and then what has been posted by then; returns the code given to it. */
int loop_run(struct loop *loop);
void loop_quit(struct loop *loop, int exit_code);

/** Watches `fd` for `events` (EPOLLIN …). The caller keeps the descriptor. NULL when out of resources. */
struct loop_fd *loop_watch(struct loop *loop, int fd, uint32_t events, loop_fd_fn *fn, void *data);
void loop_watch_change(struct loop_fd *watch, uint32_t events);
void loop_unwatch(struct loop_fd *watch);

/** Calls `fn` every `interval_ms` (≥ 1) until loop_timer_stop(). */
struct loop_timer *loop_every(struct loop *loop, int interval_ms, loop_call_fn *fn, void *data);
void loop_timer_stop(struct loop_timer *timer);

/** From any thread: runs `fn` once on the loop's thread. False when out of memory. */
bool loop_post(struct loop *loop, loop_call_fn *fn, void *data);
/** Takes back every posted call with this `data` that has not run yet, so that the data can be freed. */
void loop_forget(struct loop *loop, const void *data);

/** Calls `fn` in the loop on SIGTERM and SIGINT. Call before threads are started. */
bool loop_on_terminate(struct loop *loop, loop_call_fn *fn, void *data);

#endif
