dist_noinst_SCRIPTS += tests/system/with-pcscd
dist_noinst_SCRIPTS += quickstart .ci/run
