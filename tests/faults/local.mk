# The tests that kill, at length, one after the other: `make soak`; one: make soak SOAKS=tests/faults/mediator_kill.sh SOAK_KILLS=2000 SEED=7
SOAKS = tests/faults/mediator_kill.sh tests/faults/agent_kill.sh tests/faults/acquirer_kill tests/faults/online_kill tests/faults/issuer_kill tests/faults/purse_kill.sh tests/faults/purse_collect_kill.sh tests/faults/collect_kill.sh tests/faults/mediator_purse_kill.sh tests/faults/payer_kill.sh
SOAK_KILLS = 10000

soak:
	KILLS='$(SOAK_KILLS)' $(MAKE) $(AM_MAKEFLAGS) -j1 check TESTS='$(SOAKS)'
	@cat $(SOAKS:.sh=.sh.log) | grep -i kill
.PHONY: soak
