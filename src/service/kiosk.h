/* What is sold by duration: files that are sent at the speed at which they are heard, as long as
 * somebody takes them. One thread sends them all. */
#ifndef TP_SERVICE_KIOSK_H
#define TP_SERVICE_KIOSK_H

#include "wire/http_call.h"

struct kiosk;

TP_MUST_CHECK enum tp_err kiosk_open(struct kiosk **out, struct tp_error *e);
void kiosk_close(struct kiosk **k); /* ends what is being sent; NULL is fine */

/* The call's answer is the file, of so many bytes a second (0: as fast as they are taken), from
 * its beginning to its end. fd is the kiosk's. */
void kiosk_play(struct kiosk *k, struct http_call *call, const char *type, int fd, int64_t rate);

#endif
