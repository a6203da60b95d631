/* telepay-perso inspect: shows what a card holds. */
#include "simcard/perso_commands.h"

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>

#include "apdu/emvbits.h"
#include "apdu/emvtags.h"
#include "apdu/tlv.h"
#include "base/bcd.h"
#include "base/cli.h"
#include "base/date.h"
#include "base/document.h"
#include "base/hex.h"
#include "base/text.h"
#include "simcard/profile.h"
#include "simcard/state.h"

struct wanted {
    const char *dir;
    bool json;
};

static const struct argp_option options[] = {
    {"json", 'j', NULL, 0, N_("print everything as JSON"), 0},
    {0},
};

static error_t parse(int key, char *arg, struct argp_state *state)
{
    struct wanted *w = state->input;

    switch (key) {
    case 'j':
        w->json = true;
        return 0;
    case ARGP_KEY_ARG:
        if (w->dir != NULL)
            argp_usage(state);
        w->dir = arg;
        return 0;
    case ARGP_KEY_END:
        if (w->dir == NULL)
            argp_error(state, _("name the card's folder"));
        return 0;
    default:
        return ARGP_ERR_UNKNOWN;
    }
}

static const char *method_of(const struct card_profile *p)
{
    static const char *const names[][2] = {
        {"none", "XDA"}, {"SDA", "SDA, XDA"}, {"DDA", "DDA, XDA"}, {"CDA", "CDA, XDA"}};
    const size_t rsa = (p->aip[0] & AIP_CDA) != 0   ? 3
                       : (p->aip[0] & AIP_DDA) != 0 ? 2
                       : (p->aip[0] & AIP_SDA) != 0 ? 1
                                                    : 0;

    return names[rsa][profile_has_xda(p)];
}

/* The text of a data object: a PAN or track is masked, the name is text, the rest hexadecimal. out
 * holds 2 * PROFILE_BYTES_MAX + 1. */
static const char *show(char *out, const struct card_profile *p, const struct tlv *object)
{
    const enum emv_shown shown = emv_tag_shown(object->tag);

    if (shown == EMV_SECRET)
        return "(hidden)";
    if (shown == EMV_PAN)
        return mask_pan(out, p->pan);
    return hex_encode(out, object->value);
}

typedef void each_object(void *ctx, const struct profile_record *r, const char *tag,
                         const char *name, const char *value);

static void walk(const struct card_profile *p, each_object *each, void *ctx)
{
    for (size_t i = 0; i < p->records_n; i++) {
        struct span in = {p->records[i].data, p->records[i].n};
        struct tlv template, object;

        if (tlv_next(&in, &template) != TP_OK)
            continue;
        while (tlv_next(&template.value, &object) == TP_OK) {
            const struct emv_tag *known = emv_tag_find(object.tag);
            char tag[9], value[2 * PROFILE_RECORD_MAX + 1];

            snprintf(tag, sizeof(tag), "%02X", (unsigned)object.tag);
            each(ctx, &p->records[i], tag, known != NULL ? known->name : "?",
                 show(value, p, &object));
        }
    }
}

/* ---- for people ---- */

static void print_object(void *ctx, const struct profile_record *r, const char *tag,
                         const char *name, const char *value)
{
    (void)ctx;
    printf("  %u/%u  %-5s %-50s %s\n", r->sfi, r->number, tag, name, value);
}

static bool app_blocked(const struct card_state *s, size_t i)
{
    return (s->flags & (STATE_APP_BLOCKED | STATE_CARD_BLOCKED | STATE_ONE_BLOCKED << i)) != 0;
}

static void print_apps(const struct card_profile *p, const struct card_state *s)
{
    for (size_t i = 0; i < p->apps_n; i++) {
        char aid[33];

        printf(_("application  %s  \"%s\"  priority %u%s%s\n"),
               hex_encode(aid, span_of(p->apps[i].aid, p->apps[i].aid_n)), p->apps[i].label,
               p->apps[i].priority & 0x0F,
               (p->apps[i].priority & 0x80) != 0 ? _(", wants confirmation") : "",
               app_blocked(s, i) ? ", BLOCKED" : "");
    }
}

static void print_card(const struct card_profile *p, const struct card_state *s)
{
    char pan[PAN_TEXT_MAX];
    const unsigned bits = 8 * (unsigned)(p->expired_icc_cert.n > 0 ? p->expired_icc_cert.n : 0);

    printf(_("card         %s\n"), mask_pan(pan, p->pan));
    print_apps(p, s);
    printf(_("method       %s%s\n"), method_of(p), bits > 0 ? _(", own key") : "");
    printf(_("protocol     T=%d, answers in format %u%s\n"), p->t0 ? 0 : 1, p->format,
           p->pse ? "" : _(", no directory"));
    printf(
        _("counters     ATC %u, last online %u, %u offline in a row, PIN tries left %u of %u%s\n"),
        s->atc, s->last_online_atc, s->offline_count, s->pin_tries, p->pin_tries,
        (s->flags & (STATE_APP_BLOCKED | STATE_CARD_BLOCKED)) != 0 ? ", BLOCKED" : "");
    printf(_("limits       online after %u payments or %llu, decline after %u or %llu (amounts in "
             "minor units; 0: never)\n"),
           p->offline_limit, (unsigned long long)p->amount_limit, p->offline_maximum,
           (unsigned long long)p->amount_maximum);
    printf(_("issuer       cryptograms %s, ARPC method %u %s\n"), emv_cvn_name(p->cvn), p->arpc,
           (p->aip[0] & AIP_ISSUER_AUTHENTICATION) != 0 ? "by EXTERNAL AUTHENTICATE" : "in CDOL2");
    printf(_("records (file/record)\n"));
    walk(p, print_object, NULL);
}

/* ---- for machines ---- */

static void add_object(void *ctx, const struct profile_record *r, const char *tag, const char *name,
                       const char *value)
{
    json_array_append_new(ctx, json_pack("{s:i, s:i, s:s, s:s, s:s}", "sfi", r->sfi, "record",
                                         r->number, "tag", tag, "name", name, "value", value));
}

static json_t *apps_json(const struct card_profile *p, const struct card_state *s)
{
    json_t *list = json_array();

    for (size_t i = 0; i < p->apps_n; i++) {
        char aid[33];

        json_array_append_new(
            list, json_pack("{s:s, s:s, s:s, s:i, s:b, s:b}", "aid",
                            hex_encode(aid, span_of(p->apps[i].aid, p->apps[i].aid_n)), "label",
                            p->apps[i].label, "preferred", p->apps[i].preferred, "priority",
                            p->apps[i].priority & 0x0F, "confirm",
                            (p->apps[i].priority & 0x80) != 0, "blocked", app_blocked(s, i)));
    }
    return list;
}

static json_t *log_json(const struct card_state *s)
{
    json_t *list = json_array();

    for (uint32_t i = 1; i <= s->logged && i <= STATE_LOG_MAX; i++) {
        char text[2 * STATE_LOG_SIZE + 1];

        json_array_append_new(
            list, json_string(hex_encode(text, SPAN_OF(s->log[(s->logged - i) % STATE_LOG_MAX]))));
    }
    return list;
}

static enum tp_err print_json(const struct card_profile *p, const struct card_state *s)
{
    char pan[PAN_TEXT_MAX], aip[5], afl[2 * PROFILE_BYTES_MAX + 1], pdol[2 * PROFILE_BYTES_MAX + 1];
    json_t *objects = json_array();

    walk(p, add_object, objects);
    return document_print(
        json_pack(
            "{s:s, s:o, s:s, s:s, s:s, s:s, s:i, s:i, s:b, s:{s:i, s:i, s:i, s:i, s:b}, s:o, s:o}",
            "pan_masked", mask_pan(pan, p->pan), "applications", apps_json(p, s),
            "authentication_method", method_of(p), "aip", hex_encode(aip, SPAN_OF(p->aip)), "afl",
            hex_encode(afl, span_of(p->afl.p, p->afl.n)), "pdol",
            hex_encode(pdol, span_of(p->pdol.p, p->pdol.n)), "offline_limit", p->offline_limit,
            "offline_maximum", p->offline_maximum, "t0", p->t0, "counters", "atc", s->atc,
            "last_online_atc", s->last_online_atc, "offline_count", s->offline_count, "pin_tries",
            s->pin_tries, "blocked", (s->flags & (STATE_APP_BLOCKED | STATE_CARD_BLOCKED)) != 0,
            "log", log_json(s), "objects", objects),
        false);
}

int perso_inspect(int argc, char **argv)
{
    static const struct argp argp = {
        options,   parse,
        N_("DIR"), N_("Shows the card in the folder DIR: card number masked, never keys or PIN."),
        NULL,      NULL,
        NULL};
    struct wanted w = {NULL, false};
    struct card_profile *p = NULL;
    struct card_state s;
    struct tp_error e = {TP_OK, ""};
    enum tp_err r;

    cli_parse(&argp, argc, argv, &w);
    r = profile_load_public(&p, w.dir, &e);
    if (r == TP_OK)
        r = state_peek(&s, w.dir, &e);
    if (r == TP_OK && !w.json)
        print_card(p, &s);
    else if (r == TP_OK)
        r = print_json(p, &s);
    profile_free(&p);
    return cli_end(r, &e);
}
