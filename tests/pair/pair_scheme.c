#include "pair_scheme.h"

#include <stdlib.h>
#include <unistd.h>

#include "unit/unit.h"

void pair_scheme(struct scheme **out, struct capk_store *store, unsigned suite)
{
    struct scheme_params p;
    struct tp_error e;
    char path[] = "/tmp/pair-XXXXXX";
    const int fd = mkstemp(path);

    ck_assert_int_ge(fd, 0);
    close(fd);
    scheme_defaults(&p);
    p.authority_bits = 1408;
    p.issuer_bits = 1152;
    p.suite = suite;
    ck_assert_msg(scheme_new(out, &p, &e) == TP_OK, "%s", e.text);
    ck_assert_msg(scheme_save_authority(*out, path, &e) == TP_OK, "%s", e.text);
    ck_assert_msg(capk_store_load(store, path, &e) == TP_OK, "%s", e.text);
    unlink(path);
}
