/* A real card against the terminal: tests/vectors/offline-data-authentication.json (a Mastercard
 * that expired long ago; source lumag/emv-tools) put into the mouth of a paper card. Authority,
 * issuer and card certificate and the signature are the real ones; two public keys carry the
 * authority's index, one of them opens the certificate. The card had signed 9F34 = 1E0300
 * (signature compared by a merchant), which a cardholder-operated terminal never sends: so all must
 * be right but the transaction data hash. */
#include "unit/unit.h"

#include <jansson.h>
#include <stdio.h>

#include "apdu/tlv.h"
#include "base/file.h"
#include "paper.h"

static const char *tag(const json_t *tags, const char *name)
{
    const char *text = json_string_value(json_object_get(tags, name));

    ck_assert_msg(text != NULL, "the vector lacks %s", name);
    return text;
}

/* "COMMAND=70 len objects 9000" */
static void record(struct paper *p, const char *command, const char *objects)
{
    uint8_t raw[256], whole[260];
    struct buf body = BUF_OF(raw), out = BUF_OF(whole);
    struct paper_answer *a = &p->answers[p->answers_n++];

    ck_ok(hex_decode(&body, objects));
    ck_ok(tlv_put(&out, TAG_RECORD, buf_span(&body)));
    ck_ok(hex_decode(&out, "9000"));
    snprintf(a->command, sizeof(a->command), "%s", command);
    hex_encode(a->response, buf_span(&out));
}

static void object(char *out, size_t cap, const char *name, const char *hex)
{
    const size_t n = strlen(out), bytes = strlen(hex) / 2;

    snprintf(out + n, cap - n, bytes > 127 ? "%s81%02zX%s" : "%s%02zX%s", name, bytes, hex);
}

static void script(struct paper *p, const json_t *tags)
{
    char text[600], fixed[300];
    struct paper_answer *a;

    paper_answers(p, "00A404000E=6A82 00A4040007=6F0B8407A0000000041010A5009000 "
                     "00A4040007=6F0B8407A0000000041010A5009000"
                     " 80A8=77128202390094"
                     "0C080101011001010018010200"
                     "9000");
    snprintf(fixed, sizeof(fixed), "%.*s", (int)strlen(tag(tags, "DF01")) - 4,
             tag(tags, "DF01")); /* without the AIP at its end */
    record(p, "00B2010C", fixed);
    text[0] = '\0';
    object(text, sizeof(text), "8F", tag(tags, "8F"));
    object(text, sizeof(text), "9F32", tag(tags, "9F32"));
    object(text, sizeof(text), "92", tag(tags, "92"));
    object(text, sizeof(text), "9F47", tag(tags, "9F47"));
    record(p, "00B20114", text);
    text[0] = '\0';
    object(text, sizeof(text), "90", tag(tags, "90"));
    record(p, "00B2011C", text);
    text[0] = '\0';
    object(text, sizeof(text), "9F46", tag(tags, "9F46"));
    record(p, "00B2021C", text);
    a = &p->answers[p->answers_n++];
    snprintf(a->command, sizeof(a->command), "80AE50");
    snprintf(a->response, sizeof(a->response), "%s9000", tag(tags, "DF05"));
}

static void terminal(struct paper_terminal *t, const struct paper_keys *k)
{
    paper_terminal(t, k);
    t->config.allow_live_card = true;
    t->config.country = 643;
    memcpy(t->config.applications[0].aid, "\xA0\x00\x00\x00\x04\x10\x10", 7);
    t->request = (struct transaction_request){.currency = 643,
                                              .currency_exponent = 2,
                                              .type = 0x50,
                                              .date = 20140925,
                                              .un = {0x12, 0x34, 0x57, 0x79}};
}

START_TEST(test_real_card)
    {
        static struct paper p;
        struct paper_keys keys = {0};
        struct paper_terminal t;
        struct transaction *tx;
        struct tp_error e;
        json_error_t je;
        char path[512];
        json_t *file, *tags;

        snprintf(path, sizeof(path), "%s/vectors/offline-data-authentication.json",
                 getenv("TESTS_SRCDIR"));
        file = json_load_file(path, 0, &je);
        ck_assert_msg(file != NULL, "%s: %s", path, je.text);
        tags = json_object_get(
            json_object_get(json_object_get(file, "vectors"), "mastercard-live05-cda"), "tags");
        ck_assert_ptr_nonnull(tags);
        paper_keys_make(
            &keys); /* for the paper card under the script; its store gets the public keys too */
        ck_ok(file_data_path(path, sizeof(path), "capk.json", &e));
        ck_assert_msg(capk_store_load(keys.store, path, &e) == TP_OK, "%s", e.text);
        paper_card(&p, &keys);
        script(&p, tags);
        terminal(&t, &keys);
        ck_assert_msg(paper_run(&tx, &p, &t, &e) == TP_OK, "%s", e.text);
        ck_hex(transaction_get(tx, TAG_EV_STATIC), tag(tags, "DF01"));
        ck_hex(transaction_get(tx, TAG_EV_RESPONSE), tag(tags, "DF05"));
        ck_hex(span_of(transaction_get(tx, TAG_EV_CDOL1_VALUES).p, 29),
               "000000000000000000000000064300000000000643140925501234577"
               "9");
        ck_assert_str_eq(transaction_authentication(tx)->issuer, "528588");
        ck_assert_uint_eq(transaction_authentication(tx)->icc_bits, 896);
        ck_assert_ptr_nonnull(transaction_authentication(tx)->authority);
        ck_assert_int_eq(transaction_authentication(tx)->check, EMV_CHECK_DATA_HASH);
        ck_assert_int_eq(transaction_outcome(tx), KERNEL_DECLINED);
        ck_assert(transaction_live(tx));
        transaction_free(&tx);
        paper_keys_free(&keys);
        json_decref(file);
    }
END_TEST

static Suite *suite(void)
{
    Suite *s = suite_create("kernel vector");
    TCase *c = tcase_create("real card");

    tcase_set_timeout(c, 60);
    tcase_add_test(c, test_real_card);
    suite_add_tcase(s, c);
    return s;
}

UNIT_MAIN(suite)
