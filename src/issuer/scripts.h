/* Issuer scripts on their way: into an answer, under the secure messaging of the card's kind
 * (crypto/script.h); and what became of those that were sent. */
#ifndef TP_ISSUER_SCRIPTS_H
#define TP_ISSUER_SCRIPTS_H

#include "crypto/iad.h"
#include "crypto/script.h"
#include "issuer/authorise.h"

#define SCRIPTS_MAX                                                                                \
    128 /* bytes of all templates of one answer that a terminal must take: EMV 4.4 Book 4, 6.3.9   \
         */
#define SCRIPTS_ALARM 3 /* deliveries of one script */

struct scripts_sent {
    uint32_t id[16];
    size_t n;
};

/* Appends what is queued for the account, as many as have room: a template 71, then a 72, each with
 * 9F18 and an object 86 for every command (EMV 4.4 Book 3, 10.10); for a card of the Common Core
 * only the first of the two, what waits for the other going with the next answer. Says which in
 * *sent. ac: that of the request, atc: 9F36. */
TP_MUST_CHECK enum tp_err scripts_put(struct authoriser *a, struct buf *out,
                                      struct scripts_sent *sent, const struct account *account,
                                      const char *pan, const uint8_t atc[2], const uint8_t ac[8],
                                      struct tp_error *e);
TP_MUST_CHECK enum tp_err scripts_mark(struct authoriser *a, const struct scripts_sent *sent,
                                       int64_t authorisation, struct tp_error *e);

/* Settles what was delivered to the account by what a later transaction of the card says: its CVR;
 * and 9F5B, which may say which of several, where it agrees with the CVR (EMV 4.4 Book 4, Annex A5:
 * five bytes a script, the first with the result in its high nibble: 0 not done, 1 failed, 2 done;
 * in its low one the command that failed; then the script identifier). What was not done waits
 * again, with an alarm in the log from SCRIPTS_ALARM deliveries on. */
TP_MUST_CHECK enum tp_err scripts_settle(struct authoriser *a, const struct account *account,
                                         const struct emv_iad *iad, struct span results,
                                         struct tp_error *e);

/* The kinds that script queue knows. */
struct script_kind {
    const char *name; /* "change-pin" */
    uint8_t head[4];
    bool pin;  /* takes a PIN */
    bool data; /* takes data, and its P1 P2 are given */
};
const struct script_kind *script_kind(const char *name); /* NULL */
const struct script_kind *script_kind_at(size_t i);      /* NULL at the end */

#endif
