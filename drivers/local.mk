noinst_LIBRARIES += libdrivers.a
libdrivers_a_SOURCES = drivers/atr.c drivers/atr.h drivers/ccid.c drivers/ccid.h drivers/ccid_descriptor.c drivers/ccid_descriptor.h \
	drivers/ccid_message.c drivers/ccid_message.h drivers/ccid_slot.c drivers/ccid_slot.h drivers/ccid_usb.c drivers/ccid_usb.h \
	drivers/inproc.c drivers/inproc.h drivers/pcsc.c drivers/pcsc.h drivers/pcsc_error.c drivers/pcsc_priv.h drivers/pcsc_wait.c \
	drivers/reader.c drivers/reader.h drivers/replay.c drivers/replay.h drivers/t1.c drivers/t1.h drivers/transcript.c drivers/transcript.h
libdrivers_a_SOURCES += drivers/doctor.c drivers/doctor.h drivers/pcsc_list.c drivers/pcsc_pinpad.c drivers/pinpad.c drivers/pinpad.h \
	drivers/readers.c drivers/readers.h drivers/usb_sysfs.c drivers/usb_sysfs.h
DRIVERS_LIBS = libdrivers.a $(APDU_LIBS) $(PCSC_LIBS) $(USB_LIBS)

check_PROGRAMS += tests/unit/test_pinpad
TESTS += tests/unit/test_pinpad
tests_unit_test_pinpad_SOURCES = tests/unit/test_pinpad.c tests/unit/unit.h
tests_unit_test_pinpad_LDADD = $(DRIVERS_LIBS) $(CHECK_LIBS)

check_PROGRAMS += tests/unit/test_usb_sysfs
TESTS += tests/unit/test_usb_sysfs
tests_unit_test_usb_sysfs_SOURCES = tests/unit/test_usb_sysfs.c tests/unit/unit.h
tests_unit_test_usb_sysfs_LDADD = $(DRIVERS_LIBS) $(CHECK_LIBS)

check_PROGRAMS += tests/fuzz/fuzz_pinpad
TESTS += tests/fuzz/fuzz_pinpad
tests_fuzz_fuzz_pinpad_SOURCES = tests/fuzz/fuzz_pinpad.c $(FUZZ_MAIN)
tests_fuzz_fuzz_pinpad_LDFLAGS = $(FUZZ_LDFLAGS)
tests_fuzz_fuzz_pinpad_LDADD = $(DRIVERS_LIBS)

check_PROGRAMS += tests/unit/test_reader
TESTS += tests/unit/test_reader
tests_unit_test_reader_SOURCES = tests/unit/test_reader.c tests/unit/unit.h
tests_unit_test_reader_LDADD = $(DRIVERS_LIBS) $(CHECK_LIBS)

check_PROGRAMS += tests/unit/test_ccid_descriptor
TESTS += tests/unit/test_ccid_descriptor
tests_unit_test_ccid_descriptor_SOURCES = tests/unit/test_ccid_descriptor.c tests/unit/unit.h
tests_unit_test_ccid_descriptor_LDADD = $(DRIVERS_LIBS) $(JANSSON_LIBS) $(CHECK_LIBS)
EXTRA_DIST += tests/data/ccid-readers.json

check_PROGRAMS += tests/unit/test_atr
TESTS += tests/unit/test_atr
tests_unit_test_atr_SOURCES = tests/unit/test_atr.c tests/unit/unit.h
tests_unit_test_atr_LDADD = $(DRIVERS_LIBS) $(CHECK_LIBS)

check_PROGRAMS += tests/unit/test_ccid_message
TESTS += tests/unit/test_ccid_message
tests_unit_test_ccid_message_SOURCES = tests/unit/test_ccid_message.c tests/unit/unit.h
tests_unit_test_ccid_message_LDADD = $(DRIVERS_LIBS) $(CHECK_LIBS)

check_PROGRAMS += tests/fuzz/fuzz_ccid_descriptor
TESTS += tests/fuzz/fuzz_ccid_descriptor
tests_fuzz_fuzz_ccid_descriptor_SOURCES = tests/fuzz/fuzz_ccid_descriptor.c $(FUZZ_MAIN)
tests_fuzz_fuzz_ccid_descriptor_LDFLAGS = $(FUZZ_LDFLAGS)
tests_fuzz_fuzz_ccid_descriptor_LDADD = $(DRIVERS_LIBS)

check_PROGRAMS += tests/fuzz/fuzz_atr
TESTS += tests/fuzz/fuzz_atr
tests_fuzz_fuzz_atr_SOURCES = tests/fuzz/fuzz_atr.c $(FUZZ_MAIN)
tests_fuzz_fuzz_atr_LDFLAGS = $(FUZZ_LDFLAGS)
tests_fuzz_fuzz_atr_LDADD = $(DRIVERS_LIBS)

check_PROGRAMS += tests/fuzz/fuzz_ccid_message
TESTS += tests/fuzz/fuzz_ccid_message
tests_fuzz_fuzz_ccid_message_SOURCES = tests/fuzz/fuzz_ccid_message.c $(FUZZ_MAIN)
tests_fuzz_fuzz_ccid_message_LDFLAGS = $(FUZZ_LDFLAGS)
tests_fuzz_fuzz_ccid_message_LDADD = $(DRIVERS_LIBS)

check_PROGRAMS += tests/unit/test_t1
TESTS += tests/unit/test_t1
tests_unit_test_t1_SOURCES = tests/unit/test_t1.c tests/tools/t1_card.c tests/tools/t1_card.h tests/unit/unit.h
tests_unit_test_t1_LDADD = $(DRIVERS_LIBS) $(CHECK_LIBS)

check_PROGRAMS += tests/fuzz/fuzz_t1
TESTS += tests/fuzz/fuzz_t1
tests_fuzz_fuzz_t1_SOURCES = tests/fuzz/fuzz_t1.c $(FUZZ_MAIN)
tests_fuzz_fuzz_t1_LDFLAGS = $(FUZZ_LDFLAGS)
tests_fuzz_fuzz_t1_LDADD = $(DRIVERS_LIBS)

check_PROGRAMS += tests/unit/test_ccid
TESTS += tests/unit/test_ccid
tests_unit_test_ccid_SOURCES = tests/unit/test_ccid.c tests/tools/ccid_double.c tests/tools/ccid_double.h tests/tools/t1_card.c tests/tools/t1_card.h \
	tests/unit/unit.h
tests_unit_test_ccid_LDADD = $(DRIVERS_LIBS) $(CHECK_LIBS)
