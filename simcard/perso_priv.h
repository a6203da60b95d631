/* Shared by the files of the factory. */
#ifndef TP_SIMCARD_PERSO_PRIV_H
#define TP_SIMCARD_PERSO_PRIV_H

#include "apdu/emvbits.h"
#include "simcard/perso.h"

/* AIP, byte 1: Book 3, table 41 */

/* Records and AFL of a card whose AIP and keys are there. TP_ERR_USAGE with a sentence. */
TP_MUST_CHECK enum tp_err perso_records(struct card_profile *card, const struct scheme *s,
                                        const struct perso_params *p, struct tp_error *e);

#endif
