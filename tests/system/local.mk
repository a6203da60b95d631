dist_noinst_SCRIPTS += tests/system/with-pcscd tests/system/with-postgres tests/tools/light_key.py
dist_noinst_DATA += tests/system/common.sh
dist_check_SCRIPTS += tests/system/postgres_private.sh tests/system/postgres_bad.sh
TESTS += tests/system/postgres_private.sh tests/system/postgres_bad.sh
check_PROGRAMS += tests/system/postgres_bad
tests_system_postgres_bad_SOURCES = tests/system/postgres_bad.c tests/tools/postgres.h tests/unit/unit.h
tests_system_postgres_bad_LDADD = $(STORE_LIBS) $(CHECK_LIBS)
dist_noinst_SCRIPTS += quickstart .ci/run

check_PROGRAMS += tests/system/pcsc_driver
dist_check_SCRIPTS += tests/system/pcsc_driver.sh
TESTS += tests/system/pcsc_driver.sh
tests_system_pcsc_driver_SOURCES = tests/system/pcsc_driver.c tests/unit/unit.h
tests_system_pcsc_driver_LDADD = $(DRIVERS_LIBS) $(CHECK_LIBS)
dist_check_SCRIPTS += tests/system/readers.sh
TESTS += tests/system/readers.sh

dist_check_SCRIPTS += tests/system/quickstart.sh tests/system/service_user.sh
TESTS += tests/system/service_user.sh
# What looks at scripts and papers sees no more of the programs that are built with sanitizers.
if !SANITIZERS
TESTS += tests/system/quickstart.sh tests/system/readme.sh
endif

# The books in PostgreSQL.
dist_check_SCRIPTS += tests/system/postgres.sh tests/system/postgres_way.sh tests/system/postgres_move.sh
TESTS += tests/system/postgres_way.sh tests/system/postgres_move.sh
# The unit tests of the books on it: the same C as on SQLite but for the driver, which postgres_bad.sh has to itself. Nine tenths of it is the server's work.
if !SANITIZERS
TESTS += tests/system/postgres.sh
endif

# The CCID driver over a USB of paper.
USB_DOUBLE = tests/tools/ccid_double.c tests/tools/ccid_double.h tests/tools/t1_card.c tests/tools/t1_card.h tests/tools/usb_double.c tests/tools/usb_double.h
dist_check_SCRIPTS += tests/system/ccid_driver.sh tests/system/ccid_pay.sh tests/system/ccid_pcscd.sh tests/system/udev_rule.sh
EXTRA_DIST += $(USB_DOUBLE) tests/system/ccid_driver.c tests/tools/ccid_desk.c tests/bench/bench_ccid.c
if UMOCKDEV
check_PROGRAMS += tests/system/ccid_driver
TESTS += tests/system/ccid_driver.sh
tests_system_ccid_driver_SOURCES = tests/system/ccid_driver.c $(USB_DOUBLE) tests/unit/unit.h
tests_system_ccid_driver_LDADD = $(SIMCARD_LIBS) $(UMOCKDEV_LIBS) $(CHECK_LIBS)
check_PROGRAMS += tests/tools/ccid_desk
TESTS += tests/system/ccid_pay.sh tests/system/ccid_pcscd.sh tests/system/udev_rule.sh
tests_tools_ccid_desk_SOURCES = tests/tools/ccid_desk.c $(USB_DOUBLE)
tests_tools_ccid_desk_LDADD = $(SIMCARD_LIBS) $(UMOCKDEV_LIBS)
check_PROGRAMS += tests/bench/bench_ccid
BENCHES += tests/bench/bench_ccid
tests_bench_bench_ccid_SOURCES = tests/bench/bench_ccid.c tests/bench/bench.h $(BENCH_RIG) $(BENCH_PCSCD) $(USB_DOUBLE)
tests_bench_bench_ccid_LDADD = $(KERNEL_LIBS) $(SIMCARD_LIBS) $(KERNEL_LIBS) $(UMOCKDEV_LIBS)
endif

# Services: telepay-service, and one after doc/service.md alone.
dist_check_SCRIPTS += tests/system/service.sh tests/system/service_postgres.sh
TESTS += tests/system/service.sh tests/system/service_postgres.sh

# One vocabulary of JSON over all programs.
dist_noinst_SCRIPTS += tests/tools/check_json.py
dist_check_SCRIPTS += tests/system/json.sh
TESTS += tests/system/json.sh

# Clients of others, and the npm packages that they are.
dist_check_SCRIPTS += tests/system/mppx.sh
if !SANITIZERS # what is judged there are programs of others
TESTS += tests/system/mppx.sh
endif
EXTRA_DIST += tests/npm/judge.mjs tests/npm/shop.mjs tests/npm/package.json tests/npm/package-lock.json tests/tools/cut_answer.py

# Browsers, and the agent that their links lead to.
dist_noinst_DATA += tests/system/agent_common.sh tests/system/browser_common.sh
dist_check_SCRIPTS += tests/system/agent.sh tests/system/browser.sh tests/system/purse_browser.sh tests/faults/agent_kill.sh
TESTS += tests/system/agent.sh tests/faults/agent_kill.sh
if !SANITIZERS # a browser is judged by its pages, which are the same
TESTS += tests/system/browser.sh tests/system/purse_browser.sh
endif
EXTRA_DIST += tests/tools/browser.py tests/tools/pinentry_double.py tests/tools/at_terminal.py tests/tools/rude_caller.py
