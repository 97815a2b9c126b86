/* features.c - see features.h. */
#include "p2p/session/features.h"

#include "p2p/peer/peer.h"
#include "p2p/peer/send.h"
#include "p2p/snapshot/snapshot_serve.h"

const struct feature features[] = {
    {.name = SNAPSHOT_FEATURE, .tell = snapshot_serve_tell, .agree = snapshots_agree},
    {.name = NULL},
};

/* The number of a row; FEATURES_MAX: there is none. */
static unsigned find(const struct feature *table, struct span name)
{
    for (unsigned i = 0; table[i].name; i++) {
        ASSERT(i < FEATURES_MAX);
        if (strlen(table[i].name) == name.len && memcmp(table[i].name, name.p, name.len) == 0)
            return i;
    }
    return FEATURES_MAX;
}

/* Returns: false: it is not told of */
static bool tell(const struct p2p *p2p, const struct feature *row, struct writer *w)
{
    if (row->tell)
        return row->tell(p2p, w);
    if (row->data)
        write_span(w, span_of_string(row->data));
    return true;
}

void features_send(struct p2p *p2p, struct peer *peer, const struct feature *table)
{
    ASSERT(peer->state == PEER_GREETED);
    for (const struct feature *row = table; row->name; row++) {
        uint8_t bytes[3 + FEATURE_NAME_MAX + 3 + FEATURE_DATA_MAX], data[FEATURE_DATA_MAX];
        struct writer of_data = writer_to_buffer(data, sizeof data);
        struct writer w = writer_to_buffer(bytes, sizeof bytes);
        ASSERT(strlen(row->name) >= FEATURE_NAME_MIN && strlen(row->name) <= FEATURE_NAME_MAX);
        if (!tell(p2p, row, &of_data))
            continue;
        write_compact_size(&w, strlen(row->name));
        write_span(&w, span_of_string(row->name));
        write_compact_size(&w, of_data.len);
        write_bytes(&w, data, of_data.len);
        peer_send(p2p, peer, "feature", span_of(bytes, w.len));
    }
}

/* Who cannot keep to the form is let go, whatever he names, as the BIP allows. */
enum fault features_hear(struct p2p *p2p, struct peer *peer, const struct feature *table,
                         struct reader *r)
{
    ASSERT(peer->state == PEER_GREETED);
    uint64_t name_len = read_compact_size(r);
    if (r->failed || name_len < FEATURE_NAME_MIN || name_len > FEATURE_NAME_MAX)
        return FAULT_BAD_FEATURE;
    struct span name = read_span(r, (size_t)name_len);
    uint64_t data_len = read_compact_size(r);
    if (r->failed || data_len > FEATURE_DATA_MAX)
        return FAULT_BAD_FEATURE;
    struct span data = read_span(r, (size_t)data_len);
    if (!reader_finish(r))
        return FAULT_BAD_FEATURE;
    unsigned i = find(table, name);
    if (i == FEATURES_MAX)
        return FAULT_NONE;
    const struct feature *row = &table[i];
    if (!row->agree || row->agree(p2p, peer, data))
        peer->features |= UINT32_C(1) << i;
    return FAULT_NONE;
}
