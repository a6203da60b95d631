#include "wire/payment_discovery.h"

#include <string.h>

#include "wire/jcs.h"
#include "wire/payment_charge.h"

#define OPENAPI "3.1.0"

static const char *const verbs[] = {"get", "put", "post", "delete", "options", "head", "patch"};

/* Puts an object into another, which owns it; NULL when there is no memory. */
static json_t *put_object(json_t *into, const char *name)
{
    json_t *object = json_object();

    return into != NULL && json_object_set_new(into, name, object) == 0 ? object : NULL;
}

static enum tp_err no_memory(struct tp_error *e)
{
    return tp_fail(e, TP_ERR_NO_MEMORY, "no memory for JSON");
}

/* ---- the service ---- */

static enum tp_err put_categories(json_t *into, const char *const *categories, struct tp_error *e)
{
    json_t *array;

    if (categories == NULL)
        return TP_OK;
    array = json_array();
    if (json_object_set_new(into, "categories", array) != 0)
        return no_memory(e);
    for (; *categories != NULL; categories++)
        if (json_array_append_new(array, json_string(*categories)) != 0)
            return tp_fail(e, TP_ERR_FORMAT, "a category is no UTF-8");
    return TP_OK;
}

static enum tp_err put_docs(json_t *into, const struct payment_service *s, struct tp_error *e)
{
    json_t *docs;
    enum tp_err r;

    if (s->homepage == NULL && s->api_reference == NULL && s->llms == NULL)
        return TP_OK;
    docs = put_object(into, "docs");
    if (docs == NULL)
        return no_memory(e);
    r = jcs_set_text(docs, "homepage", s->homepage, e);
    if (r == TP_OK)
        r = jcs_set_text(docs, "apiReference", s->api_reference, e);
    return r == TP_OK ? jcs_set_text(docs, "llms", s->llms, e) : r;
}

enum tp_err payment_discovery_new(json_t **out, const struct payment_service *s, struct tp_error *e)
{
    json_t *document = json_object(), *info, *service;
    enum tp_err r = jcs_set_text(document, "openapi", OPENAPI, e);

    *out = NULL;
    info = put_object(document, "info");
    service = put_object(document, "x-service-info");
    if (r != TP_OK || info == NULL || service == NULL || put_object(document, "paths") == NULL) {
        json_decref(document);
        return no_memory(e);
    }
    r = jcs_set_text(info, "title", s->title, e);
    if (r == TP_OK)
        r = jcs_set_text(info, "version", s->version, e);
    if (r == TP_OK)
        r = put_categories(service, s->categories, e);
    if (r == TP_OK)
        r = put_docs(service, s, e);
    if (r == TP_OK)
        *out = document;
    else
        json_decref(document);
    return r;
}

/* ---- an operation ---- */

static bool is_verb(const char *text)
{
    for (size_t i = 0; i < sizeof(verbs) / sizeof(verbs[0]); i++)
        if (strcmp(text, verbs[i]) == 0)
            return true;
    return false;
}

/* OpenAPI 3.1, Parameter Object: each template expression of the path has one. */
static enum tp_err put_parameters(json_t *operation, const char *path, struct tp_error *e)
{
    json_t *array = NULL, *one;

    for (; *(path += strcspn(path, "{}")) != '\0'; path++) {
        const size_t n = strcspn(path + 1, "{}/");

        if (*path != '{' || n == 0 || path[n + 1] != '}')
            return tp_fail(e, TP_ERR_FORMAT, "the path has a brace without its other");
        if (array == NULL) {
            array = json_array();
            if (json_object_set_new(operation, "parameters", array) != 0)
                return no_memory(e);
        }
        one = json_pack("{s:s%,s:s,s:b,s:{s:s}}", "name", path + 1, n, "in", "path", "required", 1,
                        "schema", "type", "string");
        if (json_array_append_new(array, one) != 0)
            return tp_fail(e, TP_ERR_FORMAT, "the path is no UTF-8");
        path += n + 1;
    }
    return TP_OK;
}

static enum tp_err put_offer(json_t *offers, const struct payment_priced *p, struct tp_error *e)
{
    json_t *offer = json_object();
    enum tp_err r;

    if (json_array_append_new(offers, offer) != 0)
        return no_memory(e);
    if (p->amount != NULL && !payment_is_amount(p->amount))
        return tp_fail(e, TP_ERR_FORMAT, "the amount: digits make one, in minor units");
    r = jcs_set_text(offer, "intent", p->intent, e);
    if (r == TP_OK)
        r = jcs_set_text(offer, "method", p->method, e);
    if (r == TP_OK && p->amount == NULL && json_object_set_new(offer, "amount", json_null()) != 0)
        r = no_memory(e);
    if (r == TP_OK)
        r = jcs_set_text(offer, "amount", p->amount, e);
    if (r == TP_OK)
        r = jcs_set_text(offer, "currency", p->currency, e);
    return r == TP_OK ? jcs_set_text(offer, "description", p->description, e) : r;
}

static enum tp_err fill(json_t *operation, const struct payment_operation *o, struct tp_error *e)
{
    json_t *responses, *offers;
    enum tp_err r = jcs_set_text(operation, "summary", o->summary, e);

    if (r == TP_OK)
        r = put_parameters(operation, o->path, e);
    if (r != TP_OK)
        return r;
    responses = put_object(operation, "responses");
    r = jcs_set_text(put_object(responses, "200"), "description", "Successful response", e);
    if (r != TP_OK || o->n == 0)
        return r;
    r = jcs_set_text(put_object(responses, "402"), "description", "Payment Required", e);
    if (r != TP_OK)
        return r;
    offers = json_array();
    if (json_object_set_new(put_object(operation, "x-payment-info"), "offers", offers) != 0)
        return no_memory(e);
    for (size_t i = 0; r == TP_OK && i < o->n; i++)
        r = put_offer(offers, &o->offers[i], e);
    return r;
}

enum tp_err payment_discovery_add(json_t *document, const struct payment_operation *o,
                                  struct tp_error *e)
{
    json_t *path, *operation;
    enum tp_err r;

    if (o->path[0] != '/' || !is_verb(o->verb))
        return tp_fail(e, TP_ERR_FORMAT, "%s %s is no operation", o->verb, o->path);
    path = json_object_get(json_object_get(document, "paths"), o->path);
    if (json_object_get(path, o->verb) != NULL)
        return tp_fail(e, TP_ERR_EXISTS, "%s %s is there already", o->verb, o->path);
    operation = json_object();
    if (operation == NULL)
        return no_memory(e);
    r = fill(operation, o, e);
    if (r == TP_OK && path == NULL)
        path = put_object(json_object_get(document, "paths"), o->path);
    if (r == TP_OK && json_object_set(path, o->verb, operation) != 0)
        r = tp_fail(e, TP_ERR_FORMAT, "the path is no UTF-8");
    json_decref(operation);
    return r;
}
