#include "address.h"

#include <net/if.h>
#include <netdb.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static bool is_multicast(const struct sockaddr_storage *name)
{
    if (name->ss_family == AF_INET6)
        return IN6_IS_ADDR_MULTICAST(&((const struct sockaddr_in6 *)name)->sin6_addr);
    return IN_MULTICAST(ntohl(((const struct sockaddr_in *)name)->sin_addr.s_addr));
}

bool address_read(const char *text, const char *interface, struct address *out)
{
    char host[INET6_ADDRSTRLEN + 2] = "";
    const char *colon = strrchr(text, ':'), *from = text, *to = colon;
    if (colon && *text == '[' && colon > text + 1 && colon[-1] == ']') {
        from++;
        to--;
    }
    struct addrinfo *found = NULL;
    struct addrinfo hints = {.ai_flags = AI_NUMERICHOST | AI_NUMERICSERV, .ai_socktype = SOCK_DGRAM};
    if (colon && (size_t)(to - from) < sizeof host)
        memcpy(host, from, (size_t)(to - from));
    long port = colon ? strtol(colon + 1, NULL, 10) : 0;
    if (!host[0] || port < 1 || port > 65535 || getaddrinfo(host, colon + 1, &hints, &found)) {
        fprintf(stderr, "\"%s\" is no address; write it as 239.10.0.1:1234 or [ff15::1]:1234\n", text);
        return false;
    }
    *out = (struct address){.size = found->ai_addrlen};
    out->interface = interface ? if_nametoindex(interface) : 0;
    memcpy(&out->name, found->ai_addr, found->ai_addrlen);
    freeaddrinfo(found);
    out->multicast = is_multicast(&out->name);
    if (interface && !out->interface)
        fprintf(stderr, "there is no interface \"%s\"\n", interface);
    return !interface || out->interface;
}
