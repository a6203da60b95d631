dist_noinst_SCRIPTS += tests/system/with-pcscd
dist_noinst_SCRIPTS += quickstart .ci/run

check_PROGRAMS += tests/system/pcsc_driver
dist_check_SCRIPTS += tests/system/pcsc_driver.sh
TESTS += tests/system/pcsc_driver.sh
tests_system_pcsc_driver_SOURCES = tests/system/pcsc_driver.c tests/unit/unit.h
tests_system_pcsc_driver_CFLAGS = $(UNIT_CFLAGS)
tests_system_pcsc_driver_LDADD = $(DRIVERS_LIBS) $(CHECK_LIBS)
dist_check_SCRIPTS += tests/system/readers.sh
TESTS += tests/system/readers.sh
