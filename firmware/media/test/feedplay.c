/* feedplay: serves a recorded feed in real time and endlessly, as an encoder would; for benches and tests.
 *
 *   feedplay --file CLIP.feed [--late-ms N] SOCKET…
 *
 * Labels stand on the box clock's grid as an encoder's do; units leave --late-ms (30) after their label. */
#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "clock.h"
#include "feed.h"
#include "slate.h"

#define SOCKETS_MAX 64
#define TICK_MS 5

struct player {
    struct slate *clip;
    int64_t late;
    size_t count;
    struct feed_server *servers[SOCKETS_MAX];
    int64_t origin[FEED_STREAMS_MAX];
    uint64_t next[FEED_STREAMS_MAX];
};

static void tick(void *data)
{
    struct player *player = data;
    const struct feed_table *table = slate_table(player->clip);
    int64_t until = clock_now() - player->late;
    for (;;) {
        struct feed_unit unit, earliest = {.dts = INT64_MAX};
        size_t stream = 0;
        for (size_t i = 0; i < table->count; i++) {
            slate_unit(player->clip, table->streams[i].stream, player->next[i], player->origin[i], &unit);
            if (unit.dts < earliest.dts) {
                earliest = unit;
                stream = i;
            }
        }
        if (earliest.dts > until)
            return;
        player->next[stream]++;
        for (size_t i = 0; i < player->count; i++)
            feed_server_push(player->servers[i], &earliest);
    }
}

static void terminate(void *data)
{
    loop_quit(data, 0);
}

int main(int argc, char **argv)
{
    static const struct option options[] = {
        {"file", required_argument, NULL, 'f'}, {"late-ms", required_argument, NULL, 'l'}, {0}};
    struct player player = {.late = 30 * NS_PER_MS};
    const char *file = NULL;
    char reason[96];
    int option;
    while ((option = getopt_long(argc, argv, "", options, NULL)) != -1) {
        if (option == 'f')
            file = optarg;
        else if (option == 'l')
            player.late = atoll(optarg) * NS_PER_MS;
        else
            return 2;
    }
    struct loop *loop = loop_new();
    if (file == NULL || optind == argc || argc - optind > SOCKETS_MAX || loop == NULL ||
        !loop_on_terminate(loop, terminate, loop)) {
        fprintf(stderr, "usage: feedplay --file CLIP.feed [--late-ms N] SOCKET…\n");
        return 2;
    }
    player.clip = slate_load(file, reason, sizeof reason);
    if (player.clip == NULL) {
        fprintf(stderr, "feedplay: %s: %s\n", file, reason);
        return 1;
    }
    const struct feed_table *table = slate_table(player.clip);
    for (size_t i = 0; i < table->count; i++) {
        int64_t step = slate_offset(&table->streams[i], 1);
        player.origin[i] = slate_offset(&table->streams[i], (uint64_t)(clock_now() / step + 1));
    }
    for (int i = optind; i < argc; i++) {
        player.servers[player.count] = feed_server_new(loop, argv[i], 4 * 1024 * 1024, NULL, NULL);
        if (player.servers[player.count] == NULL) {
            fprintf(stderr, "feedplay: can't serve %s: %s\n", argv[i], strerror(errno));
            return 1;
        }
        feed_server_table(player.servers[player.count++], table);
    }
    struct loop_timer *timer = loop_every(loop, TICK_MS, tick, &player);
    if (timer == NULL)
        return 1;
    loop_run(loop);
    loop_timer_stop(timer);
    for (size_t i = 0; i < player.count; i++)
        feed_server_free(player.servers[i]);
    slate_free(player.clip);
    loop_free(loop);
    return 0;
}
