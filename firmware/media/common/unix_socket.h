/* UNIX stream sockets as all our servers and readers use them: non-blocking, closed on exec. */
#ifndef STEADYCAST_UNIX_SOCKET_H
#define STEADYCAST_UNIX_SOCKET_H

/** Listens at `path`. A socket file that nobody serves is replaced. Returns the descriptor, or -1 with
 *  errno set: EADDRINUSE when a living process serves it, ENAMETOOLONG above 107 bytes. */
int unix_listen(const char *path);

/** Connects to `path`; -1 with errno set (ENOENT, ECONNREFUSED: nobody serves it). */
int unix_connect(const char *path);

/** Accepts one connection; -1 when there is none. */
int unix_accept(int listener);

#endif
