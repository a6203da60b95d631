# The door of HTTPS daemons
noinst_LIBRARIES += libhttp.a
libhttp_a_SOURCES = src/wire/guests.c src/wire/guests.h src/wire/http_answer.c src/wire/http_call.h src/wire/http_door.c src/wire/http_door.h \
	src/wire/http_flow.c src/wire/http_flow.h \
	src/wire/http_peer.c src/wire/http_priv.h src/wire/html.c src/wire/html.h src/wire/pages.c src/wire/pages.h src/wire/pass.c src/wire/pass.h src/wire/throttle.c src/wire/throttle.h
libhttp_a_CFLAGS = $(AM_CFLAGS) $(GNUTLS_CFLAGS)
pagesdatadir = $(pkgdatadir)/pages
dist_pagesdata_DATA = data/pages/frame.html data/pages/problem.html data/pages/telepay.css
HTTP_LIBS = libhttp.a $(BASE_LIBS) $(MICROHTTPD_LIBS) $(GNUTLS_LIBS)

# The client of other daemons' HTTPS
noinst_LIBRARIES += libhttpclient.a
libhttpclient_a_SOURCES = src/wire/http_client.c src/wire/http_client.h
HTTP_CLIENT_LIBS = libhttpclient.a $(CURL_LIBS) $(TPCRYPTO_LIBS)
