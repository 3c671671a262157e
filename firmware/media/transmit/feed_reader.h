/* Keeps a connection to an encoder's feed and hands what comes to a programme. It reads when it is called, right
 * before a beat is made: a unit that comes between two beats could not be sent earlier. */
#ifndef STEADYCAST_FEED_READER_H
#define STEADYCAST_FEED_READER_H

#include "programme.h"

struct feed_reader;

/** Reads `path` for `flow`, which must outlive it. NULL when out of memory. */
struct feed_reader *feed_reader_new(const char *path, struct programme_flow *flow);
void feed_reader_free(struct feed_reader *reader);

/** Connects where there is no connection, takes what has come, and asks for a key frame where one is wanted. Call every few
 *  milliseconds with the box clock (ns). */
void feed_reader_tick(struct feed_reader *reader, int64_t now);

#endif
