#include "drivers/usb_sysfs.h"

#include <dirent.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>

#define INTERFACE       4 /* bDescriptorType: USB 2.0, table 9-5 */
#define INTERFACE_CLASS 5 /* where bInterfaceClass stands in one */
#define DESCRIPTORS_MAX 4096

enum tp_err usb_descriptors_ccid(struct ccid_descriptor *d, struct span descriptors)
{
    bool reader = false;

    while (descriptors.n >= 2) {
        struct span one;

        if (descriptors.p[0] < 2 || span_take(&descriptors, descriptors.p[0], &one) != TP_OK)
            return TP_ERR_NOT_FOUND;
        if (one.p[1] == INTERFACE)
            reader = one.n > INTERFACE_CLASS && (one.p[INTERFACE_CLASS] == CCID_INTERFACE_CLASS ||
                                                 one.p[INTERFACE_CLASS] == CCID_VENDOR_CLASS);
        else if (reader && ccid_descriptor_parse(d, one) == TP_OK)
            return TP_OK;
    }
    return TP_ERR_NOT_FOUND;
}

static unsigned number(const char *root, const char *device, const char *name)
{
    char path[PATH_MAX];
    unsigned v = 0;
    FILE *f;

    if (snprintf(path, sizeof(path), "%s/%s/%s", root, device, name) >= (int)sizeof(path))
        return 0;
    f = fopen(path, "re");
    if (f == NULL)
        return 0;
    if (fscanf(f, "%u", &v) != 1)
        v = 0;
    fclose(f);
    return v;
}

static enum tp_err read_device(struct ccid_descriptor *d, const char *root, const char *device)
{
    uint8_t raw[DESCRIPTORS_MAX];
    char path[PATH_MAX];
    size_t n;
    FILE *f;

    if (snprintf(path, sizeof(path), "%s/%s/descriptors", root, device) >= (int)sizeof(path))
        return TP_ERR_NOT_FOUND;
    f = fopen(path, "re");
    if (f == NULL)
        return TP_ERR_NOT_FOUND;
    n = fread(raw, 1, sizeof(raw), f);
    fclose(f);
    return usb_descriptors_ccid(d, span_of(raw, n));
}

/* The folder of the device at that address of that bus. */
static bool find_device(char device[NAME_MAX + 1], const char *root, unsigned bus, unsigned address)
{
    DIR *dir = opendir(root);
    const struct dirent *entry;
    bool found = false;

    while (dir != NULL && !found && (entry = readdir(dir)) != NULL) {
        found = entry->d_name[0] != '.' && number(root, entry->d_name, "busnum") == bus &&
                number(root, entry->d_name, "devnum") == address;
        snprintf(device, NAME_MAX + 1, "%s", entry->d_name);
    }
    if (dir != NULL)
        closedir(dir);
    return found;
}

enum tp_err usb_sysfs_ccid(struct ccid_descriptor *d, const char *root, unsigned bus,
                           unsigned address)
{
    char device[NAME_MAX + 1];

    return find_device(device, root, bus, address) ? read_device(d, root, device)
                                                   : TP_ERR_NOT_FOUND;
}

void usb_sysfs_text(char *out, size_t cap, const char *root, unsigned bus, unsigned address,
                    const char *attribute)
{
    char device[NAME_MAX + 1], path[PATH_MAX];
    FILE *f = NULL;

    out[0] = '\0';
    if (find_device(device, root, bus, address) &&
        snprintf(path, sizeof(path), "%s/%s/%s", root, device, attribute) < (int)sizeof(path))
        f = fopen(path, "re");
    if (f == NULL)
        return;
    if (fgets(out, (int)cap, f) == NULL)
        out[0] = '\0';
    fclose(f);
    out[strcspn(out, "\n")] = '\0';
    for (char *p = out; *p != '\0'; p++)
        if (*p < ' ' || *p > '~')
            *p = '?';
}
