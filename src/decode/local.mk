noinst_LIBRARIES += libdecode.a
libdecode_a_SOURCES = src/decode/atr.c src/decode/certificate.c src/decode/code.c src/decode/decode.c src/decode/decode.h src/decode/decode_priv.h \
	src/decode/exchange.c src/decode/mcc.c src/decode/message.c src/decode/names.c src/decode/names.h src/decode/parts.c \
	src/decode/value.c src/decode/value_asn1.c src/decode/value_iad.c src/decode/value_scheme.c
DECODE_LIBS = libdecode.a libwire.a libdrivers.a $(TPCRYPTO_LIBS)
