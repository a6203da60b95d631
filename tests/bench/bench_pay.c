/* A card payment (make bench): commands, bytes and payments a second against the card in process, and beside tests/system/with-pcscd the same card through a real
 * pcscd, with the share of the time that pcscd and vpcd take. One JSON line a figure. */
#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "bench_rig.h"
#include "drivers/pcsc.h"
#include "simcard/inproc.h"
#include "simcard/vpcd.h"

static struct card *make_card(const struct rig *r)
{
    struct perso_params p;

    rig_params(&p);
    return rig_card(r, &p);
}

/* Card in, payment approved with PIN and CDA, card out. */
static void pay(struct rig *b, struct reader *reader)
{
    const struct kernel_person person = rig_person();
    const struct transaction_request request = rig_request(b, 1250);
    struct transaction *tx;
    struct tp_error e;

    rig_must(reader_connect(reader, &e), "connect", &e);
    rig_must(kernel_run(&tx, reader, &b->config, &request, &person, NULL, &e), "payment", &e);
    if (transaction_outcome(tx) != KERNEL_APPROVED || !transaction_authentication(tx)->ok) {
        fprintf(stderr, "bench_pay: not approved: %s\n", transaction_reason(tx));
        exit(1);
    }
    transaction_free(&tx);
    reader_disconnect(reader);
}

static void figure(const char *name, double value, const char *unit)
{
    printf("{\"bench\":\"pay\",\"name\":\"%s\",\"value\":%.*f,\"unit\":\"%s\"}\n", name, value < 10 ? 3 : 0, value, unit);
}

/* Seconds for n payments in process. */
static double in_process(struct rig *b, unsigned n)
{
    struct card *card = make_card(b);
    const struct inproc_card inproc = card_inproc(card);
    struct reader *reader;
    struct reader_counts counts;
    double start;

    rig_must(inproc_open(&reader, &inproc), "reader", NULL);
    pay(b, reader);
    counts = reader_counts(reader);
    start = rig_now();
    for (unsigned i = 0; i < n; i++)
        pay(b, reader);
    start = rig_now() - start;
    figure("commands to the card, PIN and CDA", (double)counts.exchanges, "commands");
    figure("bytes to the card", (double)counts.bytes_out, "bytes");
    figure("bytes from the card", (double)counts.bytes_in, "bytes");
    figure("payments in process (card and terminal on one core)", n / start, "1/s");
    reader_close(&reader);
    card_close(&card);
    return start;
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
        rig_must(vpcd_serve(&end, vpcd_card_of(s->card), "127.0.0.1", "35963", s->stop[0], &events, &e), "vpcd", &e);
        poll(NULL, 0, end == VPCD_UNREACHABLE ? 100 : 0);
    } while (end == VPCD_UNREACHABLE);
    return NULL;
}

/* Seconds for n payments through pcscd, connect and disconnect included, the card seen before the clock starts. */
static double through_pcscd(struct rig *b, unsigned n)
{
    struct server s = {make_card(b), {-1, -1}};
    struct reader *reader;
    struct tp_error e;
    pthread_t thread;
    double start;

    if (pipe(s.stop) != 0 || pthread_create(&thread, NULL, serve, &s) != 0) {
        perror("bench_pay: thread");
        exit(1);
    }
    rig_must(pcsc_open(&reader, NULL, false, &e), "pcscd", &e);
    rig_must(reader_wait_card(reader, 10000, &e), "card", &e);
    pay(b, reader);
    start = rig_now();
    for (unsigned i = 0; i < n; i++) {
        rig_must(reader_wait_card(reader, 10000, &e), "card", &e);
        pay(b, reader);
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

int main(void)
{
    const char *wanted = getenv("PAYMENTS");
    const unsigned n = wanted == NULL ? 400 : (unsigned)strtoul(wanted, NULL, 10);
    struct rig b = {0};
    double alone, pcscd;
    unsigned through = n / 8 > 0 ? n / 8 : 1;

    secret_start();
    rig_start(&b);
    alone = in_process(&b, n) / n;
    figure("wall time in process", alone * 1000, "ms");
    if (getenv("WITH_PCSCD_PID") != NULL) { /* only beside a pcscd of our own */
        pcscd = through_pcscd(&b, through) / through;
        figure("wall time through pcscd", pcscd * 1000, "ms");
        figure("share of pcscd and vpcd in it", 100 * (pcscd - alone) / pcscd, "%");
    }
    rig_end(&b);
    return 0;
}
