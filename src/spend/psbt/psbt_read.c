/* psbt_read.c - PSBTs read. Messages are those of Core. BIP-174, Specification */
#include <stdio.h>
#include <string.h>

#include "spend/psbt/psbt_fields_internal.h"
#include "util/array.h"
#include "util/reader.h"

enum { ERROR_BYTES = 160 };

struct reading {
    struct reader r;
    struct psbt *psbt;
    const char **error;
};

/* Core's reader throws; its words say so. */
static bool refuse(struct reading *reading, const char *text)
{
    char *copy = arena_alloc(reading->psbt->arena, ERROR_BYTES);
    snprintf(copy, ERROR_BYTES, "%s: iostream error", text);
    *reading->error = copy;
    return false;
}

static bool refuse_end(struct reading *reading)
{
    return refuse(reading, "SpanReader::read(): end of data");
}

/* Records of a map as they come. */
struct records {
    ARRAY(struct psbt_record) all;
    bool is_ended, is_cut; /* by a separator; in the middle of a record */
};

/* A copy of the bytes that the reader borrows: they may go before the PSBT does. */
static struct span keep(struct reading *reading, struct span bytes)
{
    uint8_t *p = arena_alloc(reading->psbt->arena, bytes.len + 1);
    if (bytes.len > 0)
        memcpy(p, bytes.p, bytes.len);
    return span_of(p, bytes.len);
}

static void read_records(struct reading *reading, struct records *out)
{
    struct reader *r = &reading->r;
    while (!out->is_ended && !out->is_cut && reader_left(r) > 0) {
        struct psbt_record record = {.key = read_var_span(r)};
        out->is_ended = !r->failed && record.key.len == 0;
        if (out->is_ended)
            return;
        record.key = keep(reading, record.key);
        struct reader key = reader_of(record.key);
        record.type = read_compact_size(&key);
        record.value = keep(reading, read_var_span(r));
        out->is_cut = r->failed || key.failed;
        if (out->is_cut)
            return;
        record.data = span_of(key.at, reader_left(&key));
        *ARRAY_ADD(&out->all) = record;
    }
}

/* What is wrong with the first record that something is wrong with. */
static const char *find_error(const struct reading *reading, enum psbt_map_kind kind,
                              const struct records *records)
{
    const bool *is_duplicate =
        psbt_find_duplicates(records->all.at, records->all.n, reading->psbt->arena);
    for (size_t i = 0; i < records->all.n; i++) {
        const struct psbt_record *record = &records->all.at[i];
        const char *error = is_duplicate[i]
                                ? psbt_duplicate_error(kind, record->type)
                                : psbt_check_record(kind, reading->psbt->version, record);
        if (error)
            return error;
    }
    return NULL;
}

/* A map. Which version it is has to be known for inputs and outputs. */
static bool read_map(struct reading *reading, struct psbt_map *map, const char *no_end)
{
    struct records records = {0};
    read_records(reading, &records);
    const char *error = find_error(reading, map->kind, &records);
    if (!error)
        psbt_put_all(reading->psbt, map, records.all.at, records.all.n);
    bool is_ended = records.is_ended, is_cut = records.is_cut;
    ARRAY_FREE(&records.all);
    if (error)
        return refuse(reading, error);
    if (is_cut)
        return refuse_end(reading);
    return is_ended || refuse(reading, no_end);
}

/* -- The transaction -------------------------------------------------------------------------- */

static bool read_unsigned_tx(struct reading *reading, struct span bytes)
{
    struct psbt *psbt = reading->psbt;
    struct reader r = reader_of(bytes);
    if (!tx_decode(&r, psbt->arena, false, &psbt->tx))
        return refuse_end(reading);
    if (!reader_finish(&r))
        return refuse(reading, "Size of value was not the stated size");
    for (uint32_t i = 0; i < psbt->tx.n_in; i++) {
        if (psbt->tx.in[i].script_sig.len > 0)
            return refuse(reading,
                          "Unsigned tx does not have empty scriptSigs and scriptWitnesses.");
    }
    psbt->n_inputs = psbt->tx.n_in;
    psbt->n_outputs = psbt->tx.n_out;
    return true;
}

/* What each version must and must not have. BIP-370, Specification */
static const struct {
    uint64_t type;
    const char *foreign, *missing;
} v2_fields[] = {
    {PSBT_GLOBAL_TX_VERSION, "PSBT_GLOBAL_TX_VERSION is not allowed in PSBTv0",
     "PSBT_GLOBAL_TX_VERSION is required in PSBTv2"},
    {PSBT_GLOBAL_FALLBACK_LOCKTIME, "PSBT_GLOBAL_FALLBACK_LOCKTIME is not allowed in PSBTv0", NULL},
    {PSBT_GLOBAL_INPUT_COUNT, "PSBT_GLOBAL_INPUT_COUNT is not allowed in PSBTv0",
     "PSBT_GLOBAL_INPUT_COUNT is required in PSBTv2"},
    {PSBT_GLOBAL_OUTPUT_COUNT, "PSBT_GLOBAL_OUTPUT_COUNT is not allowed in PSBTv0",
     "PSBT_GLOBAL_OUTPUT_COUNT is required in PSBTv2"},
    {PSBT_GLOBAL_TX_MODIFIABLE, "PSBT_GLOBAL_TX_MODIFIABLE is not allowed in PSBTv0", NULL},
};

/* Bytes of the smallest maps of version 2: of fields that have to be there, and a separator. */
enum { INPUT_BYTES_MIN = 35 + 7 + 1, OUTPUT_BYTES_MIN = 11 + 3 + 1 };

/* A count: of one that lies, as many as are just too many for the bytes left. */
static size_t read_count(const struct reading *reading, uint64_t type, size_t each_bytes)
{
    struct reader r = reader_of(psbt_get(&reading->psbt->global, type));
    uint64_t n = read_compact_size(&r), most = reader_left(&reading->r) / each_bytes + 1;
    return (size_t)(n < most ? n : most);
}

static bool check_global(struct reading *reading)
{
    struct psbt *psbt = reading->psbt;
    struct span tx = psbt_get(&psbt->global, PSBT_GLOBAL_UNSIGNED_TX);
    bool is_v0 = psbt->version == PSBT_VERSION_0;
    if (is_v0 && !tx.p)
        return refuse(reading, "No unsigned transaction was provided");
    for (size_t i = 0; i < COUNT_OF(v2_fields); i++) {
        bool is_there = psbt_get(&psbt->global, v2_fields[i].type).p != NULL;
        if (is_v0 && is_there)
            return refuse(reading, v2_fields[i].foreign);
        if (!is_v0 && !is_there && v2_fields[i].missing)
            return refuse(reading, v2_fields[i].missing);
    }
    if (is_v0)
        return read_unsigned_tx(reading, tx);
    if (tx.p)
        return refuse(reading, "PSBT_GLOBAL_UNSIGNED_TX is not allowed in PSBTv2");
    psbt->n_inputs = read_count(reading, PSBT_GLOBAL_INPUT_COUNT, INPUT_BYTES_MIN);
    psbt->n_outputs = read_count(reading, PSBT_GLOBAL_OUTPUT_COUNT, OUTPUT_BYTES_MIN);
    return true;
}

/* -- Inputs and outputs ----------------------------------------------------------------------- */

/* The transaction that an input spends from: without witness, which its id does not cover. */
static bool check_previous_tx(struct reading *reading, struct psbt_map *input,
                              const struct outpoint *spent)
{
    struct psbt *psbt = reading->psbt;
    struct span bytes = psbt_get(input, PSBT_IN_NON_WITNESS_UTXO);
    struct reader r = reader_of(bytes);
    struct tx tx;
    if (!bytes.p)
        return true;
    if (!tx_decode(&r, psbt->arena, true, &tx))
        return refuse_end(reading);
    if (!reader_finish(&r))
        return refuse(reading, "Size of value was not the stated size");
    if (!txid_equal(&tx.txid, &spent->txid))
        return refuse(reading, "Non-witness UTXO does not match outpoint hash");
    if (spent->vout >= tx.n_out)
        return refuse(reading, "Input specifies output index that does not exist");
    if (tx.has_witness) {
        uint8_t *p = arena_alloc(psbt->arena, tx.base_bytes);
        struct writer w = writer_to_buffer(p, tx.base_bytes);
        tx_encode(&w, &tx, false);
        psbt_set(psbt, input, PSBT_IN_NON_WITNESS_UTXO, span_of("", 0), span_of(p, w.len));
    }
    return true;
}

/* Final scripts that hold nothing are not passed on, as in Core. */
static void drop_empty_scripts(struct psbt_map *input)
{
    struct span witness = psbt_get(input, PSBT_IN_FINAL_SCRIPTWITNESS);
    if (psbt_get(input, PSBT_IN_FINAL_SCRIPTSIG).len == 0)
        psbt_remove(input, PSBT_IN_FINAL_SCRIPTSIG);
    if (witness.len > 0 && witness.p[0] == 0)
        psbt_remove(input, PSBT_IN_FINAL_SCRIPTWITNESS);
}

static bool read_input(struct reading *reading, size_t i)
{
    struct psbt *psbt = reading->psbt;
    struct psbt_map *input = &psbt->inputs[i];
    struct outpoint spent;
    if (!read_map(reading, input, "Separator is missing at the end of an input map"))
        return false;
    drop_empty_scripts(input);
    if (psbt->version == PSBT_VERSION_0)
        return check_previous_tx(reading, input, &psbt->tx.in[i].prevout);
    struct span txid = psbt_get(input, PSBT_IN_PREVIOUS_TXID);
    if (!txid.p)
        return refuse(reading, "Previous TXID is required in PSBTv2");
    if (!psbt_get_u32(input, PSBT_IN_OUTPUT_INDEX, &spent.vout))
        return refuse(reading, "Previous output's index is required in PSBTv2");
    memcpy(spent.txid.b, txid.p, sizeof spent.txid.b);
    return check_previous_tx(reading, input, &spent);
}

static bool read_output(struct reading *reading, size_t i)
{
    struct psbt_map *output = &reading->psbt->outputs[i];
    struct tap_tree tree;
    if (!read_map(reading, output, "Separator is missing at the end of an output map"))
        return false;
    struct span leaves = psbt_get(output, PSBT_OUT_TAP_TREE);
    if (leaves.p && !psbt_read_tree(leaves, reading->psbt->arena, &tree))
        return refuse(reading, "Output Taproot tree is malformed");
    if (reading->psbt->version == PSBT_VERSION_0)
        return true;
    if (!psbt_get(output, PSBT_OUT_AMOUNT).p)
        return refuse(reading, "Output amount is required in PSBTv2");
    return psbt_get(output, PSBT_OUT_SCRIPT).p ||
           refuse(reading, "Output script is required in PSBTv2");
}

static struct psbt_map *new_maps(struct psbt *psbt, size_t n, enum psbt_map_kind kind)
{
    struct psbt_map *maps = arena_calloc(psbt->arena, n + 1, sizeof *maps);
    for (size_t i = 0; i < n; i++)
        maps[i].kind = kind;
    return maps;
}

static bool read_maps(struct reading *reading)
{
    struct psbt *psbt = reading->psbt;
    size_t i = 0;
    /* Each map has one byte at least: nothing is made for maps that cannot be there. */
    if (psbt->n_inputs > reader_left(&reading->r))
        return refuse(reading,
                      "Inputs provided does not match the number of inputs in transaction.");
    psbt->inputs = new_maps(psbt, psbt->n_inputs, PSBT_MAP_INPUT);
    for (; i < psbt->n_inputs && reader_left(&reading->r) > 0; i++) {
        if (!read_input(reading, i))
            return false;
    }
    if (i < psbt->n_inputs)
        return refuse(reading,
                      "Inputs provided does not match the number of inputs in transaction.");
    if (psbt->n_outputs > reader_left(&reading->r))
        return refuse(reading,
                      "Outputs provided does not match the number of outputs in transaction.");
    psbt->outputs = new_maps(psbt, psbt->n_outputs, PSBT_MAP_OUTPUT);
    for (i = 0; i < psbt->n_outputs && reader_left(&reading->r) > 0; i++) {
        if (!read_output(reading, i))
            return false;
    }
    return i == psbt->n_outputs ||
           refuse(reading, "Outputs provided does not match the number of outputs in transaction.");
}

bool psbt_read(struct span bytes, struct arena *arena, struct psbt *out, const char **error)
{
    ASSERT(arena && out && error);
    static const uint8_t magic[] = {'p', 's', 'b', 't', 0xff};
    struct reading reading = {.r = reader_of(bytes), .psbt = out, .error = error};
    *out = (struct psbt){.arena = arena};
    struct span head = read_span(&reading.r, sizeof magic);
    if (reading.r.failed)
        return refuse_end(&reading);
    if (memcmp(head.p, magic, sizeof magic) != 0)
        return refuse(&reading, "Invalid PSBT magic bytes");
    if (!read_map(&reading, &out->global, "Separator is missing at the end of the global map"))
        return false;
    (void)psbt_get_u32(&out->global, PSBT_GLOBAL_VERSION, &out->version);
    if (!check_global(&reading) || !read_maps(&reading))
        return false;
    if (reader_left(&reading.r) > 0) {
        *error = "extra data after PSBT";
        return false;
    }
    return psbt_update_tx(out) || refuse(&reading, "Inputs ask for lock times that conflict");
}
