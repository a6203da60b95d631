/* What the files of the kernel share. Each step of a transaction is a function `step_x(tx)` that
 * goes on (TP_OK), fails (an error of reader or machine), or ends the transaction as the standard
 * says (TX_ENDED, made by tx_end). */
#ifndef TP_KERNEL_PRIV_H
#define TP_KERNEL_PRIV_H

#include "apdu/dol.h"
#include "apdu/emvbits.h"
#include "apdu/emvtags.h"
#include "apdu/sw.h"
#include "base/mask.h"
#include "crypto/ode.h"
#include "kernel/kernel.h"

#define TX_ENDED                                                                                   \
    TP_ERR_COUNT /* inside the kernel only: the outcome is in the transaction, nothing failed */

#define STORE_OBJECTS   256
#define STORE_BYTES     (24 * 1024)
#define STATIC_DATA_MAX 4096 /* of offline data authentication: more than 15 full records */
#define CVM_RULES_MAX                                                                              \
    126 /* 252 bytes of CVM list less the two amounts, two bytes a rule: Book 3, 10.5 */
#define PIN_UNKNOWN_TRIES 0xFFU

enum origin {
    FROM_TERMINAL,
    FROM_SELECT,
    FROM_GPO,
    FROM_RECORD,
    FROM_CARD /* GET DATA, GENERATE AC, signatures */,
    FROM_KERNEL /* DF01 … */
};

struct object {
    uint32_t tag;
    enum origin origin;
    size_t at, n, room; /* in the store's bytes */
};

struct store {
    struct object objects[STORE_OBJECTS];
    size_t objects_n;
    uint8_t bytes[STORE_BYTES];
    size_t used;
};

struct listed { /* a candidate and the terminal's own entry for it */
    struct candidate c;
    const struct terminal_application *app; /* NULL: not of the terminal, only read */
};

struct transaction {
    /* The run's means; NULL when it is over. */
    struct reader *reader;
    const struct terminal_config *config;
    const struct transaction_request *request;
    const struct kernel_person *person;
    const struct kernel_online *online;
    struct tp_error *e;

    bool reading; /* kernel_read_card: nothing is signed */
    enum kernel_outcome outcome;
    char reason[240];

    struct listed list[KERNEL_CANDIDATES_MAX];
    size_t list_n;
    bool blocked; /* an application that this terminal takes was refused as blocked (6283) */
    uint8_t pse_language[8]; /* 5F2D of the PSE */
    size_t pse_language_n;
    struct listed selected;
    bool has_selected, live;
    bool chosen_before; /* the cardholder chose or confirmed an application, which then was not
                           taken: Book 1, 12.4 */

    struct store data;
    uint8_t *tvr, *tsi, *cvm_results; /* in the store */
    uint8_t capabilities[3];          /* 9F33 of this run */
    uint8_t aip[2];
    char pan[PAN_TEXT_MAX + 1];

    uint8_t static_data[STATIC_DATA_MAX];
    size_t static_n;
    bool static_broken; /* a record of the AFL that cannot be authenticated: Book 3, 10.3 */

    struct kernel_authentication oda;
    struct emv_pubkey *issuer_key, *icc_key,
        *pin_key; /* pin_key: only of a certificate of its own */
    bool issuer_tried;
    struct ec_pubkey issuer_ec, icc_ec, pin_ec; /* the same of elliptic curves */
    struct ode ode;                             /* once agreed with the card, for each PIN */
    uint8_t ode_x[EC_FIELD_MAX];                /* the terminal's end of it */

    struct kernel_cvm cvms[CVM_RULES_MAX];
    size_t cvms_n;
    bool pin_bypassed;
    unsigned pin_tries;

    struct kernel_issuer_answer issuer;
    bool issuer_approved;

    bool split; /* the amount alone is under the floor limit */

    uint8_t response[APDU_SHORT_RESPONSE_MAX];
};

/* kernel.c */
enum tp_err tx_end(struct transaction *tx, enum kernel_outcome outcome, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
enum tp_err tx_end_sw(
    struct transaction *tx, uint16_t sw,
    const char *command); /* terminated: the answer is not one the standard goes on with */
void tx_step(struct transaction *tx, enum kernel_step step); /* tells of it */

/* command.c: commands to the card. Response data lives until the next command. */
TP_MUST_CHECK enum tp_err command_send(struct transaction *tx, const struct capdu *command,
                                       struct span *data, uint16_t *sw);
TP_MUST_CHECK enum tp_err command_read_record(struct transaction *tx, uint8_t sfi, uint8_t record,
                                              struct span *data, uint16_t *sw);
/* GET DATA of a primitive object; an empty value when the card does not give it, or gives another
 * length than n (n 0: any). */
TP_MUST_CHECK enum tp_err command_get_data(struct transaction *tx, uint32_t tag, size_t n,
                                           struct span *value);

/* data.c: the store of data objects, one value per tag. */
TP_MUST_CHECK enum tp_err data_put(struct transaction *tx, uint32_t tag, enum origin origin,
                                   struct span value);
/* False for what only a terminal, an issuer or the kernel itself makes: such objects are not taken
 * from a card. */
bool data_of_card(uint32_t tag);
struct span data_get(const struct transaction *tx, uint32_t tag);
const struct object *data_object(const struct transaction *tx, uint32_t tag); /* NULL: none */
TP_MUST_CHECK enum tp_err data_start(
    struct transaction
        *tx); /* empty but for the terminal's objects of this transaction; TVR and TSI all zero */
TP_MUST_CHECK enum tp_err data_application(
    struct transaction *tx); /* and those of the selected application */
/* Values for a DOL, kept in the store as `keep` (a DFxx tag; 0: not kept). TX_ENDED when the DOL is
 * malformed. name: "PDOL". */
TP_MUST_CHECK enum tp_err data_dol(struct transaction *tx, struct buf *out, struct span dol,
                                   uint32_t keep, const char *name);
void tvr_set(struct transaction *tx, unsigned bit);
void tsi_set(struct transaction *tx, uint8_t bit);

/* select.c */
TP_MUST_CHECK enum tp_err select_list(
    struct transaction *tx, bool all); /* the candidate list; all: also what the terminal has not */
TP_MUST_CHECK enum tp_err select_application(
    struct transaction *tx); /* final selection from the list */
TP_MUST_CHECK enum tp_err select_one(
    struct transaction *tx, size_t i,
    uint16_t *sw); /* the ith of the list; not SW_OK: the card will not */
void select_drop(struct transaction *tx, size_t i);
size_t select_index(const struct transaction *tx); /* of the selected one in the list */

/* gpo.c, read.c */
TP_MUST_CHECK enum tp_err step_initiate(struct transaction *tx,
                                        bool *refused); /* refused: 6985, back to selection */
TP_MUST_CHECK enum tp_err step_read(struct transaction *tx);

/* oda.c, oda_chain.c */
TP_MUST_CHECK enum tp_err step_authenticate(struct transaction *tx);
TP_MUST_CHECK enum tp_err step_prove(struct transaction *tx); /* DDA alone, which ends it */
TP_MUST_CHECK enum tp_err oda_issuer_key(struct transaction *tx, const char **failed_at,
                                         enum emv_check *check);
TP_MUST_CHECK enum tp_err oda_icc_key(struct transaction *tx, const char **failed_at,
                                      enum emv_check *check);
TP_MUST_CHECK enum tp_err oda_copy_key(struct transaction *tx, struct emv_pubkey **out,
                                       const struct emv_pubkey *key); /* NULL of NULL */
void oda_failed(struct transaction *tx, const char *at, enum emv_check check);
bool oda_wants_cda(const struct transaction *tx); /* chosen, and nothing failed so far */

/* xda.c: elliptic curves, Book 2, 12 */
bool xda_selected(const struct transaction *tx);
bool xda_failed(const struct transaction *tx);
/* Whether the card's keys are of elliptic curves: there is no mixture (Book 3, 10.3). */
bool xda_keys(const struct transaction *tx);
/* Before the first terminal action analysis: authority key and certificates. A certificate that
 * fails shows in the TVR only after the first GENERATE AC (Book 4, 6.3.2.2). */
TP_MUST_CHECK enum tp_err xda_authenticate(struct transaction *tx);
/* After each GENERATE AC; hashed: what the response holds before and behind 9F4B. */
TP_MUST_CHECK enum tp_err xda_check_signature(struct transaction *tx, bool second, enum ac_type got,
                                              struct span sdad, const struct span hashed[2]);
/* The key that PINs are enciphered under, in tx->pin_ec when it is good. */
TP_MUST_CHECK enum tp_err xda_pin_key(struct transaction *tx);

/* restrictions.c, cvm.c, pin.c, risk.c */
TP_MUST_CHECK enum tp_err step_restrictions(struct transaction *tx);
TP_MUST_CHECK enum tp_err step_verify(struct transaction *tx);
TP_MUST_CHECK enum tp_err pin_verify(struct transaction *tx, bool enciphered, bool *ok);
TP_MUST_CHECK enum tp_err step_risk(struct transaction *tx);
unsigned risk_target_percent(const struct terminal_application *app,
                             int64_t amount); /* Book 3, 10.6.2; 0: never */

/* script.c: those of one template of the issuer's answer, 71 or 72, with their results in 9F5B. An
 * error: the card left. */
TP_MUST_CHECK enum tp_err scripts_run(struct transaction *tx, uint32_t kind);

/* action.c, generate.c, complete.c */
enum ac_type action_first(
    struct transaction *tx);                /* writes into reason what decided, when it declines */
bool action_denied(struct transaction *tx); /* by the codes "denial" alone */
enum ac_type action_unable_online(struct transaction *tx);
bool terminal_offline_only(const struct terminal_config *c);
bool terminal_unattended(const struct terminal_config *c);
/* failed: a signature was asked for and is missing or wrong. */
TP_MUST_CHECK enum tp_err generate_ac(struct transaction *tx, enum ac_type want, bool second,
                                      enum ac_type *got, bool *failed);
TP_MUST_CHECK enum tp_err step_complete(struct transaction *tx);

#endif
