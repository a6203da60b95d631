/* telepay-acquirer prove: a payment verified again from the evidence kept with it. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "acquirer/commands.h"
#include "acquirer/option.h"
#include "base/file.h"
#include "base/hex.h"
#include "base/text.h"
#include "ledger/proof.h"
#include "wire/jcs.h"

struct words {
    const char *dir, *rrn, *out;
    bool json;
};

enum { KEY_OUT = 256 };

static error_t parse(int key, char *arg, struct argp_state *state)
{
    struct words *w = state->input;

    switch (key) {
    case 'd':
        w->dir = arg;
        return 0;
    case 'j':
        w->json = true;
        return 0;
    case KEY_OUT:
        w->out = arg;
        return 0;
    case ARGP_KEY_ARG:
        if (w->rrn != NULL)
            return ARGP_ERR_UNKNOWN;
        w->rrn = arg;
        return 0;
    case ARGP_KEY_END:
        if (w->rrn == NULL)
            argp_error(state,
                       _("name the transaction by its reference number (rrn), as in the list"));
        return 0;
    default:
        return ARGP_ERR_UNKNOWN;
    }
}

struct proving {
    struct ledger *l;
    struct seal *seal;
    struct capk_store *authorities;
    struct evidence_cache *cache;
    struct order_authority *orders;
    struct tx_record tx;
    struct proof proof;
    char acquirer[ACQUIRER_ID_MAX];
};

static enum tp_err start(struct proving *p, const struct words *w, struct tp_error *e)
{
    char dir[PATH_MAX];
    enum tp_err r = option_open(&p->l, dir, w->dir, e);

    if (r == TP_OK)
        r = ledger_tx_get(p->l, w->rrn, &p->tx, e);
    if (r == TP_OK)
        r = ledger_acquirer_id(p->l, p->acquirer, e);
    if (r == TP_OK)
        r = seal_open_dir(&p->seal, dir, e);
    if (r == TP_OK)
        r = acquirer_load_authorities(&p->authorities, dir, e);
    if (r == TP_OK && (r = evidence_cache_new(&p->cache, p->authorities, 1)) != TP_OK)
        (void)tp_fail(e, r, "cannot check evidence: %s", tp_err_text(r));
    if (r == TP_OK)
        r = acquirer_load_orders(&p->orders, dir, e);
    return r == TP_OK ? proof_make(&p->proof, &p->tx, p->acquirer, p->seal, p->cache, p->orders, e)
                      : r;
}

static void end(struct proving *p)
{
    secret_wipe(p->proof.pan, sizeof(p->proof.pan));
    order_authority_free(&p->orders);
    evidence_cache_free(&p->cache);
    capk_store_free(&p->authorities);
    seal_free(&p->seal);
    ledger_close(&p->l);
}

/* The order, as verify holds it against what was signed: the challenge's strings, what the payer
 * device signed and of which message, what the acquirer signed. */
static enum tp_err add_order(json_t *object, const struct tx_record *tx, struct tp_error *e)
{
    const struct mediated_record *m = &tx->mediated;
    char message[2 * sizeof(m->message) + 1];
    json_t *challenge = NULL, *order;
    enum tp_err r = jcs_read(&challenge, m->challenge, e);

    if (r != TP_OK)
        return r;
    order = json_pack("{s:o, s:s%, s:s}", "challenge", challenge, "acknowledgement",
                      m->acknowledgement.n > 0 ? (const char *)m->acknowledgement.p : "",
                      m->acknowledgement.n, "message", hex_encode(message, SPAN_OF(m->message)));
    if (order != NULL && m->device.n > 0)
        json_object_set_new(order, "device", json_stringn((const char *)m->device.p, m->device.n));
    return json_object_set_new(object, "order", order) == 0
               ? TP_OK
               : tp_fail(e, TP_ERR_NO_MEMORY, "cannot write the evidence: out of memory");
}

/* Whom the card paid. */
static enum tp_err add_payee(json_t *object, const struct proving *p, struct tp_error *e)
{
    if (proof_has(&p->tx, PROOF_ORDER))
        return add_order(object, &p->tx, e);
    json_object_set_new(object, "payee",
                        json_pack("{s:s, s:s, s:s, s:i}", "acquirer", p->acquirer, "contract",
                                  p->tx.contract, "terminal", p->tx.terminal, "time",
                                  (int)(p->tx.local_time % 1000000)));
    return TP_OK;
}

/* The form of data/vectors/offline-data-authentication.json, so that verify, and others, can check
 * it without these books. It holds the card number, which the signature covers: the file is its
 * owner's alone. */
static enum tp_err write_evidence(const struct proving *p, const char *path, struct tp_error *e)
{
    json_t *object = NULL;
    char *text = NULL, date[DATE_TEXT_MAX];
    enum tp_err r = evidence_to_json(&object, &p->proof.ev);

    if (r != TP_OK)
        return tp_fail(e, r, "cannot write the evidence: %s", tp_err_text(r));
    json_object_set_new(object, "rrn", json_string(p->tx.rrn));
    if (p->tx.approval[0] != '\0') {
        json_object_set_new(object, "issuer", json_string(p->tx.issuer));
        json_object_set_new(object, "approval", json_string(p->tx.approval));
    }
    json_object_set_new(object, "date",
                        json_string(date_format(date, (int)(p->tx.local_time / 1000000))));
    r = add_payee(object, p, e);
    if (r == TP_OK)
        text = json_dumps(object, JSON_INDENT(2));
    json_decref(object);
    if (r != TP_OK)
        return r;
    if (text == NULL)
        return tp_fail(e, TP_ERR_NO_MEMORY, "cannot write the evidence: out of memory");
    r = file_replace(path, span_str(text), 0600, e);
    free(text);
    return r;
}

static int print_json(const struct proving *p)
{
    json_t *object = json_object(), *checks = json_array();
    char text[PROOF_TEXT], amount[MONEY_TEXT_MAX];
    bool proved = true;

    for (enum proof_step s = 0; s < PROOF_STEPS; s++) {
        if (!proof_has(&p->tx, s))
            continue;

        const bool holds = proof_holds(&p->proof, &p->tx, p->seal, s, text);

        proved = proved && holds;
        json_array_append_new(checks, json_pack("{s:s, s:b, s:s}", "check", proof_step_name(s),
                                                "holds", holds ? 1 : 0, "text", text));
    }
    json_object_set_new(object, "rrn", json_string(p->tx.rrn));
    json_object_set_new(object, "proved", json_boolean(proved));
    json_object_set_new(object, "reason", json_string(p->proof.result.reason));
    json_object_set_new(object, "amount",
                        json_string(money_shown(amount, p->tx.amount, p->tx.currency)));
    json_object_set_new(object, "currency", json_string(currency_shown(p->tx.currency)));
    json_object_set_new(object, "pan_masked", json_string(p->tx.pan_masked));
    json_object_set_new(object, "authentication_method",
                        json_string(evidence_method_name(p->proof.result.method)));
    json_object_set_new(object, "amount_signed", json_boolean(!proof_vouched(&p->proof)));
    json_object_set_new(object, "issuer", json_string(p->tx.issuer));
    json_object_set_new(object, "approval", json_string(p->tx.approval));
    json_object_set_new(object, "state", json_string(tx_state_name(p->tx.state)));
    json_object_set_new(object, "checks", checks);
    const int done = option_print_json(object);

    return done != CLI_DONE ? done : proved ? CLI_DONE : CLI_SECURITY;
}

static int print_text(const struct proving *p)
{
    char text[PROOF_TEXT], amount[MONEY_TEXT_MAX];
    bool proved = true;

    for (enum proof_step s = 0; s < PROOF_STEPS; s++) {
        if (!proof_has(&p->tx, s))
            continue;

        const bool holds = proof_holds(&p->proof, &p->tx, p->seal, s, text);

        proved = proved && holds;
        printf("%-6s  %-13s  %s\n", holds ? "ok" : "FAILED", proof_step_name(s), text);
    }
    if (proved && proof_vouched(&p->proof))
        printf(_("vouched for: issuer %s approved this %s of %s %s by the card %s under %s; no "
                 "signature covers the amount\n"),
               p->tx.issuer, tx_kind_name(p->tx.kind),
               money_shown(amount, p->tx.amount, p->tx.currency), currency_shown(p->tx.currency),
               p->tx.pan_masked, p->tx.approval);
    else if (proved)
        printf(_("proved: the card %s signed this %s of %s %s\n"), p->tx.pan_masked,
               tx_kind_name(p->tx.kind), money_shown(amount, p->tx.amount, p->tx.currency),
               currency_shown(p->tx.currency));
    else
        printf(_("NOT PROVED: transaction %s\n"), p->tx.rrn);
    if (p->tx.state == TX_REVERSED) /* a proof of what was acknowledged is no claim to it */
        printf(_("reversed: it was given back, and no remise has it\n"));
    return proved ? CLI_DONE : CLI_SECURITY;
}

int acquirer_prove(int argc, char **argv)
{
    static const struct argp_option options[] = {
        {"out", KEY_OUT, "FILE", 0,
         N_("Also write the evidence as a file that verify takes; it holds the card number"), 0},
        OPTION_DIR,
        OPTION_JSON,
        {0}};
    static const struct argp argp = {options,
                                     parse,
                                     N_("RRN"),
                                     N_("Verify a transaction again from the evidence kept with "
                                        "it, and say each check. Exit 5 when one fails."),
                                     NULL,
                                     NULL,
                                     NULL};
    struct words w = {0};
    struct proving p = {0};
    struct tp_error e = {TP_OK, ""};
    int done;
    enum tp_err r;

    cli_parse(&argp, argc, argv, &w);
    r = start(&p, &w, &e);
    if (r == TP_OK && w.out != NULL)
        r = write_evidence(&p, w.out, &e);
    done = r != TP_OK ? cli_report(&e) : w.json ? print_json(&p) : print_text(&p);
    end(&p);
    return done;
}
