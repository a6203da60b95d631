/* 0600 of a mediator: whose card it is (acquirer/presence.h). Answered at once, and not kept. */
#include <stdio.h>
#include <stdlib.h>

#include "acquirer/presence.h"
#include "acquirer/server_priv.h"
#include "base/log.h"

static void say(struct request *q, const struct presence *p)
{
    uint8_t room[MEDIATION_MAX];
    struct buf objects = BUF_OF(room);
    struct tx_record tx = request_known(q);
    const struct mediation said = {.card = span_str(p->card != NULL ? p->card : "")};
    struct iso8583 *m = &q->worker->answer;
    struct wire_answer a;

    if (p->verdict == LEDGER_NEW)
        wire_answer_set(&a, "00", NULL);
    else
        answer_verdict(&a, p->verdict, p->word);
    echo_start(m, &q->echo);
    wire_answer_put(m, &a);
    if (mediation_put(m, &objects, &said) != TP_OK) { /* a certificate that is too large */
        request_answer(q, LEDGER_FAULT, NULL);
        return;
    }
    echo_send(q->peer, m);
    snprintf(tx.pan_masked, sizeof(tx.pan_masked), "%s", p->pan_masked);
    answer_log(q->message->mti, &tx, &a);
}

void on_presence(struct request *q)
{
    const time_t now = time(NULL);
    struct mediated *room = &q->worker->mediated;
    struct buf objects = BUF_OF(room->room);
    struct presence p = {.verdict = LEDGER_MALFORMED, .word = "DE112"};
    struct tp_error e = {TP_OK, ""};
    enum tp_err r;

    if (!request_is_admitted(q))
        return;
    worker_look(q->worker, now);
    r = worker_have_keys(q->worker, &e);
    if (r == TP_OK && check_places(p.word, q->message, true) &&
        mediation_read(&room->parts, &objects, q->message, true) == TP_OK &&
        room->parts.request.n > 0 && room->parts.evidence.n > 0)
        r = presence_judge(&p, &room->parts, &q->worker->keys, &q->worker->checker, q->party, now,
                           &e);
    if (r == TP_OK)
        say(q, &p);
    else
        request_fault(q, &e);
    free(p.card);
}
