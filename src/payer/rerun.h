/* A payment once more, from its transcript (payer/trace.h): the kernel runs against what the card
 * answered then, with what the person, the acquirer and chance said then. Nothing is sent to an
 * acquirer, nothing is kept in a journal, no PIN is asked. */
#ifndef TP_PAYER_RERUN_H
#define TP_PAYER_RERUN_H

#include "drivers/transcript.h"
#include "payer/pay.h"

struct rerun_word { /* what one run came to: the facts "outcome", "reason", "authentication",
                       "result" */
    char outcome[16], reason[480], authentication[320], result[320];
};

struct rerun {
    bool masked; /* the certificates cannot be judged again: what they came to then was used */
    unsigned differences; /* commands */
    struct rerun_word then, now;
};

/* Runs it; each command that is not as recorded is told on stderr. Everything is in *result as
 * after pay_run, and in *rerun. */
void rerun_payment(struct pay_result *result, struct rerun *rerun, const char *path);

struct rerun_watch { /* who follows it, to explain it; all with the ctx of the kernel's */
    struct kernel_watch kernel;
    void (*plays)(void *ctx, const struct transcript_exchange *x); /* before it is answered */
};

/* The same of a transcript that is there, followed. One that is cut, so that it does not say how
 * the payment ended, is run as far as it goes: then.outcome is "", and no difference is told. */
void rerun_followed(struct pay_result *result, struct rerun *rerun, const struct transcript *t,
                    const struct rerun_watch *watch);

/* Outcome is that of then, and so were all commands; authentication and result too, where they are
 * recorded. Reasons are words, and may change. */
bool rerun_same(const struct rerun *r);

/* The facts of a transcript as what a run takes. What they hand out lives as long as the
 * transcript. Errors name file and line. */
TP_MUST_CHECK enum tp_err rerun_terminal(struct terminal **out, const struct transcript *t,
                                         struct tp_error *e);
TP_MUST_CHECK enum tp_err rerun_request(struct transaction_request *q, uint8_t only[16],
                                        const struct transcript *t, struct tp_error *e);

struct rerun_recorded { /* owns the keys */
    struct kernel_recorded kernel;
    struct emv_pubkey *icc_key, *pin_key;
};
TP_MUST_CHECK enum tp_err rerun_recorded(struct rerun_recorded *out, const struct transcript *t,
                                         struct tp_error *e);
void rerun_recorded_free(struct rerun_recorded *r);
/* The nth fact "online"; *failed: it says so, or there is none. */
TP_MUST_CHECK enum tp_err rerun_online(struct kernel_issuer_answer *out, bool *failed,
                                       const struct transcript *t, size_t nth, struct tp_error *e);

#endif
