/* Application selection: EMV 4.4 Book 1, 12. */
#include "kernel/kernel_priv.h"

#include <string.h>
#include <strings.h>

#define PSE_RECORDS_MAX                                                                            \
    32 /* a directory that goes on longer is none: the card must not keep the terminal reading */
#define NEXT_MAX KERNEL_CANDIDATES_MAX
#define AID_MIN  5

struct fci { /* what selection needs of the File Control Information, Book 1, 11.3.4; borrowed from
                the response */
    struct span name, proprietary;
    struct candidate c;
};

static enum tp_err card_select(struct transaction *tx, struct span name, bool next,
                               struct span *data, uint16_t *sw)
{
    const struct capdu c = {.ins = INS_SELECT,
                            .p1 = SELECT_BY_NAME,
                            .p2 = next ? SELECT_NEXT : SELECT_FIRST,
                            .data = name,
                            .le = 256};

    return command_send(tx, &c, data, sw);
}

static struct span child(struct span in, uint32_t tag)
{
    struct tlv found;

    return tlv_find(in, tag, &found) == TP_OK ? found.value : (struct span){NULL, 0};
}

/* Of the parts of ISO/IEC 8859 only the first is shown here, and only by a terminal that says so:
 * 9F40 byte 5, bit 1 (Book 4, Annex A3). */
static bool table_supported(const struct terminal_config *config, struct span fci)
{
    const struct span table = child(fci, TAG_CODE_TABLE);

    return table.n == 1 && table.p[0] == 1 &&
           (config->additional[4] & ADDITIONAL5_CODE_TABLE_1) != 0;
}

/* Label, preferred name (when its code table is supported) and priority from the objects of an
 * FCI's A5 or a directory entry's 61. */
static void candidate_words(struct candidate *c, struct span objects, bool table)
{
    const struct span preferred = child(objects, TAG_PREFERRED_NAME),
                      priority = child(objects, TAG_PRIORITY);
    const struct span words = preferred.n > 0 && table ? preferred : child(objects, TAG_APP_LABEL);
    size_t n = 0;

    for (size_t i = 0; i < words.n && n + 1 < sizeof(c->label); i++)
        if (words.p[i] >= 0x20 && words.p[i] < 0x7F)
            c->label[n++] = (char)words.p[i];
    c->label[n] = '\0';
    c->priority = priority.n == 1 ? priority.p[0] : 0;
}

/* TP_ERR_FORMAT when the name or a template is missing or out of bounds. */
static enum tp_err fci_parse(const struct terminal_config *config, struct fci *out,
                             struct span data)
{
    struct tlv fci, name, proprietary;

    if (tlv_next(&data, &fci) != TP_OK || fci.tag != TAG_FCI || tlv_check_level(fci.value) != TP_OK)
        return TP_ERR_FORMAT;
    if (tlv_find(fci.value, TAG_DF_NAME, &name) != TP_OK ||
        tlv_find(fci.value, TAG_FCI_PROPRIETARY, &proprietary) != TP_OK)
        return TP_ERR_FORMAT;
    if (tlv_check_level(proprietary.value) != TP_OK)
        return TP_ERR_FORMAT;
    if (name.value.n < AID_MIN || name.value.n > sizeof(out->c.aid))
        return TP_ERR_FORMAT;
    *out = (struct fci){.name = name.value, .proprietary = proprietary.value};
    memcpy(out->c.aid, name.value.p, name.value.n);
    out->c.aid_n = (uint8_t)name.value.n;
    candidate_words(&out->c, proprietary.value, table_supported(config, proprietary.value));
    return TP_OK;
}

static bool starts_with(struct span whole, struct span start)
{
    return whole.n >= start.n && memcmp(whole.p, start.p, start.n) == 0;
}

/* The terminal's entry for a name of the card: the same, or with partial selection a beginning of
 * it (Book 1, 12.3.1). The longest wins. */
static const struct terminal_application *supported(const struct terminal_config *config,
                                                    struct span name)
{
    const struct terminal_application *best = NULL;

    for (size_t i = 0; i < config->applications_n; i++) {
        const struct terminal_application *a = &config->applications[i];
        const struct span aid = span_of(a->aid, a->aid_n);

        if (!starts_with(name, aid) || (name.n > aid.n && !a->partial))
            continue;
        if (best == NULL || a->aid_n > best->aid_n)
            best = a;
    }
    return best;
}

/* The beginning of an AID that the request names is all that is looked for. */
static bool aid_wanted(const struct transaction *tx, struct span name)
{
    return tx->request->application.n == 0 || starts_with(name, tx->request->application);
}

static bool wanted(const struct transaction *tx, const struct candidate *c)
{
    return aid_wanted(tx, span_of(c->aid, c->aid_n)) &&
           (tx->request->label == NULL || strcasecmp(tx->request->label, c->label) == 0);
}

static void list_add(struct transaction *tx, const struct candidate *c,
                     const struct terminal_application *app)
{
    if (!wanted(tx, c))
        return;
    for (size_t i = 0; i < tx->list_n; i++)
        if (span_eq(span_of(tx->list[i].c.aid, tx->list[i].c.aid_n), span_of(c->aid, c->aid_n)))
            return;
    if (tx->list_n < KERNEL_CANDIDATES_MAX)
        tx->list[tx->list_n++] = (struct listed){*c, app};
}

/* One directory entry (template 61). An entry without a usable name is passed over. The code table
 * of its preferred name stands in the FCI of the PSE: Book 1, tables 8 and 12. */
static void pse_entry(struct transaction *tx, struct span entry, bool table, bool all)
{
    const struct span name = child(entry, TAG_AID);
    struct candidate c = {0};
    const struct terminal_application *app;

    if (name.n < AID_MIN || name.n > sizeof(c.aid))
        return;
    memcpy(c.aid, name.p, name.n);
    c.aid_n = (uint8_t)name.n;
    candidate_words(&c, entry, table);
    app = supported(tx->config, name);
    if (app != NULL || all)
        list_add(tx, &c, app);
}

/* TP_ERR_FORMAT when it is no directory record. */
static enum tp_err pse_record(struct transaction *tx, struct span data, bool table, bool all)
{
    struct tlv record, entry;
    enum tp_err r;

    if (tlv_next(&data, &record) != TP_OK || record.tag != TAG_RECORD ||
        tlv_check_level(record.value) != TP_OK)
        return TP_ERR_FORMAT;
    while ((r = tlv_next(&record.value, &entry)) == TP_OK) {
        if (entry.tag != TAG_APP_TEMPLATE)
            continue;
        if (tlv_check_level(entry.value) != TP_OK) /* what runs over might have been its 87 */
            return TP_ERR_FORMAT;
        pse_entry(tx, entry.value, table, all);
    }
    return r == TP_ERR_NOT_FOUND ? TP_OK : TP_ERR_FORMAT;
}

/* Book 1, 12.3.2. The list stays empty when there is no usable PSE; a nonsense anywhere in it
 * clears the list. */
static enum tp_err list_from_pse(struct transaction *tx, bool all)
{
    const struct span pse = span_str("1PAY.SYS.DDF01");
    struct span data, sfi, language;
    struct fci fci;
    uint16_t sw;
    uint8_t file;
    bool table;
    enum tp_err r = card_select(tx, pse, false, &data, &sw);

    if (r != TP_OK)
        return r;
    if (sw == SW_FUNCTION_NOT_SUPPORTED) /* step 1: the card is blocked, or has no SELECT */
        return tx_end(tx, KERNEL_NOT_ACCEPTED, "the card is blocked (6A81 to SELECT)");
    if (sw != SW_OK || fci_parse(tx->config, &fci, data) != TP_OK || !span_eq(fci.name, pse))
        return TP_OK;
    language = child(fci.proprietary, TAG_LANGUAGE);
    if (language.n > 0 && language.n <= sizeof(tx->pse_language)) {
        memcpy(tx->pse_language, language.p, language.n);
        tx->pse_language_n = language.n;
    }
    sfi = child(fci.proprietary, TAG_SFI);
    if (sfi.n != 1 || sfi.p[0] < 1 || sfi.p[0] > 10)
        return TP_OK;
    file = sfi.p[0];
    table = table_supported(tx->config, fci.proprietary);
    for (unsigned i = 1; i <= PSE_RECORDS_MAX; i++) {
        r = command_read_record(tx, file, (uint8_t)i, &data, &sw);
        if (r != TP_OK || sw == SW_RECORD_NOT_FOUND)
            return r;
        if (sw != SW_OK || pse_record(tx, data, table, all) != TP_OK)
            break;
    }
    tx->list_n = 0;
    return TP_OK;
}

/* For one who only reads the card: the application is there, though the answer to SELECT cannot be
 * read. */
static void list_unusable(struct transaction *tx, const struct terminal_application *app)
{
    struct candidate c = {.aid_n = app->aid_n};

    memcpy(c.aid, app->aid, app->aid_n);
    list_add(tx, &c, app);
}

/* Book 1, 12.3.3, for one AID of the terminal: the file of that name, or with a longer name each
 * further one. */
static enum tp_err list_from_aid(struct transaction *tx, const struct terminal_application *app,
                                 size_t *unusable)
{
    const struct span aid = span_of(app->aid, app->aid_n);
    struct span data;
    struct fci fci;
    uint16_t sw;
    enum tp_err r;

    if (!aid_wanted(tx, aid) && !starts_with(tx->request->application, aid))
        return TP_OK;
    for (unsigned i = 0; i < NEXT_MAX; i++) {
        r = card_select(tx, aid, i > 0, &data, &sw);
        if (r != TP_OK)
            return r;
        if (i == 0 && sw == SW_FUNCTION_NOT_SUPPORTED)
            return tx_end(tx, KERNEL_NOT_ACCEPTED, "the card is blocked (6A81 to SELECT)");
        if (sw != SW_OK && (i == 0 ? sw != SW_SELECTED_FILE_INVALIDATED
                                   : ((sw & SW_FAMILY) != SW_WARNING_UNCHANGED &&
                                      (sw & SW_FAMILY) != SW_WARNING_CHANGED)))
            return TP_OK;
        if (fci_parse(tx->config, &fci, data) != TP_OK || !starts_with(fci.name, aid)) {
            if (tx->reading && i == 0)
                list_unusable(tx, app);
            *unusable += i == 0;
            return TP_OK;
        }
        tx->blocked |= sw == SW_SELECTED_FILE_INVALIDATED;
        if ((sw == SW_OK || (tx->reading && sw == SW_SELECTED_FILE_INVALIDATED)) &&
            (fci.name.n == aid.n || app->partial)) /* 6283: that application is blocked */
            list_add(tx, &fci.c, supported(tx->config, fci.name));
        if (fci.name.n == aid.n)
            return TP_OK;
    }
    return TP_OK;
}

/* Priority 1 first, 15 last, then those without; else in the order in which they were found (Book
 * 1, 12.4, step 4). */
static void list_sort(struct transaction *tx)
{
    for (size_t i = 1; i < tx->list_n; i++) {
        const struct listed moved = tx->list[i];
        const unsigned rank = (unsigned)((moved.c.priority & 0x0F) - 1) & 0xFF;
        size_t j = i;

        for (; j > 0 && ((unsigned)((tx->list[j - 1].c.priority & 0x0F) - 1) & 0xFF) > rank; j--)
            tx->list[j] = tx->list[j - 1];
        tx->list[j] = moved;
    }
}

enum tp_err select_list(struct transaction *tx, bool all)
{
    const size_t asked = tx->config->applications_n;
    size_t unusable = 0;
    enum tp_err r = list_from_pse(tx, all);

    if (r == TP_OK && (tx->list_n == 0 || all))
        for (size_t i = 0; r == TP_OK && i < asked; i++)
            r = list_from_aid(tx, &tx->config->applications[i], &unusable);
    if (r == TP_OK && unusable > 1 &&
        unusable == asked) /* it says yes to every name, and describes none */
        return tx_end(tx, KERNEL_TERMINATED,
                      "the card answers each SELECT with success and with data that make no sense");
    if (r == TP_OK)
        list_sort(tx);
    return r;
}

void select_drop(struct transaction *tx, size_t i)
{
    memmove(&tx->list[i], &tx->list[i + 1], (tx->list_n - i - 1) * sizeof(tx->list[0]));
    tx->list_n--;
}

size_t select_index(const struct transaction *tx)
{
    for (size_t i = 0; i < tx->list_n; i++)
        if (span_eq(span_of(tx->list[i].c.aid, tx->list[i].c.aid_n),
                    span_of(tx->selected.c.aid, tx->selected.c.aid_n)))
            return i;
    return 0;
}

/* Book 1, 12.4: the cardholder chooses or confirms; without one, the first that needs no
 * confirmation. */
static enum tp_err choose(struct transaction *tx, size_t *chosen)
{
    struct candidate shown[KERNEL_CANDIDATES_MAX];
    const bool one = tx->list_n == 1 && !tx->chosen_before;
    int answer;

    *chosen = 0;
    if (one && (tx->list[0].c.priority & 0x80) == 0 &&
        (tx->person == NULL || tx->person->choose == NULL || !tx->person->choose_one))
        return TP_OK;
    if (tx->person != NULL && tx->person->choose != NULL) {
        for (size_t i = 0; i < tx->list_n; i++)
            shown[i] = tx->list[i].c;
        answer = tx->person->choose(tx->person->ctx, shown, tx->list_n);
        if (answer < 0 || (size_t)answer >= tx->list_n)
            return tx_end(tx, KERNEL_NOT_ACCEPTED, "the cardholder chose no application");
        *chosen = (size_t)answer;
        tx->chosen_before =
            true; /* if the card then refuses it, none is taken that was not confirmed */
        return TP_OK;
    }
    for (size_t i = 0; i < tx->list_n; i++)
        if ((tx->list[i].c.priority & 0x80) == 0) {
            *chosen = i;
            return TP_OK;
        }
    return tx_end(tx, KERNEL_NOT_ACCEPTED,
                  "the card's application wants the cardholder's confirmation, and nobody is there "
                  "to give it");
}

/* Keeps the primitive objects of the final FCI (Book 1, 11.3.4); the languages are the PSE's when
 * the application has none of its own (Book 4, 11.1). */
static enum tp_err keep_fci(struct transaction *tx, const struct fci *fci)
{
    struct span rest = fci->proprietary;
    struct tlv object;
    enum tp_err r = data_put(tx, TAG_DF_NAME, FROM_SELECT, fci->name);

    while (r == TP_OK && tlv_next(&rest, &object) == TP_OK)
        if ((data_of_card(object.tag) || object.tag == TAG_FCI_ISSUER) &&
            data_object(tx, object.tag) == NULL)
            r = data_put(tx, object.tag, FROM_SELECT, object.value);
    if (r == TP_OK && tx->pse_language_n > 0 && data_object(tx, TAG_LANGUAGE) == NULL)
        r = data_put(tx, TAG_LANGUAGE, FROM_SELECT, span_of(tx->pse_language, tx->pse_language_n));
    return r;
}

enum tp_err select_one(struct transaction *tx, size_t i, uint16_t *sw)
{
    const struct listed *one = &tx->list[i];
    const struct span name = span_of(one->c.aid, one->c.aid_n);
    struct span data;
    struct fci fci;
    enum tp_err r = card_select(tx, name, false, &data, sw);

    if (r != TP_OK || *sw != SW_OK)
        return r;
    if (fci_parse(tx->config, &fci, data) != TP_OK || !span_eq(fci.name, name))
        return tx_end(tx, KERNEL_TERMINATED, "the card's answer to SELECT is malformed");
    tx->selected = *one;
    tx->has_selected = true;
    if (fci.c.label[0] != '\0')
        memcpy(tx->selected.c.label, fci.c.label, sizeof(fci.c.label));
    return keep_fci(tx, &fci);
}

/* What is malformed is refused too, where a payment looks for its application (12.4). */
static enum tp_err select_final(struct transaction *tx, size_t i, bool *refused, bool *malformed)
{
    uint16_t sw = SW_OK;
    const enum tp_err r = select_one(tx, i, &sw);

    *malformed |= r == TX_ENDED;
    tx->blocked |= sw == SW_SELECTED_FILE_INVALIDATED;
    *refused = r == TX_ENDED || sw != SW_OK;
    return r == TX_ENDED ? TP_OK : r;
}

enum tp_err select_application(struct transaction *tx)
{
    bool malformed = false;

    while (tx->list_n > 0) {
        size_t chosen;
        bool refused;
        enum tp_err r = choose(tx, &chosen);

        if (r == TP_OK)
            r = select_final(tx, chosen, &refused, &malformed);
        if (r != TP_OK || !refused)
            return r;
        select_drop(tx, chosen); /* 12.4: any other status word takes it off the list, and an answer
                                    that is malformed */
    }
    if (malformed)
        return tx_end(tx, KERNEL_TERMINATED, "the card's answer to SELECT is malformed");
    if (tx->blocked)
        return tx_end(
            tx, KERNEL_NOT_ACCEPTED,
            "the card's application is blocked (6283 to SELECT): only its issuer can unblock it");
    if (tx->request->application.n > 0 || tx->request->label != NULL)
        return tx_end(tx, KERNEL_NOT_ACCEPTED,
                      "the card does not have the application that was asked for, or this terminal "
                      "does not take it");
    return tx_end(tx, KERNEL_NOT_ACCEPTED,
                  "the card has no payment application that this terminal takes");
}
