/* `verify`: the evidence of a file, by itself. Needs no state of an acquirer. */
#include "acquirer/commands.h"

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "apdu/emvtags.h"
#include "base/bcd.h"
#include "base/cli.h"
#include "base/date.h"
#include "base/file.h"
#include "base/hex.h"
#include "base/log.h"
#include "base/mask.h"
#include "base/table.h"
#include "base/text.h"
#include "ledger/payee.h"
#include "ledger/proof.h"

#define FILE_MAX (16 << 20)
#define CAPK_MAX 16 /* --capk options */
#define CHAINS   16
#define DETAIL   240

struct words {
    const char *file, *capk[CAPK_MAX], *authority;
    size_t capks;
    int date; /* 0: not given */
    bool json;
};

struct verify {
    const struct words *words;
    struct evidence_cache *cache;
    struct table *table;
    struct order_authority *orders; /* NULL: none was given */
    bool failed;
};

static error_t parse_word(int key, char *word, struct argp_state *state)
{
    struct words *w = state->input;

    switch (key) {
    case 'c':
        if (w->capks == CAPK_MAX)
            argp_error(state, _("at most %d files of authority keys can be given"), CAPK_MAX);
        else
            w->capk[w->capks++] = word;
        break;
    case 'a':
        w->authority = word;
        break;
    case 'D':
        if (strlen(word) != 10 || date_parse(&w->date, word) != TP_OK)
            argp_error(state, _("\"%s\" is no date: write it like 2026-11-23"), word);
        break;
    case 'j':
        w->json = true;
        break;
    case ARGP_KEY_ARG:
        if (w->file != NULL)
            argp_error(state, _("one file at a time: \"%s\" is too much"), word);
        w->file = word;
        break;
    case ARGP_KEY_END:
        if (w->file == NULL)
            argp_error(state, _("which evidence file?"));
        break;
    default:
        return ARGP_ERR_UNKNOWN;
    }
    return 0;
}

/* ---- one row a check ---- */

enum row {
    ROW_PRESENT,
    ROW_AUTHORITY,
    ROW_ISSUER,
    ROW_ICC,
    ROW_SIGNATURE,
    ROW_DATA_HASH,
    ROW_SIGNED,
    ROWS
};

static const struct {
    const char *name;
    enum evidence_step step;
} rows[ROWS] = {
    [ROW_PRESENT] = {"data objects", EVIDENCE_PRESENT},
    [ROW_AUTHORITY] = {"authority key", EVIDENCE_AUTHORITY},
    [ROW_ISSUER] = {"issuer certificate", EVIDENCE_ISSUER_CERT},
    [ROW_ICC] = {"ICC certificate", EVIDENCE_ICC_CERT},
    [ROW_SIGNATURE] = {"card's signature", EVIDENCE_SDAD},
    [ROW_DATA_HASH] = {"transaction data hash", EVIDENCE_SDAD},
    [ROW_SIGNED] = {"signed values", EVIDENCE_SIGNED},
};

/* The row that a failed step belongs to: the signature has two. */
static enum row failed_row(const struct evidence_result *r)
{
    for (unsigned i = 0; i < ROWS; i++)
        if (rows[i].step == r->failed_at)
            return r->failed_at == EVIDENCE_SDAD && r->check[EVIDENCE_SDAD] == EMV_CHECK_DATA_HASH
                       ? ROW_DATA_HASH
                       : (enum row)i;
    return ROW_PRESENT;
}

static void masked_pan(char out[PAN_TEXT_MAX], const struct evidence *ev)
{
    const struct span cn = evidence_signed_record(ev, TAG_PAN);
    char digits[2 * 10 + 1];

    out[0] = '\0';
    if (cn.n > 0 && cn.n <= 10 && bcd_get_cn(cn, digits) == TP_OK && strlen(digits) <= PAN_MAX)
        mask_pan(out, digits);
}

static const char *cryptogram_name(uint8_t cid)
{
    static const char *const names[] = {"AAC, declined", "TC, approved",
                                        "ARQC, the issuer is asked",
                                        "reserved"}; /* EMV 4.4 Book 3, table 15 */

    return names[cid >> 6];
}

/* Whether the evidence has the step at all: a card without CDA has fewer, one that pays nothing has
 * no values. */
static bool has_row(enum row row, const struct evidence *ev, const struct evidence_result *r)
{
    switch (row) {
    case ROW_AUTHORITY:
    case ROW_ISSUER:
    case ROW_SIGNATURE:
        return r->method != EVIDENCE_NO_ODA;
    case ROW_ICC:
        return r->method == EVIDENCE_DDA || r->method == EVIDENCE_CDA || r->method == EVIDENCE_XDA;
    case ROW_DATA_HASH:
        return r->method == EVIDENCE_CDA;
    case ROW_SIGNED:
        return !evidence_is_card_alone(ev);
    default:
        return true;
    }
}

/* The signature of the card's method, and how far it reaches. */
static void describe_signature(char out[DETAIL], const struct evidence_result *r)
{
    char ac[17];

    hex_encode(ac, SPAN_OF(r->ac));
    if (r->method == EVIDENCE_CDA || r->method == EVIDENCE_XDA)
        snprintf(out, DETAIL, "%s, cryptogram %s", cryptogram_name(r->cid), ac);
    else
        snprintf(out, DETAIL,
                 r->method == EVIDENCE_DDA ? "DDA: the card's, over the unpredictable number"
                                           : "SDA: the issuer's, over the card's records");
}

/* What there is to say of a check that went well. */
static void describe(char out[DETAIL], enum row row, const struct evidence *ev,
                     const struct evidence_result *r)
{
    char a[40], b[DATE_TEXT_MAX], pan[PAN_TEXT_MAX];

    out[0] = '\0';
    switch (row) {
    case ROW_PRESENT:
        snprintf(out, DETAIL, "%s",
                 evidence_is_card_alone(ev) ? "of the card alone: no payment"
                 : ev->de55.n > 0           ? "with the message it came in"
                                            : "without a message");
        break;
    case ROW_AUTHORITY:
        snprintf(out, DETAIL, "%s index %02X%s%s%s", hex_encode(a, span_of(ev->aid.p, 5)),
                 ev->ca_index.p[0], r->authority_expired ? ", past its date of " : "",
                 r->authority_expired ? date_format(b, r->authority_expiry) : "",
                 r->authority_expired ? ": good until its scheme withdraws it" : "");
        break;
    case ROW_ISSUER:
        snprintf(out, DETAIL, "issuer %s, valid until %s", r->issuer_iin,
                 date_format(b, r->issuer_expiry));
        break;
    case ROW_ICC:
        masked_pan(pan, ev);
        snprintf(out, DETAIL, "card %s, valid until %s", pan, date_format(b, r->icc_expiry));
        break;
    case ROW_SIGNATURE:
        describe_signature(out, r);
        break;
    case ROW_DATA_HASH:
        snprintf(out, DETAIL, "transaction %u of the card", (unsigned)r->atc[0] << 8 | r->atc[1]);
        break;
    case ROW_SIGNED:
        snprintf(out, DETAIL, "%s",
                 ev->de55.n > 0 ? "field 55 says what the card signed"
                                : "the unpredictable number and the card number agree");
        break;
    case ROWS:
        break;
    }
}

static enum tp_err add_rows(struct verify *v, const char *name, const struct evidence *ev,
                            const struct evidence_result *r)
{
    const enum row failed = r->ok ? ROWS : failed_row(r);

    for (unsigned i = 0; i < ROWS; i++) {
        char detail[DETAIL] = "";
        const char *outcome = i < failed ? "ok" : i == failed ? "FAILED" : "not reached";

        if (!has_row((enum row)i, ev, r))
            continue;
        if (i < failed)
            describe(detail, (enum row)i, ev, r);
        else if (i == failed)
            snprintf(detail, sizeof(detail), "%s", r->text);
        const char *const cells[] = {name, rows[i].name, outcome, i == failed ? r->reason : NULL,
                                     detail};

        if (table_row(v->table, cells, NULL) != TP_OK)
            return TP_ERR_NO_MEMORY;
    }
    return TP_OK;
}

/* Without CDA, or with a list that nobody signed, no signature covers the amount, and a file cannot
 * prove what an issuer said: the check fails, and says on whose word the payment rests. */
static enum tp_err add_vouched(struct verify *v, const char *name, const json_t *object,
                               const struct evidence_result *r)
{
    const char *issuer = json_string_value(json_object_get(object, "issuer"));
    const char *approval = json_string_value(json_object_get(object, "approval"));
    char detail[DETAIL], ac[17];
    const char *const cells[] = {
        name, "amount", "NOT SIGNED",
        r->method == EVIDENCE_CDA || r->method == EVIDENCE_XDA ? "CDOL1_UNSIGNED" : "NO_CDA",
        detail};

    if (!r->ok || evidence_signs_amount(r))
        return TP_OK;
    hex_encode(ac, SPAN_OF(r->ac));
    if (issuer != NULL && approval != NULL)
        snprintf(detail, sizeof(detail),
                 "the issuer vouches, no signature covers the amount: by this file %.32s approved "
                 "cryptogram %s under %.6s",
                 issuer, ac, approval);
    else
        snprintf(detail, sizeof(detail),
                 "no signature covers the amount, and the file names no issuer that approved "
                 "cryptogram %s",
                 ac);
    v->failed = true;
    return table_row(v->table, cells, NULL);
}

/* ---- the file ---- */

static enum tp_err when(int *date, const struct verify *v, const json_t *object, const char *name,
                        struct tp_error *e)
{
    const json_t *said = json_object_get(object, "environment_date");
    struct tm local;
    time_t now;

    if (v->words->date != 0) {
        *date = v->words->date;
        return TP_OK;
    }
    if (said == NULL) {
        date_now(&local, &now);
        *date = date_of(now);
        return TP_OK;
    }
    if (!json_is_string(said) || date_parse(date, json_string_value(said)) != TP_OK)
        return tp_fail(e, TP_ERR_FORMAT, "%s: its environment_date is no date (YYYY-MM-DD)", name);
    return TP_OK;
}

/* The payee that a file of `prove --out` names, against the one that the card signed. */
static enum tp_err verify_payee(struct verify *v, const char *name, json_t *object,
                                const struct evidence *ev, bool is_signed, struct tp_error *e)
{
    static const char *const outcomes[] = {[PAYEE_UNSIGNED] = "not signed",
                                           [PAYEE_SIGNED] = "ok",
                                           [PAYEE_NOBODY] = "not signed",
                                           [PAYEE_OTHER] = "FAILED"};
    const char *acquirer = NULL, *contract = NULL, *terminal = NULL, *day = NULL;
    struct tx_record tx = {.emv.de55 = ev->de55};
    char detail[DETAIL];
    int date = 0, time = 0;
    enum payee_found found;

    if (json_object_get(object, "payee") == NULL)
        return TP_OK;
    if (json_unpack(object, "{s:s, s:{s:s, s:s, s:s, s:i}}", "date", &day, "payee", "acquirer",
                    &acquirer, "contract", &contract, "terminal", &terminal, "time", &time) != 0 ||
        date_parse(&date, day) != TP_OK)
        return tp_fail(e, TP_ERR_FORMAT, "%s: its payee is not one that prove --out writes", name);
    snprintf(tx.contract, sizeof(tx.contract), "%s", contract);
    snprintf(tx.terminal, sizeof(tx.terminal), "%s", terminal);
    tx.local_time = (int64_t)date * 1000000 + time;
    found = payee_look(ev, acquirer, &tx);
    if (found == PAYEE_SIGNED && !is_signed) /* the values say so, and no signature covers them */
        found = PAYEE_UNSIGNED;
    snprintf(detail, sizeof(detail), "contract %s, terminal %s at acquirer %s", tx.contract,
             tx.terminal, acquirer);
    v->failed |= found == PAYEE_OTHER;
    const char *const cells[] = {name, "payee", outcomes[found],
                                 found == PAYEE_OTHER ? "SIGNED_PAYEE" : NULL, detail};

    return table_row(v->table, cells, e);
}

/* ---- the order that a payment by a mediator was of ---- */

/* The member as a text; empty: there is none. */
static struct span text_of(const json_t *object, const char *name)
{
    const json_t *text = json_object_get(object, name);

    return span_of(json_string_value(text), json_string_length(text));
}

/* The order says what the card signed, and the acquirer took it. */
static bool is_of(const struct order_proof *o, const struct evidence_result *r)
{
    const struct currency *c = currency_by_alpha(o->order.currency);

    return acknowledgement_is_positive(&o->acknowledgement) &&
           strtoll(o->order.amount, NULL, 10) == r->amount && c != NULL &&
           c->numeric == r->currency && o->order.date != NULL &&
           strtol(o->order.date, NULL, 10) == r->date;
}

static enum tp_err add_bond(struct verify *v, const char *name, enum proof_bond bond,
                            struct tp_error *e)
{
    static const char *const details[] = {
        [BOND_NONE] = "nobody signed the challenge of the order",
        [BOND_CARD] = "the card signed all of it (9F7C)",
        [BOND_DEVICE] = "the payer's device signed it and this message; the card signed four "
                        "bytes of it (9F37)",
        [BOND_OTHER] = "the card signed another one"};
    const bool good = bond == BOND_CARD || bond == BOND_DEVICE;
    const char *const cells[] = {name, "challenge", good ? "ok" : "FAILED",
                                 good ? NULL : "SIGNED_CHALLENGE", details[bond]};

    v->failed |= !good;
    return table_row(v->table, cells, e);
}

static void describe_order(char *out, size_t cap, const struct order *o)
{
    const struct currency *c = currency_by_alpha(o->currency);
    char amount[MONEY_TEXT_MAX];

    snprintf(out, cap, "%s by mediator %s: %s, \"%s\", %s %s, contract %s", o->id, o->mediator,
             o->merchant, o->item,
             money_shown(amount, strtoll(o->amount, NULL, 10), c != NULL ? c->numeric : 0),
             c != NULL ? c->alpha : o->currency, o->contract);
}

static enum tp_err verify_order(struct verify *v, const char *name, const json_t *order,
                                const struct evidence *ev, const struct evidence_result *result,
                                struct tp_error *e)
{
    uint8_t message[32];
    struct buf digest = BUF_OF(message);
    char *challenge = json_dumps(json_object_get(order, "challenge"), JSON_COMPACT);
    struct proof_texts texts = {span_str(challenge != NULL ? challenge : ""),
                                text_of(order, "device"), text_of(order, "acknowledgement"),
                                message};
    struct proof_order p = {.device = false};
    struct tp_error why = {TP_OK, ""};
    char detail[PROOF_TEXT];
    const char *reason = NULL;
    const struct span hex = text_of(order, "message");

    if (v->orders == NULL)
        reason = "AUTHORITY";
    else if (hex.n != 2 * sizeof(message) || hex_decode(&digest, (const char *)hex.p) != TP_OK ||
             proof_order_read(&p, &texts, v->orders, &why) != TP_OK)
        reason = "ORDER";
    else if (!is_of(&p.order, result))
        reason = "ORDER_DIFFERS";
    if (v->orders == NULL)
        snprintf(detail, sizeof(detail), "name the acquirer's authority with --authority");
    else if (reason == NULL)
        describe_order(detail, sizeof(detail), &p.order.order);
    else
        snprintf(detail, sizeof(detail), "%s",
                 why.code != TP_OK ? why.text
                                   : "the order is not of what the card signed, or was refused");
    v->failed |= reason != NULL;
    const char *const cells[] = {name, "order", reason == NULL ? "ok" : "FAILED", reason, detail};
    enum tp_err r = table_row(v->table, cells, e);

    if (r == TP_OK && reason == NULL)
        r = add_bond(v, name, proof_bond(ev, p.order.r, p.device), e);
    proof_order_free(&p);
    free(challenge);
    return r;
}

static enum tp_err verify_one(struct verify *v, const char *name, json_t *object,
                              struct tp_error *e)
{
    static const struct evidence_claim none = EVIDENCE_CLAIM_NONE;
    struct evidence_result result;
    struct evidence ev;
    uint8_t room[EVIDENCE_ARENA];
    struct buf arena = BUF_OF(room);
    int date = 0;
    enum tp_err r = evidence_from_json(&ev, &arena, object, e);

    if (r != TP_OK)
        return tp_error_prefix(e, "%s", name);
    r = when(&date, v, object, name, e);
    if (r != TP_OK)
        return r;
    r = evidence_is_card_alone(&ev) ? evidence_card_check(&result, v->cache, &ev, date)
                                    : evidence_check(&result, v->cache, &ev, &none, date);
    if (r == TP_OK)
        r = add_rows(v, name, &ev, &result);
    if (r == TP_OK && !evidence_is_card_alone(&ev))
        r = add_vouched(v, name, object, &result);
    if (r != TP_OK)
        return tp_fail(e, r, "%s cannot be checked: %s", name, tp_err_text(r));
    v->failed |= !result.ok;
    if (!result.ok)
        return TP_OK;
    return json_object_get(object, "order") != NULL
               ? verify_order(v, name, json_object_get(object, "order"), &ev, &result, e)
               : verify_payee(v, name, object, &ev, evidence_signs_amount(&result), e);
}

/* ---- the file of a payer: challenge and acknowledgement, without the card's evidence ---- */

static enum tp_err read_proof(struct order_proof *out, const struct verify *v, const json_t *object,
                              struct tp_error *e)
{
    const char *acknowledgement = json_string_value(json_object_get(object, "acknowledgement"));
    struct payment_challenge challenge;
    enum tp_err r =
        acknowledgement != NULL
            ? payment_challenge_from_json(&challenge, json_object_get(object, "challenge"), e)
            : tp_fail(e, TP_ERR_FORMAT, "its acknowledgement is no text");

    return r == TP_OK ? order_proof_read(out, &challenge, acknowledgement, v->orders, e) : r;
}

/* What the acquirer said of it; a refusal is one that holds, and no payment. */
static enum tp_err add_acknowledgement(struct verify *v, const char *name,
                                       const struct acknowledgement *a, struct tp_error *e)
{
    const bool positive = acknowledgement_is_positive(a);
    char detail[DETAIL];
    const char *const cells[] = {name, "acknowledgement", positive ? "ok" : "REFUSED",
                                 positive ? NULL : a->code, detail};

    snprintf(detail, sizeof(detail), "acquirer %s said at %s: %s%s%s", a->acquirer, a->at,
             a->outcome, a->reference != NULL ? ", reference " : "",
             a->reference != NULL ? a->reference : "");
    v->failed |= !positive;
    return table_row(v->table, cells, e);
}

static enum tp_err verify_proof(struct verify *v, const char *name, const json_t *object,
                                struct tp_error *e)
{
    struct order_proof p = {.r = {0}};
    struct tp_error why = {TP_OK, ""};
    char detail[PROOF_TEXT];
    const char *reason = NULL;
    enum tp_err r;

    if (v->orders == NULL) {
        reason = "AUTHORITY";
        snprintf(detail, sizeof(detail), "name the acquirer's authority with --authority");
    } else if (read_proof(&p, v, object, &why) != TP_OK) {
        reason = "ORDER";
        snprintf(detail, sizeof(detail), "%s", why.text);
    } else {
        describe_order(detail, sizeof(detail), &p.order);
    }
    v->failed |= reason != NULL;
    const char *const cells[] = {name, "order", reason == NULL ? "ok" : "FAILED", reason, detail};

    r = table_row(v->table, cells, e);
    if (r == TP_OK && reason == NULL)
        r = add_acknowledgement(v, name, &p.acknowledgement, e);
    order_proof_free(&p);
    return r;
}

/* An object with "tags", or with "vectors" that each have one; or what a payer keeps of an order.
 */
static enum tp_err verify_all(struct verify *v, json_t *file, struct tp_error *e)
{
    const char *slash = strrchr(v->words->file, '/'), *name;
    const char *file_name = slash != NULL ? slash + 1 : v->words->file;
    json_t *vectors = json_object_get(file, "vectors"), *one;
    enum tp_err r = TP_OK;

    if (vectors == NULL && json_object_get(file, "tags") == NULL &&
        json_is_object(json_object_get(file, "challenge")))
        return verify_proof(v, file_name, file, e);
    if (vectors == NULL)
        return verify_one(v, file_name, file, e);
    if (!json_is_object(vectors) || json_object_size(vectors) == 0)
        return tp_fail(e, TP_ERR_FORMAT, "%s: its \"vectors\" hold no evidence", v->words->file);
    json_object_foreach(vectors, name, one)
    {
        r = verify_one(v, name, one, e);
        if (r != TP_OK)
            break;
    }
    return r;
}

static enum tp_err read_json(json_t **out, const char *path, struct tp_error *e)
{
    uint8_t *text = NULL;
    size_t n = 0;
    json_error_t where;
    enum tp_err r = file_read(path, FILE_MAX, &text, &n, e);

    if (r != TP_OK)
        return r;
    *out = json_loadb((const char *)text, n, JSON_REJECT_DUPLICATES, &where);
    free(text);
    if (*out == NULL)
        return tp_fail(e, TP_ERR_FORMAT, "%s line %d is no JSON: %s", path, where.line, where.text);
    return TP_OK;
}

static enum tp_err load_authorities(struct capk_store *s, const struct words *w, struct tp_error *e)
{
    char path[4096];
    enum tp_err r = file_data_path(path, sizeof(path), "capk.json", e);

    if (r == TP_OK)
        r = capk_store_load(s, path, e);
    for (size_t i = 0; r == TP_OK && i < w->capks; i++)
        r = capk_store_load(s, w->capk[i], e);
    return r;
}

static enum tp_err verify_file(struct verify *v, struct tp_error *e)
{
    static const struct table_column columns[] = {{"evidence", TABLE_TEXT},
                                                  {"check", TABLE_TEXT},
                                                  {"outcome", TABLE_TEXT},
                                                  {"reason", TABLE_TEXT},
                                                  {"detail", TABLE_TEXT}};
    struct capk_store *authorities = NULL;
    json_t *file = NULL;
    enum tp_err r = capk_store_new(&authorities);

    if (r == TP_OK)
        r = evidence_cache_new(&v->cache, authorities, CHAINS);
    if (r == TP_OK)
        r = table_new(&v->table, "checks", columns, sizeof(columns) / sizeof(columns[0]),
                      v->words->json, NULL);
    if (r != TP_OK) {
        r = tp_fail(e, r, "cannot start: %s", tp_err_text(r));
        goto out;
    }
    r = load_authorities(authorities, v->words, e);
    if (r == TP_OK && v->words->authority != NULL)
        r = order_authority_load(&v->orders, v->words->authority, e);
    if (r == TP_OK)
        r = read_json(&file, v->words->file, e);
    if (r == TP_OK)
        r = verify_all(v, file, e);
out:
    r = table_end(&v->table, r, e);
    json_decref(file);
    order_authority_free(&v->orders);
    evidence_cache_free(&v->cache);
    capk_store_free(&authorities);
    return r;
}

int acquirer_verify(int argc, char **argv)
{
    static const struct argp_option options[] = {
        {"capk", 'c', "FILE", 0, N_("Authority keys beside the project's own (may be repeated)"),
         0},
        {"authority", 'a', "FILE", 0,
         N_("Certificate of the acquirer's authority (pki/ca.pem), by which orders are checked"),
         0},
        {"date", 'D', "YYYY-MM-DD", 0,
         N_("Day on which the certificates must be valid [the file's environment_date, else "
            "today]"),
         0},
        {"json", 'j', NULL, 0, N_("Print JSON"), 0},
        {NULL, 0, NULL, 0, NULL, 0}};
    static const struct argp argp = {
        options,
        parse_word,
        N_("FILE"),
        N_("Check the evidence of a card payment by itself: certificates, the card's signature, "
           "and that it covers what is said; or what telepay order prove --out wrote: that the "
           "acquirer acknowledged the order.\vFILE is an object with \"tags\" (tag: hex), one with "
           "\"vectors\" that each have them, or one with an order's \"challenge\" and "
           "\"acknowledgement\". Exits with 0 when every check is passed, with 5 when one fails."),
        table_words,
        NULL,
        NULL};
    struct words words = {0};
    struct verify v = {.words = &words};
    struct tp_error e = {0};

    cli_parse(&argp, argc, argv, &words);
    if (verify_file(&v, &e) == TP_OK)
        return v.failed ? CLI_SECURITY : CLI_DONE;
    /* what cannot be read is the user's to mend */
    const int code = cli_report(&e);

    return e.code == TP_ERR_IO ? CLI_USAGE : code;
}
