#include "acquirer/mediated.h"

#include <stdlib.h>
#include <string.h>

#include <openssl/evp.h>

#include "base/base64.h"
#include "base/log.h"
#include "order/device.h"
#include "order/sealed.h"
#include "wire/jcs.h"
#include "wire/payment_challenge.h"

#define MEANS         "emv"
#define PLAIN_MEMBERS 3 /* version, message, answer_key */
#define VERSION       1
#define DEBIT         "000000"

/* ---- begin and end ---- */

enum tp_err mediated_start(struct mediated *m, enum ledger_verdict *verdict,
                           const struct iso8583 *outer, struct tp_error *e)
{
    struct buf room = BUF_OF(m->room);

    m->order = (struct order){.id = NULL};
    m->ordered = false;
    m->what = (struct mediated_record){.order = ""};
    m->payer.answer_key = NULL;
    m->bytes_n = 0;
    m->passed = (struct passed){.what = &m->what, .digest = m->digest};
    if (mediation_read(&m->parts, &room, outer, true) != TP_OK || m->parts.challenge.n == 0 ||
        m->parts.transaction.n == 0)
        *verdict = LEDGER_MALFORMED;
    m->what.challenge = m->parts.challenge;
    m->what.device = m->parts.device;
    return check_digest(m->digest, outer, e);
}

void mediated_clear(struct mediated *m)
{
    order_free(&m->order);
    json_decref(m->payer.answer_key);
    m->payer.answer_key = NULL;
    secret_wipe(m->bytes, m->bytes_n);
    secret_wipe(&m->inner, sizeof(m->inner)); /* the card's number */
    m->bytes_n = 0;
}

/* ---- the order ---- */

static bool is(const struct iso8583 *message, unsigned field, const char *text)
{
    return span_eq(message->field[field], span_str(text));
}

/* The fields that the order fixes, in a mediator's message as in the card's. */
static bool agrees(const struct order *o, const struct iso8583 *message)
{
    const struct currency *c = currency_by_alpha(o->currency);
    char amount[24], currency[8];

    snprintf(amount, sizeof(amount), "%012lld", strtoll(o->amount, NULL, 10));
    snprintf(currency, sizeof(currency), "%03u", c != NULL ? c->numeric : 0);
    if (o->stan == NULL) /* it takes no card, and says nothing that one is told */
        return false;
    return is(message, 3, DEBIT) && is(message, 4, amount) && is(message, 11, o->stan) &&
           is(message, 12, o->time) && is(message, 13, o->date + 4) &&
           is(message, 41, o->terminal) && is(message, 42, o->contract) &&
           is(message, 49, currency);
}

/* An order that takes no card takes nothing by card. */
static int64_t ceiling_of(const struct order *o)
{
    for (size_t i = 0; i < o->n_means; i++)
        if (strcmp(o->means[i].name, MEANS) == 0)
            return strtoll(o->means[i].ceiling, NULL, 10);
    return 0;
}

static enum ledger_verdict judge_order(struct mediated *m, const struct payment_charge *charge,
                                       const struct iso8583 *outer, const struct party *party,
                                       const char *acquirer)
{
    const struct order *o = &m->order;

    if (strcmp(o->mediator, party->mediator) != 0 || strcmp(o->contract, party->contract) != 0 ||
        strcmp(o->acquirer, acquirer) != 0)
        return LEDGER_ORDER_OTHER;
    memcpy(m->what.order, o->id, sizeof(m->what.order));
    if (o->date != NULL)
        m->passed.date = (int)strtol(o->date, NULL, 10);
    m->passed.ceiling = ceiling_of(o);
    m->ordered = true;
    return order_agrees(o, charge, NULL) == TP_OK && agrees(o, outer) ? LEDGER_NEW
                                                                      : LEDGER_ORDER_DIFFERS;
}

static enum tp_err read_challenge(struct mediated *m, struct payment_charge *charge,
                                  const char **jws, json_t **object, struct tp_error *e)
{
    struct payment_challenge c;
    enum tp_err r = jcs_read(object, m->parts.challenge, e);

    if (r == TP_OK && !json_is_object(*object))
        r = TP_ERR_FORMAT;
    if (r == TP_OK)
        r = payment_challenge_from_json(&c, *object, e);
    if (r == TP_OK)
        r = payment_challenge_r(m->what.r, &c, e);
    if (r == TP_OK && (strcmp(c.method, MEANS) != 0 || strcmp(c.intent, PAYMENT_CHARGE) != 0))
        r = tp_fail(e, TP_ERR_FORMAT, "the challenge asks for no payment by card");
    if (r == TP_OK)
        r = payment_charge_read(charge, c.request, e);
    return r == TP_OK ? order_of_charge(jws, charge, e) : r;
}

enum ledger_verdict mediated_order(struct mediated *m, const struct iso8583 *outer,
                                   const struct acquirer_keys *keys, const struct party *party,
                                   const char *acquirer, time_t now)
{
    struct payment_charge charge = {.amount = NULL};
    json_t *object = NULL;
    const char *jws = NULL;
    struct tp_error e = {TP_OK, ""};
    enum ledger_verdict v = LEDGER_ORDER;
    enum tp_err r = read_challenge(m, &charge, &jws, &object, &e);

    if (r == TP_OK)
        r = order_read(&m->order, jws, keys->authority, now, &e);
    if (r == TP_OK || r == TP_ERR_TIMEOUT)
        v = judge_order(m, &charge, outer, party, acquirer);
    if (r == TP_ERR_TIMEOUT && v != LEDGER_ORDER_OTHER)
        v = LEDGER_ORDER_TIME;
    if (r != TP_OK)
        log_note("mediator %s: %s", party->mediator, e.text);
    payment_charge_free(&charge);
    json_decref(object);
    return v;
}

/* ---- what is sealed ---- */

static enum tp_err take_message(struct mediated *m, const json_t *plain, struct tp_error *e)
{
    struct buf bytes = BUF_OF(m->bytes);
    const json_t *version = json_object_get(plain, "version");
    const char *text = NULL;
    enum tp_err r = jcs_text(&text, plain, "message", e);

    if (r != TP_OK || text == NULL || json_object_size(plain) != PLAIN_MEMBERS ||
        !json_is_integer(version) || json_integer_value(version) != VERSION ||
        base64url_decode(&bytes, span_str(text)) != TP_OK)
        return tp_fail(e, TP_ERR_FORMAT, "it is not version, message and answer_key alone");
    m->bytes_n = bytes.n;
    if (EVP_Q_digest(NULL, "SHA256", NULL, bytes.p, bytes.n, m->what.message, NULL) != 1)
        return tp_fail(e, TP_ERR_INTERNAL, "SHA-256 fails");
    r = iso8583_unpack(&m->inner, buf_span(&bytes), e);
    if (r == TP_OK && m->inner.mti != MTI_FINANCIAL)
        r = tp_fail(e, TP_ERR_FORMAT, "the card's message is no 0200");
    return r;
}

static enum tp_err take_key(struct mediated *m, const json_t *plain, struct tp_error *e)
{
    const json_t *given = json_object_get(plain, "answer_key");
    const enum tp_err r = sealed_public_key(&m->payer.answer_key, given, e);

    if (r != TP_OK || json_equal(m->payer.answer_key, given))
        return r;
    json_decref(m->payer.answer_key);
    m->payer.answer_key = NULL;
    return tp_fail(e, TP_ERR_FORMAT, "answer_key is no public key of P-256 and no more");
}

static bool device_is_right(const struct mediated *m)
{
    char *jws = span_text(m->parts.device);
    const bool right =
        jws != NULL && device_statement_verify(jws, m->what.r, m->what.message, NULL) == TP_OK;

    free(jws);
    return right;
}

enum ledger_verdict mediated_unseal(struct mediated *m, const struct acquirer_keys *keys)
{
    char *jwe = span_text(m->parts.transaction);
    json_t *plain = NULL;
    struct tp_error e = {TP_OK, ""};
    enum tp_err r = jwe != NULL
                        ? sealed_read(&plain, jwe, SEALED_TRANSACTION, keys->sealing.jwk, &e)
                        : tp_fail(&e, TP_ERR_NO_MEMORY, "out of memory");

    if (r == TP_OK)
        r = take_message(m, plain, &e);
    if (r == TP_OK)
        r = take_key(m, plain, &e);
    if (r == TP_OK)
        echo_take(&m->payer.echo, &m->inner, PROFILE_TERMINAL);
    else
        log_note("what a mediator passed on: %s", e.text);
    json_decref(plain);
    free(jwe);
    if (r != TP_OK)
        return LEDGER_SEALED;
    if (m->ordered && !agrees(&m->order, &m->inner))
        return LEDGER_ORDER_DIFFERS;
    return m->ordered && m->parts.device.n > 0 && !device_is_right(m) ? LEDGER_DEVICE : LEDGER_NEW;
}
