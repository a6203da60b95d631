/* Orders, acknowledgements and what is sealed, statements of devices: any text is taken apart or
 * refused, and what no key has signed or sealed never passes. */
#include "fuzz.h"

#include <string.h>

#include "order/device.h"
#include "order/order.h"
#include "order/sealed.h"
#include "order/token.h"

static void take_apart(const char *text, const char *type)
{
    struct token t = {0};
    struct tp_error e;
    const enum tp_err r = token_read(&t, text, type, &e);

    HOLDS(r == TP_OK || r == TP_ERR_FORMAT || r == TP_ERR_RANGE);
    HOLDS(r != TP_OK || (json_is_object(t.payload) && json_is_array(t.x5c)));
    token_free(&t);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const uint8_t nothing[32];
    static json_t *key;
    char *text = malloc(size + 1);
    json_t *opened = NULL;
    struct tp_error e;

    HOLDS(text != NULL);
    memcpy(text, data, size);
    text[size] = '\0';
    take_apart(text, ORDER_TYPE);
    take_apart(text, "sample");
    HOLDS(device_statement_verify(text, nothing, nothing, &e) != TP_OK);
    if (key == NULL)
        HOLDS(sealed_answer_key(&key, &e) == TP_OK);
    HOLDS(sealed_read(&opened, text, SEALED_TRANSACTION, key, &e) != TP_OK && opened == NULL);
    free(text);
    return 0;
}
