dist_noinst_SCRIPTS += tests/system/with-pcscd
