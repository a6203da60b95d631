/* What a centre refuses by order, for tests and teaching (`telepay-centre serve --refuse FILE`).
 * One rule a line, # begins a remark: CONTRACT NUMBER SEQUENCE REASON    one item of one remise PAN
 * REASON                         every item of a card, as it is masked: 999014******0015 Numbers
 * may be *: every one. REASON is one word of at most 35 characters. */
#ifndef TP_CENTRE_REFUSE_H
#define TP_CENTRE_REFUSE_H

#include "base/err.h"
#include "wire/caaa.h"

struct refuse;

/* TP_ERR_NOT_FOUND, TP_ERR_FORMAT naming file and line. */
TP_MUST_CHECK enum tp_err refuse_load(struct refuse **out, const char *path, struct tp_error *e);
void refuse_free(struct refuse **r);

/* The reason, or NULL. r may be NULL: nothing is refused. */
const char *refuse_item(const struct refuse *r, const char *contract, uint32_t number,
                        const struct caaa_item *item);

#endif
