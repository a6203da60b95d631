#include "bench_pcscd.h"

#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "drivers/pcsc.h"
#include "simcard/vpcd.h"

struct card *rig_default_card(const struct rig *r)
{
    struct perso_params p;

    rig_params(&p);
    return rig_card(r, &p);
}

void rig_pay(struct rig *b, struct reader *reader)
{
    const struct kernel_person person = rig_person();
    const struct transaction_request request = rig_request(b, 1250);
    struct transaction *tx;
    struct tp_error e;

    rig_must(reader_connect(reader, &e), "connect", &e);
    rig_must(kernel_run(&tx, reader, &b->config, &request, &person, NULL, &e), "payment", &e);
    if (transaction_outcome(tx) != KERNEL_APPROVED || !transaction_authentication(tx)->ok)
        rig_must(TP_ERR_CARD, transaction_reason(tx), NULL);
    transaction_free(&tx);
    reader_disconnect(reader);
}

struct server { /* the card in pcscd's virtual reader */
    struct card *card;
    int stop[2];
};

static void unheard(void *ctx)
{
    (void)ctx;
}

static void *serve(void *arg)
{
    static const struct vpcd_events events = {unheard, unheard, NULL};
    struct server *s = arg;
    enum vpcd_end end;
    struct tp_error e;

    do { /* the virtual reader may not listen yet */
        rig_must(
            vpcd_serve(&end, vpcd_card_of(s->card), "127.0.0.1", "35963", s->stop[0], &events, &e),
            "vpcd", &e);
        poll(NULL, 0, end == VPCD_UNREACHABLE ? 100 : 0);
    } while (end == VPCD_UNREACHABLE);
    return NULL;
}

double rig_through_pcscd(struct rig *b, unsigned n, struct reader_counts *each)
{
    struct server s = {rig_default_card(b), {-1, -1}};
    struct reader *reader;
    struct tp_error e;
    pthread_t thread;
    double start;

    if (pipe(s.stop) != 0 || pthread_create(&thread, NULL, serve, &s) != 0) {
        perror("bench: thread");
        exit(1);
    }
    rig_must(pcsc_open(&reader, NULL, false, &e), "pcscd", &e);
    rig_must(reader_wait_card(reader, 10000, &e), "card", &e);
    rig_pay(b, reader);
    *each = reader_counts(reader);
    start = rig_now();
    for (unsigned i = 0; i < n; i++) {
        rig_must(reader_wait_card(reader, 10000, &e), "card", &e);
        rig_pay(b, reader);
    }
    start = rig_now() - start;
    reader_close(&reader);
    if (write(s.stop[1], "", 1) != 1)
        rig_must(TP_ERR_IO, "pipe", NULL);
    pthread_join(thread, NULL);
    close(s.stop[0]);
    close(s.stop[1]);
    card_close(&s.card);
    return start;
}
