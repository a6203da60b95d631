/* What the card signed of a thing that the terminal gave it, against what the acquirer knows of
 * that thing. */
#ifndef TP_LEDGER_PAYEE_H
#define TP_LEDGER_PAYEE_H

#include "crypto/payee.h"
#include "ledger/evidence.h"
#include "ledger/ledger.h"

enum payee_found {
    PAYEE_UNSIGNED, /* no list of the card asks for it */
    PAYEE_SIGNED,   /* signed, and the same */
    PAYEE_NOBODY,   /* asked for, and zeros: the terminal had none to give (Book 3, 5.4), as all of
                       before did */
    PAYEE_OTHER     /* signed, and something else */
};

/* Looks for tag (of two bytes) in the values of CDOL1 and of CDOL2: each that asks for it must hold
 * `expected`, cut or filled to the length asked (EMV 4.4 Book 3, 5.4). The evidence was found right
 * before. */
enum payee_found payee_signed(const struct evidence *ev, uint32_t tag, struct span expected);

/* The value of a tag that the card signed at its first GENERATE AC. Empty: it was not asked for. */
struct span payee_value(const struct evidence *ev, uint32_t tag);

/* The transaction sequence counter of DE 55 (9F41). TP_ERR_FORMAT. */
TP_MUST_CHECK enum tp_err payee_sequence(struct span de55, uint32_t *counter);

/* Whether the card signed (9F7C) that it pays the payee that books or message name: contract,
 * terminal, local_time, de55 of tx. */
enum payee_found payee_look(const struct evidence *ev, const char *acquirer,
                            const struct tx_record *tx);

#endif
