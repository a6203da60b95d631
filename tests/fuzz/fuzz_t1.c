/* T=1 with a card that sends whatever it likes. The input is a row of answers: a length, then that
 * many bytes; of an odd length the error code and LEN are put right first, so that the inside is
 * reached. What we send is well formed, it ends, and an answer never goes past its room. */
#include "fuzz.h"

#include <string.h>

#include "drivers/t1.h"

struct input {
    struct span in;
    unsigned long blocks;
    bool crc;
};

static enum tp_err exchange(void *ctx, uint8_t wtx, struct span block, struct buf *answer,
                            struct tp_error *e)
{
    struct input *f = ctx;
    uint8_t raw[T1_BLOCK_MAX + 4], n = 0, edc[2];
    const size_t edc_n = f->crc ? 2 : 1;
    struct span piece;
    struct buf b = BUF_OF(raw);

    (void)wtx;
    HOLDS(block.n >= 3 + edc_n && block.n == 3U + block.p[2] + edc_n && block.p[0] == 0 &&
          block.p[2] != 255);
    HOLDS(t1_edc(edc, span_of(block.p, block.n - edc_n), f->crc) == edc_n &&
          memcmp(edc, block.p + block.n - edc_n, edc_n) == 0);
    f->blocks++;
    if (span_u8(&f->in, &n) != TP_OK)
        return tp_fail(e, TP_ERR_NO_CARD, "no more");
    if (span_take(&f->in, n < f->in.n ? n : f->in.n, &piece) != TP_OK ||
        buf_put(&b, piece) != TP_OK)
        return TP_OK;
    if (n % 2 != 0 && b.n >= 3 && b.n <= 3 + 254) {
        raw[2] = (uint8_t)(b.n - 3);
        b.n += t1_edc(raw + b.n, buf_span(&b), f->crc);
    }
    return buf_put(answer, span_of(raw, b.n < T1_BLOCK_MAX ? b.n : T1_BLOCK_MAX));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct input f = {.in = span_of(data, size)};
    const struct t1_link link = {&f, exchange, NULL};
    uint8_t how, raw[300], command[260];
    struct buf response = BUF_OF(raw);
    struct tp_error e;
    struct t1 t;

    if (size > 65536 || span_u8(&f.in, &how) != TP_OK)
        return 0;
    memset(command, 0xA5, sizeof(command));
    memset(raw, 0, sizeof(raw));
    f.crc = (how & 1) != 0;
    t1_start(&t, &link, (uint8_t)(1 + how % 254), f.crc);
    if ((how & 2) != 0 && t1_set_ifsd(&t, 254, &e) != TP_OK)
        HOLDS(e.code == TP_ERR_CARD || e.code == TP_ERR_NO_CARD);
    for (unsigned i = 0; i < 3; i++) {
        const size_t before = response.n;
        const unsigned long blocks = f.blocks;
        const enum tp_err rc =
            t1_transmit(&t, span_of(command, 1 + (how * 3U) % sizeof(command)), &response, &e);

        HOLDS(f.blocks - blocks <= T1_WTX_MAX + 2 * (T1_ERRORS_MAX + T1_IDLE_MAX) +
                                       sizeof(command) * 3 + sizeof(raw) * 3);
        HOLDS(response.n <= sizeof(raw) && (rc == TP_OK || response.n == before));
        HOLDS(rc == TP_OK || rc == TP_ERR_CARD || rc == TP_ERR_NO_CARD);
        HOLDS(t.ns <= 1 && t.nr <= 1 && t.ifsc >= 1 && t.ifsc <= 254);
    }
    return 0;
}
