/* A card payment (make bench): commands, bytes and payments a second against the card in process, and beside tests/system/with-pcscd the same card through a real
 * pcscd, with the share of the time that pcscd and vpcd take. One JSON line a figure. */
#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "drivers/pcsc.h"
#include "kernel/kernel.h"
#include "simcard/inproc.h"
#include "simcard/perso.h"
#include "simcard/vpcd.h"

#define DATE 20261123

struct bench {
    struct scheme *scheme;
    struct capk_store *store;
    struct terminal_config config;
    uint32_t counter;
};

static void must(enum tp_err r, const char *what, const struct tp_error *e)
{
    if (r == TP_OK)
        return;
    fprintf(stderr, "bench_pay: %s: %s\n", what, e == NULL ? tp_err_text(r) : e->text);
    exit(1);
}

static double now(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

/* A scheme of full size (1984, 1408), as telepay-perso makes it. */
static void make_scheme(struct bench *b)
{
    struct scheme_params p;
    struct tp_error e;
    char path[] = "/tmp/bench-pay-XXXXXX";
    const int fd = mkstemp(path);

    if (fd < 0)
        must(TP_ERR_IO, path, NULL);
    close(fd);
    unlink(path);
    scheme_defaults(&p);
    must(scheme_new(&b->scheme, &p, &e), "scheme", &e);
    must(scheme_save_authority(b->scheme, path, &e), "authority", &e);
    must(capk_store_new(&b->store), "store", NULL);
    must(capk_store_load(b->store, path, &e), "authority", &e);
    unlink(path);
    b->config = (struct terminal_config){.type = 0x35,
                                         .capabilities = {0x20, 0x98, 0xC8},
                                         .additional = {0x60, 0x00, 0xF0, 0xA0, 0x01},
                                         .country = 250,
                                         .terminal_id = "00000001",
                                         .merchant_id = "000000000000123",
                                         .merchant_name = "Bench",
                                         .ifd_serial = "TP000001",
                                         .mcc = 5942,
                                         .applications_n = 1,
                                         .authorities = b->store};
    b->config.applications[0] =
        (struct terminal_application){.aid = {0xF0, 0, 0, 0, 0x14, 0x10, 0x10}, .aid_n = 7, .version = {0, 1}, .floor_limit = 5000};
}

static struct card *make_card(struct bench *b)
{
    struct perso_params p;
    struct card_profile *profile;
    struct card *card;
    struct tp_error e;

    perso_defaults(&p);
    p.pan = "9990140000000018";
    p.pin = span_str("1234");
    p.expiry = 20301231;
    p.effective = 20200101;
    must(perso_make(&profile, b->scheme, &p, &e), "card", &e);
    must(card_new(&card, &profile), "card", NULL);
    return card;
}

static enum tp_err pin(void *ctx, unsigned tries_left, bool wrong_before, struct secret *out)
{
    (void)ctx;
    (void)tries_left;
    (void)wrong_before;
    return secret_copy(out, span_str("1234"));
}

/* Card in, payment approved with PIN and CDA, card out. */
static void pay(struct bench *b, struct reader *reader)
{
    const struct kernel_person person = {NULL, NULL, pin, NULL};
    const struct transaction_request request = {.amount = 1250,
                                                .currency = 978,
                                                .currency_exponent = 2,
                                                .date = DATE,
                                                .time = 120000,
                                                .counter = ++b->counter,
                                                .un = {1, 2, 3, (uint8_t)b->counter}};
    struct transaction *tx;
    struct tp_error e;

    must(reader_connect(reader, &e), "connect", &e);
    must(kernel_run(&tx, reader, &b->config, &request, &person, NULL, &e), "payment", &e);
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
static double in_process(struct bench *b, unsigned n)
{
    struct card *card = make_card(b);
    const struct inproc_card inproc = card_inproc(card);
    struct reader *reader;
    struct reader_counts counts;
    double start;

    must(inproc_open(&reader, &inproc), "reader", NULL);
    pay(b, reader);
    counts = reader_counts(reader);
    start = now();
    for (unsigned i = 0; i < n; i++)
        pay(b, reader);
    start = now() - start;
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
        must(vpcd_serve(&end, vpcd_card_of(s->card), "127.0.0.1", "35963", s->stop[0], &events, &e), "vpcd", &e);
        poll(NULL, 0, end == VPCD_UNREACHABLE ? 100 : 0);
    } while (end == VPCD_UNREACHABLE);
    return NULL;
}

/* Seconds for n payments through pcscd, connect and disconnect included, the card seen before the clock starts. */
static double through_pcscd(struct bench *b, unsigned n)
{
    struct server s = {make_card(b), {-1, -1}};
    struct reader *reader;
    struct tp_error e;
    pthread_t thread;
    double start;

    if (pipe(s.stop) != 0 || pthread_create(&thread, NULL, serve, &s) != 0)
        must(TP_ERR_INTERNAL, "thread", NULL);
    must(pcsc_open(&reader, NULL, &e), "pcscd", &e);
    must(reader_wait_card(reader, 10000, &e), "card", &e);
    pay(b, reader);
    start = now();
    for (unsigned i = 0; i < n; i++) {
        must(reader_wait_card(reader, 10000, &e), "card", &e);
        pay(b, reader);
    }
    start = now() - start;
    reader_close(&reader);
    if (write(s.stop[1], "", 1) != 1)
        must(TP_ERR_IO, "pipe", NULL);
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
    struct bench b = {0};
    double alone, pcscd;
    unsigned through = n / 8 > 0 ? n / 8 : 1;

    secret_start();
    make_scheme(&b);
    alone = in_process(&b, n) / n;
    figure("wall time in process", alone * 1000, "ms");
    if (getenv("WITH_PCSCD_PID") != NULL) { /* only beside a pcscd of our own */
        pcscd = through_pcscd(&b, through) / through;
        figure("wall time through pcscd", pcscd * 1000, "ms");
        figure("share of pcscd and vpcd in it", 100 * (pcscd - alone) / pcscd, "%");
    }
    scheme_free(&b.scheme);
    capk_store_free(&b.store);
    return 0;
}
