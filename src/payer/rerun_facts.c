/* The facts of a payment, from its transcript: the names are those of payer/trace.h. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "apdu/apdu.h"
#include "base/bcd.h"
#include "base/date.h"
#include "base/hex.h"
#include "payer/rerun.h"

static enum tp_err bad(const struct transcript *t, const struct transcript_fact *f,
                       const char *wanted, struct tp_error *e)
{
    return tp_fail(e, TP_ERR_FORMAT, "%s, line %u: \"%s\" must be %s", transcript_name(t), f->line,
                   f->name, wanted);
}

static enum tp_err need(const struct transcript_fact **out, const struct transcript *t,
                        const char *name, struct tp_error *e)
{
    *out = transcript_fact(t, name, 0);
    return *out != NULL ? TP_OK
                        : tp_fail(e, TP_ERR_FORMAT,
                                  "%s, line %u: it ends without \"%s\": cut short, or not the "
                                  "transcript of a payment",
                                  transcript_name(t), transcript_lines(t), name);
}

/* Exactly n bytes. */
static enum tp_err need_bytes(uint8_t *out, size_t n, const struct transcript *t, const char *name,
                              struct tp_error *e)
{
    struct buf b = {out, 0, n};
    const struct transcript_fact *f;
    char wanted[48];
    const enum tp_err r = need(&f, t, name, e);

    if (r != TP_OK)
        return r;
    snprintf(wanted, sizeof(wanted), "%zu bytes in hex", n);
    return hex_decode(&b, f->value) == TP_OK && b.n == n ? TP_OK : bad(t, f, wanted, e);
}

static enum tp_err need_number(uint64_t *out, size_t n, const struct transcript *t,
                               const char *name, struct tp_error *e)
{
    uint8_t raw[6];
    const enum tp_err r = need_bytes(raw, n, t, name, e);

    if (r != TP_OK)
        return r;
    return bcd_get(span_of(raw, n), out) == TP_OK
               ? TP_OK
               : bad(t, transcript_fact(t, name, 0), "decimal digits", e);
}

/* A text in hex, at most cap - 1 bytes of it; "" when it is not there. */
static enum tp_err take_text(char *out, size_t cap, const struct transcript *t, const char *name,
                             struct tp_error *e)
{
    struct buf b = {(uint8_t *)out, 0, cap - 1};
    const enum tp_err r = transcript_bytes(&b, t, name, e);

    memset(out + b.n, 0, cap - b.n);
    return r == TP_OK && strlen(out) != b.n ? bad(t, transcript_fact(t, name, 0), "text", e) : r;
}

/* ---- fields: name=value, parted by spaces ---- */

/* Where the value of a field begins, and its length; NULL when there is none. */
static const char *field(const struct transcript_fact *f, const char *name, size_t *n)
{
    const size_t length = strlen(name);

    for (const char *p = f->value; *p != '\0'; p += strspn(p, " ")) {
        const size_t word = strcspn(p, " ");

        if (word > length && p[length] == '=' && memcmp(p, name, length) == 0) {
            *n = word - length - 1;
            return p + length + 1;
        }
        p += word;
    }
    return NULL;
}

/* The bytes of a field, at least min; a field that is not there has none. */
static enum tp_err field_bytes(struct buf *out, const struct transcript *t,
                               const struct transcript_fact *f, const char *name, size_t min,
                               struct tp_error *e)
{
    char hex[2 * KERNEL_SCRIPTS_MAX + 1], wanted[64];
    size_t n = 0;
    const char *p = field(f, name, &n);

    if (p != NULL && n < sizeof(hex)) {
        memcpy(hex, p, n);
        hex[n] = '\0';
        if (hex_decode(out, hex) != TP_OK)
            n = sizeof(hex);
    }
    if (n < sizeof(hex) && out->n >= min)
        return TP_OK;
    snprintf(wanted, sizeof(wanted), "followed by %s= and %zu to %zu bytes in hex", name, min,
             out->cap);
    return bad(t, f, wanted, e);
}

static enum tp_err field_number(uint32_t *out, const struct transcript *t,
                                const struct transcript_fact *f, const char *name,
                                struct tp_error *e)
{
    char wanted[64], *end;
    size_t n = 0;
    const char *p = field(f, name, &n);
    unsigned long long v = 0;

    errno = 0;
    if (p != NULL && n > 0 && p[0] >= '0' && p[0] <= '9')
        v = strtoull(p, &end, 10);
    if (p != NULL && n > 0 && p[0] >= '0' && p[0] <= '9' && end == p + n && errno == 0 &&
        v <= UINT32_MAX) {
        *out = (uint32_t)v;
        return TP_OK;
    }
    snprintf(wanted, sizeof(wanted), "followed by %s= and a number", name);
    return bad(t, f, wanted, e);
}

static bool field_is(const struct transcript_fact *f, const char *name, const char *value)
{
    size_t n = 0;
    const char *p = field(f, name, &n);

    return p != NULL && n == strlen(value) && memcmp(p, value, n) == 0;
}

/* The first word, which is no field, in hex. */
static enum tp_err first_word(struct buf *out, const struct transcript *t,
                              const struct transcript_fact *f, size_t min, struct tp_error *e)
{
    char hex[33] = "", wanted[64];
    const size_t n = strcspn(f->value, " ");

    if (n < sizeof(hex))
        memcpy(hex, f->value, n);
    if (n < sizeof(hex) && hex_decode(out, hex) == TP_OK && out->n >= min)
        return TP_OK;
    snprintf(wanted, sizeof(wanted), "%zu to %zu bytes in hex", min, out->cap);
    return bad(t, f, wanted, e);
}

/* ---- the terminal ---- */

static enum tp_err take_application(struct terminal *k, const struct transcript *t,
                                    const struct transcript_fact *f, struct tp_error *e)
{
    const size_t i = k->kernel.applications_n;
    struct terminal_application *a = &k->kernel.applications[i];
    const char *random = transcript_value(t, "random");
    struct buf aid, version, denial, online, fallback, ddol;
    uint32_t target, target_max;
    enum tp_err r;

    if (i >= KERNEL_AIDS_MAX)
        return bad(t, f, "there at most 32 times", e);
    aid = BUF_OF(a->aid);
    version = BUF_OF(a->version);
    denial = BUF_OF(a->tac_denial);
    online = BUF_OF(a->tac_online);
    fallback = BUF_OF(a->tac_default);
    ddol = BUF_OF(k->ddol[i]);
    if ((r = first_word(&aid, t, f, 5, e)) != TP_OK ||
        (r = field_bytes(&version, t, f, "version", 2, e)) != TP_OK ||
        (r = field_bytes(&denial, t, f, "tac_denial", 5, e)) != TP_OK ||
        (r = field_bytes(&online, t, f, "tac_online", 5, e)) != TP_OK ||
        (r = field_bytes(&fallback, t, f, "tac_default", 5, e)) != TP_OK ||
        (r = field_bytes(&ddol, t, f, "ddol", 0, e)) != TP_OK ||
        (r = field_number(&a->floor_limit, t, f, "floor", e)) != TP_OK ||
        (r = field_number(&a->threshold, t, f, "threshold", e)) != TP_OK ||
        (r = field_number(&target, t, f, "target", e)) != TP_OK ||
        (r = field_number(&target_max, t, f, "target_max", e)) != TP_OK)
        return r;
    a->aid_n = (uint8_t)aid.n;
    a->partial = field_is(f, "partial", "yes");
    a->default_ddol = buf_span(&ddol);
    /* What chance said then it says again: of the numbers from 1 to 99 that are drawn, all or none
     * select. */
    a->random_target = a->random_target_max = random != NULL && strcmp(random, "yes") == 0 ? 99 : 0;
    k->kernel.applications_n++;
    return TP_OK;
}

/* A key of an elliptic curve: suite= and x=. */
static enum tp_err take_ec(struct ec_pubkey *out, const struct transcript *t,
                           const struct transcript_fact *f, struct tp_error *e)
{
    uint8_t number[1], raw[EC_FIELD_MAX];
    struct buf indicator = BUF_OF(number), x = BUF_OF(raw);
    const struct ec_suite *suite;
    enum tp_err r;

    if ((r = field_bytes(&indicator, t, f, "suite", 1, e)) != TP_OK ||
        (r = field_bytes(&x, t, f, "x", 1, e)) != TP_OK)
        return r;
    suite = ec_suite_signature(number[0]);
    r = suite != NULL ? ec_pubkey_make(out, suite, buf_span(&x)) : TP_ERR_RANGE;
    if (r == TP_ERR_RANGE)
        return bad(t, f, "a key of suite 10 or 11", e);
    return r == TP_OK ? TP_OK : tp_fail(e, r, "a key of an elliptic curve cannot be used");
}

static bool is_ec(const struct transcript_fact *f)
{
    size_t n = 0;

    return field(f, "suite", &n) != NULL;
}

/* modulus= and exponent=. */
static enum tp_err take_rsa(struct emv_pubkey **out, const struct transcript *t,
                            const struct transcript_fact *f, struct tp_error *e)
{
    uint8_t modulus[EMV_RSA_MAX], exponent[3];
    struct buf n = BUF_OF(modulus), x = BUF_OF(exponent);
    enum tp_err r;

    if ((r = field_bytes(&n, t, f, "modulus", 1, e)) != TP_OK ||
        (r = field_bytes(&x, t, f, "exponent", 1, e)) != TP_OK)
        return r;
    r = emv_pubkey_new(out, buf_span(&n), buf_span(&x));
    if (r == TP_ERR_RANGE)
        return bad(t, f, "an RSA key of 512 to 1984 bits", e);
    return r == TP_OK ? TP_OK : tp_fail(e, r, "an RSA key cannot be used");
}

static enum tp_err take_authority(struct terminal *k, const struct transcript *t,
                                  const struct transcript_fact *f, struct tp_error *e)
{
    struct capk key = {.live = field_is(f, "live", "yes"), .source = "the transcript"};
    struct buf rid = BUF_OF(key.rid), index = {&key.index, 0, 1};
    uint32_t expiry = 0;
    enum tp_err r;

    if ((r = first_word(&rid, t, f, 5, e)) != TP_OK ||
        (r = field_bytes(&index, t, f, "index", 1, e)) != TP_OK ||
        (r = field_number(&expiry, t, f, "expiry", e)) != TP_OK ||
        (r = is_ec(f) ? take_ec(&key.ec, t, f, e) : take_rsa(&key.key, t, f, e)) != TP_OK)
        return r;
    key.expiry = expiry <= 99991231 ? (int)expiry : 0;
    r = capk_store_add(k->authorities, &key);
    return r == TP_OK ? TP_OK : tp_fail(e, r, "no memory for authority keys");
}

static enum tp_err fill_terminal(struct terminal *k, const struct transcript *t, struct tp_error *e)
{
    struct terminal_config *c = &k->kernel;
    const struct transcript_fact *f;
    uint64_t country = 0, mcc = 0, currency = 0;
    const char *live = transcript_value(t, "allow-live");
    enum tp_err r;

    if ((r = need_bytes(&c->type, 1, t, "9F35", e)) != TP_OK ||
        (r = need_bytes(c->capabilities, sizeof(c->capabilities), t, "9F33", e)) != TP_OK ||
        (r = need_bytes(c->additional, sizeof(c->additional), t, "9F40", e)) != TP_OK ||
        (r = need_number(&country, 2, t, "9F1A", e)) != TP_OK ||
        (r = need_number(&mcc, 2, t, "9F15", e)) != TP_OK ||
        (r = need_number(&currency, 2, t, "5F2A", e)) != TP_OK ||
        (r = take_text(c->terminal_id, sizeof(c->terminal_id), t, "9F1C", e)) != TP_OK ||
        (r = take_text(c->merchant_id, sizeof(c->merchant_id), t, "9F16", e)) != TP_OK ||
        (r = take_text(c->merchant_name, sizeof(c->merchant_name), t, "9F4E", e)) != TP_OK ||
        (r = take_text(c->ifd_serial, sizeof(c->ifd_serial), t, "9F1E", e)) != TP_OK)
        return r;
    c->country = (uint16_t)country;
    c->mcc = (uint16_t)mcc;
    k->currency = currency_by_numeric((unsigned)currency);
    c->allow_live_card = live != NULL && strcmp(live, "yes") == 0;
    for (size_t i = 0; (f = transcript_fact(t, "application", i)) != NULL; i++)
        if ((r = take_application(k, t, f, e)) != TP_OK)
            return r;
    for (size_t i = 0; (f = transcript_fact(t, "authority", i)) != NULL; i++)
        if ((r = take_authority(k, t, f, e)) != TP_OK)
            return r;
    return c->applications_n > 0 ? TP_OK : need(&f, t, "application", e);
}

enum tp_err rerun_terminal(struct terminal **out, const struct transcript *t, struct tp_error *e)
{
    struct terminal *k = calloc(1, sizeof(*k));
    enum tp_err r = k != NULL ? capk_store_new(&k->authorities) : TP_ERR_NO_MEMORY;

    *out = NULL;
    if (r == TP_OK) {
        k->kernel.authorities = k->authorities;
        r = fill_terminal(k, t, e);
    } else {
        r = tp_fail(e, r, "no memory for a terminal");
    }
    if (r == TP_OK)
        *out = k;
    else
        terminal_free(&k);
    return r;
}

enum tp_err rerun_request(struct transaction_request *q, uint8_t only[16],
                          const struct transcript *t, struct tp_error *e)
{
    uint64_t amount = 0, currency = 0, exponent = 0, time = 0, counter = 0;
    struct buf application = {only, 0, 16};
    uint8_t date[3];
    enum tp_err r;

    if ((r = need_number(&amount, 6, t, "9F02", e)) != TP_OK ||
        (r = need_number(&currency, 2, t, "5F2A", e)) != TP_OK ||
        (r = need_number(&exponent, 1, t, "5F36", e)) != TP_OK ||
        (r = need_bytes(&q->type, 1, t, "9C", e)) != TP_OK ||
        (r = need_bytes(date, sizeof(date), t, "9A", e)) != TP_OK ||
        (r = need_number(&time, 3, t, "9F21", e)) != TP_OK ||
        (r = need_number(&counter, 4, t, "9F41", e)) != TP_OK ||
        (r = need_bytes(q->un, sizeof(q->un), t, "9F37", e)) != TP_OK ||
        (r = transcript_bytes(&application, t, "only", e)) != TP_OK)
        return r;
    if (transcript_value(t, "9F7C") != NULL &&
        (r = need_bytes(q->payee, sizeof(q->payee), t, "9F7C", e)) != TP_OK)
        return r; /* one of before has none, and the card was given zeros */
    if (date_from_yymmdd(&q->date, SPAN_OF(date)) != TP_OK)
        return bad(t, transcript_fact(t, "9A", 0), "a date, YYMMDD", e);
    q->amount = (int64_t)amount;
    q->currency = (uint16_t)currency;
    q->currency_exponent = (uint8_t)exponent;
    q->time = (int)time;
    q->counter = (uint32_t)counter;
    q->application = buf_span(&application);
    q->label = transcript_value(t, "only-label");
    return TP_OK;
}

/* ---- what the certificates and the acquirer said ---- */

static enum tp_err take_key(struct emv_pubkey **out, struct ec_pubkey *ec,
                            const struct transcript *t, const char *name, struct tp_error *e)
{
    const struct transcript_fact *f = transcript_fact(t, name, 0);

    if (f == NULL || strcmp(f->value, "none") == 0)
        return TP_OK;
    return is_ec(f) ? take_ec(ec, t, f, e) : take_rsa(out, t, f, e);
}

static bool answer_hidden(const struct transcript *t)
{
    const struct transcript_exchange *x;

    for (size_t i = 0; (x = transcript_at(t, i)) != NULL; i++)
        if (x->command.n > 1 && x->command.value[1] == INS_GENERATE_AC && masked_any(&x->answer))
            return true;
    return false;
}

enum tp_err rerun_recorded(struct rerun_recorded *out, const struct transcript *t,
                           struct tp_error *e)
{
    const struct transcript_fact *f = transcript_fact(t, "authentication", 0);
    struct buf dac = BUF_OF(out->kernel.dac);
    enum tp_err r;

    memset(out, 0, sizeof(*out));
    if ((r = take_key(&out->icc_key, &out->kernel.icc_ec, t, "icc-key", e)) != TP_OK ||
        (r = take_key(&out->pin_key, &out->kernel.pin_ec, t, "pin-key", e)) != TP_OK ||
        (r = transcript_bytes(&dac, t, "9F45", e)) != TP_OK)
        return r;
    out->kernel.icc_key = out->icc_key;
    out->kernel.pin_key = out->pin_key;
    for (unsigned c = 1; f != NULL && c < EMV_CHECK_COUNT; c++)
        if (field_is(f, "check", emv_check_name((enum emv_check)c)))
            out->kernel.check = (enum emv_check)c;
    out->kernel.answer_hidden = answer_hidden(t);
    if (f != NULL && field_is(f, "failed_at", "signature"))
        out->kernel.signature = out->kernel.check;
    return TP_OK;
}

void rerun_recorded_free(struct rerun_recorded *r)
{
    emv_pubkey_free(&r->icc_key);
    emv_pubkey_free(&r->pin_key);
}

enum tp_err rerun_online(struct kernel_issuer_answer *out, bool *failed, const struct transcript *t,
                         size_t nth, struct tp_error *e)
{
    const struct transcript_fact *f = transcript_fact(t, "online", nth);
    struct buf arc = BUF_OF(out->arc),
               approval = {(uint8_t *)out->approval, 0, sizeof(out->approval) - 1};
    struct buf authentication = BUF_OF(out->authentication.p), scripts = BUF_OF(out->scripts.p);
    enum tp_err r;

    *failed = f == NULL || strcmp(f->value, "failed") == 0;
    if (*failed || strcmp(f->value, "not reached") == 0)
        return TP_OK;
    if ((r = field_bytes(&arc, t, f, "arc", 2, e)) != TP_OK ||
        (r = field_bytes(&approval, t, f, "approval", 0, e)) != TP_OK ||
        (r = field_bytes(&authentication, t, f, "91", 0, e)) != TP_OK ||
        (r = field_bytes(&scripts, t, f, "scripts", 0, e)) != TP_OK)
        return r;
    out->authentication.n = authentication.n;
    out->scripts.n = scripts.n;
    out->reached = true;
    return TP_OK;
}
