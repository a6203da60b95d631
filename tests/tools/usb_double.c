#include "usb_double.h"

#include <errno.h>
#include <linux/usbdevice_fs.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <umockdev.h>
#include <unistd.h>

#define FLYING_MAX     16
#define IDLE_US        200 /* libusb asks again and again while it waits: not at full speed */
#define EP_OUT         0x01
#define EP_IN          0x82
#define EP_INTERRUPT   0x83
#define GET_DESCRIPTOR 6
#define STRING_TYPE    3

struct flight { /* a request that was accepted and not yet collected */
    UMockdevIoctlData *urb;
    const UMockdevIoctlClient *client; /* whose it is: several programs may have the device open */
    bool done;
};

struct device {
    struct usb_double *bus;
    struct ccid_double *reader; /* NULL: nothing plugged in */
    UMockdevIoctlBase *handler;
    char node[40], path[64], interface[80], maker[40], product[40];
    bool held;
    const UMockdevIoctlClient *owner; /* who claimed the interface */
    struct usb_seen seen;
    struct flight flying[FLYING_MAX];
    size_t n;
};

struct usb_double {
    UMockdevTestbed *testbed;
    char *root;
    pthread_mutex_t mutex;
    struct device devices[USB_DEVICES_MAX];
};

static _Noreturn void give_up(const char *what, const char *why)
{
    fprintf(stderr, "usb_double: %s: %s\n", what, why);
    abort();
}

static struct usbdevfs_urb *urb_of(UMockdevIoctlData *data)
{
    return (struct usbdevfs_urb *)(void *)data->data;
}

/* ---- requests that are done at once ---- */

/* Strings: 0 is the list of languages. UTF-16, low byte first. */
static size_t string_descriptor(const struct device *d, unsigned index, uint8_t out[128])
{
    const char *text = index == 1 ? d->maker : d->product;
    size_t n = strlen(text);

    out[1] = STRING_TYPE;
    if (index == 0) {
        out[0] = 4;
        out[2] = 0x09;
        out[3] = 0x04;
        return 4;
    }
    for (size_t i = 0; i < n; i++) {
        out[2 + 2 * i] = (uint8_t)text[i];
        out[3 + 2 * i] = 0;
    }
    out[0] = (uint8_t)(2 + 2 * n);
    return out[0];
}

static void control(struct device *d, struct usbdevfs_urb *urb, uint8_t *buffer)
{
    const size_t room = (size_t)(buffer[6] | buffer[7] << 8);
    uint8_t raw[128];
    size_t n;

    if (buffer[0] == 0x80 && buffer[1] == GET_DESCRIPTOR && buffer[3] == STRING_TYPE &&
        buffer[2] <= 2) {
        n = string_descriptor(d, buffer[2], raw);
        n = n < room ? n : room;
        memcpy(buffer + 8, raw, n);
        urb->actual_length = (int)n;
    } else if (buffer[0] == 0x21 && buffer[1] == 1) { /* ABORT */
        d->reader->aborts += 100;
    } else {
        urb->status = -EPIPE;
    }
}

/* Tries to get a request done; false: it waits on. */
static bool work(struct device *d, UMockdevIoctlData *data)
{
    struct usbdevfs_urb *urb = urb_of(data);
    uint8_t *buffer = urb->buffer;
    struct buf in = {buffer, 0, (size_t)urb->buffer_length};
    bool stalls = false;

    if (d->reader == NULL || d->reader->unplugged) {
        urb->status = -ESHUTDOWN;
        return true;
    }
    if (urb->type == USBDEVFS_URB_TYPE_CONTROL) {
        control(d, urb, buffer);
        return true;
    }
    if (urb->endpoint == EP_OUT) {
        d->seen.transfers++;
        if (!double_take(d->reader, span_of(buffer, in.cap)))
            urb->status = -EPIPE;
        else
            urb->actual_length = urb->buffer_length;
        return true;
    }
    if (urb->endpoint == EP_INTERRUPT) {
        if (!d->reader->noticed)
            return false;
        d->reader->noticed = false;
        urb->actual_length = 1 + (d->reader->c.slots + 3) / 4;
        memcpy(buffer, d->reader->notice, (size_t)urb->actual_length);
        return true;
    }
    if (!double_give(d->reader, &in, &stalls) && !stalls)
        return false;
    d->seen.transfers++;
    urb->status = stalls ? -EPIPE : 0;
    urb->actual_length = (int)in.n;
    return true;
}

/* ---- the calls of usbfs ---- */

static int submit(struct device *d, const UMockdevIoctlClient *client, UMockdevIoctlData *arg)
{
    UMockdevIoctlData *data, *buffer;
    struct usbdevfs_urb *urb;

    if (d->reader == NULL || d->reader->unplugged)
        return ENODEV;
    data = umockdev_ioctl_data_resolve(arg, 0, sizeof(struct usbdevfs_urb), NULL);
    if (data == NULL || d->n == FLYING_MAX)
        return EINVAL;
    urb = urb_of(data);
    buffer = umockdev_ioctl_data_resolve(data, offsetof(struct usbdevfs_urb, buffer),
                                         (gsize)urb->buffer_length, NULL);
    if (buffer != NULL)
        g_object_unref(buffer);
    urb->status = 0;
    urb->actual_length = 0;
    d->flying[d->n++] = (struct flight){data, client, false};
    return 0;
}

static int reap(struct device *d, const UMockdevIoctlClient *client, UMockdevIoctlData *arg)
{
    for (size_t i = 0; i < d->n; i++) {
        UMockdevIoctlData *data = d->flying[i].urb, *pointer;

        if (d->flying[i].client != client || (!d->flying[i].done && !work(d, data)))
            continue;
        pointer = umockdev_ioctl_data_resolve(arg, 0, sizeof(void *), NULL);
        (void)umockdev_ioctl_data_set_ptr(pointer, 0, data);
        g_object_unref(pointer);
        g_object_unref(data);
        d->n--;
        memmove(&d->flying[i], &d->flying[i + 1], (d->n - i) * sizeof(d->flying[0]));
        return 0;
    }
    return d->reader == NULL ? ENODEV : EAGAIN;
}

static int discard(struct device *d, const UMockdevIoctlClient *client, UMockdevIoctlData *arg)
{
    gulong address;

    memcpy(&address, arg->data, sizeof(address));
    for (size_t i = 0; i < d->n; i++)
        if (d->flying[i].client == client && d->flying[i].urb->client_addr == address &&
            !d->flying[i].done) {
            urb_of(d->flying[i].urb)->status = -ENOENT;
            d->flying[i].done = true;
            return 0;
        }
    return EINVAL;
}

static int capabilities(UMockdevIoctlData *arg)
{
    UMockdevIoctlData *data = umockdev_ioctl_data_resolve(arg, 0, sizeof(guint32), NULL);
    const guint32 caps = USBDEVFS_CAP_BULK_SCATTER_GATHER | USBDEVFS_CAP_BULK_CONTINUATION |
                         USBDEVFS_CAP_NO_PACKET_SIZE_LIM | USBDEVFS_CAP_REAP_AFTER_DISCONNECT |
                         USBDEVFS_CAP_ZERO_PACKET;

    memcpy(data->data, &caps, sizeof(caps));
    g_object_unref(data);
    return 0;
}

static int claim(struct device *d, const UMockdevIoctlClient *client)
{
    if (d->reader == NULL)
        return ENODEV;
    if (d->held || (d->owner != NULL && d->owner != client))
        return EBUSY;
    d->owner = client;
    d->seen.claims++;
    return 0;
}

static int call(struct device *d, const UMockdevIoctlClient *client, gulong request,
                UMockdevIoctlData *arg)
{
    switch (request) {
    case USBDEVFS_GET_CAPABILITIES:
        return capabilities(arg);
    case USBDEVFS_DISCONNECT_CLAIM:
        d->seen.detaches++;
        return claim(d, client);
    case USBDEVFS_CLAIMINTERFACE:
        return claim(d, client);
    case USBDEVFS_RELEASEINTERFACE:
        d->owner = NULL;
        d->seen.releases++;
        return 0;
    case USBDEVFS_IOCTL: /* the only one used: the kernel's driver may have it back */
        d->seen.attaches++;
        return 0;
    case USBDEVFS_CLEAR_HALT:
        return 0;
    case USBDEVFS_SUBMITURB:
        return submit(d, client, arg);
    case USBDEVFS_REAPURB:
    case USBDEVFS_REAPURBNDELAY:
        return reap(d, client, arg);
    case USBDEVFS_DISCARDURB:
        return discard(d, client, arg);
    default:
        return ENOTTY;
    }
}

static gboolean on_ioctl(UMockdevIoctlBase *handler, UMockdevIoctlClient *client, gpointer ctx)
{
    UMockdevIoctlData *arg = umockdev_ioctl_client_get_arg(client);
    struct device *d = ctx;
    int code;

    (void)handler;
    pthread_mutex_lock(&d->bus->mutex);
    code = call(d, client, umockdev_ioctl_client_get_request(client), arg);
    pthread_mutex_unlock(&d->bus->mutex);
    if (code == EAGAIN)
        usleep(IDLE_US);
    umockdev_ioctl_client_complete(client, code == 0 ? 0 : -1, code);
    return TRUE;
}

/* A program closed the device, or ended: what it had claimed or asked for is no longer its own. */
static void on_vanished(UMockdevIoctlBase *handler, UMockdevIoctlClient *client, gpointer ctx)
{
    struct device *d = ctx;

    (void)handler;
    pthread_mutex_lock(&d->bus->mutex);
    if (d->owner == client)
        d->owner = NULL;
    for (size_t i = d->n; i-- > 0;)
        if (d->flying[i].client == client) {
            g_object_unref(d->flying[i].urb);
            d->flying[i] = d->flying[--d->n];
        }
    pthread_mutex_unlock(&d->bus->mutex);
}

/* ---- plugs ---- */

struct usb_double *usb_double_new(void)
{
    struct usb_double *u = calloc(1, sizeof(*u));

    if (u == NULL)
        give_up("new", "out of memory");
    pthread_mutex_init(&u->mutex, NULL);
    u->testbed = umockdev_testbed_new();
    u->root = umockdev_testbed_get_root_dir(u->testbed);
    return u;
}

void usb_double_free(struct usb_double **u)
{
    for (unsigned i = 0; i < USB_DEVICES_MAX; i++) {
        struct device *d = &(*u)->devices[i];

        if (d->reader != NULL)
            usb_double_unplug(*u, i + 1);
        for (size_t k = 0; k < d->n; k++)
            g_object_unref(d->flying[k].urb);
        g_clear_object(&d->handler);
    }
    g_clear_object(&(*u)->testbed);
    pthread_mutex_destroy(&(*u)->mutex);
    g_free((*u)->root);
    free(*u);
    *u = NULL;
}

const char *usb_double_root(const struct usb_double *u)
{
    return u->root;
}

void usb_double_lock(struct usb_double *u)
{
    pthread_mutex_lock(&u->mutex);
}

void usb_double_unlock(struct usb_double *u)
{
    pthread_mutex_unlock(&u->mutex);
}

struct usb_seen usb_double_seen(struct usb_double *u, unsigned number)
{
    struct usb_seen seen;

    usb_double_lock(u);
    seen = u->devices[number - 1].seen;
    usb_double_unlock(u);
    return seen;
}

static void set_mode(const char *root, const char *folder, const char *name, mode_t mode)
{
    char path[200];

    snprintf(path, sizeof(path), "%s%s%s", root, folder, name);
    if (chmod(path, mode) != 0)
        give_up(path, strerror(errno));
}

/* What umockdev itself needs (its folder is mkdtemp's, and requests go over a socket) is opened to
 * all: only the node refuses. */
void usb_double_forbid(const struct usb_double *u, unsigned number)
{
    set_mode(u->root, "", "", 0777);
    set_mode(u->root, "/ioctl", u->devices[number - 1].node, 0777);
    set_mode(u->root, "", u->devices[number - 1].node, 0);
}

void usb_double_hold(struct usb_double *u, unsigned number, bool held)
{
    usb_double_lock(u);
    u->devices[number - 1].held = held;
    usb_double_unlock(u);
}

static size_t endpoint(uint8_t *p, uint8_t address, uint8_t type, uint8_t size)
{
    const uint8_t raw[7] = {7, 5, address, type, size, 0, 16};

    memcpy(p, raw, sizeof(raw));
    return sizeof(raw);
}

/* Device, configuration, interface, class and endpoint descriptors: USB 2.0, 9.6. */
static size_t descriptors(const struct double_config *c, uint8_t raw[160])
{
    const uint8_t device[18] = {18,
                                1,
                                0x00,
                                0x02,
                                0,
                                0,
                                0,
                                64,
                                (uint8_t)c->vendor,
                                (uint8_t)(c->vendor >> 8),
                                (uint8_t)c->product,
                                (uint8_t)(c->product >> 8),
                                0,
                                1,
                                1,
                                2,
                                0,
                                1};
    const uint8_t endpoints = c->no_interrupt ? 2 : 3;
    const uint8_t configuration[9] = {9,    2, (uint8_t)(9 + 9 + 54 + 7 * endpoints), 0, 1, 1, 0,
                                      0x80, 50};
    const uint8_t interface[9] = {9, 4, 0, 0, endpoints, c->vendor_class ? 0xFF : 0x0B, 0, 0, 0};
    size_t n = 0;

    memcpy(raw + n, device, sizeof(device));
    n += sizeof(device);
    memcpy(raw + n, configuration, sizeof(configuration));
    n += sizeof(configuration);
    memcpy(raw + n, interface, sizeof(interface));
    n += sizeof(interface);
    double_descriptor(c, raw + n);
    n += 54;
    n += endpoint(raw + n, EP_OUT, 2, 64);
    n += endpoint(raw + n, EP_IN, 2, 64);
    if (!c->no_interrupt)
        n += endpoint(raw + n, EP_INTERRUPT, 3, 8);
    return n;
}

void usb_double_plug(struct usb_double *u, unsigned number, struct ccid_double *reader,
                     const char *maker, const char *product)
{
    struct device *d = &u->devices[number - 1];
    uint8_t raw[160];
    char hex[400], text[1600];
    GError *error = NULL;
    size_t n = descriptors(&reader->c, raw);

    usb_double_lock(u);
    d->bus = u;
    d->reader = reader;
    memset(&d->seen, 0, sizeof(d->seen));
    usb_double_unlock(u);
    for (size_t i = 0; i < n; i++)
        snprintf(hex + 2 * i, 3, "%02x", raw[i]);
    snprintf(d->maker, sizeof(d->maker), "%s", maker);
    snprintf(d->product, sizeof(d->product), "%s", product);
    snprintf(d->node, sizeof(d->node), "/dev/bus/usb/001/%03u", number);
    snprintf(d->path, sizeof(d->path), "/sys/devices/usb%u", number);
    snprintf(d->interface, sizeof(d->interface), "/sys/devices/usb%u/%u-0:1.0", number, number);
    if (d->handler == NULL) {
        d->handler = umockdev_ioctl_base_new();
        g_signal_connect(d->handler, "handle-ioctl", G_CALLBACK(on_ioctl), d);
        g_signal_connect(d->handler, "client-vanished", G_CALLBACK(on_vanished), d);
    }
    if (!umockdev_testbed_attach_ioctl(u->testbed, d->node, d->handler, &error))
        give_up(d->node, error->message);
    snprintf(text, sizeof(text), /* the interface is for pcscd, which looks for that, and libccid,
                                    for the words of its maker */
             "P: /devices/usb%u\nN: bus/usb/001/%03u\nE: SUBSYSTEM=usb\nE: DRIVER=usb\nE: "
             "BUSNUM=001\nE: DEVNUM=%03u\nE: DEVNAME=%s\n"
             "E: DEVTYPE=usb_device\nA: busnum=1\\n\nA: devnum=%u\\n\nA: idVendor=%04x\\n\nA: "
             "idProduct=%04x\\n\nA: manufacturer=%s\\n\nA: product=%s\\n\n"
             "A: bConfigurationValue=1\\n\nA: speed=12\\n\nH: descriptors=%s\n\n"
             "P: /devices/usb%u/%u-0:1.0\nE: SUBSYSTEM=usb\nE: DEVTYPE=usb_interface\nA: "
             "bInterfaceNumber=00\\n\nA: bInterfaceClass=%s\\n\n",
             number, number, number, d->node, number, reader->c.vendor, reader->c.product, maker,
             product, hex, number, number, reader->c.vendor_class ? "ff" : "0b");
    if (!umockdev_testbed_add_from_string(u->testbed, text, &error))
        give_up(d->path, error->message);
}

void usb_double_unplug(struct usb_double *u, unsigned number)
{
    struct device *d = &u->devices[number - 1];

    usb_double_lock(u);
    d->reader = NULL;
    usb_double_unlock(u);
    for (unsigned i = 0; i < 2; i++) {
        const char *path = i == 0 ? d->interface : d->path;

        umockdev_testbed_uevent(u->testbed, path, "remove");
        umockdev_testbed_remove_device(u->testbed, path);
    }
    (void)umockdev_testbed_detach_ioctl(u->testbed, d->node, NULL);
}
