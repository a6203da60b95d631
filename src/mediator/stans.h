/* The numbers (DE 11) of one terminal: each once a day. Any thread. */
#ifndef TP_MEDIATOR_STANS_H
#define TP_MEDIATOR_STANS_H

#include "base/span.h"

struct stans;

TP_MUST_CHECK enum tp_err stans_new(struct stans **out, struct tp_error *e);
void stans_free(struct stans **s);

/* One that was given before this program began. */
void stans_mark(struct stans *s, int day, uint32_t stan);
/* The next that is free that day; another day than the last has them all again. False: none is
 * left. */
bool stans_next(struct stans *s, int day, uint32_t *stan);
/* Back: its order is forgotten, and nothing was ever submitted under it. */
void stans_release(struct stans *s, int day, uint32_t stan);

#endif
