/* The calculator: scripts under secure messaging (crypto/script.h). */
#include "issuer/calc_priv.h"

#include <string.h>

#define CHAIN_OPTION "--chain (all that the MAC algorithm gave for the command before)"

static enum tp_err start_script(struct calc *c, struct emv_script *s, struct tp_error *e)
{
    const size_t block = emv_cipher_block(c->kind.cipher);
    const bool covered = !c->kind.format_1 && !c->kind.bare; /* ATC and AC are, by the MAC */
    enum tp_err r = TP_OK;

    if (c->kind.format_1 || covered)
        r = calc_need(&c->ac, 8, 8, "--ac", calc_from_ac, e);
    if (r == TP_OK && covered)
        r = calc_need(&c->atc, 2, 2, "--atc", calc_from_atc, e);
    if (r == TP_OK && !c->kind.format_1 && c->chain.given)
        r = tp_fail(e, TP_ERR_USAGE,
                    "--chain is of CCD cards: the MACs of this kind are not chained");
    if (r == TP_OK && c->chain.given)
        r = calc_need(&c->chain, block, block, CHAIN_OPTION, "", e);
    if (r != TP_OK)
        return r;
    *s = (struct emv_script){.kind = &c->kind, .mac_size = c->mac_size};
    memcpy(s->atc, c->atc.p, sizeof(s->atc));
    memcpy(s->chain, c->chain.given ? c->chain.p : c->ac.p, c->chain.given ? block : 8);
    return c->kind.format_1
               ? calc_put(c, "chaining value",
                          c->chain.given ? "Book 2, 9.2.3.1" : "Book 2, 9.2.3.1: the AC",
                          span_of(s->chain, block))
               : TP_OK;
}

/* What the next command of a CCD script goes on from. */
static enum tp_err put_next_chain(struct calc *c, const uint8_t *full)
{
    return c->kind.format_1
               ? calc_put(c, "next chaining value", "Book 2, 9.2.3.1: all of the MAC algorithm",
                          span_of(full, emv_cipher_block(c->kind.cipher)))
               : TP_OK;
}

static const char *mac_clause(const struct calc *c)
{
    return c->kind.format_1 ? "Book 2, 9.2.3: chaining value, CLA INS P1 P2 padded, object padded"
           : c->kind.bare   ? "Book 2, 9.2.3: CLA INS P1 P2 Lc, data"
                            : "Book 2, 9.2.3: CLA INS P1 P2 Lc, ATC, AC, data";
}

static const char *cipher_clause(const struct calc *c)
{
    static const char *const clauses[] = {
        [EMV_ENCIPHER_EMV] = "Book 2, 9.3.3, A1.1: data, 80 00; CBC",
        [EMV_ENCIPHER_VISA] = "VIS, D: length, data, 80 00; ECB",
        [EMV_ENCIPHER_MASTERCARD] = "Book 2, A1.1: data, 80 00 where wanted; CBC",
    };

    return clauses[c->kind.encipherment];
}

enum tp_err calc_mac(struct calc *c, struct tp_error *e)
{
    const size_t size = c->mac_size != 0 ? c->mac_size : EMV_SCRIPT_MAC;
    uint8_t full[EMV_BLOCK_MAX];
    struct emv_script s;
    enum tp_err r = calc_need(&c->head, 5, 5, "--head (CLA INS P1 P2 Lc, as sent)",
                              "the command's first bytes", e);

    if (r == TP_OK)
        r = start_script(c, &s, e);
    if (r == TP_OK)
        r = calc_session(c, CALC_USE_SMI, e);
    if (r == TP_OK)
        r = emv_script_mac(full, &s, secret_span(&c->key[CALC_SESSION_KEY][CALC_USE_SMI]),
                           c->head.p, calc_given(&c->data));
    if (r == TP_OK)
        r = put_next_chain(c, full);
    return r == TP_OK ? calc_put(c, "script MAC", mac_clause(c), span_of(full, size)) : r;
}

enum tp_err calc_encipher(struct calc *c, struct tp_error *e)
{
    uint8_t room[EMV_SCRIPT_APDU_MAX];
    struct buf out = BUF_OF(room);
    enum tp_err r = calc_need(&c->data, 0, EMV_SCRIPT_DATA_MAX, "--data", "the plain bytes", e);

    if (r == TP_OK)
        r = calc_session(c, CALC_USE_SMC, e);
    if (r == TP_OK)
        r = emv_script_encipher(&out, &c->kind,
                                secret_span(&c->key[CALC_SESSION_KEY][CALC_USE_SMC]),
                                calc_given(&c->data));
    return r == TP_OK ? calc_put(c, "enciphered data", cipher_clause(c), buf_span(&out)) : r;
}

enum tp_err calc_decipher(struct calc *c, struct tp_error *e)
{
    uint8_t room[EMV_SCRIPT_APDU_MAX];
    struct buf out = BUF_OF(room);
    enum tp_err r =
        calc_need(&c->data, 8, EMV_SCRIPT_APDU_MAX, "--data", "the enciphered bytes", e);

    if (r == TP_OK)
        r = calc_session(c, CALC_USE_SMC, e);
    if (r == TP_OK)
        r = emv_script_decipher(&out, &c->kind,
                                secret_span(&c->key[CALC_SESSION_KEY][CALC_USE_SMC]),
                                calc_given(&c->data));
    if (r == TP_ERR_FORMAT)
        return tp_fail(e, TP_ERR_USAGE,
                       "--data does not decipher under these keys: its padding is wrong");
    if (r == TP_OK)
        r = calc_put(c, "data", cipher_clause(c), buf_span(&out));
    secret_wipe(room, sizeof(room));
    return r;
}

static enum tp_err make_command(struct calc *c, struct emv_script *s, struct emv_script_keys *keys,
                                struct span plain)
{
    uint8_t room[EMV_SCRIPT_APDU_MAX + 5];
    struct buf out = BUF_OF(room);
    enum tp_err r = emv_script_close(&out, s, keys, c->head.p, plain, c->encipher);

    if (r == TP_OK)
        r = put_next_chain(c, s->chain);
    return r == TP_OK ? calc_put(c, "command",
                                 c->kind.format_1 ? "Book 2, 9.2.1.1 (format 1)"
                                                  : "Book 2, 9.2.1.2 (format 2)",
                                 buf_span(&out))
                      : r;
}

/* The data are --data or, when a PIN is among the keys, its block. */
enum tp_err calc_command(struct calc *c, struct tp_error *e)
{
    struct emv_script s;
    struct emv_script_keys keys = {{NULL, 0}, {NULL, 0}};
    struct span plain = calc_given(&c->data);
    enum tp_err r = calc_need(&c->head, 4, 4, "--head (CLA INS P1 P2 of the plain command)",
                              "the command's first bytes", e);

    if (r == TP_OK)
        r = start_script(c, &s, e);
    if (r == TP_OK && c->pin.p != NULL) {
        r = calc_pin_block(c, e);
        if (r == TP_OK)
            plain = span_of(c->row[c->rows - 1].value, c->row[c->rows - 1].n);
    }
    if (r == TP_OK)
        r = calc_session(c, CALC_USE_SMI, e);
    if (r == TP_OK && c->encipher)
        r = calc_session(c, CALC_USE_SMC, e);
    if (r == TP_OK)
        r = secret_copy(&keys.mac, secret_span(&c->key[CALC_SESSION_KEY][CALC_USE_SMI]));
    if (r == TP_OK && c->encipher)
        r = secret_copy(&keys.cipher, secret_span(&c->key[CALC_SESSION_KEY][CALC_USE_SMC]));
    if (r == TP_OK)
        r = make_command(c, &s, &keys, plain);
    emv_script_keys_free(&keys);
    return r;
}
