/* The terminal: who is paid, under which contract, by way of which acquirer, and how cards are
 * accepted. It comes from the configuration file that `telepay-acquirer terminal add` wrote. */
#ifndef TP_PAYER_TERMINAL_H
#define TP_PAYER_TERMINAL_H

#include <jansson.h>

#include "base/money.h"
#include "crypto/pki.h"
#include "kernel/kernel.h"

enum ticket_language { TICKET_ENGLISH, TICKET_FRENCH, TICKET_LANGUAGES };
extern const char *const ticket_languages[TICKET_LANGUAGES]; /* of ISO 639-1: "en" */

struct ticket_style {                                 /* of the shop's tickets: [ticket] */
    enum ticket_language languages[TICKET_LANGUAGES]; /* its own, then what its customers may have;
                                                         en */
    size_t languages_n;
    unsigned width;         /* in columns: 24 to 48; 44 */
    char printer[PATH_MAX]; /* an ESC/POS printer: device, FIFO or file; "": none */
};

struct shop { /* what a ticket says of the contract beside its name; "": nothing */
    char siret[15], town[41], postcode[11];
};

struct terminal {
    struct conf *conf;
    char host[256], port[6];
    char acquirer[17]; /* [acquirer] id: the acquirer's number, part of what the card signs
                          (crypto/payee.h) */
    struct pki_files tls;
    char journal[PATH_MAX];
    char exceptions[PATH_MAX]; /* [terminal] exceptions: cards not to be taken (payer/memory.h); ""
                                  none */
    int timeout_ms;   /* [acquirer] timeout, in seconds: to connect, and to be answered; 15 */
    unsigned repeats; /* [acquirer] repeats: how often an unanswered message is sent again; 2 */
    const struct currency *currency;
    struct capk_store *authorities;
    struct terminal_config kernel;
    struct shop shop;
    struct ticket_style ticket;
    uint8_t ddol[KERNEL_AIDS_MAX][252];
};

/* Reads all of it; acquirer "" when it does not say (terminal_names_payee). TP_ERR_NOT_FOUND,
 * TP_ERR_FORMAT, TP_ERR_USAGE naming file, section and key. */
TP_MUST_CHECK enum tp_err terminal_load(struct terminal **out, const char *path,
                                        struct tp_error *e);

/* One without a file, a journal and a way to the acquirer: its sections [terminal] and
 * [application …] are those of a text, whose name is said to people; authorities is a list of
 * documents as capk_store_load reads them. The same errors. */
TP_MUST_CHECK enum tp_err terminal_parse(struct terminal **out, const char *name, const char *text,
                                         const json_t *authorities, struct tp_error *e);

/* A configuration that terminal add wrote before cards signed their payee has no number of the
 * acquirer, and another serial than it may know: good for the journal, not for a payment.
 * TP_ERR_USAGE with the remedy. */
TP_MUST_CHECK enum tp_err terminal_names_payee(const struct terminal *t, struct tp_error *e);

/* A terminal that can only read cards: the well-known applications and the project's own authority
 * keys, no contract and no acquirer. */
TP_MUST_CHECK enum tp_err terminal_reading(struct terminal **out, struct tp_error *e);
void terminal_free(struct terminal **t);

/* Keeps only the applications that begin with aid, or with which aid begins. TP_ERR_USAGE when none
 * is left. */
TP_MUST_CHECK enum tp_err terminal_only(struct terminal *t, struct span aid, struct tp_error *e);

#endif
