/* The acquirer's books: contracts, terminals, card-signed transactions, remises (DESIGN 8, 9) in one SQLite database. Every state change is one database
 * transaction. A ledger is one connection, used by one thread; several may be open on the same folder. */
#ifndef TP_LEDGER_LEDGER_H
#define TP_LEDGER_LEDGER_H

#include <time.h>

#include "base/money.h"
#include "base/span.h"

#define CONTRACT_ID_MAX 16 /* DE 42: 15 and a zero */
#define TERMINAL_ID_MAX 9  /* DE 41: 8 and a zero */
#define RRN_MAX         13 /* DE 37: 12 and a zero */

struct ledger;

/* Makes the database (init), or opens it. */
TP_MUST_CHECK enum tp_err ledger_make(const char *path, struct tp_error *e);
TP_MUST_CHECK enum tp_err ledger_open(struct ledger **out, const char *path, struct tp_error *e);
void ledger_close(struct ledger **l);

/* ---- contracts and terminals (ledger/contract.c) ---- */

struct contract {
    char id[CONTRACT_ID_MAX];
    char name[41];
    uint16_t mcc;
    uint16_t currency; /* numeric: a contract is in one currency */
    uint16_t country;  /* numeric */
    int64_t floor;     /* a TC of at most this is acknowledged without the issuer */
    int64_t ceiling;   /* more is refused (61) */
    int close_hour;    /* HHMM local: its hour for the daily run */
    bool open;
};

struct terminal {
    char contract[CONTRACT_ID_MAX];
    char id[TERMINAL_ID_MAX];
    bool open;
};

TP_MUST_CHECK enum tp_err ledger_contract_add(struct ledger *l, const struct contract *c, struct tp_error *e);
TP_MUST_CHECK enum tp_err ledger_contract_get(struct ledger *l, const char *id, struct contract *c, struct tp_error *e); /* TP_ERR_NOT_FOUND */
TP_MUST_CHECK enum tp_err ledger_terminal_add(struct ledger *l, const struct terminal *t, struct tp_error *e);
TP_MUST_CHECK enum tp_err ledger_terminal_get(struct ledger *l, const char *contract, const char *id, struct terminal *t, struct tp_error *e);

/* ---- transactions (ledger/journal.c) ---- */

enum tx_kind { TX_DEBIT, TX_CREDIT };
enum tx_state { TX_ACKNOWLEDGED, TX_IN_REMISE, TX_COLLECTED, TX_REJECTED, TX_REVERSED };

struct tx_record {     /* a transaction that passed every check; spans are borrowed by ledger_acknowledge, and live until the next call when read */
    char rrn[RRN_MAX]; /* given by the ledger */
    char contract[CONTRACT_ID_MAX];
    char terminal[TERMINAL_ID_MAX];
    uint32_t stan;      /* DE 11 */
    int64_t local_time; /* DE 13 and 12 with the year: YYYYMMDDHHMMSS */
    enum tx_kind kind;
    int64_t amount;
    uint16_t currency;
    char pan_masked[20];
    struct span pan_sealed; /* seal.h, context: contract, terminal, stan, local time */
    struct span pan_lookup; /* 32 bytes */
    uint8_t psn;
    uint16_t atc;
    uint8_t ac[8];
    int card_expiry;          /* YYYYMMDD */
    struct span digest;       /* SHA-256 over the content that makes a repeat the same: fields as listed in doc/protocol.md */
    struct span de55, stream; /* the evidence as it came */
    enum tx_state state;      /* when read */
    uint32_t remise;          /* when read: number of the remise it belongs to */
    time_t acknowledged;      /* when read */
};

enum ledger_verdict {                   /* what the books say of a transaction that comes */
                      LEDGER_NEW,       /* unknown: go on checking, or (from ledger_acknowledge) now kept */
                      LEDGER_REPEAT,    /* the same again: rrn is that of the first */
                      LEDGER_DIFFERENT, /* same identity, other content: 94 */
                      LEDGER_ATC_OLD,   /* the ATC is not greater than the last of this card: 63 ATC_REPLAYED */
                      LEDGER_OPPOSITION_LOST,
                      LEDGER_OPPOSITION_STOLEN, /* 41, 43 */
                      LEDGER_REVERSED           /* was kept and has been reversed */
};

/* Identity is (contract, terminal, stan, local_time's day and digest). Looks only. */
TP_MUST_CHECK enum tp_err ledger_look(struct ledger *l, const struct tx_record *tx, enum ledger_verdict *verdict, char rrn[RRN_MAX],
                                      struct tp_error *e);

/* Within ledger_group_begin/commit: checks identity, opposition and ATC again and keeps it in the open remise of its contract, giving rrn. Nothing is kept unless LEDGER_NEW. */
TP_MUST_CHECK enum tp_err ledger_acknowledge(struct ledger *l, struct tx_record *tx, enum ledger_verdict *verdict, struct tp_error *e);
TP_MUST_CHECK enum tp_err ledger_group_begin(struct ledger *l, struct tp_error *e);
TP_MUST_CHECK enum tp_err ledger_group_commit(struct ledger *l, struct tp_error *e); /* durable when it returns TP_OK */
void ledger_group_rollback(struct ledger *l);

/* An annulation: only while the remise is open (DESIGN 9 rule 5): TP_ERR_STATE otherwise. Reversing what is reversed is TP_OK. What is not yet known is remembered,
 * so that a 0200 that overtakes its 0400 is answered as reversed. */
TP_MUST_CHECK enum tp_err ledger_reverse(struct ledger *l, const char *rrn, struct tp_error *e);

TP_MUST_CHECK enum tp_err ledger_opposition_add(struct ledger *l, struct span pan_lookup, bool stolen, struct tp_error *e);

/* ---- remises (ledger/remise.c) ---- */

enum remise_state { REMISE_OPEN, REMISE_CLOSED, REMISE_SUBMITTED, REMISE_COLLECTED, REMISE_REJECTED };

struct remise_totals {                   /* per currency there is one contract, so one line */
    uint32_t debits, credits, reversals; /* counts; reversals are not in the others */
    int64_t debit_amount, credit_amount, reversal_amount;
};

struct remise {
    char contract[CONTRACT_ID_MAX];
    uint32_t number; /* from 1, without a gap per contract */
    enum remise_state state;
    uint16_t currency;
    struct remise_totals totals; /* frozen at close; running while open */
    time_t opened, closed, submitted, settled;
    uint8_t content_hash[32]; /* SHA-256 of the document as first sent; zeros before */
    uint32_t attempts;
    char outcome[120]; /* the centre's word */
};

/* Freezes the open remise and opens the next in the same database transaction. An empty one is not closed: TP_ERR_NOT_FOUND. */
TP_MUST_CHECK enum tp_err ledger_remise_close(struct ledger *l, const char *contract, struct remise *closed, struct tp_error *e);
TP_MUST_CHECK enum tp_err ledger_remise_get(struct ledger *l, const char *contract, uint32_t number, struct remise *r, struct tp_error *e);

/* The transactions of a closed remise in the order of their TxSeqCntr (1…): streamed, constant memory. visit returns anything but TP_OK to stop. */
typedef enum tp_err ledger_visit(void *ctx, uint32_t sequence, const struct tx_record *tx, struct tp_error *e);
TP_MUST_CHECK enum tp_err ledger_remise_items(struct ledger *l, const char *contract, uint32_t number, ledger_visit *visit, void *ctx,
                                              struct tp_error *e);

/* closed → submitted (kept before the first byte leaves, with the hash of the document), again for each attempt. */
TP_MUST_CHECK enum tp_err ledger_remise_submitted(struct ledger *l, const char *contract, uint32_t number, const uint8_t hash[32],
                                                  struct tp_error *e);

struct remise_refusal {
    uint32_t sequence;
    char reason[80];
};
/* submitted → collected: the centre's totals equal ours, but for the refused items, which go to suspense and become rejected (rule 4). */
TP_MUST_CHECK enum tp_err ledger_remise_collected(struct ledger *l, const char *contract, uint32_t number, const struct remise_refusal *refused,
                                                  size_t n, const char *outcome, struct tp_error *e);
/* submitted → rejected: the centre refuses the whole; all its items go to suspense. */
TP_MUST_CHECK enum tp_err ledger_remise_rejected(struct ledger *l, const char *contract, uint32_t number, const char *outcome, struct tp_error *e);

#endif
