/* Readers of the USB CCID class, driven by ourselves over libusb: no pcscd needed. Hot-plug aware;
 * a reader is held from wait_card to disconnect, and its interface taken from the kernel's driver
 * and given back. A reader that pcscd has is left to it (TP_ERR_STATE). */
#ifndef TP_DRIVERS_CCID_H
#define TP_DRIVERS_CCID_H

#include "drivers/reader.h"

/* All CCID readers that are plugged in, slot by slot, also those that cannot be used and say why;
 * *out is the caller's to free(). What each can do is in it; the ATR is not: that a card is not
 * powered only to be listed. TP_ERR_NO_READER when there is none, or USB cannot be used at all. */
TP_MUST_CHECK enum tp_err ccid_list(struct reader_info **out, size_t *n, struct tp_error *e);
void ccid_ask(struct reader_info *list, size_t n); /* nothing more to ask: see drivers/readers.c */

/* A reader: a slot whose name contains `wanted`, or (whole) is it (NULL: any). Which one is decided
 * by wait_card: the first of them that has a card. One plugged in later counts too;
 * TP_ERR_NO_READER only when USB cannot be used at all. */
TP_MUST_CHECK enum tp_err ccid_open(struct reader **out, const char *wanted, bool whole,
                                    struct tp_error *e);

#endif
