/* A card payment through our CCID driver (make bench): real libusb over a USB of paper (tests/tools/usb_double.h), at each exchange level: wall time (to be held beside
 * bench_pay's through pcscd and vpcd), messages and bytes over the bulk pipes; and what the driver itself takes for an APDU, without USB. */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "../tools/usb_double.h"
#include "bench.h"
#include "bench_rig.h"
#include "base/secret.h"
#include "drivers/ccid.h"
#include "drivers/ccid_slot.h"
#include "simcard/inproc.h"

static const struct {
    enum double_level level;
    const char *name;
} levels[] = {{DOUBLE_TPDU, "TPDU, T=1"}, {DOUBLE_SHORT, "short APDU"}, {DOUBLE_EXTENDED, "extended APDU"}};

static struct ccid_double the_reader; /* large */

static void pay(struct rig *b, struct reader *reader)
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

static void value(const char *level, const char *what, double v, const char *unit)
{
    char name[128];

    snprintf(name, sizeof(name), "payment through ccid (%s): %s", level, what);
    bench_value(name, v, unit, "USB of paper: umockdev");
}

static void over_usb(struct rig *b, unsigned level, unsigned n)
{
    struct double_config c;
    struct usb_double *usb;
    struct perso_params p;
    struct card *card;
    struct inproc_card app;
    struct reader *reader;
    struct tp_error e;
    double start;

    rig_params(&p);
    card = rig_card(b, &p);
    app = card_inproc(card);
    double_defaults(&c, levels[level].level);
    double_start(&the_reader, &c, &app);
    usb = usb_double_new();
    usb_double_plug(usb, 1, &the_reader, "ACME", "PinReader 9");
    rig_must(ccid_open(&reader, NULL, false, &e), "ccid", &e);
    pay(b, reader);
    value(levels[level].name, "messages", (double)the_reader.messages, "messages");
    value(levels[level].name, "bytes out", (double)the_reader.bytes_out, "bytes");
    value(levels[level].name, "bytes in", (double)the_reader.bytes_in, "bytes");
    start = rig_now();
    for (unsigned i = 0; i < n; i++)
        pay(b, reader);
    value(levels[level].name, "wall time", (rig_now() - start) / n * 1000, "ms");
    reader_close(&reader);
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

static enum tp_err pipe_write(void *ctx, struct span message, struct tp_error *e)
{
    (void)e;
    return double_take(ctx, message) ? TP_OK : TP_ERR_NO_READER;
}

static enum tp_err pipe_read(void *ctx, struct buf *message, int timeout_ms, struct tp_error *e)
{
    bool stalls;

    (void)timeout_ms, (void)e;
    return double_give(ctx, message, &stalls) ? TP_OK : TP_ERR_TIMEOUT;
}

static void alone(unsigned level)
{
    static const uint8_t command[] = {0x00, 0xB2, 0x01, 0x0C, 0x00};
    const struct inproc_card app = {NULL, no_card_on, no_card_transmit, no_card_off};
    const struct ccid_pipe pipe = {&the_reader, pipe_write, pipe_read, NULL};
    const unsigned n = 20000;
    struct double_config c;
    struct ccid_descriptor d;
    struct ccid_slot slot;
    struct tp_error e;
    uint8_t raw[54], answer[300];
    char name[128];
    double start;

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
    snprintf(name, sizeof(name), "ccid driver, an APDU of 5 and 202 bytes (%s)", levels[level].name);
    bench_value(name, (bench_cpu_seconds() - start) / n * 1e6, "us", "with the reader double's own part, without USB");
    ccid_slot_end(&slot);
}

int main(int argc, char **argv)
{
    const char *wanted = getenv("PAYMENTS");
    const char *preload = getenv("LD_PRELOAD");
    const unsigned n = wanted == NULL ? 20 : (unsigned)strtoul(wanted, NULL, 10);
    struct rig b = {0};

    (void)argc;
    if (preload == NULL || strstr(preload, "umockdev") == NULL) { /* it must come before the C library */
        execlp("umockdev-wrapper", "umockdev-wrapper", argv[0], (char *)NULL);
        perror("umockdev-wrapper");
        return 1;
    }
    secret_start();
    rig_start(&b);
    for (unsigned i = 0; i < sizeof(levels) / sizeof(levels[0]); i++) {
        over_usb(&b, i, n);
        alone(i);
    }
    rig_end(&b);
    return 0;
}
