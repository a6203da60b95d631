/* What people give the calculator: a first byte that says what to work out, a second one for kind
 * of card, ways and PIN format, the length of field 55 and it, then the lines of a file of keys,
 * and behind a zero what is --data. Each outcome has a row, each row fits, and an error says what
 * is wrong. */
#include <string.h>

#include "fuzz.h"
#include "issuer/calc.h"

static struct calc_value value_of(struct span s)
{
    struct calc_value v = {.n = s.n < CALC_VALUE_MAX ? s.n : CALC_VALUE_MAX, .given = s.n > 0};

    memcpy(v.p, s.p, v.n);
    return v;
}

static void set_ways(struct calc *c, uint8_t choice)
{
    const struct emv_kind *k = emv_kind_at(choice % 16);

    c->cvn = k != NULL ? k->name : NULL; /* above the last: what 9F10 says */
    c->pin_format = (choice >> 4) % 6 - 1;
    c->encipher = (choice & 0x80) != 0;
    c->ways.session = (choice >> 4) % 7 < 5 && choice % 3 == 0 ? (choice >> 4) % 5 : -1;
}

static void take_rest(struct calc *c, struct span rest)
{
    const uint8_t *zero = memchr(rest.p, 0, rest.n);
    const size_t n = zero != NULL ? (size_t)(zero - rest.p) : rest.n;

    if (calc_read_keys(c, span_of(rest.p, n), NULL) != TP_OK)
        return;
    if (n < rest.n)
        c->data = value_of(span_of(rest.p + n + 1, rest.n - n - 1));
    c->head = value_of(span_of("\x84\x24\x00\x00\x08", n % 2 == 0 ? 5 : 4));
    c->arc = value_of(span_str("00"));
    c->csu = value_of(span_str("0000"));
    c->expiry = "3012";
    c->service = "201";
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct calc c; /* large */
    struct tp_error e = {TP_OK, ""};
    struct span in = span_of(data, size), de55 = {NULL, 0};
    uint8_t what = 0, ways = 0, n = 0;

    if (span_u8(&in, &what) != TP_OK || span_u8(&in, &ways) != TP_OK || span_u8(&in, &n) != TP_OK ||
        span_take(&in, n, &de55) != TP_OK || in.n == 0)
        return 0;
    calc_init(&c);
    set_ways(&c, ways);
    c.de55 = value_of(de55);
    if (calc_start(&c, &e) == TP_OK) {
        take_rest(&c, in);
        if (calc_run(&c, (enum calc_what)(what % CALC_COUNT), &e) == TP_OK) {
            HOLDS(c.rows > 0 && c.rows <= CALC_ROWS_MAX);
            c.check = "0000";
            (void)calc_right(&c);
        }
    }
    HOLDS(e.code == TP_OK || e.text[0] != '\0');
    for (size_t i = 0; i < c.rows; i++)
        HOLDS(c.row[i].n <= CALC_VALUE_MAX && c.row[i].step != NULL && c.row[i].clause != NULL);
    calc_clear(&c);
    return 0;
}
