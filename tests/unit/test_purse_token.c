/* What a mediator and a purse sign for one another: made, read, and forged. */
#include "unit.h"

#include <stdio.h>

#include "base/date.h"
#include "order/purse_token.h"

#define CONTRACT "000000000000123"
#define ACQUIRER "0123456789ABCDEF"
#define SESSION  "zyxwvutsrqponmlkjihgfedcba"
#define HASH     "47DEQpj8HBSa-_TImW-5JCeuQeRkm5NMpJWZG3hSuFU"
#define MEDIATOR "shops"
#define COUNT(t) (sizeof(t) / sizeof((t)[0]))

/* Of the form of a statement: what it says is looked at by who knows the account. */
#define VOUCHER                                                                                    \
    "eyJhIjoxfQ.eyJiIjoxfQ."                                                                       \
    "hgyY0il_MGCjP0JzlnLWG1PPOt7-09PGcvMg3AIbQR6dWbhijcNR4ki4iylGjg5BhVsPt9g7sVvpAr_MuM0KAg"

static char dir[] = "/tmp/test_purse_token.XXXXXX";
static struct order_authority *ours;
static struct order_key order_key, other_contract, other_mediator, ack_key, other_ack;

static const struct purse_token sample = {
    .acquirer = ACQUIRER,
    .contract = CONTRACT,
    .account = HASH,
    .mediator = MEDIATOR,
    .order = "abcdefghijklmnopqrstuvwxyz",
    .session = SESSION,
    .amount = "150",
    .currency = "eur",
    .sum = "450",
    .number = "3",
    .r = HASH,
    .payment = HASH,
    .provision = HASH,
    .voucher = VOUCHER,
    .voucher_hash = HASH,
    .key = HASH,
    .outcome = "acknowledged",
    .code = "00",
    .reference = SESSION "-3",
    .reason = "not delivered",
    .until = "2026-11-30T13:00:00Z",
};
static char at[TIME_TEXT_MAX];

#define KINDS (PURSE_PROVISION_ACKNOWLEDGEMENT + 1)

static void give(struct order_key *out, enum pki_role role, const char *organisation,
                 const char *name)
{
    const struct pki_subject subject = {organisation, name, NULL};
    char cert[80], key[80];
    struct tp_error e = {TP_OK, ""};

    snprintf(cert, sizeof(cert), "%s/cert.pem", dir);
    snprintf(key, sizeof(key), "%s/cert.key", dir);
    ck_assert_msg(pki_certificate_make(dir, role, &subject, 365, cert, key, &e) == TP_OK, "%s",
                  e.text);
    ck_assert_msg(order_key_load(out, cert, key, &e) == TP_OK, "%s", e.text);
    ck_assert_int_eq(unlink(cert), 0);
    ck_assert_int_eq(unlink(key), 0);
}

static void make(void)
{
    char path[80];

    ck_assert_ptr_nonnull(mkdtemp(dir));
    ck_ok(pki_authority_make(dir, "authority", NULL));
    snprintf(path, sizeof(path), "%s/ca.pem", dir);
    ck_ok(order_authority_load(&ours, path, NULL));
    give(&order_key, PKI_ORDER, CONTRACT, MEDIATOR);
    give(&other_contract, PKI_ORDER, "000000000000999", MEDIATOR);
    give(&other_mediator, PKI_ORDER, CONTRACT, "others");
    give(&ack_key, PKI_ACKNOWLEDGEMENT, NULL, ACQUIRER);
    give(&other_ack, PKI_ACKNOWLEDGEMENT, NULL, "FEDCBA9876543210");
    time_format_utc(at, time(NULL));
}

static void drop(void)
{
    char command[80];

    order_key_free(&order_key);
    order_key_free(&other_contract);
    order_key_free(&other_mediator);
    order_key_free(&ack_key);
    order_key_free(&other_ack);
    order_authority_free(&ours);
    snprintf(command, sizeof(command), "rm -rf %s", dir);
    ck_assert_int_eq(system(command), 0);
}

static struct purse_token sampled(void)
{
    struct purse_token t = sample;

    t.at = at;
    return t;
}

static const struct order_key *key_of(enum purse_token_kind kind)
{
    return kind == PURSE_PROVISION_ACKNOWLEDGEMENT ? &ack_key : &order_key;
}

static char *written(enum purse_token_kind kind, const struct order_key *key)
{
    const struct purse_token t = sampled();
    char *jws = NULL;
    struct tp_error e = {TP_OK, ""};

    ck_assert_msg(purse_token_write(&jws, kind, &t, key, &e) == TP_OK, "%s", e.text);
    return jws;
}

static enum tp_err read_again(enum purse_token_kind kind, const char *jws)
{
    struct purse_token t;
    const enum tp_err r = purse_token_read(&t, kind, jws, ours, NULL);

    purse_token_free(&t);
    return r;
}

START_TEST(as_written)
    {
        for (int k = 0; k < KINDS; k++) {
            const enum purse_token_kind kind = (enum purse_token_kind)k;
            char *jws = written(kind, key_of(kind));
            struct purse_token t;
            struct tp_error e = {TP_OK, ""};

            ck_assert_msg(purse_token_read(&t, kind, jws, ours, &e) == TP_OK, "%s", e.text);
            ck_assert_str_eq(t.at, at);
            ck_assert_str_eq(t.signer,
                             kind == PURSE_PROVISION_ACKNOWLEDGEMENT ? ACQUIRER : MEDIATOR);
            ck_assert_str_eq(t.signed_for, kind == PURSE_PROVISION_ACKNOWLEDGEMENT ? "" : CONTRACT);
            ck_assert_ptr_eq(t.payment, json_string_value(json_object_get(t.owner, "payment")));
            purse_token_free(&t);
            for (int other = 0; other < KINDS; other++)
                if (other != k) /* none passes for another */
                    ck_assert_int_eq(read_again((enum purse_token_kind)other, jws), TP_ERR_FORMAT);
            free(jws);
        }
    }
END_TEST

START_TEST(keys_speak_for_their_own)
    {
        static const struct {
            enum purse_token_kind kind;
            const struct order_key *key;
            enum tp_err result;
        } rows[] = {
            {PURSE_REVERSAL, &other_contract, TP_ERR_SECURITY},
            {PURSE_REVERSAL, &ack_key, TP_ERR_SECURITY},
            {PURSE_PRESENTATION, &other_contract, TP_ERR_SECURITY},
            {PURSE_END, &other_contract, TP_OK}, /* any of the mediator's keys */
            {PURSE_END, &ack_key, TP_ERR_SECURITY},
            {PURSE_VOUCHER_ACKNOWLEDGEMENT, &other_contract, TP_ERR_SECURITY},
            {PURSE_VOUCHER_ACKNOWLEDGEMENT, &other_mediator, TP_ERR_SECURITY},
            {PURSE_PROVISION_ACKNOWLEDGEMENT, &order_key, TP_ERR_SECURITY},
            {PURSE_PROVISION_ACKNOWLEDGEMENT, &other_ack, TP_ERR_SECURITY},
        };

        for (size_t i = 0; i < COUNT(rows); i++) {
            char *jws = written(rows[i].kind, rows[i].key);

            ck_assert_int_eq(read_again(rows[i].kind, jws), rows[i].result);
            free(jws);
        }
    }
END_TEST

START_TEST(every_part_counts)
    {
        char *jws = written(PURSE_PRESENTATION, &order_key);
        const size_t n = strlen(jws);

        for (size_t i = 0; i < n; i += 7) {
            const char was = jws[i];

            jws[i] = was == 'A' ? 'B' : 'A';
            ck_assert_int_ne(read_again(PURSE_PRESENTATION, jws), TP_OK);
            jws[i] = was;
        }
        ck_ok(read_again(PURSE_PRESENTATION, jws));
        ck_assert_int_eq(read_again(PURSE_PRESENTATION, ""), TP_ERR_FORMAT);
        free(jws);
    }
END_TEST

START_TEST(members_have_their_forms)
    {
#define AT(m) offsetof(struct purse_token, m)
        static const struct {
            enum purse_token_kind kind;
            size_t member;
            const char *text;
        } rows[] = {
            {PURSE_REVERSAL, AT(reason), ""},
            {PURSE_REVERSAL, AT(reason), NULL},
            {PURSE_REVERSAL, AT(payment), "short"},
            {PURSE_REVERSAL, AT(amount), "0"},
            {PURSE_PRESENTATION, AT(sum), "0"},
            {PURSE_PRESENTATION, AT(voucher), "a.b.c"},
            {PURSE_PRESENTATION, AT(voucher), VOUCHER "A"},
            {PURSE_PRESENTATION, AT(session), "ZYXWVUTSRQPONMLKJIHGFEDCBA"},
            {PURSE_END, AT(acquirer), ""},
            {PURSE_END, AT(at), "2026-11-30"},
            {PURSE_VOUCHER_ACKNOWLEDGEMENT, AT(reference), SESSION "-4"},
            {PURSE_VOUCHER_ACKNOWLEDGEMENT, AT(reference), SESSION},
            {PURSE_VOUCHER_ACKNOWLEDGEMENT, AT(reference), "-3"},
            {PURSE_VOUCHER_ACKNOWLEDGEMENT, AT(code), "05"},
            {PURSE_VOUCHER_ACKNOWLEDGEMENT, AT(outcome), "refused"},
            {PURSE_PROVISION_ACKNOWLEDGEMENT, AT(outcome), "perhaps"},
            {PURSE_PROVISION_ACKNOWLEDGEMENT, AT(code), "51"},
            {PURSE_PROVISION_ACKNOWLEDGEMENT, AT(reason), "a reason that is too long for DE 44"},
        };
#undef AT

        for (size_t i = 0; i < COUNT(rows); i++) {
            struct purse_token t = sampled();
            char *jws = NULL;

            *(const char **)(void *)((char *)&t + rows[i].member) = rows[i].text;
            ck_assert_int_eq(purse_token_write(&jws, rows[i].kind, &t, key_of(rows[i].kind), NULL),
                             TP_ERR_FORMAT);
            ck_assert_ptr_null(jws);
        }
    }
END_TEST

static Suite *suite(void)
{
    Suite *s = suite_create("purse_token");
    TCase *t = tcase_create("purse_token");

    tcase_add_unchecked_fixture(t, make, drop);
    tcase_add_test(t, as_written);
    tcase_add_test(t, keys_speak_for_their_own);
    tcase_add_test(t, every_part_counts);
    tcase_add_test(t, members_have_their_forms);
    suite_add_tcase(s, t);
    return s;
}

UNIT_MAIN(suite)
