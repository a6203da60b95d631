/* The evidence of a payment, right and spoilt in every way. */
#include "unit.h"

#include <stdio.h>

#include "apdu/emvtags.h"
#include "apdu/tlv.h"
#include "base/file.h"
#include "evidence_fixture.h"

static struct fixture_keys keys;
static struct capk_store *store;
static struct evidence_cache *cache;

static void make(void)
{
    fixture_keys_make(&keys);
    store = fixture_authorities(&keys, "2035-12-31", "");
    ck_ok(evidence_cache_new(&cache, store, 4));
}

static void drop(void)
{
    evidence_cache_free(&cache);
    capk_store_free(&store);
    fixture_keys_free(&keys);
}

static const struct evidence_claim right = {FIXTURE_PAN, 1250,           978, 250, FIXTURE_DATE,
                                            0x00,        FIXTURE_EXPIRY, 1};

static void check(struct evidence_result *r, struct evidence_cache *with,
                  const struct fixture_payment *p, const struct evidence_claim *claim, int date)
{
    struct evidence ev;

    ck_ok(evidence_from_message(&ev, span_of(p->de55, p->de55_n), span_of(p->stream, p->stream_n),
                                span_str(claim->pan != NULL ? claim->pan : "")));
    ck_ok(evidence_check(r, with, &ev, claim, date));
    ck_assert_int_eq(r->ok, r->reason[0] == '\0');
    ck_assert_int_eq(r->ok, r->text[0] == '\0');
    ck_assert_uint_le(strlen(r->reason), 25); /* DE 44 */
}

/* The reason a planned payment is refused for; twice, as the second time the chain may come from
 * the cache. */
static void ck_refused(const struct fixture_plan *plan, const struct evidence_claim *claim,
                       int date, enum evidence_step step, const char *reason)
{
    struct fixture_payment p;
    struct evidence_result r;

    fixture_pay(&p, &keys, plan);
    for (int i = 0; i < 2; i++) {
        check(&r, cache, &p, claim, date);
        ck_assert_str_eq(r.reason, reason);
        ck_assert_int_eq(r.failed_at, step);
    }
}

START_TEST(a_good_payment)
    {
        struct fixture_plan plan;
        struct fixture_payment p;
        struct evidence_result r;

        fixture_plan_start(&plan);
        fixture_pay(&p, &keys, &plan);
        for (int i = 0; i < 3; i++) { /* also from the cache */
            check(&r, cache, &p, &right, FIXTURE_DATE);
            ck_assert_str_eq(r.reason, "");
            ck_assert(r.ok);
            ck_assert_uint_eq(r.cid, 0x40);
            ck_hex(SPAN_OF(r.ac), "C1C2C3C4C5C6C7C8");
            ck_hex(SPAN_OF(r.atc), "0007");
            ck_assert_str_eq(r.issuer_iin, "999014");
            ck_assert_int_eq(r.issuer_expiry, FIXTURE_EXPIRY);
            ck_assert_int_eq(r.icc_expiry, FIXTURE_EXPIRY);
            ck_assert_int_eq(r.card_expiry, FIXTURE_EXPIRY);
            ck_assert(r.has_tvr && r.has_cvm_results);
            ck_hex(SPAN_OF(r.tvr), "0000008000");
            ck_hex(SPAN_OF(r.cvm_results), "410302");
        }
    }
END_TEST

START_TEST(a_second_generate_ac)
    {
        struct fixture_plan plan;
        struct fixture_payment p;
        struct evidence_result r;

        fixture_plan_start(&plan);
        plan.second = true;
        fixture_pay(&p, &keys, &plan);
        check(&r, cache, &p, &right, FIXTURE_DATE);
        ck_assert_str_eq(r.reason, "");
        plan.cdol2 = "";
        plan.second = false;
        fixture_pay(&p, &keys, &plan);
        check(&r, cache, &p, &right, FIXTURE_DATE);
        ck_assert_str_eq(r.reason, "");
        /* CDOL2 values of a card that signed no CDOL2 */
        struct buf b = {p.stream, p.stream_n, sizeof(p.stream)};
        const uint8_t value[] = {1};

        ck_ok(tlv_put(&b, TAG_EV_CDOL2_VALUES, SPAN_OF(value)));
        p.stream_n = b.n;
        check(&r, cache, &p, &right, FIXTURE_DATE);
        ck_assert_str_eq(r.reason, "SIGNED_CDOL2");
    }
END_TEST

START_TEST(every_flipped_byte_is_refused)
    {
        struct fixture_plan plan;
        struct fixture_payment p;
        struct evidence_result r;

        for (int second = 0; second < 2; second++) {
            fixture_plan_start(&plan);
            plan.second = second == 1;
            fixture_pay(&p, &keys, &plan);
            const struct {
                uint8_t *at;
                size_t n;
            } areas[] = {{p.de55, p.de55_n}, {p.stream, p.stream_n}};

            for (size_t a = 0; a < 2; a++)
                for (size_t i = 0; i < areas[a].n; i++)
                    for (unsigned bit = 0; bit < 9; bit++) {
                        const uint8_t flip = (uint8_t)(bit == 8 ? 0xFFU : 1U << bit);

                        areas[a].at[i] ^= flip;
                        check(&r, cache, &p, &right, FIXTURE_DATE);
                        ck_assert_msg(!r.ok, "%s byte %zu flipped by %02X is accepted",
                                      a == 0 ? "DE 55" : "DE 61-63", i, flip);
                        areas[a].at[i] ^= flip;
                    }
            check(&r, cache, &p, &right, FIXTURE_DATE);
            ck_assert(r.ok);
        }
    }
END_TEST

START_TEST(every_truncation_is_refused)
    {
        struct fixture_plan plan;
        struct fixture_payment p;
        struct evidence_result r;

        fixture_plan_start(&plan);
        fixture_pay(&p, &keys, &plan);
        const size_t de55_n = p.de55_n, stream_n = p.stream_n;

        for (p.de55_n = 1; p.de55_n < de55_n; p.de55_n++) {
            check(&r, cache, &p, &right, FIXTURE_DATE);
            ck_assert(!r.ok);
        }
        for (p.stream_n = 0; p.stream_n < stream_n; p.stream_n++) {
            check(&r, cache, &p, &right, FIXTURE_DATE);
            ck_assert(!r.ok);
        }
        p.de55_n = 0; /* no DE 55 at all: no AID */
        p.stream_n = stream_n;
        check(&r, cache, &p, &right, FIXTURE_DATE);
        ck_assert_str_eq(r.reason, "AID_MISSING");
    }
END_TEST

START_TEST(what_the_message_says_must_be_what_was_signed)
    {
        static const struct {
            const char *change, *reason;
        } in_de55[] = {{"9F02=000000001251", "SIGNED_AMOUNT"},
                       {"9F03=000000000001", "SIGNED_AMOUNT_OTHER"},
                       {"5F2A=0840", "SIGNED_CURRENCY"},
                       {"9F1A=0251", "SIGNED_COUNTRY"},
                       {"9A=261124", "SIGNED_DATE"},
                       {"9C=20", "SIGNED_TYPE"},
                       {"9F37=12345778", "SDAD_HASH"},
                       {"9F26=C1C2C3C4C5C6C7C9", "SIGNED_AC"},
                       {"9F27=80", "SIGNED_CID"},
                       {"9F36=0008", "SIGNED_ATC"},
                       {"95=0000000000", "SIGNED_TVR"},
                       {"9F34=1F0002", "SIGNED_CVM"},
                       {"9F10=06011203A40001", "SIGNED_IAD"},
                       {"82=1980", "SIGNED_AIP"},
                       {"84=F0000000141011", "SIGNED_AID"},
                       {"5F34=02", "SIGNED_PSN"},
                       {"9F33=2098C9", "SIGNED_9F33"},
                       {"9F41=00000043", "SIGNED_9F41"}};
        const struct {
            struct evidence_claim claim;
            const char *reason;
        } in_fields[] = {{{"9990140000000026", -1, -1, -1, -1, -1, -1, -1}, "SIGNED_PAN"},
                         {{NULL, 1251, -1, -1, -1, -1, -1, -1}, "SIGNED_AMOUNT"},
                         {{NULL, 0, -1, -1, -1, -1, -1, -1}, "SIGNED_AMOUNT"},
                         {{NULL, -1, 840, -1, -1, -1, -1, -1}, "SIGNED_CURRENCY"},
                         {{NULL, -1, -1, 251, -1, -1, -1, -1}, "SIGNED_COUNTRY"},
                         {{NULL, -1, -1, -1, 20261124, -1, -1, -1}, "SIGNED_DATE"},
                         {{NULL, -1, -1, -1, -1, 0x20, -1, -1}, "SIGNED_TYPE"},
                         {{NULL, -1, -1, -1, -1, -1, 20301130, -1}, "SIGNED_EXPIRY"},
                         {{NULL, -1, -1, -1, -1, -1, -1, 2}, "SIGNED_PSN"}};
        struct fixture_plan plan;

        for (size_t i = 0; i < sizeof(in_de55) / sizeof(in_de55[0]); i++) {
            const bool un =
                strncmp(in_de55[i].change, "9F37", 4) == 0; /* found by the signature already */

            fixture_plan_start(&plan);
            plan.data_change = in_de55[i].change;
            ck_refused(&plan, &right, FIXTURE_DATE, un ? EVIDENCE_SDAD : EVIDENCE_SIGNED,
                       in_de55[i].reason);
        }
        fixture_plan_start(&plan);
        for (size_t i = 0; i < sizeof(in_fields) / sizeof(in_fields[0]); i++)
            ck_refused(&plan, &in_fields[i].claim, FIXTURE_DATE, EVIDENCE_SIGNED,
                       in_fields[i].reason);
    }
END_TEST

START_TEST(bad_cards_have_names)
    {
        static const struct evidence_claim none = EVIDENCE_CLAIM_NONE;
        struct fixture_plan plan;

        fixture_plan_start(&plan);
        plan.wrong_data_hash = true;
        ck_refused(&plan, &right, FIXTURE_DATE, EVIDENCE_SDAD, "SDAD_DATA_HASH");
        fixture_plan_start(&plan);
        plan.wrong_un = true;
        ck_refused(&plan, &right, FIXTURE_DATE, EVIDENCE_SDAD, "SDAD_HASH");
        fixture_plan_start(&plan);
        plan.signed_cid = 0x80; /* an ARQC signed, a TC shown */
        ck_refused(&plan, &right, FIXTURE_DATE, EVIDENCE_SDAD, "SDAD_CID");
        fixture_plan_start(&plan);
        plan.no_sdad = true;
        ck_refused(&plan, &right, FIXTURE_DATE, EVIDENCE_PRESENT, "SDAD_MISSING");
        fixture_plan_start(&plan);
        plan.issuer_expiry = 20261031;
        ck_refused(&plan, &right, FIXTURE_DATE, EVIDENCE_ISSUER_CERT, "ISSUER_CERT_EXPIRED");
        fixture_plan_start(&plan);
        plan.icc_expiry = 20261031;
        ck_refused(&plan, &right, FIXTURE_DATE, EVIDENCE_ICC_CERT, "ICC_CERT_EXPIRED");
        fixture_plan_start(&plan);
        plan.iin = "999015";
        ck_refused(&plan, &right, FIXTURE_DATE, EVIDENCE_ISSUER_CERT, "ISSUER_CERT_IDENTIFIER");
        fixture_plan_start(&plan);
        plan.cert_pan = "9990140000000026";
        ck_refused(&plan, &right, FIXTURE_DATE, EVIDENCE_ICC_CERT, "ICC_CERT_IDENTIFIER");
        fixture_plan_start(&plan);
        plan.more_records = "9F0702FF009F0702FF00";
        ck_refused(&plan, &right, FIXTURE_DATE, EVIDENCE_PRESENT, "STATIC_DATA_FORMAT");
        fixture_plan_start(&plan);
        plan.sda_tag_list = "8295"; /* Book 2, 5.1.1: the AIP only */
        ck_refused(&plan, &right, FIXTURE_DATE, EVIDENCE_PRESENT, "STATIC_DATA_FORMAT");
        fixture_plan_start(&plan);
        plan.cdol1 =
            "95059F3704"; /* a card that signs no amount: good enough for itself, not for a claim */
        ck_refused(&plan, &right, FIXTURE_DATE, EVIDENCE_SIGNED, "SIGNED_AMOUNT");
        struct fixture_payment p;
        struct evidence_result r;

        fixture_pay(&p, &keys, &plan);
        check(&r, cache, &p, &none, FIXTURE_DATE);
        ck_assert_str_eq(r.reason, "");
        ck_assert(!r.has_cvm_results);
        plan.sda_tag_list = ""; /* no AIP among the signed data */
        plan.data_change = "82=FFFF";
        fixture_pay(&p, &keys, &plan);
        check(&r, cache, &p, &none, FIXTURE_DATE);
        ck_assert_str_eq(r.reason, "");
    }
END_TEST

static void append(struct fixture_payment *p, bool to_de55, const char *hex)
{
    struct buf b = to_de55 ? (struct buf){p->de55, p->de55_n, sizeof(p->de55)}
                           : (struct buf){p->stream, p->stream_n, sizeof(p->stream)};

    ck_ok(hex_decode(&b, hex));
    *(to_de55 ? &p->de55_n : &p->stream_n) = b.n;
}

static void ck_fits(const struct fixture_plan *plan)
{
    struct fixture_payment p;
    struct evidence_result r;

    fixture_pay(&p, &keys, plan);
    check(&r, cache, &p, &right, FIXTURE_DATE);
    ck_assert_msg(r.ok, "%s: %s", plan->cdol1, r.reason);
}

/* Lists that ask for other lengths than the objects have: EMV 4.4 Book 3, 5.4. Numeric ones are
 * filled and cut at the left, others at the right. */
START_TEST(lists_cut_and_fill)
    {
#define REST "9F1A02 9505 5F2A02 9A03 9C01 9F3704 9F3403"
        static const char *const good[] = {"9F0206" REST "9F3300",
                                           "9F0206" REST "9F3302",
                                           "9F0206" REST "9F3305",
                                           "9F0208" REST,
                                           "9F0205" REST,
                                           "9F0204" REST,
                                           "9F020C" REST "9F0302",
                                           "9F0206" REST "9F0600",
                                           "9F0206" REST "9F0604",
                                           "9F0206" REST "9F0610",
                                           "9F0206" REST "8405 9F4106",
                                           "9F0206" REST "9F1E03 9F4102 9F3508",
                                           "9F0206 9F1A03 9507 5F2A04 9A04 9C02 9F3708 9F3405"};
        static const struct {
            const char *cdol1, *change, *reason;
        } bad[] = {{"9F0200" REST, "", "SIGNED_AMOUNT"}, /* nothing of it was signed */
                   {"9F0201" REST, "", "SIGNED_AMOUNT"}, /* 50 of 12.50 */
                   {"9F0208" REST, "9F02=000000001251", "SIGNED_AMOUNT"},
                   {"9F0206" REST "9F3302", "9F33=2008C8", "SIGNED_9F33"},
                   {"9F0206" REST "9F3305", "9F33=2098C0", "SIGNED_9F33"},
                   {"9F0206" REST "9F0606", "84=F0000000141110", "SIGNED_AID"}};
        struct fixture_plan plan;

        for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
            fixture_plan_start(&plan);
            plan.cdol1 = good[i];
            ck_fits(&plan);
        }
        for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
            fixture_plan_start(&plan);
            plan.cdol1 = bad[i].cdol1;
            plan.data_change = bad[i].change;
            ck_refused(&plan, &right, FIXTURE_DATE, EVIDENCE_SIGNED, bad[i].reason);
        }
    }
END_TEST

/* 9F06 has seven bytes in the list, the AID eight. */
START_TEST(an_aid_longer_than_the_list_asks_for)
    {
        struct fixture_plan plan;

        fixture_plan_start(&plan);
        plan.data_change = "84=F000000014101011";
        ck_fits(&plan);
        plan.data_change = "84=F0000000141110AA";
        ck_refused(&plan, &right, FIXTURE_DATE, EVIDENCE_SIGNED, "SIGNED_AID");
    }
END_TEST

/* Objects of the terminal, and the AID, in a signed record are nobody's word for them: Book 3, 7.5.
 */
START_TEST(foreign_objects_in_signed_records)
    {
        static const char *const records[] = {
            "9F3303E0F8C8",  "8407A0000000031010", "9F02060000000099995F2A020840",
            "9A03300101",    "9F3501229F1A020840", "9F1E085858585858585858",
            "95058000000000"};
        struct fixture_plan plan;

        for (size_t i = 0; i < sizeof(records) / sizeof(records[0]); i++) {
            fixture_plan_start(&plan);
            plan.cdol1 = "9F0206 9F1A02 5F2A02 9A03 9C01 9F3704";
            plan.more_records = records[i];
            ck_fits(&plan);
        }
    }
END_TEST

/* The list stands in no signed record: it comes along, and must be one that moves nothing. */
START_TEST(lists_that_nobody_signed)
    {
        static const struct {
            const char *used, *sent, *reason;
        } bad[] = {
            {"9F0206" REST, "", "SIGNED_CDOL1"},
            {"9F0206" REST, "9F0206" REST "9F3303",
             "SIGNED_CDOL1"}, /* lengths that do not add up */
            {"9F0206" REST, "9F0206 9F1A02 9505 5F2A02 9A03 9C01 9F3703 9F3404", "CDOL1_UNSOUND"},
            /* the amount moved to bytes that said something else, what stood there under a tag that
               no terminal knows */
            {"9F0206 9F0306" REST, "DF7906 9F0206" REST, "CDOL1_UNSOUND"},
            {"9F0206 9F0306" REST, "9F0206 9F0206" REST, "CDOL1_UNSOUND"},
            {"9F0206 9F0306" REST, "9F0306 9F0206" REST, "SIGNED_AMOUNT"},
            {"9F1A02 9505 5F2A02 9A03 9C01 9F3704", NULL, "CDOL1_UNSOUND"}, /* none */
        };
        struct fixture_plan plan;
        struct fixture_payment p;
        struct evidence_result r;

        for (int second = 0; second <= 1; second++) {
            fixture_plan_start(&plan);
            plan.unsigned_lists = true;
            plan.second = second == 1;
            fixture_pay(&p, &keys, &plan);
            check(&r, cache, &p, &right, FIXTURE_DATE);
            ck_assert_str_eq(r.reason, "");
            ck_assert(!r.cdol1_signed && r.method == EVIDENCE_CDA);
            ck_assert(r.has_values && r.amount == 1250 && r.currency == 978 &&
                      r.date == FIXTURE_DATE && r.type == 0);
        }
        for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
            fixture_plan_start(&plan);
            plan.unsigned_lists = true;
            plan.cdol1 = bad[i].used;
            plan.sent_list = bad[i].sent;
            fixture_pay(&p, &keys, &plan);
            check(&r, cache, &p, &right, FIXTURE_DATE);
            ck_assert_msg(strcmp(r.reason, bad[i].reason) == 0, "row %zu: %s, not %s", i, r.reason,
                          bad[i].reason);
        }
        /* a signed list is preferred to one that comes along */
        fixture_plan_start(&plan);
        fixture_pay(&p, &keys, &plan);
        append(&p, false, "DF060C9F03069F0206DF79429F3704");
        check(&r, cache, &p, &right, FIXTURE_DATE);
        ck_assert_str_eq(r.reason, "");
        ck_assert(r.cdol1_signed);
    }
END_TEST

/* Cards without CDA: what their method signed is checked, and the result says that it is not the
 * amount. */
START_TEST(other_methods)
    {
        static const struct {
            unsigned method;
            enum evidence_method found;
            const char *reason; /* of spoilt data */
        } rows[] = {{FIXTURE_DDA, EVIDENCE_DDA, "DDA_HASH"},
                    {FIXTURE_SDA, EVIDENCE_SDA, "SSAD_HASH"},
                    {FIXTURE_NO_ODA, EVIDENCE_NO_ODA, NULL}};
        struct fixture_plan plan;
        struct fixture_payment p;
        struct evidence_result r;

        for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
            fixture_plan_start(&plan);
            plan.method = rows[i].method;
            fixture_pay(&p, &keys, &plan);
            check(&r, cache, &p, &right, FIXTURE_DATE);
            ck_assert_str_eq(r.reason, "");
            ck_assert_int_eq(r.method, rows[i].found);
            ck_assert_uint_eq(r.cid, 0x40);
            ck_hex(SPAN_OF(r.ac), "C1C2C3C4C5C6C7C8");
            ck_hex(SPAN_OF(r.atc), "0007");
            ck_assert(r.has_values && r.amount == 1250);
            plan.data_change = "9F02=000000001251";
            ck_refused(&plan, &right, FIXTURE_DATE, EVIDENCE_SIGNED, "SIGNED_AMOUNT");
            if (rows[i].reason == NULL)
                continue;
            plan.data_change = "";
            plan.spoilt = true;
            ck_refused(&plan, &right, FIXTURE_DATE, EVIDENCE_SDAD, rows[i].reason);
            plan.spoilt = false;
            plan.issuer_expiry = 20261031;
            ck_refused(&plan, &right, FIXTURE_DATE, EVIDENCE_ISSUER_CERT, "ISSUER_CERT_EXPIRED");
        }
        /* the terminal says itself that DDA failed: none of it is checked, the issuer judges */
        fixture_plan_start(&plan);
        plan.method = FIXTURE_DDA;
        plan.spoilt = true;
        plan.cdol1 = "9F0206 9F1A02 5F2A02 9A03 9C01 9F3704";
        plan.data_change = "95=0800000000";
        fixture_pay(&p, &keys, &plan);
        check(&r, cache, &p, &right, FIXTURE_DATE);
        ck_assert_str_eq(r.reason, "");
        ck_assert(r.oda_failed && r.method == EVIDENCE_NO_ODA);
    }
END_TEST

START_TEST(records_in_their_template)
    {
        /* records of SFI 11 and beyond among the static data: in their template (Book 3, 10.3),
         * signed, and what they hold, TLV or not, is not the terminal's */
        struct fixture_plan plan;
        struct fixture_payment p;
        struct evidence_result r;
        struct evidence ev;

        fixture_plan_start(&plan);
        plan.more_records = "70055F28020250 7003C1FF00 E00265AA DF8081010155";
        fixture_pay(&p, &keys, &plan);
        check(&r, cache, &p, &right, FIXTURE_DATE);
        ck_assert_str_eq(r.reason, "");
        ck_ok(evidence_from_message(&ev, span_of(p.de55, p.de55_n), span_of(p.stream, p.stream_n),
                                    span_of(NULL, 0)));
        ck_assert_uint_eq(evidence_signed_record(&ev, TAG_ISSUER_COUNTRY).n, 0);
        ck_hex(evidence_signed_record(&ev, TAG_AIP), "1981");
        ck_assert_uint_eq(evidence_signed_record(&ev, TAG_TRACK2).n, 0);
    }
END_TEST

START_TEST(doubled_foreign_and_missing_objects)
    {
        static const struct {
            bool de55;
            const char *more, *reason;
        } bad[] = {{true, "9F0206000000001250", "DOUBLED_9F02"},
                   {true, "9C0100", "DOUBLED_9C"},
                   {true, "5A089990140000000026", "SIGNED_PAN"}, /* the number of another card */
                   {true, "57139990140000000026D30122010000012345000F", "SIGNED_57"},
                   {false, "8F0101", "DOUBLED_8F"},
                   {false, "DF0200", "DOUBLED_DF02"},
                   {false, "DF0A00", "FOREIGN_DF0A"},
                   {false, "9F370412345779", "FOREIGN_9F37"},
                   {false, "8407F0000000141010", "FOREIGN_84"},
                   {true, "9F", "DE55_FORMAT"},
                   {false, "9F46", "EVIDENCE_FORMAT"},
                   {true, "9F7C8180", "DE55_FORMAT"}};
        struct fixture_plan plan;
        struct fixture_payment p;
        struct evidence_result r;

        fixture_plan_start(&plan);
        for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
            fixture_pay(&p, &keys, &plan);
            append(&p, bad[i].de55, bad[i].more);
            check(&r, cache, &p, &right, FIXTURE_DATE);
            ck_assert_str_eq(r.reason, bad[i].reason);
        }
        fixture_pay(&p, &keys, &plan);
        append(&p, true, "5A08" FIXTURE_PAN "5713" FIXTURE_PAN "D3012201000001234500F0");
        check(&r, cache, &p, &right, FIXTURE_DATE);
        ck_assert_str_eq(r.reason, "");
        append(&p, true, "DF7F0101"); /* what we do not know in DE 55 does not matter */
        check(&r, cache, &p, &right, FIXTURE_DATE);
        ck_assert_str_eq(r.reason, "");
        /* DE 55 without its first object (9F26, 11 bytes) */
        fixture_pay(&p, &keys, &plan);
        memmove(p.de55, p.de55 + 11, p.de55_n - 11);
        p.de55_n -= 11;
        check(&r, cache, &p, &right, FIXTURE_DATE);
        ck_assert_str_eq(r.reason, "DE55_9F26_MISSING");
    }
END_TEST

START_TEST(authorities)
    {
        struct fixture_plan plan;
        struct fixture_payment p;
        struct evidence_result r;
        struct capk_store *empty;
        struct evidence_cache *c;
        struct fixture_keys others;

        fixture_plan_start(&plan);
        fixture_pay(&p, &keys, &plan);
        ck_ok(capk_store_new(&empty));
        ck_ok(evidence_cache_new(&c, empty, 1));
        check(&r, c, &p, &right, FIXTURE_DATE);
        ck_assert_str_eq(r.reason, "CA_KEY_UNKNOWN");
        ck_assert_str_eq(r.text,
                         "authority key: no authority key 01 of " FIXTURE_RID " is trusted here");
        ck_assert_int_eq(r.failed_at, EVIDENCE_AUTHORITY);
        evidence_cache_free(&c);
        capk_store_free(&empty);

        struct capk_store *old = fixture_authorities(&keys, "2026-11-22", "");

        ck_ok(evidence_cache_new(&c, old, 1));
        for (int i = 0; i < 2; i++) {
            check(&r, c, &p, &right, FIXTURE_DATE);
            ck_assert_str_eq(r.reason,
                             ""); /* Book 2, 11.2.3: no date in a list ends a key; it is told */
            ck_assert(r.authority_expired);
            ck_assert_int_eq(r.authority_expiry, 20261122);
        }
        check(&r, c, &p, &right, 20261122);
        ck_assert_str_eq(r.reason, ""); /* its last day, with the chain from the cache */
        ck_assert(!r.authority_expired);
        evidence_cache_free(&c);
        capk_store_free(&old);

        fixture_keys_make(&others);
        struct capk_store *strangers = fixture_authorities(&others, NULL, "");

        ck_ok(evidence_cache_new(&c, strangers, 1));
        check(&r, c, &p, &right, FIXTURE_DATE);
        if (strcmp(r.reason, "ISSUER_CERT_HEADER") != 0) { /* one key in 256 makes a BC by chance */
            ck_assert_str_eq(r.reason, "ISSUER_CERT_TRAILER");
            ck_assert_ptr_nonnull(
                strstr(r.text, "under authority key 01 of " FIXTURE_RID ": it was not signed"));
        }
        evidence_cache_free(&c);
        capk_store_free(&strangers);
        fixture_keys_free(&others);

        struct capk_store *revoking = fixture_authorities(
            &keys, NULL, "{\"rid\":\"" FIXTURE_RID "\",\"index\":\"01\",\"serial\":\"010203\"}");

        ck_ok(evidence_cache_new(&c, revoking, 1));
        for (int i = 0; i < 2; i++) {
            check(&r, c, &p, &right, FIXTURE_DATE);
            ck_assert_str_eq(r.reason, "ISSUER_CERT_REVOKED");
        }
        evidence_cache_free(&c);
        capk_store_free(&revoking);
    }
END_TEST

/* More cards than the cache keeps, of two authorities' worth of issuers, in an order that makes it
 * forget and find. */
START_TEST(a_small_cache_forgets_but_never_mixes_up)
    {
        static const char *const pans[] = {"9990140000000015", "9990140000000026",
                                           "9990140000000034", "9990140000000042",
                                           "9990140000000059"};
        struct fixture_payment p[5];
        struct fixture_keys other_icc = keys;
        struct evidence_result r;
        struct evidence_cache *c;

        ck_ok(emv_privkey_generate(&other_icc.icc, 1024, 65537));
        for (size_t i = 0; i < 5; i++) {
            struct fixture_plan plan;

            fixture_plan_start(&plan);
            plan.pan = plan.cert_pan = pans[i];
            plan.issuer_expiry =
                20300000 + 100 * ((int)i + 1) + 28; /* issuer certificates of their own */
            fixture_pay(&p[i], i % 2 == 0 ? &keys : &other_icc, &plan);
        }
        ck_assert_int_eq(evidence_cache_new(&c, store, 0), TP_ERR_RANGE);
        for (size_t room = 1; room <= 6; room++) {
            ck_ok(evidence_cache_new(&c, store, room));
            for (unsigned i = 0; i < 200; i++) {
                const unsigned card = i * 7 % 5 ^ (i % 3 == 0 ? 1 : 0), which = card < 5 ? card : 0;
                struct evidence_claim claim = right;

                claim.pan = pans[which];
                check(&r, c, &p[which], &claim, FIXTURE_DATE);
                ck_assert_str_eq(r.reason, "");
                claim.pan = pans[(which + 1) % 5];
                check(&r, c, &p[which], &claim, FIXTURE_DATE);
                ck_assert_str_eq(r.reason, "SIGNED_PAN");
            }
            evidence_cache_free(&c);
        }
        emv_privkey_free(&other_icc.icc);
    }
END_TEST

/* ---- files ---- */

START_TEST(json_both_ways)
    {
        struct fixture_plan plan;
        struct fixture_payment p;
        struct evidence ev, again;
        struct evidence_result r;
        uint8_t room[EVIDENCE_ARENA];
        struct buf arena = BUF_OF(room);
        json_t *o = NULL;

        fixture_plan_start(&plan);
        plan.second = true;
        fixture_pay(&p, &keys, &plan);
        ck_ok(evidence_from_message(&ev, span_of(p.de55, p.de55_n), span_of(p.stream, p.stream_n),
                                    span_str(FIXTURE_PAN)));
        ck_ok(evidence_to_json(&o, &ev));
        ck_assert_str_eq(json_string_value(json_object_get(json_object_get(o, "tags"), "5A")),
                         FIXTURE_PAN);
        ck_ok(evidence_from_json(&again, &arena, o, NULL));
        ck_ok(evidence_check(&r, cache, &again, &right, FIXTURE_DATE));
        ck_assert_str_eq(r.reason, "");
        json_object_set_new(json_object_get(o, "tags"), "5A", json_string("9990140000000026"));
        arena.n = 0;
        ck_ok(evidence_from_json(&again, &arena, o, NULL));
        ck_ok(evidence_check(&r, cache, &again, &right, FIXTURE_DATE));
        ck_assert_str_eq(r.reason, "SIGNED_PAN");
        json_decref(o);
    }
END_TEST

/* A kind is found by its number, as the books have it, and by its name, as a file has it; a file
 * without one is of EMV. */
START_TEST(kinds)
    {
        const struct evidence_kind *kind = evidence_kind_find(EVIDENCE_EMV);
        uint8_t room[16];
        struct buf arena = BUF_OF(room);
        struct evidence ev = {0};
        struct evidence_result r;
        json_t *o = json_loads("{\"kind\":\"emv\",\"tags\":{}}", 0, NULL);

        ck_assert_ptr_nonnull(kind);
        ck_assert_int_eq(EVIDENCE_EMV, 1);
        ck_assert_ptr_eq(evidence_kind_named(kind->name), kind);
        ck_assert_ptr_null(evidence_kind_find((enum evidence_kind_id)0));
        ck_assert_ptr_null(evidence_kind_named("cheque"));
        ck_ok(evidence_from_json(&ev, &arena, o, NULL));
        ck_assert_int_eq(ev.kind, EVIDENCE_EMV);
        json_decref(o);
        ev.kind = (enum evidence_kind_id)99;
        ck_assert_int_eq(evidence_check(&r, cache, &ev, &right, FIXTURE_DATE), TP_ERR_INTERNAL);
        ck_assert(!r.ok);
    }
END_TEST

START_TEST(bad_json)
    {
        static const struct {
            const char *json;
            enum tp_err code;
        } bad[] = {{"{}", TP_ERR_FORMAT},
                   {"[]", TP_ERR_FORMAT},
                   {"{\"tags\":[]}", TP_ERR_FORMAT},
                   {"{\"tags\":{\"84\":1}}", TP_ERR_FORMAT},
                   {"{\"tags\":{\"84\":\"F0 0\"}}", TP_ERR_FORMAT},
                   {"{\"tags\":{\"DF01\":\"xy\"}}", TP_ERR_FORMAT},
                   {"{\"tags\":{},\"de55\":{}}", TP_ERR_FORMAT},
                   {"{\"kind\":\"cheque\",\"tags\":{}}", TP_ERR_FORMAT},
                   {"{\"kind\":1,\"tags\":{}}", TP_ERR_FORMAT},
                   {"{\"tags\":{\"90\":\"00112233445566778899AABBCCDDEEFF0011\"}}", TP_ERR_RANGE}};
        uint8_t room[16];
        struct evidence ev;

        for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
            struct buf arena = BUF_OF(room);
            struct tp_error e = {0};
            json_t *o = json_loads(bad[i].json, 0, NULL);

            ck_assert_ptr_nonnull(o);
            ck_assert_int_eq(evidence_from_json(&ev, &arena, o, &e), bad[i].code);
            ck_assert_str_ne(e.text, "");
            json_decref(o);
        }
    }
END_TEST

/* tests/vectors/offline-data-authentication.json: a real card; two authority keys share its index.
 */
START_TEST(the_real_card)
    {
        static const struct evidence_claim none = EVIDENCE_CLAIM_NONE;
        char path[4096];
        struct capk_store *public;
        struct evidence_cache *c;
        struct evidence ev;
        struct evidence_result r;
        uint8_t room[EVIDENCE_ARENA];
        struct buf arena = BUF_OF(room);

        ck_ok(file_data_path(path, sizeof(path), "capk.json", NULL));
        ck_ok(capk_store_new(&public));
        ck_ok(capk_store_load(public, path, NULL));
        ck_ok(evidence_cache_new(&c, public, 8));
        snprintf(path, sizeof(path), "%s/vectors/offline-data-authentication.json",
                 getenv("TESTS_SRCDIR"));
        json_t *file = json_load_file(path, 0, NULL),
               *v = json_object_get(json_object_get(file, "vectors"), "mastercard-live05-cda");

        ck_assert_ptr_nonnull(v);
        ck_ok(evidence_from_json(&ev, &arena, v, NULL));
        for (int i = 0; i < 2; i++) {
            ck_ok(evidence_check(&r, c, &ev, &none, 20140601));
            ck_assert_str_eq(r.reason, "");
            ck_hex(SPAN_OF(r.ac), "16AFBA13C52FB173");
            ck_assert_uint_eq(r.cid, 0x40);
            ck_assert_int_eq(r.card_expiry, 20150630);
            ck_hex(SPAN_OF(r.cvm_results), "1E0300");
        }
        ck_ok(evidence_check(&r, c, &ev, &none, 20200101));
        ck_assert_msg(strstr(r.reason, "EXPIRED") != NULL, "%s", r.reason);
        const struct span *const areas[] = {&ev.aid,
                                            &ev.pan,
                                            &ev.ca_index,
                                            &ev.issuer_cert,
                                            &ev.issuer_remainder,
                                            &ev.issuer_exponent,
                                            &ev.icc_cert,
                                            &ev.icc_exponent,
                                            &ev.static_data,
                                            &ev.cdol1_values,
                                            &ev.response,
                                            &ev.un};

        for (size_t a = 0; a < sizeof(areas) / sizeof(areas[0]); a++)
            for (size_t i = 0; i < (a == 0 ? 5 : areas[a]->n);
                 i++) { /* nothing this card signed covers the AID behind its RID */
                uint8_t *at = room + (areas[a]->p - room) + i;

                *at ^= 0x01;
                ck_ok(evidence_check(&r, c, &ev, &none, 20140601));
                ck_assert_msg(!r.ok, "area %zu byte %zu", a, i);
                *at ^= 0x01;
            }
        json_decref(file);
        evidence_cache_free(&c);
        capk_store_free(&public);
    }
END_TEST

static Suite *suite(void)
{
    Suite *s = suite_create("evidence");
    TCase *t = tcase_create("evidence");

    tcase_set_timeout(t, 120); /* some thousand signature checks, also under the sanitizers */
    tcase_add_unchecked_fixture(t, make, drop);
    tcase_add_test(t, a_good_payment);
    tcase_add_test(t, a_second_generate_ac);
    tcase_add_test(t, every_flipped_byte_is_refused);
    tcase_add_test(t, every_truncation_is_refused);
    tcase_add_test(t, what_the_message_says_must_be_what_was_signed);
    tcase_add_test(t, bad_cards_have_names);
    tcase_add_test(t, lists_cut_and_fill);
    tcase_add_test(t, an_aid_longer_than_the_list_asks_for);
    tcase_add_test(t, foreign_objects_in_signed_records);
    tcase_add_test(t, lists_that_nobody_signed);
    tcase_add_test(t, other_methods);
    tcase_add_test(t, records_in_their_template);
    tcase_add_test(t, doubled_foreign_and_missing_objects);
    tcase_add_test(t, authorities);
    tcase_add_test(t, a_small_cache_forgets_but_never_mixes_up);
    tcase_add_test(t, json_both_ways);
    tcase_add_test(t, kinds);
    tcase_add_test(t, bad_json);
    tcase_add_test(t, the_real_card);
    suite_add_tcase(s, t);
    return s;
}

UNIT_MAIN(suite)
