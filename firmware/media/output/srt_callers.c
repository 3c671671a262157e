#include "srt_callers.h"

#include <arpa/inet.h>
#include <srt/access_control.h>
#include <stdio.h>
#include <string.h>

#include "clock.h"

/* After this long without a connection, a caller that we let in was refused by libsrt. */
#define ADMISSION_NS (300 * NS_PER_MS)

void srt_name(char out[SRT_NAME_SIZE], const struct sockaddr *address)
{
    const struct sockaddr_in *in = (const struct sockaddr_in *)(const void *)address;
    char digits[INET_ADDRSTRLEN] = "?";
    if (address->sa_family == AF_INET)
        inet_ntop(AF_INET, &in->sin_addr, digits, sizeof digits);
    snprintf(out, SRT_NAME_SIZE, "%s:%u", digits, ntohs(in->sin_port));
}

void srt_callers_init(struct srt_callers *callers)
{
    pthread_mutex_init(&callers->lock, NULL);
    callers->failed = SRT_INVALID_SOCK;
}

void srt_callers_destroy(struct srt_callers *callers)
{
    pthread_mutex_destroy(&callers->lock);
}

void srt_callers_reset(struct srt_callers *callers, const char *stream_id)
{
    pthread_mutex_lock(&callers->lock);
    snprintf(callers->stream_id, sizeof callers->stream_id, "%s", stream_id);
    callers->full = false;
    callers->failed = SRT_INVALID_SOCK;
    callers->admitted_at = 0;
    callers->note[0] = '\0';
    pthread_mutex_unlock(&callers->lock);
}

int srt_callers_knock(void *data, SRTSOCKET socket, int version, const struct sockaddr *address,
                      const char *stream_id)
{
    struct srt_callers *callers = data;
    char name[SRT_NAME_SIZE];
    (void)version;
    srt_name(name, address);
    pthread_mutex_lock(&callers->lock);
    bool stranger = callers->stream_id[0] != '\0' && strcmp(callers->stream_id, stream_id) != 0;
    bool refused = stranger || callers->full;
    if (refused) {
        snprintf(callers->note, sizeof callers->note, "refused %s: %s", name,
                 stranger ? "wrong stream id" : "too many callers");
    } else {
        memcpy(callers->admitted, name, sizeof name);
        callers->admitted_at = clock_now();
    }
    pthread_mutex_unlock(&callers->lock);
    if (refused)
        srt_setrejectreason(socket, stranger ? SRT_REJX_FORBIDDEN : SRT_REJX_OVERLOAD);
    return refused ? -1 : 0;
}

void srt_callers_failed(void *data, SRTSOCKET socket, int error, const struct sockaddr *address, int token)
{
    struct srt_callers *callers = data;
    (void)address;
    (void)token;
    int reason = error == SRT_ENOSERVER ? SRT_REJ_TIMEOUT : srt_getrejectreason(socket);
    pthread_mutex_lock(&callers->lock);
    callers->failed = socket;
    callers->reason = reason;
    pthread_mutex_unlock(&callers->lock);
}

int srt_callers_reason(struct srt_callers *callers, SRTSOCKET socket)
{
    pthread_mutex_lock(&callers->lock);
    int reason = callers->failed == socket ? callers->reason : SRT_REJ_TIMEOUT;
    pthread_mutex_unlock(&callers->lock);
    return reason;
}

void srt_callers_note(struct srt_callers *callers, bool accepted, bool full, char *note, size_t size)
{
    pthread_mutex_lock(&callers->lock);
    callers->full = full;
    if (accepted)
        callers->admitted_at = 0;
    if (callers->admitted_at != 0 && clock_now() - callers->admitted_at > ADMISSION_NS) {
        callers->admitted_at = 0;
        snprintf(callers->note, sizeof callers->note, "refused %s: passphrase does not match",
                 callers->admitted);
    }
    if (callers->note[0] != '\0')
        snprintf(note, size, "%s", callers->note);
    callers->note[0] = '\0';
    pthread_mutex_unlock(&callers->lock);
}
