/* What an issuer and a card take from outside: a first byte of 0 to 3 and a script command for that
 * kind of card under known keys, or any other and a message of an acquirer. Nothing that is opened
 * is longer than what came, nothing that is read stands outside of it. */
#include <string.h>

#include "crypto/iad.h"
#include "crypto/script.h"
#include "fuzz.h"
#include "issuer/request.h"

static void open_script(enum emv_cvn cvn, struct span command)
{
    static const uint8_t key[EMV_KEY_SIZE] = {1}, atc[2] = {0, 1}, ac[8] = {2};
    uint8_t room[EMV_SCRIPT_APDU_MAX + EMV_BLOCK_MAX];
    struct buf out = BUF_OF(room);
    struct emv_script place = emv_script_start(cvn, atc, ac);
    struct emv_script_keys keys;
    enum emv_script_check outcome = EMV_SCRIPT_OK;

    HOLDS(emv_script_keys_derive(&keys, cvn, SPAN_OF(key), SPAN_OF(key), atc, ac) == TP_OK);
    HOLDS(command.n > EMV_SCRIPT_APDU_MAX + 5 ||
          emv_script_open(&outcome, &out, &place, &keys, command, command.n % 2 == 0) == TP_OK);
    HOLDS(outcome == EMV_SCRIPT_OK || out.n == 0);
    HOLDS(out.n <= command.n);
    out.n = 0;
    if (emv_script_decipher(&out, emv_kind_of(cvn), secret_span(&keys.cipher), command) == TP_OK)
        HOLDS(out.n <= command.n);
    emv_script_keys_free(&keys);
}

static bool within(struct span part, struct span whole)
{
    return part.n == 0 || (part.p >= whole.p && part.p + part.n <= whole.p + whole.n);
}

static void read_message(struct span raw)
{
    static struct iso8583 m;
    static struct request q;
    struct tp_error e;
    const char *bad = NULL;
    struct chip chip;
    struct emv_iad iad;

    if (iso8583_unpack(&m, raw, &e) != TP_OK)
        return;
    HOLDS(request_read(&q, &bad, &m) == TP_OK);
    if (bad != NULL || m.mti != MTI_AUTHORISATION)
        return;
    HOLDS(strlen(q.pan) <= PAN_MAX && q.psn <= 99 && q.amount >= 0 && q.amount <= MONEY_MAX);
    if (chip_read(&chip, &q) != NULL)
        return;
    const struct span whole = {q.de55, q.de55_n};

    HOLDS(within(chip.ac, whole) && within(chip.iad, whole) && within(chip.results, whole) &&
          chip.ac.n == 8 && chip.tvr.n == 5);
    if (emv_iad_parse(&iad, chip.iad) == TP_OK)
        HOLDS(within(iad.cvr, chip.iad) && within(iad.counters, chip.iad) &&
              within(iad.discretionary, chip.iad) &&
              within(emv_iad_signed(&iad, chip.iad), chip.iad) && iad.scripts <= 15);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size == 0 || size > ISO8583_MAX)
        return 0;
    if (data[0] < EMV_CVN_COUNT)
        open_script((enum emv_cvn)data[0], span_of(data + 1, size - 1));
    else
        read_message(span_of(data + 1, size - 1));
    return 0;
}
