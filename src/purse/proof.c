#include "purse/proof.h"

#include <string.h>

#include "wire/jcs.h"

/* ---- the evidence, from the books ---- */

static enum tp_err add_key(void *ctx, const uint8_t key[ED25519_KEY], struct span statement,
                           struct tp_error *e)
{
    (void)key;
    return json_array_append_new(ctx, json_stringn((const char *)statement.p, statement.n)) == 0
               ? TP_OK
               : tp_fail(e, TP_ERR_NO_MEMORY, "out of memory");
}

enum tp_err purse_keys(json_t **out, struct book *b, const char *account, struct tp_error *e)
{
    *out = json_array();
    return *out != NULL ? book_key_each(b, account, add_key, *out, e)
                        : tp_fail(e, TP_ERR_NO_MEMORY, "out of memory");
}

enum tp_err purse_evidence(json_t **out, struct book *b, const struct kept *k, struct tp_error *e)
{
    json_t *challenge = NULL, *keys = NULL;
    enum tp_err r = jcs_read(&challenge, k->challenge, e);

    *out = NULL;
    if (r == TP_OK)
        r = purse_keys(&keys, b, k->account, e);
    if (r == TP_OK) {
        *out = json_pack("{s:O,s:O,s:s%,s:s%}", "keys", keys, "challenge", challenge, "payment",
                         k->statement.p, k->statement.n, "acknowledgement", k->acknowledgement.p,
                         k->acknowledgement.n);
        if (k->reversal != 0 && *out != NULL &&
            json_object_set_new(*out, "reversal",
                                json_stringn((const char *)k->demand.p, k->demand.n)) != 0) {
            json_decref(*out);
            *out = NULL;
        }
        r = *out != NULL ? TP_OK : tp_fail(e, TP_ERR_NO_MEMORY, "out of memory");
    }
    json_decref(keys);
    json_decref(challenge);
    return r;
}

/* ---- keys ---- */

static enum tp_err wrong(struct tp_error *e, size_t number)
{
    return tp_fail(e, TP_ERR_SECURITY, "key %zu of the account was given by no key before it",
                   number);
}

/* The first one is the account: its number is the thumbprint. */
static enum tp_err read_opening(uint8_t key[ED25519_KEY], const char *jws, const char *acquirer,
                                const char *account, struct tp_error *e)
{
    struct purse_statement s;
    char number[PURSE_ACCOUNT];
    enum tp_err r = purse_statement_read(&s, PURSE_OPENING, jws, e);

    if (r == TP_OK)
        r = ed25519_thumbprint(number, s.key, e);
    if (r == TP_OK && (strcmp(number, account) != 0 || strcmp(s.acquirer, acquirer) != 0))
        r = tp_fail(e, TP_ERR_SECURITY, "another account, or one of another purse, was opened");
    memcpy(key, s.key, ED25519_KEY);
    purse_statement_free(&s);
    return r;
}

static enum tp_err read_succession(uint8_t key[ED25519_KEY], const char *jws, const char *acquirer,
                                   const char *account, size_t number, struct tp_error *e)
{
    struct purse_statement s;
    struct buf b = {key, 0, ED25519_KEY};
    enum tp_err r = purse_statement_read(&s, PURSE_SUCCESSION, jws, e);

    if (r == TP_OK && (memcmp(s.key, key, ED25519_KEY) != 0 || strcmp(s.account, account) != 0 ||
                       strcmp(s.acquirer, acquirer) != 0))
        r = wrong(e, number);
    if (r == TP_OK && (base64url_decode(&b, span_str(s.next)) != TP_OK || b.n != ED25519_KEY))
        r = wrong(e, number);
    purse_statement_free(&s);
    return r;
}

enum tp_err purse_keys_read(uint8_t last[ED25519_KEY], size_t *found, const json_t *statements,
                            const char *acquirer, const char *account, const uint8_t *look,
                            struct tp_error *e)
{
    const size_t n = json_array_size(statements);
    enum tp_err r = TP_OK;

    *found = 0;
    if (n == 0 || n > BOOK_KEYS)
        return tp_fail(e, TP_ERR_FORMAT, "keys: 1 to %d statements", BOOK_KEYS);
    for (size_t i = 0; r == TP_OK && i < n; i++) {
        const char *jws = json_string_value(json_array_get(statements, i));

        if (jws == NULL)
            return tp_fail(e, TP_ERR_FORMAT, "keys: a statement is no text");
        r = i == 0 ? read_opening(last, jws, acquirer, account, e)
                   : read_succession(last, jws, acquirer, account, i + 1, e);
        if (r == TP_OK && look != NULL && memcmp(last, look, ED25519_KEY) == 0)
            *found = i + 1;
    }
    return r;
}

/* ---- the proof ---- */

/* What was signed is what was acknowledged. */
static enum tp_err agree(const struct purse_proof *p, const char *jws, struct tp_error *e)
{
    const struct acknowledgement *a = &p->order.acknowledgement;
    const struct purse_statement *s = &p->statement;
    char hash[PURSE_HASH];
    const enum tp_err r = purse_statement_hash(hash, jws, e);

    if (r != TP_OK)
        return r;
    if (a->payment == NULL || strcmp(a->payment, hash) != 0 || strcmp(a->r, s->r) != 0 ||
        strcmp(a->order, s->order) != 0 || strcmp(a->amount, s->amount) != 0 ||
        strcmp(a->currency, s->currency) != 0)
        return tp_fail(e, TP_ERR_SECURITY, "the acknowledgement is of another payment");
    return TP_OK;
}

/* What was demanded back is what was paid, and who asked to be paid demands it. */
static enum tp_err read_reversal(struct purse_proof *p, const char *payment, const json_t *evidence,
                                 const struct order_authority *authority, struct tp_error *e)
{
    const struct order *o = &p->order.order;
    struct purse_token *t = &p->reversal;
    const char *jws = NULL;
    char hash[PURSE_HASH];
    enum tp_err r = jcs_text(&jws, evidence, "reversal", e);

    if (r != TP_OK || jws == NULL)
        return r;
    r = purse_token_read(t, PURSE_REVERSAL, jws, authority, e);
    if (r == TP_OK)
        r = purse_statement_hash(hash, payment, e);
    if (r != TP_OK)
        return r;
    return acknowledgement_is_positive(&p->order.acknowledgement) &&
                   strcmp(t->payment, hash) == 0 && strcmp(t->order, o->id) == 0 &&
                   strcmp(t->contract, o->contract) == 0 && strcmp(t->amount, o->amount) == 0 &&
                   strcmp(t->currency, o->currency) == 0 && strcmp(t->signer, o->mediator) == 0 &&
                   strcmp(t->acquirer, p->order.acknowledgement.acquirer) == 0
               ? TP_OK
               : tp_fail(e, TP_ERR_SECURITY, "another payment was given back");
}

enum tp_err purse_proof_read(struct purse_proof *out, const json_t *evidence,
                             const struct order_authority *authority, struct tp_error *e)
{
    struct payment_challenge c;
    const char *payment = NULL, *acknowledgement = NULL;
    uint8_t last[ED25519_KEY];
    enum tp_err r = jcs_text(&payment, evidence, "payment", e);

    *out = (struct purse_proof){.key = 0};
    if (r == TP_OK)
        r = jcs_text(&acknowledgement, evidence, "acknowledgement", e);
    if (r == TP_OK && (payment == NULL || acknowledgement == NULL))
        r = tp_fail(e, TP_ERR_FORMAT, "payment or acknowledgement is missing");
    if (r == TP_OK)
        r = payment_challenge_from_json(&c, json_object_get(evidence, "challenge"), e);
    if (r == TP_OK)
        r = order_proof_read(&out->order, &c, acknowledgement, authority, e);
    if (r == TP_OK)
        r = purse_statement_read(&out->statement, PURSE_PAYMENT, payment, e);
    if (r == TP_OK)
        r = agree(out, payment, e);
    out->keys = json_array_size(json_object_get(evidence, "keys"));
    if (r == TP_OK)
        r = purse_keys_read(last, &out->key, json_object_get(evidence, "keys"),
                            out->order.acknowledgement.acquirer, out->statement.account,
                            out->statement.key, e);
    if (r == TP_OK)
        r = read_reversal(out, payment, evidence, authority, e);
    return r == TP_OK && out->key == 0
               ? tp_fail(e, TP_ERR_SECURITY, "a key signed it that never was the account's")
               : r;
}

void purse_proof_free(struct purse_proof *p)
{
    order_proof_free(&p->order);
    purse_statement_free(&p->statement);
    purse_token_free(&p->reversal);
}
