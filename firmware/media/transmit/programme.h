/* One programme's flow of access units: live from the feed while there is one, else the slate clip, joined
 * without a step in the time stamps. See programme.c for the rules. It does no I/O and asks no clock. */
#ifndef STEADYCAST_PROGRAMME_H
#define STEADYCAST_PROGRAMME_H

#include "feed.h"
#include "mux.h"
#include "slate.h"
#include "spec.h"

enum programme_state { PROGRAMME_NONE, PROGRAMME_LIVE, PROGRAMME_HOLD, PROGRAMME_SLATE };

struct programme_stats {
    enum programme_state state;
    uint64_t feed_losses;
};

struct programme_flow;

/** The flow of programme `index` of the spec into `mux`; `now` is the box clock (ns). */
struct programme_flow *programme_new(struct mux *mux, size_t index, const struct spec *spec, int64_t now);
void programme_free(struct programme_flow *flow);

/** A changed spec of the same programme. */
void programme_apply(struct programme_flow *flow, size_t index, const struct spec *spec);
/** Replaces the slate clip (ownership passes); NULL for none. */
void programme_slate(struct programme_flow *flow, struct slate *slate);

/* What the feed brings. */
void programme_table(struct programme_flow *flow, const struct feed_table *table);
void programme_unit(struct programme_flow *flow, const struct feed_unit *unit, int64_t now);
void programme_feed_lost(struct programme_flow *flow);

/** Plays the slate as far as it is due. Call every few milliseconds. */
void programme_tick(struct programme_flow *flow, int64_t now);

/** The feed should be asked for a key frame. */
bool programme_wants_key(const struct programme_flow *flow);
struct programme_stats programme_stats(const struct programme_flow *flow);
const char *programme_state_name(enum programme_state state);

/** The programme's streams as the PMT has them now; returns their number. */
size_t programme_streams(const struct programme_flow *flow, const struct psi_stream **streams);

#endif
