/* Readers on a USB of paper: umockdev gives libusb a /sys and a /dev of its own, and hands every
 * request to a device over to this file, which puts a ccid_double.h behind it: real libusb, real
 * descriptors and transfers, no hardware. The program must run under umockdev-wrapper. */
#ifndef TP_TESTS_USB_DOUBLE_H
#define TP_TESTS_USB_DOUBLE_H

#include "ccid_double.h"

#define USB_DEVICES_MAX 4

struct usb_double;

struct usb_seen {                                  /* what the computer did with a device */
    unsigned claims, releases, detaches, attaches; /* of the interface; of the kernel's driver */
    unsigned long transfers;                       /* bulk, both ways */
};

struct usb_double *usb_double_new(void);
void usb_double_free(struct usb_double **u);
const char *usb_double_root(const struct usb_double *u); /* the folder that holds /sys and /dev */

/* Plugs a reader in as device 1, 2 …; it is the caller's and outlives its being plugged in. Its
 * strings are maker and product. */
void usb_double_plug(struct usb_double *u, unsigned number, struct ccid_double *reader,
                     const char *maker, const char *product);
void usb_double_unplug(struct usb_double *u, unsigned number);

/* Only root may open its node from now on. */
void usb_double_forbid(const struct usb_double *u, unsigned number);

/* Another program has the interface. */
void usb_double_hold(struct usb_double *u, unsigned number, bool held);

/* Around whatever a test does to a reader that is plugged in: requests are answered by another
 * thread. */
void usb_double_lock(struct usb_double *u);
void usb_double_unlock(struct usb_double *u);
struct usb_seen usb_double_seen(struct usb_double *u, unsigned number);

#endif
