# Every test is a program or script of its own; `make check` runs them all.
# A test in Check has a minute (its own four seconds are few where six run beside each other).
AM_TESTS_ENVIRONMENT = CK_DEFAULT_TIMEOUT=60; export CK_DEFAULT_TIMEOUT; TELEPAY_DATADIR='$(abs_top_srcdir)/data'; export TELEPAY_DATADIR; \
	LC_ALL=C.UTF-8; export LC_ALL; LANGUAGE=; export LANGUAGE; \
	TESTS_SRCDIR='$(abs_top_srcdir)/tests'; export TESTS_SRCDIR; TESTS_BUILDDIR='$(abs_top_builddir)'; export TESTS_BUILDDIR;

# Layout, clang-tidy, shellcheck, and who may know whom: by includes, and by what the objects need of each other. CHECK_STYLE_STEPS="linked headed" does those alone.
check-style: $(noinst_LIBRARIES) $(bin_PROGRAMS) $(pkglibexec_PROGRAMS) $(noinst_PROGRAMS) $(check_PROGRAMS)
	$(top_srcdir)/tests/check-style $(top_srcdir) $(AM_CPPFLAGS) $(AM_CFLAGS) -I.
# The analyzer over the product, a quarter of an hour.
analyze:
	CHECK_STYLE_STEPS=analyzed $(top_srcdir)/tests/check-style $(top_srcdir) $(AM_CPPFLAGS) $(AM_CFLAGS) -I.
.PHONY: check-style analyze
dist_noinst_SCRIPTS += tests/check-style
EXTRA_DIST += .clang-format .clang-tidy .shellcheckrc tests/.clang-tidy tests/analyzer.h \
	tests/vectors/application-cryptograms.json tests/vectors/offline-data-authentication.json \
	tests/vectors/calculator.json tests/vectors/cryptograms-computed.json tests/vectors/key-derivation.json \
	tests/vectors/evidence/amex-cda.json tests/vectors/evidence/capk-bertlv.json tests/vectors/evidence/mc-cda.json \
	tests/vectors/evidence/mc-sda.json tests/vectors/evidence/upi-dda.json tests/vectors/xda-p256.json tests/vectors/xda-cards.json \
	tests/tools/make_xda_card.py

# What takes no server of others, no browser and no patience.
FAST_TESTS = ^tests/(unit|pair)/|^tests/system/(pay|online|methods|collect|issuer|readers|pinpad|manpages|get|mediator|purse|service)\.sh$$
check-fast:
	$(MAKE) $(AM_MAKEFLAGS) check TESTS="$$(printf '%s\n' $(TESTS) | grep -E '$(FAST_TESTS)' | tr '\n' ' ')"

# The same in a bare Debian 13, as root. And the packages, of the archive that make dist or distcheck left.
check-trixie: dist
	$(top_srcdir)/tests/check-trixie $(distdir).tar.xz
check-package:
	$(top_srcdir)/tests/check-package $(distdir).tar.xz
.PHONY: check-fast check-trixie check-package
dist_noinst_SCRIPTS += tests/check-trixie tests/check-package
dist_noinst_DATA += tests/bare_root.sh

# RSA keys that are drawn once (tests/tools/kept_keys.c): of a program with these among its sources the linker flags too.
KEPT_KEYS = tests/tools/kept_keys.c
KEPT_KEYS_LDFLAGS = $(AM_LDFLAGS) -Wl,--wrap=emv_privkey_generate
clean-local: clean-kept-keys
clean-kept-keys:
	rm -rf kept-keys
.PHONY: clean-kept-keys

include tests/unit/local.mk
include tests/pair/local.mk
include tests/ifd/local.mk
include tests/system/local.mk
include tests/fuzz/local.mk
include tests/faults/local.mk
include tests/bench/local.mk
