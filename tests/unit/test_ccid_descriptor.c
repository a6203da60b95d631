/* The class descriptors of 691 real readers (tests/data/ccid-readers.json). The totals are those of
 * the list's own publication; what is refused was counted by a script of a few lines in another
 * language over the same file. One descriptor is read field by field by hand. */
#include "unit.h"

#include <jansson.h>
#include <stdio.h>

#include "drivers/ccid_descriptor.h"

static json_t *readers(void)
{
    char path[1024];
    json_error_t error;
    json_t *root, *list;

    snprintf(path, sizeof(path), "%s/data/ccid-readers.json", getenv("TESTS_SRCDIR"));
    root = json_load_file(path, 0, &error);
    ck_assert_msg(root != NULL, "%s: %s", path, error.text);
    list = json_incref(json_object_get(root, "readers"));
    json_decref(root);
    ck_assert(json_is_array(list));
    return list;
}

static const char *text(const json_t *reader, const char *key)
{
    return json_string_value(json_object_get(reader, key));
}

static void parse(struct ccid_descriptor *d, const json_t *reader)
{
    uint8_t raw[CCID_DESCRIPTOR_SIZE];
    struct buf b = BUF_OF(raw);

    ck_ok(hex_decode(&b, text(reader, "class_descriptor")));
    ck_assert_msg(ccid_descriptor_parse(d, buf_span(&b)) == TP_OK, "%s", text(reader, "model"));
}

START_TEST(all_real_readers_are_classified)
    {
        json_t *list = readers(), *reader;
        unsigned level[4] = {0}, pin = 0, refused = 0, vendor = 0, display = 0;
        size_t i;

        json_array_foreach(list, i, reader)
        {
            const unsigned endpoints =
                (unsigned)json_integer_value(json_object_get(reader, "endpoints"));
            struct ccid_descriptor d;
            const char *why;

            parse(&d, reader);
            level[d.level]++;
            pin += d.pin_verify || d.pin_modify;
            display += d.lcd_lines > 0 && d.lcd_columns > 0;
            why = ccid_descriptor_refusal(&d, endpoints);
            refused += why != NULL;
            if (d.level == CCID_CHARACTER)
                ck_assert_ptr_nonnull(strstr(why, "character level"));
            else if (endpoints < 2)
                ck_assert_ptr_nonnull(strstr(why, "control pipe"));
            if (strtol(text(reader, "interface_class"), NULL, 16) == CCID_VENDOR_CLASS) {
                vendor++;
                ck_assert(ccid_vendor_class_known(
                    (uint16_t)strtol(text(reader, "vendor_id"), NULL, 16),
                    (uint16_t)strtol(text(reader, "product_id"), NULL, 16)));
            }
        }
        ck_assert_uint_eq(i, 691);
        ck_assert_uint_eq(level[CCID_EXTENDED_APDU], 266);
        ck_assert_uint_eq(level[CCID_SHORT_APDU], 167);
        ck_assert_uint_eq(level[CCID_TPDU], 252);
        ck_assert_uint_eq(level[CCID_CHARACTER], 6);
        ck_assert_uint_eq(pin, 95);
        ck_assert_uint_eq(display, 29);
        ck_assert_uint_eq(
            refused,
            15); /* 6 of character level; 8 more without bulk endpoints; 1 more without protocol */
        ck_assert_uint_eq(vendor, 24);
        ck_assert_uint_eq(ccid_vendor_class_count(), vendor);
        json_decref(list);
    }
END_TEST

/* A descriptor in which every field has a value of its own: CCID 1.1, table 5.1-1. */
START_TEST(each_field_is_where_the_standard_has_it)
    {
        UNHEX(raw, "3621 1001 01 07 03000000 A00F0000 401F0000 02 002A0000 80250100 35 FE000000 "
                   "05000000 06000000 BA040100 0F010000 61 62 1002 03 04");
        struct ccid_descriptor d;

        ck_ok(ccid_descriptor_parse(&d, raw));
        ck_assert_uint_eq(d.version, 0x0110);
        ck_assert_uint_eq(d.slots, 2);
        ck_assert_uint_eq(d.voltages, CCID_5V | CCID_3V | CCID_1V8);
        ck_assert_uint_eq(d.protocols, 3);
        ck_assert_uint_eq(d.clock_default, 4000);
        ck_assert_uint_eq(d.clock_max, 8000);
        ck_assert_uint_eq(d.clocks, 2);
        ck_assert_uint_eq(d.rate_default, 10752);
        ck_assert_uint_eq(d.rate_max, 75136);
        ck_assert_uint_eq(d.rates, 0x35);
        ck_assert_uint_eq(d.max_ifsd, 254);
        ck_assert_uint_eq(d.synchronous, 5);
        ck_assert_uint_eq(d.mechanical, 6);
        ck_assert_uint_eq(d.features, 0x000104BA);
        ck_assert_int_eq(d.level, CCID_TPDU);
        ck_assert(d.features & CCID_AUTO_VOLTAGE && d.features & CCID_AUTO_PPS &&
                  d.features & CCID_AUTO_IFSD && !(d.features & CCID_AUTO_NEGOTIATION));
        ck_assert_uint_eq(d.max_message, 271);
        ck_assert_uint_eq(d.class_get_response, 0x61);
        ck_assert_uint_eq(d.class_envelope, 0x62);
        ck_assert_uint_eq(d.lcd_lines, 2); /* wLcdLayout 0210: two lines of sixteen */
        ck_assert_uint_eq(d.lcd_columns, 16);
        ck_assert(d.pin_verify && d.pin_modify);
        ck_assert_uint_eq(d.busy_slots, 4);
        ck_assert_ptr_null(ccid_descriptor_refusal(&d, 3));
        ck_assert_ptr_null(
            ccid_descriptor_refusal(&d, 2)); /* the interrupt endpoint may be missing */
    }
END_TEST

START_TEST(what_is_no_descriptor_is_refused)
    {
        uint8_t raw[CCID_DESCRIPTOR_SIZE + 1] = {CCID_DESCRIPTOR_SIZE, CCID_DESCRIPTOR_TYPE};
        struct ccid_descriptor d;

        ck_ok(ccid_descriptor_parse(&d, span_of(raw, CCID_DESCRIPTOR_SIZE)));
        ck_assert_int_eq(ccid_descriptor_parse(&d, span_of(raw, CCID_DESCRIPTOR_SIZE - 1)),
                         TP_ERR_FORMAT);
        ck_assert_int_eq(ccid_descriptor_parse(&d, span_of(raw, sizeof(raw))), TP_ERR_FORMAT);
        ck_assert_int_eq(ccid_descriptor_parse(&d, span_of(NULL, 0)), TP_ERR_FORMAT);
        raw[1] = 0x24;
        ck_assert_int_eq(ccid_descriptor_parse(&d, span_of(raw, CCID_DESCRIPTOR_SIZE)),
                         TP_ERR_FORMAT);
        raw[1] = CCID_DESCRIPTOR_TYPE;
        raw[0] = 53;
        ck_assert_int_eq(ccid_descriptor_parse(&d, span_of(raw, CCID_DESCRIPTOR_SIZE)),
                         TP_ERR_FORMAT);
    }
END_TEST

START_TEST(the_vendor_list_is_in_order)
    {
        for (size_t i = 1; i < ccid_vendor_class_count(); i++) {
            const struct ccid_usb_id a = ccid_vendor_class_at(i - 1), b = ccid_vendor_class_at(i);

            ck_assert(a.vendor < b.vendor || (a.vendor == b.vendor && a.product < b.product));
        }
        ck_assert(!ccid_vendor_class_known(0x04E6, 0x0001));
    }
END_TEST

/* Whom the driver knows, the udev rules let in. */
START_TEST(the_udev_rules_name_the_same_readers)
    {
        char path[1024], line[256];
        unsigned lines = 0;
        FILE *f;

        snprintf(path, sizeof(path), "%s/70-telepay-readers.rules", getenv("TELEPAY_DATADIR"));
        f = fopen(path, "r");
        ck_assert_msg(f != NULL, "%s", path);
        while (fgets(line, sizeof(line), f) != NULL) {
            unsigned vendor, product;

            if (sscanf(line, "ATTR{idVendor}==\"%4x\", ATTR{idProduct}==\"%4x\"", &vendor,
                       &product) == 2) {
                ck_assert(ccid_vendor_class_known((uint16_t)vendor, (uint16_t)product));
                ck_assert_ptr_nonnull(strstr(line, "TAG+=\"uaccess\""));
                lines++;
            }
        }
        fclose(f);
        ck_assert_uint_eq(lines, ccid_vendor_class_count());
    }
END_TEST

static Suite *suite(void)
{
    Suite *s = suite_create("ccid descriptor");
    TCase *t = tcase_create("ccid descriptor");

    tcase_add_test(t, all_real_readers_are_classified);
    tcase_add_test(t, each_field_is_where_the_standard_has_it);
    tcase_add_test(t, what_is_no_descriptor_is_refused);
    tcase_add_test(t, the_vendor_list_is_in_order);
    tcase_add_test(t, the_udev_rules_name_the_same_readers);
    suite_add_tcase(s, t);
    return s;
}

UNIT_MAIN(suite)
