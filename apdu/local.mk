noinst_LIBRARIES += libapdu.a
libapdu_a_SOURCES = apdu/apdu.c apdu/apdu.h apdu/dol.c apdu/dol.h apdu/emvtags.c apdu/emvtags.h apdu/sw.c apdu/sw.h apdu/tlv.c apdu/tlv.h
