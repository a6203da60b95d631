/* What a reader's service may send over vpcd: first byte cuts the stream into pieces, the rest is
 * the stream. The answers are the same however it is cut, and are well framed. */
#include "fuzz.h"

#include <string.h>

#include "simcard/perso.h"
#include "simcard/vpcd.h"

static struct card *make_card(void)
{
    static struct scheme *scheme;
    struct scheme_params sp;
    struct perso_params p;
    struct card_profile *profile;
    struct card *card;
    struct tp_error e;

    scheme_defaults(&sp);
    sp.authority_bits = sp.issuer_bits = 512;
    HOLDS(scheme != NULL || scheme_new(&scheme, &sp, &e) == TP_OK);
    perso_defaults(&p);
    p.pan = "9990140000000015";
    p.pin = span_str("1234");
    p.expiry = 20301231;
    p.method = PERSO_SDA; /* without random numbers but GET CHALLENGE */
    HOLDS(perso_make(&profile, scheme, &p, &e) == TP_OK);
    HOLDS(card_new(&card, &profile) == TP_OK);
    return card;
}

/* Feeds the stream in pieces of n bytes; the lengths of the answers, not their random content, go
 * to out. */
static enum tp_err feed(struct span stream, size_t n, uint32_t *frames, unsigned long *handled)
{
    static struct vpcd v;
    uint8_t raw[VPCD_ANSWERS_MAX];
    struct buf out = BUF_OF(raw);
    struct card *card = make_card();
    struct span piece, answers;
    enum tp_err r = TP_OK;

    vpcd_start(&v, vpcd_card_of(card));
    while (r == TP_OK && stream.n > 0) {
        HOLDS(span_take(&stream, n < stream.n ? n : stream.n, &piece) == TP_OK);
        r = vpcd_take(&v, piece, &out);
    }
    answers = buf_span(&out);
    *frames = 0;
    for (uint16_t length; answers.n > 0; *frames = *frames * 31 + length + 1)
        HOLDS(span_be16(&answers, &length) == TP_OK && length >= 2 &&
              span_take(&answers, length, &piece) == TP_OK);
    *handled = v.controls + v.commands;
    card_close(&card);
    return r;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    uint32_t whole_frames, cut_frames;
    unsigned long whole_handled, cut_handled;

    if (size < 2 || size > 4096)
        return 0;
    const enum tp_err whole =
        feed(span_of(data + 1, size - 1), size, &whole_frames, &whole_handled);
    const enum tp_err cut =
        feed(span_of(data + 1, size - 1), 1 + data[0] % 7, &cut_frames, &cut_handled);

    HOLDS(whole == cut && whole_frames == cut_frames && whole_handled == cut_handled);
    return 0;
}
