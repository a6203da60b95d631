dist_check_SCRIPTS += tests/system/manpages.sh
TESTS += tests/system/manpages.sh

dist_doc_DATA = README.md NEWS doc/architecture.md doc/design.md doc/json.md doc/protocol.md doc/service.md doc/till.md
# bash looks a completion up by the name of the program: one file, ten names.
COMPLETED = telepay telepay-acquirer telepay-centre telepay-emv telepay-issuer telepay-mediator telepay-perso telepay-purse telepay-service telepay-simcard
EXTRA_DIST += doc/telepay.bash-completion LICENSE

# The units name the folder of the programs, which is known only now.
UNITS = doc/telepay-acquirer.service doc/telepay-centre.service doc/telepay-collect.service doc/telepay-collect.timer doc/telepay-issuer.service \
	doc/telepay-mediator.service doc/telepay-purse.service doc/telepay-service.service
USER_UNITS = doc/telepay-agent.service
SYSUSERS = doc/telepay-acquirer.sysusers doc/telepay-centre.sysusers doc/telepay-issuer.sysusers doc/telepay-mediator.sysusers doc/telepay-purse.sysusers \
	doc/telepay-service.sysusers
EXTRA_DIST += $(UNITS) $(USER_UNITS) $(SYSUSERS)

install-data-local:
	$(MKDIR_P) '$(DESTDIR)$(systemdsystemunitdir)'
	for u in $(UNITS); do sed 's,[@]bindir[@],$(bindir),' "$(srcdir)/$$u" > "$(DESTDIR)$(systemdsystemunitdir)/$${u#doc/}" || exit 1; done
	$(MKDIR_P) '$(DESTDIR)$(systemduserunitdir)'
	for u in $(USER_UNITS); do sed 's,[@]bindir[@],$(bindir),' "$(srcdir)/$$u" > "$(DESTDIR)$(systemduserunitdir)/$${u#doc/}" || exit 1; done
	$(MKDIR_P) '$(DESTDIR)$(sysusersdir)'
	for u in $(SYSUSERS); do n=$${u#doc/}; $(INSTALL_DATA) "$(srcdir)/$$u" "$(DESTDIR)$(sysusersdir)/$${n%.sysusers}.conf" || exit 1; done
	$(MKDIR_P) '$(DESTDIR)$(bashcompletiondir)'
	for p in $(COMPLETED); do $(INSTALL_DATA) '$(srcdir)/doc/telepay.bash-completion' "$(DESTDIR)$(bashcompletiondir)/$$p" || exit 1; done
uninstall-local:
	for u in $(SYSUSERS); do n=$${u#doc/}; rm -f "$(DESTDIR)$(sysusersdir)/$${n%.sysusers}.conf"; done
	for u in $(UNITS); do rm -f "$(DESTDIR)$(systemdsystemunitdir)/$${u#doc/}"; done
	for u in $(USER_UNITS); do rm -f "$(DESTDIR)$(systemduserunitdir)/$${u#doc/}"; done
	for p in $(COMPLETED); do rm -f "$(DESTDIR)$(bashcompletiondir)/$$p"; done
