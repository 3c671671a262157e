/* The process as one thing: brings source, store, program, pictures, preview and feed to the state that
 * the spec demands, watches them, and reports.
 *
 * Threads: everything here is on the loop's thread. What takes long runs in the crew and posts its
 * result back; results that a newer spec has overtaken are dropped. */
#ifndef STEADYCAST_ENCODE_HOST_H
#define STEADYCAST_ENCODE_HOST_H

#include "control.h"
#include "loop.h"

struct host;

/** Serves the control socket. NULL with errno set on failure (EADDRINUSE: another process does). */
struct host *host_new(struct loop *loop, const char *socket, int orphan_seconds);
/** Ends everything, after the loop has ended; false when threads hang, so that the process must end
 *  without more ado. */
bool host_free(struct host *host);

#endif
