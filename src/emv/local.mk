bin_PROGRAMS += telepay-emv
telepay_emv_SOURCES = src/emv/cmd_apdu.c src/emv/cmd_decode.c src/emv/commands.h src/emv/input.c src/emv/input.h src/emv/main.c
telepay_emv_LDADD = libpayer.a $(DECODE_LIBS) $(KERNEL_LIBS) $(JANSSON_LIBS)

dist_man_MANS += doc/telepay-emv.1

dist_check_SCRIPTS += tests/system/emv_apdu.sh tests/system/emv_decode.sh
TESTS += tests/system/emv_apdu.sh tests/system/emv_decode.sh
