/* Dynamic card verification values of contactless magnetic stripe data: Mastercard's CVC3 and
 * Visa's dCVV. Triple DES. */
#ifndef TP_CRYPTO_DCV_H
#define TP_CRYPTO_DCV_H

#include "base/secret.h"
#include "base/span.h"

#define CVC3_DIGITS 5
#define DCVV_DIGITS 3

/* The IVCVC3: the last two bytes of the MAC (ISO/IEC 9797-1 algorithm 3, padding method 2) over
 * static track data, under the card's key for CVC3. track: of track 1 its characters, of track 2
 * its digits with D and a final F, two a byte. TP_ERR_RANGE for the key. */
TP_MUST_CHECK enum tp_err cvc3_iv(uint8_t iv[2], struct span icc_key, struct span track);

/* Five digits and a zero; terminals send the last ones of them. TP_ERR_RANGE for the key. */
TP_MUST_CHECK enum tp_err cvc3_make(char out[CVC3_DIGITS + 1], struct span icc_key,
                                    const uint8_t iv[2], const uint8_t un[4], const uint8_t atc[2]);

/* Three digits and a zero: the CVV, under the card's key, of the number whose first four digits are
 * those of the ATC. expiry: YYMM; service: three digits. TP_ERR_FORMAT; TP_ERR_RANGE for the key.
 */
TP_MUST_CHECK enum tp_err dcvv_make(char out[DCVV_DIGITS + 1], struct span icc_key, const char *pan,
                                    const char *expiry, const char *service, const uint8_t atc[2]);

#endif
