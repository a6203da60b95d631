/* From what is wanted of a card to its profile: checks, applications, limits, keys. Its records:
 * simcard/perso_records.c. */
#include "simcard/perso_priv.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/hex.h"
#include "base/money.h"
#include "base/word.h"
#include "crypto/cryptogram.h"
#include "crypto/pinblock.h"
#include "simcard/card.h"
#include "simcard/state.h"

#define CDA_ROOM                                                                                   \
    (256 - 16 - 3) /* Book 2, table 50: for signature and 9F10 in GENERATE AC's answer, with their \
                      tags and lengths */
#define CERTIFIED_BITS_MAX                                                                         \
    1976 /* Book 2, D1.1: 247 bytes, the most of a certificate that fits a record, and of its      \
            issuer's key */
#define RECORD_MIN 32
#define SFI_MAX    10   /* of files that EMV itself defines: Book 3, 5.3.2.2, table 1 */
#define CONFIRM    0x80 /* of 87: Book 1, table 13 */
#define NOT_REGISTERED                                                                             \
    0xF0 /* first half byte of an AID that nobody registers: ISO/IEC 7816-5, 5.1.3 */

void perso_defaults(struct perso_params *p)
{
    *p = (struct perso_params){
        .name = "CARDHOLDER/TEST",
        .method = PERSO_CDA,
        .bits = 1152,
        .exponent = 3,
        .cvm = "pin,none",
        .pdol = "9F3303 9F1A02 9F3501", /* terminal capabilities, country, type */
        .auc = "FF00",                  /* all but cash back */
        /* Book 3, annex C5 names the bits. Denial: service not allowed. Online: authentication,
         * dates, new card, cardholder verification, floor limit, random selection, merchant's wish.
         * Default, when online is impossible: the same without "not yet effective", new card and
         * random selection. */
        .iac_denial = "0010000000",
        .currency = 978,
        .currency_exponent = 2,
        .language = "enfr",
        .ask_online = CARD_ONLINE_DEFAULT,
        .decline_unable = CARD_UNABLE_DEFAULT,
        .terminal_lower = PERSO_ABSENT,
        .terminal_upper = PERSO_ABSENT,
        .cvn = EMV_CVN_18,
        .dki = 1,
        .pin_tries = 3,
        .format = 2,
        .sfi = {1, 2, 3},
        .record_max = PROFILE_RECORD_MAX,
        .apps = {{SCHEME_AID, SCHEME_NAME, "", 1, false, false}},
        .apps_n = 1,
    };
}

/* ---- checks of what is wanted ---- */

static enum tp_err check_layout(const struct perso_params *p, struct tp_error *e)
{
    for (size_t i = 0; i < PERSO_FILES; i++)
        if (p->sfi[i] < 1 || p->sfi[i] > SFI_MAX)
            return tp_fail(e, TP_ERR_USAGE, "records stand in files 1 to %d", SFI_MAX);
    if (p->record_max < RECORD_MIN || p->record_max > PROFILE_RECORD_MAX)
        return tp_fail(e, TP_ERR_USAGE, "a record has %d to %d bytes", RECORD_MIN,
                       PROFILE_RECORD_MAX);
    return TP_OK;
}

static enum tp_err check_params(const struct scheme *s, const struct perso_params *p,
                                struct tp_error *e)
{
    const size_t n = strlen(p->pan), name_n = strlen(p->name);
    enum tp_err r;

    if (n < 12 || n > PAN_MAX || strspn(p->pan, "0123456789") != n)
        return tp_fail(e, TP_ERR_USAGE, "a card number has 12 to 19 digits");
    if (strncmp(p->pan, s->iin, strlen(s->iin)) != 0)
        return tp_fail(e, TP_ERR_USAGE,
                       "the card number does not begin with %s, the issuer's number in this scheme",
                       s->iin);
    if (!p->any_check_digit && !pan_valid(p->pan))
        return tp_fail(e, TP_ERR_USAGE,
                       "the last digit of the card number is not its check digit, which would be "
                       "%c; with --any-check-digit it is made all the same",
                       pan_check_digit(p->pan, n - 1));
    if (name_n < 2 || name_n > 26)
        return tp_fail(e, TP_ERR_USAGE, "the name \"%s\" has not 2 to 26 characters", p->name);
    if ((r = word_check(p->name, "--name", 26, e)) != TP_OK)
        return r;
    if (p->expiry > s->issuer_expiry)
        return tp_fail(e, TP_ERR_USAGE,
                       "the card would outlive its issuer's certificate, which ends on %d",
                       s->issuer_expiry);
    if (p->pin_tries < 1 || p->pin_tries > 15 || p->format < 1 || p->format > 2 || p->psn > 99 ||
        strlen(p->language) > 8 || strlen(p->language) % 2 != 0)
        return tp_fail(e, TP_ERR_USAGE,
                       "PIN tries go from 1 to 15, formats are 1 and 2, sequence numbers 0 to 99, "
                       "languages up to four of two letters");
    return check_layout(p, e);
}

/* Exactly so many bytes. */
static enum tp_err take_hex(uint8_t *out, size_t n, const char *hex, const char *what,
                            struct tp_error *e)
{
    struct buf b = {out, 0, n};

    if (hex_decode(&b, hex) != TP_OK || b.n != n)
        return tp_fail(e, TP_ERR_USAGE, "the %s has not %zu bytes in hexadecimal", what, n);
    return TP_OK;
}

static enum tp_err take_apps(struct card_profile *card, const struct perso_params *p,
                             struct tp_error *e)
{
    for (size_t i = 0; i < p->apps_n; i++) {
        const struct perso_app *from = &p->apps[i];
        struct profile_app *to = &card->apps[i];
        struct buf aid = BUF_OF(to->aid);

        if (hex_decode(&aid, from->aid) != TP_OK || aid.n < 5)
            return tp_fail(e, TP_ERR_USAGE,
                           "the application identifier \"%s\" has not 5 to 16 bytes", from->aid);
        if (strlen(from->label) < 1 || strlen(from->label) > 16 || strlen(from->preferred) > 16)
            return tp_fail(e, TP_ERR_USAGE, "the label \"%s\" has not 1 to 16 characters",
                           from->label);
        if (word_check(from->label, "the label", 16, e) != TP_OK ||
            (*from->preferred != '\0' &&
             word_check(from->preferred, "the preferred name", 16, e) != TP_OK))
            return TP_ERR_USAGE;
        if (!p->live_identifiers && (to->aid[0] & 0xF0) != NOT_REGISTERED)
            return tp_fail(e, TP_ERR_USAGE,
                           "the application identifier \"%s\" may be a real scheme's: those of "
                           "tests begin with F (ISO/IEC 7816-5); "
                           "with --live-identifiers it is made all the same",
                           from->aid);
        to->aid_n = aid.n;
        snprintf(to->label, sizeof(to->label), "%s", from->label);
        snprintf(to->preferred, sizeof(to->preferred), "%s", from->preferred);
        to->priority = (uint8_t)(from->priority | (from->confirm ? CONFIRM : 0));
        to->blocked = from->blocked;
    }
    card->apps_n = p->apps_n;
    return TP_OK;
}

static void take_risks(struct card_profile *card, const struct perso_params *p)
{
    card->offline_limit = p->offline_limit;
    card->offline_maximum = p->offline_maximum;
    card->amount_limit = p->amount_limit;
    card->amount_maximum = p->amount_maximum;
    card->ask_online = p->ask_online;
    card->decline = p->decline;
    card->decline_unable = p->decline_unable;
    card->block_on_tries = p->block_on_tries;
    card->pin_tries = p->pin_tries;
}

static void take_issuer(struct card_profile *card, const struct perso_params *p)
{
    card->cvn = p->cvn;
    card->arpc = (uint8_t)(p->arpc != 0 ? p->arpc : p->cvn == EMV_CVN_10 ? 1U : 2U);
    card->issuer_mandatory = p->issuer_mandatory;
    card->dki = p->dki;
}

static enum tp_err take_aip(uint8_t aip[2], const struct perso_params *p, struct tp_error *e)
{
    static const uint8_t method_bits[] = {[PERSO_NONE] = 0,
                                          [PERSO_SDA] = AIP_SDA,
                                          [PERSO_DDA] = AIP_DDA,
                                          [PERSO_CDA] = AIP_DDA | AIP_CDA};

    if (p->aip != NULL)
        return take_hex(aip, 2, p->aip, "AIP", e);
    aip[1] = 0;
    aip[0] = (uint8_t)(method_bits[p->method] | AIP_CVM | AIP_TERMINAL_RISK |
                       (p->issuer == PERSO_ISSUER_EXTERNAL ? AIP_ISSUER_AUTHENTICATION : 0));
    return TP_OK;
}

/* With XDA no method by RSA is offered: there is no mixture (Book 3, 10.3). */
static void take_xda_aip(struct card_profile *card)
{
    const uint8_t rsa = AIP_SDA | AIP_DDA | AIP_CDA;

    memcpy(card->xda.aip, card->aip, sizeof(card->xda.aip));
    card->xda.aip[0] = (uint8_t)((card->aip[0] & ~rsa) | AIP_XDA);
    card->aip[0] &= (uint8_t)~AIP_XDA;
}

static enum tp_err check_xda(const struct scheme *s, const struct perso_params *p,
                             struct tp_error *e)
{
    if (!p->xda)
        return TP_OK;
    if (s->ec.cert.n == 0)
        return tp_fail(e, TP_ERR_USAGE,
                       "the scheme has no elliptic curve: make one that has with telepay-perso "
                       "init --suite 10 DIR");
    if (p->apps_n > 1)
        return tp_fail(e, TP_ERR_USAGE,
                       "a card with XDA has one application: its certificate names the identifier");
    return TP_OK;
}

/* What goes into the records as it is. */
static enum tp_err check_bytes(const struct perso_params *p, struct tp_error *e)
{
    uint8_t raw[5];
    enum tp_err r = take_hex(raw, 2, p->auc, "application usage control", e);

    if (r == TP_OK)
        r = take_hex(raw, 5, p->iac_denial, "issuer action code \"denial\"", e);
    if (r == TP_OK && p->iac_online != NULL)
        r = take_hex(raw, 5, p->iac_online, "issuer action code \"online\"", e);
    return r == TP_OK && p->iac_default != NULL
               ? take_hex(raw, 5, p->iac_default, "issuer action code \"default\"", e)
               : r;
}

static enum tp_err take_params(struct card_profile *card, const struct perso_params *p,
                               struct tp_error *e)
{
    struct buf pdol = BUF_OF(card->pdol.p);
    enum tp_err r;

    if (hex_decode(&pdol, p->pdol) != TP_OK)
        return tp_fail(e, TP_ERR_USAGE, "the PDOL is not hexadecimal");
    card->pdol.n = pdol.n;
    card->pse = !p->no_pse;
    card->t0 = p->t0;
    card->blocked = p->blocked;
    card->format = p->format;
    snprintf(card->language, sizeof(card->language), "%s", p->language);
    take_risks(card, p);
    take_issuer(card, p);
    r = take_aip(card->aip, p, e);
    if (r == TP_OK && p->xda)
        take_xda_aip(card);
    if (r == TP_OK)
        r = check_bytes(p, e);
    return r == TP_OK ? take_apps(card, p, e) : r;
}

/* ---- keys ---- */

static enum tp_err take_master_keys(struct card_profile *card, const struct scheme *s,
                                    const struct perso_params *p, struct tp_error *e)
{
    const uint8_t psn = (uint8_t)(p->psn / 10 << 4 | p->psn % 10);
    const bool aes = emv_cvn_cipher(p->cvn) == EMV_AES;
    enum tp_err r;

    if (aes && s->ac_aes_key.n == 0)
        return tp_fail(e, TP_ERR_USAGE,
                       "the scheme has no AES keys: it was made by an earlier telepay-perso; make "
                       "a new one with: telepay-perso init DIR");
    r = emv_master_key_derive(&card->ac_key, p->cvn, secret_span(aes ? &s->ac_aes_key : &s->ac_key),
                              p->pan, psn);
    if (r == TP_OK)
        r = emv_master_key_derive(&card->smi_key, p->cvn,
                                  secret_span(aes ? &s->smi_aes_key : &s->smi_key), p->pan, psn);
    if (r == TP_OK)
        r = emv_master_key_derive(&card->smc_key, p->cvn,
                                  secret_span(aes ? &s->smc_aes_key : &s->smc_key), p->pan, psn);
    return r == TP_OK ? r : tp_fail(e, r, "cannot derive the card's master keys");
}

static bool wants_enciphered_pin(const char *words)
{
    uint8_t raw[PROFILE_BYTES_MAX];
    struct buf list = BUF_OF(raw);
    struct tp_error none;

    if (perso_cvm_list(&list, 0, 0, words, &none) != TP_OK)
        return false;
    for (size_t i = 8; i + 1 < list.n; i += 2)
        if ((raw[i] & CVM_CODE) == CVM_ENCIPHERED_PIN ||
            (raw[i] & CVM_CODE) == CVM_ENCIPHERED_PIN_SIGNATURE)
            return true;
    return false;
}

static enum tp_err take_key(struct emv_privkey **to, struct emv_privkey *given, unsigned bits,
                            const struct perso_params *p, struct tp_error *e)
{
    *to = given;
    if (*to == NULL && emv_privkey_generate(to, bits, p->exponent) != TP_OK)
        return tp_fail(e, TP_ERR_USAGE, "cannot make a card key of %u bits with exponent %u", bits,
                       p->exponent);
    return TP_OK;
}

/* The card's own key signs, and deciphers the PIN where there is no key for that alone (Book 2, 7).
 */
void perso_keys_wanted(const struct perso_params *p, bool *own, bool *pin)
{
    uint8_t aip[2] = {0};
    struct tp_error none;

    *pin = p->pin_bits > 0;
    *own = take_aip(aip, p, &none) == TP_OK &&
           ((aip[0] & (AIP_DDA | AIP_CDA)) != 0 ||
            (!*pin && p->method != PERSO_NONE && wants_enciphered_pin(p->cvm)));
}

/* Book 2, D1: each method has its own bounds, and no key is longer than the one that certifies it.
 */
static enum tp_err check_key_size(unsigned bits, const char *what, unsigned issuer,
                                  struct tp_error *e)
{
    if (issuer > CERTIFIED_BITS_MAX)
        return tp_fail(e, TP_ERR_USAGE,
                       "the issuer's key of %u bits certifies no card key: of more than %d bits, a "
                       "certificate does not fit a record",
                       issuer, CERTIFIED_BITS_MAX);
    if (bits > CERTIFIED_BITS_MAX)
        return tp_fail(e, TP_ERR_USAGE, "%s has at most %d bits: its certificate must fit a record",
                       what, CERTIFIED_BITS_MAX);
    if (bits > issuer)
        return tp_fail(e, TP_ERR_USAGE,
                       "%s of %u bits would be longer than its issuer's of %u: make the scheme "
                       "with telepay-perso init --issuer-bits %u",
                       what, bits, issuer, bits);
    return TP_OK;
}

static unsigned key_bits(struct emv_privkey *given, unsigned wanted)
{
    return given == NULL ? wanted : (unsigned)emv_pubkey_size(emv_privkey_public(given)) * 8;
}

static enum tp_err check_keys(const struct card_profile *card, const struct scheme *s,
                              const struct perso_params *p, bool own, bool pin, struct tp_error *e)
{
    const unsigned issuer = key_bits(s->issuer, 0), bits = key_bits(p->key, p->bits);
    const unsigned cda = 8 * (unsigned)(CDA_ROOM - card_iad_length(p->cvn)); /* Book 2, D1.2.1 */
    enum tp_err r = TP_OK;

    if (own && (card->aip[0] & AIP_CDA) != 0 && bits > cda)
        return tp_fail(e, TP_ERR_USAGE,
                       "the key of a card with CDA and cryptograms of kind %s has at most %u bits: "
                       "its signature must fit "
                       "GENERATE AC's answer",
                       emv_cvn_name(p->cvn), cda);
    if (own)
        r = check_key_size(bits, "the card's key", issuer, e);
    return r == TP_OK && pin
               ? check_key_size(key_bits(p->pin_key, p->pin_bits), "the key for PINs", issuer, e)
               : r;
}

static enum tp_err take_xda_keys(struct card_profile *card, const struct scheme *s,
                                 const struct perso_params *p, struct tp_error *e)
{
    const struct ec_suite *suite = ec_suite_signature(s->ec_suite);
    enum tp_err r = ec_privkey_generate(&card->xda.key, suite);

    if (r == TP_OK && wants_enciphered_pin(p->cvm))
        r = ec_privkey_generate(&card->xda.ode_key, suite);
    return r == TP_OK ? r : tp_fail(e, r, "cannot make the card's keys of an elliptic curve");
}

static enum tp_err take_keys(struct card_profile *card, const struct scheme *s,
                             const struct perso_params *p, struct tp_error *e)
{
    bool own, pin;
    enum tp_err r;

    perso_keys_wanted(p, &own, &pin);
    r = check_keys(card, s, p, own, pin, e);
    if (r == TP_OK && own)
        r = take_key(&card->key, p->key, p->bits, p, e);
    if (r == TP_OK && pin)
        r = take_key(&card->pin_key, p->pin_key, p->pin_bits, p, e);
    return r == TP_OK && p->xda ? take_xda_keys(card, s, p, e) : r;
}

static enum tp_err take_secrets(struct card_profile *card, const struct scheme *s,
                                const struct perso_params *p, struct tp_error *e)
{
    enum tp_err r;

    if (pin_block_make(&card->pin_block, p->pin) != TP_OK)
        return tp_fail(e, TP_ERR_USAGE, "a PIN has 4 to 12 digits");
    r = take_master_keys(card, s, p, e);
    return r == TP_OK ? take_keys(card, s, p, e) : r;
}

enum tp_err perso_make(struct card_profile **out, const struct scheme *s,
                       const struct perso_params *p, struct tp_error *e)
{
    struct card_profile *card = NULL;
    enum tp_err r = check_params(s, p, e);

    *out = NULL;
    if (r == TP_OK)
        r = check_xda(s, p, e);
    if (r != TP_OK)
        return r;
    if (profile_new(&card) != TP_OK)
        return tp_fail(e, TP_ERR_NO_MEMORY, "out of memory");
    r = take_params(card, p, e);
    if (r == TP_OK)
        r = take_secrets(card, s, p, e);
    if (r == TP_OK)
        r = perso_records(card, s, p, e);
    if (r == TP_OK) {
        *out = card;
        return TP_OK;
    }
    if (card->key == p->key) /* the caller's until all went well */
        card->key = NULL;
    if (card->pin_key == p->pin_key)
        card->pin_key = NULL;
    profile_free(&card);
    return r;
}

enum tp_err perso_save(const struct card_profile *card, const char *dir, struct tp_error *e)
{
    struct card_state there, fresh;
    struct tp_error none;

    if (state_peek(&there, dir, &none) == TP_OK)
        return tp_fail(
            e, TP_ERR_EXISTS,
            "%s holds a card already: its counter must not start again; name another folder", dir);
    state_fresh(&fresh, card);
    const enum tp_err r = profile_save(card, dir, e);

    return r == TP_OK ? state_make(dir, &fresh, e)
                      : r; /* the state last: where it stands, the card is whole */
}
