/* A card payment (make bench): commands, bytes and payments a second against the card in process,
 * and beside tests/system/with-pcscd the same card through a real pcscd, with the share of the time
 * that pcscd and vpcd take. One JSON line a figure. */
#include <stdio.h>
#include <stdlib.h>

#include "bench_pcscd.h"
#include "simcard/inproc.h"

static void figure(const char *name, double value, const char *unit)
{
    printf("{\"bench\":\"pay\",\"name\":\"%s\",\"value\":%.*f,\"unit\":\"%s\"}\n", name,
           value < 10 ? 3 : 0, value, unit);
}

/* Seconds for n payments in process. */
static double in_process(struct rig *b, unsigned n)
{
    struct card *card = rig_default_card(b);
    const struct inproc_card inproc = card_inproc(card);
    struct reader *reader;
    struct reader_counts counts;
    double start;

    rig_must(inproc_open(&reader, &inproc), "reader", NULL);
    rig_pay(b, reader);
    counts = reader_counts(reader);
    start = rig_now();
    for (unsigned i = 0; i < n; i++)
        rig_pay(b, reader);
    start = rig_now() - start;
    figure("commands to the card, PIN and CDA", (double)counts.exchanges, "commands");
    figure("bytes to the card", (double)counts.bytes_out, "bytes");
    figure("bytes from the card", (double)counts.bytes_in, "bytes");
    figure("payments in process (card and terminal on one core)", n / start, "1/s");
    reader_close(&reader);
    card_close(&card);
    return start;
}

int main(void)
{
    const char *wanted = getenv("PAYMENTS");
    const unsigned n = wanted == NULL ? 400 : (unsigned)strtoul(wanted, NULL, 10);
    struct rig b = {0};
    struct reader_counts counts;
    double alone, pcscd;
    unsigned through = n / 8 > 0 ? n / 8 : 1;

    secret_start();
    rig_start(&b);
    alone = in_process(&b, n) / n;
    figure("wall time in process", alone * 1000, "ms");
    if (getenv("WITH_PCSCD_PID") != NULL) { /* only beside a pcscd of our own */
        pcscd = rig_through_pcscd(&b, through, &counts) / through;
        figure("wall time through pcscd", pcscd * 1000, "ms");
        figure("share of pcscd and vpcd in it", 100 * (pcscd - alone) / pcscd, "%");
    }
    rig_end(&b);
    return 0;
}
