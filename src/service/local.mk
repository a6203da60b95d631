# The service.
noinst_LIBRARIES += libservice.a
libservice_a_SOURCES = \
	src/service/sales.c src/service/sales.h \
	src/service/catalogue.c src/service/catalogue.h \
	src/service/counter.c src/service/counter.h \
	src/service/kiosk.c src/service/kiosk.h \
	src/service/quote.c src/service/quote.h \
	src/service/serve.c src/service/serve.h \
	src/service/shop.c src/service/shop.h
SERVICE_LIBS = libservice.a $(HTTP_LIBS) $(PAYMENT_LIBS) $(STORE_LIBS) $(TPCRYPTO_LIBS)

bin_PROGRAMS += telepay-service
telepay_service_SOURCES = src/service/commands.h src/service/init.c src/service/look.c src/service/main.c
telepay_service_LDADD = $(SERVICE_LIBS)
dist_man_MANS += doc/telepay-service.1
dist_noinst_SCRIPTS += tests/tools/python_service.py

check_PROGRAMS += tests/unit/test_catalogue tests/unit/test_quote
TESTS += tests/unit/test_catalogue tests/unit/test_quote
tests_unit_test_catalogue_SOURCES = tests/unit/test_catalogue.c tests/unit/unit.h
tests_unit_test_catalogue_LDADD = $(SERVICE_LIBS) $(CHECK_LIBS)
tests_unit_test_quote_SOURCES = tests/unit/test_quote.c tests/unit/unit.h
tests_unit_test_quote_LDADD = $(SERVICE_LIBS) $(CHECK_LIBS)

check_PROGRAMS += tests/fuzz/fuzz_catalogue
TESTS += tests/fuzz/fuzz_catalogue
tests_fuzz_fuzz_catalogue_SOURCES = tests/fuzz/fuzz_catalogue.c $(FUZZ_MAIN)
tests_fuzz_fuzz_catalogue_LDFLAGS = $(FUZZ_LDFLAGS)
tests_fuzz_fuzz_catalogue_LDADD = $(SERVICE_LIBS)
