/* The order of a transaction: EMV 4.4 Book 3, 8.2 and figure 6. */
#include "kernel/kernel.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "kernel/kernel_priv.h"

enum tp_err tx_end(struct transaction *tx, enum kernel_outcome outcome, const char *format, ...)
{
    va_list list;

    tx->outcome = outcome;
    va_start(list, format);
    vsnprintf(tx->reason, sizeof(tx->reason), format, list);
    va_end(list);
    return TX_ENDED;
}

enum tp_err tx_end_sw(struct transaction *tx, uint16_t sw, const char *command)
{
    return tx_end(tx, KERNEL_TERMINATED, "the card answered %04X to %s: %s", sw, command,
                  sw_text(sw));
}

void tx_step(struct transaction *tx, enum kernel_step step)
{
    if (tx->person != NULL && tx->person->step != NULL)
        tx->person->step(tx->person->ctx, step);
    if (tx->config->watch != NULL)
        tx->config->watch->step(tx->config->watch->ctx, tx, step);
}

static enum tp_err tx_new(struct transaction **out, struct reader *reader,
                          const struct terminal_config *config,
                          const struct transaction_request *request, struct tp_error *e)
{
    struct transaction *tx = calloc(1, sizeof(*tx));

    *out = NULL;
    if (tx == NULL)
        return tp_fail(e, TP_ERR_NO_MEMORY, "no memory for a transaction");
    tx->reader = reader;
    tx->config = config;
    tx->request = request;
    tx->e = e;
    tx->outcome = KERNEL_TERMINATED;
    tx->pin_tries = PIN_UNKNOWN_TRIES;
    memcpy(tx->capabilities, config->capabilities, sizeof(tx->capabilities));
    *out = tx;
    return TP_OK;
}

/* Registered application providers whose cards are of real accounts; the store of authority keys
 * may hold test keys of theirs. */
static bool known_scheme(const uint8_t rid[5])
{
    static const uint8_t schemes[][5] = {
        {0xA0, 0x00, 0x00, 0x00, 0x03}, /* Visa */
        {0xA0, 0x00, 0x00, 0x00, 0x04}, /* Mastercard */
        {0xA0, 0x00, 0x00, 0x00, 0x25}, /* American Express */
        {0xA0, 0x00, 0x00, 0x00, 0x42}, /* Cartes Bancaires CB */
        {0xA0, 0x00, 0x00, 0x00, 0x65}, /* JCB */
        {0xA0, 0x00, 0x00, 0x01, 0x52}, /* Discover, Diners */
        {0xA0, 0x00, 0x00, 0x02, 0x77}, /* Interac */
        {0xA0, 0x00, 0x00, 0x03, 0x33}, /* UnionPay */
        {0xA0, 0x00, 0x00, 0x03, 0x59}, /* girocard */
        {0xA0, 0x00, 0x00, 0x05, 0x24}, /* RuPay */
        {0xA0, 0x00, 0x00, 0x06, 0x58}, /* Mir */
        {0xA0, 0x00, 0x00, 0x06, 0x77}, /* Thai Payment Network */
    };

    for (size_t i = 0; i < sizeof(schemes) / sizeof(schemes[0]); i++)
        if (memcmp(rid, schemes[i], 5) == 0)
            return true;
    return false;
}

/* Live unless it is proven a test's: a name of category F belongs to nobody (ISO/IEC
 * 7816-4, 8.2.1.2), and a scheme of which only test keys are known is one for tests. */
static bool is_live(const struct transaction *tx)
{
    const uint8_t *aid = tx->selected.c.aid;
    const struct capk_store *store = tx->config->authorities;
    bool test_key = false;

    if (aid[0] >> 4 == 0xF)
        return false;
    if (known_scheme(aid))
        return true;
    for (size_t i = 0; i < capk_count(store); i++) {
        const struct capk *key = capk_at(store, i);

        if (memcmp(key->rid, aid, 5) != 0)
            continue;
        if (key->live)
            return true;
        test_key = true;
    }
    return !test_key;
}

/* Whose the selected application is, and the authority keys of that scheme. */
static enum tp_err know_scheme(struct transaction *tx)
{
    const enum tp_err r = capk_store_need(tx->config->authorities, tx->selected.c.aid, tx->e);

    if (r == TP_OK)
        tx->live = is_live(tx);
    return r;
}

/* Selection and GET PROCESSING OPTIONS, again with the next application while the card refuses one
 * (Book 3, 10.1). */
static enum tp_err begin(struct transaction *tx)
{
    bool refused = true;
    enum tp_err r;

    tx_step(tx, KERNEL_SELECT);
    r = select_list(tx, false);
    while (r == TP_OK && refused) {
        r = data_start(tx);
        tx_step(tx, KERNEL_CHOOSE);
        if (r == TP_OK)
            r = select_application(tx);
        if (r == TP_OK)
            r = data_application(tx);
        if (r == TP_OK)
            r = know_scheme(tx);
        if (r != TP_OK)
            break;
        tx_step(tx, KERNEL_INITIATE);
        r = step_initiate(tx, &refused);
        if (r == TP_OK && refused)
            select_drop(tx, select_index(tx));
    }
    return r;
}

static enum tp_err refuse_live(struct transaction *tx)
{
    if (!tx->live || tx->config->allow_live_card)
        return TP_OK;
    return tx_end(tx, KERNEL_NOT_ACCEPTED,
                  "this is a real card of a live scheme: it was read, and not asked to sign "
                  "(--allow-live-card does)");
}

typedef enum tp_err step(struct transaction *tx);

/* What each is called, to those that are told; refuse_live and step_complete are no one step. */
static void tell_step(struct transaction *tx, step *of)
{
    static const struct {
        step *function;
        enum kernel_step step;
    } told[] = {{step_read, KERNEL_READ},          {step_authenticate, KERNEL_AUTHENTICATE},
                {step_prove, KERNEL_AUTHENTICATE}, {step_restrictions, KERNEL_RESTRICT},
                {step_verify, KERNEL_VERIFY},      {step_risk, KERNEL_RISK}};

    for (size_t i = 0; i < sizeof(told) / sizeof(told[0]); i++)
        if (told[i].function == of)
            tx_step(tx, told[i].step);
}

static enum tp_err run(struct transaction *tx, step *const *steps, size_t n)
{
    enum tp_err r = begin(tx);

    for (size_t i = 0; r == TP_OK && i < n; i++) {
        tell_step(tx, steps[i]);
        r = steps[i](tx);
    }
    return r;
}

/* Forgets what is not the transaction's own. */
static void close_run(struct transaction *tx)
{
    secret_wipe(tx->response, sizeof(tx->response));
    emv_pubkey_free(&tx->issuer_key);
    ode_end(&tx->ode);
    tx->reader = NULL;
    tx->config = NULL;
    tx->request = NULL;
    tx->person = NULL;
    tx->online = NULL;
    tx->e = NULL;
    tx->selected.app = NULL;
}

/* The last step always ends it. */
static enum tp_err run_whole(struct transaction *tx, step *const *steps, size_t n)
{
    struct tp_error *e = tx->e;
    enum tp_err r = run(tx, steps, n);

    close_run(tx);
    if (r == TX_ENDED)
        return TP_OK;
    if (r == TP_OK)
        r = tp_fail(e, TP_ERR_INTERNAL, "the transaction did not end");
    (void)tx_end(tx, KERNEL_TERMINATED, "%s", e == NULL ? tp_err_text(r) : e->text);
    return r;
}

enum tp_err kernel_run(struct transaction **out, struct reader *reader,
                       const struct terminal_config *config,
                       const struct transaction_request *request,
                       const struct kernel_person *person, const struct kernel_online *online,
                       struct tp_error *e)
{
    static step *const steps[] = {step_read,   refuse_live, step_authenticate, step_restrictions,
                                  step_verify, step_risk,   step_complete};
    const enum tp_err r = tx_new(out, reader, config, request, e);

    if (r != TP_OK)
        return r;
    (*out)->person = person;
    (*out)->online = online;
    return run_whole(*out, steps, sizeof(steps) / sizeof(steps[0]));
}

enum tp_err kernel_prove_card(struct transaction **out, struct reader *reader,
                              const struct terminal_config *config,
                              const struct transaction_request *request,
                              const struct kernel_person *person, struct tp_error *e)
{
    static step *const steps[] = {step_read, refuse_live, step_prove};
    const enum tp_err r = tx_new(out, reader, config, request, e);

    if (r != TP_OK)
        return r;
    (*out)->person = person;
    /* a card with keys of both kinds is to show those of RSA, which DDA has */
    (*out)->capabilities[1] &= (uint8_t)~CAP2_ODE;
    (*out)->capabilities[2] &= (uint8_t)~CAP3_XDA;
    return run_whole(*out, steps, sizeof(steps) / sizeof(steps[0]));
}

/* One application for kernel_read_card; what stops it is its outcome. */
static enum tp_err read_one(struct transaction *tx, size_t i)
{
    static const struct {
        uint32_t tag;
        size_t n;
    } counters[] = {
        {TAG_ATC, 2}, {TAG_LAST_ONLINE_ATC, 2}, {TAG_PIN_TRIES, 1}, {TAG_LOG_FORMAT, 0}};
    bool refused;
    struct span value;
    uint16_t sw;
    enum tp_err r = data_start(tx);

    tx->selected = tx->list[i]; /* whatever becomes of it, it is told of this one */
    tx->has_selected = true;
    if (r == TP_OK)
        r = select_one(tx, i, &sw);
    if (r == TP_OK && sw == SW_SELECTED_FILE_INVALIDATED)
        return tx_end(tx, KERNEL_NOT_ACCEPTED, "this application is blocked (6283 to SELECT)");
    if (r == TP_OK && sw != SW_OK)
        return tx_end(tx, KERNEL_NOT_ACCEPTED,
                      "the card does not let this application be selected (%04X: %s)", sw,
                      sw_text(sw));
    if (r == TP_OK)
        r = data_application(tx);
    if (r == TP_OK)
        r = know_scheme(tx);
    if (r != TP_OK)
        return r;
    r = step_initiate(tx, &refused);
    if (r == TP_OK && refused)
        return tx_end(tx, KERNEL_NOT_ACCEPTED,
                      "the card does not let this application be used here (6985)");
    if (r == TP_OK)
        r = step_read(tx);
    if (r == TP_OK)
        r = step_authenticate(tx);
    for (size_t k = 0; r == TP_OK && k < sizeof(counters) / sizeof(counters[0]); k++) {
        r = command_get_data(tx, counters[k].tag, counters[k].n, &value);
        if (r == TP_OK && value.n > 0)
            r = data_put(tx, counters[k].tag, FROM_CARD, value);
    }
    if (r == TP_OK && data_get(tx, TAG_PIN_TRIES).n == 1)
        tx->pin_tries = data_get(tx, TAG_PIN_TRIES).p[0];
    return r == TP_OK ? tx_end(tx, KERNEL_READ_ONLY, "read") : r;
}

enum tp_err kernel_read_card(struct transaction **list, size_t cap, size_t *n,
                             struct reader *reader, const struct terminal_config *config, int date,
                             struct tp_error *e)
{
    const struct transaction_request request = {.date = date};
    struct transaction *first = NULL;
    enum tp_err r = tx_new(&first, reader, config, &request, e);

    *n = 0;
    if (r != TP_OK)
        return r;
    first->reading = true;
    r = data_start(first);
    if (r == TP_OK)
        r = select_list(first, true);
    for (size_t i = 0; r == TP_OK && i < first->list_n && i < cap; i++) {
        r = tx_new(&list[i], reader, config, &request, e);
        if (r != TP_OK)
            break;
        (*n)++;
        list[i]->reading = true;
        memcpy(list[i]->list, first->list, sizeof(first->list));
        list[i]->list_n = first->list_n;
        memcpy(list[i]->pse_language, first->pse_language, sizeof(first->pse_language));
        list[i]->pse_language_n = first->pse_language_n;
        r = read_one(list[i], i);
        close_run(list[i]);
        r = r == TX_ENDED ? TP_OK : r;
    }
    if (r == TX_ENDED) /* a blocked card has nothing to list */
        r = tp_fail(e, TP_ERR_CARD, "%s", first->reason);
    transaction_free(&first);
    for (; r != TP_OK && *n > 0; (*n)--)
        transaction_free(&list[*n - 1]);
    return r;
}

void transaction_free(struct transaction **tx)
{
    if (*tx == NULL)
        return;
    emv_pubkey_free(&(*tx)->issuer_key);
    emv_pubkey_free(&(*tx)->icc_key);
    emv_pubkey_free(&(*tx)->pin_key);
    ode_end(&(*tx)->ode);
    secret_wipe(*tx, sizeof(**tx));
    free(*tx);
    *tx = NULL;
}

enum kernel_outcome transaction_outcome(const struct transaction *tx)
{
    return tx->outcome;
}

bool transaction_reversal_needed(const struct transaction *tx)
{
    return tx->issuer_approved && tx->outcome != KERNEL_APPROVED;
}

const char *transaction_reason(const struct transaction *tx)
{
    return tx->reason;
}

struct span transaction_get(const struct transaction *tx, uint32_t tag)
{
    return data_get(tx, tag);
}

bool transaction_at(const struct transaction *tx, size_t i, uint32_t *tag, struct span *value)
{
    if (i >= tx->data.objects_n)
        return false;
    *tag = tx->data.objects[i].tag;
    *value = span_of(tx->data.bytes + tx->data.objects[i].at, tx->data.objects[i].n);
    return true;
}

const struct candidate *transaction_application(const struct transaction *tx)
{
    return tx->has_selected ? &tx->selected.c : NULL;
}

const struct candidate *transaction_candidate_at(const struct transaction *tx, size_t i)
{
    return i < tx->list_n ? &tx->list[i].c : NULL;
}

bool transaction_live(const struct transaction *tx)
{
    return tx->live;
}

const char *kernel_method_name(enum kernel_method m)
{
    static const char *const names[] = {[KERNEL_METHOD_NONE] = "none",
                                        [KERNEL_METHOD_SDA] = "SDA",
                                        [KERNEL_METHOD_DDA] = "DDA",
                                        [KERNEL_METHOD_CDA] = "CDA",
                                        [KERNEL_METHOD_XDA] = "XDA"};

    return names[m];
}

const struct kernel_authentication *transaction_authentication(const struct transaction *tx)
{
    return &tx->oda;
}

const struct emv_pubkey *transaction_card_key(const struct transaction *tx)
{
    return tx->icc_key;
}

const struct emv_pubkey *transaction_pin_key(const struct transaction *tx)
{
    return tx->pin_key;
}

const struct ec_pubkey *transaction_card_ec(const struct transaction *tx)
{
    return tx->icc_ec.suite != NULL ? &tx->icc_ec : NULL;
}

const struct ec_pubkey *transaction_pin_ec(const struct transaction *tx)
{
    return tx->pin_ec.suite != NULL ? &tx->pin_ec : NULL;
}

const struct kernel_cvm *transaction_cvm_at(const struct transaction *tx, size_t i)
{
    return i < tx->cvms_n ? &tx->cvms[i] : NULL;
}

unsigned transaction_pin_tries(const struct transaction *tx)
{
    return tx->pin_tries;
}
