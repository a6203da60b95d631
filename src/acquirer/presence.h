/* Who a card is: a mediator passes on what a card signed for its request, sealed, and is told a
 * name for the card that is its own alone, signed (doc/protocol.md, By card). The card's number
 * goes no further than here, and nothing is kept. */
#ifndef TP_ACQUIRER_PRESENCE_H
#define TP_ACQUIRER_PRESENCE_H

#include "acquirer/check.h"
#include "acquirer/keys.h"
#include "wire/mediation.h"

struct presence {                /* begins as {0} */
    enum ledger_verdict verdict; /* LEDGER_NEW: nothing stands against it */
    char word[VERDICT_WORD_MAX];
    char pan_masked[PAN_TEXT_MAX]; /* for the log; "": it was not found right */
    char *card;                    /* LETTER_CARD (free()) */
};

/* A refusal is an outcome; an error is ours. */
TP_MUST_CHECK enum tp_err presence_judge(struct presence *out, const struct mediation *parts,
                                         const struct acquirer_keys *keys, struct checker *checker,
                                         const struct party *party, time_t now, struct tp_error *e);

/* What the card is called at that mediator: HMAC-SHA-256, under the key that card numbers are
 * looked up by, of "telepay-card-1|MEDIATOR|NUMBER". Numbers have few digits: without the key
 * somebody could try them all, and with one mediator's names nobody knows another's. */
TP_MUST_CHECK enum tp_err presence_name(uint8_t out[SEAL_LOOKUP], struct seal *seal,
                                        const char *mediator, const char *pan);

#endif
