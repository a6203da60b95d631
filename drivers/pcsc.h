/* Readers of PC/SC (pcsc-lite): hot-plug aware, exclusive while a card is connected. */
#ifndef TP_DRIVERS_PCSC_H
#define TP_DRIVERS_PCSC_H

#include "drivers/reader.h"

/* All readers now; *out is the caller's to free(). TP_ERR_NO_READER when there is none or the
 * service does not run, with the remedy. */
TP_MUST_CHECK enum tp_err pcsc_list(struct reader_info **out, size_t *n, struct tp_error *e);

/* Fills in what each of the list can do, as far as it says so without a card: its keypad and
 * display, its USB class descriptor. A reader that cannot be asked, because another program holds
 * it, stays unknown. */
void pcsc_ask(struct reader_info *list, size_t n);

/* A reader: the one whose name contains `wanted`, or (whole) is it (NULL: any). Which physical
 * reader is decided by wait_card: the first of them that has a card. A reader plugged in later
 * counts too; TP_ERR_NO_READER only when the service itself cannot be reached. */
TP_MUST_CHECK enum tp_err pcsc_open(struct reader **out, const char *wanted, bool whole,
                                    struct tp_error *e);

#endif
