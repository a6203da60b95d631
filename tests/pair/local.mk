# The terminal against paper cards (scripts by hand) and against the card of simcard/.
PAPER = tests/pair/paper.c tests/pair/paper.h tests/pair/paper_t0.c tests/pair/paper_words.c
PAIR_SCHEME = tests/pair/pair_scheme.c tests/pair/pair_scheme.h $(KEPT_KEYS)
check_PROGRAMS += tests/pair/test_kernel
TESTS += tests/pair/test_kernel
tests_pair_test_kernel_SOURCES = tests/pair/test_kernel.c tests/pair/kernel_rows.h $(PAPER) tests/unit/unit.h
tests_pair_test_kernel_LDADD = $(KERNEL_LIBS) $(CHECK_LIBS)

check_PROGRAMS += tests/pair/test_kernel_issuer
TESTS += tests/pair/test_kernel_issuer
tests_pair_test_kernel_issuer_SOURCES = tests/pair/test_kernel_issuer.c tests/pair/issuer_rows.h $(PAPER) tests/unit/unit.h
tests_pair_test_kernel_issuer_LDADD = $(KERNEL_LIBS) $(CHECK_LIBS)

check_PROGRAMS += tests/pair/test_kernel_select
TESTS += tests/pair/test_kernel_select
tests_pair_test_kernel_select_SOURCES = tests/pair/test_kernel_select.c $(PAPER) tests/unit/unit.h
tests_pair_test_kernel_select_LDADD = $(KERNEL_LIBS) $(CHECK_LIBS)

check_PROGRAMS += tests/pair/test_kernel_keypad
TESTS += tests/pair/test_kernel_keypad
tests_pair_test_kernel_keypad_SOURCES = tests/pair/test_kernel_keypad.c $(PAPER) tests/unit/unit.h
tests_pair_test_kernel_keypad_LDADD = $(KERNEL_LIBS) $(CHECK_LIBS)

check_PROGRAMS += tests/pair/test_pair
TESTS += tests/pair/test_pair
tests_pair_test_pair_SOURCES = tests/pair/test_pair.c tests/pair/fault_rows.h tests/pair/xda_rows.h $(PAPER) $(PAIR_SCHEME) tests/unit/unit.h
tests_pair_test_pair_LDFLAGS = $(KEPT_KEYS_LDFLAGS)
tests_pair_test_pair_LDADD = $(KERNEL_LIBS) $(SIMCARD_LIBS) $(KERNEL_LIBS) $(CHECK_LIBS)

check_PROGRAMS += tests/pair/test_issuer
TESTS += tests/pair/test_issuer
tests_pair_test_issuer_SOURCES = tests/pair/test_issuer.c $(PAPER) $(PAIR_SCHEME) tests/unit/unit.h
tests_pair_test_issuer_LDFLAGS = $(KEPT_KEYS_LDFLAGS)
tests_pair_test_issuer_LDADD = $(KERNEL_LIBS) $(SIMCARD_LIBS) $(KERNEL_LIBS) $(CHECK_LIBS)

# The product of methods, cardholder verification, decisions, issuers and faults, against a second statement of what must come of each.
check_PROGRAMS += tests/pair/test_product
TESTS += tests/pair/test_product
tests_pair_test_product_SOURCES = tests/pair/test_product.c tests/pair/product.h tests/pair/product_rows.h tests/pair/product_expect.c $(PAPER) $(PAIR_SCHEME) \
	tests/unit/unit.h
tests_pair_test_product_LDFLAGS = $(KEPT_KEYS_LDFLAGS)
tests_pair_test_product_LDADD = $(SIMCARD_LIBS) $(PAYER_LIBS) $(LEDGER_LIBS) $(CHECK_LIBS)

check_PROGRAMS += tests/pair/test_kernel_xda
TESTS += tests/pair/test_kernel_xda
tests_pair_test_kernel_xda_SOURCES = tests/pair/test_kernel_xda.c $(PAPER) tests/unit/unit.h
tests_pair_test_kernel_xda_LDADD = $(KERNEL_LIBS) $(CHECK_LIBS)

check_PROGRAMS += tests/pair/test_kernel_vector
TESTS += tests/pair/test_kernel_vector
tests_pair_test_kernel_vector_SOURCES = tests/pair/test_kernel_vector.c $(PAPER) tests/unit/unit.h
tests_pair_test_kernel_vector_LDADD = $(KERNEL_LIBS) $(CHECK_LIBS)

check_PROGRAMS += tests/fuzz/fuzz_kernel
TESTS += tests/fuzz/fuzz_kernel
tests_fuzz_fuzz_kernel_SOURCES = tests/fuzz/fuzz_kernel.c $(FUZZ_MAIN)
tests_fuzz_fuzz_kernel_LDFLAGS = $(FUZZ_LDFLAGS)
tests_fuzz_fuzz_kernel_LDADD = $(KERNEL_LIBS)

# A payment's commands, bytes and time (make bench).
check_PROGRAMS += tests/bench/bench_pay
BENCHES += tests/bench/bench_pay
BENCH_RIG = tests/bench/bench_rig.c tests/bench/bench_rig.h tests/bench/bench.h
BENCH_PCSCD = tests/bench/bench_pcscd.c tests/bench/bench_pcscd.h
tests_bench_bench_pay_SOURCES = tests/bench/bench_pay.c $(BENCH_RIG) $(BENCH_PCSCD)
tests_bench_bench_pay_LDADD = $(KERNEL_LIBS) $(SIMCARD_LIBS) $(KERNEL_LIBS)

# A whole payment, CDA, enciphered PIN, online; making keys and cards.
check_PROGRAMS += tests/bench/bench_online
BENCHES += tests/bench/bench_online
tests_bench_bench_online_SOURCES = tests/bench/bench_online.c $(BENCH_RIG)
tests_bench_bench_online_LDADD = $(KERNEL_LIBS) $(SIMCARD_LIBS) $(KERNEL_LIBS)

check_PROGRAMS += tests/pair/test_rerun
TESTS += tests/pair/test_rerun
tests_pair_test_rerun_SOURCES = tests/pair/test_rerun.c tests/pair/kernel_rows.h $(PAPER) $(PAIR_SCHEME) tests/unit/unit.h
tests_pair_test_rerun_LDFLAGS = $(KEPT_KEYS_LDFLAGS)
tests_pair_test_rerun_LDADD = $(SIMCARD_LIBS) $(PAYER_LIBS) $(CHECK_LIBS)

check_PROGRAMS += tests/pair/test_lesson
TESTS += tests/pair/test_lesson
tests_pair_test_lesson_SOURCES = tests/pair/test_lesson.c $(PAPER) tests/unit/unit.h
tests_pair_test_lesson_LDADD = $(PAYER_LIBS) $(CHECK_LIBS)
