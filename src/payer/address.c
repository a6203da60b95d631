#include "payer/address.h"

#include <arpa/inet.h>
#include <curl/curl.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

static CURLU *take(const char *url)
{
    CURLU *u = curl_url();

    if (u != NULL && curl_url_set(u, CURLUPART_URL, url, 0) == CURLUE_OK)
        return u;
    curl_url_cleanup(u);
    return NULL;
}

static bool same_part(CURLU *a, CURLU *b, CURLUPart part)
{
    const bool letters = part == CURLUPART_SCHEME || part == CURLUPART_HOST; /* of either case */
    char *x = NULL, *y = NULL;
    const CURLUcode of_a = curl_url_get(a, part, &x, CURLU_DEFAULT_PORT),
                    of_b = curl_url_get(b, part, &y, CURLU_DEFAULT_PORT);
    bool same = of_a == of_b;

    if (of_a == CURLUE_OK && of_b == CURLUE_OK)
        same = letters ? strcasecmp(x, y) == 0 : strcmp(x, y) == 0;
    curl_free(x);
    curl_free(y);
    return same;
}

static bool same_parts(const char *a, const char *b, const CURLUPart *parts, size_t n)
{
    CURLU *x = take(a), *y = take(b);
    bool same = x != NULL && y != NULL;

    for (size_t i = 0; same && i < n; i++)
        same = same_part(x, y, parts[i]);
    curl_url_cleanup(x);
    curl_url_cleanup(y);
    return same;
}

bool address_same_origin(const char *a, const char *b)
{
    static const CURLUPart parts[] = {CURLUPART_SCHEME, CURLUPART_HOST, CURLUPART_PORT};

    return same_parts(a, b, parts, sizeof(parts) / sizeof(parts[0]));
}

bool address_same(const char *a, const char *b)
{
    static const CURLUPart parts[] = {CURLUPART_SCHEME,  CURLUPART_HOST, CURLUPART_PORT,
                                      CURLUPART_USER,    CURLUPART_PATH, CURLUPART_QUERY,
                                      CURLUPART_PASSWORD};

    return same_parts(a, b, parts, sizeof(parts) / sizeof(parts[0]));
}

static bool is_web(const char *scheme)
{
    return strcasecmp(scheme, "https") == 0 || strcasecmp(scheme, "http") == 0;
}

enum tp_err address_origin(char *out, size_t cap, const char *url, struct tp_error *e)
{
    CURLU *u = take(url);
    char *scheme = NULL, *host = NULL, *port = NULL;
    int n = -1;

    if (u != NULL && curl_url_get(u, CURLUPART_SCHEME, &scheme, 0) == CURLUE_OK && is_web(scheme) &&
        curl_url_get(u, CURLUPART_HOST, &host, 0) == CURLUE_OK) {
        (void)curl_url_get(u, CURLUPART_PORT, &port, CURLU_NO_DEFAULT_PORT);
        n = snprintf(out, cap, "%s://%s%s%s", scheme, host, port != NULL ? ":" : "",
                     port != NULL ? port : "");
    }
    curl_free(scheme);
    curl_free(host);
    curl_free(port);
    curl_url_cleanup(u);
    return n > 0 && (size_t)n < cap
               ? TP_OK
               : tp_fail(e, TP_ERR_USAGE,
                         "\"%.200s\" is no address that begins with https:// or http://", url);
}

enum tp_err address_may_pay(const char *url, struct tp_error *e)
{
    static const char *const own[] = {"localhost", "127.0.0.1", "[::1]"};
    CURLU *u = take(url);
    char *scheme = NULL, *host = NULL;
    bool may = false;

    if (u != NULL && curl_url_get(u, CURLUPART_SCHEME, &scheme, 0) == CURLUE_OK &&
        curl_url_get(u, CURLUPART_HOST, &host, 0) == CURLUE_OK) {
        may = strcasecmp(scheme, "https") == 0;
        for (size_t i = 0; !may && i < sizeof(own) / sizeof(own[0]); i++)
            may = strcasecmp(scheme, "http") == 0 && strcasecmp(host, own[i]) == 0;
    }
    curl_free(scheme);
    curl_free(host);
    curl_url_cleanup(u);
    return may ? TP_OK
               : tp_fail(e, TP_ERR_SECURITY,
                         "%.200s: a payment goes over https alone, so that nobody on the way reads "
                         "or changes it",
                         url);
}

/* RFC 1918, RFC 6598, RFC 3927 */
static bool is_near_ipv4(uint32_t host)
{
    static const struct {
        uint32_t net, mask;
    } near[] = {{0x0A000000, 0xFF000000}, {0xAC100000, 0xFFF00000}, {0xC0A80000, 0xFFFF0000},
                {0x64400000, 0xFFC00000}, {0xA9FE0000, 0xFFFF0000}, {0x00000000, 0xFF000000}};

    for (size_t i = 0; i < sizeof(near) / sizeof(near[0]); i++)
        if ((host & near[i].mask) == near[i].net)
            return true;
    return false;
}

/* RFC 4291 (2.5.5), RFC 6052, RFC 3056: what is asked of such an address may come to the one of
 * IPv4 within it. */
static bool embeds_ipv4(uint32_t *four, const struct in6_addr *six)
{
    static const struct {
        uint8_t prefix[12];
        size_t n, at;
    } embedding[] = {{{[10] = 0xFF, [11] = 0xFF}, 12, 12},
                     {{0x00, 0x64, 0xFF, 0x9B}, 12, 12},
                     {{0x20, 0x02}, 2, 2},
                     {{0}, 12, 12}};

    for (size_t i = 0; i < sizeof(embedding) / sizeof(embedding[0]); i++)
        if (memcmp(six->s6_addr, embedding[i].prefix, embedding[i].n) == 0) {
            memcpy(four, six->s6_addr + embedding[i].at, sizeof(*four));
            return true;
        }
    return false;
}

/* RFC 4193, RFC 3879, RFC 8215 */
static bool is_near_ipv6(const struct in6_addr *six)
{
    static const uint8_t translated[] = {0x00, 0x64, 0xFF, 0x9B, 0x00, 0x01};
    uint32_t four;

    if (IN6_IS_ADDR_LOOPBACK(six))
        return false;
    if (embeds_ipv4(&four, six))
        return is_near_ipv4(ntohl(four));
    return IN6_IS_ADDR_LINKLOCAL(six) || IN6_IS_ADDR_SITELOCAL(six) ||
           (six->s6_addr[0] & 0xFE) == 0xFC ||
           memcmp(six->s6_addr, translated, sizeof(translated)) == 0;
}

bool address_is_near(const struct sockaddr *at)
{
    if (at->sa_family == AF_INET)
        return is_near_ipv4(ntohl(((const struct sockaddr_in *)(const void *)at)->sin_addr.s_addr));
    return at->sa_family != AF_INET6 ||
           is_near_ipv6(&((const struct sockaddr_in6 *)(const void *)at)->sin6_addr);
}
