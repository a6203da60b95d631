/* CCID readers on USB through libusb: which there are, and the pipe to one. Inside the CCID driver.
 */
#ifndef TP_DRIVERS_CCID_USB_H
#define TP_DRIVERS_CCID_USB_H

#include <libusb.h>

#include "drivers/ccid_slot.h"

#define CCID_USB_MAX 32 /* readers looked at */

struct ccid_usb_found {    /* an interface that is, or may be, a reader's */
    libusb_device *device; /* referenced */
    uint8_t bus, address, interface, configuration;
    uint16_t vendor, product;
    uint8_t string_vendor, string_product; /* indexes of string descriptors; 0: none */
    struct ccid_descriptor d;
    unsigned endpoints;
    uint8_t in, out, interrupt; /* addresses; interrupt 0: none */
};

struct ccid_usb; /* one of them, opened and claimed */

/* A library context. TP_ERR_NO_READER where USB cannot be used at all. libusb_exit ends it. */
TP_MUST_CHECK enum tp_err ccid_usb_start(libusb_context **usb, struct tp_error *e);

/* Every interface of class 0B, or of the vendor's own class and known (ccid_vendor_class_known),
 * that has a class descriptor. Returns how many (at most CCID_USB_MAX). */
size_t ccid_usb_find(libusb_context *usb, struct ccid_usb_found found[CCID_USB_MAX]);
void ccid_usb_forget(struct ccid_usb_found *found, size_t n);
bool ccid_usb_same(const struct ccid_usb_found *a, const struct ccid_usb_found *b);

/* Opens the device, takes the interface from the kernel's driver if that has it. The name is the
 * reader's own words, or its numbers where they cannot be read. TP_ERR_STATE (permission; held by
 * another program), TP_ERR_NO_READER. name is filled in any case. */
TP_MUST_CHECK enum tp_err ccid_usb_open(struct ccid_usb **out, libusb_context *usb,
                                        const struct ccid_usb_found *f, char name[READER_NAME_MAX],
                                        struct tp_error *e);

/* Gives the interface back, to the kernel's driver too. */
void ccid_usb_close(struct ccid_usb **u);

const struct ccid_pipe *ccid_usb_pipe(struct ccid_usb *u);

/* Whether the reader said on its interrupt endpoint that something changed, since it was last
 * asked; always true for a reader that has none. */
bool ccid_usb_changed(struct ccid_usb *u);

/* What a code of libusb means at the desk: fills *e and returns its tp_err. */
enum tp_err ccid_usb_fail(struct tp_error *e, int code);

/* A sentence of this driver ("what: what to do") as the two columns of a list. */
void ccid_usb_trouble(struct reader_info *info, const char *sentence);

#endif
