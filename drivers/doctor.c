#include "drivers/doctor.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/hex.h"
#include "base/text.h"
#include "drivers/pcsc_priv.h"
#include "drivers/readers.h"

#define GOOD N_("everything works: telepay can be used")

const char *doctor_link_name(enum doctor_link link)
{
    static const char *const names[DOCTOR_LINKS] = {
        [DOCTOR_LIBRARY] = "library",       [DOCTOR_SOCKET] = "socket",
        [DOCTOR_PERMISSION] = "permission", [DOCTOR_SERVICE] = "service",
        [DOCTOR_READER] = "reader",         [DOCTOR_CARD] = "card",
    };

    return names[link];
}

const char *doctor_state_name(enum doctor_state state)
{
    return state == DOCTOR_GOOD ? "good" : state == DOCTOR_BROKEN ? "broken" : "not reached";
}

static bool good(struct doctor *d, enum doctor_link link, const char *found)
{
    d->links[link].state = DOCTOR_GOOD;
    snprintf(d->links[link].found, sizeof(d->links[link].found), "%s", found);
    return true;
}

static bool broken(struct doctor *d, enum doctor_link link, const char *found, const char *advice)
{
    d->links[link].state = DOCTOR_BROKEN;
    snprintf(d->links[link].found, sizeof(d->links[link].found), "%s", found);
    snprintf(d->advice, sizeof(d->advice), "%s", advice);
    return false;
}

/* May this user connect, and does somebody listen? */
static bool look_permission(struct doctor *d)
{
    const int code = pcsc_socket_try();
    char found[DOCTOR_FOUND_MAX];

    if (code == 0)
        return good(d, DOCTOR_PERMISSION, "this user may connect to it");
    snprintf(found, sizeof(found), "%s: %s", pcsc_socket_path(), strerror(code));
    if (code == EACCES || code == EPERM)
        return broken(d, DOCTOR_PERMISSION, found, PCSC_KEEPS_OUT);
    return broken(d, DOCTOR_SERVICE, "nobody answers at the socket",
                  "pcscd has ended: start it again (sudo systemctl restart pcscd.socket pcscd)");
}

static bool look_socket(struct doctor *d)
{
    const char *path = pcsc_socket_path();
    char found[DOCTOR_FOUND_MAX];
    struct stat s;

    if (stat(path, &s) == 0 && S_ISSOCK(s.st_mode)) {
        snprintf(found, sizeof(found), "%s is there", path);
        return good(d, DOCTOR_SOCKET, found);
    }
    if (errno == EACCES)
        return look_permission(d); /* its folder is closed */
    snprintf(found, sizeof(found), "%s: no socket: pcscd is not running", path);
    return broken(
        d, DOCTOR_SOCKET, found,
        "install pcscd (sudo apt install pcscd) and start it (sudo systemctl start pcscd.socket)");
}

/* The service itself, and polkit behind it. */
static bool look_service(struct doctor *d)
{
    struct tp_error e = {0};
    struct pcsc p = {0};
    const enum tp_err r = pcsc_context(&p, &e);

    pcsc_context_drop(&p);
    if (r == TP_OK)
        return good(d, DOCTOR_SERVICE, "pcscd answers");
    if (r == TP_ERR_STATE)
        return broken(d, DOCTOR_PERMISSION,
                      "pcscd answers, but polkit does not let this user use it", e.text);
    return broken(d, DOCTOR_SERVICE, e.text,
                  "start pcscd again (sudo systemctl restart pcscd.socket pcscd)");
}

static bool look_readers(struct doctor *d)
{
    struct reader_info *list = NULL;
    char found[DOCTOR_FOUND_MAX], advice[DOCTOR_ADVICE_MAX];
    struct tp_error e = {0};
    size_t n = 0, usable = 0;
    const struct reader_info *bad = NULL, *first = NULL;

    if (readers_list(&list, &n, &e) != TP_OK)
        return broken(d, DOCTOR_READER, "none",
                      "plug a card reader in; if one is, install its driver (sudo apt install "
                      "libccid, or its maker's) and look at `sudo journalctl -u pcscd`");
    for (size_t i = 0; i < n; i++) {
        if (list[i].trouble[0] == '\0' || list[i].mute) /* a mute card is the card's fault */
            first = usable++ == 0 ? &list[i] : first;
        else if (bad == NULL)
            bad = &list[i];
    }
    if (usable == 0 && bad != NULL) {
        snprintf(found, sizeof(found), "%s: %s", bad->name, bad->trouble);
        snprintf(advice, sizeof(advice), "%s",
                 bad->remedy[0] != '\0' ? bad->remedy : "use another reader");
        (void)broken(d, DOCTOR_READER, found, advice);
    } else {
        snprintf(found, sizeof(found), "%zu that can be used, of %zu: %s%s", usable, n,
                 first != NULL ? first->name : "", usable > 1 ? " …" : "");
        (void)good(d, DOCTOR_READER, found);
    }
    free(list);
    return usable > 0;
}

static bool look_card(struct doctor *d, const char *wanted)
{
    struct reader *r = NULL;
    char found[DOCTOR_FOUND_MAX], atr[2 * READER_ATR_MAX + 1];
    struct tp_error e = {0};
    enum tp_err rc;

    if ((rc = readers_open(&r, wanted, &e)) == TP_OK && (rc = reader_wait_card(r, 0, &e)) == TP_OK)
        rc = reader_connect(r, &e);
    if (rc == TP_OK) {
        snprintf(found, sizeof(found), "in %s, answer to reset %s", reader_name(r),
                 hex_encode(atr, reader_atr(r)));
        (void)good(d, DOCTOR_CARD, found);
        snprintf(d->advice, sizeof(d->advice), "%s", _(GOOD));
    } else if (rc == TP_ERR_NO_READER) {
        (void)broken(d, DOCTOR_READER, e.text, "choose one that `telepay readers` lists");
    } else {
        (void)broken(d, DOCTOR_CARD, rc == TP_ERR_NO_CARD ? "none" : e.text,
                     rc == TP_ERR_NO_CARD ? "insert a card, chip first and chip up"
                     : rc == TP_ERR_STATE
                         ? "close what uses the card (a browser, a mail program, gpg)"
                         : "take the card out and insert it again, chip first and chip up; if that "
                           "does not help, try another card");
    }
    reader_close(&r);
    return rc == TP_OK;
}

/* Readers that a driver of ours reaches by itself need no service, and what is wrong with one is
 * not that there is none. */
static bool without_service(void)
{
    struct reader_info *list = NULL;
    bool found = false;
    size_t n = 0;

    if (readers_list(&list, &n, NULL) == TP_OK)
        for (size_t i = 0; i < n; i++)
            found = found || strcmp(list[i].driver, "PC/SC") != 0;
    free(list);
    return found;
}

bool doctor_look(struct doctor *d, const char *wanted)
{
    char found[DOCTOR_FOUND_MAX];

    memset(d, 0, sizeof(*d));
    snprintf(found, sizeof(found), "pcsc-lite %s", PCSCLITE_VERSION_NUMBER);
    (void)good(d, DOCTOR_LIBRARY, found);
    if (!(look_socket(d) && look_permission(d) && look_service(d)) && !without_service())
        return false;
    return look_readers(d) && look_card(d, wanted);
}
