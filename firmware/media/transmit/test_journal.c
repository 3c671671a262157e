/* The journal across deaths: a writer is killed at random moments; what its successor finds is always a state
 * that was committed whole, with the datagrams that it counts. */
#include <signal.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "check.h"
#include "clock.h"
#include "journal.h"

#define KILLS 60

static void fill(struct journal_state *state, uint64_t value)
{
    state->head = value;
    state->mux.slot = value;
    memset(state->mux.continuity, (int)(value & 0x0f), sizeof state->mux.continuity);
}

static void check_whole(const struct journal_state *state)
{
    CHECK(state->mux.slot == state->head);
    for (size_t i = 0; i < sizeof state->mux.continuity; i++)
        CHECK(state->mux.continuity[i] == (state->head & 0x0f));
}

static _Noreturn void write_forever(const char *path)
{
    bool resumed;
    struct journal *journal = journal_open(path, &resumed);
    struct journal_state state;
    if (journal == NULL)
        _exit(1);
    memset(&state, 0, sizeof state);
    state.mux.grid = (struct grid){.anchor = 1, .bitrate = 4000000};
    for (uint64_t i = resumed ? journal_committed(journal)->head + 1 : 1;; i++) {
        memset(journal_datagram(journal, i)->bytes, (int)(i & 0xff), DATAGRAM_SIZE);
        fill(&state, i);
        journal_commit(journal, &state);
    }
}

static void test_killed(const char *path)
{
    uint64_t last = 0;
    for (int i = 0; i < KILLS; i++) {
        pid_t child = fork();
        CHECK(child >= 0);
        if (child == 0)
            write_forever(path);
        /* Until it has got a good way further, then at an arbitrary point. */
        int64_t deadline = clock_now() + 10 * NS_PER_S;
        bool resumed = false;
        while (clock_now() < deadline && !resumed) {
            clock_sleep_until(clock_now() + NS_PER_MS + i * 37000);
            resumed = true;
        }
        kill(child, SIGKILL);
        CHECK(waitpid(child, NULL, 0) == child);
        struct journal *journal = journal_open(path, &resumed);
        CHECK(journal != NULL);
        if (resumed) {
            const struct journal_state *state = journal_committed(journal);
            check_whole(state);
            CHECK(state->head >= last);
            last = state->head;
            const struct datagram *newest = journal_datagram(journal, last);
            CHECK(newest->bytes[0] == (last & 0xff) && newest->bytes[DATAGRAM_SIZE - 1] == (last & 0xff));
        }
        journal_close(journal, true);
    }
    CHECK(last > KILLS);
}

static void test_not_taken_over(const char *path)
{
    bool resumed;
    struct journal *journal = journal_open(path, &resumed);
    CHECK(journal != NULL && resumed);
    bool other;
    CHECK(journal_open(path, &other) == NULL); /* locked */
    journal_close(journal, true);
    CHECK(truncate(path, 100) == 0);
    journal = journal_open(path, &resumed);
    CHECK(journal != NULL && !resumed);
    journal_close(journal, false);
    CHECK(access(path, F_OK) < 0);
}

static void test_positions(const char *path)
{
    bool resumed;
    char id[16];
    struct journal *journal = journal_open(path, &resumed);
    struct journal_position *position = journal_position(journal, "main", 7);
    CHECK(position != NULL && position->sent == 7);
    position->sent = 9;
    CHECK(journal_position(journal, "main", 100) == position && position->sent == 9);
    for (int i = 1; i < DESTINATIONS_MAX; i++) {
        snprintf(id, sizeof id, "out%d", i);
        CHECK(journal_position(journal, id, 0) != NULL);
    }
    CHECK(journal_position(journal, "one-too-many", 0) == NULL);
    journal_forget(journal, "main");
    CHECK(journal_position(journal, "one-too-many", 3) != NULL);
    journal_close(journal, false);
}

int main(void)
{
    char path[64];
    snprintf(path, sizeof path, "/tmp/steadycast-journal-%d", (int)getpid());
    test_killed(path);
    test_not_taken_over(path);
    test_positions(path);
    return 0;
}
