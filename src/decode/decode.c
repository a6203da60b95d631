#include "decode/decode.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "apdu/dol.h"
#include "apdu/emvtags.h"
#include "base/hex.h"
#include "base/secret.h"
#include "base/text.h"
#include "decode/decode_priv.h"

#define SENTENCE_MAX 800
#define UNIVERSAL    0xC0 /* no bit of these in the first byte of a tag: the ASN.1 types */

/* ---- making a list ---- */

static json_t *sentence(const char *format, va_list args)
{
    char text[SENTENCE_MAX];

    vsnprintf(text, sizeof(text), gettext(format), args);
    return json_string(text);
}

void say(struct says *s, const char *format, ...)
{
    va_list args;

    va_start(args, format);
    if (s->lines == NULL)
        s->lines = json_array();
    if (json_array_append_new(s->lines, sentence(format, args)) != 0)
        s->failed = true;
    va_end(args);
}

void listing_set(struct listing *l, json_t *object, const char *member, json_t *value)
{
    if (json_object_set_new(object, member, value) != 0)
        l->failed = true;
}

json_t *listing_add(struct listing *l, const char *tag, const char *name)
{
    json_t *o = json_object();

    if (json_array_append_new(l->list, o) != 0) {
        l->failed = true;
        return NULL;
    }
    listing_set(l, o, "tag", json_string(tag));
    if (name != NULL)
        listing_set(l, o, "name", json_string(gettext(name)));
    return o;
}

void listing_means(struct listing *l, json_t *object, const char *format, ...)
{
    json_t *lines = json_object_get(object, "meaning");
    va_list args;

    if (object == NULL)
        return;
    if (lines == NULL) {
        listing_set(l, object, "meaning", json_array());
        lines = json_object_get(object, "meaning");
    }
    va_start(args, format);
    if (json_array_append_new(lines, sentence(format, args)) != 0)
        l->failed = true;
    va_end(args);
}

static void set_value(struct listing *l, json_t *object, uint32_t tag, struct span value)
{
    struct shown all = {.all = true}, *shown = &l->d->shown;
    char *text = malloc(2 * value.n + 1);
    uint32_t first = tag;

    while (first > 0xFF)
        first >>= 8;
    if (text == NULL) {
        l->failed = true;
        return;
    }
    if ((first & UNIVERSAL) == 0 && tag != 0) /* no card has one: what stands there is ASN.1 */
        shown = &all;
    listing_set(l, object, "value", json_string(shown_value(text, shown, tag, value)));
    secret_wipe(text, 2 * value.n + 1);
    free(text);
}

struct listing listing_inside(const struct listing *l)
{
    return (struct listing){
        .d = l->d, .list = json_array(), .start = l->start, .depth = l->depth + 1};
}

void listing_close(struct listing *l, json_t *object, struct listing *inside)
{
    l->failed = l->failed || inside->failed;
    if (l->fault.code == TP_OK)
        l->fault = inside->fault;
    listing_set(l, object, "objects", inside->list);
}

enum tp_err listing_take(struct listing *l, json_t **out, struct tp_error *e)
{
    *out = l->list;
    if (l->failed || l->list == NULL) {
        json_decref(l->list);
        *out = NULL;
        return tp_fail(e, TP_ERR_NO_MEMORY, "out of memory");
    }
    if (l->fault.code != TP_OK && e != NULL)
        *e = l->fault;
    return l->fault.code;
}

void listing_fault(struct listing *l, struct span at, const char *format, ...)
{
    const size_t offset = at.p != NULL && l->start != NULL ? (size_t)(at.p - l->start) : 0;
    json_t *o = json_object(), *text;
    va_list args;

    va_start(args, format);
    text = sentence(format, args);
    va_end(args);
    if (l->fault.code == TP_OK)
        (void)tp_fail(&l->fault, TP_ERR_FORMAT, "offset %zu: %s", offset, json_string_value(text));
    listing_set(l, o, "length", json_integer((json_int_t)at.n));
    if (at.n > 0)
        set_value(l, o, 0, at);
    listing_set(l, o, "fault", text);
    listing_set(l, o, "offset", json_integer((json_int_t)offset));
    if (json_array_append_new(l->list, o) != 0)
        l->failed = true;
}

/* ---- objects ---- */

struct span decode_find(const struct decode *d, uint32_t tag)
{
    for (size_t i = 0; i < d->objects; i++)
        if (d->object[i].tag == tag)
            return d->object[i].value;
    return span_of(NULL, 0);
}

void decode_learn_one(struct decode *d, uint32_t tag, struct span value)
{
    shown_learn(&d->shown, tag, value);
    if (d->objects < DECODE_OBJECTS_MAX)
        d->object[d->objects++] = (struct tlv){tag, value, value};
}

static void learn_objects(struct decode *d, struct span in, unsigned depth)
{
    struct tlv t;

    while (tlv_next(&in, &t) == TP_OK)
        if (!tlv_constructed(t.tag))
            decode_learn_one(d, t.tag, t.value);
        else if (depth < DECODE_DEPTH_MAX)
            learn_objects(d, t.value, depth + 1);
}

void decode_learn(struct decode *d, struct span in)
{
    learn_objects(d, in, 1);
}

const char *decode_name(uint32_t tag)
{
    const struct emv_tag *known = emv_tag_find(tag);

    return known != NULL ? known->name : decode_asn1_name(tag);
}

static void say_length(struct says *s, const struct emv_tag *known, size_t n)
{
    if (n >= known->min && (known->max == 0 || n <= known->max))
        return;
    if (known->max == 0)
        say(s, "its length should be at least %u", known->min);
    else if (known->max > known->min)
        say(s, "its length should be %u to %u", known->min, known->max);
    else
        say(s, "its length should be %u", known->min);
}

json_t *listing_add_value(struct listing *l, uint32_t tag, struct span value)
{
    const struct emv_tag *known = emv_tag_find(tag);
    struct says s = {.d = l->d};
    char text[9];
    json_t *o;

    snprintf(text, sizeof(text), "%02X", tag);
    o = listing_add(l, text, decode_name(tag));
    listing_set(l, o, "length", json_integer((json_int_t)value.n));
    if (tlv_constructed(tag))
        return o;
    set_value(l, o, tag, value);
    if (known != NULL && value.n > 0)
        say_length(&s, known, value.n);
    decode_say(&s, tag, value);
    l->failed = l->failed || s.failed;
    if (json_array_size(s.lines) > 0)
        listing_set(l, o, "meaning", s.lines);
    else
        json_decref(s.lines);
    if (s.clause != NULL && json_object_get(o, "meaning") != NULL)
        listing_set(l, o, "clause", json_string(s.clause));
    listing_parts(l, o, tag, value);
    return o;
}

/* What tlv_next did not like: EMV 4.4 Book 3, Annex B. */
static void tell_fault(struct listing *l, struct span in)
{
    const struct span at = in;
    uint32_t tag;
    uint8_t first, byte;
    size_t n = 0;

    if (tlv_next_tag(&in, &tag) != TP_OK) {
        listing_fault(l, at, at.n >= 4 ? N_("a tag of over four bytes") : N_("a tag is cut off"));
        return;
    }
    if (span_u8(&in, &first) != TP_OK) {
        listing_fault(l, at, "tag %02X has no length: the data end behind it", tag);
        return;
    }
    if (first == 0x80 || first > 0x84) {
        listing_fault(l, at,
                      first == 0x80
                          ? N_("tag %02X has an indefinite length (80), which EMV does not have")
                          : N_("tag %02X has a length of over four bytes"),
                      tag);
        return;
    }
    n = first;
    if (first > 0x80)
        n = 0;
    for (unsigned i = first > 0x80 ? first & 0x7F : 0; i > 0; i--) {
        if (span_u8(&in, &byte) != TP_OK) {
            listing_fault(l, at, "the length of tag %02X is cut off", tag);
            return;
        }
        n = n << 8 | byte;
    }
    listing_fault(l, at,
                  ngettext("tag %02X says %zu byte, but %zu are left",
                           "tag %02X says %zu bytes, but %zu are left", n),
                  tag, n, in.n);
}

static void template(struct listing *l, const struct tlv *t)
{
    json_t *o = listing_add_value(l, t->tag, t->value);
    struct listing inside = listing_inside(l);

    if (inside.depth == DECODE_DEPTH_MAX)
        listing_fault(&inside, t->value, "templates lie more than %d deep", DECODE_DEPTH_MAX);
    else if (emv_tag_find(t->tag) == NULL && decode_asn1_name(t->tag) == NULL &&
             tlv_check_level(t->value) != TP_OK) { /* what nobody knows may hold anything */
        set_value(l, o, t->tag, t->value);
        listing_means(l, o, "what it holds is no TLV");
    } else
        listing_tlv(&inside, t->value);
    listing_close(l, o, &inside);
}

void listing_tlv(struct listing *l, struct span in)
{
    struct tlv t;
    enum tp_err r;

    while ((r = tlv_next(&in, &t)) == TP_OK)
        if (tlv_constructed(t.tag))
            template(l, &t);
        else
            listing_add_value(l, t.tag, t.value);
    if (r == TP_ERR_NOT_FOUND)
        return;
    while (in.n > 0 && (in.p[0] == 0 || in.p[0] == 0xFF)) /* padding, which tlv_next passes over */
        in = span_of(in.p + 1, in.n - 1);
    tell_fault(l, in);
}

enum tp_err decode_tlv(json_t **out, struct decode *d, struct span in, struct tp_error *e)
{
    struct listing l = {.d = d, .list = json_array(), .start = in.p};

    decode_learn(d, in);
    listing_tlv(&l, in);
    return listing_take(&l, out, e);
}

enum tp_err decode_value(json_t **out, struct decode *d, uint32_t tag, struct span value,
                         struct tp_error *e)
{
    struct listing l = {.d = d, .list = json_array(), .start = value.p};
    const struct tlv t = {tag, value, value};

    if (tlv_constructed(tag)) {
        decode_learn(d, value);
        template(&l, &t);
    } else {
        decode_learn_one(d, tag, value);
        listing_add_value(&l, tag, value);
    }
    return listing_take(&l, out, e);
}

/* ---- lists of tags ---- */

enum tp_err decode_dol(json_t **out, struct decode *d, struct span dol, struct span values,
                       struct tp_error *e)
{
    struct listing l = {.d = d, .list = json_array(), .start = dol.p};

    if (values.p != NULL)
        decode_learn_values(d, dol, values);
    listing_dol(&l, dol, values);
    return listing_take(&l, out, e);
}

enum tp_err decode_tags(json_t **out, struct decode *d, struct span in, struct tp_error *e)
{
    struct listing l = {.d = d, .list = json_array(), .start = in.p};

    listing_tags(&l, in);
    return listing_take(&l, out, e);
}

/* ---- for people ---- */

static void print_fault(FILE *to, int indent, size_t offset, const char *fault)
{
    fprintf(to, "%*s! ", indent + 4, "");
    fprintf(to, _("offset %zu: %s"), offset, fault);
    fputc('\n', to);
}

static void print_object(FILE *to, const json_t *o, int indent)
{
    const char *tag = json_string_value(json_object_get(o, "tag")),
               *name = json_string_value(json_object_get(o, "name")),
               *value = json_string_value(json_object_get(o, "value")),
               *clause = json_string_value(json_object_get(o, "clause")),
               *fault = json_string_value(json_object_get(o, "fault"));
    const json_t *length = json_object_get(o, "length"), *line;
    size_t i;

    fprintf(to, "%*s%s", indent, "", tag != NULL ? tag : "??");
    if (name != NULL)
        fprintf(to, "  %s", name);
    if (length != NULL)
        fprintf(to, "  [%lld]", (long long)json_integer_value(length));
    if (value != NULL && value[0] != '\0')
        fprintf(to, "  %s", value);
    fputc('\n', to);
    json_array_foreach(json_object_get(o, "meaning"), i, line)
        fprintf(to, "%*s- %s\n", indent + 4, "", json_string_value(line));
    if (clause != NULL)
        fprintf(to, "%*s(%s)\n", indent + 4, "", clause);
    if (fault != NULL && json_object_get(o, "offset") != NULL)
        print_fault(to, indent, (size_t)json_integer_value(json_object_get(o, "offset")), fault);
    else if (fault != NULL)
        fprintf(to, "%*s! %s\n", indent + 4, "", fault);
}

static void print_objects(FILE *to, const json_t *objects, int indent)
{
    const json_t *o;
    size_t i;

    json_array_foreach(objects, i, o)
    {
        print_object(to, o, indent);
        print_objects(to, json_object_get(o, "objects"), indent + 2);
    }
}

void decode_print(FILE *to, const json_t *objects)
{
    print_objects(to, objects, 0);
}
