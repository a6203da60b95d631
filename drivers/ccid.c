#include "drivers/ccid.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/time.h>

#include "base/date.h"
#include "drivers/ccid_usb.h"

#define LOOK_MS   250  /* between looks at readers that say nothing by themselves */
#define SEARCH_MS 1000 /* between looks for new readers, where the system does not tell of them */
#define TRUST_MS  2000 /* a reader that tells of changes is asked all the same, that often */

struct station { /* a reader that is held while one waits for a card */
    struct ccid_usb_found found;
    struct ccid_usb *usb;
    char name[READER_NAME_MAX];
    int64_t asked; /* when */
};

struct ccid {
    libusb_context *usb;
    char *wanted; /* as reader_wanted has it */
    bool whole;
    struct reader *reader;
    libusb_hotplug_callback_handle hotplug;
    bool have_hotplug, plugged; /* something came or went */
    int64_t searched;
    struct station stations[CCID_USB_MAX];
    size_t n;
    bool others;         /* a reader is there whose name is not wanted */
    struct tp_error why; /* why the last reader that could not be opened could not */
    bool chosen;         /* stations[0] is the one, slot is its slot */
    struct ccid_slot slot;
    bool have_slot;
};

static void slot_name(char out[READER_NAME_MAX], const char *name, const struct ccid_descriptor *d,
                      unsigned slot)
{
    if (d->slots == 1)
        snprintf(out, READER_NAME_MAX, "%.*s", READER_NAME_MAX - 1, name);
    else
        snprintf(out, READER_NAME_MAX, "%.*s slot %u", READER_NAME_MAX - 16, name, slot & 0xFFU);
}

/* ---- stations ---- */

static void leave(struct station *s)
{
    ccid_usb_close(&s->usb);
    ccid_usb_forget(&s->found, 1);
}

static void leave_all(struct ccid *c)
{
    if (c->have_slot)
        ccid_slot_end(&c->slot);
    for (size_t i = 0; i < c->n; i++)
        leave(&c->stations[i]);
    c->n = 0;
    c->chosen = c->have_slot = false;
}

static bool any_slot_wanted(const struct ccid *c, const char *name, const struct ccid_descriptor *d)
{
    char full[READER_NAME_MAX];

    for (unsigned i = 0; i < d->slots; i++) {
        slot_name(full, name, d, i);
        if (reader_wanted(full, c->wanted, c->whole))
            return true;
    }
    return false;
}

static bool known(const struct ccid *c, const struct ccid_usb_found *f)
{
    for (size_t i = 0; i < c->n; i++)
        if (ccid_usb_same(&c->stations[i].found, f))
            return true;
    return false;
}

/* Holds one more reader, unless it is refused, not wanted or another's. */
static void enter(struct ccid *c, const struct ccid_usb_found *f)
{
    struct station s = {.found = *f};
    const char *refused = ccid_descriptor_refusal(&f->d, f->endpoints);
    struct tp_error why;
    enum tp_err rc;

    if (known(c, f) || c->n == CCID_USB_MAX)
        return;
    rc = ccid_usb_open(&s.usb, c->usb, f, s.name, &why);
    if (!any_slot_wanted(c, s.name, &f->d)) {
        c->others = true;
        ccid_usb_close(&s.usb);
        return;
    }
    if (rc == TP_OK && refused != NULL)
        rc = tp_fail(&why, TP_ERR_NO_READER, "%s", refused);
    if (rc != TP_OK) {
        c->why = why;
        (void)tp_error_prefix(&c->why, "reader \"%s\"", s.name);
        ccid_usb_close(&s.usb);
        return;
    }
    libusb_ref_device(s.found.device);
    c->stations[c->n++] = s;
}

static void search(struct ccid *c)
{
    struct ccid_usb_found found[CCID_USB_MAX];
    const size_t n = ccid_usb_find(c->usb, found);

    for (size_t i = c->n; i-- > 0;) { /* those that went */
        bool there = false;

        for (size_t k = 0; k < n; k++)
            there = there || ccid_usb_same(&c->stations[i].found, &found[k]);
        if (!there) {
            leave(&c->stations[i]);
            c->stations[i] = c->stations[--c->n];
        }
    }
    c->why.code = TP_OK;
    c->others = false;
    for (size_t i = 0; i < n; i++)
        enter(c, &found[i]);
    ccid_usb_forget(found, n);
    c->plugged = false;
    c->searched = time_monotonic_ms();
}

/* Takes the slot whose card is there and leaves the other readers. */
static void take(struct ccid *c, size_t station, const struct ccid_slot *slot)
{
    const struct station s = c->stations[station];
    char name[READER_NAME_MAX];

    c->stations[station] = c->stations[0];
    c->stations[0] = s;
    for (size_t i = 1; i < c->n; i++)
        leave(&c->stations[i]);
    c->n = 1;
    c->slot = *slot;
    c->have_slot = c->chosen = true;
    slot_name(name, s.name, &s.found.d, slot->number);
    reader_rename(c->reader, name);
}

static bool look_at(struct ccid *c, size_t station)
{
    struct station *s = &c->stations[station];
    char name[READER_NAME_MAX];

    for (unsigned i = 0; i < s->found.d.slots; i++) {
        enum ccid_icc icc = CCID_ICC_ABSENT;
        struct ccid_slot slot;

        slot_name(name, s->name, &s->found.d, i);
        if (!reader_wanted(name, c->wanted, c->whole) ||
            ccid_slot_start(&slot, ccid_usb_pipe(s->usb), &s->found.d, (uint8_t)i) != TP_OK)
            continue;
        if (ccid_slot_status(&slot, &icc, &c->why) == TP_OK && icc != CCID_ICC_ABSENT) {
            take(c, station, &slot);
            return true;
        }
        ccid_slot_end(&slot);
    }
    return false;
}

static bool look(struct ccid *c)
{
    const int64_t now = time_monotonic_ms();

    for (size_t i = 0; i < c->n; i++) {
        struct station *s = &c->stations[i];

        if (!ccid_usb_changed(s->usb) && now - s->asked < TRUST_MS)
            continue;
        s->asked = now;
        if (look_at(c, i))
            return true;
    }
    return false;
}

static enum tp_err no_reader(struct tp_error *e)
{
    return tp_fail(e, TP_ERR_NO_READER,
                   "no card reader: plug one in (one that is not of the USB CCID class needs "
                   "pcscd: sudo systemctl start pcscd.socket)");
}

static enum tp_err none(const struct ccid *c, struct tp_error *e)
{
    if (c->n == 1)
        return tp_fail(e, TP_ERR_NO_CARD,
                       "reader \"%s\": no card: insert it or name another reader with --reader",
                       c->stations[0].name);
    if (c->n > 1)
        return tp_fail(e, TP_ERR_NO_CARD,
                       "no card: insert it or name another reader with --reader");
    if (c->why.code != TP_OK)
        return tp_fail(e, c->why.code, "%s", c->why.text);
    if (c->others)
        return tp_fail(e, TP_ERR_NO_READER,
                       "no reader has a name with \"%s\" in it: see `telepay readers`", c->wanted);
    return no_reader(e);
}

static enum tp_err ccid_wait_card(void *self, int timeout_ms, struct tp_error *e)
{
    struct ccid *c = self;
    const int64_t until = timeout_ms < 0 ? INT64_MAX : time_monotonic_ms() + timeout_ms;

    if (c->chosen)
        leave_all(c);
    for (size_t i = 0; i < c->n; i++) /* held since the last look, which found no card */
        c->stations[i].asked = 0;
    c->searched = 0;
    c->plugged = true;
    for (;;) {
        const int64_t now = time_monotonic_ms();
        const int64_t left = until - now < LOOK_MS ? until - now : LOOK_MS;
        struct timeval wait = {0, (suseconds_t)(left * 1000)};

        if (c->plugged || (!c->have_hotplug && now - c->searched >= SEARCH_MS) ||
            now - c->searched >= 2 * (int64_t)TRUST_MS)
            search(c);
        if (look(c))
            return TP_OK;
        if (time_monotonic_ms() >= until)
            return none(c, e); /* the readers stay held: whoever waits looks again at once, and a
                                  reader is not to be taken and left all the time */
        (void)libusb_handle_events_timeout_completed(c->usb, &wait, NULL);
    }
}

static int LIBUSB_CALL plugged(libusb_context *usb, libusb_device *device,
                               libusb_hotplug_event event, void *ctx)
{
    (void)usb, (void)device, (void)event;
    ((struct ccid *)ctx)->plugged = true;
    return 0;
}

/* ---- the card ---- */

static enum tp_err named(const struct ccid *c, enum tp_err rc, const struct tp_error *why,
                         struct tp_error *e)
{
    return rc == TP_OK ? TP_OK
                       : tp_fail(e, rc, "reader \"%s\": %s", reader_name(c->reader), why->text);
}

static void ccid_disconnect(void *self)
{
    struct ccid *c = self;

    if (c->have_slot && c->slot.powered)
        ccid_slot_power_off(&c->slot);
    leave_all(c);
}

static enum tp_err ccid_connect(void *self, struct tp_error *e)
{
    struct ccid *c = self;
    struct tp_error why = {TP_OK, ""};
    enum tp_err rc = c->chosen ? TP_OK : ccid_wait_card(c, 0, e);

    if (rc != TP_OK)
        return rc;
    rc = ccid_slot_power_on(&c->slot, &why);
    if (rc != TP_OK) {
        rc = named(c, rc, &why, e);
        ccid_disconnect(c);
    }
    return rc;
}

static enum tp_err ccid_transmit(void *self, struct span command, struct buf *response,
                                 struct tp_error *e)
{
    struct ccid *c = self;
    struct tp_error why = {TP_OK, ""};
    const enum tp_err rc = ccid_slot_transmit(&c->slot, command, response, &why);

    return named(c, rc, &why, e);
}

static enum tp_err ccid_reset(void *self, struct tp_error *e)
{
    struct ccid *c = self;
    struct tp_error why = {TP_OK, ""};
    const enum tp_err rc = ccid_slot_power_on(&c->slot, &why);

    return named(c, rc, &why, e);
}

static enum tp_err ccid_verify_pin(void *self, const struct reader_pin *ask,
                                   enum reader_pin_end *end, uint16_t *sw, struct tp_error *e)
{
    struct ccid *c = self;
    struct tp_error why = {TP_OK, ""};
    const enum tp_err rc = ccid_slot_verify_pin(&c->slot, ask, end, sw, &why);

    return named(c, rc, &why, e);
}

static struct span ccid_atr(void *self)
{
    const struct ccid *c = self;

    return span_of(c->slot.atr_raw, c->slot.atr_n);
}

static bool ccid_is_t0(void *self)
{
    const struct ccid *c = self;

    return ccid_slot_is_t0(&c->slot);
}

static struct reader_features ccid_features(void *self)
{
    const struct ccid *c = self;

    if (!c->chosen)
        return (struct reader_features){false, false};
    return (struct reader_features){c->slot.d.pin_verify,
                                    c->slot.d.lcd_lines > 0 && c->slot.d.lcd_columns > 0};
}

static void ccid_close(void *self)
{
    struct ccid *c = self;

    leave_all(c);
    if (c->have_hotplug)
        libusb_hotplug_deregister_callback(c->usb, c->hotplug);
    if (c->usb != NULL)
        libusb_exit(c->usb);
    free(c->wanted);
    free(c);
}

static const struct reader_driver ccid_driver = {
    .name = "ccid",
    .wait_card = ccid_wait_card,
    .connect = ccid_connect,
    .transmit = ccid_transmit,
    .reset = ccid_reset,
    .disconnect = ccid_disconnect,
    .atr = ccid_atr,
    .features = ccid_features,
    .close = ccid_close,
    .is_t0 = ccid_is_t0,
    .verify_pin = ccid_verify_pin,
};

enum tp_err ccid_open(struct reader **out, const char *wanted, bool whole, struct tp_error *e)
{
    struct ccid *c = calloc(1, sizeof(*c));
    enum tp_err rc;

    if (c == NULL)
        return tp_fail(e, TP_ERR_NO_MEMORY, "out of memory");
    c->whole = whole;
    if (wanted != NULL && wanted[0] != '\0' && (c->wanted = strdup(wanted)) == NULL) {
        free(c);
        return tp_fail(e, TP_ERR_NO_MEMORY, "out of memory");
    }
    rc = ccid_usb_start(&c->usb, e);
    if (rc == TP_OK && (rc = reader_new(&c->reader, &ccid_driver, c,
                                        wanted != NULL ? wanted : "any reader")) != TP_OK)
        (void)tp_fail(e, rc, "out of memory");
    if (rc != TP_OK) {
        ccid_close(c);
        return rc;
    }
    c->have_hotplug =
        libusb_has_capability(LIBUSB_CAP_HAS_HOTPLUG) != 0 &&
        libusb_hotplug_register_callback(
            c->usb, LIBUSB_HOTPLUG_EVENT_DEVICE_ARRIVED | LIBUSB_HOTPLUG_EVENT_DEVICE_LEFT, 0,
            LIBUSB_HOTPLUG_MATCH_ANY, LIBUSB_HOTPLUG_MATCH_ANY, LIBUSB_HOTPLUG_MATCH_ANY, plugged,
            c, &c->hotplug) == 0;
    *out = c->reader;
    return TP_OK;
}

/* ---- the list ---- */

static void describe_slot(struct reader_info *info, struct ccid_usb *usb,
                          const struct ccid_descriptor *d, unsigned number)
{
    enum ccid_icc icc = CCID_ICC_ABSENT;
    struct ccid_slot slot;
    struct tp_error why;

    if (ccid_slot_start(&slot, ccid_usb_pipe(usb), d, (uint8_t)number) != TP_OK)
        return;
    if (ccid_slot_status(&slot, &icc, &why) != TP_OK)
        ccid_usb_trouble(info, why.text);
    info->card_present = icc != CCID_ICC_ABSENT;
    ccid_slot_end(&slot);
}

static struct reader_abilities abilities(const struct ccid_descriptor *d)
{
    return (struct reader_abilities){
        .known = true,
        .t0 = (d->protocols & 1) != 0,
        .t1 = (d->protocols & 2) != 0,
        .keypad = d->pin_verify,
        .display = d->lcd_lines > 0 && d->lcd_columns > 0,
        .lines = (uint16_t)d->lcd_lines,
        .columns = (uint16_t)d->lcd_columns,
        .level = ccid_level_text(d->level),
        .clock_khz = d->clock_max,
        .rate_bps = d->rate_max,
    };
}

/* A reader that cannot be used is one line, whatever slots it has. */
static size_t describe(struct reader_info *infos, libusb_context *usb,
                       const struct ccid_usb_found *f)
{
    const char *refused = ccid_descriptor_refusal(&f->d, f->endpoints);
    struct reader_info info = {
        .driver = "CCID", .usb_bus = f->bus, .usb_address = f->address, .can = abilities(&f->d)};
    char name[READER_NAME_MAX];
    struct ccid_usb *u = NULL;
    struct tp_error why;
    const enum tp_err rc = ccid_usb_open(&u, usb, f, name, &why);
    size_t n = 0;

    if (rc != TP_OK || refused != NULL) {
        info.in_use = rc == TP_ERR_STATE && strncmp(why.text, "held", 4) == 0;
        memcpy(info.name, name, sizeof(info.name));
        ccid_usb_trouble(&info, refused != NULL ? refused : why.text);
        infos[n++] = info;
    } else {
        for (; n < f->d.slots; n++) {
            infos[n] = info;
            slot_name(infos[n].name, name, &f->d, (unsigned)n);
            describe_slot(&infos[n], u, &f->d, (unsigned)n);
        }
    }
    ccid_usb_close(&u);
    return n;
}

enum tp_err ccid_list(struct reader_info **out, size_t *n, struct tp_error *e)
{
    struct ccid_usb_found found[CCID_USB_MAX];
    libusb_context *usb = NULL;
    enum tp_err rc = ccid_usb_start(&usb, e);
    size_t readers, slots = 0;

    *out = NULL;
    *n = 0;
    if (rc != TP_OK)
        return rc;
    readers = ccid_usb_find(usb, found);
    for (size_t i = 0; i < readers; i++)
        slots += found[i].d.slots;
    if (slots == 0)
        rc = no_reader(e);
    else if ((*out = calloc(slots, sizeof(**out))) == NULL)
        rc = tp_fail(e, TP_ERR_NO_MEMORY, "out of memory");
    for (size_t i = 0; rc == TP_OK && i < readers; i++)
        *n += describe(*out + *n, usb, &found[i]);
    ccid_usb_forget(found, readers);
    libusb_exit(usb);
    return rc;
}

void ccid_ask(struct reader_info *list, size_t n)
{
    (void)list, (void)n; /* the class descriptor has said it all */
}
