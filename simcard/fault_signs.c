/* What a card counts, decides and signs that goes wrong. */
#include "apdu/emvbits.h"
#include "apdu/emvtags.h"
#include "simcard/fault.h"

uint16_t fault_atc(const struct fault_set *f, uint16_t atc)
{
    const unsigned up = f->number[FAULT_ATC_JUMP], down = f->number[FAULT_ATC_BACK];

    if (f->on[FAULT_ATC_REPLAY] && atc > 1)
        atc = 1;
    if (f->on[FAULT_ATC_JUMP])
        atc = (uint16_t)(up < UINT16_MAX - (unsigned)atc ? atc + up : UINT16_MAX);
    if (f->on[FAULT_ATC_BACK])
        atc = (uint16_t)(down < atc ? atc - down : 1);
    return atc;
}

uint8_t fault_cid(const struct fault_set *f, uint8_t cid)
{
    if (f->on[FAULT_ALWAYS_AAC])
        return AC_AAC;
    return f->on[FAULT_HIGHER_AC] ? AC_TC : cid;
}

void fault_generate_ac(const struct fault_set *f, struct fault_ac *plan)
{
    if (f->on[FAULT_WRONG_AC])
        for (size_t i = 0; i < sizeof(plan->ac); i++)
            plan->ac[i] ^= 0xA5;
    if (f->on[FAULT_WRONG_UN])
        plan->un[0] ^= 0x01;
    if (f->on[FAULT_WRONG_CID])
        plan->cid_signed = plan->cid == AC_ARQC ? AC_TC : AC_ARQC;
    if (f->on[FAULT_WRONG_DATA_HASH])
        plan->response_flip = 0x01;
}

void fault_dynamic_number(const struct fault_set *f, uint8_t *length)
{
    if (f->on[FAULT_LONG_DYNAMIC_NUMBER])
        *length = 0x20; /* 2 to 8 are right: Book 2, 6.5.1, table 19 */
}

/* Opens the signature, changes one byte of the block (Book 2, table 17) and signs it again. A
 * change keeps the block below the modulus. */
static void resign(struct emv_privkey *key, uint8_t *sdad, size_t n, size_t at, uint8_t flip)
{
    uint8_t block[EMV_RSA_MAX];

    if (emv_rsa_recover(emv_privkey_public(key), span_of(sdad, n), block) != TP_OK)
        return;
    block[at] ^= flip;
    if (emv_rsa_sign(key, span_of(block, n), sdad) != TP_OK)
        sdad[0] ^= 0x01;
}

void fault_sdad(const struct fault_set *f, struct emv_privkey *key, uint8_t *sdad, size_t n)
{
    if (f->on[FAULT_SDAD_HEADER])
        resign(key, sdad, n, 0, 0x20); /* 4A */
    if (f->on[FAULT_SDAD_FORMAT])
        resign(key, sdad, n, 1, 0x01); /* 04 */
    if (f->on[FAULT_SDAD_TRAILER])
        resign(key, sdad, n, n - 1, 0x01); /* BD */
    if (f->on[FAULT_WRONG_SDAD])
        sdad[n - 1] ^= 0x01;
}

void fault_xda(const struct fault_set *f, uint8_t *sdad, size_t n)
{
    if (f->on[FAULT_SDAD_FORMAT])
        sdad[0] ^= 0x01; /* 14: which is not signed over again, for it is signed as 15 */
    if (f->on[FAULT_WRONG_SDAD])
        sdad[n - 1] ^= 0x01;
}

uint8_t fault_tries(const struct fault_set *f, uint8_t tries)
{
    return f->on[FAULT_PIN_LIES] ? 15 : tries;
}

bool fault_any_arpc(const struct fault_set *f)
{
    return f->on[FAULT_ANY_ARPC];
}
