noinst_LIBRARIES += libdrivers.a
libdrivers_a_SOURCES = drivers/inproc.c drivers/inproc.h drivers/pcsc.c drivers/pcsc.h drivers/pcsc_error.c drivers/pcsc_priv.h drivers/pcsc_wait.c \
	drivers/reader.c drivers/reader.h
DRIVERS_LIBS = libdrivers.a $(APDU_LIBS) $(PCSC_LIBS)
