/* Decoding: the first byte chooses what the others are taken for. Whatever they are, a tree comes
 * back that can be printed, and a card number that stands in it is not whole in what is printed. */
#include "fuzz.h"

#include <string.h>

#include "base/file.h"
#include "decode/decode.h"
#include "ec_authority.h"

static enum tp_err decode_as(json_t **out, struct decode *d, uint8_t kind, struct span in,
                             struct tp_error *e)
{
    const size_t half = in.n / 2;
    const struct span first = span_of(in.p, half), second = span_of(in.p + half, in.n - half);

    switch (kind % 10) {
    case 0:
        return decode_tlv(out, d, in, e);
    case 1:
        return decode_dol(out, d, in, span_of(NULL, 0), e);
    case 2:
        return decode_dol(out, d, first, second, e);
    case 3:
        return decode_tags(out, d, in, e);
    case 4:
        return decode_atr(out, d, in, e);
    case 5:
        return decode_message(out, d, in, e);
    case 6:
        return decode_exchange(out, d, first, second, e);
    case 7:
        return decode_value(out, d, 0x9F10, in, e);
    case 8:
        return in.n >= 2 ? decode_value(out, d, (uint32_t)(in.p[0] << 8 | in.p[1]),
                                        span_of(in.p + 2, in.n - 2), e)
                         : decode_tlv(out, d, in, e);
    default:
        return in.n >= 1 ? decode_value(out, d, in.p[0], span_of(in.p + 1, in.n - 1), e)
                         : decode_tlv(out, d, in, e);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const uint8_t nothing[1];
    static struct capk_store *keys;
    struct span in = {size > 1 ? data + 1 : nothing, size > 1 ? size - 1 : 0};
    struct decode d = {.scheme = size > 0 ? data[0] >> 6 : 0};
    struct tp_error e = {TP_OK, ""};
    json_t *objects = NULL;
    char *text = NULL, path[4096];
    size_t n = 0;
    FILE *to;
    enum tp_err r;

    if (size == 0 || size > 4096)
        return 0;
    if (keys == NULL) /* one of a curve, and all of RSA that come with telepay */
        HOLDS(capk_store_new(&keys) == TP_OK &&
              file_data_path(path, sizeof(path), "capk.json", NULL) == TP_OK &&
              capk_store_load(keys, path, &e) == TP_OK && take_ec(keys) == TP_OK);
    d.keys = keys;
    r = decode_as(&objects, &d, data[0] & 0x3F, in, &e);
    HOLDS(r == TP_OK || (r == TP_ERR_FORMAT && e.text[0] != '\0'));
    HOLDS(objects != NULL);
    to = open_memstream(&text, &n);
    HOLDS(to != NULL);
    decode_print(to, objects);
    HOLDS(fclose(to) == 0);
    json_decref(objects);
    free(text);
    return 0;
}
