/* Keypad, display and class descriptor of a PC/SC reader. */
#include "drivers/pcsc_priv.h"

#include <reader.h>
#include <string.h>
#include <time.h>

#include "base/date.h"

#define KEY_POLL_MS      50
#define ENTRY_DEFAULT_MS 120000 /* for an entry whose time-out is the reader's own */
#define ENTRY_SPARE_MS   10000  /* a reader's clock is its own */

/* One call to the reader's driver; *answer is empty before. */
static LONG control(SCARDHANDLE card, uint32_t code, struct span in, struct buf *answer)
{
    DWORD n = 0;
    const LONG rc = SCardControl(card, code, in.p, (DWORD)in.n, answer->p, (DWORD)answer->cap, &n);

    answer->n = rc == SCARD_S_SUCCESS && n <= answer->cap ? n : 0;
    return rc;
}

void pcsc_pinpad_look(struct pinpad_features *f, struct pinpad_properties *p, SCARDHANDLE card)
{
    const struct span nothing = {NULL, 0};
    uint8_t raw[256];
    struct buf answer = BUF_OF(raw);

    memset(f, 0, sizeof(*f));
    memset(p, 0, sizeof(*p));
    if (control(card, CM_IOCTL_GET_FEATURE_REQUEST, nothing, &answer) != SCARD_S_SUCCESS)
        return;
    (void)pinpad_features_parse(
        f, buf_span(&answer)); /* one that breaks off stands as far as it goes */
    answer.n = 0;
    if (f->pin_properties != 0 &&
        control(card, f->pin_properties, nothing, &answer) == SCARD_S_SUCCESS)
        (void)pinpad_pin_properties_parse(p, buf_span(&answer));
    answer.n = 0;
    if (f->tlv_properties != 0 &&
        control(card, f->tlv_properties, nothing, &answer) == SCARD_S_SUCCESS)
        (void)pinpad_tlv_properties_parse(p, buf_span(&answer));
}

/* Until a key ended the entry, where the reader tells keys; FINISH alone waits where it does not.
 */
static void await_key(SCARDHANDLE card, uint32_t key_pressed, int64_t until)
{
    const struct timespec pause = {0, KEY_POLL_MS * 1000000L};
    uint8_t raw[8];
    struct buf answer = BUF_OF(raw);

    while (key_pressed != 0 && time_monotonic_ms() < until) {
        answer.n = 0;
        if (control(card, key_pressed, (struct span){NULL, 0}, &answer) != SCARD_S_SUCCESS ||
            answer.n == 0 || pinpad_key_ends(raw[0]))
            return;
        nanosleep(&pause, NULL);
    }
}

/* START, keys, FINISH: part 10, 2.5.1. */
static LONG in_steps(SCARDHANDLE card, const struct pinpad_features *f, struct span structure,
                     uint8_t timeout_s, struct buf *answer)
{
    const int64_t until =
        time_monotonic_ms() +
        (timeout_s == 0 ? ENTRY_DEFAULT_MS : 1000 * (int64_t)timeout_s + ENTRY_SPARE_MS);
    LONG rc = control(card, f->verify_start, structure, answer);

    if (rc != SCARD_S_SUCCESS || answer->n > 0) /* some answer START with why they will not */
        return rc;
    await_key(card, f->key_pressed, until);
    if (time_monotonic_ms() >= until && f->abort != 0) {
        (void)control(card, f->abort, (struct span){NULL, 0}, answer);
        answer->n = 0;
    }
    return control(card, f->verify_finish, (struct span){NULL, 0}, answer);
}

LONG pcsc_pinpad_verify(enum reader_pin_end *end, uint16_t *sw, SCARDHANDLE card,
                        const struct reader_pin *ask)
{
    uint8_t raw[PINPAD_VERIFY_SIZE], back[APDU_SHORT_RESPONSE_MAX];
    struct buf structure = BUF_OF(raw), answer = BUF_OF(back);
    struct pinpad_features f;
    struct pinpad_properties p;
    LONG rc;

    *end = READER_PIN_REFUSED;
    pcsc_pinpad_look(&f, &p, card);
    if (!pinpad_can_verify(&f) || pinpad_verify_build(&structure, ask, &p) != TP_OK)
        return SCARD_S_SUCCESS;
    if (f.verify_direct != 0)
        rc = control(card, f.verify_direct, buf_span(&structure), &answer);
    else
        rc = in_steps(card, &f, buf_span(&structure), ask->timeout_s, &answer);
    if (rc == SCARD_E_UNSUPPORTED_FEATURE || rc == SCARD_E_INVALID_PARAMETER ||
        rc == SCARD_E_INVALID_VALUE)
        return SCARD_S_SUCCESS;
    if (rc == SCARD_S_SUCCESS && pinpad_outcome(end, sw, buf_span(&answer)) != TP_OK)
        rc = SCARD_E_NOT_TRANSACTED;
    return rc;
}
