# A card reader with keypad that the private pcscd of tests/system/with-pcscd loads: a shared object, so never with sanitizers, which pcscd has not.
check_PROGRAMS += tests/ifd/pinpad_ifd.so
tests_ifd_pinpad_ifd_so_SOURCES = tests/ifd/pinpad_ifd.c
tests_ifd_pinpad_ifd_so_CFLAGS = -std=gnu11 -fPIC $(WARN_CFLAGS)
tests_ifd_pinpad_ifd_so_LDFLAGS = -shared
tests_ifd_pinpad_ifd_so_LDADD =
