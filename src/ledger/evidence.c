/* The kinds of evidence, and what is common to them. */
#include "ledger/evidence.h"

#include <string.h>

#include "ledger/evidence_priv.h"

static const struct evidence_kind kinds[] = {
    {EVIDENCE_EMV, "emv", evidence_emv_parse, evidence_emv_check, evidence_emv_prove,
     evidence_emv_read},
};

const struct evidence_kind *evidence_kind_find(enum evidence_kind_id id)
{
    for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++)
        if (kinds[i].id == id)
            return &kinds[i];
    return NULL;
}

const struct evidence_kind *evidence_kind_named(const char *name)
{
    for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++)
        if (strcmp(kinds[i].name, name) == 0)
            return &kinds[i];
    return NULL;
}

const char *evidence_step_name(enum evidence_step s)
{
    static const char *const names[EVIDENCE_STEPS] = {
        [EVIDENCE_PRESENT] = "data objects",           [EVIDENCE_AUTHORITY] = "authority key",
        [EVIDENCE_ISSUER_CERT] = "issuer certificate", [EVIDENCE_ICC_CERT] = "card certificate",
        [EVIDENCE_SDAD] = "card's signature",          [EVIDENCE_SIGNED] = "signed values",
    };

    return (unsigned)s < EVIDENCE_STEPS ? names[s] : "unknown step";
}

/* A payment by DE 55 is a card's: no other kind comes in messages yet. */
enum tp_err evidence_from_message(struct evidence *ev, struct span de55, struct span stream,
                                  struct span pan)
{
    const struct evidence_kind *kind = evidence_kind_find(EVIDENCE_EMV);
    const enum tp_err r = kind->parse(ev, de55, stream, pan);

    ev->kind = kind->id;
    return r;
}

enum tp_err evidence_check(struct evidence_result *result, struct evidence_cache *cache,
                           const struct evidence *ev, const struct evidence_claim *claim, int date)
{
    const struct evidence_kind *kind = evidence_kind_find(ev->kind);

    memset(result, 0, sizeof(*result));
    return kind != NULL ? kind->check(result, cache, ev, claim, date) : TP_ERR_INTERNAL;
}

enum tp_err evidence_to_json(json_t **object, const struct evidence *ev)
{
    const struct evidence_kind *kind = evidence_kind_find(ev->kind);

    *object = NULL;
    return kind != NULL ? kind->prove(object, ev) : TP_ERR_INTERNAL;
}

/* A file that names no kind is of EMV, as all public vectors are. */
enum tp_err evidence_from_json(struct evidence *ev, struct buf *arena, const json_t *object,
                               struct tp_error *e)
{
    const json_t *named = json_object_get(object, "kind");
    const char *name = json_string_value(named);
    const struct evidence_kind *kind = named == NULL  ? evidence_kind_find(EVIDENCE_EMV)
                                       : name != NULL ? evidence_kind_named(name)
                                                      : NULL;
    enum tp_err r;

    memset(ev, 0, sizeof(*ev));
    if (kind == NULL)
        return tp_fail(e, TP_ERR_FORMAT, "its \"kind\" is none that is known here: \"emv\"");
    r = kind->read(ev, arena, object, e);
    ev->kind = kind->id;
    return r;
}
