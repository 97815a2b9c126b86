/* accept.c - a transaction on its way into the mempool.
 *
 * A check is decoded and looked at by itself in a job; then, on the loop, against tip and
 * entries, waiting for coins from the store or for a parent that is being checked itself; then
 * its scripts run as jobs, a few inputs each, so that a block never waits long for a thread; then
 * all that the loop did is done again if anything has changed, and it is in. What an output is
 * follows from its name, so scripts need to be checked only once. */
#include "mempool/accept.h"

#include "chain/core/script_verdict.h"
#include "consensus/script_iter.h"
#include "consensus/sigops.h"
#include "consensus/tx_check.h"
#include "mempool/check.h"
#include "mempool/ephemeral.h"
#include "mempool/graph.h"
#include "mempool/limit.h"
#include "mempool/replace.h"
#include "util/alloc.h"
#include "util/hex.h"

#define CHECK_ARENA_BYTES 2048
#define ENTRY_ARENA_BYTES 256
/* What one job checks: so many inputs, or fewer if they hash more than this. */
#define JOB_INPUTS       64
#define JOB_HASHED_BYTES (8u << 20)

static struct pool_check *check_of_job(struct env_job *job)
{
    return (struct pool_check *)((char *)job - offsetof(struct pool_check, job));
}

static struct pool_lane *lane_of(const struct pool_check *check)
{
    return pool_lane_of(check->mempool, check->flags);
}

/* Do the next step: called whenever what it waited for has come. */
static void advance(struct pool_check *check, bool coins_were_read);

/* -- The list of checks ------------------------------------------------------------------------ */

/* Its bytes count for its lane from here to pending_remove(), whatever becomes of it. */
static void pending_add(struct pool_check *check)
{
    struct mempool *mempool = check->mempool;
    list_add(&mempool->under_way, &check->link);
    lane_of(check)->n++;
    lane_of(check)->bytes += check->len;
}

static void pending_remove(struct pool_check *check)
{
    ASSERT(lane_of(check)->n > 0 && lane_of(check)->bytes >= check->len);
    struct mempool *mempool = check->mempool;
    list_remove(&mempool->under_way, &check->link);
    lane_of(check)->n--;
    lane_of(check)->bytes -= check->len;
    if (check->is_in_map)
        hash_map_remove(&mempool->checks, pool_hash_id(mempool, check->tx.txid.b),
                        pool_check_has_txid, &check->tx.txid);
}

static void check_free(struct pool_check *check)
{
    arena_deinit(&check->tx_arena);
    arena_deinit(&check->arena);
    ARRAY_FREE(&check->replaced);
    xfree(check->raw);
    xfree(check);
}

/* Checks whose parent has been decided go on, who has waited longest first, behind those that were
 * woken before; parent: NULL: only these. They may end in turn and decide others: those are only
 * noted then, for the loop that is running already. Nobody else is looked at, however many are
 * under way. */
static void wake_children(struct mempool *mempool, struct pool_check *parent)
{
    struct pool_check *woken;
    while (parent && (woken = LIST_POP(struct pool_check, &parent->waiters, waiting))) {
        ASSERT(woken->waits_for == parent);
        woken->waits_for = NULL;
        list_add(&mempool->woken, &woken->waiting);
    }
    if (mempool->is_waking)
        return;
    mempool->is_waking = true;
    while ((woken = LIST_POP(struct pool_check, &mempool->woken, waiting)))
        advance(woken, false);
    mempool->is_waking = false;
}

/* Answer. entry: it is in the mempool. In this order: out of the lists, so that who asks for more
 * finds room; then who asked; then the children, which find the entry by now or never; last those
 * above, who may close the mempool. */
void pool_check_end(struct pool_check *check, const struct pool_entry *entry)
{
    struct mempool *mempool = check->mempool;
    ASSERT(!check->waits_for && (!check->is_putback || mempool->putbacks.under_way > 0));
    ASSERT(!entry || check->verdict.code == REJECT_NONE ||
           check->verdict.code == REJECT_ALREADY_IN_MEMPOOL);
    bool is_unknown = reject_class(check->verdict.code) == REJECT_CLASS_MISSING;
    bool is_putback = check->is_putback;
    struct mempool_result result = {
        .verdict = check->verdict,
        .was_known = check->verdict.code == REJECT_ALREADY_IN_MEMPOOL,
        .tx = check->is_decoded ? &check->tx : NULL,
        .entry = entry ? &entry->pub : NULL,
        .fee_sat = check->fee_sat,
        .modified_fee_sat = check->modified_fee_sat,
        .vbytes = check->vbytes,
        .scripts_ran = check->scripts_ran,
        .missing = is_unknown ? &check->unknown : NULL,
        .replaced = check->replaced.at,
        .n_replaced = check->replaced.n,
    };
    if (log_is_on(mempool->log, LOG_MEMPOOL) && check->is_decoded) {
        char txid[65], reason[VERDICT_REASON_BYTES];
        hex_encode_reversed(txid, span_of(check->tx.txid.b, 32));
        log_printf(mempool->log, LOG_MEMPOOL, "transaction %s: %s", txid,
                   entry ? "accepted" : verdict_reason(&check->verdict, reason));
    }
    pending_remove(check);
    if (check->done)
        check->done(check->arg, &result);
    wake_children(mempool, check);
    check_free(check);
    if (is_putback)
        mempool->putbacks.under_way--;
    mempool->check_ended(mempool);
}

/* Answer, or tell those that it is judged with. code: NONE: the verdict is set already. */
static void refuse(struct pool_check *check, enum reject code)
{
    if (code != REJECT_NONE)
        check->verdict = (struct verdict){.code = code};
    ASSERT(check->verdict.code != REJECT_NONE);
    if (check->package)
        check->proceed(check, false);
    else
        pool_check_end(check, NULL);
}

/* What it waited for has come. */
static void go_on(struct pool_check *check, bool coins_were_read)
{
    if (check->package)
        check->proceed(check, coins_were_read);
    else
        advance(check, coins_were_read);
}

/* -- By itself (job) --------------------------------------------------------------------------- */

static bool decode(struct pool_check *check, bool allow_witness)
{
    struct reader r = reader_of(span_of(check->raw, check->len));
    return tx_decode(&r, &check->tx_arena, allow_witness, &check->tx) && reader_finish(&r);
}

/* A transaction without inputs can be read only as one that has no witness by its form. */
static bool check_form(struct pool_check *check)
{
    struct verdict *verdict = &check->verdict;
    const struct mempool *mempool = check->mempool;
    if (!decode(check, true) && !decode(check, false))
        return verdict_set(verdict, REJECT_MALFORMED, "TX decode failed");
    check->is_decoded = true;
    enum reject code = tx_check(&check->tx, &check->arena);
    if (code == REJECT_NONE && tx_is_coinbase(&check->tx))
        code = REJECT_COINBASE;
    if (code == REJECT_NONE && mempool->options.require_standard)
        code = policy_check_tx(&mempool->policy, &check->tx);
    if (code == REJECT_NONE && check->tx.base_bytes < POLICY_TX_BASE_BYTES_MIN)
        code = REJECT_TX_SIZE_SMALL;
    return verdict_set(verdict, code, NULL);
}

/* With the arrays that the loop will fill, of as many as there are inputs. */
static void run_form(struct env_job *job)
{
    struct pool_check *check = check_of_job(job);
    if (!check_form(check))
        return;
    const struct tx *tx = &check->tx;
    check->spent = arena_calloc(&check->arena, tx->n_in, sizeof *check->spent);
    check->rules = arena_calloc(&check->arena, tx->n_in, sizeof *check->rules);
    check->missing = arena_alloc(&check->arena, tx->n_in * sizeof *check->missing);
    check->absent = arena_alloc(&check->arena, tx->n_in * sizeof *check->absent);
}

/* On the loop, in the order of arrival. Of several checks of one id the first is the one that
 * children wait for; a test decides nothing for them. */
static void begin(struct pool_check *check)
{
    struct mempool *mempool = check->mempool;
    ASSERT(check->is_formed && !check->is_in_map);
    if (check->verdict.code != REJECT_NONE) {
        refuse(check, REJECT_NONE);
        return;
    }
    if (!check->package && !(check->flags & MEMPOOL_TEST_ONLY) &&
        !pool_check_find(mempool, &check->tx.txid)) {
        hash_map_insert(&mempool->checks, pool_hash_id(mempool, check->tx.txid.b), check);
        check->is_in_map = true;
    }
    if (check->was_here)
        check->scripts_hold = chain_scripts_are_known(mempool->chain, &check->tx.wtxid);
    go_on(check, false);
}

/* A job may end before one that was submitted earlier. What has come first is begun first all the
 * same, or a child would not find the check of its parent. */
static void form_done(struct env_job *job)
{
    struct pool_check *check = check_of_job(job);
    struct pool_lane *lane = lane_of(check);
    if (job->cancelled)
        check->verdict.code = REJECT_FAULT;
    check->is_formed = true;
    struct pool_check *first;
    while ((first = LIST_FIRST(struct pool_check, &lane->forming, forming)) && first->is_formed) {
        list_remove(&lane->forming, &first->forming);
        begin(first);
    }
}

/* -- Scripts (jobs) ---------------------------------------------------------------------------- */

/* About how much the legacy signatures of an input hash: all of the transaction, each of them.
 * Witnesses hash little. CVE-2025-46598 */
static uint64_t hashed_bytes(const struct pool_check *check, uint32_t input)
{
    struct span script_sig = check->tx.in[input].script_sig;
    struct span script_pubkey = check->spent[input].script_pubkey;
    uint32_t sigops = script_is_p2sh(script_pubkey) ? p2sh_sigops(script_sig)
                                                    : script_sigops(script_pubkey, true);
    return (uint64_t)sigops * check->tx.base_bytes;
}

/* A slice of them. Slow ones share a thread with the rest of the world so, and a block's scripts
 * come in between: hazard 12. */
static void run_scripts(struct env_job *job)
{
    ASSERT(check_of_job(job)->next_input < check_of_job(job)->tx.n_in);
    struct pool_check *check = check_of_job(job);
    struct scratch_pool *pool = &check->mempool->scratch;
    struct script_scratch *scratch = scratch_pool_take(pool);
    if (check->next_input == 0)
        tx_sighash_init(&check->sighash, &check->tx, check->spent);
    struct script_check script = {.tx = &check->tx,
                                  .flags = SCRIPT_VERIFY_STANDARD,
                                  .spent = check->spent,
                                  .sighash = &check->sighash};
    uint64_t bytes = 0;
    for (uint32_t n = 0; n < JOB_INPUTS && check->next_input < check->tx.n_in; n++) {
        script.input = check->next_input;
        bytes += hashed_bytes(check, script.input);
        if (n > 0 && bytes > JOB_HASHED_BYTES)
            break;
        check->script_error = script_verdict(check->mempool->env, &script, scratch);
        if (check->script_error != SCRIPT_OK)
            break;
        check->next_input++;
    }
    scratch_pool_give(pool, scratch);
}

/* Whether the witness is missing or wrong decides what may be remembered. One run with the
 * stricter flags is enough: what fails so is not relayed, and we blame nobody for it. Hazard 12 */
static void refuse_scripts(struct pool_check *check)
{
    bool is_stripped =
        !check->tx.has_witness && policy_spends_witness_program(&check->tx, check->spent);
    tx_script_verdict(&check->verdict,
                      is_stripped ? REJECT_TX_SCRIPT_STRIPPED : REJECT_TX_SCRIPT_FAILED, &check->tx,
                      check->next_input, (int)check->script_error);
    refuse(check, REJECT_NONE);
}

static void submit(struct pool_check *check, void (*run)(struct env_job *job),
                   void (*done)(struct env_job *job))
{
    const struct env *env = check->mempool->env;
    /* Somebody waits for the answer to what he sent; what peers send can wait for it. */
    bool is_awaited = check->flags & (MEMPOOL_LOCAL | MEMPOOL_TEST_ONLY) || check->is_putback;
    check->job = (struct env_job){.run = run, .done = done};
    env_job_submit(env, ENV_POOL_COMPUTE, is_awaited ? ENV_PRIORITY_NORMAL : ENV_PRIORITY_LOW,
                   &check->job);
}

static void scripts_done(struct env_job *job)
{
    struct pool_check *check = check_of_job(job);
    if (job->cancelled || check->mempool->closing) {
        refuse(check, REJECT_FAULT);
    } else if (check->script_error != SCRIPT_OK) {
        check->scripts_ran = true;
        refuse_scripts(check);
    } else if (check->next_input < check->tx.n_in) {
        submit(check, run_scripts, scripts_done);
    } else {
        check->scripts_hold = check->scripts_ran = true;
        go_on(check, false);
    }
}

void pool_check_run_scripts(struct pool_check *check)
{
    ASSERT(!check->scripts_hold && check->next_input == 0);
    submit(check, run_scripts, scripts_done);
}

/* -- In ---------------------------------------------------------------------------------------- */

void pool_check_add(struct pool_check *check)
{
    struct mempool *mempool = check->mempool;
    ASSERT(check->raw && check->sigops_cost <= POLICY_TX_SIGOPS_COST_MAX);
    ASSERT(check->fee_sat >= 0 && check->fee_sat <= MAX_MONEY_SAT);
    struct pool_addition addition = {
        .tx = &check->tx,
        .fee_sat = check->fee_sat,
        .delta_sat = mempool_delta_sat(mempool, &check->tx.txid),
        .sigops_cost = (uint32_t)check->sigops_cost,
        .time_s = check->time_s,
        .was_in_block = check->was_in_block,
        .locks = check->locks,
        .coin_height_max = check->coin_height_max,
        .coinbase_height_max = check->coinbase_height_max,
        .is_unbroadcast = check->flags & MEMPOOL_LOCAL,
        .is_putback = check->is_putback,
        .is_of_package = check->flags & POOL_CHECK_LATE_LIMIT,
    };
    ASSERT(check->scripts_hold);
    chain_scripts_hold(mempool->chain, &check->tx.wtxid);
    pool_add(mempool, &addition);
}

/* Added first and limited then: only with it in its cluster is it known whether it is the worst. If
 * it is, it is gone again, and nothing of it may be read but its ids. */
static void commit(struct pool_check *check)
{
    struct mempool *mempool = check->mempool;
    if (check->n_conflicts > 0)
        pool_replace_commit(&check, 1, &check->replaced);
    pool_check_add(check);
    if (!(check->flags & POOL_CHECK_LATE_LIMIT))
        pool_limit(mempool);
    const struct pool_entry *entry = pool_find(mempool, &check->tx.txid);
    if (!entry) {
        check->verdict.code = REJECT_MEMPOOL_FULL;
        check->tx.n_in = check->tx.n_out = 0;
        check->tx.raw = span_of(NULL, 0);
    }
    pool_check_end(check, entry);
}

/* Everything has been checked. */
static void conclude(struct pool_check *check)
{
    ASSERT(check->scripts_hold && check->rules_hold && check->epoch == check->mempool->epoch);
    if (check->max_fee_sat > 0 && check->fee_sat > check->max_fee_sat)
        refuse(check, REJECT_MAX_FEE_EXCEEDED);
    else if (check->flags & MEMPOOL_TEST_ONLY)
        pool_check_end(check, NULL);
    else
        commit(check);
}

/* It is here already, or cannot come beside what is here. */
static void refuse_known(struct pool_check *check, enum reject code)
{
    struct mempool *mempool = check->mempool;
    struct pool_entry *entry = NULL;
    if (code == REJECT_ALREADY_IN_MEMPOOL || code == REJECT_SAME_NONWITNESS_DATA)
        entry = pool_find(mempool, &check->tx.txid);
    /* Our user wants it sent: peers who do not know it are told, once. Spec: Core
     * BroadcastTransaction() */
    if (entry && (check->flags & MEMPOOL_LOCAL) && !(check->flags & MEMPOOL_TEST_ONLY))
        pool_tell_again(mempool, entry);
    check->verdict = (struct verdict){.code = code};
    pool_check_end(check, code == REJECT_ALREADY_IN_MEMPOOL ? entry : NULL);
}

static void read_done(struct coins_read *read)
{
    struct pool_check *check =
        (struct pool_check *)((char *)read - offsetof(struct pool_check, read));
    if (read->error < 0) {
        chain_fault_of_coins(check->mempool->chain, read->error, "reading coins");
        refuse(check, REJECT_FAULT);
        return;
    }
    go_on(check, true);
}

/* The store is asked at the same priority as for blocks ahead of time: nobody's block waits. */
void pool_check_read(struct pool_check *check)
{
    memset(check->absent, 0, check->n_missing * sizeof *check->absent);
    check->read = (struct coins_read){.outpoints = check->missing,
                                      .n = check->n_missing,
                                      .absent = check->absent,
                                      .done = read_done};
    coins_read_start(chain_coins(check->mempool->chain), &check->read, ENV_PRIORITY_NORMAL);
}

/* What is put back comes in in the order in which it waited, whoever's scripts are done first:
 * where clusters or memory are at their limits the order decides who stays. But a parent that came
 * later has no turn behind its children. Returns: true: it waits */
static bool waits_its_turn(struct pool_check *check)
{
    struct pool_check *before = check->is_putback ? check : NULL;
    do
        before = before ? LIST_PREV(struct pool_check, before, link) : NULL;
    while (before && (!before->is_putback || pool_check_waits_for(before, check)));
    if (before)
        pool_check_wait(check, before, true);
    return before != NULL;
}

/* Of one that comes alone, its coins being known; scripts apart. Which rule is named for one that
 * breaks several is what clients see, and goes by Core's order. */
static bool rules_hold(struct pool_check *check)
{
    return pool_check_rules(check) && pool_replace_check(check) && pool_check_max_rate(check) &&
           (!check->mempool->options.require_standard || pool_dust_is_spent(check));
}

/* What is found out from here on holds for this tip and these entries. */
static void note_moment(struct pool_check *check)
{
    check->rules_hold = false;
    check->tip = chain_tip(check->mempool->chain);
    check->epoch = check->mempool->epoch;
}

/* Always from the beginning, on the tip and the entries of this moment, which may be others than
 * before what it waited for. It ends in one of four ways: answered, a read under way, a job under
 * way, or waiting for a parent, which wakes it. */
static void advance(struct pool_check *check, bool coins_were_read)
{
    ASSERT(check->is_formed && !check->waits_for);
    struct mempool *mempool = check->mempool;
    if (mempool->closing) {
        refuse(check, REJECT_FAULT);
        return;
    }
    if (check->scripts_hold && waits_its_turn(check))
        return;
    if (check->scripts_hold && check->rules_hold && check->tip == chain_tip(mempool->chain) &&
        check->epoch == mempool->epoch) {
        conclude(check);
        return;
    }
    note_moment(check);
    enum reject code = pool_check_entries(check);
    if (code != REJECT_NONE) {
        refuse_known(check, code);
        return;
    }
    enum pool_find found = pool_check_find_coins(check, coins_were_read);
    if (found == POOL_FIND_READ)
        pool_check_read(check);
    else if (found == POOL_FIND_WAITS)
        wake_children(mempool, NULL);
    if (found == POOL_FIND_READ || found == POOL_FIND_WAITS)
        return;
    check->rules_hold = found == POOL_FIND_ALL && rules_hold(check);
    if (!check->rules_hold) {
        if (!waits_its_turn(check))
            pool_check_end(check, NULL);
    } else if (check->scripts_hold) {
        conclude(check);
    } else {
        pool_check_run_scripts(check);
    }
}

/* -- Starting ---------------------------------------------------------------------------------- */

/* like: what the caller wants to be so; all else is new. */
static struct pool_check *check_new(struct mempool *mempool, const struct pool_check *like,
                                    uint8_t *raw_take, size_t len)
{
    struct pool_check *check = xcalloc(1, sizeof *check);
    check->mempool = mempool;
    check->raw = raw_take;
    check->len = len;
    check->flags = like->flags;
    check->max_fee_sat = like->max_fee_sat;
    check->max_rate = like->max_rate;
    check->proceed = like->proceed;
    check->package = like->package;
    check->before = like->before;
    check->n_before = like->n_before;
    check->time_s = like->time_s;
    check->was_in_block = like->was_in_block;
    check->is_putback = like->is_putback;
    check->was_here = like->was_here;
    check->scripts_hold = like->scripts_hold;
    check->done = like->done;
    check->arg = like->arg;
    arena_init(&check->tx_arena, ENTRY_ARENA_BYTES);
    arena_init(&check->arena, CHECK_ARENA_BYTES);
    pending_add(check);
    return check;
}

static void start(struct pool_check *check)
{
    list_add(&lane_of(check)->forming, &check->forming);
    submit(check, run_form, form_done);
}

/* A transaction that is refused unseen. From a timer, never from within the call. */
static void refuse_unseen(void *arg)
{
    struct pool_check *check = arg;
    pool_check_end(check, NULL);
}

/* Each lane has its own: strangers cannot take the user's, nor he theirs (hazard 64). */
bool pool_has_room(struct mempool *mempool, int flags, size_t n, size_t bytes)
{
    const struct pool_lane *lane = pool_lane_of(mempool, flags);
    bool is_of_peer = flags & MEMPOOL_FROM_PEER;
    size_t n_max = is_of_peer ? MEMPOOL_PEER_PENDING_MAX : MEMPOOL_PENDING_MAX;
    size_t bytes_max = is_of_peer ? MEMPOOL_PEER_PENDING_BYTES_MAX : MEMPOOL_PENDING_BYTES_MAX;
    ASSERT(n > 0 && n <= MEMPOOL_PACKAGE_COUNT_MAX);
    return lane->n + n <= n_max && lane->bytes + bytes <= bytes_max;
}

/* What is refused for want of room is not even copied: that is what the limit is for. */
static void accept(struct mempool *mempool, struct span raw, const struct pool_check *like,
                   bool has_room)
{
    bool is_refused = mempool->closing || !has_room;
    size_t len = is_refused ? 0 : raw.len;
    struct pool_check *check = check_new(mempool, like, xmemdup(raw.p, len), len);
    if (is_refused) {
        check->verdict.code = mempool->closing ? REJECT_FAULT : REJECT_MEMPOOL_BUSY;
        env_timer_start(mempool->env, 0, refuse_unseen, check);
        return;
    }
    start(check);
}

/* [tx 4] The mempool takes a copy; decoding and rules of the transaction alone are a job. */
void mempool_accept(struct mempool *mempool, struct span raw, int flags, int64_t max_fee_sat,
                    mempool_result_fn *done, void *arg)
{
    ASSERT(mempool && max_fee_sat >= 0);
    struct pool_check like = {.flags = flags,
                              .max_fee_sat = max_fee_sat,
                              .time_s = pool_now_s(mempool),
                              .done = done,
                              .arg = arg};
    accept(mempool, raw, &like, pool_has_room(mempool, flags, 1, raw.len));
}

void pool_accept_loaded(struct mempool *mempool, struct span raw, int64_t time_s, bool was_here,
                        mempool_result_fn *done, void *arg)
{
    ASSERT(mempool->n_loads > 0 && done);
    struct pool_check like = {.time_s = time_s, .was_here = was_here, .done = done, .arg = arg};
    accept(mempool, raw, &like, true);
}

void pool_accept_member(struct mempool *mempool, struct span raw, const struct pool_check *like)
{
    ASSERT(like->done && pool_packages(mempool) > 0);
    accept(mempool, raw, like, pool_has_room(mempool, like->flags, 1, raw.len));
}

struct pool_check *pool_check_start(struct mempool *mempool, struct span raw,
                                    const struct pool_check *like)
{
    ASSERT(like->package && like->proceed && !like->done);
    struct pool_check *check = check_new(mempool, like, xmemdup(raw.p, raw.len), raw.len);
    start(check);
    return check;
}

void pool_accept_putback(struct mempool *mempool, struct pool_putback *putback)
{
    ASSERT(putback->raw && putback->len > 0);
    struct pool_check like = {
        .flags = MEMPOOL_BYPASS_FEE | (putback->is_unbroadcast ? MEMPOOL_LOCAL : 0),
        .time_s = putback->time_s,
        .was_in_block = !putback->was_here,
        .is_putback = true,
        .scripts_hold = putback->was_here,
    };
    struct pool_check *check = check_new(mempool, &like, putback->raw, putback->len);
    check->tx.txid = putback->txid; /* to be saved by, before it is decoded */
    mempool->putbacks.under_way++;
    start(check);
}
