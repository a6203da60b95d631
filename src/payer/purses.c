#include "payer/purses.h"

#include <openssl/core_names.h>
#include <openssl/err.h>
#include <openssl/kdf.h>
#include <openssl/params.h>
#include <stdio.h>
#include <string.h>

#include "payer/journal_priv.h"

static const struct db_column columns[] = {
    DB_COLUMN(struct purse_account, acquirer), DB_COLUMN(struct purse_account, url),
    DB_COLUMN(struct purse_account, name),     DB_COLUMN(struct purse_account, account),
    DB_COLUMN(struct purse_account, currency), DB_COLUMN(struct purse_account, number),
    DB_COLUMN(struct purse_account, counter)};

#define SELECT "SELECT acquirer, url, name, account, currency, number, counter FROM purse "

enum tp_err purses_put(struct journal *j, const struct purse_account *a, struct tp_error *e)
{
    return db_exec(j->db,
                   "INSERT INTO purse (acquirer, url, name, account, currency, number, counter)"
                   " VALUES ($1, $2, $3, $4, $5, $6, $7) ON CONFLICT (acquirer) DO UPDATE SET"
                   " url = excluded.url, name = excluded.name, counter = CASE WHEN"
                   " excluded.counter > purse.counter THEN excluded.counter ELSE purse.counter END",
                   DB_VALUES(db_text(a->acquirer), db_text(a->url), db_text(a->name),
                             db_text(a->account), db_integer(a->currency), db_integer(a->number),
                             db_integer(a->counter)),
                   NULL, e);
}

static enum tp_err find_only(struct purse_account *out, struct journal *j, struct tp_error *e)
{
    int64_t n = 0;
    bool found = false;
    enum tp_err r = db_number(j->db, "SELECT count(*) FROM purse", DB_NONE, &n, NULL, e);

    if (r == TP_OK && n > 1)
        return tp_fail(e, TP_ERR_USAGE,
                       "there are accounts at %lld purses: say at which, with --purse ACQUIRER, as "
                       "telepay purse list shows them",
                       (long long)n);
    if (r == TP_OK)
        r = db_one(j->db, SELECT, DB_NONE, DB_COLUMNS(columns), out, &found, e);
    return r != TP_OK || found ? r
                               : tp_fail(e, TP_ERR_NOT_FOUND,
                                         "there is no account at a purse yet: telepay purse open "
                                         "--at URL");
}

enum tp_err purses_find(struct purse_account *out, struct journal *j, const char *acquirer,
                        struct tp_error *e)
{
    bool found = false;
    enum tp_err r;

    if (acquirer == NULL)
        return find_only(out, j, e);
    r = db_one(j->db, SELECT "WHERE acquirer = $1", DB_VALUES(db_text(acquirer)),
               DB_COLUMNS(columns), out, &found, e);
    return r != TP_OK || found
               ? r
               : tp_fail(e, TP_ERR_NOT_FOUND,
                         "there is no account at the purse %.40s: telepay purse list", acquirer);
}

enum tp_err purses_list(struct journal *j, purses_each *each, void *ctx, struct tp_error *e)
{
    struct db_rows *rows = NULL;
    struct purse_account a;
    bool found = true;
    enum tp_err r =
        db_query(j->db, &rows, SELECT "ORDER BY acquirer", DB_NONE, DB_COLUMNS(columns), e);

    while (r == TP_OK && (r = db_next(rows, &a, &found, e)) == TP_OK && found)
        r = each(ctx, &a, e);
    db_end(&rows);
    return r;
}

enum tp_err purses_next(int64_t *counter, struct journal *j, const char *acquirer,
                        struct tp_error *e)
{
    bool found = false;
    const enum tp_err r = db_number(
        j->db, "UPDATE purse SET counter = counter + 1 WHERE acquirer = $1 RETURNING counter",
        DB_VALUES(db_text(acquirer)), counter, &found, e);

    return r != TP_OK || found
               ? r
               : tp_fail(e, TP_ERR_NOT_FOUND, "there is no account at the purse %s", acquirer);
}

/* ---- keys ---- */

static enum tp_err expand(uint8_t out[ED25519_KEY], struct span from, struct span info,
                          struct tp_error *e)
{
    char digest[] = "SHA256";
    const OSSL_PARAM params[] = {
        OSSL_PARAM_construct_utf8_string(OSSL_KDF_PARAM_DIGEST, digest, 0),
        OSSL_PARAM_construct_octet_string(OSSL_KDF_PARAM_KEY, (void *)(uintptr_t)from.p, from.n),
        OSSL_PARAM_construct_octet_string(OSSL_KDF_PARAM_INFO, (void *)(uintptr_t)info.p, info.n),
        OSSL_PARAM_construct_end()};
    EVP_KDF *kdf = EVP_KDF_fetch(NULL, "HKDF", NULL);
    EVP_KDF_CTX *ctx = kdf != NULL ? EVP_KDF_CTX_new(kdf) : NULL;
    const bool done = ctx != NULL && EVP_KDF_derive(ctx, out, ED25519_KEY, params) == 1;

    EVP_KDF_CTX_free(ctx);
    EVP_KDF_free(kdf);
    ERR_clear_error();
    return done ? TP_OK : tp_fail(e, TP_ERR_INTERNAL, "OpenSSL cannot make an account's key");
}

enum tp_err purses_key(struct secret *out, const json_t *key, const char *acquirer, int64_t number,
                       struct tp_error *e)
{
    const char *d = json_string_value(json_object_get(key, "d"));
    char info[80];
    uint8_t room[ED25519_KEY];
    struct buf raw = BUF_OF(room);
    enum tp_err r = secret_alloc(out, ED25519_KEY);

    snprintf(info, sizeof(info), "telepay-purse-1|%.16s|%lld", acquirer, (long long)number);
    if (r == TP_OK &&
        (d == NULL || base64url_decode(&raw, span_str(d)) != TP_OK || raw.n != sizeof(room)))
        r = tp_fail(e, TP_ERR_FORMAT, "the user's key is none of which an account's can be made");
    if (r == TP_OK)
        r = expand(out->p, buf_span(&raw), span_str(info), e);
    secret_wipe(room, sizeof(room));
    if (r != TP_OK)
        secret_free(out);
    return r;
}

enum tp_err purses_unlock(struct secret *out, struct device *device, const struct purse_account *a,
                          struct tp_error *e)
{
    json_t *key = NULL;
    const enum tp_err r = device_key(&key, device, e);

    return r == TP_OK ? purses_key(out, key, a->acquirer, a->number, e) : r;
}
