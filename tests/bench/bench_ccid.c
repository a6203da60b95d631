/* A card payment through our CCID driver (make bench): real libusb over a USB of paper
 * (tests/tools/usb_double.h), at each exchange level, beside the same payment through pcscd and
 * vpcd in the same run: wall time, transfers and bytes over the bulk pipes; and what the driver
 * itself takes for an APDU, without USB and reader. */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "../tools/usb_double.h"
#include "bench.h"
#include "bench_pcscd.h"
#include "base/secret.h"
#include "drivers/ccid.h"
#include "drivers/ccid_usb.h"
#include "simcard/inproc.h"

static const struct {
    enum double_level level;
    const char *name;
} levels[] = {
    {DOUBLE_TPDU, "TPDU, T=1"}, {DOUBLE_SHORT, "short APDU"}, {DOUBLE_EXTENDED, "extended APDU"}};

static struct ccid_double the_reader; /* large */

static void value(const char *level, const char *what, double v, const char *unit)
{
    char name[128];

    snprintf(name, sizeof(name), "payment through ccid (%s): %s", level, what);
    bench_value(name, v, unit, "USB of paper: umockdev");
}

/* Beside what it is held against: base 0: there is none. */
static void beside(const char *level, const char *what, double v, const char *unit, double base,
                   const char *base_name)
{
    if (base == 0)
        value(level, what, v, unit);
    else
        printf(
            "{\"name\":\"payment through ccid (%s): "
            "%s\",\"value\":%.6g,\"unit\":\"%s\",\"ratio\":%.3g,\"base_name\":\"%s, %.3g %s\"}\n",
            level, what, v, unit, v / base, base_name, base, unit);
}

struct base { /* the same payment through pcscd and vpcd; 0: not beside one */
    double ms;
    struct reader_counts each;
};

/* What umockdev makes of one message and its answer, whatever the driver: real USB is faster. */
static void usb_alone(void)
{
    struct ccid_usb_found found[CCID_USB_MAX];
    char name[READER_NAME_MAX];
    libusb_context *context;
    struct ccid_usb *usb;
    struct ccid_slot slot;
    enum ccid_icc icc;
    struct tp_error e;
    double start;
    size_t n;

    rig_must(ccid_usb_start(&context, &e), "usb", &e);
    n = ccid_usb_find(context, found);
    rig_must(n == 1 ? TP_OK : TP_ERR_NO_READER, "usb", NULL);
    rig_must(ccid_usb_open(&usb, context, &found[0], name, &e), "usb", &e);
    rig_must(ccid_slot_start(&slot, ccid_usb_pipe(usb), &found[0].d, 0), "slot", NULL);
    start = rig_now();
    for (unsigned i = 0; i < 100; i++)
        rig_must(ccid_slot_status(&slot, &icc, &e), "status", &e);
    bench_value("USB of paper: one message of 10 bytes and its answer",
                (rig_now() - start) / 100 * 1000, "ms",
                "umockdev's own time, in each wall time here");
    ccid_slot_end(&slot);
    ccid_usb_close(&usb);
    ccid_usb_forget(found, n);
    libusb_exit(context);
}

static void over_usb(struct rig *b, unsigned level, unsigned n, const struct base *base)
{
    struct double_config c;
    struct usb_double *usb;
    struct reader_counts apdus;
    struct card *card;
    struct inproc_card app;
    struct reader *reader;
    struct tp_error e;
    double start;

    card = rig_default_card(b);
    app = card_inproc(card);
    double_defaults(&c, levels[level].level);
    double_start(&the_reader, &c, &app);
    usb = usb_double_new();
    usb_double_plug(usb, 1, &the_reader, "ACME", "PinReader 9");
    rig_must(ccid_open(&reader, NULL, false, &e), "ccid", &e);
    rig_pay(b, reader);
    apdus = reader_counts(reader);
    value(levels[level].name, "bulk transfers", (double)usb_double_seen(usb, 1).transfers,
          "transfers");
    value(levels[level].name, "messages", (double)the_reader.messages, "messages");
    beside(levels[level].name, "commands", (double)apdus.exchanges, "commands",
           (double)base->each.exchanges, "pcscd and vpcd");
    beside(levels[level].name, "bytes out", (double)the_reader.bytes_out, "bytes",
           (double)apdus.bytes_out, "its commands");
    beside(levels[level].name, "bytes in", (double)the_reader.bytes_in, "bytes",
           (double)apdus.bytes_in, "its answers");
    start = rig_now();
    for (unsigned i = 0; i < n; i++)
        rig_pay(b, reader);
    beside(levels[level].name, "wall time", (rig_now() - start) / n * 1000, "ms", base->ms,
           "pcscd and vpcd");
    reader_close(&reader);
    if (level == 0)
        usb_alone();
    usb_double_free(&usb);
    card_close(&card);
}

/* ---- the driver alone ---- */

static enum tp_err no_card_on(void *ctx, struct buf *atr)
{
    static const uint8_t t1[] = {0x3B, 0xE0, 0x00, 0x00, 0x81, 0x31, 0xFE, 0x45, 0xEB};

    (void)ctx;
    return buf_put(atr, SPAN_OF(t1));
}

static enum tp_err no_card_transmit(void *ctx, struct span command, struct buf *response)
{
    (void)ctx, (void)command;
    const enum tp_err rc = buf_fill(response, 0x5A, 200);

    return rc == TP_OK ? buf_be16(response, 0x9000) : rc;
}

static void no_card_off(void *ctx)
{
    (void)ctx;
}

struct wire { /* the reader, and the last two messages to it: those of T=1 take turns */
    struct ccid_double *reader;
    uint8_t sent[2][300];
    size_t n[2];
    unsigned turn;
};

static enum tp_err pipe_write(void *ctx, struct span message, struct tp_error *e)
{
    struct wire *w = ctx;

    (void)e;
    w->turn ^= 1;
    w->n[w->turn] = message.n;
    memcpy(w->sent[w->turn], message.p, message.n);
    return double_take(w->reader, message) ? TP_OK : TP_ERR_NO_READER;
}

static enum tp_err pipe_read(void *ctx, struct buf *message, int timeout_ms, struct tp_error *e)
{
    bool stalls;

    (void)timeout_ms, (void)e;
    return double_give(((struct wire *)ctx)->reader, message, &stalls) ? TP_OK : TP_ERR_TIMEOUT;
}

/* What the double itself takes for n messages and their answers. */
static double double_seconds(const struct wire *w, unsigned n)
{
    static uint8_t in[DOUBLE_MESSAGE];
    const double start = bench_cpu_seconds();

    for (unsigned i = 1; i <= n; i++) { /* the one before the last comes next */
        const unsigned turn = (w->turn ^ i) & 1;
        struct buf answer = BUF_OF(in);
        bool stalls;

        if (!double_take(w->reader, span_of(w->sent[turn], w->n[turn])) ||
            !double_give(w->reader, &answer, &stalls))
            rig_must(TP_ERR_NO_READER, "double", NULL);
    }
    return bench_cpu_seconds() - start;
}

static void alone(unsigned level)
{
    static const uint8_t command[] = {0x00, 0xB2, 0x01, 0x0C, 0x00};
    const struct inproc_card app = {NULL, no_card_on, no_card_transmit, no_card_off};
    struct wire wire = {.reader = &the_reader};
    const struct ccid_pipe pipe = {&wire, pipe_write, pipe_read, NULL};
    const unsigned n = 20000;
    struct double_config c;
    struct ccid_descriptor d;
    struct ccid_slot slot;
    struct tp_error e;
    uint8_t raw[54], answer[300];
    char name[128];
    double start, both;

    double_defaults(&c, levels[level].level);
    double_start(&the_reader, &c, &app);
    double_descriptor(&c, raw);
    rig_must(ccid_descriptor_parse(&d, SPAN_OF(raw)), "descriptor", NULL);
    rig_must(ccid_slot_start(&slot, &pipe, &d, 0), "slot", NULL);
    rig_must(ccid_slot_power_on(&slot, &e), "power", &e);
    start = bench_cpu_seconds();
    for (unsigned i = 0; i < n; i++) {
        struct buf response = BUF_OF(answer);

        rig_must(ccid_slot_transmit(&slot, SPAN_OF(command), &response, &e), "transmit", &e);
    }
    both = bench_cpu_seconds() - start;
    snprintf(name, sizeof(name), "ccid driver, overhead for an APDU of 5 and 202 bytes (%s)",
             levels[level].name);
    bench_value(name, (both - double_seconds(&wire, n)) / n * 1e6, "us",
                "without USB, and without what the reader of paper takes");
    ccid_slot_end(&slot);
}

int main(int argc, char **argv)
{
    const char *wanted = getenv("PAYMENTS");
    const char *preload = getenv("LD_PRELOAD");
    const unsigned n = wanted == NULL ? 20 : (unsigned)strtoul(wanted, NULL, 10);
    struct base base = {0};
    struct rig b = {0};

    (void)argc;
    if (preload == NULL ||
        strstr(preload, "umockdev") == NULL) { /* it must come before the C library */
        execlp("umockdev-wrapper", "umockdev-wrapper", argv[0], (char *)NULL);
        perror("umockdev-wrapper");
        return 1;
    }
    secret_start();
    rig_start(&b);
    if (getenv("WITH_PCSCD_PID") != NULL) { /* only beside a pcscd of our own */
        base.ms = rig_through_pcscd(&b, n, &base.each) / n * 1000;
        bench_value("payment through pcscd and vpcd: wall time", base.ms, "ms", "");
    }
    for (unsigned i = 0; i < sizeof(levels) / sizeof(levels[0]); i++) {
        over_usb(&b, i, n, &base);
        alone(i);
    }
    rig_end(&b);
    return 0;
}
