/* The control stream: datagrams of seven null packets in even steps, to show when the machine stood still. */
#include <errno.h>
#include <getopt.h>
#include <netinet/in.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "address.h"

#define PACKET 188
#define PACKETS 7
#define NS_PER_S INT64_C(1000000000)

static const char usage[] =
    "usage: metronome --to ADDRESS:PORT [--interface NAME] [--interval-us N]\n"
    "Sends a datagram of seven null packets every N µs (100 to 1000000; 2000) until it is ended.\n";

static int open_socket(const struct address *to)
{
    int fd = socket(to->name.ss_family, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return -1;
    if (to->multicast && to->interface) {
        struct ip_mreqn v4 = {.imr_ifindex = (int)to->interface};
        int v6 = (int)to->interface;
        if (to->name.ss_family == AF_INET6 ? setsockopt(fd, IPPROTO_IPV6, IPV6_MULTICAST_IF, &v6, sizeof v6)
                                           : setsockopt(fd, IPPROTO_IP, IP_MULTICAST_IF, &v4, sizeof v4))
            return -1;
    }
    return connect(fd, (const struct sockaddr *)&to->name, to->size) == 0 ? fd : -1;
}

int main(int argc, char **argv)
{
    const char *to_text = NULL, *interface = NULL;
    long interval_us = 2000;
    static const struct option options[] = {{"to", required_argument, NULL, 't'},
                                            {"interface", required_argument, NULL, 'i'},
                                            {"interval-us", required_argument, NULL, 'u'},
                                            {NULL, 0, NULL, 0}};
    for (int o; (o = getopt_long(argc, argv, "", options, NULL)) != -1;) {
        if (o == 't')
            to_text = optarg;
        else if (o == 'i')
            interface = optarg;
        else if (o == 'u')
            interval_us = strtol(optarg, NULL, 10);
        else
            interval_us = 0;
    }
    struct address to;
    if (!to_text || optind != argc || interval_us < 100 || interval_us > 1000000) {
        fputs(usage, stderr);
        return 2;
    }
    if (!address_read(to_text, interface, &to))
        return 2;
    int fd = open_socket(&to);
    if (fd < 0) {
        perror("cannot send");
        return 1;
    }
    uint8_t datagram[PACKETS * PACKET];
    memset(datagram, 0xff, sizeof datagram);
    for (size_t i = 0; i < PACKETS; i++)
        memcpy(datagram + i * PACKET, (const uint8_t[]){0x47, 0x1f, 0xff, 0x10}, 4);
    int64_t interval = interval_us * 1000, next = 0;
    for (;;) {
        if (send(fd, datagram, sizeof datagram, 0) < 0 && errno != ECONNREFUSED && errno != ENOBUFS) {
            perror("cannot send");
            return 1;
        }
        struct timespec ts;
        clock_gettime(CLOCK_MONOTONIC, &ts);
        int64_t now = ts.tv_sec * NS_PER_S + ts.tv_nsec;
        next += interval;
        if (next <= now) /* after a stall the missed beats are left out, not made up for */
            next = now + interval - now % interval;
        ts = (struct timespec){.tv_sec = next / NS_PER_S, .tv_nsec = next % NS_PER_S};
        clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &ts, NULL);
    }
}
