/* What the files of a lesson share. */
#ifndef TP_PAYER_LESSON_PRIV_H
#define TP_PAYER_LESSON_PRIV_H

#include "base/text.h"
#include "decode/decode.h"
#include "kernel/kernel.h"
#include "payer/lesson.h"
#include "payer/rerun.h"

struct lesson_step {
    const char *title, *clause, *purpose; /* in English; title NULL: no step of its own */
};
const struct lesson_step *lesson_step(enum kernel_step step);

/* What a command is sent for at that step, a sentence without its subject; NULL: nobody knows. */
const char *lesson_purpose(enum kernel_step step, struct span command);

/* Why a bit was set, a sentence, into out; and the clause that has it set. spent: what the card
 * paid here before, by the terminal's log, in minor units. Returns out. */
#define LESSON_WHY_MAX 600
char *lesson_why(char out[LESSON_WHY_MAX], const char **clause, const struct transaction *tx,
                 uint32_t tag, unsigned bit, int64_t spent);

/* "TC", "ARQC", "AAC": of the bits of P1 of GENERATE AC and of 9F27. */
const char *lesson_cryptogram(uint8_t bits);
/* A member of a tree that is a text; "" when there is none. */
const char *lesson_text(const json_t *of, const char *member);
/* A value as it is shown, in hex and cut when it is long; Returns out. */
#define LESSON_VALUE_MAX 72
char *lesson_value(char out[LESSON_VALUE_MAX], const json_t *object);
/* An amount of the transaction's currency. Returns out. */
#define LESSON_MONEY_MAX 48
char *lesson_money(char out[LESSON_MONEY_MAX], const struct transaction *tx, int64_t minor);

#define SENTENCE_MAX 2048

struct making {
    const struct transcript *t;
    struct decode d;
    struct names *names;
    struct pay_result result;
    struct rerun rerun;
    const struct transaction *tx; /* as far as it has come; NULL: not begun */
    enum kernel_step step;
    json_t *steps, *items;                      /* items: of the step under way */
    unsigned line;                              /* of the last command told */
    uint8_t currency[5];                        /* 5F2A, for decoding amounts */
    bool lost;                                  /* what was decided cannot be told from here on */
    bool method, certificates, asked, answered; /* told */
    uint8_t wanted;                             /* P1 of the last GENERATE AC; asked: not told */
    size_t rules;                               /* of the CVM list, told */
    bool failed;                                /* no memory */
};

/* Formats, titles, purposes and reasons are given in English, and translated there: those that are
 * no literal of the call itself, or one of two, are marked by N_.
 *
 * A sentence of the step under way; clause NULL: none. Borrowed. */
json_t *lesson_says(struct making *m, const char *clause, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
/* One more sentence of that list of an item. */
void lesson_line(struct making *m, json_t *of, const char *member, const char *format, ...)
    __attribute__((format(printf, 4, 5)));
/* What one of the five says to another. */
void lesson_message(struct making *m, const char *from, const char *to, const char *format, ...)
    __attribute__((format(printf, 4, 5)));
/* A new step. */
void lesson_begin(struct making *m, const char *title, const char *clause, const char *purpose);
/* Data of the transaction, decoded. */
void lesson_data(struct making *m, const uint32_t *tags, size_t n);
/* A fact of the trace that is a number; false, and 0: it has none. */
bool lesson_number(const struct making *m, const char *name, int64_t *out);

/* What was decided (lesson_tell.c). From lesson_lose on nothing can be told of it. */
void lesson_lose(struct making *m, const char *why);
void lesson_method(struct making *m);
void lesson_certificates(struct making *m); /* the chain down to what failed, or to the card */
void lesson_static(struct making *m);
void lesson_signature(struct making *m, const char *clause);
void lesson_rules(struct making *m); /* of the CVM list, those not told yet */
void lesson_pin(struct making *m);
void lesson_restrictions_end(struct making *m);
void lesson_risk_begins(struct making *m);
void lesson_risk_ends(struct making *m);
void lesson_codes(void *ctx, const struct transaction *tx, enum kernel_codes which,
                  const uint8_t iac[5], const uint8_t tac[5]);
void lesson_cryptogram_given(struct making *m);
void lesson_issuer(struct making *m);
void lesson_complete(struct making *m);

#endif
