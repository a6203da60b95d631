/* What the writers and readers of caaa documents share: the walk over a document under its schema,
 * and the forms of values. */
#ifndef TP_WIRE_CAAA_PRIV_H
#define TP_WIRE_CAAA_PRIV_H

#include <libxml/xmlschemas.h>
#include <libxml/xmlwriter.h>

#include "wire/caaa.h"

#define CAAA_NS_TRANSFER "urn:iso:std:iso:20022:tech:xsd:caaa.011.001.14"
#define CAAA_NS_RESPONSE "urn:iso:std:iso:20022:tech:xsd:caaa.012.001.13"
#define CAAA_VERSION     "14.0"
#define CAAA_DATE_MAX    24 /* "2026-11-23T09:15:00Z" and a zero */
#define CAAA_SET_MAX     48 /* "000000000000123-000001" and a zero */

struct caaa_schemas {
    xmlSchemaPtr transfer, response;
};

/* ---- reading (caaa_xml.c) ---- */

struct caaa_field {
    const char *path; /* below Document and the message: "BtchTrf/DataSet/TxTtls/Ccy" */
    int id;
};

struct caaa_walk {
    const struct caaa_field *fields; /* sorted by path: only these are told of */
    size_t n;
    void *ctx;
    enum tp_err (*enter)(void *ctx, int id, unsigned line, struct tp_error *e);
    /* text: what stands directly in the element, with a final zero; borrowed during the call. */
    enum tp_err (*leave)(void *ctx, int id, const char *text, unsigned line, struct tp_error *e);
};

/* Reads the whole document; the schema (NULL: none) is checked as it goes. TP_ERR_FORMAT with line
 * and element. */
TP_MUST_CHECK enum tp_err caaa_walk(const struct caaa_walk *walk, xmlSchemaPtr schema,
                                    const struct caaa_source *source, struct tp_error *e);

/* xs:decimal without decimals; TP_ERR_RANGE when it is negative or over max. */
TP_MUST_CHECK enum tp_err caaa_parse_number(uint64_t *out, const char *text, uint64_t max);
/* xs:decimal as minor units; TP_ERR_RANGE when it has more decimals than the currency or more than
 * 18 digits. */
TP_MUST_CHECK enum tp_err caaa_parse_amount(int64_t *minor, const char *text,
                                            const struct currency *c);
/* xs:dateTime with zone as time, and as civil time YYYYMMDDHHMMSS whatever the zone. */
TP_MUST_CHECK enum tp_err caaa_parse_time(time_t *t, const char *text);
TP_MUST_CHECK enum tp_err caaa_parse_local(int64_t *local, const char *text);
TP_MUST_CHECK enum tp_err caaa_parse_base64(struct buf *out, const char *text);
bool caaa_parse_bool(const char *text);
/* Copies without the blanks around; TP_ERR_RANGE when it does not fit. */
TP_MUST_CHECK enum tp_err caaa_parse_text(char *out, size_t cap, const char *text);
/* For people: as it may be shown (base/word.h). */
TP_MUST_CHECK enum tp_err caaa_parse_words(char *out, size_t cap, const char *text);

/* Lines of TxTtls, as they are read: Ccy, Tp, TtlNb, CmltvAmt. */
struct caaa_totals_line {
    const struct currency *currency;
    int kind; /* -1: not ours (DECL, FAIL) */
    uint64_t count;
    char amount[32];
};
int caaa_kind_of(const char *code); /* -1: none of ours */
const char *caaa_kind_code(enum caaa_kind kind);
/* Adds the line to *t once; *currency is that of the first line. TP_ERR_FORMAT for a second of the
 * same kind, another or unknown currency; TP_ERR_RANGE for decimals that the currency does not
 * have. `seen` keeps the kinds had. */
TP_MUST_CHECK enum tp_err caaa_totals_take(struct caaa_totals *t, const struct currency **currency,
                                           unsigned *seen, const struct caaa_totals_line *line);

/* What an account's key signed stands in TxDtls/AddtlInf: Id says which of these Val is. */
#define CAAA_SIGNED_PAYMENT   "telepay-purse-payment"
#define CAAA_SIGNED_VOUCHER   "telepay-purse-voucher"
#define CAAA_SIGNED_CHALLENGE "challenge"

/* ---- writing (caaa_write.c) ---- */

struct caaa_writer {
    xmlTextWriterPtr x;
    struct caaa_sink sink;
    enum tp_err sink_error;
    bool failed;  /* libxml2 refused, or the sink did */
    bool stopped; /* freed without an end: what is buffered goes nowhere */
    const struct currency *currency;
    uint32_t next;       /* the sequence that comes next, or the last refused */
    bool by_account;     /* the head says so: every item is */
    char encoded[65544]; /* base64 of ICCRltdData, of CAAA_SIGNED_MAX */
};

TP_MUST_CHECK enum tp_err caaa_writer_new(struct caaa_writer **out, const struct caaa_sink *sink,
                                          const char *ns, const char *message, struct tp_error *e);
TP_MUST_CHECK enum tp_err caaa_writer_end(struct caaa_writer *w, struct tp_error *e);
TP_MUST_CHECK enum tp_err caaa_writer_check(const struct caaa_writer *w, struct tp_error *e);
void caaa_open(struct caaa_writer *w, const char *name);
void caaa_close(struct caaa_writer *w);
void caaa_text(struct caaa_writer *w, const char *name, const char *text);
void caaa_number(struct caaa_writer *w, const char *name, uint64_t value);
void caaa_end_line(struct caaa_writer *w); /* a line end between elements, for people */
void caaa_totals_lines(struct caaa_writer *w, const struct caaa_totals *t);
void caaa_header(struct caaa_writer *w, uint32_t number, time_t made, const char *acquirer);
void caaa_set_id(struct caaa_writer *w, const char *contract, uint32_t number, const char *type,
                 time_t created);
void caaa_set_name(char out[CAAA_SET_MAX], const char *contract, uint32_t number);
void caaa_transaction_id(struct caaa_writer *w, int64_t local_time, uint32_t stan);

#endif
