#include "journal.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "clock.h"

#define MAGIC UINT64_C(0x31304c4e52554a54) /* "TJURNL01" */

struct layout {
    uint64_t magic;
    uint64_t size; /* sizeof (struct layout): a file of another version is not taken over */
    char boot_id[40];
    _Atomic uint32_t current; /* which copy is in force */
    _Atomic uint32_t valid;
    struct journal_state copies[2];
    struct journal_position positions[DESTINATIONS_MAX];
    struct datagram ring[RING_DATAGRAMS];
};

struct journal {
    struct layout *layout;
    int fd;
    char *path;
};

/* The box clock starts anew at each boot, so a state from another boot is worthless. */
static void read_boot_id(char out[40])
{
    memset(out, 0, 40);
    int fd = open("/proc/sys/kernel/random/boot_id", O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return;
    if (read(fd, out, 36) != 36)
        memset(out, 0, 40);
    close(fd);
}

static bool usable(const struct layout *layout, const char *boot_id)
{
    if (layout->magic != MAGIC || layout->size != sizeof *layout || memcmp(layout->boot_id, boot_id, 40) != 0 ||
        layout->valid != 1 || layout->current > 1)
        return false;
    const struct grid *grid = &layout->copies[layout->current].mux.grid;
    return grid->bitrate > 0 && ns_from_ticks(grid->anchor) <= clock_now();
}

struct journal *journal_open(const char *path, bool *resumed)
{
    char boot_id[40];
    struct journal *journal = calloc(1, sizeof *journal);
    if (journal == NULL)
        return NULL;
    journal->path = strdup(path);
    journal->fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    struct stat status = {0};
    void *map = MAP_FAILED;
    bool busy = journal->fd >= 0 && flock(journal->fd, LOCK_EX | LOCK_NB) < 0;
    if (journal->path != NULL && journal->fd >= 0 && !busy && fstat(journal->fd, &status) == 0 &&
        ftruncate(journal->fd, sizeof(struct layout)) == 0)
        map = mmap(NULL, sizeof(struct layout), PROT_READ | PROT_WRITE, MAP_SHARED, journal->fd, 0);
    if (map == MAP_FAILED) {
        int reason = busy ? EBUSY : errno;
        if (journal->fd >= 0)
            close(journal->fd);
        free(journal->path);
        free(journal);
        errno = reason;
        return NULL;
    }
    journal->layout = map;
    read_boot_id(boot_id);
    *resumed = status.st_size == sizeof(struct layout) && usable(journal->layout, boot_id);
    if (!*resumed) {
        memset(journal->layout, 0, offsetof(struct layout, ring));
        journal->layout->magic = MAGIC;
        journal->layout->size = sizeof(struct layout);
        memcpy(journal->layout->boot_id, boot_id, 40);
    }
    return journal;
}

void journal_close(struct journal *journal, bool keep)
{
    if (journal == NULL)
        return;
    if (!keep)
        unlink(journal->path);
    munmap(journal->layout, sizeof(struct layout));
    close(journal->fd);
    free(journal->path);
    free(journal);
}

const struct journal_state *journal_committed(const struct journal *journal)
{
    return &journal->layout->copies[journal->layout->current];
}

void journal_commit(struct journal *journal, const struct journal_state *state)
{
    struct layout *layout = journal->layout;
    uint32_t spare = 1 - atomic_load_explicit(&layout->current, memory_order_relaxed);
    layout->copies[spare] = *state;
    atomic_store_explicit(&layout->current, spare, memory_order_release);
    atomic_store_explicit(&layout->valid, 1, memory_order_release);
}

struct datagram *journal_datagram(struct journal *journal, uint64_t index)
{
    return &journal->layout->ring[index % RING_DATAGRAMS];
}

struct journal_position *journal_position(struct journal *journal, const char *id, uint64_t head)
{
    struct journal_position *unused = NULL;
    for (size_t i = 0; i < DESTINATIONS_MAX; i++) {
        struct journal_position *position = &journal->layout->positions[i];
        if (strncmp(position->id, id, sizeof position->id) == 0)
            return position;
        if (position->id[0] == '\0' && unused == NULL)
            unused = position;
    }
    if (unused != NULL) {
        atomic_store(&unused->sent, head);
        snprintf(unused->id, sizeof unused->id, "%s", id);
    }
    return unused;
}

void journal_forget(struct journal *journal, const char *id)
{
    for (size_t i = 0; i < DESTINATIONS_MAX; i++)
        if (strncmp(journal->layout->positions[i].id, id, sizeof journal->layout->positions[i].id) == 0)
            journal->layout->positions[i].id[0] = '\0';
}
