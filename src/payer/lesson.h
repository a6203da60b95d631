/* A lesson of a payment, from its trace (payer/trace.h): what terminal and card said to each other,
 * why, what the terminal noted and what was decided, with the clauses of EMV. The kernel runs again
 * (payer/rerun.h) and tells what it does; what data mean is src/decode's to say, and what a trace
 * masks stays masked.
 *
 * A lesson is a tree:
 *     title, summary   a heading, and sentences about the payment
 *     steps            list of { title, clause, purpose, items }
 *     items            list of one of, by `kind`:
 *         "says"       text, clause; lines: sentences that belong to it
 *         "command"    to the card: name, purpose, clause, line (of the trace), status; wanted and
 *                      given: the kind of cryptogram, "TC"; objects: as decode_exchange makes them
 *         "bit"        of ("TVR", "TSI"), byte, bit, name, clause, why, value: the whole then
 *         "message"    from, to, text: what is said by others than the terminal and the card
 *         "data"       objects: as src/decode makes them
 * Members that there is nothing for are left out. */
#ifndef TP_PAYER_LESSON_H
#define TP_PAYER_LESSON_H

#include <jansson.h>
#include <stdio.h>

#include "base/span.h"

/* Of the text of a trace; name: for messages. One that is cut is explained as far as it goes, and
 * so are the commands of one that is of no payment. TP_ERR_FORMAT: no trace, or an empty one. */
TP_MUST_CHECK enum tp_err lesson_make(json_t **out, struct span text, const char *name,
                                      struct tp_error *e);

/* For people, 80 columns wide. Whether `to` takes it, ferror says. */
void lesson_print(FILE *to, const json_t *lesson);

/* One page of HTML that needs nothing beside it, with a picture of who says what to whom.
 * Fails when the template data/lesson/page.html cannot be used; whether `to` takes it, ferror says.
 */
TP_MUST_CHECK enum tp_err lesson_page(FILE *to, const json_t *lesson, struct tp_error *e);

#endif
