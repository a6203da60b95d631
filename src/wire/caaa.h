/* Remises as ISO 20022 CAPE documents, release 2025: caaa.011.001.14 AcceptorBatchTransfer, and its
 * answer caaa.012.001.13 (doc/protocol.md). Written and read as streams in constant
 * memory. Every document read is valid against its schema and, beyond what a schema can say, adds
 * up. */
#ifndef TP_WIRE_CAAA_H
#define TP_WIRE_CAAA_H

#include <stdint.h>
#include <time.h>

#include "base/money.h"
#include "base/span.h"

#define CAAA_ID_MAX     36    /* Max35Text and a zero */
#define CAAA_NAME_MAX   71    /* Max70Text */
#define CAAA_REASON_MAX 36    /* RspnRsn */
#define CAAA_TEXT_MAX   141   /* AddtlRspnInf */
#define CAAA_SIGNED_MAX 49152 /* bytes of a statement or a challenge: their base64 is one text */

/* TypeTransactionTotals2Code: an annulation counts on its own, beside what it undoes. */
enum caaa_kind {
    CAAA_DEBIT /* DEBT */,
    CAAA_CREDIT /* CRDT */,
    CAAA_DEBIT_REVERSED /* DBTR */,
    CAAA_CREDIT_REVERSED /* CRDR */,
    CAAA_KINDS
};

struct caaa_totals {
    uint64_t count[CAAA_KINDS];
    int64_t amount[CAAA_KINDS]; /* minor units */
};

/* Adds one transaction. TP_ERR_RANGE when the sum leaves the 18 digits the schema has. */
TP_MUST_CHECK enum tp_err caaa_totals_add(struct caaa_totals *t, enum caaa_kind kind,
                                          int64_t amount);

/* Equal in what a remise moves: debits and credits, counts and amounts. */
bool caaa_totals_agree(const struct caaa_totals *a, const struct caaa_totals *b);

struct caaa_remise {
    char acquirer[CAAA_ID_MAX];
    char contract[CAAA_ID_MAX];
    char name[CAAA_NAME_MAX]; /* of the accepteur */
    unsigned mcc;             /* four digits */
    bool by_account; /* who paid did so from accounts, of which no category is known; else by card.
                        Written, not read: each item says it */
    uint32_t number; /* at most 9 digits */
    const struct currency *currency;
    time_t created; /* when it was closed; written in UTC */
    struct caaa_totals totals;
};

struct caaa_item {
    uint32_t sequence;   /* TxSeqCntr: 1, 2, 3 … */
    enum caaa_kind kind; /* CAAA_DEBIT or CAAA_CREDIT: what was annulled is counted, not sent */
    char pan[20];        /* these three and icc: by card */
    uint8_t psn;
    int expiry;         /* YYYYMMDD, last day of the month */
    char terminal[9];   /* DE 41; "" by account */
    char rrn[13];       /* DE 37 */
    uint32_t stan;      /* DE 11 */
    int64_t local_time; /* YYYYMMDDHHMMSS where the terminal stands */
    int64_t amount;
    char approval[9]; /* the issuer's approval code (AuthstnCd); "": the card approved alone. Kept
                         when read */
    struct span icc;  /* TLVs of DE 55; when read: borrowed during the call, as all below */
    char account[CAAA_ID_MAX]; /* that paid: what has room of its number; "": by card */
    bool voucher;              /* statement is one of a session; else a payment */
    struct span statement;     /* what the account's key signed (order/purse.h) */
    struct span challenge;     /* … of a payment: canonical JSON; empty beside a voucher */
};

struct caaa_sink { /* where a document goes */
    enum tp_err (*write)(void *ctx, struct span bytes);
    void *ctx;
};

struct caaa_source { /* where one comes from: 0 bytes is the end */
    enum tp_err (*read)(void *ctx, uint8_t *out, size_t cap, size_t *n);
    void *ctx;
};

/* Both schemas, parsed once; may be used by several threads. They are found among the project's
 * data files. */
struct caaa_schemas;
TP_MUST_CHECK enum tp_err caaa_schemas_new(struct caaa_schemas **out, struct tp_error *e);
void caaa_schemas_free(struct caaa_schemas **s);

/* ---- caaa.011: the remise ---- */

struct caaa_writer;

/* The same remise with the same items gives the same bytes. An error of the sink is the error of
 * the call. */
TP_MUST_CHECK enum tp_err caaa_transfer_begin(struct caaa_writer **out,
                                              const struct caaa_sink *sink,
                                              const struct caaa_remise *remise, struct tp_error *e);
TP_MUST_CHECK enum tp_err caaa_transfer_item(struct caaa_writer *w, const struct caaa_item *item,
                                             struct tp_error *e);
TP_MUST_CHECK enum tp_err caaa_transfer_end(struct caaa_writer *w, struct tp_error *e);
void caaa_writer_free(
    struct caaa_writer **w); /* without an end before it: nothing more is written */

struct caaa_verdict { /* why a document that is valid is refused whole; reason "" when it is not */
    char reason[CAAA_REASON_MAX]; /* "TOTALS", "SEQUENCE", "DECIMALS", "PROFILE", … */
    char text[CAAA_TEXT_MAX];     /* the same for people, with the line */
};

struct caaa_transfer_events {
    void *ctx;
    /* Once, before the first item. */
    enum tp_err (*remise)(void *ctx, const struct caaa_remise *remise, struct tp_error *e);
    /* In order. fault: a word when this item alone is to be refused ("PAN_LUHN", "ICC_TLV"), else
     * NULL. */
    enum tp_err (*item)(void *ctx, const struct caaa_item *item, const char *fault,
                        struct tp_error *e);
};

/* s NULL: the bytes were read before under their schema, and are not held against it again.
 * Reads to the end. TP_ERR_FORMAT with line and element when it is not XML, has a DOCTYPE or is not
 * valid against the schema; what the events return. A document that is valid but does not hold
 * together is an outcome in *verdict: its items are no longer given from there on. *counted is the
 * reader's own sum over the items. */
TP_MUST_CHECK enum tp_err caaa_transfer_read(const struct caaa_schemas *s,
                                             const struct caaa_source *source,
                                             const struct caaa_transfer_events *events,
                                             struct caaa_verdict *verdict,
                                             struct caaa_totals *counted, struct tp_error *e);

/* ---- caaa.012: the answer ---- */

enum caaa_result {
    CAAA_APPROVED /* APPR */,
    CAAA_PARTIAL /* PART: some items refused */,
    CAAA_DECLINED /* DECL: the whole refused */
};

struct caaa_response {
    char acquirer[CAAA_ID_MAX];
    char contract[CAAA_ID_MAX];
    uint32_t number;
    const struct currency *currency;
    time_t created;  /* of the remise, as it said */
    time_t answered; /* when the centre settled it; written in UTC */
    enum caaa_result result;
    struct caaa_verdict verdict; /* when declined */
    struct caaa_totals
        totals; /* the centre's own count of what it accepts (when declined: of what it read) */
};

struct caaa_refusal {
    uint32_t sequence;
    char reason[CAAA_REASON_MAX];
    int64_t local_time; /* TxId of the refused item, as it came */
    uint32_t stan;
};

/* Refusals are given one by one in the order of their sequence. */
TP_MUST_CHECK enum tp_err caaa_response_begin(struct caaa_writer **out,
                                              const struct caaa_sink *sink,
                                              const struct caaa_response *response,
                                              struct tp_error *e);
TP_MUST_CHECK enum tp_err caaa_response_refusal(struct caaa_writer *w,
                                                const struct caaa_refusal *refusal,
                                                struct tp_error *e);
TP_MUST_CHECK enum tp_err caaa_response_end(struct caaa_writer *w, struct tp_error *e);

/* Reads to the end; refused is called for each refused item, in order. TP_ERR_FORMAT as above, and
 * for an answer that contradicts itself (refusals out of order, approved with refusals, partial
 * without, no totals). */
typedef enum tp_err caaa_refused(void *ctx, const struct caaa_refusal *refusal, struct tp_error *e);
TP_MUST_CHECK enum tp_err caaa_response_read(const struct caaa_schemas *s,
                                             const struct caaa_source *source,
                                             struct caaa_response *response, caaa_refused *refused,
                                             void *ctx, struct tp_error *e);

#endif
