noinst_LIBRARIES += libdrivers.a
libdrivers_a_SOURCES = drivers/inproc.c drivers/inproc.h drivers/pcsc.c drivers/pcsc.h drivers/pcsc_error.c drivers/pcsc_priv.h drivers/pcsc_wait.c \
	drivers/reader.c drivers/reader.h
DRIVERS_LIBS = libdrivers.a $(APDU_LIBS) $(PCSC_LIBS)

check_PROGRAMS += tests/unit/test_reader
TESTS += tests/unit/test_reader
tests_unit_test_reader_SOURCES = tests/unit/test_reader.c tests/unit/unit.h
tests_unit_test_reader_CFLAGS = $(UNIT_CFLAGS)
tests_unit_test_reader_LDADD = $(DRIVERS_LIBS) $(CHECK_LIBS)
