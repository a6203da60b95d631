/* One value in words: numbers, dates, codes. */
#include <ctype.h>
#include <iconv.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "apdu/emvbits.h"
#include "apdu/emvtags.h"
#include "base/bcd.h"
#include "base/date.h"
#include "base/mask.h"
#include "base/money.h"
#include "base/text.h"
#include "base/word.h"
#include "decode/decode_priv.h"

#define DICTIONARY "EMV 4.4 Book 3, A1"
#define TEXT_MAX   300

typedef void speaker(struct says *s, struct span v);

struct row { /* how a tag's value is put into words: by a function, or the names of its bits */
    uint32_t tag;
    speaker *speak;
    enum emv_bitmap map;
    bool masks; /* its words hide themselves what may not be seen */
    const char *clause;
};

/* ---- numbers and texts ---- */

static bool number(struct span v, uint64_t *out)
{
    return v.n > 0 && v.n <= 8 && bcd_get(v, out) == TP_OK;
}

static uint64_t binary(struct span v)
{
    uint64_t n = 0;

    for (size_t i = 0; i < v.n && i < 8; i++)
        n = n << 8 | v.p[i];
    return n;
}

static void say_number(struct says *s, struct span v)
{
    uint64_t n;

    if (number(v, &n))
        say(s, "%" PRIu64, n);
    else if (v.n > 0)
        say(s, "no number: half bytes over 9, or too long");
}

static void say_binary(struct says *s, struct span v)
{
    if (v.n > 0 && v.n <= 8)
        say(s, "%" PRIu64, binary(v));
}

/* In an alphabet of ISO/IEC 8859, as UTF-8; what may not be shown is a '?'. */
void say_alphabet(struct says *s, struct span v, unsigned table)
{
    char name[16], text[TEXT_MAX], *in = (char *)(uintptr_t)v.p, *out = text;
    size_t in_n = v.n, out_n = sizeof(text) - 1;
    iconv_t converter;

    snprintf(name, sizeof(name), "ISO-8859-%u", table);
    converter = iconv_open("UTF-8", name);
    if (converter == (iconv_t)-1) {
        say(s, "alphabet %s is not known here", name);
        return;
    }
    while (in_n > 0 && iconv(converter, &in, &in_n, &out, &out_n) == (size_t)-1 && out_n > 0) {
        *out++ = '?';
        out_n--, in++, in_n--;
    }
    iconv_close(converter);
    *out = '\0';
    word_make_shown(text);
    say(s, "\"%s\"", text);
}

void say_latin(struct says *s, struct span v)
{
    if (v.n > 0)
        say_alphabet(s, v, 1);
}

/* 9F12 is in the alphabet that 9F11 names: Book 4, 11.1.2 and Book 1, 12.4. */
static void say_preferred(struct says *s, struct span v)
{
    const struct span table = decode_find(s->d, TAG_CODE_TABLE);
    uint64_t n = 1;

    if (number(table, &n) && n >= 1 && n <= 16)
        say_alphabet(s, v, (unsigned)n);
    else
        say_latin(s, v);
}

static void say_code_table(struct says *s, struct span v)
{
    uint64_t n;

    if (number(v, &n))
        say(s, "ISO/IEC 8859-%" PRIu64, n);
}

/* ---- money ---- */

static void say_minor(struct says *s, uint64_t minor, uint32_t currency_tag)
{
    char text[MONEY_TEXT_MAX];
    uint64_t currency;

    if (minor <= MONEY_MAX && number(decode_find(s->d, currency_tag), &currency) &&
        currency_by_numeric((unsigned)currency) != NULL)
        say(s, "%s %s", money_shown(text, (int64_t)minor, (unsigned)currency),
            currency_shown((unsigned)currency));
    else
        say(s, ngettext("%" PRIu64 " minor unit", "%" PRIu64 " minor units", minor), minor);
}

static void say_amount(struct says *s, struct span v)
{
    uint64_t n;

    if (number(v, &n))
        say_minor(s, n, TAG_TX_CURRENCY);
    else
        say_number(s, v);
}

static void say_amount_binary(struct says *s, struct span v)
{
    if (v.n == 4)
        say_minor(s, binary(v), TAG_TX_CURRENCY);
}

/* One, or a list of them: 9F3B. */
static void say_currency(struct says *s, struct span v)
{
    uint64_t n;
    struct span one;

    while (v.n > 0 && span_take(&v, 2, &one) == TP_OK && number(one, &n)) {
        const struct currency *c = currency_by_numeric((unsigned)n);

        if (c != NULL)
            say(s, "%s, %s", c->alpha, names_currency(c->name));
        else
            say(s, "a currency that ISO 4217 does not have");
    }
}

/* ---- places ---- */

static void say_country(struct says *s, struct span v)
{
    char code[4];
    const char *name;
    uint64_t n;

    if (!number(v, &n) || n > 999)
        return;
    snprintf(code, sizeof(code), "%03u", (unsigned)(n % 1000));
    name = names_country(s->d->names, code);
    say(s, "%s", name != NULL ? name : _("a country that is not known here"));
}

static void say_country_letters(struct says *s, struct span v)
{
    char code[4];
    const char *name;

    snprintf(code, sizeof(code), "%.*s", (int)v.n, (const char *)v.p);
    name = names_country(s->d->names, code);
    say(s, "%s", name != NULL ? name : _("a country that is not known here"));
}

static void say_languages(struct says *s, struct span v)
{
    char code[3];
    const char *name;
    struct span one;

    while (span_take(&v, 2, &one) == TP_OK) {
        snprintf(code, sizeof(code), "%c%c", one.p[0], one.p[1]);
        name = isalpha(one.p[0]) && isalpha(one.p[1]) ? names_language(s->d->names, code) : NULL;
        say(s, "%s", name != NULL ? name : _("a language that is not known here"));
    }
}

static void say_mcc(struct says *s, struct span v)
{
    const char *name;
    uint64_t n;

    if (!number(v, &n))
        return;
    name = decode_mcc_name((unsigned)n);
    say(s, "%s", name != NULL ? _(name) : _("a category that is not known here"));
}

static void say_aid(struct says *s, struct span v)
{
    const char *name = decode_aid_name(v);

    if (name != NULL)
        say(s, "%s", _(name));
    if (v.n > 5 && v.p[0] == '1') /* 1PAY.SYS.DDF01 */
        say_latin(s, v);
}

/* ---- dates ---- */

static void say_date(struct says *s, struct span v)
{
    char text[DATE_TEXT_MAX];
    int date;

    if (v.n == 3 && date_from_yymmdd(&date, v) == TP_OK)
        say(s, "%s", date_format(text, date));
    else
        say(s, "no date");
}

static void say_time(struct says *s, struct span v)
{
    uint64_t n;

    if (v.n == 3 && number(v, &n) && n / 10000 < 24 && n / 100 % 100 < 60 && n % 100 < 60)
        say(s, "%02u:%02u:%02u", (unsigned)(n / 10000), (unsigned)(n / 100 % 100),
            (unsigned)(n % 100));
    else
        say(s, "no time of day");
}

/* ---- the card and its number ---- */

static void say_pan(struct says *s, struct span v)
{
    char digits[2 * 10 + 1], masked[PAN_TEXT_MAX];

    if (v.n == 0 || v.n > 10 || bcd_get_cn(v, digits) != TP_OK || strlen(digits) > PAN_MAX) {
        say(s, "no card number");
        return;
    }
    say(s, pan_valid(digits) ? "%s" : N_("%s: its check digit is wrong"),
        s->d->shown.all ? digits : mask_pan(masked, digits));
}

static void say_service_code(struct says *s, struct span v)
{
    static const char *const interchange[10] = {
        [1] = N_("international"), [2] = N_("international, chip"),
        [5] = N_("national"),      [6] = N_("national, chip"),
        [7] = N_("private"),       [9] = N_("test")};
    static const char *const authorisation[10] = {
        [0] = N_("authorised as usual"),
        [2] = N_("authorised by the issuer online"),
        [4] = N_("authorised by the issuer online unless agreed otherwise")};
    static const char *const services[10] = {
        [0] = N_("no restrictions, PIN required"),
        [1] = N_("no restrictions"),
        [2] = N_("goods and services only"),
        [3] = N_("ATM only, PIN required"),
        [4] = N_("cash only"),
        [5] = N_("goods and services only, PIN required"),
        [6] = N_("no restrictions, PIN where there is a PIN pad"),
        [7] = N_("goods and services only, PIN where there is a PIN pad")};
    static const char *const *const digits[3] = {interchange, authorisation, services};
    unsigned divisor = 100;
    uint64_t n;

    s->clause = "ISO/IEC 7813, 7.1.4";
    if (!number(v, &n) || n > 999)
        return;
    for (unsigned i = 0; i < 3; i++, divisor /= 10) {
        const unsigned digit = (unsigned)n / divisor % 10;

        say(s, "digit %u: %s", i + 1,
            digits[i][digit] != NULL ? _(digits[i][digit]) : _("reserved"));
    }
}

static char digit_at(struct span v, size_t i)
{
    const unsigned d = i % 2 == 0 ? v.p[i / 2] >> 4 : v.p[i / 2] & 0x0F;

    return d < 10 ? (char)('0' + d) : d == 0xD ? '=' : 'F';
}

static void say_track2(struct says *s, struct span v)
{
    char text[2 * 19 + 1], pan[PAN_TEXT_MAX], *separator;
    size_t n = 0, pan_n;
    uint8_t code[2];

    for (; n < 2 * v.n && n + 1 < sizeof(text); n++)
        text[n] = digit_at(v, n);
    text[n] = '\0';
    separator = strchr(text, '=');
    if (separator == NULL || separator - text > PAN_MAX) {
        say(s, "no track 2: no separator (D) behind a card number");
        return;
    }
    pan_n = (size_t)(separator - text);
    snprintf(pan, sizeof(pan), "%.*s", (int)pan_n, text);
    if (!s->d->shown.all) {
        char masked[PAN_TEXT_MAX];

        say(s, "card %s; the rest is masked", mask_pan(masked, pan));
        return;
    }
    say(s, pan_valid(pan) ? N_("card %s") : N_("card %s: its check digit is wrong"), pan);
    if (strlen(separator + 1) < 7)
        return;
    say(s, "expires %.2s/%.2s (month/year)", separator + 3, separator + 1);
    code[0] = (uint8_t)(separator[5] - '0');
    code[1] = (uint8_t)((separator[6] - '0') << 4 | (separator[7] - '0'));
    say(s, "service code %.3s", separator + 5);
    say_service_code(s, SPAN_OF(code));
    separator[strcspn(separator, "F")] = '\0';
    say(s, "discretionary data %s", strlen(separator) > 8 ? separator + 8 : _("none"));
}

static void say_priority(struct says *s, struct span v)
{
    if (v.n != 1)
        return;
    if ((v.p[0] & 0x0F) == 0)
        say(s, "no priority");
    else
        say(s, "priority %u, 1 the highest", v.p[0] & 0x0F);
    if ((v.p[0] & 0x80) != 0)
        say(s, "not selected without confirmation of the cardholder");
}

/* 9F4D: Book 3, D4. */
static void say_log_entry(struct says *s, struct span v)
{
    if (v.n == 2)
        say(s,
            ngettext("log in file %u (SFI), at most %u record",
                     "log in file %u (SFI), at most %u records", v.p[1]),
            v.p[0], v.p[1]);
}

static void say_afl(struct says *s, struct span v)
{
    struct span one;

    while (span_take(&v, 4, &one) == TP_OK) {
        const unsigned sfi = one.p[0] >> 3;
        const bool good = (one.p[0] & 7) == 0 && sfi >= 1 && sfi <= 30 && one.p[1] >= 1 &&
                          one.p[2] >= one.p[1] && one.p[3] <= one.p[2] - one.p[1] + 1;

        say(s,
            good ? N_("file %u (SFI), records %u to %u, the first %u of them signed")
                 : N_("file %u (SFI), records %u to %u, the first %u of them signed: not a valid "
                      "entry"),
            sfi, one.p[1], one.p[2], one.p[3]);
    }
    if (v.n > 0)
        say(s,
            ngettext("%zu byte too many: entries have 4", "%zu bytes too many: entries have 4",
                     v.n),
            v.n);
}

/* ---- verification of the cardholder ---- */

static void say_cvm_list(struct says *s, struct span v)
{
    struct span amounts, rule;

    if (span_take(&v, 8, &amounts) != TP_OK) {
        say(s, "too short for the amounts X and Y");
        return;
    }
    for (unsigned i = 0; i < 2; i++)
        if (binary(span_of(amounts.p + 4UL * i, 4)) > 0) {
            say(s, "%c:", 'X' + i);
            say_minor(s, binary(span_of(amounts.p + 4UL * i, 4)), TAG_APP_CURRENCY);
        }
    for (unsigned i = 1; span_take(&v, 2, &rule) == TP_OK; i++)
        say(s,
            (rule.p[0] & CVM_APPLY_NEXT) != 0 ? N_("%u. %s; %s; if it fails, the next")
                                              : N_("%u. %s; %s; if it fails, the end"),
            i, _(emv_cvm_name(rule.p[0])), _(emv_cvm_condition_name(rule.p[1])));
    if (v.n > 0)
        say(s, "half a rule at the end");
}

static void say_cvm_results(struct says *s, struct span v)
{
    if (v.n != 3)
        return;
    say(s, "%s", _(emv_cvm_name(v.p[0])));
    say(s, "%s", _(emv_cvm_condition_name(v.p[1])));
    say(s, "%s", _(emv_cvm_result_name(v.p[2])));
}

/* ---- cryptograms ---- */

static void say_cid(struct says *s, struct span v)
{
    static const char *const types[] = {N_("AAC: declined"), N_("TC: approved"),
                                        N_("ARQC: ask the issuer"), N_("reserved type")},
                             *const reasons[] = {
                                 N_("no information given"), N_("service not allowed"),
                                 N_("PIN try limit exceeded"), N_("issuer authentication failed")};

    if (v.n != 1)
        return;
    say(s, "%s", _(types[v.p[0] >> 6]));
    if ((v.p[0] & 0x30) != 0)
        say(s, "payment system-specific cryptogram %02X", v.p[0] & 0x30);
    say(s, (v.p[0] & 8) != 0 ? N_("advice required") : N_("no advice required"));
    say(s, "reason: %s", (v.p[0] & 7) < 4 ? _(reasons[v.p[0] & 7]) : _("reserved"));
}

static void say_script_results(struct says *s, struct span v)
{
    struct span one;

    while (span_take(&v, 5, &one) == TP_OK) {
        const unsigned result = one.p[0] & SCRIPT_RESULT;

        say(s, "script %08" PRIX32 ": %s", (uint32_t)binary(span_of(one.p + 1, 4)),
            result == SCRIPT_RESULT_NOT_PERFORMED ? _("not performed")
            : result == SCRIPT_RESULT_FAILED      ? _("failed")
            : result == SCRIPT_RESULT_SUCCESSFUL  ? _("successful")
                                                  : _("reserved result"));
        if (result == SCRIPT_RESULT_FAILED && (one.p[0] & 0x0F) != 0)
            say(s, (one.p[0] & 0x0F) == 0x0F ? N_("at command %u or behind") : N_("at command %u"),
                one.p[0] & 0x0F);
    }
}

static void say_arc(struct says *s, struct span v)
{
    static const struct {
        char code[3];
        const char *text;
    } codes[] = {{"00", N_("approved")},
                 {"01", N_("refer to card issuer")},
                 {"05", N_("do not honour")},
                 {"10", N_("approved for a partial amount")},
                 {"51", N_("not sufficient funds")},
                 {"54", N_("expired card")},
                 {"55", N_("incorrect PIN")},
                 {"75", N_("PIN tries exceeded")},
                 {"91", N_("issuer or switch inoperative")},
                 {"Y1", N_("offline approved")},
                 {"Z1", N_("offline declined")},
                 {"Y2", N_("approved after card-initiated referral")},
                 {"Z2", N_("declined after card-initiated referral")},
                 {"Y3", N_("unable to go online, offline approved")},
                 {"Z3", N_("unable to go online, offline declined")}};

    if (v.n != 2)
        return;
    for (size_t i = 0; i < sizeof(codes) / sizeof(codes[0]); i++)
        if (memcmp(codes[i].code, v.p, 2) == 0)
            say(s, "%.2s: %s", codes[i].code, _(codes[i].text));
    if (s->lines == NULL)
        say_latin(s, v);
}

/* ---- the terminal ---- */

static void say_terminal_type(struct says *s, struct span v)
{
    static const char *const who[4] = {NULL, N_("financial institution"), N_("merchant"),
                                       N_("cardholder")},
                             *const how[7] = {NULL,
                                              N_("attended, online only"),
                                              N_("attended, offline with online capability"),
                                              N_("attended, offline only"),
                                              N_("unattended, online only"),
                                              N_("unattended, offline with online capability"),
                                              N_("unattended, offline only")};
    unsigned operated, environment;

    if (v.n != 1)
        return;
    operated = v.p[0] >> 4;
    environment = v.p[0] & 0x0F;
    say(s, "operated by: %s",
        operated < 4 && who[operated] != NULL ? _(who[operated]) : _("reserved value"));
    say(s, "%s",
        environment < 7 && how[environment] != NULL ? _(how[environment])
                                                    : _("reserved environment"));
}

struct code {
    uint8_t code;
    const char *text;
};

static void say_code(struct says *s, struct span v, const struct code *codes, size_t n)
{
    if (v.n != 1)
        return;
    for (size_t i = 0; i < n; i++)
        if (codes[i].code == v.p[0]) {
            say(s, "%s", _(codes[i].text));
            return;
        }
    say(s, "a code that is not known here");
}
#define SAY_CODE(s, v, codes) say_code(s, v, codes, sizeof(codes) / sizeof((codes)[0]))

static void say_type(struct says *s, struct span v)
{
    static const struct code types[] = {{TYPE_PURCHASE, N_("goods and services")},
                                        {TYPE_CASH, N_("cash")},
                                        {TYPE_CASHBACK, N_("goods and services with cashback")},
                                        {TYPE_REFUND, N_("refund")},
                                        {0x21, N_("deposit")},
                                        {0x30, N_("available funds inquiry")},
                                        {0x31, N_("balance inquiry")},
                                        {0x40, N_("transfer between accounts")}};

    SAY_CODE(s, v, types);
}

static void say_entry_mode(struct says *s, struct span v)
{
    static const struct code modes[] = {
        {0x00, N_("unknown")},
        {0x01, N_("card number typed")},
        {0x02, N_("magnetic stripe")},
        {0x03, N_("bar code")},
        {0x04, N_("optical character recognition")},
        {0x05, N_("integrated circuit card, CVV can be checked")},
        {0x07, N_("contactless, EMV")},
        {0x10, N_("credentials on file")},
        {0x80, N_("fallback from chip to magnetic stripe")},
        {0x90, N_("magnetic stripe, whole track 2")},
        {0x91, N_("contactless, magnetic stripe data")},
        {0x95, N_("integrated circuit card, CVV may not be checked")}};

    SAY_CODE(s, v, modes);
}

static void say_account(struct says *s, struct span v)
{
    static const struct code accounts[] = {{0x00, N_("default, unspecified")},
                                           {0x10, N_("savings")},
                                           {0x20, N_("cheque or debit")},
                                           {0x30, N_("credit")}};

    SAY_CODE(s, v, accounts);
}

static void say_amex_reader(struct says *s, struct span v)
{
    static const struct code readers[] = {{0x00, N_("deprecated")},
                                          {0x40, N_("mag-stripe, CVM not required")},
                                          {0x48, N_("mag-stripe, CVM required")},
                                          {0x80, N_("deprecated: EMV and mag-stripe")},
                                          {0xC0, N_("EMV and mag-stripe, CVM not required")},
                                          {0xC8, N_("EMV and mag-stripe, CVM required")}};
    const uint8_t code = v.n == 1 ? v.p[0] & 0xC8 : 0;

    if (v.n == 1)
        say_code(s, span_of(&code, 1), readers, sizeof(readers) / sizeof(readers[0]));
}

void say_bits(struct says *s, enum emv_bitmap map, struct span v)
{
    for (unsigned i = 0; i < 8 * v.n; i++) {
        const char *name = emv_bit_name(map, i / 8 + 1, 8 - i % 8);

        if ((v.p[i / 8] & 0x80 >> i % 8) != 0)
            say(s, "byte %u bit %u: %s", i / 8 + 1, 8 - i % 8,
                name != NULL ? _(name) : _("reserved"));
    }
}

/* ---- the table ---- */

#define BITS(map)   NULL, map, false
#define SPEAK(name) name, EMV_BITMAPS, false
#define MASKS(name) name, EMV_BITMAPS, true
#define BOOK2       "EMV 4.4 Book 2, "
#define BOOK3       "EMV 4.4 Book 3, "
#define BOOK4       "EMV 4.4 Book 4, "
#define CONTACTLESS "EMV Contactless Book "

static const struct row rows[] = {
    {0x4F, SPEAK(say_aid), "EMV 4.4 Book 1, 12.2.1"},
    {0x57, MASKS(say_track2), BOOK3 "A1; ISO/IEC 7813"},
    {0x5A, MASKS(say_pan), BOOK3 "A1; ISO/IEC 7812-1, Annex B"},
    {0x81, SPEAK(say_amount_binary), DICTIONARY},
    {0x82, BITS(EMV_BITMAP_AIP), BOOK3 "C1"},
    {0x84, SPEAK(say_aid), "EMV 4.4 Book 1, 12.2.1"},
    {0x87, SPEAK(say_priority), "EMV 4.4 Book 1, 12.2.3"},
    {0x88, SPEAK(say_binary), BOOK3 "5.3, table 1"},
    {0x89, SPEAK(say_latin), DICTIONARY},
    {0x8A, SPEAK(say_arc), BOOK4 "A6"},
    {0x8E, SPEAK(say_cvm_list), BOOK3 "C3"},
    {0x90, MASKS(say_issuer_certificate), BOOK2 "6.3"},
    {0x91, SPEAK(say_issuer_authentication), BOOK3 "C10; Book 2, 8.2"},
    {0x93, MASKS(say_static_signature), BOOK2 "5.4, table 7"},
    {0x94, SPEAK(say_afl), BOOK3 "10.2"},
    {0x95, BITS(EMV_BITMAP_TVR), BOOK3 "C5"},
    {0x9A, SPEAK(say_date), DICTIONARY},
    {0x9B, BITS(EMV_BITMAP_TSI), BOOK3 "C6"},
    {0x9C, SPEAK(say_type), DICTIONARY "; ISO 8583:1987, 4.3.8"},
    {0x9D, SPEAK(say_aid), "EMV 4.4 Book 1, 12.2.1"},
    {0x5F24, SPEAK(say_date), DICTIONARY},
    {0x5F25, SPEAK(say_date), DICTIONARY},
    {0x5F28, SPEAK(say_country), DICTIONARY "; ISO 3166-1"},
    {0x5F2A, SPEAK(say_currency), DICTIONARY "; ISO 4217"},
    {0x5F2D, SPEAK(say_languages), DICTIONARY "; ISO 639-1"},
    {0x5F30, SPEAK(say_service_code), "ISO/IEC 7813, 7.1.4"},
    {0x5F53, SPEAK(say_latin), DICTIONARY "; ISO 13616"},
    {0x5F54, SPEAK(say_latin), DICTIONARY "; ISO 9362"},
    {0x5F55, SPEAK(say_country_letters), DICTIONARY "; ISO 3166-1"},
    {0x5F56, SPEAK(say_country_letters), DICTIONARY "; ISO 3166-1"},
    {0x5F57, SPEAK(say_account), BOOK3 "G"},
    {0x9F02, SPEAK(say_amount), DICTIONARY},
    {0x9F03, SPEAK(say_amount), DICTIONARY},
    {0x9F04, SPEAK(say_amount_binary), DICTIONARY},
    {0x9F06, SPEAK(say_aid), "EMV 4.4 Book 1, 12.2.1"},
    {0x9F07, BITS(EMV_BITMAP_AUC), BOOK3 "C2"},
    {0x9F08, SPEAK(say_binary), DICTIONARY},
    {0x9F09, SPEAK(say_binary), DICTIONARY},
    {0x9F0A, SPEAK(say_registered), "EMV 4.4 Book 1, 12.5"},
    {0x9F0D, BITS(EMV_BITMAP_TVR), BOOK3 "10.7 and C5"},
    {0x9F0E, BITS(EMV_BITMAP_TVR), BOOK3 "10.7 and C5"},
    {0x9F0F, BITS(EMV_BITMAP_TVR), BOOK3 "10.7 and C5"},
    {0x9F10, SPEAK(say_iad), NULL},
    {0x9F11, SPEAK(say_code_table), BOOK3 "C4"},
    {0x9F12, SPEAK(say_preferred), DICTIONARY},
    {0x9F13, SPEAK(say_binary), DICTIONARY},
    {0x9F14, SPEAK(say_binary), DICTIONARY},
    {0x9F15, SPEAK(say_mcc), DICTIONARY "; ISO 18245"},
    {0x9F17, SPEAK(say_binary), DICTIONARY},
    {0x9F1A, SPEAK(say_country), DICTIONARY "; ISO 3166-1"},
    {0x9F1B, SPEAK(say_amount_binary), DICTIONARY},
    {0x9F1D, SPEAK(say_risk_data), NULL},
    {0x9F21, SPEAK(say_time), DICTIONARY},
    {0x9F23, SPEAK(say_binary), DICTIONARY},
    {0x9F27, SPEAK(say_cid), BOOK3 "6.5.5.4, table 15"},
    {0x9F2D, MASKS(say_pin_certificate), BOOK2 "7.1"},
    {0x9F33, BITS(EMV_BITMAP_TERMINAL_CAPABILITIES), BOOK4 "A2"},
    {0x9F34, SPEAK(say_cvm_results), BOOK4 "A4"},
    {0x9F35, SPEAK(say_terminal_type), BOOK4 "A1"},
    {0x9F36, SPEAK(say_binary), DICTIONARY},
    {0x9F39, SPEAK(say_entry_mode), DICTIONARY "; ISO 8583:1987, 4.3.14"},
    {0x9F3A, SPEAK(say_amount_binary), DICTIONARY},
    {0x9F3B, SPEAK(say_currency), DICTIONARY "; ISO 4217"},
    {0x9F3C, SPEAK(say_currency), DICTIONARY "; ISO 4217"},
    {0x9F40, BITS(EMV_BITMAP_ADDITIONAL_CAPABILITIES), BOOK4 "A3"},
    {0x9F42, SPEAK(say_currency), DICTIONARY "; ISO 4217"},
    {0x9F46, MASKS(say_icc_certificate), BOOK2 "6.4, table 14"},
    {0x9F4B, MASKS(say_dynamic_signature), BOOK2 "6.5.2, 6.6.2"},
    {0x9F4D, SPEAK(say_log_entry), BOOK3 "D4"},
    {0x9F5B, SPEAK(say_script_results), BOOK4 "A5"},
    {0x9F66, BITS(EMV_BITMAP_TTQ), CONTACTLESS "A, 5.7"},
    {0x9F6B, MASKS(say_track2), CONTACTLESS "C-2; ISO/IEC 7813"},
    {0x9F6C, BITS(EMV_BITMAP_CTQ), CONTACTLESS "C-3, A.2"},
    {0x9F6D, SPEAK(say_amex_reader), CONTACTLESS "C-4, 4.3.3"},
    {0x9F6E, SPEAK(say_9f6e), NULL},
};

static int compare(const void *key, const void *row)
{
    const uint32_t wanted = *(const uint32_t *)key, have = ((const struct row *)row)->tag;

    return wanted < have ? -1 : wanted > have;
}

/* By the format of the dictionary alone. */
static void say_format(struct says *s, const struct emv_tag *known, struct span v)
{
    s->clause = DICTIONARY;
    switch (known->format) {
    case EMV_N:
        say_number(s, v);
        break;
    case EMV_AN:
    case EMV_ANS:
    case EMV_A:
        say_latin(s, v);
        break;
    default:
        break;
    }
}

/* Values that are hidden have no words either. */
static bool may_speak(const struct says *s, uint32_t tag)
{
    const enum emv_shown shown = emv_tag_shown(tag);

    return s->d->shown.all || shown == EMV_PLAIN || (shown == EMV_PERSONAL && s->d->shown.personal);
}

void decode_say(struct says *s, uint32_t tag, struct span value)
{
    const struct emv_tag *known = emv_tag_find(tag);
    const struct row *row =
        bsearch(&tag, rows, sizeof(rows) / sizeof(rows[0]), sizeof(rows[0]), compare);

    if (value.n == 0)
        return;
    if (known == NULL) {
        say_asn1(s, tag, value);
        return;
    }
    if (!may_speak(s, tag) && (row == NULL || !row->masks))
        return;
    if (known->max > 0 && value.n > known->max) /* it is no such value, and no room is for it */
        return;
    if (row == NULL) {
        say_format(s, known, value);
        return;
    }
    s->clause = row->clause;
    if (row->speak != NULL)
        row->speak(s, value);
    else
        say_bits(s, row->map, value);
}
