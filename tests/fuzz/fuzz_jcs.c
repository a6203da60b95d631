/* Any bytes as JSON, base64 and a date: what is read is written in one form, which is read as the
 * same again. */
#include "fuzz.h"

#include <string.h>

#include "base/base64.h"
#include "base/date.h"
#include "wire/jcs.h"

static void json(struct span bytes)
{
    struct tp_error e = {TP_OK, ""};
    json_t *value, *back;
    char *text, *again;

    if (jcs_read(&value, bytes, &e) != TP_OK) {
        HOLDS(e.text[0] != '\0' && value == NULL);
        return;
    }
    HOLDS(jcs_write(&text, value, &e) == TP_OK);
    HOLDS(jcs_read(&back, span_str(text), &e) == TP_OK);
    HOLDS(jcs_write(&again, back, &e) == TP_OK);
    HOLDS(strcmp(text, again) == 0);
    free(text);
    free(again);
    json_decref(value);
    json_decref(back);
}

static void base64(struct span bytes)
{
    uint8_t *room = malloc(BASE64_ROOM(bytes.n) + 1);
    char *text = malloc(BASE64_SIZE(bytes.n));
    struct buf out = {room, 0, BASE64_ROOM(bytes.n)};

    HOLDS(room != NULL && text != NULL);
    if (base64url_decode(&out, bytes) == TP_OK) {
        base64url_encode(text, buf_span(&out)); /* the same without its padding */
        HOLDS(bytes.n - strlen(text) <= 2 && memcmp(text, bytes.p, strlen(text)) == 0);
    }
    out.n = 0;
    if (base64_decode(&out, bytes) == TP_OK) {
        base64_encode(text, buf_span(&out));
        HOLDS(memcmp(text, bytes.p, bytes.n) == 0);
    }
    free(room);
    free(text);
}

static void date(struct span bytes)
{
    char text[64], back[TIME_TEXT_MAX];
    time_t t, again;

    if (bytes.n >= sizeof(text))
        return;
    memcpy(text, bytes.p, bytes.n);
    text[bytes.n] = '\0';
    if (time_parse(&t, text) == TP_OK && t > 0 && t < INT64_C(253402300800)) {
        time_format_utc(back, t);
        HOLDS(time_parse(&again, back) == TP_OK && again == t);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size > 65536)
        return 0;
    json(span_of(data, size));
    if (size > 0) {
        base64(span_of(data, size));
        date(span_of(data, size));
    }
    return 0;
}
