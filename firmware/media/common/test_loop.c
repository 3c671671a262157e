/* The loop: watches, timers, calls from other threads, signals, and what may be removed when. */
#include <pthread.h>
#include <signal.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "check.h"
#include "clock.h"
#include "loop.h"

struct fixture {
    struct loop *loop;
    struct loop_timer *timer;
    struct loop_fd *watches[2];
    int pipes[2][2];
    int calls, goal;
};

static void quit(void *data)
{
    struct fixture *fixture = data;
    loop_quit(fixture->loop, 7);
}

static void count_to_goal(void *data)
{
    struct fixture *fixture = data;
    if (++fixture->calls == fixture->goal)
        loop_quit(fixture->loop, 0);
}

static void test_timer(void)
{
    struct fixture fixture = {.loop = loop_new(), .goal = 4};
    CHECK(fixture.loop != NULL);
    int64_t start = clock_now();
    fixture.timer = loop_every(fixture.loop, 20, count_to_goal, &fixture);
    CHECK(fixture.timer != NULL);
    CHECK_EQ_INT(loop_run(fixture.loop), 0);
    CHECK_EQ_INT(fixture.calls, 4);
    CHECK(clock_now() - start >= 80 * NS_PER_MS);
    loop_timer_stop(fixture.timer);
    loop_free(fixture.loop);
}

static void stop_itself(void *data)
{
    struct fixture *fixture = data;
    fixture->calls++;
    loop_timer_stop(fixture->timer);
    CHECK(loop_post(fixture->loop, quit, fixture));
}

static void test_timer_stops_itself(void)
{
    struct fixture fixture = {.loop = loop_new()};
    fixture.timer = loop_every(fixture.loop, 1, stop_itself, &fixture);
    CHECK(fixture.timer != NULL);
    CHECK_EQ_INT(loop_run(fixture.loop), 7);
    CHECK_EQ_INT(fixture.calls, 1);
    loop_free(fixture.loop);
}

#define POSTS 20000

static void *post_many(void *data)
{
    for (int i = 0; i < POSTS; i++)
        CHECK(loop_post(((struct fixture *)data)->loop, count_to_goal, data));
    return NULL;
}

static void test_posts_from_threads(void)
{
    struct fixture fixture = {.loop = loop_new(), .goal = 3 * POSTS};
    pthread_t threads[3];
    for (int i = 0; i < 3; i++)
        CHECK(pthread_create(&threads[i], NULL, post_many, &fixture) == 0);
    CHECK_EQ_INT(loop_run(fixture.loop), 0);
    for (int i = 0; i < 3; i++)
        pthread_join(threads[i], NULL);
    CHECK_EQ_INT(fixture.calls, 3 * POSTS);
    loop_free(fixture.loop);
}

struct ordered {
    struct fixture *fixture;
    int number;
};

static void check_order(void *data)
{
    struct ordered *ordered = data;
    CHECK_EQ_INT(ordered->fixture->calls++, ordered->number);
}

static void test_posts_keep_order(void)
{
    struct fixture fixture = {.loop = loop_new()};
    struct ordered posts[100];
    for (int i = 0; i < 100; i++) {
        posts[i] = (struct ordered){.fixture = &fixture, .number = i};
        CHECK(loop_post(fixture.loop, check_order, &posts[i]));
    }
    CHECK(loop_post(fixture.loop, quit, &fixture));
    CHECK_EQ_INT(loop_run(fixture.loop), 7);
    CHECK_EQ_INT(fixture.calls, 100);
    loop_free(fixture.loop);
}

/* What was posted before the loop ends is done, so that last words get out and nothing is leaked. */
static void test_posts_before_the_end_run(void)
{
    struct fixture fixture = {.loop = loop_new(), .goal = -1};
    CHECK(loop_post(fixture.loop, quit, &fixture));
    CHECK(loop_post(fixture.loop, count_to_goal, &fixture));
    CHECK_EQ_INT(loop_run(fixture.loop), 7);
    CHECK_EQ_INT(fixture.calls, 1);
    loop_free(fixture.loop);
}

static void forget_other(void *data)
{
    struct fixture *fixture = data;
    loop_forget(fixture->loop, &fixture->calls);
}

static void must_not_run(void *data)
{
    (void)data;
    CHECK(!"a forgotten call");
}

/* A call can be taken back by another one of the same round. */
static void test_forgotten_posts(void)
{
    struct fixture fixture = {.loop = loop_new(), .goal = -1};
    CHECK(loop_post(fixture.loop, count_to_goal, &fixture));
    CHECK(loop_post(fixture.loop, forget_other, &fixture));
    CHECK(loop_post(fixture.loop, must_not_run, &fixture.calls));
    CHECK(loop_post(fixture.loop, must_not_run, &fixture.calls));
    CHECK(loop_post(fixture.loop, quit, &fixture));
    CHECK_EQ_INT(loop_run(fixture.loop), 7);
    CHECK_EQ_INT(fixture.calls, 1);
    CHECK(loop_post(fixture.loop, must_not_run, &fixture)); /* never run, and not leaked */
    loop_free(fixture.loop);
}

static void post_again(void *data)
{
    struct fixture *fixture = data;
    fixture->calls++;
    CHECK(loop_post(fixture->loop, post_again, fixture));
}

/* A call that posts itself anew does not keep the loop from its descriptors. */
static void test_posting_for_ever_starves_nothing(void)
{
    struct fixture fixture = {.loop = loop_new(), .goal = -1};
    fixture.timer = loop_every(fixture.loop, 10, quit, &fixture);
    CHECK(loop_post(fixture.loop, post_again, &fixture));
    CHECK_EQ_INT(loop_run(fixture.loop), 7);
    CHECK(fixture.calls > 1);
    loop_timer_stop(fixture.timer);
    loop_free(fixture.loop);
}

static void remove_both(void *data, uint32_t events)
{
    struct fixture *fixture = data;
    CHECK((events & EPOLLIN) != 0);
    fixture->calls++;
    loop_unwatch(fixture->watches[0]);
    loop_unwatch(fixture->watches[1]);
    CHECK(loop_post(fixture->loop, quit, fixture));
}

/* Both descriptors are ready in the same round; the first handler removes both watches. */
static void test_removed_watch_is_not_called(void)
{
    struct fixture fixture = {.loop = loop_new()};
    for (int i = 0; i < 2; i++) {
        CHECK(pipe(fixture.pipes[i]) == 0);
        CHECK(write(fixture.pipes[i][1], "x", 1) == 1);
        fixture.watches[i] = loop_watch(fixture.loop, fixture.pipes[i][0], EPOLLIN, remove_both, &fixture);
        CHECK(fixture.watches[i] != NULL);
    }
    CHECK_EQ_INT(loop_run(fixture.loop), 7);
    CHECK_EQ_INT(fixture.calls, 1);
    for (int i = 0; i < 2; i++) {
        close(fixture.pipes[i][0]);
        close(fixture.pipes[i][1]);
    }
    loop_free(fixture.loop);
}

static void expect_events(void *data, uint32_t events)
{
    struct fixture *fixture = data;
    if (fixture->calls++ == 0) {
        CHECK_EQ_INT(events, EPOLLOUT);
        loop_watch_change(fixture->watches[0], EPOLLIN);
        CHECK(write(fixture->pipes[0][1], "x", 1) == 1);
    } else {
        CHECK_EQ_INT(events, EPOLLIN);
        loop_quit(fixture->loop, 0);
    }
}

static void test_watch_change(void)
{
    struct fixture fixture = {.loop = loop_new()};
    int ends[2];
    CHECK(socketpair(AF_UNIX, SOCK_STREAM, 0, ends) == 0);
    fixture.pipes[0][1] = ends[1];
    fixture.watches[0] = loop_watch(fixture.loop, ends[0], EPOLLOUT, expect_events, &fixture);
    CHECK_EQ_INT(loop_run(fixture.loop), 0);
    CHECK_EQ_INT(fixture.calls, 2);
    loop_unwatch(fixture.watches[0]);
    close(ends[0]);
    close(ends[1]);
    loop_free(fixture.loop);
}

static void raise_terminate(void *data)
{
    (void)data;
    kill(getpid(), SIGTERM);
}

static void test_terminate(void)
{
    struct fixture fixture = {.loop = loop_new()};
    CHECK(loop_on_terminate(fixture.loop, quit, &fixture));
    CHECK(loop_post(fixture.loop, raise_terminate, NULL));
    CHECK_EQ_INT(loop_run(fixture.loop), 7);
    loop_free(fixture.loop);
}

int main(void)
{
    test_timer();
    test_timer_stops_itself();
    test_posts_from_threads();
    test_posts_keep_order();
    test_posts_before_the_end_run();
    test_forgotten_posts();
    test_posting_for_ever_starves_nothing();
    test_removed_watch_is_not_called();
    test_watch_change();
    test_terminate();
    return 0;
}
