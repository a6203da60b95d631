# The catalogues of translations (src/base/text.h). msgfmt holds the formats to be those of the original; tests/check-style that nothing is left out.
# From the build tree: TELEPAY_LOCALEDIR=$PWD/po LANGUAGE=fr LC_ALL=C.UTF-8 ./telepay …
dist_noinst_DATA += po/fr.po po/sources.sh po/argp.c
frcataloguedir = $(localedir)/fr/LC_MESSAGES
nodist_frcatalogue_DATA = po/fr/LC_MESSAGES/telepay.mo
CLEANFILES += $(nodist_frcatalogue_DATA)

po/fr/LC_MESSAGES/telepay.mo: po/fr.po
	$(AM_V_GEN)$(MKDIR_P) $(@D) && $(MSGFMT) -c -o $@ $(top_srcdir)/po/fr.po

# After texts were changed: puts the new ones into the catalogue, to be translated, and takes the old ones out of use.
update-po:
	cd $(top_srcdir) && po/sources.sh po/telepay.pot && msgmerge -q -N --no-location -U --backup=none po/fr.po po/telepay.pot && rm po/telepay.pot
.PHONY: update-po
