/* Transcripts: whatever the text, what parses can be played, by the reader and by the card, and
 * never answers more than was written. */
#include "fuzz.h"

#include <string.h>

#include "drivers/replay.h"
#include "simcard/recorded.h"

static void nothing(void *ctx, const struct replay_difference *d)
{
    (void)ctx;
    HOLDS((d->kind == REPLAY_NOT_RECORDED) == (d->recorded == NULL));
}

/* The commands of the transcript itself, in order: each is answered as written, by both. */
static void play(const struct transcript *t)
{
    struct replay replay = {.transcript = t, .differs = nothing};
    struct recorded_card recorded = {.transcript = t};
    const struct vpcd_card card = recorded_vpcd(&recorded);
    uint8_t raw[64], *answer = malloc(APDU_RESPONSE_MAX);
    struct buf atr = BUF_OF(raw), response = {answer, 0, APDU_RESPONSE_MAX};
    const struct transcript_exchange *x;
    struct reader *reader = NULL;
    struct tp_error e;

    HOLDS(answer != NULL);
    if (card.power_on(card.ctx, &atr) != TP_OK)
        recorded.powered = true;
    for (size_t i = 0; (x = transcript_at(t, i)) != NULL; i++) {
        HOLDS(masked_matches(&x->command, masked_filled(&x->command)));
        response.n = 0;
        HOLDS(card.transmit(card.ctx, masked_filled(&x->command), &response) ==
              (x->answer.n == 0 ? TP_ERR_CARD : TP_OK));
        HOLDS(span_eq(buf_span(&response), masked_filled(&x->answer)));
    }
    if (replay_open(&reader, &replay, &e) == TP_OK && reader_connect(reader, &e) == TP_OK) {
        for (size_t i = 0; (x = transcript_at(t, i)) != NULL; i++) {
            struct capdu c;
            uint16_t sw;

            response.n = 0;
            if (capdu_parse(&c, masked_filled(&x->command)) == TP_OK &&
                reader_transmit(reader, &c, &response, &sw, &e) != TP_OK)
                HOLDS(response.n == 0);
        }
        replay_finish(&replay);
    }
    reader_close(&reader);
    free(answer);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct transcript *t = NULL;
    struct tp_error e;

    if (size > 16384)
        return 0;
    if (transcript_parse(&t, span_of(data, size), "input", &e) != TP_OK) {
        HOLDS(t == NULL && strncmp(e.text, "input, line ", 12) == 0);
        return 0;
    }
    HOLDS(transcript_value(t, "format") != NULL);
    play(t);
    transcript_free(&t);
    return 0;
}
