/* GET CHALLENGE and VERIFY: EMV 4.4 Book 3, 6.5.6 and 6.5.12; enciphered PIN: Book 2, 7 (RSA) and
 * 13.3 (elliptic curves). */
#include "simcard/card_priv.h"

#include <openssl/rand.h>
#include <string.h>

#define PIN_BLOCK_SIZE 8
#define ENCIPHERED_MIN (1 + PIN_BLOCK_SIZE + CARD_CHALLENGE)

/* The challenge is good for the next command only: Book 3, 6.5.6.1 (card.c takes it back). */
uint16_t card_get_challenge(struct card *c, const struct capdu *in, struct buf *out)
{
    if (in->p1 != 0 || in->p2 != 0)
        return SW_WRONG_P1P2;
    if (in->data.n != 0)
        return SW_WRONG_LENGTH;
    if (c->session.phase < PHASE_APP)
        return SW_CONDITIONS;
    if (RAND_bytes(c->session.challenge, CARD_CHALLENGE) != 1 ||
        buf_put(out, SPAN_OF(c->session.challenge)) != TP_OK)
        return SW_UNKNOWN;
    c->session.challenge_live = true;
    return SW_OK;
}

/* ---- VERIFY ---- */

static struct emv_privkey *pin_key(const struct card *c)
{
    return c->profile->pin_key != NULL ? c->profile->pin_key : c->profile->key;
}

static bool deciphers(const struct card *c)
{
    return c->session.xda ? c->profile->xda.ode_key.d.n > 0 : pin_key(c) != NULL;
}

/* What can be said before a try is spent. */
static uint16_t check_command(const struct card *c, const struct capdu *in)
{
    const bool enciphered = in->p2 == VERIFY_ENCIPHERED_PIN && deciphers(c);

    if (in->p1 != 0 || (in->p2 != VERIFY_PLAINTEXT_PIN && !enciphered))
        return SW_WRONG_P1P2;
    if (c->session.phase != PHASE_STARTED || (enciphered && !c->session.challenge_live))
        return SW_CONDITIONS;
    if (enciphered && c->session.xda) /* 13.3, step 1 */
        return in->data.n < c->profile->xda.ode_key.pub.suite->field_n + ODE_MAC
                   ? SW_REFERENCE_INVALIDATED
                   : SW_OK;
    if (in->data.n !=
        (enciphered ? emv_pubkey_size(emv_privkey_public(pin_key(c))) : PIN_BLOCK_SIZE))
        return SW_WRONG_LENGTH;
    return SW_OK;
}

/* Book 2, 7.2: header 7F, PIN block, the challenge, padding. Any difference is a wrong PIN, so that
 * the answer tells no more. */
static bool enciphered_right(const struct card *c, struct span data)
{
    uint8_t clear[EMV_RSA_MAX] = {0};
    bool right = false;

    if (emv_rsa_sign(pin_key(c), data, clear) == TP_OK) {
        right = secret_eq(span_of(clear + 1, PIN_BLOCK_SIZE), card_pin_block(c));
        right &= secret_eq(span_of(clear + 1 + PIN_BLOCK_SIZE, CARD_CHALLENGE),
                           SPAN_OF(c->session.challenge));
        right &= clear[0] == ENCIPHERED_PIN_HEADER;
    }
    secret_wipe(clear, sizeof(clear));
    return right;
}

/* 13.3, steps 2 to 5: the message. */
static enum tp_err decipher(struct card *c, struct secret *message, struct span data)
{
    const struct ec_privkey *own = &c->profile->xda.ode_key;
    struct ec_pubkey terminal;
    struct span x;
    enum tp_err r = span_take(&data, own->pub.suite->field_n, &x);

    if (r == TP_OK && c->ode.keys.n == 0) { /* once in a transaction */
        r = ec_pubkey_make(&terminal, own->pub.suite, x);
        if (r == TP_OK)
            r = ode_agree(&c->ode, own, &terminal, c->session.challenge);
    }
    return r == TP_OK ? ode_decipher(message, &c->ode, data) : r;
}

/* 13.3, steps 6 to 8, in their order: 6984 when it is no PIN enciphered for this challenge. */
static uint16_t verify_ode(struct card *c, struct span data, bool *right)
{
    struct secret message = {NULL, 0};
    uint16_t sw = SW_REFERENCE_INVALIDATED;

    if (decipher(c, &message, data) == TP_OK && message.n == ENCIPHERED_MIN &&
        secret_eq(span_of(message.p + 1 + PIN_BLOCK_SIZE, CARD_CHALLENGE),
                  SPAN_OF(c->session.challenge)) &&
        message.p[0] == ENCIPHERED_PIN_HEADER) {
        *right = secret_eq(span_of(message.p + 1, PIN_BLOCK_SIZE), card_pin_block(c));
        sw = SW_OK;
    }
    secret_free(&message);
    return sw;
}

static uint16_t wrong_pin(struct card *c)
{
    if (c->state.pin_tries == 0 && c->profile->block_on_tries) {
        c->state.flags |= STATE_APP_BLOCKED | STATE_TRIES_BLOCKED;
        if (card_state_write(c, STATE_SYNC) != TP_OK)
            return SW_MEMORY_FAILURE;
    }
    return (uint16_t)(SW_PIN_TRIES_LEFT | card_tries_shown(c));
}

uint16_t card_verify(struct card *c, const struct capdu *in, struct buf *out)
{
    uint16_t sw = check_command(c, in);
    bool right = false;

    (void)out;
    if (sw != SW_OK)
        return sw;
    c->session.pin_asked = true;
    c->session.pin_right = false;
    if (c->state.pin_tries == 0)
        return SW_PIN_BLOCKED;
    /* The try is paid for, durably, before the comparison: a cut of power at any point gives no try
     * back. */
    c->state.pin_tries--;
    if (card_state_write(c, STATE_SYNC) != TP_OK)
        return SW_MEMORY_FAILURE;
    if (in->p2 == VERIFY_PLAINTEXT_PIN)
        right = secret_eq(in->data, card_pin_block(c));
    else if (c->session.xda)
        sw = verify_ode(c, in->data, &right);
    else
        right = enciphered_right(c, in->data);
    if (sw != SW_OK)
        return sw;
    if (!right)
        return wrong_pin(c);
    c->session.pin_right = true;
    c->state.pin_tries = c->profile->pin_tries;
    if (card_state_write(c, STATE_SOON) != TP_OK) /* fewer tries are left then, never more */
        return SW_MEMORY_FAILURE;
    return SW_OK;
}
