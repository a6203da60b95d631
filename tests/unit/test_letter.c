/* Letters: those that Python's cryptography signed with the key of RFC 7515, appendix A.3, and
 * those of here; forged, malformed, of another key, contract or time. */
#include "mediator_fixture.h"

#include <stdio.h>
#include <string.h>

#include "base/base64.h"
#include "base/date.h"
#include "order/letter.h"

#define ORDER "abcdefghijklmnopqrstuvwxyz"
#define HASH  "47DEQpj8HBSa-_TImW-5JCeuQeRkm5NMpJWZG3hSuFU"
#define AT    "2026-11-29T12:00:00Z"

/* Signed by Python, as tests/tools/write_letter.py does it. */
static const char disputed[] =
    "eyJhbGciOiJFUzI1NiIsImp3ayI6eyJjcnYiOiJQLTI1NiIsImt0eSI6IkVDIiwieCI6ImY4M09KM0QyeEYx"
    "Qmc4dnViOXRMZTFnSE16Vjc2ZThUdXM5dVBIdlJWRVUiLCJ5IjoieF9GRXpSdTltMzZITE5fdHVlNjU5TE5w"
    "WFc2cEN5U3Rpa1lqS0lXSTVhMCJ9LCJ0eXAiOiJ0ZWxlcGF5LWRpc3B1dGUifQ.eyJhdCI6IjIwMjYtMTEtM"
    "jlUMTI6MDA6MDBaIiwiY3JlZGVudGlhbCI6IjQ3REVRcGo4SEJTYS1fVEltVy01SkNldVFlUmttNU5NcEpXW"
    "kczaFN1RlUiLCJvcmRlciI6ImFiY2RlZmdoaWprbG1ub3BxcnN0dXZ3eHl6IiwicmVhc29uIjoibm90LWFzL"
    "WRlc2NyaWJlZCIsInZlcnNpb24iOjEsIndvcmRzIjoiZMOpcGxpw6llIn0.NYdG-pxYCXme74qdaPmzEJPJi"
    "z-04ZVkAdWIba4tfcZiKA-m1KYzly2PUMxkAlb6h4NFGGVm9IWHDW_KG0eRwQ";
/* The same, by the second signature that ECDSA has (the order of P-256 less s). */
#define SECOND                                                                                     \
    "LyzVNK06oSoX5ZWWc0LYXz0ZTFFOMUmvHFz0s44PLBY36lGXxz30PRcWRmH4oz3RFsrt3fWoYBvP3G-yJdSeew"
#define DISPUTED_HASH "AB481BBDB3A27374C33D3BC5356B8BE1783D747C3359C312CE42F5D13D5CC917"
#define THUMBPRINT    "oKIywvGUpTVTyxMQ3bwIIeQUudfr_CkLMjCE19ECD-U"

static json_t *key_of_rfc_7515(void)
{
    return json_pack("{s:s,s:s,s:s,s:s,s:s}", "kty", "EC", "crv", "P-256", "x",
                     "f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU", "y",
                     "x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0", "d",
                     "jpsQnnGQmL-YBIffH1136cspYG6-0iY7X1fCE9-E9LI");
}

static enum tp_err read_again(enum letter_kind kind, const char *jws)
{
    struct letter l;
    const enum tp_err r = letter_read_own(&l, kind, jws, NULL);

    letter_free(&l);
    return r;
}

START_TEST(of_another_implementation)
    {
        char second[sizeof(disputed)], text[BASE64URL_SIZE(LETTER_HASH)];
        uint8_t hash[LETTER_HASH], print[LETTER_HASH];
        struct letter l;

        ck_ok(letter_read_own(&l, LETTER_DISPUTE, disputed, NULL));
        ck_assert_str_eq(l.order, ORDER);
        ck_assert_str_eq(l.credential, HASH);
        ck_assert_str_eq(l.reason, "not-as-described");
        ck_assert_str_eq(l.words, "d\xC3\xA9pli\xC3\xA9"
                                  "e");
        ck_assert_str_eq(l.at, AT);
        ck_assert_ptr_null(l.answers);
        ck_ok(letter_thumbprint(print, l.key, NULL));
        ck_assert_str_eq(base64url_encode(text, SPAN_OF(print)), THUMBPRINT);
        letter_free(&l);
        ck_ok(letter_hash(hash, disputed, NULL));
        ck_hex(SPAN_OF(hash), DISPUTED_HASH);
        snprintf(second, sizeof(second), "%.*s" SECOND,
                 (int)(strrchr(disputed, '.') + 1 - disputed), disputed);
        ck_ok(read_again(LETTER_DISPUTE, second)); /* as good, and no other letter */
        ck_ok(letter_hash(hash, second, NULL));
        ck_hex(SPAN_OF(hash), DISPUTED_HASH);
        ck_assert_int_eq(letter_hash(hash, "nothing", NULL), TP_ERR_FORMAT);
    }
END_TEST

START_TEST(every_character_counts)
    {
        char jws[sizeof(disputed)];
        const size_t n = strlen(disputed);

        memcpy(jws, disputed, sizeof(jws));
        for (size_t i = 0; i < n - 1; i++) { /* the last one has bits that say nothing */
            const char was = jws[i];

            jws[i] = was == 'A' ? 'B' : 'A';
            ck_assert_int_ne(read_again(LETTER_DISPUTE, jws), TP_OK);
            jws[i] = was;
        }
        ck_assert_int_eq(read_again(LETTER_EVIDENCE, disputed), TP_ERR_FORMAT);
        ck_assert_int_eq(read_again(LETTER_DISPUTE, ""), TP_ERR_FORMAT);
    }
END_TEST

START_TEST(members_have_their_forms)
    {
        static const struct {
            size_t member;
            const char *text;
        } rows[] = {
            {offsetof(struct letter, order), "ABC"},
            {offsetof(struct letter, order), NULL},
            {offsetof(struct letter, credential), "short"},
            {offsetof(struct letter, reason), "because"},
            {offsetof(struct letter, reason), NULL},
            {offsetof(struct letter, words), ""},
            {offsetof(struct letter, words), "a\x1B[2J"},
            {offsetof(struct letter, at), "today"},
        };
        json_t *key = key_of_rfc_7515();
        char *jws = NULL, words[LETTER_WORDS + 2];
        struct letter l = {.order = ORDER, .reason = "not-mine", .at = AT};

        for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
            struct letter wrong = l;

            *(const char **)(void *)((char *)&wrong + rows[i].member) = rows[i].text;
            ck_assert_int_eq(letter_write_own(&jws, LETTER_DISPUTE, &wrong, key, NULL),
                             TP_ERR_FORMAT);
            ck_assert_ptr_null(jws);
        }
        memset(words, 'w', sizeof(words) - 1);
        words[LETTER_WORDS + 1] = '\0';
        l.words = words;
        ck_assert_int_eq(letter_write_own(&jws, LETTER_DISPUTE, &l, key, NULL), TP_ERR_FORMAT);
        words[LETTER_WORDS] = '\0';
        ck_ok(letter_write_own(&jws, LETTER_DISPUTE, &l, key, NULL));
        ck_ok(read_again(LETTER_DISPUTE, jws));
        free(jws);
        json_decref(key);
    }
END_TEST

/* ---- of a mediator ---- */

static char *answered(struct mediator_fixture *f, const char *contract, const char *named,
                      const char *at)
{
    const struct letter l = {.order = ORDER,
                             .contract = named,
                             .answers = HASH,
                             .act = ACT_SETTLED,
                             .amount = "150",
                             .currency = "eur",
                             .at = at};
    char *jws = NULL;

    ck_assert_msg(letter_write(&jws, LETTER_ANSWER, &l,
                               &registry_contract(f->registry, contract)->key, &f->e) == TP_OK,
                  "%s", f->e.text);
    return jws;
}

static enum tp_err heard(struct mediator_fixture *f, char *jws)
{
    struct letter l;
    const enum tp_err r = letter_read(&l, LETTER_ANSWER, jws, f->authority, &f->e);

    if (r == TP_OK) {
        ck_assert_str_eq(l.act, ACT_SETTLED);
        ck_assert_str_eq(l.amount, "150");
    }
    letter_free(&l);
    free(jws);
    return r;
}

START_TEST(a_mediators_is_of_its_contract)
    {
        struct mediator_fixture f, other;
        char now[TIME_TEXT_MAX];
        struct letter l;

        fixture_start(&f);
        fixture_start(&other);
        time_format_utc(now, time(NULL));
        ck_ok(heard(&f, answered(&f, CONTRACT, CONTRACT, now)));
        ck_assert_int_eq(heard(&f, answered(&f, OTHER_CONTRACT, CONTRACT, now)), TP_ERR_SECURITY);
        ck_assert_int_eq(heard(&f, answered(&f, CONTRACT, OTHER_CONTRACT, now)), TP_ERR_SECURITY);
        ck_assert_int_eq(heard(&f, answered(&other, CONTRACT, CONTRACT, now)), TP_ERR_SECURITY);
        ck_assert_int_eq(heard(&f, answered(&f, CONTRACT, CONTRACT, "2036-01-01T00:00:00Z")),
                         TP_ERR_SECURITY);
        ck_assert_int_eq(letter_read(&l, LETTER_ANSWER, disputed, f.authority, &f.e),
                         TP_ERR_FORMAT);
        fixture_end(&other);
        fixture_end(&f);
    }
END_TEST

static Suite *suite(void)
{
    Suite *s = suite_create("letter");
    TCase *t = tcase_create("letter");

    tcase_add_test(t, of_another_implementation);
    tcase_add_test(t, every_character_counts);
    tcase_add_test(t, members_have_their_forms);
    tcase_add_test(t, a_mediators_is_of_its_contract);
    suite_add_tcase(s, t);
    return s;
}

UNIT_MAIN(suite)
