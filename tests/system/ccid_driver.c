/* The CCID driver over real libusb, against readers on a USB of paper (tests/tools/usb_double.h)
 * that hold one of our own cards. Run by ccid_driver.sh. */
#include "../unit/unit.h"

#include <pthread.h>
#include <stdio.h>
#include <time.h>

#include "../tools/usb_double.h"
#include "base/date.h"
#include "drivers/ccid.h"
#include "drivers/ccid_usb.h"
#include "simcard/inproc.h"
#include "simcard/perso.h"

static const struct capdu select_pse = {
    .ins = INS_SELECT, .p1 = 4, .data = {(const uint8_t *)"1PAY.SYS.DDF01", 14}, .le = 256};
static const struct capdu pin_tries = {
    .cla = 0x80, .ins = INS_GET_DATA, .p1 = 0x9F, .p2 = 0x17, .le = 256};

struct desk {
    struct usb_double *usb;
    struct ccid_double *reader; /* the first; large, so not on a stack */
    struct card *card;
    struct inproc_card app;
    struct reader *r;
    struct tp_error e;
};

static struct card *make_card(void)
{
    static struct scheme *scheme;
    struct card_profile *profile;
    struct scheme_params sp;
    struct perso_params p;
    struct card *card;
    struct tp_error e;

    scheme_defaults(&sp);
    sp.authority_bits = sp.issuer_bits = 512;
    ck_assert_msg(scheme != NULL || scheme_new(&scheme, &sp, &e) == TP_OK, "%s", e.text);
    perso_defaults(&p);
    p.pan = "9990140000000015";
    p.pin = span_str("1234");
    p.expiry = 20301231;
    p.method = PERSO_SDA;
    ck_assert_msg(perso_make(&profile, scheme, &p, &e) == TP_OK, "%s", e.text);
    ck_ok(card_new(&card, &profile));
    return card;
}

static struct ccid_double *reader_of(const struct double_config *c, const struct inproc_card *app)
{
    struct ccid_double *d = malloc(sizeof(*d));

    ck_assert_ptr_nonnull(d);
    double_start(d, c, app);
    return d;
}

static void sit_down(struct desk *k, const struct double_config *c)
{
    memset(k, 0, sizeof(*k));
    k->card = make_card();
    k->app = card_inproc(k->card);
    k->reader = reader_of(c, &k->app);
    if (c->t0)
        k->reader->c.atr = "3B 67 00 00 54 45 4C 45 50 41 59";
    k->usb = usb_double_new();
    usb_double_plug(k->usb, 1, k->reader, "ACME", "PinReader 9");
}

static void open_reader(struct desk *k, const char *wanted)
{
    ck_assert_msg(ccid_open(&k->r, wanted, false, &k->e) == TP_OK, "%s", k->e.text);
}

static void connect_card(struct desk *k)
{
    open_reader(k, NULL);
    ck_assert_msg(reader_wait_card(k->r, 0, &k->e) == TP_OK, "%s", k->e.text);
    ck_assert_msg(reader_connect(k->r, &k->e) == TP_OK, "%s", k->e.text);
}

static void leave(struct desk *k)
{
    reader_close(&k->r);
    usb_double_free(&k->usb);
    free(k->reader);
    card_close(&k->card);
}

static enum tp_err ask(struct desk *k, const struct capdu *c, uint16_t *sw, size_t *n)
{
    uint8_t raw[300];
    struct buf response = BUF_OF(raw);
    const enum tp_err rc = reader_transmit(k->r, c, &response, sw, &k->e);

    *n = response.n;
    return rc;
}

static const enum double_level levels[] = {DOUBLE_TPDU, DOUBLE_SHORT, DOUBLE_EXTENDED};

START_TEST(our_card_at_each_level)
    {
        struct double_config c;
        struct desk k;

        double_defaults(&c, levels[_i % 3]);
        c.t0 = _i >= 3;
        c.no_interrupt = _i == 1;
        sit_down(&k, &c);
        connect_card(&k);
        ck_assert_str_eq(reader_name(k.r), "ACME PinReader 9 (USB 1-1)");
        ck_assert_uint_gt(reader_atr(k.r).n, 10);
        ck_assert_int_eq(reader_is_t0(k.r), _i == 3);
        for (unsigned i = 0; i < 3; i++) {
            uint16_t sw = 0;
            size_t n = 0;

            ck_assert_msg(ask(&k, &select_pse, &sw, &n) == TP_OK, "%s", k.e.text);
            ck_assert_uint_eq(sw, 0x9000);
            ck_assert_uint_gt(n, 20);
            if (i == 1)
                ck_assert_msg(reader_reset(k.r, &k.e) == TP_OK, "%s", k.e.text);
        }
        ck_assert_uint_eq(usb_double_seen(k.usb, 1).detaches, 1);
        ck_assert_uint_eq(usb_double_seen(k.usb, 1).releases, 0);
        reader_disconnect(k.r);
        ck_assert(!k.reader->powered);
        ck_assert_uint_eq(usb_double_seen(k.usb, 1).releases, 1);
        ck_assert_uint_eq(usb_double_seen(k.usb, 1).attaches,
                          1); /* the kernel's driver has it back */
        ck_assert_msg(reader_connect(k.r, &k.e) == TP_OK, "%s", k.e.text); /* and again */
        leave(&k);
    }
END_TEST

START_TEST(the_keypad_verifies_our_cards_pin)
    {
        const struct reader_pin pin = {.min = 4, .max = 12, .timeout_s = 30, .language = 0x0409};
        enum reader_pin_end end;
        struct double_config c;
        uint16_t sw = 0;
        struct desk k;
        size_t n;

        double_defaults(&c, levels[_i]);
        c.keypad = c.display = true;
        sit_down(&k, &c);
        connect_card(&k);
        ck_assert(reader_features(k.r).pin_verify && reader_features(k.r).display);
        ck_ok(ask(&k, &select_pse, &sw, &n));
        {
            static const struct capdu select = {
                .ins = INS_SELECT,
                .p1 = 4,
                .data = {(const uint8_t *)"\xF0\x00\x00\x00\x14\x10\x10", 7},
                .le = 256};
            static const struct capdu gpo = {
                .cla = 0x80,
                .ins = 0xA8,
                .data = {(const uint8_t *)"\x83\x06\x20\x98\xC8\x02\x50\x35", 8},
                .le = 256};

            ck_ok(ask(&k, &select, &sw, &n));
            ck_assert_uint_eq(sw, 0x9000);
            ck_ok(ask(&k, &gpo, &sw, &n));
            ck_assert_uint_eq(sw, 0x9000);
        }
        usb_double_lock(k.usb);
        k.reader->typed = "4321";
        usb_double_unlock(k.usb);
        ck_ok(reader_verify_pin(k.r, &pin, &end, &sw, &k.e));
        ck_assert_int_eq(end, READER_PIN_SENT);
        ck_assert_uint_eq(sw, 0x63C2);
        usb_double_lock(k.usb);
        k.reader->typed = "cancel";
        usb_double_unlock(k.usb);
        ck_ok(reader_verify_pin(k.r, &pin, &end, &sw, &k.e));
        ck_assert_int_eq(end, READER_PIN_CANCELLED);
        usb_double_lock(k.usb);
        k.reader->typed = "1234";
        usb_double_unlock(k.usb);
        ck_ok(reader_verify_pin(k.r, &pin, &end, &sw, &k.e));
        ck_assert_uint_eq(sw, 0x9000);
        ck_ok(ask(&k, &pin_tries, &sw, &n));
        ck_assert_uint_eq(sw, 0x9000);
        leave(&k);
    }
END_TEST

static const struct {
    enum double_fault fault;
    enum tp_err rc;
    const char *says;
    bool lasts; /* the reader is of no more use */
} faults[] = {
    {DOUBLE_STALL_OUT, TP_ERR_NO_READER, "refused a message", false},
    {DOUBLE_STALL_IN, TP_ERR_NO_READER, "refused a message", false},
    {DOUBLE_SHORT_IN, TP_ERR_NO_READER, "cut short", false},
    {DOUBLE_STRAY_SEQ, TP_OK, "", false},
    {DOUBLE_WRONG_TYPE, TP_ERR_NO_READER, "another kind", false},
    {DOUBLE_TIME, TP_OK, "", false},
    {DOUBLE_WHOLE_PACKETS, TP_OK, "", false},
    {DOUBLE_UNPLUGGED, TP_ERR_NO_READER, "unplugged", true},
    {DOUBLE_CARD_OUT, TP_ERR_CARD, "taken out", true},
};
#define FAULTS (int)(sizeof(faults) / sizeof(faults[0]))

START_TEST(every_fault_at_each_level)
    {
        const enum double_level level = levels[_i % 3];
        struct double_config c;
        struct desk k;
        uint16_t sw = 0;
        size_t n = 0;

        double_defaults(&c, level);
        sit_down(&k, &c);
        connect_card(&k);
        usb_double_lock(k.usb);
        k.reader->fault = faults[_i / 3].fault;
        k.reader->fault_at = 1;
        usb_double_unlock(k.usb);
        ck_assert_msg(ask(&k, &select_pse, &sw, &n) == faults[_i / 3].rc, "fault %d: %s",
                      faults[_i / 3].fault, k.e.text);
        if (faults[_i / 3].rc != TP_OK)
            ck_assert_msg(strstr(k.e.text, faults[_i / 3].says) != NULL &&
                              strstr(k.e.text, "ACME") != NULL,
                          "%s", k.e.text);
        if (faults[_i / 3].lasts)
            ck_assert_int_ne(ask(&k, &select_pse, &sw, &n), TP_OK);
        reader_disconnect(k.r);
        if (!faults[_i / 3].lasts) { /* and the next one finds everything in order */
            ck_assert_msg(reader_wait_card(k.r, 0, &k.e) == TP_OK, "%s", k.e.text);
            ck_assert_msg(reader_connect(k.r, &k.e) == TP_OK, "%s", k.e.text);
            ck_assert_msg(ask(&k, &select_pse, &sw, &n) == TP_OK, "%s", k.e.text);
            ck_assert_uint_eq(sw, 0x9000);
        }
        leave(&k);
    }
END_TEST

START_TEST(a_reader_that_falls_silent_is_given_up)
    {
        struct double_config c;
        const int64_t before = time_monotonic_ms();
        struct desk k;
        uint16_t sw = 0;
        size_t n = 0;

        double_defaults(&c, DOUBLE_SHORT);
        sit_down(&k, &c);
        connect_card(&k);
        usb_double_lock(k.usb);
        k.reader->fault = DOUBLE_SILENT;
        k.reader->fault_at = 1;
        usb_double_unlock(k.usb);
        ck_assert_int_eq(ask(&k, &select_pse, &sw, &n), TP_ERR_NO_READER);
        ck_assert_ptr_nonnull(strstr(k.e.text, "does not answer"));
        ck_assert_int_lt(time_monotonic_ms() - before, 20000);
        ck_assert_uint_eq(k.reader->aborts, 101);
        ck_assert_msg(ask(&k, &select_pse, &sw, &n) == TP_OK, "%s", k.e.text);
        leave(&k);
    }
END_TEST

/* ---- plugs ---- */

struct later {
    struct desk *k;
    void (*act)(struct desk *k);
};

static void *act_later(void *ctx)
{
    const struct timespec pause = {0, 700000000L};
    const struct later *l = ctx;

    nanosleep(&pause, NULL);
    l->act(l->k);
    return NULL;
}

static void insert(struct desk *k)
{
    usb_double_lock(k->usb);
    double_insert(k->reader, true);
    usb_double_unlock(k->usb);
}

static void plug(struct desk *k)
{
    usb_double_plug(k->usb, 1, k->reader, "ACME", "PinReader 9");
}

START_TEST(a_card_or_a_reader_that_comes_while_one_waits)
    {
        struct double_config c;
        struct desk k;
        struct later l = {&k, _i < 2 ? insert : plug};
        int64_t before;
        pthread_t thread;

        double_defaults(&c, DOUBLE_SHORT);
        c.no_interrupt = _i == 1;
        sit_down(&k, &c);
        double_insert(k.reader, _i == 2);
        if (_i == 2)
            usb_double_unplug(k.usb, 1);
        open_reader(&k, "PinReader");
        ck_assert_int_eq(reader_wait_card(k.r, 0, &k.e),
                         _i == 2 ? TP_ERR_NO_READER : TP_ERR_NO_CARD);
        ck_assert_ptr_nonnull(strstr(k.e.text, _i == 2 ? "plug one in" : "insert it"));
        before = time_monotonic_ms();
        ck_assert_int_eq(reader_wait_card(k.r, 300, &k.e),
                         _i == 2 ? TP_ERR_NO_READER : TP_ERR_NO_CARD);
        ck_assert_int_ge(time_monotonic_ms() - before, 300);
        ck_assert_int_eq(pthread_create(&thread, NULL, act_later, &l), 0);
        before = time_monotonic_ms();
        ck_assert_msg(reader_wait_card(k.r, 10000, &k.e) == TP_OK, "%s", k.e.text);
        ck_assert_int_ge(time_monotonic_ms() - before, 600);
        ck_assert_int_lt(time_monotonic_ms() - before, 4000);
        pthread_join(thread, NULL);
        ck_assert_msg(reader_connect(k.r, &k.e) == TP_OK, "%s", k.e.text);
        leave(&k);
    }
END_TEST

START_TEST(several_readers_and_slots)
    {
        struct double_config c;
        struct ccid_double *second;
        struct reader_info *list = NULL;
        struct desk k;
        size_t n = 0;

        double_defaults(&c, DOUBLE_SHORT);
        sit_down(&k, &c);
        double_insert(k.reader, false);
        c.slots = 2;
        c.keypad = true;
        second = reader_of(&c, &k.app);
        usb_double_plug(k.usb, 2, second, "Other", "Twin");
        ck_assert_msg(ccid_list(&list, &n, &k.e) == TP_OK, "%s", k.e.text);
        ck_assert_uint_eq(n, 3);
        for (size_t i = 0; i < n; i++) {
            const bool twin = strstr(list[i].name, "Twin") != NULL;

            ck_assert_str_eq(list[i].driver, "CCID");
            ck_assert_str_eq(list[i].trouble, "");
            ck_assert_int_eq(list[i].card_present, strstr(list[i].name, "slot 1") != NULL);
            ck_assert_int_eq(list[i].can.keypad, twin);
            ck_assert_str_eq(list[i].can.level, "short APDU");
            ck_assert(list[i].can.t0 && list[i].can.t1);
        }
        free(list);
        open_reader(&k, NULL); /* the one that has a card wins */
        ck_assert_msg(reader_wait_card(k.r, 0, &k.e) == TP_OK, "%s", k.e.text);
        ck_assert_str_eq(reader_name(k.r), "Other Twin (USB 1-2) slot 1");
        ck_assert_uint_eq(usb_double_seen(k.usb, 1).claims,
                          usb_double_seen(k.usb, 1).releases); /* the others are left again */
        ck_assert_msg(reader_connect(k.r, &k.e) == TP_OK, "%s", k.e.text);
        reader_close(&k.r);
        open_reader(&k, "ACME"); /* unless another is named */
        ck_assert_int_eq(reader_wait_card(k.r, 0, &k.e), TP_ERR_NO_CARD);
        reader_close(&k.r);
        open_reader(&k, "Nobody");
        ck_assert_int_eq(reader_wait_card(k.r, 0, &k.e), TP_ERR_NO_READER);
        ck_assert_ptr_nonnull(strstr(k.e.text, "Nobody"));
        usb_double_unplug(k.usb, 2);
        free(second);
        leave(&k);
    }
END_TEST

START_TEST(why_a_reader_cannot_be_used)
    {
        struct double_config c;
        struct ccid_double *odd, *vendor;
        struct reader_info *list = NULL;
        struct desk k;
        size_t n = 0;

        double_defaults(&c, DOUBLE_SHORT);
        sit_down(&k, &c);
        c.level = DOUBLE_CHARACTER;
        odd = reader_of(&c, &k.app);
        usb_double_plug(k.usb, 2, odd, "Old", "Character");
        double_defaults(&c, DOUBLE_SHORT);
        c.vendor_class = true; /* of its maker's own class: looked at when it is known */
        c.vendor = 0x04E6;
        c.product = 0xE003;
        vendor = reader_of(&c, &k.app);
        usb_double_plug(k.usb, 3, vendor, "SCM", "SPR532");
        c.product = 0x0001;
        vendor->c.product = 0xE003;
        usb_double_hold(k.usb, 1, true);
        ck_ok(ccid_list(&list, &n, &k.e));
        ck_assert_uint_eq(n, 3);
        for (size_t i = 0; i < n; i++) {
            if (strstr(list[i].name, "ACME") != NULL) {
                ck_assert(list[i].in_use);
                ck_assert_str_eq(list[i].trouble, "held by another program");
                ck_assert_ptr_nonnull(strstr(list[i].remedy, "pcscd"));
            } else if (strstr(list[i].name, "Character") != NULL) {
                ck_assert_ptr_nonnull(strstr(list[i].trouble, "character level"));
                ck_assert_str_eq(list[i].remedy, "use another reader");
            } else {
                ck_assert_str_eq(list[i].name, "SCM SPR532 (USB 1-3)");
                ck_assert_str_eq(list[i].trouble, "");
            }
        }
        free(list);
        open_reader(&k, "ACME");
        ck_assert_int_eq(reader_wait_card(k.r, 0, &k.e), TP_ERR_STATE);
        ck_assert_ptr_nonnull(strstr(k.e.text, "held by another program"));
        usb_double_hold(k.usb, 1, false);
        ck_assert_msg(reader_wait_card(k.r, 0, &k.e) == TP_OK, "%s", k.e.text);
        reader_close(&k.r);
        open_reader(&k, "Character");
        ck_assert_int_eq(reader_wait_card(k.r, 0, &k.e), TP_ERR_NO_READER);
        ck_assert_ptr_nonnull(strstr(k.e.text, "character level"));
        usb_double_unplug(k.usb, 2);
        usb_double_unplug(k.usb, 3);
        free(odd);
        free(vendor);
        leave(&k);
    }
END_TEST

START_TEST(every_error_of_usb_has_words)
    {
        static const struct {
            int code;
            enum tp_err err;
            const char *trouble, *remedy;
        } met[] = {
            {LIBUSB_ERROR_ACCESS, TP_ERR_STATE, "this user may not open the reader",
             "70-telepay-readers.rules"}, /* met in ccid_pay.sh */
            {LIBUSB_ERROR_BUSY, TP_ERR_STATE, "held by another program", "pcscd"},
            {LIBUSB_ERROR_NO_DEVICE, TP_ERR_NO_READER, "the reader was unplugged", "plug it in"},
            {LIBUSB_ERROR_NOT_FOUND, TP_ERR_NO_READER, "the reader was unplugged", "plug it in"},
            {LIBUSB_ERROR_PIPE, TP_ERR_NO_READER, "the reader refused a message",
             "plug it in again"},
            {LIBUSB_ERROR_TIMEOUT, TP_ERR_TIMEOUT, "the reader does not answer in time", ""},
            {LIBUSB_ERROR_OVERFLOW, TP_ERR_NO_READER, "the reader sent more than it may",
             "plug it in again"},
            {LIBUSB_ERROR_NO_MEM, TP_ERR_NO_MEMORY, "out of memory", ""},
            {LIBUSB_ERROR_IO, TP_ERR_NO_READER,
             "the reader cannot be reached over USB (LIBUSB_ERROR_IO)", "plug it in again"},
        };

        for (size_t i = 0; i < sizeof(met) / sizeof(met[0]); i++) {
            struct reader_info info = {.name = ""};
            struct tp_error e;

            ck_assert_int_eq(ccid_usb_fail(&e, met[i].code), met[i].err);
            ccid_usb_trouble(&info, e.text);
            ck_assert_str_eq(info.trouble, met[i].trouble);
            ck_assert_ptr_nonnull(strstr(info.remedy, met[i].remedy));
        }
    }
END_TEST

START_TEST(no_reader_at_all)
    {
        struct reader_info *list = NULL;
        struct double_config c;
        struct desk k;
        size_t n = 7;

        double_defaults(&c, DOUBLE_SHORT);
        sit_down(&k, &c);
        usb_double_unplug(k.usb, 1);
        ck_assert_int_eq(ccid_list(&list, &n, &k.e), TP_ERR_NO_READER);
        ck_assert_ptr_nonnull(strstr(k.e.text, "plug one in"));
        ck_assert_uint_eq(n, 0);
        leave(&k);
    }
END_TEST

static Suite *suite(void)
{
    Suite *s = suite_create("ccid over usb");
    TCase *t = tcase_create("ccid over usb");

    tcase_set_timeout(t, 60);
    tcase_add_loop_test(t, our_card_at_each_level, 0, 6);
    tcase_add_loop_test(t, the_keypad_verifies_our_cards_pin, 0, 3);
    tcase_add_loop_test(t, every_fault_at_each_level, 0, 3 * FAULTS);
    tcase_add_test(t, a_reader_that_falls_silent_is_given_up);
    tcase_add_loop_test(t, a_card_or_a_reader_that_comes_while_one_waits, 0, 3);
    tcase_add_test(t, several_readers_and_slots);
    tcase_add_test(t, why_a_reader_cannot_be_used);
    tcase_add_test(t, every_error_of_usb_has_words);
    tcase_add_test(t, no_reader_at_all);
    suite_add_tcase(s, t);
    return s;
}

UNIT_MAIN(suite)
