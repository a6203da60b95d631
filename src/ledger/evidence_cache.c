/* Certificate chains that were verified, found again by their bytes; the least used goes first. */
#include "ledger/evidence_priv.h"

#include <stdlib.h>
#include <string.h>

#define NONE       UINT32_MAX
#define ISSUERS    256 /* issuers' entries kept beside the cards' */
#define CHAINS_MAX (1U << 24)

struct entry {
    struct chain chain;
    uint8_t *bytes; /* the parts, one behind the other */
    size_t length[CHAIN_PARTS];
    uint64_t hash;
    uint32_t next;         /* in its bucket */
    uint32_t newer, older; /* in the order of use */
};

struct chains {
    size_t parts, used, capacity;
    uint32_t newest, oldest;
    uint64_t mask;
    uint32_t *buckets;
    struct entry *entries;
};

static void empty(struct entry *e)
{
    emv_pubkey_free(&e->chain.issuer.key);
    emv_pubkey_free(&e->chain.icc.key);
    free(e->bytes);
    e->bytes = NULL;
}

static void chains_free(struct chains **c)
{
    if (*c == NULL)
        return;
    for (size_t i = 0; i < (*c)->used; i++)
        empty(&(*c)->entries[i]);
    free((*c)->entries);
    free((*c)->buckets);
    free(*c);
    *c = NULL;
}

static enum tp_err chains_new(struct chains **out, size_t parts, size_t capacity)
{
    struct chains *c = calloc(1, sizeof(*c));
    size_t buckets = 16;

    *out = NULL;
    if (c == NULL || capacity == 0 || capacity > CHAINS_MAX) {
        free(c);
        return c == NULL ? TP_ERR_NO_MEMORY : TP_ERR_RANGE;
    }
    while (buckets < capacity)
        buckets *= 2;
    c->parts = parts;
    c->capacity = capacity;
    c->newest = c->oldest = NONE;
    c->mask = buckets - 1;
    c->buckets = malloc(buckets * sizeof(*c->buckets));
    c->entries = calloc(capacity, sizeof(*c->entries));
    if (c->buckets == NULL || c->entries == NULL) {
        chains_free(&c);
        return TP_ERR_NO_MEMORY;
    }
    memset(c->buckets, 0xFF, buckets * sizeof(*c->buckets)); /* NONE */
    *out = c;
    return TP_OK;
}

/* Both ends of each long part: certificates differ there. Only what an authority vouched for gets
 * in, so nobody can fill one bucket at will; which entry it is, all bytes decide. */
static uint64_t hash_parts(const struct chains *c, const struct span *parts)
{
    uint64_t h = UINT64_C(0x9E3779B97F4A7C15), ends[2];

    for (size_t i = 0; i < c->parts; i++) {
        if (parts[i].n < sizeof(ends))
            continue;
        memcpy(&ends[0], parts[i].p, sizeof(ends[0]));
        memcpy(&ends[1], parts[i].p + parts[i].n - sizeof(ends[1]), sizeof(ends[1]));
        h = (h ^ ends[0]) * UINT64_C(0xD6E8FEB86659FD93);
        h = (h ^ ends[1] ^ h >> 32) * UINT64_C(0xD6E8FEB86659FD93);
    }
    return h ^ h >> 32;
}

static bool same_bytes(const struct chains *c, const struct entry *e, const struct span *parts)
{
    const uint8_t *at = e->bytes;

    for (size_t i = 0; i < c->parts; i++) {
        if (parts[i].n != e->length[i] ||
            (parts[i].n > 0 && memcmp(at, parts[i].p, parts[i].n) != 0))
            return false;
        at += parts[i].n;
    }
    return true;
}

static void unlink_use(struct chains *c, struct entry *e)
{
    if (e->newer != NONE)
        c->entries[e->newer].older = e->older;
    else
        c->newest = e->older;
    if (e->older != NONE)
        c->entries[e->older].newer = e->newer;
    else
        c->oldest = e->newer;
}

static void link_newest(struct chains *c, uint32_t at)
{
    struct entry *e = &c->entries[at];

    e->newer = NONE;
    e->older = c->newest;
    if (c->newest != NONE)
        c->entries[c->newest].newer = at;
    else
        c->oldest = at;
    c->newest = at;
}

struct chain *chains_find(struct chains *c, const struct span *parts)
{
    const uint64_t hash = hash_parts(c, parts);

    for (uint32_t at = c->buckets[hash & c->mask]; at != NONE; at = c->entries[at].next) {
        struct entry *e = &c->entries[at];

        if (e->hash != hash || !same_bytes(c, e, parts))
            continue;
        if (at != c->newest) {
            unlink_use(c, e);
            link_newest(c, at);
        }
        return &e->chain;
    }
    return NULL;
}

/* Out of its bucket and the order of use, its keys freed. */
static void evict(struct chains *c, uint32_t at)
{
    struct entry *e = &c->entries[at];
    uint32_t *link = &c->buckets[e->hash & c->mask];

    while (*link != at)
        link = &c->entries[*link].next;
    *link = e->next;
    unlink_use(c, e);
    empty(e);
}

enum tp_err chains_add(struct chain **out, struct chains *c, const struct span *parts,
                       const struct chain *made)
{
    struct entry fresh = {.chain = *made, .hash = hash_parts(c, parts)};
    size_t total = 0;
    uint32_t at;

    *out = NULL;
    for (size_t i = 0; i < c->parts; i++)
        total += fresh.length[i] = parts[i].n;
    fresh.bytes = malloc(total > 0 ? total : 1);
    if (fresh.bytes == NULL) {
        empty(&fresh);
        return TP_ERR_NO_MEMORY;
    }
    struct buf b = {fresh.bytes, 0, total};

    for (size_t i = 0; i < c->parts; i++)
        if (buf_put(&b, parts[i]) != TP_OK) {
            empty(&fresh);
            return TP_ERR_INTERNAL;
        }
    if (c->used < c->capacity) {
        at = (uint32_t)c->used++;
    } else {
        at = c->oldest;
        evict(c, at);
    }
    fresh.next = c->buckets[fresh.hash & c->mask];
    c->buckets[fresh.hash & c->mask] = at;
    c->entries[at] = fresh;
    link_newest(c, at);
    *out = &c->entries[at].chain;
    return TP_OK;
}

enum tp_err evidence_cache_new(struct evidence_cache **out, const struct capk_store *authorities,
                               size_t chains)
{
    struct evidence_cache *c = calloc(1, sizeof(*c));
    enum tp_err r = TP_ERR_NO_MEMORY;

    *out = NULL;
    if (c == NULL)
        return r;
    c->authorities = authorities;
    r = chains_new(&c->issuers, CHAIN_ISSUER_PARTS, chains < ISSUERS ? chains : ISSUERS);
    if (r == TP_OK)
        r = chains_new(&c->cards, CHAIN_PARTS, chains);
    if (r != TP_OK)
        evidence_cache_free(&c);
    *out = c;
    return r;
}

void evidence_cache_free(struct evidence_cache **c)
{
    if (*c == NULL)
        return;
    chains_free(&(*c)->issuers);
    chains_free(&(*c)->cards);
    free(*c);
    *c = NULL;
}
