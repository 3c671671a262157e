/* Host names to IPv4 addresses without holding up the loop. */
#ifndef STEADYCAST_OUTPUT_LOOKUP_H
#define STEADYCAST_OUTPUT_LOOKUP_H

#include <netinet/in.h>

#include "loop.h"

struct lookup;

/** `error` is NULL, or says why there is no address. The lookup is over and freed when this is called. */
typedef void lookup_fn(void *data, struct in_addr address, const char *error);

/** Looks `name` up (an address in digits is fine too) and calls `fn` once on the loop's thread. NULL
 *  when out of resources. */
struct lookup *lookup_start(struct loop *loop, const char *name, lookup_fn *fn, void *data);

/** Forgets a lookup that is not over yet. */
void lookup_cancel(struct lookup *lookup);

#endif
