/* Offline PIN: EMV 4.4 Book 3, 10.5.1 and 6.5.12; enciphered: Book 2, 7 (RSA) and 13 (elliptic
 * curves); Book 4, 6.3.4. */
#include "kernel/kernel_priv.h"

#include <openssl/rand.h>
#include <string.h>

#include "crypto/pinblock.h"
#include "drivers/pinpad.h"

#define ENTRY_SECONDS 60 /* at the reader's keypad; the Books name no time */
#define ASK_MAX       4  /* times that something that is no PIN is asked for again */
#define ATTEMPTS_MAX  15 /* a card can count to 15: SW 63CF */
#define CHALLENGE     8
#define PLAIN_PIN     (1 + 8 + CHALLENGE) /* what is enciphered begins so: 7F, PIN block, challenge */

/* Tries left, so that a person is told before the last one, and not asked where there is none. One
 * GET DATA; a card that does not answer it just leaves the number unknown. */
static enum tp_err fetch_tries(struct transaction *tx)
{
    struct span tries;
    enum tp_err r = command_get_data(tx, TAG_PIN_TRIES, 1, &tries);

    if (r != TP_OK || tries.n != 1)
        return r;
    tx->pin_tries = tries.p[0];
    return data_put(tx, TAG_PIN_TRIES, FROM_CARD, tries);
}

/* A PIN from the person as its block; *got false: bypassed, or no PIN pad, and TVR says which. */
static enum tp_err ask(struct transaction *tx, bool wrong_before, struct secret *block, bool *got)
{
    struct secret digits = {NULL, 0};
    enum tp_err r = TP_OK;

    *got = false;
    if (tx->person == NULL || tx->person->pin == NULL) {
        tvr_set(tx, TVR_PIN_NO_PAD);
        return TP_OK;
    }
    for (unsigned i = 0; i < ASK_MAX && !*got; i++) {
        r = tx->person->pin(tx->person->ctx, tx->pin_tries, wrong_before, &digits);
        if (r != TP_OK)
            break;
        r = pin_block_make(block, secret_span(&digits));
        *got = r == TP_OK;
        secret_free(&digits);
        if (r != TP_OK && r != TP_ERR_FORMAT)
            return tp_fail(tx->e, r, "the PIN cannot be kept in memory");
    }
    secret_free(&digits);
    if (*got)
        return TP_OK;
    if (r == TP_ERR_CANCELLED || r == TP_ERR_FORMAT) {
        tvr_set(tx, TVR_PIN_NOT_ENTERED);
        tx->pin_bypassed = true;
        return TP_OK;
    }
    if (r != TP_ERR_NOT_FOUND)
        return tp_fail(tx->e, r, "the PIN could not be read: %s", tp_err_text(r));
    tvr_set(tx, TVR_PIN_NO_PAD);
    return TP_OK;
}

static bool by_keypad(const struct transaction *tx, bool enciphered)
{
    return !enciphered && tx->person != NULL && tx->person->keypad != NULL;
}

static enum kernel_keypad keypad_word(enum reader_pin_end end)
{
    switch (end) {
    case READER_PIN_SENT:
        return KERNEL_KEYPAD_SENT;
    case READER_PIN_LENGTH:
        return KERNEL_KEYPAD_LENGTH;
    case READER_PIN_MISMATCH:
        return KERNEL_KEYPAD_MISMATCH;
    case READER_PIN_CANCELLED:
        return KERNEL_KEYPAD_CANCELLED;
    case READER_PIN_TIMEOUT:
        return KERNEL_KEYPAD_TIMEOUT;
    default:
        return KERNEL_KEYPAD_REFUSED;
    }
}

/* One VERIFY whose PIN the reader's keypad takes. *sent false: none reached the card, the person
 * goes on without (Book 4, 6.3.4.3). */
static enum tp_err send_by_keypad(struct transaction *tx, bool wrong_before, bool *sent,
                                  uint16_t *sw)
{
    const struct kernel_person *person = tx->person;
    const struct reader_pin pin = {.min = PIN_MIN,
                                   .max = PIN_MAX,
                                   .timeout_s = ENTRY_SECONDS,
                                   .language = pinpad_language(data_get(tx, TAG_LANGUAGE))};
    enum reader_pin_end end = READER_PIN_LENGTH;
    enum tp_err r = TP_OK;

    for (unsigned i = 0;
         r == TP_OK && (end == READER_PIN_LENGTH || end == READER_PIN_MISMATCH) && i < ASK_MAX;
         i++) {
        r = person->keypad(person->ctx, tx->pin_tries,
                           wrong_before ? KERNEL_KEYPAD_WRONG : KERNEL_KEYPAD_ENTER);
        if (r != TP_OK)
            break;
        r = reader_verify_pin(tx->reader, &pin, &end, sw, tx->e);
        if (r != TP_OK)
            return r;
        r = person->keypad(person->ctx, tx->pin_tries, keypad_word(end));
    }
    *sent = r == TP_OK && end == READER_PIN_SENT;
    if (r != TP_OK && r != TP_ERR_CANCELLED)
        return tp_fail(tx->e, r, "the PIN could not be taken on the reader: %s", tp_err_text(r));
    if (!*sent) {
        tvr_set(tx, TVR_PIN_NOT_ENTERED);
        tx->pin_bypassed = true;
    }
    return TP_OK;
}

/* The PIN key's own certificate, checked once: tx->pin_key when it is good. */
static enum tp_err own_pin_key(struct transaction *tx, struct span cert, struct span rest,
                               struct span exponent)
{
    struct emv_cert_info info = {0};
    enum emv_check check;
    const char *at;
    enum tp_err r = oda_issuer_key(tx, &at, &check);

    if (r != TP_OK || at != NULL)
        return r;
    if (tx->config->recorded != NULL)
        return oda_copy_key(tx, &tx->pin_key, tx->config->recorded->pin_key);
    r = emv_icc_cert_check(&check, &info, EMV_ICC_PIN_KEY, tx->issuer_key, cert, rest, exponent,
                           (struct span){NULL, 0}, tx->pan, tx->request->date);
    if (r != TP_OK)
        return tp_fail(tx->e, r, "the card's PIN certificate cannot be checked: %s",
                       tp_err_text(r));
    if (check == EMV_CHECK_OK)
        tx->pin_key = info.key;
    else
        emv_pubkey_free(&info.key);
    return TP_OK;
}

/* The key that PINs are enciphered under: the card's PIN key if it has a certificate for one, else
 * its own (Book 2, 7.1). *key is NULL when there is none. */
static enum tp_err pin_key(struct transaction *tx, struct emv_pubkey **key)
{
    const struct span cert = data_get(tx, TAG_PIN_CERT), rest = data_get(tx, TAG_PIN_REMAINDER),
                      exponent = data_get(tx, TAG_PIN_EXPONENT);
    enum emv_check check;
    const char *at;
    enum tp_err r = TP_OK;

    if (cert.n > 0 && exponent.n > 0) {
        if (tx->pin_key == NULL)
            r = own_pin_key(tx, cert, rest, exponent);
        *key = tx->pin_key;
    } else {
        r = oda_icc_key(tx, &at, &check);
        *key = tx->icc_key;
    }
    return r;
}

/* Book 2, 7.2: 7F, PIN block, challenge, random bytes, all under the key. */
static enum tp_err encipher_rsa(struct buf *out, struct emv_pubkey *key, struct span plain)
{
    const size_t n = emv_pubkey_size(key);
    struct secret whole = {NULL, 0};
    enum tp_err r = n > plain.n ? secret_alloc(&whole, n) : TP_ERR_RANGE;

    if (r == TP_OK) {
        memcpy(whole.p, plain.p, plain.n);
        r = RAND_bytes(whole.p + plain.n, (int)(n - plain.n)) == 1
                ? emv_rsa_recover(key, secret_span(&whole), out->p)
                : TP_ERR_INTERNAL;
        out->n = n;
    }
    secret_free(&whole);
    return r;
}

/* 13.2: what both ends agree on once, by a key of the terminal's that nobody else knows, enciphers
 * each PIN. */
static enum tp_err encipher_ode(struct buf *out, struct transaction *tx, struct span plain,
                                const uint8_t challenge[CHALLENGE])
{
    const struct ec_suite *suite = tx->pin_ec.suite;
    struct ec_privkey own = {{NULL, 0}, {0}};
    enum tp_err r = TP_OK;

    if (tx->ode.keys.n == 0) {
        r = ec_privkey_generate(&own, suite);
        if (r == TP_OK)
            r = ode_agree(&tx->ode, &own, &tx->pin_ec, challenge);
        memcpy(tx->ode_x, own.pub.x, sizeof(tx->ode_x));
        ec_privkey_free(&own);
    }
    if (r == TP_OK)
        r = buf_put(out, span_of(tx->ode_x, suite->field_n));
    return r == TP_OK ? ode_encipher(out, &tx->ode, plain) : r;
}

/* key: RSA's; NULL: tx->pin_ec is the key. *ok false: the card gave no challenge. */
static enum tp_err encipher(struct transaction *tx, struct emv_pubkey *key, struct span block,
                            struct buf *out, bool *ok)
{
    const struct capdu c = {.ins = INS_GET_CHALLENGE, .le = 256};
    struct secret plain = {NULL, 0};
    struct span challenge;
    uint16_t sw;
    enum tp_err r = command_send(tx, &c, &challenge, &sw);

    *ok = r == TP_OK && sw == SW_OK && challenge.n == CHALLENGE &&
          (key == NULL || emv_pubkey_size(key) > PLAIN_PIN);
    if (!*ok)
        return r;
    r = secret_alloc(&plain, PLAIN_PIN);
    if (r == TP_OK) {
        plain.p[0] = ENCIPHERED_PIN_HEADER;
        memcpy(plain.p + 1, block.p, 8);
        memcpy(plain.p + 9, challenge.p, CHALLENGE);
        r = key != NULL ? encipher_rsa(out, key, secret_span(&plain))
                        : encipher_ode(out, tx, secret_span(&plain), challenge.p);
    }
    secret_free(&plain);
    return r == TP_OK ? TP_OK : tp_fail(tx->e, r, "the PIN cannot be enciphered");
}

/* One VERIFY. *sent false: enciphering was not possible, which fails the method (Book 2, 7). */
static enum tp_err send(struct transaction *tx, bool enciphered, struct emv_pubkey *key,
                        struct span block, bool *sent, uint16_t *sw)
{
    struct capdu c = {.ins = INS_VERIFY,
                      .p2 = enciphered ? VERIFY_ENCIPHERED_PIN : VERIFY_PLAINTEXT_PIN,
                      .data = block};
    uint8_t raw[EMV_RSA_MAX];
    struct buf cipher = BUF_OF(raw);
    struct span nothing;
    enum tp_err r;

    *sent = true;
    if (enciphered) {
        r = encipher(tx, key, block, &cipher, sent);
        if (r != TP_OK || !*sent)
            return r;
        c.data = buf_span(&cipher);
    }
    return command_send(tx, &c, &nothing, sw);
}

/* What VERIFY's answer means (6.5.12.5): *again when another try is left. A card whose counter does
 * not go down lies, and gets no further PIN. */
static enum tp_err judge(struct transaction *tx, uint16_t sw, bool *ok, bool *again)
{
    *ok = sw == SW_OK;
    *again = false;
    if (*ok)
        return TP_OK;
    if ((sw & 0xFFF0) == SW_PIN_TRIES_LEFT) {
        *again = (sw & 0x0F) > 0 && (sw & 0x0F) < tx->pin_tries;
        tx->pin_tries = sw & 0x0F;
    } else if (sw == SW_PIN_BLOCKED || sw == SW_REFERENCE_INVALIDATED) {
        tx->pin_tries = 0;
    } else {
        return tx_end_sw(tx, sw, "VERIFY");
    }
    if (!*again)
        tvr_set(tx, TVR_PIN_TRIES_EXCEEDED);
    return TP_OK;
}

static enum tp_err attempts(struct transaction *tx, bool enciphered, struct emv_pubkey *key,
                            bool *ok)
{
    bool again = true, got, sent;
    enum tp_err r = TP_OK;

    for (unsigned i = 0; r == TP_OK && again && i < ATTEMPTS_MAX; i++) {
        struct secret block = {NULL, 0};
        uint16_t sw = 0;

        again = false;
        sent = false;
        if (by_keypad(tx, enciphered)) {
            r = send_by_keypad(tx, i > 0, &sent, &sw);
        } else {
            r = ask(tx, i > 0, &block, &got);
            if (r == TP_OK && got)
                r = send(tx, enciphered, key, secret_span(&block), &sent, &sw);
            secret_free(&block);
        }
        if (r == TP_OK && sent)
            r = judge(tx, sw, ok, &again);
    }
    return r;
}

enum tp_err pin_verify(struct transaction *tx, bool enciphered, bool *ok)
{
    struct emv_pubkey *key = NULL;
    enum tp_err r = TP_OK;

    *ok = false;
    if (tx->pin_bypassed) /* Book 4, 6.3.4.3: not asked a second time */
        return TP_OK;
    tx_step(tx, KERNEL_PIN);
    if (tx->pin_tries == PIN_UNKNOWN_TRIES && (tx->person == NULL || !tx->person->tries_untold))
        r = fetch_tries(tx);
    if (r != TP_OK)
        return r;
    if (tx->pin_tries == 0) {
        tvr_set(tx, TVR_PIN_TRIES_EXCEEDED);
        return TP_OK;
    }
    if (enciphered)
        r = xda_keys(tx) ? xda_pin_key(tx) : pin_key(tx, &key);
    if (r == TP_OK && (!enciphered || key != NULL || tx->pin_ec.suite != NULL))
        r = attempts(tx, enciphered, key, ok);
    return r;
}
