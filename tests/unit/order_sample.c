/* For check_order.py: signs, seals, verifies and opens with src/order, so that another
 * implementation can be held against it.
 *
 *     order_sample make DIR             an authority, a key for orders, one to seal to
 *     order_sample sign CERT KEY        signs {"a":"b"}
 *     order_sample verify CA TOKEN      verifies one, prints its payload
 *     order_sample seal CA CERT KEY     seals {"a":"b"} to the certificate's key
 *     order_sample open CERT KEY JWE    opens, prints what was sealed
 *     order_sample reversal CERT KEY    signs what gives a purse's payment back
 *     order_sample token CA KIND JWS    verifies what a purse and a mediator sign for one another,
 *                                       prints its payload; KIND is a number of its enum */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "order/purse_token.h"
#include "order/sealed.h"
#include "order/token.h"

static enum tp_err sign(char *const *arg, char **out, struct tp_error *e)
{
    struct order_key key = {0};
    json_t *payload = json_pack("{s:s}", "a", "b");
    enum tp_err r = order_key_load(&key, arg[0], arg[1], e);

    if (r == TP_OK)
        r = token_sign(out, payload, "sample", &key, e);
    order_key_free(&key);
    json_decref(payload);
    return r;
}

static enum tp_err verify(char *const *arg, char **out, struct tp_error *e)
{
    struct order_authority *authority = NULL;
    struct order_holder holder = {0};
    struct token t = {0};
    enum tp_err r = order_authority_load(&authority, arg[0], e);

    if (r == TP_OK)
        r = token_read(&t, arg[1], "sample", e);
    if (r == TP_OK)
        r = token_verify(&holder, &t, authority, PKI_ORDER, time(NULL), e);
    if (r == TP_OK)
        *out = json_dumps(t.payload, JSON_COMPACT);
    token_free(&t);
    order_holder_free(&holder);
    order_authority_free(&authority);
    return r;
}

static enum tp_err reversal(char *const *arg, char **out, struct tp_error *e)
{
    const struct purse_token t = {
        .acquirer = "ACQ1",
        .contract = "000000000000123",
        .order = "abcdefghijklmnopqrstuvwxyz",
        .amount = "150",
        .currency = "eur",
        .payment = "47DEQpj8HBSa-_TImW-5JCeuQeRkm5NMpJWZG3hSuFU",
        .reason = "not delivered",
        .at = "2026-11-29T14:00:00Z",
    };
    struct order_key key = {0};
    enum tp_err r = order_key_load(&key, arg[0], arg[1], e);

    if (r == TP_OK)
        r = purse_token_write(out, PURSE_REVERSAL, &t, &key, e);
    order_key_free(&key);
    return r;
}

static enum tp_err token(char *const *arg, char **out, struct tp_error *e)
{
    struct order_authority *authority = NULL;
    struct purse_token t = {0};
    enum tp_err r = order_authority_load(&authority, arg[0], e);

    if (r == TP_OK)
        r = purse_token_read(&t, (enum purse_token_kind)atoi(arg[1]), arg[2], authority, e);
    if (r == TP_OK)
        *out = json_dumps(t.owner, JSON_COMPACT | JSON_SORT_KEYS);
    purse_token_free(&t);
    order_authority_free(&authority);
    return r;
}

static enum tp_err seal(char *const *arg, char **out, struct tp_error *e)
{
    struct order_authority *authority = NULL;
    struct order_holder holder = {0};
    struct order_key key = {0};
    json_t *payload = json_pack("{s:s}", "a", "b");
    enum tp_err r = order_authority_load(&authority, arg[0], e);

    if (r == TP_OK)
        r = order_key_load(&key, arg[1], arg[2], e);
    if (r == TP_OK)
        r = order_holder_read(&holder, authority, key.x5c, PKI_SEALING, time(NULL), e);
    if (r == TP_OK)
        r = sealed_write(out, payload, "sample", holder.jwk, e);
    order_holder_free(&holder);
    order_key_free(&key);
    order_authority_free(&authority);
    json_decref(payload);
    return r;
}

static enum tp_err unseal(char *const *arg, char **out, struct tp_error *e)
{
    struct order_key key = {0};
    json_t *opened = NULL;
    enum tp_err r = order_key_load(&key, arg[0], arg[1], e);

    if (r == TP_OK)
        r = sealed_read(&opened, arg[2], "sample", key.jwk, e);
    if (r == TP_OK)
        *out = json_dumps(opened, JSON_COMPACT);
    json_decref(opened);
    order_key_free(&key);
    return r;
}

static enum tp_err make(char *const *arg, char **out, struct tp_error *e)
{
    const struct pki_subject subject = {"000000000000123", "sample", NULL};
    char cert[256], key[256];
    enum tp_err r = pki_authority_make(arg[0], "sample authority", e);

    for (int role = PKI_ORDER; role <= PKI_SEALING && r == TP_OK; role++) {
        const char *name = role == PKI_ORDER ? "order" : "sealing";

        snprintf(cert, sizeof(cert), "%s/%s.pem", arg[0], name);
        snprintf(key, sizeof(key), "%s/%s.key", arg[0], name);
        r = pki_certificate_make(arg[0], (enum pki_role)role, &subject, 30, cert, key, e);
    }
    *out = strdup("");
    return r;
}

int main(int argc, char **argv)
{
    static const struct {
        const char *name;
        int arguments;
        enum tp_err (*run)(char *const *arg, char **out, struct tp_error *e);
    } verbs[] = {
        {"make", 1, make},   {"sign", 2, sign},         {"verify", 2, verify}, {"seal", 3, seal},
        {"open", 3, unseal}, {"reversal", 2, reversal}, {"token", 3, token},
    };
    struct tp_error e = {0};
    char *out = NULL;

    for (size_t i = 0; i < sizeof(verbs) / sizeof(verbs[0]); i++) {
        if (argc < 2 || strcmp(argv[1], verbs[i].name) != 0 || argc - 2 != verbs[i].arguments)
            continue;
        if (verbs[i].run(argv + 2, &out, &e) != TP_OK || out == NULL) {
            fprintf(stderr, "%s\n", e.text);
            return EXIT_FAILURE;
        }
        puts(out);
        free(out);
        return EXIT_SUCCESS;
    }
    fprintf(stderr, "order_sample: make DIR, sign, verify, seal, open, reversal, token\n");
    return EXIT_FAILURE;
}
