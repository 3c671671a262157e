/* The multiplexer's tables: their content and versions, and when each goes out. */
#include <string.h>

#include "bytes.h"
#include "mux_private.h"

static struct table_version *find_version(struct mux_state *state, uint32_t key)
{
    for (size_t i = 0; i < TABLES_MAX; i++) {
        if (state->versions[i].key == key || state->versions[i].key == 0) {
            state->versions[i].key = key;
            return &state->versions[i];
        }
    }
    return &state->versions[TABLES_MAX - 1];
}

static uint32_t version_key(const struct mux *mux, const struct table *table)
{
    unsigned number = table->kind == TABLE_PMT ? mux->spec->programmes[table->programme].number : 0xffff;
    return (uint32_t)table->pid << 16 | number;
}

static size_t write_section(const struct mux *mux, const struct table *table, uint8_t version, uint8_t *out)
{
    const struct programme *programme = &mux->programmes[table->programme];
    switch (table->kind) {
    case TABLE_PAT:
        return psi_pat(out, mux->spec, version);
    case TABLE_PMT:
        return psi_pmt(out, &mux->spec->programmes[table->programme], programme->streams, programme->stream_count,
                       version);
    case TABLE_SDT:
        return psi_sdt(out, mux->spec, table->programme, version);
    case TABLE_NIT:
        return psi_nit(out, mux->spec, version);
    case TABLE_TDT:
        break;
    }
    return 0;
}

/* The checksum over all tables that share the version: the SDT has a section for each service. */
static uint32_t content_of(const struct mux *mux, const struct table *table)
{
    uint8_t section[SECTION_MAX];
    uint32_t content = 0;
    struct table each = *table;
    size_t first = table->kind == TABLE_SDT ? 0 : table->programme;
    size_t end = table->kind == TABLE_SDT ? mux->spec->programme_count : first + 1;
    for (each.programme = first; each.programme < end; each.programme++) {
        /* Without CRC_32: over all of a section the CRC is always zero. */
        size_t size = write_section(mux, &each, 0, section) - 4;
        content = content * 31 + psi_crc(section, size);
    }
    return content == 0 ? 1 : content;
}

/* A PMT is not sent, and its version not touched, before the programme's streams are known: a successor of a
 * killed process must not make the receivers believe that something has changed. */
static bool is_known(const struct mux *mux, const struct table *table)
{
    return table->kind != TABLE_PMT || mux->programmes[table->programme].stream_count > 0;
}

static void refresh_table(struct mux *mux, struct table *table)
{
    if (table->kind == TABLE_TDT || !is_known(mux, table))
        return;
    struct table_version *version = find_version(mux->state, version_key(mux, table));
    uint32_t content = content_of(mux, table);
    if (version->content != content) {
        if (version->content != 0)
            version->version = (version->version + 1) & 0x1f;
        version->content = content;
    }
    /* A table that is half sent must not change under way: it is sent again from its start. */
    if (mux->sending == table && mux->sent > 0)
        table->due = 0;
    else
        table->size = write_section(mux, table, version->version, table->section);
}

static void add_table(struct mux *mux, enum table_kind kind, uint16_t pid, size_t programme, int64_t interval,
                      int64_t first_due)
{
    struct table *table = &mux->tables[mux->table_count++];
    *table = (struct table){.kind = kind, .pid = pid, .programme = programme, .interval = ticks_from_ns(interval)};
    table->due = first_due;
    refresh_table(mux, table);
}

/* All tables go out at once after a change; those that share a PID are spread, so that sections of one PID
 * are ≥ 25 ms apart (EN 300 468 5.1.4). */
void mux_tables_build(struct mux *mux)
{
    const struct spec *spec = mux->spec;
    int64_t now = grid_ticks(&mux->state->grid, mux->state->slot, 0);
    mux->table_count = 0;
    mux->sending = NULL;
    add_table(mux, TABLE_PAT, PID_PAT, 0, spec->pat_interval, now);
    for (size_t i = 0; i < spec->programme_count; i++)
        add_table(mux, TABLE_PMT, spec->programmes[i].pmt_pid, i, spec->pmt_interval, now);
    for (size_t i = 0; i < spec->programme_count; i++)
        add_table(mux, TABLE_SDT, PID_SDT, i, spec->sdt_interval, now + (int64_t)i * TICKS_PER_S * 30 / 1000);
    add_table(mux, TABLE_NIT, PID_NIT, 0, spec->nit_interval, now);
    add_table(mux, TABLE_TDT, PID_TDT, 0, spec->tdt_interval, now);
}

static void table_packet(struct mux *mux, uint8_t *out)
{
    struct table *table = mux->sending;
    size_t room = PACKET_SIZE - 4, at = 4;
    put_be16(out + 1, (uint16_t)((mux->sent == 0 ? 0x4000 : 0) | table->pid));
    out[3] = (uint8_t)(0x10 | mux->state->continuity[table->pid]);
    mux->state->continuity[table->pid] = (mux->state->continuity[table->pid] + 1) & 0xf;
    if (mux->sent == 0) {
        out[at++] = 0; /* pointer_field */
        room--;
    }
    size_t part = table->size - mux->sent < room ? table->size - mux->sent : room;
    memcpy(out + at, table->section + mux->sent, part);
    memset(out + at + part, 0xff, room - part);
    mux->sent += part;
    if (mux->sent < table->size)
        return;
    mux->sending = NULL;
    mux->sent = 0;
    if (table->due == 0) /* it changed while it was being sent */
        refresh_table(mux, table);
}

/* The table that is most overdue, made ready to be sent; false when none is due. */
static bool start_table(struct mux *mux, int64_t now, time_t utc)
{
    struct table *table = NULL;
    for (size_t i = 0; i < mux->table_count; i++)
        if (mux->tables[i].due <= now && is_known(mux, &mux->tables[i]) &&
            (table == NULL || mux->tables[i].due < table->due))
            table = &mux->tables[i];
    if (table == NULL)
        return false;
    table->due += table->interval;
    if (table->due <= now) /* first time, or after a jump */
        table->due = now + table->interval;
    if (table->kind == TABLE_TDT)
        table->size = psi_tdt(table->section, utc);
    mux->sending = table;
    mux->sent = 0;
    return true;
}

bool mux_tables_packet(struct mux *mux, int64_t now, time_t utc, uint8_t out[PACKET_SIZE])
{
    if (mux->sending == NULL && !start_table(mux, now, utc))
        return false;
    table_packet(mux, out);
    return true;
}

void mux_tables_refresh_pmt(struct mux *mux, size_t index)
{
    for (size_t i = 0; i < mux->table_count; i++) {
        struct table *table = &mux->tables[i];
        if (table->kind != TABLE_PMT || table->programme != index)
            continue;
        struct table_version *version = find_version(mux->state, version_key(mux, table));
        uint32_t content = version->content;
        refresh_table(mux, table);
        if (version->content != content || table->size == 0)
            table->due = 0;
    }
}

uint8_t mux_pmt_version(const struct mux *mux, size_t programme)
{
    for (size_t i = 0; i < mux->table_count; i++)
        if (mux->tables[i].kind == TABLE_PMT && mux->tables[i].programme == programme)
            return find_version(mux->state, version_key(mux, &mux->tables[i]))->version;
    return 0;
}
