/* telepay-emv decode. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/cli.h"
#include "base/document.h"
#include "base/file.h"
#include "base/hex.h"
#include "base/log.h"
#include "base/text.h"
#include "decode/decode.h"
#include "emv/commands.h"
#include "emv/input.h"

enum what { /* what the data are */
            TLV,
            DOL,
            TAG_LIST,
            ONE_VALUE,
            ATR,
            STATUS,
            APDU,
            MESSAGE,
            TEXT,
            COUNTRY,
            CURRENCY,
            LANGUAGE,
            MCC,
            WHATS
};

enum {
    KEY_WHAT = 0x100, /* and what is above, added */
    KEY_VALUES = KEY_WHAT + WHATS,
    KEY_INS,
    KEY_SCHEME,
    KEY_CAPK,
    KEY_RID,
    KEY_FILE,
    KEY_UNMASKED
};

#define WORDS_MAX 4096

struct words {
    enum what what;
    bool told;
    uint32_t tag;
    unsigned alphabet;
    const char *values, *capk, *rid, *file;
    uint8_t ins;
    enum decode_scheme scheme;
    bool json, unmasked;
    char *word[WORDS_MAX];
    size_t n;
};

static const struct argp_option options[] = {
    {NULL, 0, NULL, 0, N_("What the data are, if not TLV:"), 1},
    {"tlv", KEY_WHAT + TLV, NULL, 0, N_("Objects of BER-TLV, one behind the other"), 1},
    {"tag", KEY_WHAT + ONE_VALUE, "TAG", 0, N_("The value alone of the object with this tag"), 1},
    {"dol", KEY_WHAT + DOL, NULL, 0, N_("A data object list: tags and lengths"), 1},
    {"values", KEY_VALUES, "HEX", 0, N_("With --dol: the values that the list asks for"), 1},
    {"tag-list", KEY_WHAT + TAG_LIST, NULL, 0, N_("Tags alone"), 1},
    {"atr", KEY_WHAT + ATR, NULL, 0, N_("An answer to reset, and what EMV finds wrong in it"), 1},
    {"sw", KEY_WHAT + STATUS, NULL, 0, N_("A status word"), 1},
    {"ins", KEY_INS, "HEX", 0, N_("With --sw: the INS of the command that it answers"), 1},
    {"apdu", KEY_WHAT + APDU, NULL, 0, N_("A command, and as a second word its answer"), 1},
    {"iso8583", KEY_WHAT + MESSAGE, NULL, 0, N_("A message of ISO 8583, as telepay packs it"), 1},
    {"text", KEY_WHAT + TEXT, "N", 0, N_("Text in the alphabet ISO/IEC 8859-N"), 1},
    {"country", KEY_WHAT + COUNTRY, NULL, 0, N_("A country's code: letters, or the number"), 1},
    {"currency", KEY_WHAT + CURRENCY, NULL, 0, N_("A currency's code"), 1},
    {"language", KEY_WHAT + LANGUAGE, NULL, 0, N_("A language's code"), 1},
    {"mcc", KEY_WHAT + MCC, NULL, 0, N_("A merchant category code"), 1},
    {NULL, 0, NULL, 0, N_("How:"), 2},
    {"file", KEY_FILE, "FILE", 0, N_("Read the data from FILE (- or nothing: standard input)"), 2},
    {"scheme", KEY_SCHEME, "NAME", 0,
     N_("visa, mastercard or amex: whose 9F6E and 9F1D they are [by the AID among the data]"), 2},
    {"capk", KEY_CAPK, "FILE", 0,
     N_("Authority keys that open certificates, beside those that came with telepay"), 2},
    {"rid", KEY_RID, "HEX", 0, N_("Whose authority keys [by the AID among the data, else any]"), 2},
    {"unmasked", KEY_UNMASKED, NULL, 0, N_("Mask nothing but a PIN"), 2},
    {"json", 'j', NULL, 0, N_("JSON"), 2},
    {0},
};

static uint32_t hex_number(struct argp_state *state, const char *option, const char *text,
                           size_t max)
{
    char *end;
    const unsigned long v = strtoul(text, &end, 16);

    if (*text == '\0' || *end != '\0' || strlen(text) > 2 * max || strlen(text) % 2 != 0 ||
        strspn(text, "0123456789ABCDEFabcdef") != strlen(text))
        argp_error(state, _("%s takes 1 to %zu bytes in hex, not \"%s\""), option, max, text);
    return (uint32_t)v;
}

static void take_what(struct words *w, enum what what, char *arg, struct argp_state *state)
{
    char *end = NULL;

    if (w->told)
        argp_error(state, _("the data can be of one kind only"));
    w->told = true;
    w->what = what;
    if (what == ONE_VALUE)
        w->tag = hex_number(state, "--tag", arg, 4);
    if (what == TEXT) {
        w->alphabet = (unsigned)strtoul(arg, &end, 10);
        if (*end != '\0' || w->alphabet < 1 || w->alphabet > 16 || w->alphabet == 12)
            argp_error(state, _("--text takes a number from 1 to 16 without 12, not \"%s\""), arg);
    }
}

static enum decode_scheme take_scheme(const char *arg, struct argp_state *state)
{
    static const char *const names[] = {
        [DECODE_VISA] = "visa", [DECODE_MASTERCARD] = "mastercard", [DECODE_AMEX] = "amex"};

    for (unsigned i = DECODE_VISA; i <= DECODE_AMEX; i++)
        if (strcmp(names[i], arg) == 0)
            return (enum decode_scheme)i;
    argp_error(state, _("--scheme takes visa, mastercard or amex, not \"%s\""), arg);
    return DECODE_ANY;
}

static void check(const struct words *w, struct argp_state *state)
{
    if (w->values != NULL && w->what != DOL)
        argp_error(state, _("--values goes with --dol"));
    if (w->ins != 0 && w->what != STATUS)
        argp_error(state, _("--ins goes with --sw"));
    if (w->file != NULL && w->n > 0)
        argp_error(state, _("the data come from --file or from the command line, not from both"));
    if (w->what >= COUNTRY && w->n != 1)
        argp_error(state, _("give one code"));
    if (w->what == APDU && (w->n < 1 || w->n > 2))
        argp_error(state, _("give a command, and perhaps its answer, each as one word"));
}

static error_t parse(int key, char *arg, struct argp_state *state)
{
    struct words *w = state->input;

    if (key >= KEY_WHAT && key < KEY_WHAT + WHATS) {
        take_what(w, (enum what)(key - KEY_WHAT), arg, state);
        return 0;
    }
    switch (key) {
    case KEY_VALUES:
        w->values = arg;
        return 0;
    case KEY_INS:
        w->ins = (uint8_t)hex_number(state, "--ins", arg, 1);
        return 0;
    case KEY_SCHEME:
        w->scheme = take_scheme(arg, state);
        return 0;
    case KEY_CAPK:
        w->capk = arg;
        return 0;
    case KEY_RID:
        w->rid = arg;
        return 0;
    case KEY_FILE:
        w->file = arg;
        return 0;
    case KEY_UNMASKED:
        w->unmasked = true;
        return 0;
    case 'j':
        w->json = true;
        return 0;
    case ARGP_KEY_ARG:
        if (w->n == WORDS_MAX)
            argp_error(state, _("too many words: put the data into a file"));
        w->word[w->n++] = arg;
        return 0;
    case ARGP_KEY_END:
        check(w, state);
        return 0;
    default:
        return ARGP_ERR_UNKNOWN;
    }
}

/* The keys that open certificates: those that came with telepay, where they are, and the owner's.
 */
static enum tp_err load_keys(struct capk_store **keys, const struct words *w, struct tp_error *e)
{
    char path[PATH_MAX];
    enum tp_err r = capk_store_new(keys);

    if (r != TP_OK)
        return tp_fail(e, r, "out of memory");
    if (file_data_path(path, sizeof(path), "capk.json", NULL) == TP_OK)
        r = capk_store_load(*keys, path, e);
    return r == TP_OK && w->capk != NULL ? capk_store_load(*keys, w->capk, e) : r;
}

static enum tp_err decode_bytes(json_t **out, struct decode *d, const struct words *w,
                                struct span in, struct span second, struct tp_error *e)
{
    switch (w->what) {
    case DOL:
        return decode_dol(out, d, in, second, e);
    case TAG_LIST:
        return decode_tags(out, d, in, e);
    case ONE_VALUE:
        return decode_value(out, d, w->tag, in, e);
    case ATR:
        return decode_atr(out, d, in, e);
    case STATUS:
        return in.n == 2 ? decode_status(out, (uint16_t)(in.p[0] << 8 | in.p[1]), w->ins)
                         : tp_fail(e, TP_ERR_FORMAT, "a status word has 2 bytes, not %zu", in.n);
    case APDU:
        return decode_exchange(out, d, in, second, e);
    case MESSAGE:
        return decode_message(out, d, in, e);
    case TEXT:
        return decode_text(out, d, w->alphabet, in);
    default:
        return decode_tlv(out, d, in, e);
    }
}

static enum tp_err read_bytes(struct buf *in, struct buf *second, struct words *w,
                              struct tp_error *e)
{
    char *const values = (char *)(uintptr_t)w->values;
    enum tp_err r = TP_OK;

    if (w->values != NULL)
        r = input_words(second, &values, 1, e);
    if (r == TP_OK && w->what == APDU && w->n == 2)
        r = input_words(second, &w->word[--w->n], 1, e);
    if (r != TP_OK)
        return r;
    r = w->file != NULL ? input_file(in, w->file, e) : input_words(in, w->word, w->n, e);
    return r == TP_OK && in->n == 0 ? tp_fail(e, TP_ERR_FORMAT, "no data were given") : r;
}

static enum tp_err decode_words(json_t **out, struct decode *d, struct words *w, struct tp_error *e)
{
    struct buf in = {NULL, 0, 0}, second = {NULL, 0, 0};
    enum tp_err r = w->what < COUNTRY ? read_bytes(&in, &second, w, e) : TP_OK;

    if (w->json)
        text_english();
    if (r == TP_OK && w->what >= COUNTRY)
        r = decode_code(out, d, (enum decode_code)(w->what - COUNTRY), w->word[0], e);
    else if (r == TP_OK)
        r = decode_bytes(out, d, w, buf_span(&in),
                         second.p != NULL ? buf_span(&second) : span_of(NULL, 0), e);
    free(in.p);
    free(second.p);
    return r;
}

static enum tp_err print_json(json_t *objects, const struct tp_error *fault)
{
    return document_print(json_pack("{s:O, s:s?}", "objects", objects, "fault",
                                    fault->code != TP_OK ? fault->text : NULL),
                          false);
}

static enum tp_err run(struct words *w, struct tp_error *e)
{
    struct decode *d = calloc(1, sizeof(*d));
    struct capk_store *keys = NULL;
    struct names *names = NULL;
    uint8_t rid[5];
    struct buf rid_room = BUF_OF(rid);
    json_t *objects = NULL;
    enum tp_err r = d == NULL || names_new(&names) != TP_OK
                        ? tp_fail(e, TP_ERR_NO_MEMORY, "out of memory")
                        : load_keys(&keys, w, e);

    if (r == TP_OK && w->rid != NULL &&
        (hex_decode(&rid_room, w->rid) != TP_OK || rid_room.n != sizeof(rid)))
        r = tp_fail(e, TP_ERR_USAGE, "--rid takes 5 bytes in hex, not \"%s\"", w->rid);
    if (r == TP_OK) {
        d->keys = keys;
        d->names = names;
        d->rid = buf_span(&rid_room);
        d->scheme = w->scheme;
        d->shown.all = w->unmasked;
        d->shown.personal = true;
        r = decode_words(&objects, d, w, e);
    }
    if (objects != NULL && !w->json)
        decode_print(stdout, objects);
    else if (objects != NULL && print_json(objects, e) != TP_OK)
        r = tp_fail(e, TP_ERR_NO_MEMORY, "out of memory");
    json_decref(objects);
    names_free(&names);
    capk_store_free(&keys);
    free(d);
    return r;
}

int emv_decode(int argc, char **argv)
{
    static const struct argp argp = {
        options,
        parse,
        N_("[DATA…]"),
        N_("Say what data of EMV mean: objects by their tags, lists, status words, answers to "
           "reset, messages.\vDATA are hex with any spacing, or base64; without any, standard "
           "input. Of card numbers six digits and four are shown; track data, and what the "
           "dictionary does not know, are masked."),
        NULL,
        NULL,
        NULL};
    static struct words w; /* large */
    struct tp_error e = {TP_OK, ""};

    cli_parse(&argp, argc, argv, &w);
    return cli_end(run(&w, &e), &e);
}
