/* A payment at a reader, and the same through pcscd and vpcd, for the benches that hold another way
 * beside it. */
#ifndef TP_TESTS_BENCH_PCSCD_H
#define TP_TESTS_BENCH_PCSCD_H

#include "bench_rig.h"

/* A card as the factory makes it. */
struct card *rig_default_card(const struct rig *r);

/* Card in, payment approved with PIN and CDA, card out. */
void rig_pay(struct rig *b, struct reader *reader);

/* Seconds for n payments through pcscd, connect and disconnect included, the card seen before the
 * clock starts; *each: commands and bytes of one. Only beside tests/system/with-pcscd. */
double rig_through_pcscd(struct rig *b, unsigned n, struct reader_counts *each);

#endif
