#include "wire/echo.h"

#include <string.h>

#include "base/log.h"
#include "base/secret.h"

void echo_take(struct echo *out, const struct iso8583 *request, const uint8_t *fields, size_t n)
{
    out->mti = request->mti - request->mti % 10 + 10;
    out->fields = 0;
    out->text_n = 0;
    for (size_t i = 0; i < n && i < ECHO_FIELDS_MAX; i++) {
        const struct span v = request->field[fields[i]];

        if (v.p == NULL || v.n > sizeof(out->text) - out->text_n)
            continue;
        out->field[out->fields].number = fields[i];
        out->field[out->fields].at = (uint8_t)out->text_n;
        out->field[out->fields++].n = (uint8_t)v.n;
        memcpy(out->text + out->text_n, v.p, v.n);
        out->text_n += v.n;
    }
}

enum tp_err echo_start(struct iso8583 *out, const struct echo *echo)
{
    enum tp_err r = TP_OK;

    iso8583_start(out, echo->mti);
    for (size_t i = 0; r == TP_OK && i < echo->fields; i++)
        r = iso8583_set(out, echo->field[i].number,
                        span_of(echo->text + echo->field[i].at, echo->field[i].n));
    return r;
}

void echo_send(struct link_peer *peer, const struct iso8583 *answer, enum tp_err made)
{
    uint8_t room[ECHO_ANSWER_MAX];
    struct buf out = BUF_OF(room);
    struct tp_error e = {TP_OK, ""};

    if (made == TP_OK)
        made = iso8583_pack(&out, answer, &e);
    if (made == TP_OK) {
        link_send(peer, buf_span(&out));
    } else {
        log_error("%s: an answer cannot be packed: %s", link_peer_address(peer),
                  e.text[0] != '\0' ? e.text : tp_err_text(made));
        link_peer_close(peer);
    }
    secret_wipe(room, out.n);
}
