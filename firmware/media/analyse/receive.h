/* Datagrams from a socket, each with the time at which the kernel received it. */
#ifndef STEADYCAST_ANALYSE_RECEIVE_H
#define STEADYCAST_ANALYSE_RECEIVE_H

#include <stddef.h>
#include <stdint.h>

#include "address.h"

struct receiver;

/** Called for a datagram; `arrival_ns` is the kernel's receive time stamp as CLOCK_MONOTONIC. */
typedef void receive_fn(void *data, const uint8_t *bytes, size_t size, int64_t arrival_ns);

/** Binds the address and joins it when it is a multicast group; other receivers may do the same. NULL, with a
 *  line on stderr, on failure. */
struct receiver *receiver_new(const struct address *address, receive_fn *fn, void *data);
void receiver_free(struct receiver *r);
int receiver_fd(const struct receiver *r);

/** Takes everything that waits on the socket. */
void receiver_read(struct receiver *r);

/** Datagrams that the kernel dropped because the socket's buffer was full: our fault, not the sender's. */
uint64_t receiver_dropped(const struct receiver *r);

#endif
