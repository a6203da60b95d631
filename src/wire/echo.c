#include "wire/echo.h"

#include <string.h>

#include "base/log.h"
#include "base/secret.h"

void echo_take(struct echo *out, const struct iso8583 *request, enum profile of)
{
    unsigned f = 0;

    out->mti = request->mti - request->mti % 10 + 10;
    out->fields = 0;
    out->text_n = 0;
    while ((f = profile_next(of, out->mti, PROFILE_ECHOED, f)) != 0 &&
           out->fields < ECHO_FIELDS_MAX) {
        const struct span v = request->field[f];

        if (v.p == NULL || v.n > sizeof(out->text) - out->text_n)
            continue;
        out->field[out->fields].number = (uint8_t)f;
        out->field[out->fields].at = (uint8_t)out->text_n;
        out->field[out->fields++].n = (uint8_t)v.n;
        memcpy(out->text + out->text_n, v.p, v.n);
        out->text_n += v.n;
    }
}

void echo_start(struct iso8583 *out, const struct echo *echo)
{
    iso8583_start(out, echo->mti);
    for (size_t i = 0; i < echo->fields; i++)
        iso8583_set(out, echo->field[i].number,
                    span_of(echo->text + echo->field[i].at, echo->field[i].n));
}

void echo_send(struct link_peer *peer, const struct iso8583 *answer)
{
    uint8_t room[ECHO_ANSWER_MAX];
    struct buf out = BUF_OF(room);
    struct tp_error e = {TP_OK, ""};

    if (iso8583_pack(&out, answer, &e) == TP_OK) {
        link_send(peer, buf_span(&out));
    } else {
        log_error("%s: an answer cannot be packed: %s", link_peer_address(peer), e.text);
        link_peer_close(peer);
    }
    secret_wipe(room, out.n);
}

void echo_answer(struct link_peer *peer, const struct echo *echo, const struct wire_answer *a)
{
    struct iso8583 m;

    echo_start(&m, echo);
    wire_answer_put(&m, a);
    echo_send(peer, &m);
    secret_wipe(&m, sizeof(m));
}
