#include "frontal.h"

#include <jose/jws.h>
#include <openssl/evp.h>
#include <openssl/rand.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "acquirer/state.h"
#include "base/base64.h"
#include "base/date.h"
#include "holds.h"
#include "order/device.h"
#include "order/jose_quiet.h"
#include "order/sealed.h"
#include "wire/jcs.h"
#include "wire/payment_charge.h"

#define VALID_S 300

/* ---- the mediator ---- */

void frontal_key(struct order_key *key, const struct office *o, const char *contract,
                 const char *mediator)
{
    const struct pki_subject subject = {contract, mediator, NULL};
    char pki[128], cert[192], secret[192];

    snprintf(pki, sizeof(pki), "%s/pki", o->dir);
    snprintf(cert, sizeof(cert), "%s/order-%s-%s.pem", o->dir, contract, mediator);
    snprintf(secret, sizeof(secret), "%s/order-%s-%s.key", o->dir, contract, mediator);
    MUST(pki_certificate_make(pki, PKI_ORDER, &subject, 30, cert, secret, &office_error));
    MUST(order_key_load(key, cert, secret, &office_error));
}

void frontal_make(struct frontal *f, const struct office *o)
{
    struct ledger *l = NULL;
    struct terminal t;

    memset(f, 0, sizeof(*f));
    f->office = o;
    MUST(acquirer_open_ledger(&l, o->dir, &office_error));
    MUST(ledger_mediator_add(l, FRONTAL, &office_error));
    MUST(ledger_mediator_terminal(l, &t, FRONTAL, OFFICE_CONTRACT, &office_error));
    MUST(ledger_acquirer_id(l, f->acquirer, &office_error));
    ledger_close(&l);
    memcpy(f->terminal, t.id, sizeof(f->terminal));
    MUST(acquirer_keys_make(o->dir, f->acquirer, &office_error));
    MUST(acquirer_keys_load(&f->keys, o->dir, &office_error));
    MUST(sealed_public_key(&f->sealing, f->keys.sealing.jwk, &office_error));
    frontal_key(&f->key, o, OFFICE_CONTRACT, FRONTAL);
}

void frontal_clear(struct frontal *f)
{
    acquirer_keys_free(&f->keys);
    order_key_free(&f->key);
    json_decref(f->sealing);
}

struct link_client *frontal_connect(const struct frontal *f, const char *mediator)
{
    return office_connect(f->office, MEDIATOR_ORGANISATION, mediator);
}

/* ---- the order ---- */

static void fresh_id(char out[27])
{
    static const char alphabet[] = "abcdefghijklmnopqrstuvwxyz234567";
    uint8_t bytes[26];

    HOLDS(RAND_bytes(bytes, sizeof(bytes)) == 1);
    for (size_t i = 0; i < sizeof(bytes); i++)
        out[i] = alphabet[bytes[i] % 32];
    out[26] = '\0';
}

void deal_order(struct deal *d, struct frontal *f)
{
    static const char zeros[] = "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";
    const time_t now = time(NULL);
    struct tm local;

    memset(d, 0, sizeof(*d));
    localtime_r(&now, &local);
    fresh_id(d->id);
    snprintf(d->stan, sizeof(d->stan), "%06u", ++f->stan % 1000000);
    HOLDS(strftime(d->date, sizeof(d->date), "%Y%m%d", &local) == 8);
    HOLDS(strftime(d->time, sizeof(d->time), "%H%M%S", &local) == 6);
    snprintf(d->amount, sizeof(d->amount), "1250");
    time_format_utc(d->issued, now);
    time_format_utc(d->until, now + VALID_S);
    d->order = (struct order){.id = d->id,
                              .contract = OFFICE_CONTRACT,
                              .merchant = "Librairie du Port",
                              .item = "Le Monde, 28 novembre",
                              .amount = d->amount,
                              .currency = "eur",
                              .delivery = "network",
                              .quote = zeros,
                              .nonce = "AAAAAAAAAAAAAAAAAAAAAA",
                              .issued = d->issued,
                              .valid_until = d->until,
                              .return_to = "https://shop.example/",
                              .terminal = f->terminal,
                              .stan = d->stan,
                              .date = d->date,
                              .time = d->time,
                              .country = "250",
                              .mcc = "5942",
                              .acquirer = f->acquirer,
                              .method = "GET",
                              .url = "https://shop.example/s/press/1"};
    d->order.n_means = 1;
    d->order.means[0] = (struct order_means){"emv", "100000"};
}

void deal_challenge(struct deal *d, const struct order_key *key)
{
    static unsigned number;
    struct payment_charge charge = {.amount = d->order.amount,
                                    .currency = d->order.currency,
                                    .recipient = d->order.contract,
                                    .description = d->order.item,
                                    .external_id = d->order.id};
    char *jws = NULL;
    json_t *object = NULL;

    MUST(order_write(&jws, &d->order, key, &office_error));
    charge.method_details = json_pack("{s:s}", "order", jws);
    MUST(payment_charge_write(&d->request, &charge, &office_error));
    snprintf(d->challenge_id, sizeof(d->challenge_id), "c%u", number++ % 1000000);
    d->challenge = (struct payment_challenge){.id = d->challenge_id,
                                              .realm = "shop.example",
                                              .method = "emv",
                                              .intent = "charge",
                                              .request = d->request};
    MUST(payment_challenge_r(d->r, &d->challenge, &office_error));
    MUST(payment_challenge_to_json(&object, &d->challenge, &office_error));
    MUST(jcs_write(&d->text, object, &office_error));
    json_decref(object);
    json_decref(charge.method_details);
    free(jws);
    MUST(sealed_answer_key(&d->answer_key, &office_error));
}

/* ---- the card and the device ---- */

void deal_terms(struct deal *d, const struct signed_card *card, uint16_t atc, bool payee)
{
    terms_usual(&d->terms, card, atc);
    d->terms.amount = strtoll(d->amount, NULL, 10);
    d->terms.date = (int)strtol(d->date, NULL, 10);
    d->terms.time = (int)strtol(d->time, NULL, 10);
    d->terms.counter = (uint32_t)strtoul(d->stan, NULL, 10);
    memcpy(d->terms.un, d->r, sizeof(d->terms.un));
    snprintf(d->terms.serial, sizeof(d->terms.serial), "%s", d->order.terminal);
    memcpy(d->terms.payee, d->r, sizeof(d->terms.payee));
    d->terms.has_payee = payee;
}

void deal_card(struct deal *d, struct frontal *f, struct signer *s, const struct signed_card *card)
{
    const struct place where = {OFFICE_CONTRACT, f->terminal, d->terms.counter, OFFICE_MCC};

    MUST(made_payment(&d->made, s, card, &d->terms, &d->terms, &where));
}

struct span deal_packed(struct buf *out, const struct deal *d)
{
    out->n = 0;
    MUST(iso8583_pack(out, &d->made.message, &office_error));
    return buf_span(out);
}

void deal_seal(struct deal *d, const json_t *sealing, struct span message)
{
    char *text = malloc(BASE64URL_SIZE(message.n));
    json_t *public = NULL, *plain;

    HOLDS(text != NULL);
    MUST(sealed_public_key(&public, d->answer_key, &office_error));
    plain = json_pack("{s:i,s:s,s:o}", "version", 1, "message", base64url_encode(text, message),
                      "answer_key", public);
    free(d->sealed);
    MUST(sealed_write(&d->sealed, plain, "telepay-transaction", sealing, &office_error));
    json_decref(plain);
    free(text);
}

void deal_device(struct deal *d, const uint8_t r[PAYMENT_R], struct span message)
{
    uint8_t hash[32];
    char r_text[BASE64URL_SIZE(32)], hash_text[BASE64URL_SIZE(32)], *body = NULL;
    json_t *key = NULL, *public = NULL, *payload, *whole, *sig;
    jose_cfg_t *cfg = jose_quiet();

    HOLDS(EVP_Q_digest(NULL, "SHA256", NULL, message.p, message.n, hash, NULL) == 1);
    MUST(sealed_answer_key(&key, &office_error)); /* a key of P-256 as any */
    MUST(sealed_public_key(&public, key, &office_error));
    payload = json_pack("{s:i,s:s,s:s}", "version", 1, "r",
                        base64url_encode(r_text, span_of(r, PAYMENT_R)), "transaction",
                        base64url_encode(hash_text, SPAN_OF(hash)));
    MUST(jcs_encode(&body, payload, &office_error));
    json_object_del(key, "key_ops");
    json_object_del(key, "alg");
    whole = json_pack("{s:s}", "payload", body);
    sig = json_pack("{s:{s:s,s:s,s:o}}", "protected", "alg", "ES256", "typ", DEVICE_STATEMENT_TYPE,
                    "jwk", public);
    HOLDS(jose_jws_sig(cfg, whole, sig, key));
    free(d->device);
    HOLDS(asprintf(&d->device, "%s.%s.%s", json_string_value(json_object_get(whole, "protected")),
                   body, json_string_value(json_object_get(whole, "signature"))) > 0);
    jose_cfg_decref(cfg);
    json_decref(whole);
    json_decref(sig);
    json_decref(payload);
    json_decref(key);
    free(body);
}

void deal_message(struct deal *d)
{
    struct buf room = BUF_OF(d->room);
    struct iso8583 *m = &d->message;
    struct mediation parts = {.challenge = span_str(d->text), .transaction = span_str(d->sealed)};

    if (d->device != NULL)
        parts.device = span_str(d->device);
    iso8583_start(m, MTI_FINANCIAL);
    iso8583_set_text(m, 3, "000000");
    iso8583_set_number(m, 4, strtoull(d->amount, NULL, 10));
    iso8583_set_instant(m, time(NULL));
    iso8583_set_text(m, 11, d->stan);
    iso8583_set_text(m, 12, d->time);
    iso8583_set_text(m, 13, d->date + 4);
    iso8583_set_text(m, 41, d->order.terminal);
    iso8583_set_text(m, 42, d->order.contract);
    iso8583_set_text(m, 49, "978");
    MUST(mediation_put(m, &room, &parts));
}

void deal_clear(struct deal *d)
{
    free(d->request);
    free(d->text);
    free(d->sealed);
    free(d->device);
    json_decref(d->answer_key);
    memset(d, 0, sizeof(*d));
}

/* ---- the answer ---- */

static void open_answer(struct said *s, const struct deal *d)
{
    struct buf bytes = BUF_OF(s->bytes);
    char *jwe = strndup((const char *)s->parts.answer.p, s->parts.answer.n);
    json_t *plain = NULL;

    HOLDS(jwe != NULL);
    MUST(sealed_read(&plain, jwe, SEALED_ANSWER, d->answer_key, &office_error));
    HOLDS(json_object_size(plain) == 2 &&
          json_integer_value(json_object_get(plain, "version")) == 1);
    MUST(base64url_decode(&bytes, span_str(json_string_value(json_object_get(plain, "message")))));
    MUST(iso8583_unpack(&s->inner, buf_span(&bytes), &office_error));
    json_decref(plain);
    free(jwe);
}

void deal_exchange(struct said *s, struct link_client *c, struct deal *d, unsigned mti)
{
    struct buf room = BUF_OF(s->room);
    struct iso8583 m;

    if (mti != 0)
        d->message.mti = mti;
    s->inner.mti = 0;
    s->acknowledgement[0] = '\0';
    MUST(office_send(&s->a, c, &d->message, &office_error));
    MUST(iso8583_unpack(&m, span_of(s->a.raw, s->a.n), &office_error));
    HOLDS(!iso8583_has(&m, 55) && !iso8583_has(&m, 2));
    MUST(mediation_read(&s->parts, &room, &m, false));
    HOLDS(s->parts.acknowledgement.n < sizeof(s->acknowledgement));
    memcpy(s->acknowledgement,
           s->parts.acknowledgement.p != NULL ? s->parts.acknowledgement.p : (const uint8_t *)"",
           s->parts.acknowledgement.n);
    s->acknowledgement[s->parts.acknowledgement.n] = '\0';
    if (s->parts.answer.n > 0)
        open_answer(s, d);
}
