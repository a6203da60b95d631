#include "payer/card_reach.h"

#include <string.h>

#include "base/date.h"
#include "base/hex.h"
#include "drivers/readers.h"

#define AID_MIN       5 /* bytes: an application provider's part at least */
#define AID_MAX       16
#define LABEL_MAX     16  /* characters of 50 and 9F12 */
#define WAIT_SLICE_MS 200 /* how long a Ctrl-C may go unseen while waiting for a card */

static enum tp_err wait_card(struct reader *reader, const struct card_place *p, struct tp_error *e)
{
    const int64_t until = time_monotonic_ms() + p->wait_ms;
    bool prompted = false;
    enum tp_err r = reader_wait_card(reader, 0, e);

    while ((r == TP_ERR_NO_CARD || r == TP_ERR_NO_READER) && time_monotonic_ms() < until) {
        if (!prompted)
            person_event(p->person, "waiting",
                         json_pack("{s:s}", "for", r == TP_ERR_NO_CARD ? "card" : "reader"));
        if (!prompted)
            person_status(p->person, "%s: %s", p->what,
                          r == TP_ERR_NO_CARD ? "insert your card" : "connect a card reader");
        prompted = true;
        if (!person_stays(p->person, 0)) {
            r = tp_fail(e, TP_ERR_CANCELLED, "given up before a card was inserted: %s", p->unless);
            break;
        }
        r = reader_wait_card(reader, WAIT_SLICE_MS, e);
    }
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
