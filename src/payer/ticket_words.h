/* The words of a command line that say which ticket is given, and where: `pay`, `refund`, `void`
 * and `journal show` share them. */
#ifndef TP_PAYER_TICKET_WORDS_H
#define TP_PAYER_TICKET_WORDS_H

#include <argp.h>

#include "base/text.h"
#include "payer/ticket.h"

#define PRINT_HELP                                                                                 \
    N_("print the tickets as ESC/POS on a device, FIFO or file; \"-\": on the printer that "       \
       "telepay.conf names")
#define TICKET_WORDS_FIRST 0x400 /* its keys begin here */

struct ticket_wish {         /* begins as {0} */
    const char *device;      /* --print; NULL: none */
    bool customer, merchant; /* --ticket; neither: the customer's on stdout, both on paper */
};

/* A child of argp; its input is a struct ticket_wish. */
extern const struct argp ticket_words;

/* As text on stdout. t NULL, or of an order: in the usual style. */
void ticket_show(const struct ticket_wish *w, const struct terminal *t, const struct receipt *r);

/* On the printer that --print names; without it on that of telepay.conf, where it has one, if
 * `always`. TP_ERR_IO, TP_ERR_USAGE, said so that it is understood that the payment stands. */
TP_MUST_CHECK enum tp_err ticket_print(const struct ticket_wish *w, const struct terminal *t,
                                       const struct receipt *r, bool always, struct tp_error *e);

/* The same of a day. device as --print has it; NULL: that of telepay.conf, where it has one. */
void ticket_show_day(const struct terminal *t, const struct day *d);
TP_MUST_CHECK enum tp_err ticket_print_day(const char *device, const struct terminal *t,
                                           const struct day *d, struct tp_error *e);

#endif
