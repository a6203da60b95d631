dist_check_SCRIPTS += tests/system/manpages.sh
TESTS += tests/system/manpages.sh

dist_doc_DATA = README.md NEWS doc/architecture.md doc/protocol.md
# bash looks a completion up by the name of the program: one file, five names.
COMPLETED = telepay telepay-acquirer telepay-centre telepay-perso telepay-simcard
EXTRA_DIST += doc/telepay.bash-completion LICENSE
install-data-local:
	$(MKDIR_P) '$(DESTDIR)$(bashcompletiondir)'
	for p in $(COMPLETED); do $(INSTALL_DATA) '$(srcdir)/doc/telepay.bash-completion' "$(DESTDIR)$(bashcompletiondir)/$$p" || exit 1; done
uninstall-local:
	for p in $(COMPLETED); do rm -f "$(DESTDIR)$(bashcompletiondir)/$$p"; done
