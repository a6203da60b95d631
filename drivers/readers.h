/* All readers of this machine, whichever driver reaches them: PC/SC's first, in its order, then
 * those that a driver of ours reaches by itself. Who wants a reader asks here and does not know
 * what it got. */
#ifndef TP_DRIVERS_READERS_H
#define TP_DRIVERS_READERS_H

#include "drivers/reader.h"

/* All readers now, each once, also those that cannot be used, which say why; *out is the caller's
 * to free(). A reader's number for people is its place, from 1. TP_ERR_NO_READER when there is none
 * at all, with the remedy; TP_ERR_STATE (this user may not), TP_ERR_NO_MEMORY. */
TP_MUST_CHECK enum tp_err readers_list(struct reader_info **out, size_t *n, struct tp_error *e);

/* A reader by its number in that list ("2"), by its name or part of it, or (NULL) whichever has a
 * card. Which physical reader a part of a name means is decided by reader_wait_card: the first of
 * those with a card; one that is plugged in later counts too. A number means the reader that has it
 * now: TP_ERR_NO_READER when none has. Other errors as readers_list. */
TP_MUST_CHECK enum tp_err readers_open(struct reader **out, const char *wanted, struct tp_error *e);

/* Waits so long for a card: reader_wait_card and its errors. Meanwhile, a few times a second,
 * goes_on (NULL: yes) is asked, and hears what is missing: TP_ERR_NO_CARD or TP_ERR_NO_READER. When
 * it says no: TP_ERR_CANCELLED, whose words are the caller's. */
TP_MUST_CHECK enum tp_err readers_wait_card(struct reader *reader, int wait_ms,
                                            bool (*goes_on)(void *ctx, enum tp_err missing),
                                            void *ctx, struct tp_error *e);

/* What a program makes of an error above: a reader that another program holds (TP_ERR_STATE) is
 * none that it could use (TP_ERR_NO_READER); others as they are. */
enum tp_err readers_usable(enum tp_err r);

#endif
