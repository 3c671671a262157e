/* Where a stream comes from or goes to: "239.10.0.1:1234", "[ff15::1]:1234", on an interface. */
#ifndef STEADYCAST_ANALYSE_ADDRESS_H
#define STEADYCAST_ANALYSE_ADDRESS_H

#include <stdbool.h>
#include <sys/socket.h>

struct address {
    struct sockaddr_storage name;
    socklen_t size;
    bool multicast;
    unsigned interface; /* index, 0 for any */
};

/** Reads a numeric IPv4 or IPv6 address with its port (1…65535); `interface` is a name, or NULL for any.
 *  False, with a line on stderr, when either is wrong. */
bool address_read(const char *text, const char *interface, struct address *out);

#endif
