/* Commands and responses: what parses is written again shorter or equal, and means the same. */
#include "fuzz.h"

#include "apdu/apdu.h"
#include "apdu/sw.h"

static void command(struct span raw)
{
    static uint8_t room[APDU_COMMAND_MAX];
    struct buf b = BUF_OF(room);
    struct capdu c, again;

    if (capdu_parse(&c, raw) != TP_OK)
        return;
    HOLDS(c.data.n == 0 || (c.data.p >= raw.p && c.data.p + c.data.n <= raw.p + raw.n));
    HOLDS(capdu_put(&b, &c) == TP_OK);
    HOLDS(b.n <= raw.n);
    HOLDS(capdu_parse(&again, buf_span(&b)) == TP_OK);
    HOLDS(again.cla == c.cla && again.ins == c.ins && again.p1 == c.p1 && again.p2 == c.p2 &&
          again.le == c.le);
    HOLDS(span_eq(again.data, c.data));
}

static void response(struct span raw)
{
    struct rapdu r;

    if (rapdu_parse(&r, raw) != TP_OK) {
        HOLDS(raw.n < 2 || raw.n > APDU_RESPONSE_MAX);
        return;
    }
    HOLDS(r.data.n == raw.n - 2);
    HOLDS(sw_text(r.sw) != NULL);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    command(span_of(data, size));
    response(span_of(data, size));
    return 0;
}
