#include "drivers/usb_sysfs.h"

#include <dirent.h>
#include <limits.h>
#include <stdio.h>

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
            reader = one.n > INTERFACE_CLASS && (one.p[INTERFACE_CLASS] == CCID_INTERFACE_CLASS || one.p[INTERFACE_CLASS] == CCID_VENDOR_CLASS);
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

enum tp_err usb_sysfs_ccid(struct ccid_descriptor *d, const char *root, unsigned bus, unsigned address)
{
    DIR *dir = opendir(root);
    enum tp_err rc = TP_ERR_NOT_FOUND;
    const struct dirent *entry;

    while (dir != NULL && rc != TP_OK && (entry = readdir(dir)) != NULL)
        if (entry->d_name[0] != '.' && number(root, entry->d_name, "busnum") == bus && number(root, entry->d_name, "devnum") == address)
            rc = read_device(d, root, entry->d_name);
    if (dir != NULL)
        closedir(dir);
    return rc;
}
