/* The terminal against a card whose answers are the input: it ends, keeps within its memory, and
 * approves nothing that the card did not answer with a TC.
 *
 * Input: one byte of switches (1 the issuer answers, 2 nobody is there, 4 read without paying, 8 an
 * online-only terminal, 16 the issuer's authentication and scripts are input too, where it is
 * asked), then answers, each two bytes of length (modulo 259) and as many bytes, status word last.
 * When they are used up the card is gone. */
#include "fuzz.h"

#include <string.h>

#include "base/file.h"
#include "drivers/inproc.h"
#include "kernel/kernel.h"

#define ANSWER_MAX 258
#define COMMANDS_MAX                                                                               \
    2000 /* of one run: the bounds of selection, records, PIN and chaining together */

struct fuzz_card {
    struct span rest;
    unsigned commands;
};

static enum tp_err power_on(void *ctx, struct buf *atr)
{
    static const uint8_t plain[] = {0x3B, 0x00};

    (void)ctx;
    return buf_put(atr, SPAN_OF(plain));
}

static enum tp_err transmit(void *ctx, struct span command, struct buf *response)
{
    struct fuzz_card *c = ctx;
    struct span answer;
    uint16_t n;

    HOLDS(command.n >= 4);
    HOLDS(++c->commands < COMMANDS_MAX);
    if (span_be16(&c->rest, &n) != TP_OK ||
        span_take(&c->rest, n % (ANSWER_MAX + 1), &answer) != TP_OK)
        return TP_ERR_CARD;
    return buf_put(response, answer);
}

static void power_off(void *ctx)
{
    (void)ctx;
}

static int choose(void *ctx, const struct candidate *list, size_t n)
{
    (void)ctx;
    HOLDS(n > 0 && n <= KERNEL_CANDIDATES_MAX);
    for (size_t i = 0; i < n; i++)
        HOLDS(list[i].aid_n >= 5 && list[i].aid_n <= 16 && strlen(list[i].label) <= 16);
    return 0;
}

static enum tp_err pin(void *ctx, unsigned tries_left, bool wrong_before, struct secret *out)
{
    (void)ctx;
    (void)wrong_before;
    HOLDS(tries_left > 0);
    return secret_copy(out, span_str("1234"));
}

struct fuzz_issuer {
    bool reached, speaks;
    struct fuzz_card *card;
};

static enum tp_err authorise(void *ctx, const struct transaction *tx,
                             struct kernel_issuer_answer *out)
{
    const struct fuzz_issuer *i = ctx;
    struct span said;
    uint16_t n;

    HOLDS(transaction_get(tx, TAG_CID).n == 1 && transaction_get(tx, TAG_CID).p[0] >> 6 == 2);
    HOLDS(!transaction_reversal_needed(tx));
    out->reached = i->reached;
    memcpy(out->arc, "00", 2);
    if (!i->speaks || span_be16(&i->card->rest, &n) != TP_OK ||
        span_take(&i->card->rest, n % (sizeof(out->scripts.p) + 1), &said) != TP_OK)
        return TP_OK;
    out->authentication.n = n % (sizeof(out->authentication.p) + 1);
    memset(out->authentication.p, 0x91, out->authentication.n);
    out->scripts.n = said.n;
    if (said.n > 0)
        memcpy(out->scripts.p, said.p, said.n);
    return TP_OK;
}

/* The public authority keys, so that the chains of real cards open too. */
static struct capk_store *store(void)
{
    static struct capk_store *made;
    char path[512];
    struct tp_error e;

    if (made == NULL) {
        HOLDS(capk_store_new(&made) == TP_OK);
        if (file_data_path(path, sizeof(path), "capk.json", &e) == TP_OK &&
            capk_store_load(made, path, &e) != TP_OK)
            fprintf(stderr, "without authority keys: %s\n", e.text);
    }
    return made;
}

static void check(const struct transaction *tx)
{
    struct span value;
    uint32_t tag;

    HOLDS(transaction_reason(tx)[0] != '\0');
    HOLDS(transaction_get(tx, TAG_SCRIPT_RESULTS).n % 5 == 0);
    for (size_t i = 0; transaction_at(tx, i, &tag, &value); i++)
        for (size_t k = 0; k < value.n; k++)
            (void)*(const volatile uint8_t *)(value.p + k); /* every byte is there to be read */
    if (transaction_outcome(tx) != KERNEL_APPROVED)
        return;
    HOLDS(!transaction_reversal_needed(tx));
    HOLDS(transaction_get(tx, TAG_CID).n == 1 && transaction_get(tx, TAG_CID).p[0] >> 6 == 1);
    HOLDS(transaction_get(tx, TAG_TVR).n == 5 && transaction_get(tx, TAG_AC).n == 8);
}

static void read_card(struct reader *reader, const struct terminal_config *config)
{
    struct transaction *list[KERNEL_CANDIDATES_MAX];
    struct tp_error e;
    size_t n = 0;

    if (kernel_read_card(list, KERNEL_CANDIDATES_MAX, &n, reader, config, 20140925, &e) != TP_OK)
        HOLDS(n == 0);
    for (size_t i = 0; i < n; i++) {
        HOLDS(transaction_outcome(list[i]) != KERNEL_APPROVED);
        check(list[i]);
        transaction_free(&list[i]);
    }
}

static void pay(struct reader *reader, const struct terminal_config *config,
                struct fuzz_issuer *issuer, bool nobody)
{
    const struct transaction_request request = {.currency = 643,
                                                .currency_exponent = 2,
                                                .type = 0x50,
                                                .date = 20140925,
                                                .time = 120000,
                                                .un = {0x12, 0x34, 0x57, 0x79}};
    const struct kernel_person person = {.choose = choose, .pin = pin};
    const struct kernel_online online = {issuer, authorise};
    struct transaction *tx = NULL;
    struct tp_error e;

    if (kernel_run(&tx, reader, config, &request, nobody ? NULL : &person, &online, &e) != TP_OK)
        HOLDS(transaction_outcome(tx) == KERNEL_TERMINATED);
    check(tx);
    transaction_free(&tx);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const uint8_t ddol[] = {0x9F, 0x37, 0x04};
    static struct terminal_config config;
    struct fuzz_card c = {{data, size}, 0};
    struct fuzz_issuer issuer;
    const struct inproc_card card = {&c, power_on, transmit, power_off};
    struct reader *reader = NULL;
    struct tp_error e;
    uint8_t switches;

    if (span_u8(&c.rest, &switches) != TP_OK)
        return 0;
    issuer = (struct fuzz_issuer){(switches & 1) != 0, (switches & 16) != 0, &c};
    config = (struct terminal_config){.type = (switches & 8) != 0 ? 0x34 : 0x35,
                                      .capabilities = {0x20, 0x98, 0xC8},
                                      .additional = {0x60, 0x00, 0xF0, 0xA0, 0x01},
                                      .country = 643,
                                      .terminal_id = "00000001",
                                      .merchant_id = "000000000000123",
                                      .merchant_name = "Fuzz",
                                      .ifd_serial = "TP000001",
                                      .applications_n = 2,
                                      .authorities = store(),
                                      .allow_live_card = true};
    config.applications[0] = (struct terminal_application){.aid = {0xA0, 0, 0, 0, 4, 0x10, 0x10},
                                                           .aid_n = 7,
                                                           .floor_limit = 5000,
                                                           .default_ddol = SPAN_OF(ddol)};
    config.applications[1] = (struct terminal_application){.aid = {0xF0, 0, 0, 0, 0x14},
                                                           .aid_n = 5,
                                                           .partial = true,
                                                           .floor_limit = 5000,
                                                           .random_target = 50,
                                                           .random_target_max = 50};
    HOLDS(inproc_open(&reader, &card) == TP_OK);
    HOLDS(reader_connect(reader, &e) == TP_OK);
    if ((switches & 4) != 0)
        read_card(reader, &config);
    else
        pay(reader, &config, &issuer, (switches & 2) != 0);
    reader_close(&reader);
    return 0;
}
