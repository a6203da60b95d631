/* Letters and sessions of strangers: any text is taken apart or refused; what no key signed is
 * never one, and a mediator's that the authority does not vouch for neither. */
#include "fuzz.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "mediator/identity.h"

static const struct order_authority *authority(void)
{
    static struct order_authority *made;
    char dir[] = "/tmp/fuzz_letter.XXXXXX", path[64], command[64];

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

static void of_payer(const char *text, enum letter_kind kind)
{
    struct letter l;
    uint8_t hash[LETTER_HASH];
    struct tp_error e = {TP_OK, ""};
    const enum tp_err r = letter_read_own(&l, kind, text, &e);

    HOLDS(r == TP_OK || r == TP_ERR_FORMAT || r == TP_ERR_RANGE || r == TP_ERR_SECURITY);
    HOLDS((r == TP_OK) ==
          ((l.order != NULL || l.request != NULL) && l.at != NULL && l.key != NULL));
    if (r == TP_OK)
        HOLDS(letter_hash(hash, text, &e) == TP_OK && letter_thumbprint(hash, l.key, &e) == TP_OK);
    letter_free(&l);
}

static void of_session(const char *text)
{
    static const uint8_t key[32] = {1};
    struct identity user;

    HOLDS(!identity_of_session(&user, SPAN_OF(key), "journal", text, 1000000000));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct letter l;
    struct tp_error e = {TP_OK, ""};
    char *text = malloc(size + 1);

    HOLDS(text != NULL);
    memcpy(text, data, size);
    text[size] = '\0';
    of_payer(text, LETTER_DISPUTE);
    of_payer(text, LETTER_EVIDENCE);
    of_payer(text, LETTER_IDENTITY);
    of_session(text);
    for (unsigned k = LETTER_ANSWER; k <= LETTER_CARD; k++)
        HOLDS(letter_read(&l, (enum letter_kind)k, text, authority(), &e) != TP_OK &&
              l.owner == NULL);
    free(text);
    return 0;
}
