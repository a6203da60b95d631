/* A reader's class descriptor where the kernel shows it. The descriptors are composed as
 * USB 2.0, 9.5 and 9.6, has them: device 18 bytes, configuration 9, interface 9, the class
 * descriptor of test_ccid_descriptor.c (CCID 1.1, 5.1) behind its interface, endpoints 7. */
#include "unit.h"

#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "drivers/usb_sysfs.h"

#define DEVICE   "12010002 00000008 E608 3434 0001 01 02 03 01"
#define CONFIG   "09025D000201000032"
#define KEYBOARD "0904000001030101 00 092111010001223F00 07058103080001"
#define READER   "0904010003 0B000000"
#define CLASS                                                                                      \
    "36211001 01 07 03000000 A00F0000 401F0000 02 002A0000 80250100 35 FE000000 05000000 "         \
    "06000000 BA040100 0F010000 61 62 1002 03 04"
#define ENDPOINT "07050102400000"

static char root[] = "/tmp/usb_sysfs-XXXXXX";

static void put(const char *device, const char *name, const void *p, size_t n)
{
    char path[200];
    FILE *f;

    snprintf(path, sizeof(path), "%s/%s", root, device);
    (void)mkdir(path, 0700);
    snprintf(path, sizeof(path), "%s/%s/%s", root, device, name);
    f = fopen(path, "w");
    ck_assert_ptr_nonnull(f);
    ck_assert_uint_eq(fwrite(p, 1, n, f), n);
    fclose(f);
}

START_TEST(found_by_bus_and_address)
    {
        UNHEX(reader, DEVICE CONFIG KEYBOARD READER CLASS ENDPOINT);
        UNHEX(keyboard, DEVICE CONFIG KEYBOARD);
        struct ccid_descriptor d;
        char command[220], text[40];

        ck_assert_ptr_nonnull(mkdtemp(root));
        put("1-1", "busnum", "1\n", 2);
        put("1-1", "devnum", "7\n", 2);
        put("1-1", "descriptors", keyboard.p, keyboard.n);
        put("2-1", "busnum", "2\n", 2);
        put("2-1", "devnum", "7\n", 2);
        put("2-1", "descriptors", reader.p, reader.n);
        put("2-1:1.0", "bInterfaceClass", "0b\n", 3); /* an interface: no device */
        ck_ok(usb_sysfs_ccid(&d, root, 2, 7));
        ck_assert(d.protocols == 3 && d.clock_max == 8000 && d.rate_max == 75136 &&
                  d.level == CCID_TPDU);
        put("2-1", "product", "Pin\x1B[31m\xC3\xA9 9\n", 12);
        usb_sysfs_text(text, sizeof(text), root, 2, 7, "product");
        ck_assert_str_eq(text, "Pin?[31m?? 9");
        usb_sysfs_text(text, 4, root, 2, 7, "product");
        ck_assert_str_eq(text, "Pin");
        usb_sysfs_text(text, sizeof(text), root, 2, 7, "manufacturer");
        ck_assert_str_eq(text, "");
        usb_sysfs_text(text, sizeof(text), root, 2, 8, "product");
        ck_assert_str_eq(text, "");
        ck_assert_int_eq(usb_sysfs_ccid(&d, root, 1, 7), TP_ERR_NOT_FOUND);
        ck_assert_int_eq(usb_sysfs_ccid(&d, root, 2, 8), TP_ERR_NOT_FOUND);
        ck_assert_int_eq(usb_sysfs_ccid(&d, "/nowhere", 2, 7), TP_ERR_NOT_FOUND);
        snprintf(command, sizeof(command), "rm -r %s", root);
        ck_assert_int_eq(system(command), 0);
    }
END_TEST

/* The same type 21 behind a keyboard's interface is HID's; what breaks off is nothing. */
START_TEST(among_descriptors)
    {
        UNHEX(hid, DEVICE CONFIG "090400000103010100" CLASS);
        UNHEX(vendor, DEVICE CONFIG "0904000003FF000000" CLASS);
        UNHEX(broken, DEVICE CONFIG READER "3621");
        UNHEX(zero, DEVICE CONFIG "0000" READER CLASS);
        struct ccid_descriptor d;

        ck_assert_int_eq(usb_descriptors_ccid(&d, hid), TP_ERR_NOT_FOUND);
        ck_ok(usb_descriptors_ccid(&d, vendor));
        ck_assert_int_eq(usb_descriptors_ccid(&d, broken), TP_ERR_NOT_FOUND);
        ck_assert_int_eq(usb_descriptors_ccid(&d, zero), TP_ERR_NOT_FOUND);
        ck_assert_int_eq(usb_descriptors_ccid(&d, (struct span){NULL, 0}), TP_ERR_NOT_FOUND);
    }
END_TEST

static Suite *suite(void)
{
    Suite *s = suite_create("usb_sysfs");
    TCase *t = tcase_create("usb_sysfs");

    tcase_add_test(t, found_by_bus_and_address);
    tcase_add_test(t, among_descriptors);
    suite_add_tcase(s, t);
    return s;
}

UNIT_MAIN(suite)
