bin_PROGRAMS += telepay-issuer
telepay_issuer_SOURCES = \
	src/issuer/commands.h \
	src/issuer/cryptogram.c \
	src/issuer/main.c

# All but the commands, as a library so that tests run it in process.
noinst_LIBRARIES += libissuer.a
libissuer_a_SOURCES = \
	src/issuer/calc.c src/issuer/calc.h
ISSUER_LIBS = libissuer.a $(WIRE_LIBS) $(STORE_LIBS) $(TPCRYPTO_LIBS)
telepay_issuer_LDADD = $(ISSUER_LIBS)

dist_check_SCRIPTS += tests/system/cryptogram.sh
TESTS += tests/system/cryptogram.sh
