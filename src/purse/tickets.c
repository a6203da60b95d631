#include "purse/tickets.h"

#include <openssl/rand.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "base/secret.h"

struct one {
    char text[TICKET]; /* "": used, or never given */
    struct ticket_holder holder;
    time_t until;
};

struct tickets {
    pthread_mutex_t lock;
    size_t next;
    struct one one[TICKETS_MAX];
};

enum tp_err tickets_new(struct tickets **out, struct tp_error *e)
{
    struct tickets *t = calloc(1, sizeof(*t));

    *out = t;
    if (t != NULL && pthread_mutex_init(&t->lock, NULL) == 0)
        return TP_OK;
    free(t);
    *out = NULL;
    return tp_fail(e, TP_ERR_NO_MEMORY, "out of memory");
}

void tickets_free(struct tickets **t)
{
    if (*t != NULL)
        pthread_mutex_destroy(&(*t)->lock);
    free(*t);
    *t = NULL;
}

/* That of the account, else the one that has been there longest. */
static struct one *room_for(struct tickets *t, const char *account)
{
    struct one *oldest = &t->one[t->next];

    for (size_t i = 0; i < TICKETS_MAX; i++)
        if (strcmp(t->one[i].holder.account, account) == 0)
            return &t->one[i];
    t->next = (t->next + 1) % TICKETS_MAX;
    return oldest;
}

enum tp_err tickets_give(struct tickets *t, char out[TICKET], const struct ticket_holder *holder,
                         time_t now, struct tp_error *e)
{
    uint8_t bytes[TICKET_BYTES];
    struct one *one;

    if (RAND_bytes(bytes, sizeof(bytes)) != 1)
        return tp_fail(e, TP_ERR_INTERNAL, "no random numbers");
    base64url_encode(out, SPAN_OF(bytes));
    (void)pthread_mutex_lock(&t->lock);
    one = room_for(t, holder->account);
    memcpy(one->text, out, TICKET);
    one->holder = *holder;
    one->until = now + TICKET_SECONDS;
    (void)pthread_mutex_unlock(&t->lock);
    return TP_OK;
}

bool tickets_take(struct tickets *t, struct ticket_holder *out, const char *ticket, time_t now)
{
    bool good = false;

    if (strlen(ticket) != TICKET - 1)
        return false;
    (void)pthread_mutex_lock(&t->lock);
    for (size_t i = 0; i < TICKETS_MAX; i++) {
        struct one *one = &t->one[i];

        if (!secret_eq(span_of(one->text, TICKET - 1), span_of(ticket, TICKET - 1)))
            continue;
        good = one->until > now;
        *out = one->holder;
        *one = (struct one){.until = 0};
    }
    (void)pthread_mutex_unlock(&t->lock);
    return good;
}
