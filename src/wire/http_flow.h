/* An answer whose bytes come while it is read: of a thread that has them, to the door that sends
 * them as its client takes them. A bounded room lies between the two. */
#ifndef TP_WIRE_HTTP_FLOW_H
#define TP_WIRE_HTTP_FLOW_H

#include "wire/http_call.h"

struct http_flow;

/* NULL: no memory. http_flow_drop, by whoever has the bytes; the answer holds it, too. */
struct http_flow *http_flow_new(size_t room);
void http_flow_drop(struct http_flow **f); /* ends it; NULL is fine */

/* Is the call's answer, in chunks, until it ends; once. */
void http_flow_answer(struct http_call *c, unsigned status, struct http_flow *f);

/* How many bytes there is room for; puts as many of them as there is room for, and says how many
 * these were. Any thread, as all here. */
size_t http_flow_room(struct http_flow *f);
size_t http_flow_put(struct http_flow *f, struct span bytes);
/* After what is in it nothing comes: the answer is whole. */
void http_flow_end(struct http_flow *f);
/* Nobody reads it any more. */
bool http_flow_is_left(struct http_flow *f);

#endif
