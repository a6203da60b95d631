#include "mediator/identity.h"

#include <openssl/evp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/base64.h"
#include "base/date.h"

/* A card's pass is good for what no service is called. */
static const char *good_for(char out[PASS_FOR], const char *service, bool by_card)
{
    snprintf(out, PASS_FOR, "%s%s", by_card ? "card:" : "", service);
    return out;
}

enum tp_err identity_session(char out[PASS_TEXT], struct span key, const char *service,
                             const struct identity *who, int64_t until, struct tp_error *e)
{
    char what[PASS_FOR];

    return pass_write(out, key, good_for(what, service, who->by_card), who->user, until, e);
}

bool identity_of_session(struct identity *who, struct span key, const char *service,
                         const char *session, int64_t now)
{
    char what[PASS_FOR];

    who->by_card = pass_read(who->user, key, good_for(what, service, true), session, now);
    return who->by_card || pass_read(who->user, key, good_for(what, service, false), session, now);
}

void identity_code(char out[IDENTITY_CODE], const char *id)
{
    static const char letters[] = "ABCDEFGHJKLMNPQRSTUVWXYZ23456789";
    uint8_t hash[32] = {0};

    (void)EVP_Digest(id, strlen(id), hash, NULL, EVP_sha256(), NULL);
    snprintf(out, IDENTITY_CODE, "%c%c%c-%c%c%c", letters[hash[0] % 32], letters[hash[1] % 32],
             letters[hash[2] % 32], letters[hash[3] % 32], letters[hash[4] % 32],
             letters[hash[5] % 32]);
}

/* ---- books ---- */

static const uint8_t nothing[32];

enum tp_err identity_add(struct orderbook *b, const struct identity_request *r, struct tp_error *e)
{
    return db_exec(orderbook_db(b),
                   "INSERT INTO identity_request (id, service, reason, url, valid_until,"
                   " browser, wants_card) VALUES ($1, $2, $3, $4, $5, $6, $7)",
                   DB_VALUES(db_text(r->id), db_text(r->service), db_text(r->reason),
                             db_text(r->url), db_integer(r->valid_until),
                             db_blob_or_null(SPAN_OF(r->browser), r->has_browser),
                             db_integer(r->wants_card ? 1 : 0)),
                   NULL, e);
}

enum tp_err identity_get(struct orderbook *b, const char *id, struct identity_request *out,
                         bool *found, struct tp_error *e)
{
    static const struct db_column columns[] = {
        DB_COLUMN(struct identity_request, id),
        DB_COLUMN(struct identity_request, service),
        DB_COLUMN(struct identity_request, reason),
        DB_COLUMN(struct identity_request, url),
        DB_COLUMN(struct identity_request, valid_until),
        DB_COLUMN(struct identity_request, has_browser),
        DB_COLUMN(struct identity_request, browser),
        DB_COLUMN(struct identity_request, answered),
        DB_COLUMN(struct identity_request, wants_card),
        DB_COLUMN_AS("name", struct identity_request, who.user),
        DB_COLUMN_AS("by_card", struct identity_request, who.by_card),
        DB_COLUMN(struct identity_request, hash),
    };

    return db_one(orderbook_db(b),
                  "SELECT id, service, reason, url, valid_until, browser IS NOT NULL AS"
                  " has_browser, coalesce(browser, $2) AS browser, hash IS NOT NULL AS answered,"
                  " wants_card, coalesce(name, '') AS name, by_card, coalesce(hash, $2) AS hash"
                  " FROM identity_request"
                  " WHERE id = $1",
                  DB_VALUES(db_text(id), db_blob(SPAN_OF(nothing))), DB_COLUMNS(columns), out,
                  found, e);
}

enum tp_err identity_forget(struct orderbook *b, int64_t before, struct tp_error *e)
{
    return db_exec(orderbook_db(b), "DELETE FROM identity_request WHERE valid_until < $1",
                   DB_VALUES(db_integer(before)), NULL, e);
}

/* ---- the letter ---- */

static bool is_about(const struct letter *l, const struct identity_request *r, const char *origin)
{
    return strcmp(l->request, r->id) == 0 && strcmp(l->mediator, origin) == 0 &&
           strcmp(l->reason, r->reason) == 0 && strcmp(l->service, r->service) == 0;
}

static enum tp_err keep(struct identity_request *r, const uint8_t hash[LETTER_HASH],
                        struct orderbook *b, struct tp_error *e)
{
    const enum tp_err err =
        db_exec(orderbook_db(b),
                "UPDATE identity_request SET name = $2, by_card = $3, hash = $4 WHERE id = $1",
                DB_VALUES(db_text(r->id), db_text(r->who.user), db_integer(r->who.by_card ? 1 : 0),
                          db_blob(span_of(hash, LETTER_HASH))),
                NULL, e);

    r->answered = err == TP_OK;
    return err;
}

/* What stands against an answer, whatever it says. */
static enum identity_finding finding_of(const struct identity_request *r,
                                        const uint8_t hash[LETTER_HASH], int64_t now)
{
    if (now > r->valid_until)
        return IDENTITY_OVER;
    return r->answered && memcmp(hash, r->hash, LETTER_HASH) != 0 ? IDENTITY_OTHER : IDENTITY_FINE;
}

enum tp_err identity_take(enum identity_finding *finding, struct identity_request *out,
                          const struct letter *l, const char *jws, const char *id,
                          struct orderbook *b, const char *origin, int64_t now, struct tp_error *e)
{
    uint8_t hash[LETTER_HASH];
    bool found = false;
    enum tp_err r = identity_get(b, id, out, &found, e);

    if (r == TP_OK)
        r = letter_hash(hash, jws, e);
    if (r != TP_OK)
        return r;
    if (!found)
        *finding = IDENTITY_NONE;
    else if (!is_about(l, out, origin))
        *finding = IDENTITY_DIFFERS;
    else
        *finding = out->wants_card ? IDENTITY_BY_KEY : finding_of(out, hash, now);
    if (*finding != IDENTITY_FINE || out->answered)
        return TP_OK;
    r = letter_user(out->who.user, origin, l->key, e);
    return r == TP_OK ? keep(out, hash, b, e) : r;
}

/* ---- by card ---- */

enum tp_err identity_card_request(char **jws, uint8_t hash[LETTER_HASH],
                                  const struct identity_request *r, const struct reg_contract *c,
                                  const char *origin, struct tp_error *e)
{
    char currency[4], at[TIME_TEXT_MAX], until[TIME_TEXT_MAX];
    const struct letter l = {.mediator = origin,
                             .request = r->id,
                             .service = r->service,
                             .reason = r->reason,
                             .contract = c->id,
                             .acquirer = c->acquirer->id,
                             .terminal = c->terminal,
                             .country = c->country,
                             .mcc = c->mcc,
                             .currency = currency,
                             .until = time_format_utc(until, r->valid_until),
                             .at = time_format_utc(at, r->valid_until - IDENTITY_ASKED_S)};
    enum tp_err err;

    currency_small(currency, c->currency->numeric);
    err = letter_write(jws, LETTER_CARD_REQUEST, &l, &c->key, e);
    return err == TP_OK ? letter_hash(hash, *jws, e) : err;
}

enum tp_err identity_card_read(char user[LETTER_USER], const char *jws,
                               const uint8_t request[LETTER_HASH],
                               const struct reg_acquirer *acquirer, const char *contract,
                               const char *origin, struct tp_error *e)
{
    char answers[BASE64URL_SIZE(LETTER_HASH)];
    struct letter l;
    enum tp_err r = letter_read(&l, LETTER_CARD, jws, acquirer->authority, e);

    if (r == TP_OK &&
        (strcmp(l.signer, acquirer->id) != 0 || strcmp(l.contract, contract) != 0 ||
         strcmp(l.answers, base64url_encode(answers, span_of(request, LETTER_HASH))) != 0))
        r = tp_fail(e, TP_ERR_SECURITY, "it is about another request, contract or acquirer");
    if (r == TP_OK)
        r = letter_card_user(user, origin, l.user, e);
    letter_free(&l);
    return r;
}

enum tp_err identity_take_card(enum identity_finding *finding, struct identity_request *out,
                               const struct identity_card *card, const char *id,
                               struct orderbook *b, int64_t now, struct tp_error *e)
{
    bool found = false;
    const enum tp_err r = identity_get(b, id, out, &found, e);

    if (r != TP_OK)
        return r;
    *finding = found ? finding_of(out, card->sealed, now) : IDENTITY_NONE;
    if (*finding != IDENTITY_FINE || out->answered || card->user[0] == '\0')
        return TP_OK;
    memcpy(out->who.user, card->user, sizeof(out->who.user));
    out->who.by_card = true;
    return keep(out, card->sealed, b, e);
}
