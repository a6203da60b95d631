/* What the kernel shows of a USB reader's descriptors, without opening the device: sysfs,
 * <root>/<device>/{busnum,devnum,descriptors,manufacturer,product}. */
#ifndef TP_DRIVERS_USB_SYSFS_H
#define TP_DRIVERS_USB_SYSFS_H

#include "drivers/ccid_descriptor.h"

#define USB_SYSFS "/sys/bus/usb/devices"

/* The class descriptor of the CCID interface of the device at that address of that bus.
 * TP_ERR_NOT_FOUND: no such device, or none of its interfaces is a card reader's. */
TP_MUST_CHECK enum tp_err usb_sysfs_ccid(struct ccid_descriptor *d, const char *root, unsigned bus,
                                         unsigned address);

/* The same among descriptors as a device gives them: device, configuration, interfaces, each with
 * its length and type in front (USB 2.0, 9.5). */
TP_MUST_CHECK enum tp_err usb_descriptors_ccid(struct ccid_descriptor *d, struct span descriptors);

/* A line of text that the kernel has of the device ("product"), as ASCII, cut to cap; "" when there
 * is none. */
void usb_sysfs_text(char *out, size_t cap, const char *root, unsigned bus, unsigned address,
                    const char *attribute);

#endif
