/* What this terminal remembers of cards, for the kernel's risk management (kernel.h, struct
 * kernel_memory): the payments of the day in its journal, and the cards of an exception file, which
 * are not to be taken. */
#ifndef TP_PAYER_MEMORY_H
#define TP_PAYER_MEMORY_H

#include "payer/journal.h"

struct memory;

/* exceptions: a text file with a card number a line, "/NN" behind it for one card sequence number
 * only, # before a remark; "" none. journal must outlive it. TP_ERR_NOT_FOUND, TP_ERR_IO,
 * TP_ERR_FORMAT naming file and line. */
TP_MUST_CHECK enum tp_err memory_new(struct memory **out, struct journal *journal,
                                     const char *exceptions, struct tp_error *e);
void memory_free(struct memory **m);

/* The callbacks of the kernel, for as long as the memory; of the journal, the payments of that date
 * (YYYYMMDD) count. A card is known in the journal by the digits that stand there: of two whose
 * numbers differ only in those that are masked, one counts for the other, and goes online rather
 * once too often. */
struct kernel_memory memory_kernel(struct memory *m, int date);

#endif
