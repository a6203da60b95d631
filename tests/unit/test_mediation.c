/* The objects of DE 112 to 127: put, read back, and every other form refused. */
#include "unit.h"

#include <string.h>

#include "apdu/tlv.h"
#include "wire/mediation.h"

static struct iso8583 message;
static uint8_t put_room[MEDIATION_MAX], read_room[MEDIATION_MAX], text[MEDIATION_MAX];
static struct buf put, got;

static void setup(void)
{
    put = (struct buf)BUF_OF(put_room);
    got = (struct buf)BUF_OF(read_room);
    memset(text, 'x', sizeof(text));
    iso8583_start(&message, MTI_FINANCIAL);
}

/* Bytes as they are, cut into fields. */
static void raw(struct span bytes)
{
    unsigned f = MEDIATION_FIRST;

    iso8583_start(&message, MTI_FINANCIAL);
    for (; bytes.n > 0; f++) {
        const size_t n = bytes.n < 999 ? bytes.n : 999;

        iso8583_set(&message, f, span_of(bytes.p, n));
        bytes = span_of(bytes.p + n, bytes.n - n);
    }
}

static enum tp_err reads(bool of_request)
{
    struct mediation m;

    return mediation_read(&m, &got, &message, of_request);
}

START_TEST(what_is_put_is_read)
    {
        const struct mediation asked = {.challenge = span_str("{}"),
                                        .transaction = span_of(text, 2500),
                                        .device = span_str("a.b.c")},
                               who = {.request = span_str("g.h.i"),
                                      .evidence = span_of(text, 1200)},
                               whose = {.card = span_str("j.k.l")},
                               said = {.acknowledgement = span_str("d.e.f"),
                                       .answer = span_of(text, 998),
                                       .completes = true};
        struct mediation m;

        ck_assert(!mediation_is_there(&message));
        ck_assert_int_eq(mediation_put(&message, &put, &asked), TP_OK);
        ck_assert(mediation_is_there(&message));
        ck_assert_uint_eq(message.field[112].n, 999);
        ck_assert_uint_eq(message.field[114].n, put.n - 2 * 999);
        ck_assert(!iso8583_has(&message, 115));
        ck_assert_int_eq(mediation_read(&m, &got, &message, true), TP_OK);
        ck_assert(span_eq(m.challenge, asked.challenge) && span_eq(m.device, asked.device) &&
                  span_eq(m.transaction, asked.transaction) && !m.completes);
        ck_assert_int_eq(reads(false), TP_ERR_FORMAT); /* it is no answer */
        iso8583_start(&message, MTI_FINANCIAL_RESPONSE);
        ck_assert_int_eq(mediation_put(&message, &put, &said), TP_OK);
        ck_assert_int_eq(mediation_read(&m, &got, &message, false), TP_OK);
        ck_assert(span_eq(m.acknowledgement, said.acknowledgement) &&
                  span_eq(m.answer, said.answer) && m.completes && m.challenge.n == 0);
        ck_assert_int_eq(reads(true), TP_ERR_FORMAT);
        iso8583_start(&message, MTI_ADMINISTRATIVE);
        ck_assert_int_eq(mediation_put(&message, &put, &who), TP_OK);
        ck_assert_int_eq(mediation_read(&m, &got, &message, true), TP_OK);
        ck_assert(span_eq(m.request, who.request) && span_eq(m.evidence, who.evidence));
        ck_assert_int_eq(reads(false), TP_ERR_FORMAT);
        iso8583_start(&message, MTI_ADMINISTRATIVE_RESPONSE);
        ck_assert_int_eq(mediation_put(&message, &put, &whose), TP_OK);
        ck_assert_int_eq(mediation_read(&m, &got, &message, false), TP_OK);
        ck_assert(span_eq(m.card, whose.card));
    }
END_TEST

START_TEST(all_sixteen_and_no_more)
    {
        struct mediation m = {.transaction = span_of(text, MEDIATION_MAX - 6)}, back;

        ck_assert_int_eq(mediation_put(&message, &put, &m), TP_OK);
        ck_assert(iso8583_has(&message, 127));
        ck_assert_int_eq(mediation_read(&back, &got, &message, true), TP_OK);
        ck_assert(span_eq(back.transaction, m.transaction));
        m.transaction.n++;
        ck_assert_int_eq(mediation_put(&message, &put, &m), TP_ERR_RANGE);
        iso8583_start(&message, MTI_FINANCIAL);
        ck_assert_int_eq(reads(true), TP_OK); /* none */
    }
END_TEST

START_TEST(other_forms)
    {
        static const struct {
            size_t n;
            uint8_t bytes[16];
        } bad[] = {
            {4, {0xDF, 0x81, 0x01, 0x00}},                                    /* empty */
            {5, {0xDF, 0x81, 0x01, 0x02, 'x'}},                               /* cut off */
            {10, {0xDF, 0x81, 0x02, 0x01, 'x', 0xDF, 0x81, 0x02, 0x01, 'x'}}, /* twice */
            {5, {0xDF, 0x81, 0x0A, 0x01, 'x'}},                               /* unknown */
            {5, {0xDF, 0x81, 0x09, 0x01, 'x'}},                               /* an answer's */
            {4, {0xDF, 0x01, 0x01, 'x'}},                                     /* the card's */
            {5, {0xDF, 0x81, 0x01, 0x01, '\n'}},                              /* no text */
            {6, {0xDF, 0x81, 0x01, 0x02, 'x', 0}},                            /* nor this */
            {6, {0x00, 0xDF, 0x81, 0x01, 0x01, 'x'}},                         /* padding before */
            {6, {0xDF, 0x81, 0x01, 0x01, 'x', 0xFF}},                         /* and behind */
            {5, {0xDF, 0x81, 0x06, 0x01, 0x01}},                              /* an answer's */
        };

        for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
            raw(span_of(bad[i].bytes, bad[i].n));
            ck_assert_msg(reads(true) == TP_ERR_FORMAT, "%zu", i);
        }
        raw(span_of((const uint8_t *)"\xDF\x81\x06\x01\x02", 5));
        ck_assert_int_eq(reads(false), TP_ERR_FORMAT);
    }
END_TEST

/* The pieces are full but for the last one, and without a gap. */
START_TEST(pieces)
    {
        const struct mediation m = {.transaction = span_of(text, 1500)};

        ck_assert_int_eq(mediation_put(&message, &put, &m), TP_OK);
        iso8583_set(&message, 112, span_of(put.p, 998));
        iso8583_set(&message, 113, span_of(put.p + 998, put.n - 998));
        ck_assert_int_eq(reads(true), TP_ERR_FORMAT);
        ck_assert_int_eq(mediation_put(&message, &put, &m), TP_OK);
        message.field[114] = message.field[113];
        message.field[113] = span_of(NULL, 0);
        ck_assert_int_eq(reads(true), TP_ERR_FORMAT);
        message.field[112] = span_of(NULL, 0);
        ck_assert_int_eq(reads(true), TP_ERR_FORMAT);
    }
END_TEST

static Suite *suite(void)
{
    Suite *s = suite_create("mediation");
    TCase *t = tcase_create("objects");

    tcase_add_checked_fixture(t, setup, NULL);
    tcase_add_test(t, what_is_put_is_read);
    tcase_add_test(t, all_sixteen_and_no_more);
    tcase_add_test(t, other_forms);
    tcase_add_test(t, pieces);
    suite_add_tcase(s, t);
    return s;
}

UNIT_MAIN(suite)
