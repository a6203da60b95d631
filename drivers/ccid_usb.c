#include "drivers/ccid_usb.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/time.h>

#include "drivers/usb_sysfs.h"

#define WRITE_MS      5000
#define REQUEST_ABORT 0x01 /* CCID 1.1, 5.3.1 */
#define REQUEST_TYPE  0x21 /* to the interface, of its class */
#define REQUEST_MS    1000
#define NOTICE_MAX    64

struct notice { /* what the interrupt endpoint says; of its own, as it may outlive the reader that
                   is left */
    struct libusb_transfer *transfer;
    uint8_t bytes[NOTICE_MAX];
    bool flies, left, changed;
};

struct ccid_usb {
    libusb_context *usb;
    libusb_device_handle *handle;
    struct ccid_usb_found found; /* its device is not referenced here: the handle does */
    struct ccid_pipe pipe;
    struct notice *notice; /* NULL: no interrupt endpoint */
};

enum tp_err ccid_usb_fail(struct tp_error *e, int code)
{
    switch (code) {
    case LIBUSB_ERROR_ACCESS:
        return tp_fail(
            e, TP_ERR_STATE,
            "this user may not open the reader: install the udev rule 70-telepay-readers.rules of "
            "telepay (README, readers) and plug the reader in "
            "again, or log in at the machine itself");
    case LIBUSB_ERROR_BUSY:
        return tp_fail(e, TP_ERR_STATE,
                       "held by another program: where pcscd runs, the reader is used through it; "
                       "else close what uses the card (gpg's scdaemon, a browser) "
                       "and try again");
    case LIBUSB_ERROR_NO_DEVICE:
    case LIBUSB_ERROR_NOT_FOUND:
        return tp_fail(e, TP_ERR_NO_READER, "the reader was unplugged: plug it in and try again");
    case LIBUSB_ERROR_PIPE:
        return tp_fail(e, TP_ERR_NO_READER,
                       "the reader refused a message: unplug it, plug it in again");
    case LIBUSB_ERROR_TIMEOUT:
        return tp_fail(e, TP_ERR_TIMEOUT, "the reader does not answer in time");
    case LIBUSB_ERROR_OVERFLOW:
        return tp_fail(e, TP_ERR_NO_READER,
                       "the reader sent more than it may: unplug it, plug it in again");
    case LIBUSB_ERROR_NO_MEM:
        return tp_fail(e, TP_ERR_NO_MEMORY, "out of memory");
    default:
        return tp_fail(e, TP_ERR_NO_READER,
                       "the reader cannot be reached over USB (%s): unplug it, plug it in again",
                       libusb_error_name(code));
    }
}

enum tp_err ccid_usb_start(libusb_context **usb, struct tp_error *e)
{
    const int code = libusb_init(usb);

    if (code != 0)
        return tp_fail(e, TP_ERR_NO_READER, "USB cannot be used here (%s)",
                       libusb_error_name(code));
    return TP_OK;
}

/* ---- what there is ---- */

/* The class descriptor stands after the interface's, with some makers after that of an endpoint. */
static bool find_descriptor(struct ccid_descriptor *d, const uint8_t *p, int n)
{
    while (n >= 2 && p[0] >= 2 && p[0] <= n) {
        if (p[0] == CCID_DESCRIPTOR_SIZE && ccid_descriptor_parse(d, span_of(p, p[0])) == TP_OK)
            return true;
        n -= p[0];
        p += p[0];
    }
    return false;
}

static void take_endpoint(struct ccid_usb_found *f, const struct libusb_endpoint_descriptor *ep)
{
    const bool in = (ep->bEndpointAddress & LIBUSB_ENDPOINT_IN) != 0;
    const unsigned type = ep->bmAttributes & LIBUSB_TRANSFER_TYPE_MASK;

    f->endpoints++;
    if (type == LIBUSB_TRANSFER_TYPE_BULK && in)
        f->in = ep->bEndpointAddress;
    else if (type == LIBUSB_TRANSFER_TYPE_BULK)
        f->out = ep->bEndpointAddress;
    else if (type == LIBUSB_TRANSFER_TYPE_INTERRUPT && in)
        f->interrupt = ep->bEndpointAddress;
}

static bool take_interface(struct ccid_usb_found *f, const struct libusb_interface_descriptor *i)
{
    bool found;

    if (i->bInterfaceClass != CCID_INTERFACE_CLASS &&
        !(i->bInterfaceClass == CCID_VENDOR_CLASS &&
          ccid_vendor_class_known(f->vendor, f->product)))
        return false;
    f->interface = i->bInterfaceNumber;
    f->endpoints = 0;
    f->in = f->out = f->interrupt = 0;
    found = find_descriptor(&f->d, i->extra, i->extra_length);
    for (unsigned k = 0; k < i->bNumEndpoints; k++) {
        take_endpoint(f, &i->endpoint[k]);
        found = found || find_descriptor(&f->d, i->endpoint[k].extra, i->endpoint[k].extra_length);
    }
    if (f->in == 0 || f->out == 0)
        f->endpoints = 0; /* no bulk pipes: refused, whatever else there is */
    return found;
}

static size_t take_device(libusb_device *device, struct ccid_usb_found *found, size_t room)
{
    struct libusb_device_descriptor dd;
    struct libusb_config_descriptor *config = NULL;
    struct ccid_usb_found f = {.device = device};
    size_t n = 0;

    if (libusb_get_device_descriptor(device, &dd) != 0 ||
        libusb_get_active_config_descriptor(device, &config) != 0)
        return 0;
    f.bus = libusb_get_bus_number(device);
    f.address = libusb_get_device_address(device);
    f.configuration = config->bConfigurationValue;
    f.vendor = dd.idVendor;
    f.product = dd.idProduct;
    f.string_vendor = dd.iManufacturer;
    f.string_product = dd.iProduct;
    for (unsigned i = 0; i < config->bNumInterfaces && n < room; i++)
        if (config->interface[i].num_altsetting > 0 &&
            take_interface(&f, &config->interface[i].altsetting[0])) {
            libusb_ref_device(device);
            found[n++] = f;
        }
    libusb_free_config_descriptor(config);
    return n;
}

size_t ccid_usb_find(libusb_context *usb, struct ccid_usb_found found[CCID_USB_MAX])
{
    libusb_device **list = NULL;
    const ssize_t devices = libusb_get_device_list(usb, &list);
    size_t n = 0;

    for (ssize_t i = 0; i < devices; i++)
        n += take_device(list[i], found + n, CCID_USB_MAX - n);
    if (devices >= 0)
        libusb_free_device_list(list, 1);
    return n;
}

void ccid_usb_forget(struct ccid_usb_found *found, size_t n)
{
    for (size_t i = 0; i < n; i++)
        libusb_unref_device(found[i].device);
}

bool ccid_usb_same(const struct ccid_usb_found *a, const struct ccid_usb_found *b)
{
    return a->bus == b->bus && a->address == b->address && a->interface == b->interface;
}

/* ---- one of them ---- */

/* A string of the device, or what the kernel read of it where the device may not be opened. */
static void read_string(libusb_device_handle *handle, const struct ccid_usb_found *f, uint8_t index,
                        const char *attribute, char *out, size_t cap)
{
    out[0] = '\0';
    if (handle == NULL)
        usb_sysfs_text(out, cap, USB_SYSFS, f->bus, f->address, attribute);
    else if (index != 0 &&
             libusb_get_string_descriptor_ascii(handle, index, (unsigned char *)out, (int)cap) < 0)
        out[0] = '\0';
}

/* What its maker calls it, and where it is plugged in: two of a kind are told apart. */
static void read_name(libusb_device_handle *handle, const struct ccid_usb_found *f,
                      char name[READER_NAME_MAX])
{
    char vendor[48], product[48], words[100];

    read_string(handle, f, f->string_vendor, "manufacturer", vendor, sizeof(vendor));
    read_string(handle, f, f->string_product, "product", product, sizeof(product));
    if (product[0] == '\0')
        snprintf(words, sizeof(words), "%s%sreader %04X:%04X", vendor, vendor[0] != '\0' ? " " : "",
                 f->vendor, f->product);
    else
        snprintf(words, sizeof(words), "%s%s%s", vendor, vendor[0] != '\0' ? " " : "", product);
    if (f->interface != 0)
        snprintf(name, READER_NAME_MAX, "%s (USB %u-%u:%u)", words, f->bus, f->address,
                 f->interface);
    else
        snprintf(name, READER_NAME_MAX, "%s (USB %u-%u)", words, f->bus, f->address);
}

static enum tp_err pipe_write(void *ctx, struct span message, struct tp_error *e)
{
    struct ccid_usb *u = ctx;
    int done = 0;
    /* libusb does not change what it sends; its prototype has no const */
    const int code =
        libusb_bulk_transfer(u->handle, u->found.out, (unsigned char *)(uintptr_t)message.p,
                             (int)message.n, &done, WRITE_MS);

    if (code == LIBUSB_ERROR_PIPE)
        (void)libusb_clear_halt(u->handle, u->found.out);
    if (code == LIBUSB_ERROR_TIMEOUT)
        return tp_fail(e, TP_ERR_NO_READER,
                       "the reader takes no messages any more: unplug it, plug it in again");
    if (code == 0 && (size_t)done != message.n)
        return ccid_usb_fail(e, LIBUSB_ERROR_IO);
    return code == 0 ? TP_OK : ccid_usb_fail(e, code);
}

static enum tp_err pipe_read(void *ctx, struct buf *message, int timeout_ms, struct tp_error *e)
{
    struct ccid_usb *u = ctx;
    struct ccid_reply whole;
    int done = 0;
    const int code =
        libusb_bulk_transfer(u->handle, u->found.in, message->p + message->n,
                             (int)(message->cap - message->n), &done, (unsigned)timeout_ms);

    if (code == LIBUSB_ERROR_PIPE)
        (void)libusb_clear_halt(u->handle, u->found.in);
    /* a message of whole packets that no empty one follows: all of it is here, only its end was not
     * said */
    if (code == LIBUSB_ERROR_TIMEOUT &&
        (done == 0 ||
         ccid_message_parse(&whole, span_of(message->p + message->n, (size_t)done)) != TP_OK))
        return ccid_usb_fail(e, code);
    if (code != 0 && code != LIBUSB_ERROR_TIMEOUT)
        return ccid_usb_fail(e, code);
    message->n += (size_t)done;
    return TP_OK;
}

static enum tp_err pipe_abort(void *ctx, uint8_t slot, uint8_t seq)
{
    struct ccid_usb *u = ctx;
    const int code =
        libusb_control_transfer(u->handle, REQUEST_TYPE, REQUEST_ABORT, (uint16_t)(seq << 8 | slot),
                                u->found.interface, NULL, 0, REQUEST_MS);

    return code >= 0 ? TP_OK : TP_ERR_NO_READER;
}

static void drop_notice(struct notice *n)
{
    libusb_free_transfer(n->transfer);
    free(n);
}

/* Something on the interrupt endpoint: what it says is asked for again with GetSlotStatus, so that
 * nothing hangs on a lost notice. */
static void LIBUSB_CALL noticed(struct libusb_transfer *t)
{
    struct notice *n = t->user_data;

    n->flies = false;
    n->changed = true;
    if (n->left)
        drop_notice(n);
    else if (t->status ==
             LIBUSB_TRANSFER_COMPLETED) /* after a stall it is looked at as if it had none */
        n->flies = libusb_submit_transfer(t) == 0;
}

static void start_notices(struct ccid_usb *u)
{
    struct notice *n = u->found.interrupt != 0 ? calloc(1, sizeof(*n)) : NULL;

    if (n == NULL || (n->transfer = libusb_alloc_transfer(0)) == NULL) {
        free(n);
        return;
    }
    libusb_fill_interrupt_transfer(n->transfer, u->handle, u->found.interrupt, n->bytes,
                                   sizeof(n->bytes), noticed, n, 0);
    n->flies = libusb_submit_transfer(n->transfer) == 0;
    n->changed = true;
    u->notice = n;
}

/* A transfer comes back when it is cancelled; one that a host controller holds on to is left to its
 * callback, with all that it touches. */
static void stop_notices(struct ccid_usb *u)
{
    struct timeval tenth = {0, 100000};
    struct notice *n = u->notice;

    if (n == NULL)
        return;
    if (n->flies)
        (void)libusb_cancel_transfer(n->transfer);
    for (unsigned i = 0; n->flies && i < 20; i++)
        (void)libusb_handle_events_timeout_completed(u->usb, &tenth, NULL);
    n->left = true;
    if (!n->flies)
        drop_notice(n);
}

bool ccid_usb_changed(struct ccid_usb *u)
{
    const bool changed = u->notice == NULL || u->notice->changed || !u->notice->flies;

    if (u->notice != NULL)
        u->notice->changed = false;
    return changed;
}

const struct ccid_pipe *ccid_usb_pipe(struct ccid_usb *u)
{
    return &u->pipe;
}

void ccid_usb_close(struct ccid_usb **u)
{
    if (*u == NULL)
        return;
    stop_notices(*u);
    (void)libusb_release_interface((*u)->handle, (*u)->found.interface);
    libusb_close((*u)->handle);
    free(*u);
    *u = NULL;
}

enum tp_err ccid_usb_open(struct ccid_usb **out, libusb_context *usb,
                          const struct ccid_usb_found *f, char name[READER_NAME_MAX],
                          struct tp_error *e)
{
    struct ccid_usb *u = calloc(1, sizeof(*u));
    int code;

    read_name(NULL, f, name);
    if (u == NULL)
        return tp_fail(e, TP_ERR_NO_MEMORY, "out of memory");
    u->usb = usb;
    u->found = *f;
    u->pipe = (struct ccid_pipe){u, pipe_write, pipe_read, pipe_abort};
    code = libusb_open(f->device, &u->handle);
    if (code != 0) {
        free(u);
        return ccid_usb_fail(e, code);
    }
    read_name(u->handle, f, name);
    (void)libusb_set_auto_detach_kernel_driver(u->handle,
                                               1); /* and back when released; not on every system */
    code = libusb_claim_interface(u->handle, f->interface);
    if (code != 0) {
        libusb_close(u->handle);
        free(u);
        return ccid_usb_fail(e, code);
    }
    start_notices(u);
    *out = u;
    return TP_OK;
}

void ccid_usb_trouble(struct reader_info *info, const char *sentence)
{
    const char *colon = strstr(sentence, ": ");
    const size_t n = colon != NULL ? (size_t)(colon - sentence) : strlen(sentence);

    snprintf(info->trouble, sizeof(info->trouble), "%.*s", (int)n, sentence);
    snprintf(info->remedy, sizeof(info->remedy), "%s", colon != NULL ? colon + 2 : "");
}
