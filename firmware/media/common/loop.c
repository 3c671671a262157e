#include "loop.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/signalfd.h>
#include <sys/timerfd.h>
#include <unistd.h>

/* A watch that is removed while events are being handled stays allocated until the round is over,
 * since the round may hold further events for it. */
struct loop_fd {
    struct loop *loop;
    int fd;
    bool dead;
    loop_fd_fn *fn;
    void *data;
    struct loop_fd *next_dead;
};

struct loop_timer {
    int fd;
    struct loop_fd *watch;
    loop_call_fn *fn;
    void *data;
};

struct call {
    loop_call_fn *fn;
    void *data;
    struct call *next;
};

struct loop {
    int epoll;
    bool quit;
    int exit_code;
    struct loop_fd *dead;
    int wake;
    struct loop_fd *wake_watch;
    pthread_mutex_t lock; /* guards the calls */
    struct call *first, **last;
    size_t call_count;
    int signals;
    struct loop_fd *signal_watch;
    loop_call_fn *on_terminate;
    void *on_terminate_data;
};

static struct call *take_call(struct loop *loop)
{
    pthread_mutex_lock(&loop->lock);
    struct call *call = loop->first;
    if (call != NULL) {
        loop->first = call->next;
        loop->call_count--;
        if (loop->first == NULL)
            loop->last = &loop->first;
    }
    pthread_mutex_unlock(&loop->lock);
    return call;
}

/* Takes the calls one by one, since each may take back others; and as many as there are now, so that calls
 * which post calls leave time for everything else. */
static void run_calls(void *data, uint32_t events)
{
    struct loop *loop = data;
    uint64_t posts;
    (void)events;
    if (read(loop->wake, &posts, sizeof posts) < 0 && errno != EAGAIN)
        return;
    pthread_mutex_lock(&loop->lock);
    size_t count = loop->call_count;
    pthread_mutex_unlock(&loop->lock);
    struct call *call;
    while (count-- > 0 && (call = take_call(loop)) != NULL) {
        call->fn(call->data);
        free(call);
    }
}

struct loop *loop_new(void)
{
    struct loop *loop = calloc(1, sizeof *loop);
    if (loop == NULL)
        return NULL;
    loop->signals = -1;
    loop->last = &loop->first;
    pthread_mutex_init(&loop->lock, NULL);
    loop->epoll = epoll_create1(EPOLL_CLOEXEC);
    loop->wake = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (loop->epoll >= 0 && loop->wake >= 0)
        loop->wake_watch = loop_watch(loop, loop->wake, EPOLLIN, run_calls, loop);
    if (loop->wake_watch == NULL) {
        loop_free(loop);
        return NULL;
    }
    signal(SIGPIPE, SIG_IGN);
    return loop;
}

static void free_dead(struct loop *loop)
{
    while (loop->dead != NULL) {
        struct loop_fd *watch = loop->dead;
        loop->dead = watch->next_dead;
        free(watch);
    }
}

void loop_free(struct loop *loop)
{
    if (loop == NULL)
        return;
    if (loop->wake_watch != NULL)
        loop_unwatch(loop->wake_watch);
    if (loop->signal_watch != NULL)
        loop_unwatch(loop->signal_watch);
    free_dead(loop);
    while (loop->first != NULL) {
        struct call *call = loop->first;
        loop->first = call->next;
        free(call);
    }
    if (loop->signals >= 0)
        close(loop->signals);
    if (loop->wake >= 0)
        close(loop->wake);
    if (loop->epoll >= 0)
        close(loop->epoll);
    pthread_mutex_destroy(&loop->lock);
    free(loop);
}

int loop_run(struct loop *loop)
{
    struct epoll_event events[32];
    while (!loop->quit) {
        int count = epoll_wait(loop->epoll, events, 32, -1);
        for (int i = 0; i < count; i++) {
            struct loop_fd *watch = events[i].data.ptr;
            if (!watch->dead)
                watch->fn(watch->data, events[i].events);
        }
        free_dead(loop);
    }
    run_calls(loop, 0);
    free_dead(loop);
    return loop->exit_code;
}

void loop_quit(struct loop *loop, int exit_code)
{
    loop->quit = true;
    loop->exit_code = exit_code;
}

struct loop_fd *loop_watch(struct loop *loop, int fd, uint32_t events, loop_fd_fn *fn, void *data)
{
    struct loop_fd *watch = calloc(1, sizeof *watch);
    if (watch == NULL)
        return NULL;
    *watch = (struct loop_fd){.loop = loop, .fd = fd, .fn = fn, .data = data};
    struct epoll_event event = {.events = events, .data.ptr = watch};
    if (epoll_ctl(loop->epoll, EPOLL_CTL_ADD, fd, &event) < 0) {
        free(watch);
        return NULL;
    }
    return watch;
}

void loop_watch_change(struct loop_fd *watch, uint32_t events)
{
    struct epoll_event event = {.events = events, .data.ptr = watch};
    epoll_ctl(watch->loop->epoll, EPOLL_CTL_MOD, watch->fd, &event);
}

void loop_unwatch(struct loop_fd *watch)
{
    epoll_ctl(watch->loop->epoll, EPOLL_CTL_DEL, watch->fd, NULL);
    watch->dead = true;
    watch->next_dead = watch->loop->dead;
    watch->loop->dead = watch;
}

static void timer_fired(void *data, uint32_t events)
{
    struct loop_timer *timer = data;
    uint64_t expirations;
    (void)events;
    if (read(timer->fd, &expirations, sizeof expirations) == sizeof expirations)
        timer->fn(timer->data);
}

struct loop_timer *loop_every(struct loop *loop, int interval_ms, loop_call_fn *fn, void *data)
{
    struct loop_timer *timer = calloc(1, sizeof *timer);
    if (timer == NULL)
        return NULL;
    timer->fn = fn;
    timer->data = data;
    timer->fd = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK);
    struct timespec interval = {.tv_sec = interval_ms / 1000, .tv_nsec = interval_ms % 1000 * 1000000L};
    struct itimerspec spec = {.it_interval = interval, .it_value = interval};
    if (timer->fd >= 0 && timerfd_settime(timer->fd, 0, &spec, NULL) == 0)
        timer->watch = loop_watch(loop, timer->fd, EPOLLIN, timer_fired, timer);
    if (timer->watch == NULL) {
        if (timer->fd >= 0)
            close(timer->fd);
        free(timer);
        return NULL;
    }
    return timer;
}

void loop_timer_stop(struct loop_timer *timer)
{
    loop_unwatch(timer->watch);
    close(timer->fd);
    free(timer);
}

bool loop_post(struct loop *loop, loop_call_fn *fn, void *data)
{
    struct call *call = malloc(sizeof *call);
    if (call == NULL)
        return false;
    *call = (struct call){.fn = fn, .data = data};
    pthread_mutex_lock(&loop->lock);
    *loop->last = call;
    loop->last = &call->next;
    loop->call_count++;
    pthread_mutex_unlock(&loop->lock);
    uint64_t one = 1;
    /* Only a counter at its limit can make this fail, and then the loop is awake anyway. */
    return write(loop->wake, &one, sizeof one) == sizeof one || errno == EAGAIN;
}

void loop_forget(struct loop *loop, const void *data)
{
    pthread_mutex_lock(&loop->lock);
    struct call **at = &loop->first;
    while (*at != NULL) {
        struct call *call = *at;
        if (call->data == data) {
            *at = call->next;
            loop->call_count--;
            free(call);
        } else {
            at = &call->next;
        }
    }
    loop->last = at;
    pthread_mutex_unlock(&loop->lock);
}

static void signalled(void *data, uint32_t events)
{
    struct loop *loop = data;
    struct signalfd_siginfo info;
    (void)events;
    if (read(loop->signals, &info, sizeof info) == sizeof info)
        loop->on_terminate(loop->on_terminate_data);
}

bool loop_on_terminate(struct loop *loop, loop_call_fn *fn, void *data)
{
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, SIGTERM);
    sigaddset(&set, SIGINT);
    loop->on_terminate = fn;
    loop->on_terminate_data = data;
    if (pthread_sigmask(SIG_BLOCK, &set, NULL) != 0)
        return false;
    loop->signals = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
    if (loop->signals < 0)
        return false;
    loop->signal_watch = loop_watch(loop, loop->signals, EPOLLIN, signalled, loop);
    return loop->signal_watch != NULL;
}
