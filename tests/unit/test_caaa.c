/* caaa.011 and caaa.012: what is written is held against the schemas by xmllint, amounts are summed
 * by XPath; what is read is mutated place by place. */
#include "unit.h"

#include <stdio.h>
#include <unistd.h>

#include "base/file.h"
#include "wire/caaa.h"

#define DOC_MAX 65536

struct document {
    char p[DOC_MAX];
    size_t n, at, step; /* read in pieces of step */
};

static enum tp_err put(void *ctx, struct span bytes)
{
    struct document *d = ctx;

    ck_assert_uint_lt(d->n + bytes.n, sizeof(d->p));
    memcpy(d->p + d->n, bytes.p, bytes.n);
    d->n += bytes.n;
    d->p[d->n] = '\0';
    return TP_OK;
}

static enum tp_err get(void *ctx, uint8_t *out, size_t cap, size_t *n)
{
    struct document *d = ctx;

    *n = d->n - d->at;
    if (*n > cap)
        *n = cap;
    if (d->step > 0 && *n > d->step)
        *n = d->step;
    memcpy(out, d->p + d->at, *n);
    d->at += *n;
    return TP_OK;
}

static struct document doc;
static struct caaa_schemas *schemas;

static void setup(void)
{
    struct tp_error e;

    ck_ok(caaa_schemas_new(&schemas, &e));
    memset(&doc, 0, sizeof(doc));
}

static void teardown(void)
{
    caaa_schemas_free(&schemas);
}

/* The standard's own judge. */
static bool xmllint_says_valid(const struct document *d, const char *schema)
{
    char path[] = "/tmp/test_caaa.XXXXXX", xsd[4096], command[9000];
    struct tp_error e;
    const int fd = mkstemp(path);

    ck_assert_int_ge(fd, 0);
    ck_assert_int_eq(write(fd, d->p, d->n), (ssize_t)d->n);
    close(fd);
    ck_ok(file_data_path(xsd, sizeof(xsd), schema, &e));
    snprintf(command, sizeof(command), "xmllint --nonet --noout --schema '%s' %s 2>/dev/null", xsd,
             path);
    const int r = system(command);

    unlink(path);
    return r == 0;
}

/* What an XPath expression gives, by xmllint. */
static void ck_xpath(const struct document *d, const char *expression, const char *want)
{
    char path[] = "/tmp/test_caaa.XXXXXX", command[1024], got[256] = "";
    const int fd = mkstemp(path);
    FILE *f;

    ck_assert_int_ge(fd, 0);
    ck_assert_int_eq(write(fd, d->p, d->n), (ssize_t)d->n);
    close(fd);
    snprintf(command, sizeof(command), "xmllint --nonet --xpath \"%s\" %s", expression, path);
    f = popen(command, "r");
    ck_assert_ptr_nonnull(f);
    (void)!fgets(got, sizeof(got), f);
    pclose(f);
    unlink(path);
    got[strcspn(got, "\n")] = '\0';
    ck_assert_str_eq(got, want);
}

/* DE 55 of 12.50 EUR after an offline PIN: 9F02, 5F2A, 9F34. */
static const uint8_t icc_1250[] = {0x9F, 0x02, 6,    0,    0,    0,    0, 0x12, 0x50, 0x5F,
                                   0x2A, 2,    0x09, 0x78, 0x9F, 0x34, 3, 0x41, 0x03, 0x02};
static const uint8_t icc_plain[] = {0x9F, 0x26, 8, 1, 2, 3, 4, 5, 6, 7, 8};

static struct caaa_remise remise_of(const char *currency)
{
    struct caaa_remise r = {.acquirer = "ACQ-1",
                            .contract = "000000000000123",
                            .name = "Librairie du Port & Fils",
                            .mcc = 5942,
                            .number = 7,
                            .currency = currency_by_alpha(currency),
                            .created =
                                1795426200}; /* 2026-11-23T09:30:00Z by date -u -d @1795426200 */

    return r;
}

static struct caaa_item item_of(uint32_t sequence, enum caaa_kind kind, int64_t amount)
{
    struct caaa_item i = {.sequence = sequence,
                          .kind = kind,
                          .pan = "9990140000000015",
                          .psn = 1,
                          .expiry = 20301231,
                          .terminal = "00000001",
                          .rrn = "632700000012",
                          .stan = 101,
                          .local_time = 20261123101432,
                          .amount = amount,
                          .icc = SPAN_OF(icc_plain)};

    if (amount == 1250)
        i.icc = SPAN_OF(icc_1250);
    return i;
}

/* Two debits of 12.50 and 0.01, a credit of 20.00: the net is negative. */
static void write_remise(struct document *d, const char *currency)
{
    struct caaa_remise r = remise_of(currency);
    const struct caaa_item items[] = {item_of(1, CAAA_DEBIT, 1250), item_of(2, CAAA_CREDIT, 2000),
                                      item_of(3, CAAA_DEBIT, 1)};
    const struct caaa_sink sink = {put, d};
    struct caaa_writer *w;
    struct tp_error e;

    r.totals.count[CAAA_DEBIT_REVERSED] = 1; /* one annulled before the close */
    r.totals.amount[CAAA_DEBIT_REVERSED] = 999;
    for (size_t i = 0; i < 3; i++)
        ck_ok(caaa_totals_add(&r.totals, items[i].kind, items[i].amount));
    ck_ok(caaa_transfer_begin(&w, &sink, &r, &e));
    for (size_t i = 0; i < 3; i++)
        ck_ok(caaa_transfer_item(w, &items[i], &e));
    ck_ok(caaa_transfer_end(w, &e));
    caaa_writer_free(&w);
    ck_assert_ptr_null(w);
}

struct seen {
    unsigned remises, items, faults;
    struct caaa_remise remise;
    struct caaa_item item[8];
    const char *fault; /* the first */
    size_t icc_n;
};

static enum tp_err see_remise(void *ctx, const struct caaa_remise *remise, struct tp_error *e)
{
    struct seen *s = ctx;

    (void)e;
    s->remises++;
    s->remise = *remise;
    return TP_OK;
}

static enum tp_err see_item(void *ctx, const struct caaa_item *item, const char *fault,
                            struct tp_error *e)
{
    struct seen *s = ctx;

    (void)e;
    if (s->items < 8)
        s->item[s->items] = *item;
    if (s->items == 0)
        s->icc_n = item->icc.n;
    s->items++;
    s->faults += fault != NULL ? 1 : 0;
    if (s->fault == NULL)
        s->fault = fault;
    return TP_OK;
}

static enum tp_err read_remise(struct document *d, struct seen *s, struct caaa_verdict *v,
                               struct caaa_totals *counted, struct tp_error *e)
{
    const struct caaa_source source = {get, d};
    const struct caaa_transfer_events events = {s, see_remise, see_item};

    memset(s, 0, sizeof(*s));
    d->at = 0;
    return caaa_transfer_read(schemas, &source, &events, v, counted, e);
}

START_TEST(a_remise_comes_back_as_it_went)
    {
        struct caaa_totals counted;
        struct caaa_verdict v;
        struct tp_error e = {TP_OK, ""};
        struct seen s;

        write_remise(&doc, "EUR");
        ck_assert(xmllint_says_valid(&doc, "caaa.011.001.14.xsd"));
        ck_xpath(&doc, "sum(//*[local-name()='TtlAmt'])", "32.51");
        ck_xpath(&doc,
                 "string((//*[local-name()='DataSet']/*[local-name()='TxTtls'])[1]/"
                 "*[local-name()='CmltvAmt'])",
                 "12.51");
        ck_xpath(&doc,
                 "string((//*[local-name()='DataSet']/*[local-name()='TxTtls'])[2]/"
                 "*[local-name()='CmltvAmt'])",
                 "20.00");
        ck_xpath(&doc,
                 "string((//*[local-name()='DataSet']/*[local-name()='TxTtls'])[3]/"
                 "*[local-name()='Tp'])",
                 "DBTR");
        ck_xpath(&doc, "string(//*[local-name()='Hdr']/*[local-name()='CreDtTm'])",
                 "2026-11-23T09:30:00Z");
        ck_xpath(&doc, "string((//*[local-name()='AuthntcnMtd'])[1])",
                 "FPIN"); /* 9F34 41: plaintext PIN by the card */
        ck_xpath(&doc, "string((//*[local-name()='ICCRltdData'])[2])", "nyYIAQIDBAUGBwg=");
        for (size_t step = 1; step < 5000; step = step * 3 + 1) {
            doc.step = step;
            ck_assert_msg(read_remise(&doc, &s, &v, &counted, &e) == TP_OK, "%s", e.text);
            ck_assert_str_eq(v.text, "");
            ck_assert_uint_eq(s.remises, 1);
            ck_assert_uint_eq(s.items, 3);
            ck_assert_uint_eq(s.faults, 0);
            ck_assert_int_eq(counted.amount[CAAA_DEBIT], 1251);
            ck_assert_int_eq(counted.amount[CAAA_CREDIT], 2000);
            ck_assert_uint_eq(counted.count[CAAA_DEBIT], 2);
            ck_assert(caaa_totals_agree(&counted, &s.remise.totals));
        }
        ck_assert_uint_eq(s.remise.totals.count[CAAA_DEBIT_REVERSED], 1);
        ck_assert_str_eq(s.remise.acquirer, "ACQ-1");
        ck_assert_str_eq(s.remise.contract, "000000000000123");
        ck_assert_str_eq(s.remise.name, "Librairie du Port & Fils");
        ck_assert_uint_eq(s.remise.mcc, 5942);
        ck_assert_uint_eq(s.remise.number, 7);
        ck_assert_int_eq(s.remise.created, 1795426200);
        ck_assert_str_eq(s.item[0].pan, "9990140000000015");
        ck_assert_uint_eq(s.item[0].psn, 1);
        ck_assert_int_eq(s.item[0].expiry, 20301231);
        ck_assert_str_eq(s.item[0].terminal, "00000001");
        ck_assert_str_eq(s.item[0].rrn, "632700000012");
        ck_assert_uint_eq(s.item[0].stan, 101);
        ck_assert_int_eq(s.item[0].local_time, 20261123101432);
        ck_assert_int_eq(s.item[1].kind, CAAA_CREDIT);
        ck_assert_uint_eq(s.icc_n, sizeof(icc_1250));
    }
END_TEST

static void replace(struct document *d, const char *from, const char *to)
{
    char *at = strstr(d->p, from), *rest;

    ck_assert_msg(at != NULL, "the document has no %s", from);
    rest = strdup(at + strlen(from));
    strcpy(at, to);
    strcat(at, rest);
    free(rest);
    d->n = strlen(d->p);
}

/* Two payments by account: one of an order, by its challenge, and one by a session's voucher. */
#define STATEMENT "eyJhbGciOiJFZERTQSJ9.e30.c2lnbmVk"
#define CHALLENGE "{\"id\":\"1\",\"method\":\"purse\"}"
#define ACCOUNT   "kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTw" /* RFC 8037, A.3: its first 35 */

static void write_accounts(struct document *d)
{
    struct caaa_remise r = remise_of("EUR");
    const struct caaa_sink sink = {put, d};
    struct caaa_item item = {.sequence = 1,
                             .account = ACCOUNT,
                             .rrn = "000000000012",
                             .stan = 12,
                             .local_time = 20261123101432,
                             .amount = 1250,
                             .statement = span_str(STATEMENT),
                             .challenge = span_str(CHALLENGE)};
    struct caaa_writer *w;
    struct tp_error e;

    r.by_account = true;
    ck_ok(caaa_totals_add(&r.totals, CAAA_DEBIT, 1250));
    ck_ok(caaa_totals_add(&r.totals, CAAA_DEBIT, 150));
    ck_ok(caaa_transfer_begin(&w, &sink, &r, &e));
    ck_ok(caaa_transfer_item(w, &item, &e));
    item.sequence = 2;
    item.account[0] = '\0'; /* by card in a remise of accounts */
    ck_assert_int_eq(caaa_transfer_item(w, &item, &e), TP_ERR_RANGE);
    strcpy(item.account, ACCOUNT);
    item.challenge = span_of(NULL, 0);
    item.voucher = true;
    item.amount = 150;
    ck_ok(caaa_transfer_item(w, &item, &e));
    ck_ok(caaa_transfer_end(w, &e));
    caaa_writer_free(&w);
}

static struct signed_texts {
    char account[CAAA_ID_MAX], statement[64], challenge[64];
    bool voucher;
} texts[2];

static enum tp_err see_signed(void *ctx, const struct caaa_item *item, const char *fault,
                              struct tp_error *e)
{
    struct signed_texts *t = &texts[item->sequence - 1];

    (void)ctx;
    (void)e;
    ck_assert_ptr_null(fault);
    *t = (struct signed_texts){.voucher = item->voucher};
    strcpy(t->account, item->account);
    memcpy(t->statement, item->statement.p, item->statement.n);
    memcpy(t->challenge, item->challenge.p, item->challenge.n);
    return TP_OK;
}

START_TEST(accounts_pay_too)
    {
        struct seen s = {.items = 0};
        const struct caaa_source source = {get, &doc};
        const struct caaa_transfer_events events = {&s, see_remise, see_signed};
        struct caaa_totals counted;
        struct caaa_verdict v;
        struct tp_error e;

        write_accounts(&doc);
        ck_assert(xmllint_says_valid(&doc, "caaa.011.001.14.xsd"));
        ck_xpath(&doc, "count(//*[local-name()='Card' or local-name()='POI'])", "0");
        ck_xpath(&doc, "string((//*[local-name()='StordValAcct']/*[local-name()='AcctTp'])[1])",
                 "ELMY");
        ck_xpath(&doc, "string((//*[local-name()='AuthstnNtty'])[1])", "ACQR");
        ck_xpath(&doc, "sum(//*[local-name()='TtlAmt'])", "14"); /* 12.50 + 1.50 */
        ck_ok(caaa_transfer_read(schemas, &source, &events, &v, &counted, &e));
        ck_assert_str_eq(v.text, "");
        ck_assert_int_eq(counted.amount[CAAA_DEBIT], 1400);
        ck_assert_str_eq(texts[0].account, ACCOUNT);
        ck_assert_str_eq(texts[0].statement, STATEMENT);
        ck_assert_str_eq(texts[0].challenge, CHALLENGE);
        ck_assert(!texts[0].voucher);
        ck_assert_str_eq(texts[1].statement, STATEMENT);
        ck_assert_str_eq(texts[1].challenge, "");
        ck_assert(texts[1].voucher);
    }
END_TEST

/* By base64: "challenge" and the statement are where the document says. */
#define INFO(id) "<AddtlInf><Id>" id "</Id>"
START_TEST(what_an_account_must_have)
    {
        static const struct {
            const char *from, *to;
        } cases[] = {
            {"<Id>" ACCOUNT "</Id>", ""},                                   /* no account */
            {INFO("telepay-purse-payment"), INFO("telepay-purse-voucher")}, /* with a challenge */
            {INFO("telepay-purse-voucher"), INFO("telepay-purse-payment")}, /* without one */
            {INFO("telepay-purse-voucher"), INFO("another thing")},         /* no statement */
            {INFO("challenge"), INFO("telepay-purse-payment")},             /* two */
            {"<StordValAcct>",
             "<Card><PlainCardData><PAN>9990140000000015</PAN></PlainCardData></Card>"
             "<StordValAcct>"}, /* both */
            {"<StordValAcct><AcctTp>ELMY</AcctTp><IdTp>ACCT</IdTp><Id>" ACCOUNT
             "</Id></StordValAcct>",
             ""}, /* nobody */
        };
        struct caaa_totals counted;
        struct caaa_verdict v;
        struct tp_error e;
        struct seen s;

        for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
            memset(&doc, 0, sizeof(doc));
            write_accounts(&doc);
            replace(&doc, cases[i].from, cases[i].to);
            ck_assert_msg(xmllint_says_valid(&doc, "caaa.011.001.14.xsd"), "%zu", i);
            ck_ok(read_remise(&doc, &s, &v, &counted, &e));
            ck_assert_msg(strcmp(v.reason, "PROFILE") == 0, "%zu: %s %s", i, v.reason, v.text);
        }
    }
END_TEST

START_TEST(the_same_remise_is_the_same_bytes)
    {
        static struct document again;

        write_remise(&doc, "EUR");
        memset(&again, 0, sizeof(again));
        setenv("TZ", "Pacific/Auckland", 1);
        tzset();
        sleep(1);
        write_remise(&again, "EUR");
        ck_assert_uint_eq(doc.n, again.n);
        ck_assert_mem_eq(doc.p, again.p, doc.n);
    }
END_TEST

START_TEST(decimals_are_those_of_the_currency)
    {
        static const struct {
            const char *currency, *sum;
        } cases[] = {{"JPY", "3251"}, {"TND", "3.251"}, {"EUR", "32.51"}};
        struct caaa_totals counted;
        struct caaa_verdict v;
        struct tp_error e;
        struct seen s;

        for (size_t i = 0; i < 3; i++) {
            memset(&doc, 0, sizeof(doc));
            write_remise(&doc, cases[i].currency);
            ck_assert(xmllint_says_valid(&doc, "caaa.011.001.14.xsd"));
            ck_xpath(&doc, "sum(//*[local-name()='TtlAmt'])", cases[i].sum);
            ck_ok(read_remise(&doc, &s, &v, &counted, &e));
            ck_assert_str_eq(v.reason, "");
            ck_assert_int_eq(s.item[1].amount, 2000);
        }
    }
END_TEST

#define SEQ "<TxSeqCntr>"
START_TEST(what_a_schema_cannot_say_is_seen)
    {
        static const struct {
            const char *from, *to, *reason; /* refused whole */
        } cases[] = {
            {SEQ "2</TxSeqCntr>", SEQ "3</TxSeqCntr>", "SEQUENCE"},
            {SEQ "1</TxSeqCntr>", SEQ "0</TxSeqCntr>", "SEQUENCE"},
            {SEQ "3</TxSeqCntr>", SEQ "2</TxSeqCntr>", "SEQUENCE"},
            {"<CmltvAmt>12.51</CmltvAmt>", "<CmltvAmt>12.52</CmltvAmt>", "TOTALS"},
            {"<TtlNb>2</TtlNb>", "<TtlNb>3</TtlNb>", "TOTALS"},
            {"<TtlNb>2</TtlNb>", "<TtlNb>-2</TtlNb>", "TOTALS"},
            {"<Tp>CRDT</Tp>", "<Tp>DEBT</Tp>", "TOTALS"},
            {"<Tp>CRDT</Tp>", "<Tp>FAIL</Tp>", "TOTALS"},
            {"<TtlAmt>0.01</TtlAmt>", "<TtlAmt>0.02</TtlAmt>", "TOTALS"},
            {"<TtlAmt>0.01</TtlAmt>", "<TtlAmt>0.010</TtlAmt>", "DECIMALS"},
            {"<TtlAmt>0.01</TtlAmt>", "<TtlAmt>0.001</TtlAmt>", "DECIMALS"},
            {"<CmltvAmt>12.51</CmltvAmt>", "<CmltvAmt>12.510</CmltvAmt>", "DECIMALS"},
            {"<Ccy>EUR</Ccy><TtlAmt>", "<Ccy>USD</Ccy><TtlAmt>", "CURRENCY"},
            {"<Ccy>EUR</Ccy></CmonData>", "<Ccy>USD</Ccy></CmonData>", "CURRENCY"},
            {"<Ccy>EUR</Ccy>", "<Ccy>QQQ</Ccy>", "TOTALS"},
            {"<RcncltnId>000007</RcncltnId>", "<RcncltnId>000008</RcncltnId>", "PROFILE"},
            {"<Tp>TXCP</Tp>", "<Tp>AKCP</Tp>", "PROFILE"},
            {"<TxSucss>true</TxSucss>", "<TxSucss>false</TxSucss>", "PROFILE"},
            {"<TxSucss>true</TxSucss>", "<TxSucss>true</TxSucss><Rvsl>true</Rvsl>", "PROFILE"},
            {"<TxTp>CRDP</TxTp>", "<TxTp>BALC</TxTp>", "PROFILE"},
            {"<XpryDt>2030-12</XpryDt>", "<XpryDt>2030-13</XpryDt>", "PROFILE"},
            {"<RcptTxId>632700000012</RcptTxId>", "", "PROFILE"},
            {"<TxRef>000101</TxRef>", "<TxRef>1000000</TxRef>", "PROFILE"},
            {"<CardSeqNb>01</CardSeqNb>", "<CardSeqNb>999</CardSeqNb>", "PROFILE"},
        };
        struct caaa_totals counted;
        struct caaa_verdict v;
        struct tp_error e;
        struct seen s;

        for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
            memset(&doc, 0, sizeof(doc));
            write_remise(&doc, "EUR");
            replace(&doc, cases[i].from, cases[i].to);
            ck_assert_msg(xmllint_says_valid(&doc, "caaa.011.001.14.xsd"),
                          "%s: the schema sees it itself", cases[i].to);
            ck_ok(read_remise(&doc, &s, &v, &counted, &e));
            ck_assert_msg(strcmp(v.reason, cases[i].reason) == 0, "%s: %s %s", cases[i].to,
                          v.reason, v.text);
            ck_assert_str_ne(v.text, "");
        }
    }
END_TEST

START_TEST(an_item_can_be_at_fault_alone)
    {
        static const struct {
            const char *from, *to, *fault;
        } cases[] = {
            {"<PAN>9990140000000015</PAN>", "<PAN>4761739001010011</PAN>", "PAN_LUHN"},
            {"<PAN>9990140000000015</PAN>", "<PAN>9990140000000015999014</PAN>", "PAN_LUHN"},
            {"<ICCRltdData>nwIG", "<ICCRltdData>nwIH", "ICC_TLV"},  /* a length one too long */
            {"AAAAABJQ", "AAAAABJR", "ICC_AMOUNT"},                 /* 9F02 says 12.51 */
            {"AAAAABJQXyoCCXi", "AAAAABJQXyoCCEC", "ICC_CURRENCY"}, /* 5F2A says 840 */
        };
        struct caaa_totals counted;
        struct caaa_verdict v;
        struct tp_error e;
        struct seen s;

        for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
            memset(&doc, 0, sizeof(doc));
            write_remise(&doc, "EUR");
            replace(&doc, cases[i].from, cases[i].to);
            ck_assert(xmllint_says_valid(&doc, "caaa.011.001.14.xsd"));
            ck_ok(read_remise(&doc, &s, &v, &counted, &e));
            ck_assert_str_eq(v.reason, "");
            ck_assert_msg(s.fault != NULL && strcmp(s.fault, cases[i].fault) == 0, "%s: %s",
                          cases[i].to, s.fault);
            ck_assert_uint_eq(s.faults, 1);
            ck_assert_uint_eq(s.items, 3);
        }
    }
END_TEST

START_TEST(what_is_no_document_is_refused_with_its_line)
    {
        static const struct {
            const char *from, *to, *word; /* stands in the sentence */
        } cases[] = {
            {"<PAN>", "<PANN>", "line"},
            {"<TxSeqCntr>2</TxSeqCntr>", "", "Element 'Envt'"},
            {"<TtlAmt>0.01</TtlAmt>", "<TtlAmt>-0.01</TtlAmt>", "Element 'TtlAmt'"},
            {"<TtlAmt>0.01</TtlAmt>", "<TtlAmt>0.000001</TtlAmt>", "Element 'TtlAmt'"},
            {"<TtlAmt>0.01</TtlAmt>", "<TtlAmt>1e3</TtlAmt>", "Element 'TtlAmt'"},
            {"<ICCRltdData>nwIG", "<ICCRltdData>n!IG", "Element 'ICCRltdData'"},
            {"caaa.011.001.14", "caaa.011.001.13", "Document"},
            {"<BtchTrf>", "<!-- a comment --><Other/><BtchTrf>", "Element 'Other'"},
            {"<Document", "<!DOCTYPE Document><Document", "document type"},
            {"<Document", "<!DOCTYPE Document SYSTEM \"/etc/passwd\"><Document", "document type"},
            {"<Document",
             "<!DOCTYPE Document [<!ENTITY a \"12\"><!ENTITY b \"&a;&a;&a;&a;\">]><Document",
             "document type"},
            {"<XchgId>7</XchgId>", "<XchgId>&what;</XchgId>", "line 2"},
        };
        struct caaa_totals counted;
        struct caaa_verdict v;
        struct tp_error e;
        struct seen s;

        for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
            memset(&doc, 0, sizeof(doc));
            write_remise(&doc, "EUR");
            replace(&doc, cases[i].from, cases[i].to);
            e.text[0] = '\0';
            ck_assert_msg(read_remise(&doc, &s, &v, &counted, &e) == TP_ERR_FORMAT, "%s is taken",
                          cases[i].to);
            ck_assert_msg(strstr(e.text, cases[i].word) != NULL && strstr(e.text, "line") != NULL,
                          "%s: %s", cases[i].to, e.text);
        }
    }
END_TEST

START_TEST(a_document_cut_anywhere_is_refused)
    {
        struct caaa_totals counted;
        struct caaa_verdict v;
        struct tp_error e;
        struct seen s;

        write_remise(&doc, "EUR");
        const size_t whole = doc.n;

        for (size_t n = 0; n < whole - 1; n += n < 200 ? 1 : 61) { /* the last byte is a line end */
            doc.n = n;
            ck_assert_msg(read_remise(&doc, &s, &v, &counted, &e) == TP_ERR_FORMAT,
                          "%zu of %zu bytes are taken", n, whole);
        }
        doc.n = whole;
        ck_ok(read_remise(&doc, &s, &v, &counted, &e));
        ck_ok(put(&doc, span_str("<more/>")));
        ck_assert_int_eq(read_remise(&doc, &s, &v, &counted, &e), TP_ERR_FORMAT);
    }
END_TEST

START_TEST(huge_texts_and_depths_are_refused)
    {
        static struct document big;
        struct caaa_totals counted;
        struct caaa_verdict v;
        struct tp_error e;
        struct seen s;

        memset(&big, 0, sizeof(big));
        ck_ok(put(&big,
                  span_str("<Document xmlns=\"urn:iso:std:iso:20022:tech:xsd:caaa.011.001.14\">")));
        for (unsigned i = 0; i < 5000; i++)
            ck_ok(put(&big, span_str("<a>")));
        ck_assert_int_eq(read_remise(&big, &s, &v, &counted, &e), TP_ERR_FORMAT);
        write_remise(&doc, "EUR");
        char *blanks = malloc(40001);

        ck_assert_ptr_nonnull(blanks);
        memset(blanks, ' ', 40000); /* base64 may hold blanks, but not without end */
        memcpy(blanks, "<ICCRltdData>", 13);
        blanks[40000] = '\0';
        replace(&doc, "<ICCRltdData>", blanks);
        free(blanks);
        ck_assert_int_eq(read_remise(&doc, &s, &v, &counted, &e), TP_ERR_FORMAT);
        ck_assert_ptr_nonnull(strstr(e.text, "longer than any"));
    }
END_TEST

/* A document that never ends: what it costs is seen by how much of it is read. */
struct endless {
    const char *head, *piece;
    size_t head_n, at, given;
};

static enum tp_err get_endless(void *ctx, uint8_t *out, size_t cap, size_t *n)
{
    struct endless *d = ctx;
    const size_t piece_n = strlen(d->piece);

    for (*n = 0; *n < cap; (*n)++, d->at++)
        out[*n] =
            (uint8_t)(d->at < d->head_n ? d->head[d->at] : d->piece[(d->at - d->head_n) % piece_n]);
    d->given += cap;
    return d->given < 4000000 ? TP_OK : TP_ERR_IO;
}

START_TEST(what_never_ends_is_refused_before_it_costs)
    {
#define ROOT "<Document xmlns=\"urn:iso:std:iso:20022:tech:xsd:caaa.011.001.14\""
#define LETTERS                                                                                    \
    "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa" \
    "aaaaaaaaaaaaaaaaaaaaaaaaaaaa"
        static const struct {
            const char *head, *piece, *word;
            size_t most;
        } cases[] = {
            {ROOT, " a=''", "attributes", 20000},
            {ROOT, " ", "tag is too long", 20000},
            {ROOT " a='", LETTERS, "tag is too long", 20000},
            {"<", LETTERS, "tag is too long", 20000},
            {ROOT "></", LETTERS, "tag is too long", 20000},
            {ROOT ">", "<a>", "nested", 20000},
            {ROOT ">", " ", "", 90000},
            {ROOT "><!--", LETTERS, "longer than any", 90000},
            {ROOT "><![CDATA[", LETTERS, "", 90000},
            {ROOT "><?a ", LETTERS, "longer than any", 90000},
            {"<?xml version='1.0' ", " ", "first instruction", 20000},
            {"<?xml version='1.0' encoding='UTF-7'?>+ADw-", LETTERS, "UTF-8", 20000},
            {"\xFF\xFE<", LETTERS, "UTF-8", 20000},
        };
        struct caaa_totals counted;
        struct caaa_verdict v;
        struct seen s;

        for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
            struct endless d = {cases[i].head, cases[i].piece, strlen(cases[i].head), 0, 0};
            const struct caaa_source source = {get_endless, &d};
            const struct caaa_transfer_events events = {&s, see_remise, see_item};
            struct tp_error e = {TP_OK, ""};

            memset(&s, 0, sizeof(s));
            ck_assert_int_eq(caaa_transfer_read(schemas, &source, &events, &v, &counted, &e),
                             TP_ERR_FORMAT);
            ck_assert_msg(strstr(e.text, cases[i].word) != NULL, "%zu: %s", i, e.text);
            ck_assert_msg(d.given <= cases[i].most, "%zu: %zu bytes were read", i, d.given);
        }
    }
END_TEST

/* What the guard must not mistake: the signs of markup within texts, values, comments and CDATA. */
START_TEST(markup_within_texts_is_no_markup)
    {
        struct caaa_totals counted;
        struct caaa_verdict v;
        struct tp_error e;
        struct seen s;

        for (doc.step = 1; doc.step <= 7; doc.step += 6) {
            const size_t step = doc.step;

            memset(&doc, 0, sizeof(doc));
            write_remise(&doc, "EUR");
            replace(&doc, "<Document ",
                    "<?telepay <a> ' ?>\n<!-- <a> ' \" - -->\n<Document xmlns:x=\"urn:a'b/\" ");
            replace(&doc, "<BtchTrf>", "<!--> <a b='--><BtchTrf >");
            replace(&doc, "<XchgId>7</XchgId>", "<XchgId><![CDATA[7]]></XchgId>");
            doc.step = step;
            ck_assert_msg(read_remise(&doc, &s, &v, &counted, &e) == TP_OK, "%s", e.text);
            ck_assert_str_eq(v.reason, "");
        }
    }
END_TEST

START_TEST(the_writer_keeps_the_order)
    {
        const struct caaa_sink sink = {put, &doc};
        struct caaa_remise r = remise_of("EUR");
        struct caaa_item second = item_of(2, CAAA_DEBIT, 1250),
                         reversed = item_of(1, CAAA_DEBIT_REVERSED, 1250);
        struct caaa_writer *w;
        struct tp_error e;

        ck_ok(caaa_transfer_begin(&w, &sink, &r, &e));
        ck_assert_int_eq(caaa_transfer_item(w, &second, &e), TP_ERR_STATE);
        ck_assert_int_eq(caaa_transfer_item(w, &reversed, &e), TP_ERR_RANGE);
        const size_t n = doc.n;

        caaa_writer_free(&w);
        ck_assert_uint_eq(doc.n, n); /* freed without an end: nothing more comes */
    }
END_TEST

static enum tp_err full(void *ctx, struct span bytes)
{
    size_t *room = ctx;

    if (bytes.n > *room)
        return TP_ERR_IO;
    *room -= bytes.n;
    return TP_OK;
}

START_TEST(an_error_of_the_sink_is_told)
    {
        size_t room = 5000;
        const struct caaa_sink sink = {full, &room};
        struct caaa_remise r = remise_of("EUR");
        struct caaa_writer *w;
        enum tp_err err;
        struct tp_error e;

        err = caaa_transfer_begin(&w, &sink, &r, &e);
        for (uint32_t i = 1; i < 100 && err == TP_OK; i++) {
            const struct caaa_item item = item_of(i, CAAA_DEBIT, 1250);

            err = caaa_transfer_item(w, &item, &e);
        }
        ck_assert_int_eq(err, TP_ERR_IO);
        caaa_writer_free(&w);
    }
END_TEST

/* ---- caaa.012 ---- */

struct refusals {
    unsigned n;
    struct caaa_refusal last;
};

static enum tp_err see_refusal(void *ctx, const struct caaa_refusal *refusal, struct tp_error *e)
{
    struct refusals *r = ctx;

    (void)e;
    r->n++;
    r->last = *refusal;
    return TP_OK;
}

static struct caaa_response response_of(enum caaa_result result)
{
    struct caaa_response r = {.acquirer = "ACQ-1",
                              .contract = "000000000000123",
                              .number = 7,
                              .currency = currency_by_alpha("EUR"),
                              .created = 1795426200,
                              .answered = 1795426260,
                              .result = result};

    ck_ok(caaa_totals_add(&r.totals, CAAA_DEBIT, 1));
    ck_ok(caaa_totals_add(&r.totals, CAAA_CREDIT, 2000));
    return r;
}

static void write_response(struct document *d, const struct caaa_response *r, unsigned refusals)
{
    const struct caaa_sink sink = {put, d};
    struct caaa_writer *w;
    struct tp_error e;

    memset(d, 0, sizeof(*d));
    ck_ok(caaa_response_begin(&w, &sink, r, &e));
    for (unsigned i = 1; i <= refusals; i++) {
        const struct caaa_refusal refusal = {i * 10, "OPPOSITION", 20261123101432, 101};

        ck_ok(caaa_response_refusal(w, &refusal, &e));
    }
    ck_ok(caaa_response_end(w, &e));
    caaa_writer_free(&w);
}

static enum tp_err read_response(struct document *d, struct caaa_response *r, struct refusals *seen,
                                 struct tp_error *e)
{
    const struct caaa_source source = {get, d};

    memset(seen, 0, sizeof(*seen));
    d->at = 0;
    return caaa_response_read(schemas, &source, r, see_refusal, seen, e);
}

START_TEST(an_answer_comes_back_as_it_went)
    {
        struct caaa_response sent = response_of(CAAA_PARTIAL), got;
        struct refusals seen;
        struct tp_error e = {TP_OK, ""};

        write_response(&doc, &sent, 2);
        ck_assert(xmllint_says_valid(&doc, "caaa.012.001.13.xsd"));
        ck_xpath(&doc, "count(//*[local-name()='RjctdTx'])", "2");
        ck_assert_msg(read_response(&doc, &got, &seen, &e) == TP_OK, "%s", e.text);
        ck_assert_str_eq(got.contract, "000000000000123");
        ck_assert_uint_eq(got.number, 7);
        ck_assert_int_eq(got.result, CAAA_PARTIAL);
        ck_assert_int_eq(got.answered, 1795426260);
        ck_assert_int_eq(got.created, 1795426200);
        ck_assert(caaa_totals_agree(&got.totals, &sent.totals));
        ck_assert_ptr_eq(got.currency, currency_by_alpha("EUR"));
        ck_assert_uint_eq(seen.n, 2);
        ck_assert_uint_eq(seen.last.sequence, 20);
        ck_assert_str_eq(seen.last.reason, "OPPOSITION");
        sent.result = CAAA_DECLINED;
        strcpy(sent.verdict.reason, "TOTALS");
        strcpy(sent.verdict.text, "DEBT: said 2, counted 1 <&> \xE2\x80\xAE\xC3\xA9\xC2\x9B");
        write_response(&doc, &sent, 0);
        ck_assert(xmllint_says_valid(&doc, "caaa.012.001.13.xsd"));
        ck_ok(read_response(&doc, &got, &seen, &e));
        ck_assert_int_eq(got.result, CAAA_DECLINED);
        ck_assert_str_eq(got.verdict.reason, "TOTALS");
        ck_assert_str_eq(got.verdict.text, "DEBT: said 2, counted 1 <&> ?\xC3\xA9?");
    }
END_TEST

START_TEST(an_answer_that_contradicts_itself_is_refused)
    {
        static const struct {
            const char *from, *to;
        } cases[] = {
            {"<Rspn>PART</Rspn>", "<Rspn>APPR</Rspn>"},
            {"<Rspn>PART</Rspn>", "<Rspn>SUSP</Rspn>"},
            {"<TxSeqCntr>20</TxSeqCntr>", "<TxSeqCntr>10</TxSeqCntr>"},
            {"<TxSeqCntr>20</TxSeqCntr>", "<TxSeqCntr>9</TxSeqCntr>"},
            {"<XchgId>7</XchgId>", "<XchgId>8</XchgId>"},
            {"<Tp>AKCP</Tp>", "<Tp>TXCP</Tp>"},
            {"<CmltvAmt>0.01</CmltvAmt>", "<CmltvAmt>0.02</CmltvAmt>"},
            {"<CmltvAmt>0.01</CmltvAmt>", "<CmltvAmt>0.011</CmltvAmt>"},
            {"<Document", "<!DOCTYPE Document><Document"},
        };
        struct caaa_response sent = response_of(CAAA_PARTIAL), got;
        struct refusals seen;
        struct tp_error e;

        for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
            write_response(&doc, &sent, 2);
            replace(&doc, cases[i].from, cases[i].to);
            ck_assert_msg(read_response(&doc, &got, &seen, &e) == TP_ERR_FORMAT, "%s is taken",
                          cases[i].to);
        }
        write_response(&doc, &sent, 0); /* partial, and refuses nothing */
        ck_assert_int_eq(read_response(&doc, &got, &seen, &e), TP_ERR_FORMAT);
    }
END_TEST

/* The examples of shared/iso20022 follow the schemas, not our profile: they are read to the end,
 * and then refused for that. */
static void load(struct document *d, const char *name)
{
    char path[4096];
    uint8_t *bytes;
    size_t n;
    struct tp_error e;

    snprintf(path, sizeof(path), "%s/data/caaa/%s", getenv("TESTS_SRCDIR"), name);
    ck_ok(file_read(path, DOC_MAX - 1, &bytes, &n, &e));
    memset(d, 0, sizeof(*d));
    ck_ok(put(d, span_of(bytes, n)));
    free(bytes);
}

START_TEST(the_public_examples)
    {
        struct caaa_response got;
        struct caaa_totals counted;
        struct caaa_verdict v;
        struct refusals refusals;
        struct tp_error e = {TP_OK, ""};
        struct seen s;

        load(&doc, "example-caaa.011.xml");
        ck_assert(xmllint_says_valid(&doc, "caaa.011.001.14.xsd"));
        ck_assert_msg(read_remise(&doc, &s, &v, &counted, &e) == TP_OK, "%s", e.text);
        ck_assert_str_eq(v.reason, "PROFILE");
        ck_assert_uint_eq(s.items, 0);
        load(&doc, "example-caaa.012.xml");
        ck_assert(xmllint_says_valid(&doc, "caaa.012.001.13.xsd"));
        ck_assert_int_eq(read_response(&doc, &got, &refusals, &e), TP_ERR_FORMAT);
        ck_assert_ptr_nonnull(strstr(e.text, "BATCH-20250320-0001"));
    }
END_TEST

START_TEST(a_sum_has_a_limit)
    {
        struct caaa_totals t = {{0}, {0}};

        t.amount[CAAA_DEBIT] = INT64_C(999999999999999998);
        ck_ok(caaa_totals_add(&t, CAAA_DEBIT, 1));
        ck_assert_int_eq(caaa_totals_add(&t, CAAA_DEBIT, 1), TP_ERR_RANGE);
        ck_assert_int_eq(caaa_totals_add(&t, CAAA_DEBIT, -1), TP_ERR_RANGE);
        ck_assert_uint_eq(t.count[CAAA_DEBIT], 1);
    }
END_TEST

static Suite *suite(void)
{
    Suite *s = suite_create("caaa");
    TCase *t = tcase_create("caaa");

    tcase_add_checked_fixture(t, setup, teardown);
    tcase_set_timeout(t, 120);
    tcase_add_test(t, a_remise_comes_back_as_it_went);
    tcase_add_test(t, accounts_pay_too);
    tcase_add_test(t, what_an_account_must_have);
    tcase_add_test(t, the_same_remise_is_the_same_bytes);
    tcase_add_test(t, decimals_are_those_of_the_currency);
    tcase_add_test(t, what_a_schema_cannot_say_is_seen);
    tcase_add_test(t, an_item_can_be_at_fault_alone);
    tcase_add_test(t, what_is_no_document_is_refused_with_its_line);
    tcase_add_test(t, a_document_cut_anywhere_is_refused);
    tcase_add_test(t, huge_texts_and_depths_are_refused);
    tcase_add_test(t, what_never_ends_is_refused_before_it_costs);
    tcase_add_test(t, markup_within_texts_is_no_markup);
    tcase_add_test(t, the_writer_keeps_the_order);
    tcase_add_test(t, an_error_of_the_sink_is_told);
    tcase_add_test(t, an_answer_comes_back_as_it_went);
    tcase_add_test(t, an_answer_that_contradicts_itself_is_refused);
    tcase_add_test(t, the_public_examples);
    tcase_add_test(t, a_sum_has_a_limit);
    suite_add_tcase(s, t);
    return s;
}

UNIT_MAIN(suite)
