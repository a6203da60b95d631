/* Shared by the files of the factory. */
#ifndef TP_SIMCARD_PERSO_PRIV_H
#define TP_SIMCARD_PERSO_PRIV_H

#include "simcard/perso.h"

/* AIP, byte 1: Book 3, table 41 */
#define AIP_SDA    0x40
#define AIP_DDA    0x20
#define AIP_CVM    0x10
#define AIP_RISK   0x08
#define AIP_ISSUER 0x04
#define AIP_CDA    0x01

/* Records and AFL of a card whose AIP and keys are there. TP_ERR_USAGE with a sentence. */
TP_MUST_CHECK enum tp_err perso_records(struct card_profile *card, const struct scheme *s,
                                        const struct perso_params *p, struct tp_error *e);

#endif
