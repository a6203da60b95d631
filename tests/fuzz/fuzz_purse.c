/* What comes to a purse: any body of a payment, and any statement, is taken apart or refused; an
 * order that the authority's keys did not sign is never one. */
#include "fuzz.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "order/purse_token.h"
#include "purse/paying.h"

static const struct order_authority *authority(void)
{
    static struct order_authority *made;
    char dir[] = "/tmp/fuzz_purse.XXXXXX", path[64], command[64];

    if (made != NULL)
        return made;
    HOLDS(mkdtemp(dir) != NULL);
    HOLDS(pki_authority_make(dir, "fuzz", NULL) == TP_OK);
    snprintf(path, sizeof(path), "%s/ca.pem", dir);
    HOLDS(order_authority_load(&made, path, NULL) == TP_OK);
    snprintf(command, sizeof(command), "rm -rf %s", dir);
    HOLDS(system(command) == 0);
    return made;
}

static void pay(struct span body)
{
    struct paying p = {.statement = NULL};
    struct tp_error e = {TP_OK, ""};
    const enum purse_verdict v =
        paying_read(&p, body, authority(), "0123456789ABCDEF", 1795950000, &e);

    HOLDS(v == PURSE_MALFORMED || v == PURSE_SIGNATURE || v == PURSE_CHALLENGE || v == PURSE_NEW);
    HOLDS(v != PURSE_NEW || (p.payment.found == PURSE_ORDER && p.payment.amount > 0 &&
                             p.payment.counter > 0 && p.challenge != NULL));
    HOLDS(v != PURSE_NEW || p.provision.by.statement == NULL ||
          (p.provision.by.amount > 0 && strlen(p.provision.session) == 26));
    paying_free(&p);
}

static void state(struct span text, enum purse_kind kind)
{
    struct purse_statement s;
    char *jws = span_text(text);
    struct tp_error e = {TP_OK, ""};
    enum tp_err r;

    HOLDS(jws != NULL);
    r = purse_statement_read(&s, kind, jws, &e);
    HOLDS(r == TP_OK || r == TP_ERR_FORMAT || r == TP_ERR_RANGE || r == TP_ERR_SECURITY);
    purse_statement_free(&s);
    free(jws);
}

/* What no key of the authority signed is demanded by nobody. */
static void demand(struct span text, enum purse_token_kind kind)
{
    struct purse_token t;
    char *jws = span_text(text);
    struct tp_error e = {TP_OK, ""};

    HOLDS(jws != NULL);
    HOLDS(purse_token_read(&t, kind, jws, authority(), &e) != TP_OK && e.text[0] != '\0');
    purse_token_free(&t);
    free(jws);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const struct span input = span_of(data, size);

    pay(input);
    for (int kind = PURSE_OPENING; kind <= PURSE_SESSION_END; kind++)
        state(input, (enum purse_kind)kind);
    for (int kind = PURSE_REVERSAL; kind <= PURSE_END; kind++)
        demand(input, (enum purse_token_kind)kind);
    return 0;
}
