/* The file of --trace: a transcript (drivers/transcript.h) of one card, with what must not be seen
 * masked. With the facts of a payment before and behind the commands it holds all that running the
 * payment again needs (payer/rerun.h).
 *
 * Facts of a payment, in the order of the file. Those that are named by a tag hold its value in
 * hex, as the terminal has it. telepay, reader, atr, protocol, keypad what wrote it; where the card
 * was; "T=0" or "T=1"; yes: the reader takes a PIN itself 9F02 5F2A 5F36 9C 9A 9F21 9F41 9F37 the
 * payment: amount, currency and exponent, type, date, time, sequence counter, unpredictable number
 *     9F35 9F33 9F40 9F1A 9F15 9F1C 9F16 9F4E 9F1E   the terminal
 *     only, only-label                       the beginning of the AID, or the name, of the
 * application that was asked for, if one was allow-live                             yes: a card of
 * a live scheme is let sign application                            one for each in the terminal:
 * AID, then name=value as in the terminal's configuration choice which application of the list the
 * person chose, from 0; -1: none pin                                    each time one was asked
 * for: "entered" (never which), "no PIN" (other than 4 to 12 digits), "bypassed", "no pad" or
 * "left" online                                 what came back from the acquirer: "not reached",
 * "failed", or arc= approval= 91= scripts= in hex spent, exception                       what the
 * terminal's memory said: minor units paid with this card before; yes or no; or failed random
 * whether the terminal's random selection took this payment: yes or no authority each key of the
 * terminal that could open the card's certificate icc-key, pin-key                       the card's
 * public keys as its certificates gave them, or "none" authentication method=, ok=, and what failed
 *     result                                 tag=value of what terminal and card came to
 *     reason, outcome                        why, and "approved", "declined", "not accepted",
 * "terminated" or "error": the last line, so that a cut file is known */
#ifndef TP_PAYER_TRACE_H
#define TP_PAYER_TRACE_H

#include "drivers/reader.h"
#include "kernel/kernel.h"

struct trace;

/* Makes (or empties) the file, readable by its owner only, and writes the lines that say what it
 * is. unmasked: data of a card of the test scheme are not masked, but its PIN; a card that is not
 * of it is masked all the same. TP_ERR_USAGE. */
TP_MUST_CHECK enum tp_err trace_open(struct trace **out, const char *path, bool unmasked,
                                     struct tp_error *e);

/* The same, masked, in memory: with trace_close *text is the caller's to free, n bytes. */
TP_MUST_CHECK enum tp_err trace_open_memory(struct trace **out, char **text, size_t *n,
                                            struct tp_error *e);

/* The reader_trace to hand to reader_set_trace, with the struct trace as ctx. */
void trace_exchange(void *ctx, struct span command, struct span response);

/* Where the card is, now that it is connected. */
void trace_reader(struct trace *t, struct reader *reader);

/* A payment's facts, before it; the same callbacks with what they came to noted; and how it ended.
 * All pass over a t of NULL. tx NULL or no error: why is then the error; its sentence is written.
 */
void trace_payment(struct trace *t, const struct terminal_config *terminal,
                   const struct transaction_request *request);
struct kernel_person trace_person(
    struct trace *t,
    const struct kernel_person *person); /* both borrow what they are given as long as t */
struct kernel_online trace_online(struct trace *t, const struct kernel_online *online);
const struct kernel_memory *trace_memory(struct trace *t,
                                         const struct kernel_memory *memory); /* NULL of NULL */
void trace_outcome(struct trace *t, const struct terminal_config *terminal,
                   const struct transaction *tx, const struct tp_error *why);

/* "approved" …: the word of an outcome in traces and reports. */
const char *trace_outcome_name(enum kernel_outcome outcome);
/* The facts "result" and "authentication" of a transaction, into out. Return out. */
#define TRACE_RESULT_MAX 320
char *trace_result(char out[TRACE_RESULT_MAX], const struct transaction *tx);
char *trace_authentication(char out[TRACE_RESULT_MAX], const struct transaction *tx);

/* TP_ERR_IO when not everything could be written. */
TP_MUST_CHECK enum tp_err trace_close(struct trace **t, struct tp_error *e);

#endif
