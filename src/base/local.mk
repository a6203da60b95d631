noinst_LIBRARIES += libbase.a
libbase_a_SOURCES = \
	src/base/base64.c src/base/base64.h \
	src/base/bcd.c src/base/bcd.h \
	src/base/cli.c src/base/cli.h \
	src/base/conf.c src/base/conf.h \
	src/base/date.c src/base/date.h \
	src/base/err.c src/base/err.h \
	src/base/file.c src/base/file.h \
	src/base/hex.c src/base/hex.h \
	src/base/iban.c src/base/iban.h \
	src/base/log.c src/base/log.h \
	src/base/mask.c src/base/mask.h \
	src/base/money.c src/base/money.h \
	src/base/secret.c src/base/secret.h \
	src/base/span.c src/base/span.h \
	src/base/table.c src/base/table.h \
	src/base/word.c src/base/word.h
