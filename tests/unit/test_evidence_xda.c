/* The evidence of payments by XDA: EMV 4.4 Book 2, 12; Book 3, 10.3; Book 4, 6.3.2.2. The card of
 * tests/vectors/xda-p256.json, and payments made here, right and spoilt in every way. */
#include "unit.h"

#include <stdio.h>

#include "apdu/dol.h"
#include "apdu/emvtags.h"
#include "apdu/tlv.h"
#include "base/file.h"
#include "crypto/ecmake.h"
#include "ledger/evidence.h"
#include "ledger/payee.h"

#define PAN     "9990140000000015"
#define DATE    20261129
#define EXPIRY  20301231
#define AID     "F0000000141010"
#define PAID    "9F0206 9F0306 9F1A02 9505 5F2A02 9A03 9C01 9F3704"
#define CDOL1   PAID " 9F3501 9F3403 9F3303 9F1E08 9F0902 9F4104 9F7C20"
#define CDOL2   "8A02 " CDOL1
#define OF_R    "000102030405060708090A0B0C0D0E0F101112131415161718191A1B1C1D1E1F"
#define SIGNED  "0100008000"
#define RID_HEX "F000000014"

static struct ec_authority_key ca = {{0xF0, 0, 0, 0, 0x14}, 2, {{NULL, 0}, {0}}};
static struct ec_privkey issuer, icc;

static void make_keys(void)
{
    ck_ok(ec_privkey_generate(&ca.key, ec_suite_signature(0x11)));
    ck_ok(ec_privkey_generate(&issuer, ec_suite_signature(0x10)));
    ck_ok(ec_privkey_generate(&icc, ec_suite_signature(0x10)));
}

static void free_keys(void)
{
    ec_privkey_free(&ca.key);
    ec_privkey_free(&issuer);
    ec_privkey_free(&icc);
}

static struct capk_store *authorities(const char *revoked)
{
    uint8_t raw[EC_CERT_MAX];
    struct buf b = BUF_OF(raw);
    char hex[2 * EC_CERT_MAX + 1];
    struct capk_store *s;
    json_t *list;

    ck_ok(ec_authority_make(&b, &ca));
    list = json_pack("{s:[{s:s}], s:o}", "keys", "self_signed", hex_encode(hex, buf_span(&b)),
                     "revoked", json_loads(revoked, 0, NULL));
    ck_ok(capk_store_new(&s));
    ck_ok(capk_store_take(s, list, "list", NULL));
    ck_ok(capk_store_need(s, (const uint8_t[5]){0xF0, 0, 0, 0, 0x14}, NULL));
    json_decref(list);
    return s;
}

/* ---- a payment ---- */

struct plan {
    const char *iin;
    int issuer_expiry, icc_expiry;
    uint8_t index;
    bool second;
    const char *cdol2, *selected; /* AID of 9F06, as certified */
    const char *amount1;          /* at the first GENERATE AC */
    const char *tvr;              /* of DE 55 */
    const char *amount;           /* of DE 55 */
    size_t flip;                  /* a byte of 9F4B from its end, counted from 1; 0: none */
    bool no_sdad, pan_outside, short_sdad;
};

static struct plan good(void)
{
    return (struct plan){"999014",       EXPIRY, EXPIRY,         2, false, CDOL2, AID,
                         "000000001250", SIGNED, "000000001250", 0, false, false, false};
}

struct payment {
    uint8_t de55[1024], stream[4096];
    size_t de55_n, stream_n;
};

static void put_hex(struct buf *out, uint32_t tag, const char *text)
{
    uint8_t raw[256];
    struct buf b = BUF_OF(raw);

    ck_ok(hex_decode(&b, text));
    ck_ok(tlv_put(out, tag, buf_span(&b)));
}

struct given { /* what it gives, of one GENERATE AC */
    const struct plan *plan;
    bool second;
    uint8_t room[64];
    struct buf b;
};

static struct span look_up(void *ctx, uint32_t tag)
{
    struct given *t = ctx;
    const struct {
        uint32_t tag;
        const char *value;
    } known[] = {{TAG_ARC, "3030"},
                 {TAG_AMOUNT, t->second ? "000000001250" : t->plan->amount1},
                 {TAG_AMOUNT_OTHER, "000000000000"},
                 {TAG_TERMINAL_COUNTRY, "0250"},
                 {TAG_TVR, SIGNED},
                 {TAG_TX_CURRENCY, "0978"},
                 {TAG_TX_DATE, "261129"},
                 {TAG_TX_TYPE, "00"},
                 {TAG_UN, "11223344"},
                 {TAG_TERMINAL_TYPE, "35"},
                 {TAG_CVM_RESULTS, "040302"},
                 {TAG_TERMINAL_CAPABILITIES, "2099CC"},
                 {TAG_IFD_SERIAL, "3030303030303031"},
                 {TAG_TERMINAL_VERSION, "0001"},
                 {TAG_TX_COUNTER, "00000042"},
                 {TAG_MERCHANT_CUSTOM, OF_R}};

    t->b = (struct buf)BUF_OF(t->room);
    for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++)
        if (known[i].tag == tag)
            ck_ok(hex_decode(&t->b, known[i].value));
    return buf_span(&t->b);
}

static void values(struct buf *out, const char *dol, const struct plan *p, bool second)
{
    struct given t = {.plan = p, .second = second};
    uint8_t raw[256];
    struct buf b = BUF_OF(raw);

    ck_ok(hex_decode(&b, dol));
    ck_ok(dol_build(out, buf_span(&b), look_up, &t));
}

/* The issuer certified card data: Book 3, 10.3. */
static void make_iccd(struct buf *out, const struct plan *p)
{
    if (!p->pan_outside)
        put_hex(out, TAG_PAN, PAN);
    put_hex(out, TAG_EXPIRY, "301231");
    put_hex(out, TAG_PAN_SEQUENCE, "01");
    put_hex(out, TAG_CDOL1, CDOL1);
    put_hex(out, TAG_CDOL2, p->cdol2);
    put_hex(out, TAG_CVM_LIST, "000000000000000004031F03");
    put_hex(out, TAG_SDA_TAG_LIST, "82"); /* which XDA passes over */
    put_hex(out, TAG_AIP, "9800");
    put_hex(out, TAG_TERMINAL_AID, p->selected);
    put_hex(out, TAG_PDOL, "9F3303");
}

/* The answer: 77 with its signature, by the book (Book 2, tables 37 and 39). */
static void make_answer(struct buf *out, const struct plan *p, struct span first, struct span other)
{
    uint8_t raw[256], raw_sdad[1 + EC_SIGNATURE_MAX];
    struct buf objects = BUF_OF(raw), sdad = BUF_OF(raw_sdad);

    put_hex(&objects, TAG_CID, "40");
    put_hex(&objects, TAG_ATC, "0007");
    put_hex(&objects, TAG_AC, "C1C2C3C4C5C6C7C8");
    put_hex(&objects, TAG_IAD, "06011203A40000");
    const struct span parts[] = {first, other, buf_span(&objects)};

    ck_ok(ec_sdad_make(&sdad, &icc, parts, 3));
    if (p->flip > 0)
        raw_sdad[sdad.n - p->flip] ^= 0x01;
    if (p->short_sdad)
        sdad.n = 1 + ec_signature_size(ec_suite_signature(0x11));
    if (!p->no_sdad)
        ck_ok(tlv_put(&objects, TAG_SDAD,
                      p->short_sdad ? span_of(raw_sdad, sizeof(raw_sdad)) : buf_span(&sdad)));
    ck_ok(tlv_put(out, TAG_RESPONSE_2, buf_span(&objects)));
}

static void make_de55(struct buf *out, const struct plan *p)
{
    static const struct {
        uint32_t tag;
        const char *value;
    } rest[] = {{TAG_AC, "C1C2C3C4C5C6C7C8"},
                {TAG_CID, "40"},
                {TAG_ATC, "0007"},
                {TAG_IAD, "06011203A40000"},
                {TAG_UN, "11223344"},
                {TAG_TX_DATE, "261129"},
                {TAG_TX_TYPE, "00"},
                {TAG_AMOUNT_OTHER, "000000000000"},
                {TAG_TX_CURRENCY, "0978"},
                {TAG_AIP, "9800"},
                {TAG_TERMINAL_COUNTRY, "0250"},
                {TAG_TERMINAL_CAPABILITIES, "2099CC"},
                {TAG_CVM_RESULTS, "040302"},
                {TAG_TERMINAL_TYPE, "35"},
                {TAG_IFD_SERIAL, "3030303030303031"},
                {TAG_DF_NAME, AID},
                {TAG_TERMINAL_VERSION, "0001"},
                {TAG_TX_COUNTER, "00000042"},
                {TAG_PAN_SEQUENCE, "01"}};

    for (size_t i = 0; i < sizeof(rest) / sizeof(rest[0]); i++)
        put_hex(out, rest[i].tag, rest[i].value);
    put_hex(out, TAG_TVR, p->tvr);
    put_hex(out, TAG_AMOUNT, p->amount);
}

static void put_certificates(struct buf *out, const struct plan *p, struct span iccd)
{
    static const uint8_t serial[EC_ICC_SERIAL] = {0, 0, 9};
    struct ec_authority_key named = ca;
    const struct ec_icc_wanted wanted = {EMV_ICC_KEY, &icc.pub,      iccd,
                                         EC_SHA256,   p->icc_expiry, serial};
    uint8_t raw[EC_CERT_MAX];
    struct buf b = BUF_OF(raw);

    named.index = p->index;
    ck_ok(tlv_put(out, TAG_CA_INDEX, span_of(&p->index, 1)));
    ck_ok(ec_issuer_cert_make(&b, &named, &issuer.pub, p->iin, p->issuer_expiry, serial));
    ck_ok(tlv_put(out, TAG_ISSUER_CERT, buf_span(&b)));
    b.n = 0;
    ck_ok(ec_icc_cert_make(&b, &issuer, &wanted));
    ck_ok(tlv_put(out, TAG_ICC_CERT, buf_span(&b)));
}

static void make(struct payment *out, const struct plan *p)
{
    static const uint8_t pdol_values[] = {0x20, 0x99, 0xCC};
    uint8_t raw_iccd[512], raw1[256], raw2[256], raw_answer[256];
    struct buf iccd = BUF_OF(raw_iccd), v1 = BUF_OF(raw1), v2 = BUF_OF(raw2),
               answer = BUF_OF(raw_answer);
    struct buf stream = BUF_OF(out->stream), de55 = BUF_OF(out->de55);

    make_iccd(&iccd, p);
    values(&v1, CDOL1, p, false);
    values(&v2, p->cdol2, p, true);
    if (p->second)
        make_answer(&answer, p, buf_span(&v2), span_of(NULL, 0));
    else
        make_answer(&answer, p, SPAN_OF(pdol_values), buf_span(&v1));
    put_certificates(&stream, p, buf_span(&iccd));
    ck_ok(tlv_put(&stream, TAG_EV_STATIC, buf_span(&iccd)));
    ck_ok(tlv_put(&stream, TAG_EV_PDOL_VALUES, SPAN_OF(pdol_values)));
    ck_ok(tlv_put(&stream, TAG_EV_CDOL1_VALUES, buf_span(&v1)));
    if (p->second)
        ck_ok(tlv_put(&stream, TAG_EV_CDOL2_VALUES, buf_span(&v2)));
    ck_ok(tlv_put(&stream, TAG_EV_RESPONSE, buf_span(&answer)));
    make_de55(&de55, p);
    out->stream_n = stream.n;
    out->de55_n = de55.n;
}

static struct evidence taken(const struct payment *m)
{
    struct evidence ev;

    ck_ok(evidence_from_message(&ev, span_of(m->de55, m->de55_n), span_of(m->stream, m->stream_n),
                                span_str(PAN)));
    return ev;
}

static const struct evidence_claim right = {PAN, 1250, 978, 250, DATE, 0x00, EXPIRY, 1};

/* Twice: the second time the chain comes from the cache. */
static struct evidence_result check(const struct plan *p, const char *revoked, int date)
{
    struct capk_store *store = authorities(revoked);
    struct evidence_cache *cache;
    struct evidence_result r, again;
    struct payment m;

    ck_ok(evidence_cache_new(&cache, store, 4));
    make(&m, p);
    const struct evidence ev = taken(&m);

    ck_ok(evidence_check(&r, cache, &ev, &right, date));
    ck_ok(evidence_check(&again, cache, &ev, &right, date));
    ck_assert_str_eq(r.reason, again.reason);
    ck_assert_int_eq(r.ok, again.ok);
    ck_assert_int_eq(r.ok, r.reason[0] == '\0');
    evidence_cache_free(&cache);
    capk_store_free(&store);
    return r;
}

START_TEST(a_good_payment)
    {
        struct plan p = good();

        for (int second = 0; second < 2; second++) {
            p.second = second == 1;
            const struct evidence_result r = check(&p, "[]", DATE);

            ck_assert_str_eq(r.reason, "");
            ck_assert_int_eq(r.method, EVIDENCE_XDA);
            ck_assert(evidence_signs_amount(&r));
            ck_assert(r.has_values && r.amount == 1250 && r.currency == 978 && r.date == DATE);
            ck_assert_uint_eq(r.cid, 0x40);
            ck_hex(SPAN_OF(r.ac), "C1C2C3C4C5C6C7C8");
            ck_hex(SPAN_OF(r.atc), "0007");
            ck_hex(SPAN_OF(r.tvr), SIGNED);
            ck_assert_str_eq(r.issuer_iin, "999014");
            ck_assert_int_eq(r.issuer_expiry, EXPIRY);
            ck_assert_int_eq(r.icc_expiry, EXPIRY);
            ck_assert_int_eq(r.card_expiry, EXPIRY);
        }
    }
END_TEST

static void ck_refused(const struct plan *p, enum evidence_step step, const char *reason)
{
    const struct evidence_result r = check(p, "[]", DATE);

    ck_assert_str_eq(r.reason, reason);
    ck_assert_int_eq(r.failed_at, step);
}

START_TEST(what_is_refused)
    {
        struct plan p = good();

        p.index = 3;
        ck_refused(&p, EVIDENCE_AUTHORITY, "CA_KEY_UNKNOWN");
        p = good();
        p.iin = "999015";
        ck_refused(&p, EVIDENCE_ISSUER_CERT, "ISSUER_CERT_IDENTIFIER");
        p = good();
        p.issuer_expiry = DATE - 1;
        ck_refused(&p, EVIDENCE_ISSUER_CERT, "ISSUER_CERT_EXPIRED");
        p = good();
        p.icc_expiry = DATE - 1;
        ck_refused(&p, EVIDENCE_ICC_CERT, "ICC_CERT_EXPIRED");
        p = good();
        p.flip = 1;
        ck_refused(&p, EVIDENCE_SDAD, "XDA_SIGNATURE");
        p.flip = 65;
        ck_refused(&p, EVIDENCE_SDAD, "XDA_FORMAT");
        p = good();
        p.short_sdad = true; /* the length of the other curve's */
        ck_refused(&p, EVIDENCE_SDAD, "XDA_LENGTH");
        p = good();
        p.no_sdad = true; /* though the terminal says that XDA went well */
        ck_refused(&p, EVIDENCE_SDAD, "XDA_DATA_MISSING");
        p = good();
        p.pan_outside = true;
        ck_refused(&p, EVIDENCE_PRESENT, "SIGNED_PAN");
        p = good();
        p.amount = "000000001251";
        ck_refused(&p, EVIDENCE_SIGNED, "SIGNED_AMOUNT");
        p = good();
        p.selected = "F0000000141011"; /* 9F06 under the certificate, 84 another */
        ck_refused(&p, EVIDENCE_SIGNED, "SIGNED_AID");
        p = good();
        p.tvr = "0100000000";
        ck_refused(&p, EVIDENCE_SIGNED, "SIGNED_TVR");
        p = good();
        ck_assert_str_eq(
            check(&p, "[{\"rid\":\"" RID_HEX "\",\"index\":\"02\",\"serial\":\"000009\"}]", DATE)
                .reason,
            "ISSUER_CERT_REVOKED");
    }
END_TEST

/* Each byte of what the card leaves behind, changed: nothing passes, but for the objects that say
 * what they are compared with. */
START_TEST(each_byte_counts)
    {
        struct capk_store *store = authorities("[]");
        struct evidence_cache *cache;
        const struct plan p = good();
        struct payment m;

        ck_ok(evidence_cache_new(&cache, store, 4));
        make(&m, &p);
        for (size_t i = 0; i < m.stream_n; i++) {
            struct evidence_result r;

            m.stream[i] ^= 0x01;
            const struct evidence ev = taken(&m);

            ck_ok(evidence_check(&r, cache, &ev, &right, DATE));
            ck_assert_msg(!r.ok || !evidence_signs_amount(&r), "byte %zu of the evidence", i);
            m.stream[i] ^= 0x01;
        }
        evidence_cache_free(&cache);
        capk_store_free(&store);
    }
END_TEST

/* Book 4, 6.3.2.2: the terminal says that XDA failed, which the card's TVR did not know. The issuer
 * has the word. */
START_TEST(failed_at_the_terminal)
    {
        static const char *const tvrs[] = {"0100008100", "0100008002"};
        struct plan p = good();

        for (size_t i = 0; i < sizeof(tvrs) / sizeof(tvrs[0]); i++) {
            p.tvr = tvrs[i];
            p.flip = 1;
            const struct evidence_result r = check(&p, "[]", DATE);

            ck_assert_str_eq(r.reason, "");
            ck_assert_int_eq(r.method, EVIDENCE_NO_ODA);
            ck_assert(r.oda_failed && !evidence_signs_amount(&r));
            ck_hex(SPAN_OF(r.ac), "C1C2C3C4C5C6C7C8");
        }
        p.tvr = "0140008100"; /* another bit than those */
        ck_assert_str_eq(check(&p, "[]", DATE).reason, "SIGNED_TVR");
        p.tvr = "0100008004"; /* CA ECC key missing stood there before */
        ck_assert_str_eq(check(&p, "[]", DATE).reason, "SIGNED_TVR");
    }
END_TEST

/* At the second GENERATE AC the values of CDOL2 alone are signed (Book 2, table 37). */
START_TEST(the_second_signs_its_own_values)
    {
        struct plan p = good();
        struct evidence_result r;
        struct payment m;
        UNHEX(payee, OF_R);

        p.second = true;
        p.amount1 = "000000000001"; /* what CDOL1 was given counts for nothing */
        r = check(&p, "[]", DATE);
        ck_assert_str_eq(r.reason, "");
        ck_assert(evidence_signs_amount(&r) && r.amount == 1250);
        make(&m, &p);
        struct evidence ev = taken(&m);

        ck_assert_int_eq(payee_signed(&ev, TAG_MERCHANT_CUSTOM, payee), PAYEE_SIGNED);
        p = good();
        p.second = true;
        p.cdol2 = "8A02 9505 9F3704"; /* which leaves out what is paid: the issuer's word */
        r = check(&p, "[]", DATE);
        ck_assert_str_eq(r.reason, "");
        ck_assert_int_eq(r.method, EVIDENCE_XDA);
        ck_assert(!evidence_signs_amount(&r));
        make(&m, &p);
        ev = taken(&m);
        ck_assert_int_eq(payee_signed(&ev, TAG_MERCHANT_CUSTOM, payee), PAYEE_UNSIGNED);
        p.second = false;
        make(&m, &p);
        ev = taken(&m);
        ck_assert_int_eq(payee_signed(&ev, TAG_MERCHANT_CUSTOM, payee), PAYEE_SIGNED);
    }
END_TEST

/* ---- the card of the vectors ---- */

static const char *text(const json_t *o, const char *name)
{
    return json_string_value(json_object_get(o, name));
}

/* 77 with the objects of the answer and 9F4B. */
static void vector_answer(char out[600], const json_t *gac)
{
    const size_t objects = strlen(text(gac, "response_without_9F4B")) / 2,
                 sdad = strlen(text(gac, "9F4B")) / 2;

    snprintf(out, 600, "77%02X%s9F4B%02X%s", (unsigned)(objects + 3 + sdad),
             text(gac, "response_without_9F4B"), (unsigned)sdad, text(gac, "9F4B"));
}

static struct evidence_result check_vector(const json_t *chain, bool second, const char *cdol2)
{
    const json_t *first = json_object_get(chain, "gac1"), *last = json_object_get(chain, "gac2");
    uint8_t arena[EVIDENCE_ARENA];
    struct buf room = BUF_OF(arena);
    char answer[600];
    struct capk_store *store;
    struct evidence_cache *cache;
    struct evidence ev;
    struct evidence_result r;
    const struct evidence_claim nothing = EVIDENCE_CLAIM_NONE;
    json_t *list =
        json_pack("{s:[{s:s}]}", "keys", "self_signed", text(chain, "ca_self_signed_table29"));
    json_t *tags, *file;

    vector_answer(answer, second ? last : first);
    tags = json_pack(
        "{s:s, s:s, s:s, s:s, s:s, s:s, s:s, s:s, s:s, s:s}", "84", text(chain, "9F06"), "8F", "02",
        "90", text(chain, "90"), "9F46", text(chain, "9F46"), "DF01", text(chain, "iccd"), "DF02",
        text(first, "pdol_values"), "DF03", text(first, "cdol1_values"), "DF05", answer, "9F37",
        "01020304", "DF06", "9F02069F03069F1A0295055F2A029A039C019F37049F3501");
    if (second) {
        json_object_set_new(tags, "DF04", json_string(text(last, "cdol2_values")));
        json_object_set_new(tags, "DF07", json_string(cdol2));
    }
    file = json_pack("{s:o}", "tags", tags);
    ck_ok(capk_store_new(&store));
    ck_ok(capk_store_take(store, list, "list", NULL));
    ck_ok(capk_store_need(store, (const uint8_t[5]){0xF0, 0, 0, 0, 0x14}, NULL));
    ck_ok(evidence_cache_new(&cache, store, 4));
    ck_ok(evidence_from_json(&ev, &room, file, NULL));
    ck_ok(evidence_check(&r, cache, &ev, &nothing, DATE));
    evidence_cache_free(&cache);
    capk_store_free(&store);
    json_decref(file);
    json_decref(list);
    return r;
}

START_TEST(vectors)
    {
        char path[4096];
        json_error_t where;
        struct evidence_result r;

        snprintf(path, sizeof(path), "%s/vectors/xda-p256.json", getenv("TESTS_SRCDIR"));
        json_t *file = json_load_file(path, 0, &where);

        ck_assert_ptr_nonnull(file);
        json_t *chain = json_array_get(json_object_get(file, "chains"), 0);

        r = check_vector(chain, false, NULL);
        ck_assert_str_eq(r.reason, "");
        ck_assert_int_eq(r.method, EVIDENCE_XDA);
        ck_assert(!evidence_signs_amount(&r)); /* its lists stand in no signed record */
        ck_hex(SPAN_OF(r.ac), "A7CE34086DBF9F5F");
        ck_assert_uint_eq(r.cid, 0x80);
        ck_assert_int_eq(r.amount, 1250);
        r = check_vector(chain, true, "8A029505"); /* "00", TVR */
        ck_assert_str_eq(r.reason, "");
        ck_hex(SPAN_OF(r.ac), "320E9BEE5DF8CD21");
        ck_assert_uint_eq(r.cid, 0x40);
        json_decref(file);
    }
END_TEST

static Suite *suite(void)
{
    Suite *s = suite_create("evidence of XDA");
    TCase *c = tcase_create("evidence of XDA");

    tcase_add_unchecked_fixture(c, make_keys, free_keys);
    tcase_add_test(c, a_good_payment);
    tcase_add_test(c, what_is_refused);
    tcase_add_test(c, each_byte_counts);
    tcase_add_test(c, failed_at_the_terminal);
    tcase_add_test(c, the_second_signs_its_own_values);
    tcase_add_test(c, vectors);
    suite_add_tcase(s, c);
    return s;
}

UNIT_MAIN(suite)
