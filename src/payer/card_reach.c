#include "payer/card_reach.h"

#include <string.h>

#include "base/hex.h"
#include "base/text.h"
#include "drivers/readers.h"

#define AID_MIN   5 /* bytes: an application provider's part at least */
#define AID_MAX   16
#define LABEL_MAX 16 /* characters of 50 and 9F12 */

struct waiting {
    const struct card_place *place;
    bool prompted;
};

/* Says once what is missing. */
static bool prompt(void *ctx, enum tp_err missing)
{
    struct waiting *w = ctx;
    const struct card_place *p = w->place;

    if (!w->prompted) {
        person_event(p->person, "waiting",
                     json_pack("{s:s}", "for", missing == TP_ERR_NO_CARD ? "card" : "reader"));
        person_status(p->person, "%s: %s", p->what,
                      missing == TP_ERR_NO_CARD ? _("insert your card")
                                                : _("connect a card reader"));
    }
    w->prompted = true;
    return person_stays(p->person, 0);
}

static enum tp_err wait_card(struct reader *reader, const struct card_place *p, struct tp_error *e)
{
    struct waiting w = {.place = p};
    enum tp_err r = readers_wait_card(reader, p->wait_ms, prompt, &w, e);

    if (r == TP_ERR_CANCELLED)
        r = tp_fail(e, r, "given up before a card was inserted: %s", p->unless);
    person_status_end(p->person);
    return r;
}

enum tp_err card_reach(struct reader **out, const struct card_place *place, struct tp_error *e)
{
    enum tp_err r = readers_open(out, place->reader, e);

    if (r == TP_OK)
        r = wait_card(*out, place, e);
    if (r == TP_OK)
        r = reader_connect(*out, e);
    if (r != TP_OK)
        return readers_usable(r);
    person_event(place->person, "card", NULL);
    reader_set_goes_on(*out, person_reads, place->person);
    return TP_OK;
}

enum tp_err card_narrow(struct transaction_request *request, uint8_t aid[AID_MAX],
                        struct terminal *terminal, const char *wanted, struct tp_error *e)
{
    struct buf bytes = {aid, 0, AID_MAX};

    if (wanted == NULL || (strlen(wanted) <= 2 && strspn(wanted, "0123456789") == strlen(wanted) &&
                           wanted[0] != '\0')) /* a number in the list */
        return TP_OK;
    if (hex_decode(&bytes, wanted) == TP_OK && bytes.n >= AID_MIN) {
        request->application = buf_span(&bytes);
        return terminal_only(terminal, buf_span(&bytes), e);
    }
    if (wanted[0] == '\0' || strlen(wanted) > LABEL_MAX)
        return tp_fail(e, TP_ERR_USAGE,
                       "--application takes an AID of 10 to 32 hexadecimal digits, a name of up to "
                       "16 characters, or a number in the list, not \"%s\"",
                       wanted);
    request->label = wanted;
    return TP_OK;
}
