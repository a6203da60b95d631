/* Documents of the télécollecte: the reader of remises and that of answers take any bytes, and say
 * the same of the same ones, however they are cut. */
#include "fuzz.h"

#include <string.h>

#include "base/file.h"
#include "wire/caaa.h"

struct input {
    struct span rest;
    size_t step;
};

static enum tp_err get(void *ctx, uint8_t *out, size_t cap, size_t *n)
{
    struct input *in = ctx;
    size_t take = in->rest.n < in->step ? in->rest.n : in->step;
    struct span piece;

    if (take > cap)
        take = cap;
    HOLDS(span_take(&in->rest, take, &piece) == TP_OK);
    if (take > 0)
        memcpy(out, piece.p, take);
    *n = take;
    return TP_OK;
}

static enum tp_err on_remise(void *ctx, const struct caaa_remise *remise, struct tp_error *e)
{
    (void)ctx;
    (void)e;
    HOLDS(remise->currency != NULL && remise->number > 0 && remise->contract[0] != '\0');
    return TP_OK;
}

static enum tp_err on_item(void *ctx, const struct caaa_item *item, const char *fault,
                           struct tp_error *e)
{
    uint32_t *next = ctx;

    (void)fault;
    (void)e;
    HOLDS(item->sequence == ++*next && item->amount >= 0);
    return TP_OK;
}

static enum tp_err on_refusal(void *ctx, const struct caaa_refusal *refusal, struct tp_error *e)
{
    uint32_t *last = ctx;

    (void)e;
    HOLDS(refusal->sequence > *last);
    *last = refusal->sequence;
    return TP_OK;
}

static struct caaa_schemas *schemas(void)
{
    static struct caaa_schemas *loaded; /* once: it takes longer than an input */
    struct tp_error e;

    if (loaded == NULL)
        HOLDS(caaa_schemas_new(&loaded, &e) == TP_OK);
    return loaded;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct caaa_verdict verdict[2];
    struct caaa_totals counted[2];
    struct caaa_response response;
    enum tp_err r[2];
    struct tp_error e;
    uint32_t n;

    for (size_t i = 0; i < 2; i++) {
        struct input in = {{data, size}, i == 0 ? SIZE_MAX : 7};
        const struct caaa_source source = {get, &in};
        const struct caaa_transfer_events events = {&n, on_remise, on_item};

        n = 0;
        r[i] = caaa_transfer_read(schemas(), &source, &events, &verdict[i], &counted[i], &e);
        HOLDS(r[i] == TP_OK || r[i] == TP_ERR_FORMAT);
    }
    HOLDS(r[0] == r[1]);
    if (r[0] == TP_OK)
        HOLDS(strcmp(verdict[0].reason, verdict[1].reason) == 0 &&
              caaa_totals_agree(&counted[0], &counted[1]));

    struct input in = {{data, size}, 11};
    const struct caaa_source source = {get, &in};

    n = 0;
    r[0] = caaa_response_read(schemas(), &source, &response, on_refusal, &n, &e);
    HOLDS(r[0] == TP_OK || r[0] == TP_ERR_FORMAT);
    return 0;
}
