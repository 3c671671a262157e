/* Threads for what may take long or hang: building and pulling down pipelines, drawing pictures. Each
 * runs one job and ends; the crew only counts them, so that an orderly end can wait for all.
 *
 * Threads: any may call any of these. The crew must outlive its jobs. */
#ifndef STEADYCAST_ENCODE_CREW_H
#define STEADYCAST_ENCODE_CREW_H

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>

struct crew {
    pthread_mutex_t lock;
    pthread_cond_t done;
    int busy;
};

void crew_init(struct crew *crew);
/** Runs `job` in a thread of its own; false when there is none to be had. */
bool crew_run(struct crew *crew, void (*job)(void *data), void *data);
/** How many jobs are under way. */
int crew_busy(struct crew *crew);
/** Waits for all jobs, at most until box time `deadline`; false when some are still under way. */
bool crew_wait(struct crew *crew, int64_t deadline);
/** Only after crew_wait() gave true. */
void crew_clear(struct crew *crew);

#endif
