#include "mediator/identity.h"

#include <inttypes.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/base64.h"
#include "base/secret.h"

#define MAC 32

/* ---- sessions ---- */

/* USER.UNTIL, and the MAC over it and the service. */
static bool mac_of(char out[BASE64URL_SIZE(MAC)], struct span key, const char *service,
                   const char *text)
{
    char all[IDENTITY_SESSION + BOOK_NAME_MAX + 32];
    uint8_t mac[MAC];
    unsigned n = 0;

    snprintf(all, sizeof(all), "telepay-session-1|%s|%s", service, text);
    if (HMAC(EVP_sha256(), key.p, (int)key.n, (const uint8_t *)all, strlen(all), mac, &n) == NULL ||
        n != sizeof(mac))
        return false;
    base64url_encode(out, SPAN_OF(mac));
    return true;
}

enum tp_err identity_session(char out[IDENTITY_SESSION], struct span key, const char *service,
                             const char *user, int64_t until, struct tp_error *e)
{
    char text[LETTER_USER + 24], mac[BASE64URL_SIZE(MAC)];

    snprintf(text, sizeof(text), "%s.%" PRId64, user, until);
    if (!mac_of(mac, key, service, text))
        return tp_fail(e, TP_ERR_INTERNAL, "HMAC fails");
    snprintf(out, IDENTITY_SESSION, "%s.%s", text, mac);
    return TP_OK;
}

bool identity_of_session(char user[LETTER_USER], struct span key, const char *service,
                         const char *session, int64_t now)
{
    const char *dot = strchr(session, '.'), *last = strrchr(session, '.');
    char text[LETTER_USER + 24], mac[BASE64URL_SIZE(MAC)];

    if (dot == NULL || last == dot || dot - session != LETTER_USER - 1 ||
        (size_t)(last - session) >= sizeof(text) || strlen(last + 1) != sizeof(mac) - 1)
        return false;
    snprintf(text, sizeof(text), "%.*s", (int)(last - session), session);
    if (!mac_of(mac, key, service, text) || !secret_eq(span_str(mac), span_str(last + 1)) ||
        strtoll(dot + 1, NULL, 10) <= now)
        return false;
    snprintf(user, LETTER_USER, "%.*s", LETTER_USER - 1, session);
    return true;
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
                   " browser) VALUES ($1, $2, $3, $4, $5, $6)",
                   DB_VALUES(db_text(r->id), db_text(r->service), db_text(r->reason),
                             db_text(r->url), db_integer(r->valid_until),
                             db_blob_or_null(SPAN_OF(r->browser), r->has_browser)),
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
        DB_COLUMN_AS("name", struct identity_request, user),
        DB_COLUMN(struct identity_request, hash),
    };

    return db_one(orderbook_db(b),
                  "SELECT id, service, reason, url, valid_until, browser IS NOT NULL AS"
                  " has_browser, coalesce(browser, $2) AS browser, hash IS NOT NULL AS answered,"
                  " coalesce(name, '') AS name, coalesce(hash, $2) AS hash FROM identity_request"
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
    *finding = IDENTITY_FINE;
    if (!found)
        *finding = IDENTITY_NONE;
    else if (!is_about(l, out, origin))
        *finding = IDENTITY_DIFFERS;
    else if (now > out->valid_until)
        *finding = IDENTITY_OVER;
    else if (out->answered && memcmp(hash, out->hash, sizeof(hash)) != 0)
        *finding = IDENTITY_OTHER;
    if (*finding != IDENTITY_FINE || out->answered)
        return TP_OK;
    r = letter_user(out->user, origin, l->key, e);
    if (r == TP_OK)
        r = db_exec(orderbook_db(b),
                    "UPDATE identity_request SET name = $2, hash = $3 WHERE id = $1",
                    DB_VALUES(db_text(id), db_text(out->user), db_blob(SPAN_OF(hash))), NULL, e);
    out->answered = r == TP_OK;
    return r;
}
