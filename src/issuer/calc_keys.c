/* The calculator: keys out of a file of lines, or an issuer's folder. */
#include <ctype.h>
#include <stdio.h>
#include <string.h>

#include "base/hex.h"
#include "issuer/calc_priv.h"
#include "issuer/keys.h"

/* ---- the keys' file ---- */

static struct span trimmed(struct span s)
{
    while (s.n > 0 && isspace(s.p[0]))
        s = span_of(s.p + 1, s.n - 1);
    while (s.n > 0 && isspace(s.p[s.n - 1]))
        s.n--;
    return s;
}

static enum tp_err read_hex(struct secret *out, struct span text)
{
    char hex[2 * EMV_KEY_MAX + 1];
    enum tp_err r;

    if (text.n == 0 || text.n % 2 != 0 || text.n >= sizeof(hex) ||
        secret_alloc(out, text.n / 2) != TP_OK)
        return TP_ERR_FORMAT;
    struct buf b = {out->p, 0, out->n};

    memcpy(hex, text.p, text.n);
    hex[text.n] = '\0';
    r = hex_decode(&b, hex);
    secret_wipe(hex, sizeof(hex));
    if (r == TP_OK && b.n != out->n) /* spaces among the digits */
        r = TP_ERR_FORMAT;
    if (r != TP_OK)
        secret_free(out);
    return r;
}

/* 16, 24 or 32 bytes. */
static enum tp_err read_key(struct secret *out, struct span text)
{
    return emv_cipher_key(EMV_AES, text.n / 2) ? read_hex(out, text) : TP_ERR_FORMAT;
}

static const char *const levels[CALC_LEVELS] = {"imk", "mk", "sk"};

static enum tp_err read_named(struct calc *c, struct span name, struct span value)
{
    char want[9];

    for (unsigned level = 0; level < CALC_LEVELS; level++) {
        for (unsigned use = 0; use < CALC_USES; use++) {
            if (level == CALC_SESSION_KEY && use > CALC_USE_SMC)
                continue; /* these values have none */
            snprintf(want, sizeof(want), "%s-%s", levels[level], calc_uses[use]);
            if (span_eq(name, span_str(want)) && c->key[level][use].p == NULL)
                return read_key(&c->key[level][use], value);
        }
    }
    if (span_eq(name, span_str("pin-key")) && c->pin_key.p == NULL)
        return read_key(&c->pin_key, value);
    if (span_eq(name, span_str("pin-block")) && c->pin_block.p == NULL)
        return read_hex(&c->pin_block, value);
    if (span_eq(name, span_str("pin")) && c->pin.p == NULL)
        return secret_copy(&c->pin, value);
    if (span_eq(name, span_str("current-pin")) && c->current_pin.p == NULL)
        return secret_copy(&c->current_pin, value);
    return TP_ERR_NOT_FOUND;
}

enum tp_err calc_read_keys(struct calc *c, struct span text, struct tp_error *e)
{
    unsigned line = 0;

    while (text.n > 0) {
        const uint8_t *end = memchr(text.p, '\n', text.n);
        const size_t n = end != NULL ? (size_t)(end - text.p) : text.n;
        struct span row = span_of(text.p, n);
        const uint8_t *hash = memchr(row.p, '#', row.n), *equals;

        text = span_of(text.p + n + (end != NULL), text.n - n - (end != NULL));
        line++;
        if (hash != NULL)
            row.n = (size_t)(hash - row.p);
        row = trimmed(row);
        if (row.n == 0)
            continue;
        equals = memchr(row.p, '=', row.n);
        if (equals == NULL)
            return tp_fail(e, TP_ERR_USAGE, "line %u of the keys is not NAME = VALUE", line);
        const struct span name = trimmed(span_of(row.p, (size_t)(equals - row.p)));

        switch (read_named(c, name,
                           trimmed(span_of(equals + 1, (size_t)(row.p + row.n - equals - 1))))) {
        case TP_OK:
            break;
        case TP_ERR_NOT_FOUND:
            return tp_fail(
                e, TP_ERR_USAGE,
                "line %u of the keys has a name that is not known, or comes twice: "
                "imk-ac, imk-smi, imk-smc, imk-cvc3, imk-dcvv, mk-…, sk-…, pin-key, pin, "
                "current-pin",
                line);
        default:
            return tp_fail(
                e, TP_ERR_USAGE,
                "line %u of the keys: a key is 32 hexadecimal digits, of AES 48 or 64 too; a "
                "PIN block 16 or 32",
                line);
        }
    }
    return TP_OK;
}

/* ---- an issuer's folder ---- */

enum tp_err calc_take_keys(struct calc *c, const struct issuer_keys *k, struct tp_error *e)
{
    static const enum calc_use of[ISSUER_KEYS] = {[ISSUER_KEY_AC] = CALC_USE_AC,
                                                  [ISSUER_KEY_SMI] = CALC_USE_SMI,
                                                  [ISSUER_KEY_SMC] = CALC_USE_SMC};

    c->folder = true;
    for (unsigned i = 0; i < ISSUER_KEYS; i++) {
        const struct secret *from = &k->key[c->kind.cipher][i];
        struct secret *to = &c->key[CALC_ISSUER_KEY][of[i]];

        if (from->p == NULL)
            return tp_fail(e, TP_ERR_USAGE,
                           "that folder has no AES keys: its scheme is of before telepay 0.2");
        if (to->p == NULL && secret_copy(to, secret_span(from)) != TP_OK)
            return tp_fail(e, TP_ERR_NO_MEMORY, "out of memory");
    }
    return TP_OK;
}
