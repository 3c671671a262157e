#include "crew.h"

#include <stdlib.h>

#include "clock.h"

struct job {
    struct crew *crew;
    void (*run)(void *data);
    void *data;
};

void crew_init(struct crew *crew)
{
    pthread_condattr_t attributes;
    pthread_condattr_init(&attributes);
    pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
    pthread_cond_init(&crew->done, &attributes);
    pthread_condattr_destroy(&attributes);
    pthread_mutex_init(&crew->lock, NULL);
    crew->busy = 0;
}

static void count(struct crew *crew, int by)
{
    pthread_mutex_lock(&crew->lock);
    crew->busy += by;
    pthread_cond_broadcast(&crew->done);
    pthread_mutex_unlock(&crew->lock);
}

static void *work(void *data)
{
    struct job job = *(struct job *)data;
    free(data);
    job.run(job.data);
    count(job.crew, -1);
    return NULL;
}

bool crew_run(struct crew *crew, void (*run)(void *data), void *data)
{
    struct job *job = malloc(sizeof *job);
    pthread_t thread;
    if (job == NULL)
        return false;
    *job = (struct job){crew, run, data};
    count(crew, 1);
    if (pthread_create(&thread, NULL, work, job) == 0) {
        pthread_detach(thread);
        return true;
    }
    count(crew, -1);
    free(job);
    return false;
}

int crew_busy(struct crew *crew)
{
    pthread_mutex_lock(&crew->lock);
    int busy = crew->busy;
    pthread_mutex_unlock(&crew->lock);
    return busy;
}

bool crew_wait(struct crew *crew, int64_t deadline)
{
    struct timespec ts = {.tv_sec = deadline / NS_PER_S, .tv_nsec = deadline % NS_PER_S};
    pthread_mutex_lock(&crew->lock);
    while (crew->busy > 0 && pthread_cond_timedwait(&crew->done, &crew->lock, &ts) == 0) {
    }
    bool all = crew->busy == 0;
    pthread_mutex_unlock(&crew->lock);
    return all;
}

void crew_clear(struct crew *crew)
{
    pthread_cond_destroy(&crew->done);
    pthread_mutex_destroy(&crew->lock);
}
