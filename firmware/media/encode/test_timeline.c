/* Running time to box time: one mapping, moved only for cause. */
#include "check.h"
#include "timeline.h"

#define MS NS_PER_MS
#define START (1000 * NS_PER_S)

static int64_t map(struct timeline *timeline, enum timeline_stream stream, int64_t running, int64_t now)
{
    int64_t time;
    return timeline_map(timeline, stream, running, 40 * MS, now, 200 * MS, &time) ? time : -1;
}

static void live_times_are_box_time(void)
{
    struct timeline timeline = {0};
    timeline_begin(&timeline, false);
    CHECK_EQ_INT(map(&timeline, TIMELINE_VIDEO, START, START + 5 * MS), START);
    /* A sender's buffer ahead, the input buffer and more behind: still believed. */
    CHECK_EQ_INT(map(&timeline, TIMELINE_VIDEO, START + 2 * NS_PER_S, START), START + 2 * NS_PER_S);
    CHECK_EQ_INT(map(&timeline, TIMELINE_VIDEO, START - NS_PER_S, START), START - NS_PER_S);
    CHECK_EQ_INT(timeline.moves, 0);
}

static void live_times_beyond_belief_are_mapped_anew(void)
{
    static const int64_t jumps[] = {-100 * NS_PER_S, 20 * NS_PER_S, 26 * 3600 * NS_PER_S};
    for (int j = 0; j < 3; j++) {
        struct timeline timeline = {0};
        timeline_begin(&timeline, false);
        map(&timeline, TIMELINE_VIDEO, START, START);
        /* A single one is dropped. */
        CHECK_EQ_INT(map(&timeline, TIMELINE_VIDEO, START + jumps[j], START + 40 * MS), -1);
        CHECK_EQ_INT(map(&timeline, TIMELINE_VIDEO, START + 80 * MS, START + 80 * MS), START + 80 * MS);
        int dropped = 0;
        for (int64_t t = START + 120 * MS; t < START + NS_PER_S; t += 20 * MS) {
            int64_t picture = map(&timeline, TIMELINE_VIDEO, t + jumps[j], t);
            int64_t sound = map(&timeline, TIMELINE_AUDIO, t + jumps[j] - 10 * MS, t);
            dropped += picture < 0;
            /* Both streams keep their distance. */
            CHECK(picture < 0 || sound < 0 || (picture == t && sound == t - 10 * MS));
        }
        CHECK(dropped >= 10 && dropped <= 20);
        CHECK_EQ_INT(timeline.moves, 1);
    }
}

static void paced_source_is_anchored_to_its_first_unit(void)
{
    struct timeline timeline = {0};
    timeline_begin(&timeline, true);
    CHECK_EQ_INT(map(&timeline, TIMELINE_AUDIO, 0, START), START + TIMELINE_PREROLL);
    CHECK_EQ_INT(map(&timeline, TIMELINE_VIDEO, 40 * MS, START + 10 * MS),
                 START + TIMELINE_PREROLL + 40 * MS);
    /* After a stall it goes on from where it is, now. */
    int64_t late = START + 10 * NS_PER_S;
    CHECK_EQ_INT(map(&timeline, TIMELINE_VIDEO, 80 * MS, late), late + TIMELINE_PREROLL);
    CHECK_EQ_INT(timeline.moves, 1);
}

static void loop_follows_what_was_played(void)
{
    struct timeline timeline = {0};
    timeline_begin(&timeline, true);
    int64_t start = map(&timeline, TIMELINE_VIDEO, 0, START);
    map(&timeline, TIMELINE_VIDEO, 9960 * MS, START + 9 * NS_PER_S);
    map(&timeline, TIMELINE_AUDIO, 9970 * MS, START + 9 * NS_PER_S);
    timeline_loop(&timeline);
    /* The picture's grid goes on though the sound was 10 ms longer. */
    CHECK_EQ_INT(map(&timeline, TIMELINE_VIDEO, 0, START + 9 * NS_PER_S), start + 10000 * MS);
    /* Sound that is longer by more is let out. */
    map(&timeline, TIMELINE_VIDEO, 9960 * MS, START + 19 * NS_PER_S);
    map(&timeline, TIMELINE_AUDIO, 10960 * MS, START + 19 * NS_PER_S);
    timeline_loop(&timeline);
    CHECK_EQ_INT(map(&timeline, TIMELINE_VIDEO, 0, START + 20 * NS_PER_S), start + 20900 * MS);
}

int main(void)
{
    live_times_are_box_time();
    live_times_beyond_belief_are_mapped_anew();
    paced_source_is_anchored_to_its_first_unit();
    loop_follows_what_was_played();
    return 0;
}
