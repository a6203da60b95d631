/* The acquirer's books: contracts, terminals, card-signed transactions, remises, in one database.
 * Every state change is one database transaction. A ledger is one connection, used by one thread;
 * several may be open on the same books.
 *
 * Errors of every call: TP_ERR_IO (full disk, read-only, damaged: nothing of the call is kept, and
 * it works again when the disk does), TP_ERR_NO_MEMORY, and the others of store/db.h. Within a
 * group an error of the database spoils the group: nothing but its rollback follows. Rows of
 * transactions are written once and never changed or deleted; what happens to them afterwards
 * (reversal, suspense, the way of their remise) is kept beside them, and their state follows from
 * it. Triggers in the schema refuse every other way. */
#ifndef TP_LEDGER_LEDGER_H
#define TP_LEDGER_LEDGER_H

#include <time.h>

#include "base/money.h"
#include "base/span.h"
#include "collect/remise.h"
#include "ledger/verdict.h"
#include "wire/answer.h"

#define TERMINAL_ID_MAX 9  /* DE 41: 8 and a zero */
#define RRN_MAX         13 /* DE 37: 12 and a zero */
#define ISSUER_NAME_MAX 33 /* 32 and a zero */
#define EVIDENCE_MAX    4096

#define MEDIATOR_NAME_MAX 17 /* 16 and a zero */
#define ORDER_ID_MAX      27 /* 26 and a zero */

struct ledger;

/* Makes the books (init; TP_ERR_EXISTS, never written over), or opens them (TP_ERR_NOT_FOUND;
 * TP_ERR_STATE when another version made them, saying what brings them up). where: a file, or
 * postgresql://… of a database that is there. */
TP_MUST_CHECK enum tp_err ledger_make(const char *where, struct tp_error *e);
TP_MUST_CHECK enum tp_err ledger_open(struct ledger **out, const char *where, struct tp_error *e);
void ledger_close(struct ledger **l);

struct db *ledger_db(struct ledger *l); /* for who serves, and for tests that look behind it */

/* ---- contracts and terminals (ledger/contract.c) ---- */

#define CONTRACT_ANY_HOUR (-1)

struct contract {
    char id[CONTRACT_ID_MAX];
    char name[41];
    char siret[15], town[41], postcode[11]; /* of the point of sale, for its tickets; "": none */
    uint16_t mcc;
    uint16_t currency;  /* numeric: a contract is in one currency */
    uint16_t country;   /* numeric */
    int64_t floor;      /* a TC of at most this is acknowledged without the issuer */
    int64_t ceiling;    /* more is refused (61) */
    int64_t credit_day; /* credits of together at most this a local day; 0: none are taken */
    bool refund_alone;  /* also credits that name no payment */
    int64_t no_cvm; /* a debit of more than this that the card approves by itself needs a verified
                       cardholder (55) */
    int close_hour; /* HHMM local: from when the daily run closes its remise; CONTRACT_ANY_HOUR: any
                       run does */
    bool open;
};

struct terminal {
    char contract[CONTRACT_ID_MAX];
    char id[TERMINAL_ID_MAX];
    uint8_t capabilities[3];          /* 9F33 that it is registered with */
    char serial[TERMINAL_ID_MAX];     /* 9F1E, of 8 characters, of no other terminal; "" in
                                         ledger_terminal_add: the books give one, and write it here */
    char mediator[MEDIATOR_NAME_MAX]; /* whose it is; "": a merchant's own */
    bool mediator_open;               /* when read: it is, or there is none */
    bool open;
};

#define TERMINAL_CAPABILITIES                                                                      \
    "2099CC" /* chip; offline PIN, plain and enciphered (RSA, ODE), no CVM; SDA, DDA, CDA, XDA */

#define ACQUIRER_ID_MAX 17 /* 16 and a zero */
/* The acquirer's own number, given once when its books are made: what a card's signature names the
 * acquirer by (crypto/payee.h). */
/* The day, YYYYMMDD, on which books that knew no payees were raised; 0: they always did. */
TP_MUST_CHECK enum tp_err ledger_raised_on(struct ledger *l, int *day, struct tp_error *e);
TP_MUST_CHECK enum tp_err ledger_acquirer_id(struct ledger *l, char out[ACQUIRER_ID_MAX],
                                             struct tp_error *e);

/* Visitors are called once a row, in order; anything but TP_OK stops and is handed through. They
 * must not call the function that calls them. */
typedef enum tp_err ledger_contract_visit(void *ctx, const struct contract *c, struct tp_error *e);
typedef enum tp_err ledger_terminal_visit(void *ctx, const struct terminal *t, struct tp_error *e);

/* Adds a contract with its first remise open. TP_ERR_EXISTS, TP_ERR_RANGE. */
TP_MUST_CHECK enum tp_err ledger_contract_add(struct ledger *l, const struct contract *c,
                                              struct tp_error *e);
TP_MUST_CHECK enum tp_err ledger_contract_get(struct ledger *l, const char *id, struct contract *c,
                                              struct tp_error *e); /* TP_ERR_NOT_FOUND */
TP_MUST_CHECK enum tp_err ledger_contract_each(struct ledger *l, ledger_contract_visit *visit,
                                               void *ctx, struct tp_error *e);
/* No payment is taken under it any more; its remises go their way. */
TP_MUST_CHECK enum tp_err ledger_contract_shut(struct ledger *l, const char *id,
                                               struct tp_error *e);

TP_MUST_CHECK enum tp_err ledger_terminal_add(
    struct ledger *l, struct terminal *t, struct tp_error *e); /* TP_ERR_NOT_FOUND, TP_ERR_EXISTS */
TP_MUST_CHECK enum tp_err ledger_terminal_get(struct ledger *l, const char *contract,
                                              const char *id, struct terminal *t,
                                              struct tp_error *e);
TP_MUST_CHECK enum tp_err ledger_terminal_each(struct ledger *l,
                                               const char *contract /* NULL: all */,
                                               ledger_terminal_visit *visit, void *ctx,
                                               struct tp_error *e);
TP_MUST_CHECK enum tp_err ledger_terminal_shut(struct ledger *l, const char *contract,
                                               const char *id, struct tp_error *e);

/* ---- mediators (ledger/mediator.c) ---- */

struct mediator {
    char name[MEDIATOR_NAME_MAX];
    bool open;
};
typedef enum tp_err ledger_mediator_visit(void *ctx, const struct mediator *m, struct tp_error *e);

TP_MUST_CHECK enum tp_err ledger_mediator_add(struct ledger *l, const char *name,
                                              struct tp_error *e); /* TP_ERR_EXISTS */
/* A terminal for it under a contract, open, with a number that no terminal has (M0000001 …), which
 * is its serial, too: t is filled. TP_ERR_NOT_FOUND: no such contract or mediator. */
TP_MUST_CHECK enum tp_err ledger_mediator_terminal(struct ledger *l, struct terminal *t,
                                                   const char *mediator, const char *contract,
                                                   struct tp_error *e);
TP_MUST_CHECK enum tp_err ledger_mediator_each(struct ledger *l, ledger_mediator_visit *visit,
                                               void *ctx, struct tp_error *e);
/* Nothing is taken from it any more. TP_ERR_NOT_FOUND. */
TP_MUST_CHECK enum tp_err ledger_mediator_shut(struct ledger *l, const char *name,
                                               struct tp_error *e);

/* ---- transactions (ledger/standing.c, posting.c, reversal.c, read.c) ---- */

enum tx_kind { TX_DEBIT, TX_CREDIT };
enum tx_state { TX_ACKNOWLEDGED, TX_IN_REMISE, TX_COLLECTED, TX_REJECTED, TX_REVERSED };

struct emv_evidence { /* what a payment by a card is proved by; spans as in struct tx_record */
    uint8_t psn;
    uint16_t atc;
    uint8_t ac[8];
    int card_expiry;  /* YYYYMMDD, as signed: a renewed card counts anew */
    struct span aid;  /* the application whose counter it is: as signed (9F06), else its provider's
                         part; at most 16 bytes. Not read back */
    struct span de55; /* as it came, at most EVIDENCE_MAX */
    struct span stream; /* DE 61 to 63, sealed as pan_sealed is, because certificate and records
                           hold the PAN; at most EVIDENCE_MAX */
    bool online;        /* an ARQC that the issuer approved, not a TC */
};

struct mediated_record {         /* what a mediator passed on */
    char order[ORDER_ID_MAX];    /* its id; "": no mediator did */
    uint8_t r[32];               /* of the challenge (wire/payment_challenge.h) */
    uint8_t message[32];         /* SHA-256 of the card's message as it was sealed */
    struct span challenge;       /* text: a JSON object of the challenge's strings */
    struct span device;          /* text: the payer device's statement; empty: none */
    struct span acknowledgement; /* when read, text: what was signed of the outcome; empty: nothing
                                    was */
};

struct tx_record {     /* a transaction that passed every check; spans are borrowed by
                          ledger_acknowledge, and live until the next call when read */
    char rrn[RRN_MAX]; /* given by the ledger */
    char contract[CONTRACT_ID_MAX];
    char terminal[TERMINAL_ID_MAX];
    uint32_t stan;      /* DE 11 */
    int64_t local_time; /* DE 13 and 12 with the year: YYYYMMDDHHMMSS */
    enum tx_kind kind;
    int64_t amount;
    uint16_t currency;
    char pan_masked[20];
    struct span pan_sealed; /* seal.h, of the digits of the PAN; context: ledger_seal_context */
    struct span pan_lookup; /* 32 bytes: seal_lookup of the digits of the PAN */
    struct span digest;     /* SHA-256 over the content that makes a repeat the same: fields as
                               listed in doc/protocol.md */
    struct emv_evidence emv;
    struct mediated_record mediated;
    char undoes[RRN_MAX]; /* of a credit: the payment that it gives back; "": none is named */
    bool vouched;         /* no signature covers it: it counts with its issuer's approval alone */
    enum tx_state state;  /* when read */
    char approval[7];     /* when read: DE 38 of the issuer, "" when none was asked */
    char issuer[ISSUER_NAME_MAX]; /* when read: which */
    uint32_t remise;              /* when read: number of the remise it belongs to */
    time_t acknowledged;          /* when read, and once it is kept */
};

const char *tx_state_name(enum tx_state s); /* "acknowledged", "in remise", … */
const char *tx_kind_name(enum tx_kind k);   /* "debit", "credit" */

/* What pan_sealed and stream are bound to: "contract/terminal/stan/local time" as text. out has
 * room for LEDGER_CONTEXT_MAX bytes. */
#define LEDGER_CONTEXT_MAX 64
struct span ledger_seal_context(uint8_t out[LEDGER_CONTEXT_MAX], const struct tx_record *tx);

/* Looks only, reading the committed books: identity (contract, terminal, stan, local day) against
 * the digest, reversal, whether the contract is open, opposition; then, where the card's signature
 * vouches for them, sequence number and ATC. Needs of tx: contract, terminal, stan, local_time,
 * digest, pan_lookup; when signed also psn, atc, card_expiry, aid, online. */
TP_MUST_CHECK enum tp_err ledger_look(struct ledger *l, const struct tx_record *tx, bool is_signed,
                                      enum ledger_verdict *verdict, char rrn[RRN_MAX],
                                      struct tp_error *e);

/* Within ledger_group_begin/commit: checks identity, opposition and ATC again and keeps it in the
 * open remise of its contract, giving rrn (for LEDGER_REPEAT, LEDGER_DIFFERENT and LEDGER_REVERSED
 * that of the first). Nothing is kept unless LEDGER_NEW. TP_ERR_RANGE: a field the books cannot
 * hold, or another currency than the contract's, which leaves the group as it was. After any other
 * error the group must be rolled back.
 */
TP_MUST_CHECK enum tp_err ledger_acknowledge(struct ledger *l, struct tx_record *tx,
                                             enum ledger_verdict *verdict, struct tp_error *e);
TP_MUST_CHECK enum tp_err ledger_group_begin(struct ledger *l, struct tp_error *e);
TP_MUST_CHECK enum tp_err ledger_group_commit(
    struct ledger *l, struct tp_error *e); /* durable when it returns TP_OK; else rolled back */
/* Within one: writes what changes nothing, so that the commit says whether the books can be
 * written. */
TP_MUST_CHECK enum tp_err ledger_group_touch(struct ledger *l, struct tp_error *e);
void ledger_group_rollback(struct ledger *l);

/* An annulation: only while the remise of the payment is open: TP_ERR_STATE otherwise,
 * TP_ERR_NOT_FOUND for an unknown rrn. Reversing what is reversed is TP_OK. Within a group it
 * belongs to the group; else it is a database transaction of its own. */
TP_MUST_CHECK enum tp_err ledger_reverse(struct ledger *l, const char *rrn, struct tp_error *e);

/* The same by what a 0400 says of the original: date is the local day YYYYMMDD, amount 0 when it
 * does not say. Verdicts: LEDGER_REVERSAL_…; LEDGER_UNKNOWN, no such terminal; LEDGER_AMOUNT. rrn
 * is
 * "" when the original is not known. What the issuer was asked for it is then to be reversed too.
 * Nothing changes but with LEDGER_REVERSAL_DONE and LEDGER_REVERSAL_REMEMBERED. */
TP_MUST_CHECK enum tp_err ledger_reverse_original(struct ledger *l, const char *contract,
                                                  const char *terminal, uint32_t stan, int date,
                                                  int64_t amount, enum ledger_verdict *verdict,
                                                  char rrn[RRN_MAX], struct tp_error *e);

/* ---- questions to issuers (ledger/authorisation.c) ---- */

enum authorisation_state {
    AUTHORISATION_ASKED,
    AUTHORISATION_APPROVED,
    AUTHORISATION_REFUSED,
    AUTHORISATION_TO_REVERSE,
    AUTHORISATION_REVERSED
};
const char *authorisation_state_name(enum authorisation_state s); /* "asked", … */

/* Within a group: books a question before it leaves, giving tx->rrn, which is DE 37 of the 0100 and
 * of the payment that may come of it. Checks as ledger_acknowledge does; nothing is booked unless
 * LEDGER_NEW. An ARQC (tx->emv.online) of a counter that was asked about before is LEDGER_ATC_OLD.
 * Errors as ledger_acknowledge. *asked: the instant that is booked. */
TP_MUST_CHECK enum tp_err ledger_ask(struct ledger *l, struct tx_record *tx, const char *issuer,
                                     enum ledger_verdict *verdict, time_t *asked,
                                     struct tp_error *e);

/* Within a group: the issuer approved the question tx->rrn: keeps the payment and the answer.
 * Verdicts: LEDGER_NEW, it is kept; LEDGER_REVERSED, its 0400 came meanwhile; LEDGER_ATC_OLD, its
 * counter has paid meanwhile; LEDGER_CLOSED, LEDGER_UNKNOWN. But for LEDGER_NEW nothing changes,
 * and the approval is to be reversed (ledger_ask_reverse). Errors as ledger_acknowledge. */
TP_MUST_CHECK enum tp_err ledger_ask_approved(struct ledger *l, struct tx_record *tx,
                                              const struct wire_answer *said,
                                              enum ledger_verdict *verdict, struct tp_error *e);
/* The issuer refused; no answer came, or one that is of no use: then it is to be reversed at the
 * issuer. Both leave alone what is no more being asked. */
TP_MUST_CHECK enum tp_err ledger_ask_refused(struct ledger *l, const char *rrn,
                                             const struct wire_answer *said, struct tp_error *e);
TP_MUST_CHECK enum tp_err ledger_ask_reverse(struct ledger *l, const char *rrn,
                                             const struct wire_answer *said, struct tp_error *e);

/* After a restart nobody waits for an answer any more: all that is still asked is to be reversed.
 */
TP_MUST_CHECK enum tp_err ledger_ask_recover(struct ledger *l, const struct wire_answer *said,
                                             struct tp_error *e);

/* What was said of a question, kept so that a repeat is answered alike. TP_ERR_NOT_FOUND: the
 * issuer was never asked: `said` is as it was. */
TP_MUST_CHECK enum tp_err ledger_said(struct ledger *l, const char *rrn, struct wire_answer *said,
                                      struct tp_error *e);

/* The issuer has reversed what it was asked (0410): TP_OK also when it was so before. */
TP_MUST_CHECK enum tp_err ledger_reversal_done(struct ledger *l, const char *rrn,
                                               struct tp_error *e);

struct authorisation {   /* when read; `said` without DE 55 */
    struct tx_record tx; /* of it: rrn, contract, terminal, stan, local_time, kind, amount,
                            currency, pan_masked, pan_sealed, psn, atc, online */
    char issuer[ISSUER_NAME_MAX];
    enum authorisation_state state;
    struct wire_answer said;
    time_t asked, answered; /* 0: not yet */
};
typedef enum tp_err ledger_authorisation_visit(void *ctx, const struct authorisation *a,
                                               struct tp_error *e);

/* Oldest first; issuer NULL and state -1: all; at most `most` of them, 0: all. */
TP_MUST_CHECK enum tp_err ledger_authorisation_each(struct ledger *l, const char *issuer, int state,
                                                    unsigned most,
                                                    ledger_authorisation_visit *visit, void *ctx,
                                                    struct tp_error *e);
/* TP_ERR_NOT_FOUND: the issuer was never asked: `said` is as it was. */
TP_MUST_CHECK enum tp_err ledger_authorisation_get(struct ledger *l, const char *rrn,
                                                   struct authorisation *a, struct tp_error *e);

/* What a mediator passed on, by the number of the payment or of the question. */
struct mediated_kept { /* spans live until the next call */
    char mediator[MEDIATOR_NAME_MAX];
    struct mediated_record what;
    bool online; /* its card asked for the issuer */
};
TP_MUST_CHECK enum tp_err ledger_mediated_get(struct ledger *l, const char *rrn,
                                              struct mediated_kept *out,
                                              struct tp_error *e); /* TP_ERR_NOT_FOUND */
/* Keeps what was signed of the outcome; once. */
TP_MUST_CHECK enum tp_err ledger_mediated_answered(struct ledger *l, const char *rrn,
                                                   const char *acknowledgement, struct tp_error *e);

/* Reading. A filter's empty or negative member means all. */
struct tx_filter {
    const char *contract;
    int state;      /* enum tx_state, or -1 */
    int64_t remise; /* number, or -1 */
};
typedef enum tp_err ledger_visit(void *ctx, uint32_t sequence, const struct tx_record *tx,
                                 struct tp_error *e);
TP_MUST_CHECK enum tp_err ledger_tx_get(struct ledger *l, const char *rrn, struct tx_record *tx,
                                        struct tp_error *e); /* TP_ERR_NOT_FOUND */
TP_MUST_CHECK enum tp_err ledger_tx_each(struct ledger *l, const struct tx_filter *filter,
                                         ledger_visit *visit, void *ctx, struct tp_error *e);

/* ---- oppositions (ledger/opposition.c) ---- */

struct opposition {
    char pan_masked[20];
    bool stolen; /* else lost */
    time_t since;
};
typedef enum tp_err ledger_opposition_visit(void *ctx, const struct opposition *o,
                                            struct tp_error *e);
/* Adding again changes the reason. */
TP_MUST_CHECK enum tp_err ledger_opposition_add(struct ledger *l, struct span pan_lookup,
                                                const char *pan_masked, bool stolen,
                                                struct tp_error *e);
TP_MUST_CHECK enum tp_err ledger_opposition_remove(struct ledger *l, struct span pan_lookup,
                                                   struct tp_error *e); /* TP_ERR_NOT_FOUND */
/* LEDGER_OPPOSITION_LOST, _STOLEN; LEDGER_NEW: that card is not on the list. */
TP_MUST_CHECK enum tp_err ledger_opposition_of(struct ledger *l, enum ledger_verdict *verdict,
                                               struct span pan_lookup, struct tp_error *e);
TP_MUST_CHECK enum tp_err ledger_opposition_each(struct ledger *l, ledger_opposition_visit *visit,
                                                 void *ctx, struct tp_error *e);

/* ---- refusals (ledger/refusal.c) ---- */

struct refusal { /* of a payment (0200, 0201) */
    time_t at;
    char contract[CONTRACT_ID_MAX], terminal[TERMINAL_ID_MAX];
    uint32_t stan;
    int64_t amount;
    uint16_t currency;
    char pan_masked[20];
    char code[3];    /* DE 39 */
    char reason[26]; /* DE 44 */
};
typedef enum tp_err ledger_refusal_visit(void *ctx, const struct refusal *x, struct tp_error *e);

/* Keeps it, within a group; of one terminal a thousand a day, and those beyond are counted. */
TP_MUST_CHECK enum tp_err ledger_refusal_add(struct ledger *l, const struct refusal *x,
                                             struct tp_error *e);
/* Oldest first; contract NULL: all. */
TP_MUST_CHECK enum tp_err ledger_refusal_each(struct ledger *l, const char *contract,
                                              ledger_refusal_visit *visit, void *ctx,
                                              struct tp_error *e);
/* How many were counted only. */
TP_MUST_CHECK enum tp_err ledger_refusal_beyond(struct ledger *l, const char *contract,
                                                int64_t *beyond, struct tp_error *e);

/* ---- remises (ledger/remise.c) ---- */

/* Freezes the open remise and opens the next in the same database transaction. One that has nothing
 * to collect (no transaction, or only reversed ones) is not closed: TP_ERR_NOT_FOUND. */
TP_MUST_CHECK enum tp_err ledger_remise_close(struct ledger *l, const char *contract,
                                              struct remise *closed, struct tp_error *e);
TP_MUST_CHECK enum tp_err ledger_remise_get(struct ledger *l, const char *contract, uint32_t number,
                                            struct remise *r, struct tp_error *e);
/* The open one, with its running totals (0500). */
TP_MUST_CHECK enum tp_err ledger_remise_running(struct ledger *l, const char *contract,
                                                struct remise *r, struct tp_error *e);

/* What a terminal's payments of a local day (YYYYMMDD) come to, in whatever remise they are; what
 * was reversed is counted on its own. Zeros for one that is not known. */
TP_MUST_CHECK enum tp_err ledger_day(struct ledger *l, const char *contract, const char *terminal,
                                     int date, struct remise_totals *totals, struct tp_error *e);

/* All remises by contract and number; contract NULL: of all contracts; state -1: in all states. */
TP_MUST_CHECK enum tp_err ledger_remise_each(struct ledger *l, const char *contract, int state,
                                             remise_visit *visit, void *ctx, struct tp_error *e);

/* The transactions of a closed remise (not the reversed ones) in the order of their TxSeqCntr (1…):
 * streamed, constant memory, one snapshot. TP_ERR_STATE while it is open. */
TP_MUST_CHECK enum tp_err ledger_remise_items(struct ledger *l, const char *contract,
                                              uint32_t number, ledger_visit *visit, void *ctx,
                                              struct tp_error *e);

/* closed → submitted (kept before the first byte leaves, with the hash of the document), again for
 * each attempt: TP_ERR_EXISTS when the hash differs from that of the first,
 * TP_ERR_STATE when it is settled or still open. */
TP_MUST_CHECK enum tp_err ledger_remise_submitted(struct ledger *l, const char *contract,
                                                  uint32_t number, const uint8_t hash[32],
                                                  struct tp_error *e);

/* submitted → collected: the centre's totals equal ours, but for the refused items, which go to
 * suspense and become rejected. TP_ERR_RANGE: a sequence that the remise does not have, or
 * twice. Done again with the same: TP_OK. */
TP_MUST_CHECK enum tp_err ledger_remise_collected(struct ledger *l, const char *contract,
                                                  uint32_t number,
                                                  const struct remise_refusal *refused, size_t n,
                                                  const char *outcome, struct tp_error *e);
/* submitted → rejected: the centre refuses the whole; all its items go to suspense. Done again:
 * TP_OK. */
TP_MUST_CHECK enum tp_err ledger_remise_rejected(struct ledger *l, const char *contract,
                                                 uint32_t number, const char *outcome,
                                                 struct tp_error *e);

/* What of a settled remise is not paid: the centre refused it, item by item or whole. Zeros while
 * it is not settled. */
TP_MUST_CHECK enum tp_err ledger_remise_refused(struct ledger *l, const struct remise *r,
                                                struct remise_totals *refused, struct tp_error *e);

/* ---- suspense (ledger/suspense.c) ---- */

struct suspense_item {
    char rrn[RRN_MAX];
    char contract[CONTRACT_ID_MAX];
    uint32_t remise;
    enum tx_kind kind;
    int64_t amount;
    uint16_t currency;
    char pan_masked[20];
    char reason[80];
    time_t since;
    time_t settled; /* 0: still to be settled */
    char note[200]; /* how the operator settled it */
};
typedef enum tp_err ledger_suspense_visit(void *ctx, const struct suspense_item *s,
                                          struct tp_error *e);
TP_MUST_CHECK enum tp_err ledger_suspense_each(struct ledger *l, bool settled_too,
                                               ledger_suspense_visit *visit, void *ctx,
                                               struct tp_error *e);
/* The operator's word on an item, kept for good. TP_ERR_NOT_FOUND, TP_ERR_STATE (settled already),
 * TP_ERR_USAGE (an empty or too long note). */
TP_MUST_CHECK enum tp_err ledger_suspense_settle(struct ledger *l, const char *rrn,
                                                 const char *note, struct tp_error *e);

#endif
