/* What the files of a lesson share. */
#ifndef TP_PAYER_LESSON_PRIV_H
#define TP_PAYER_LESSON_PRIV_H

#include "kernel/kernel.h"
#include "payer/lesson.h"

struct lesson_step {
    const char *title, *clause, *purpose; /* title NULL: no step of its own */
};
const struct lesson_step *lesson_step(enum kernel_step step);

/* What a command is sent for at that step, a sentence without its subject. */
const char *lesson_purpose(enum kernel_step step, struct span command);

/* Why a bit was set, a sentence, into out; and the clause that has it set. spent: what the card
 * paid here before, by the terminal's log, in minor units. Returns out. */
#define LESSON_WHY_MAX 320
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

#endif
