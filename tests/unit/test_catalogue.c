/* Catalogues of a service: what a person writes, read as it is meant, or refused with a sentence
 * that names file, article, key and remedy; and the files of its folder. */
#include "unit.h"

#include <stdio.h>
#include <sys/stat.h>

#include "base/file.h"
#include "service/catalogue.h"

#define COUNT(t) (sizeof(t) / sizeof((t)[0]))

static struct catalogue *read_text(const char *text, struct tp_error *e)
{
    struct catalogue *c = NULL;
    FILE *f = fmemopen((void *)(uintptr_t)text, strlen(text), "r");

    ck_assert_ptr_nonnull(f);
    ck_assert_int_eq(catalogue_read(&c, f, "shop.ini", e) == TP_OK, c != NULL);
    fclose(f);
    return c;
}

static struct catalogue *good(const char *text)
{
    struct tp_error e = {TP_OK, ""};
    struct catalogue *c = read_text(text, &e);

    ck_assert_msg(c != NULL, "%s", e.text);
    return c;
}

START_TEST(every_key_is_taken)
    {
        struct catalogue *c = good("\xef\xbb\xbf; a shop\r\n"
                                   "[journal/2026/1]\r\n"
                                   "designation = Le num\xc3\xa9ro 1\r\n"
                                   "merchant : Librairie du Port\r\n"
                                   "price = 1,50 EUR\r\n"
                                   "file = journal/one.html\r\n"
                                   "type = text/html; charset=iso-8859-1\r\n"
                                   "available = yes\r\n"
                                   "from = 2026-01-01\r\n"
                                   "until = 2026-12\r\n"
                                   "stock = 999999999\r\n"
                                   "valid = 1440\r\n");
        const struct article *a = catalogue_at(c, 0);

        ck_assert_uint_eq(catalogue_size(c), 1);
        ck_assert_str_eq(a->path, "/journal/2026/1");
        ck_assert_str_eq(a->designation, "Le num\xc3\xa9ro 1");
        ck_assert_str_eq(a->merchant, "Librairie du Port");
        ck_assert_int_eq(a->amount, 150);
        ck_assert_str_eq(a->currency->alpha, "EUR");
        ck_assert_str_eq(a->file, "journal/one.html");
        ck_assert_str_eq(a->type, "text/html; charset=iso-8859-1");
        ck_assert(a->delivery == DELIVERY_NETWORK && !a->withheld);
        ck_assert_int_eq(a->from, 20260101);
        ck_assert_int_eq(a->until, 20261231);
        ck_assert_int_eq(a->stock, 999999999);
        ck_assert_int_eq(a->valid_minutes, 1440);
        catalogue_free(&c);
        ck_assert_ptr_null(c);
    }
END_TEST

START_TEST(what_is_not_said_has_a_default)
    {
        struct catalogue *c = good("[/mug]\nprice = free\ndelivery = shipped\nnote = soon\n"
                                   "[a.b]\nprice = 3 JPY\nfile = a.pdf\navailable = no\n"
                                   "[/]\nprice = free\nfile = README\ndelivery = included\n");
        const struct article *mug = catalogue_find(c, "/mug"), *ab = catalogue_find(c, "/a.b"),
                             *root = catalogue_find(c, "/");

        ck_assert(mug != NULL && ab != NULL && root != NULL);
        ck_assert_str_eq(mug->designation, "mug");
        ck_assert(mug->amount == 0 && mug->currency == NULL && mug->delivery == DELIVERY_SHIPPED);
        ck_assert(mug->stock == -1 && mug->valid_minutes == 10 && mug->from == 0 &&
                  mug->until == 0);
        ck_assert(ab->withheld && ab->amount == 3);
        ck_assert_str_eq(ab->type, "application/pdf");
        ck_assert_str_eq(root->type, "application/octet-stream");
        ck_assert_str_eq(root->designation, "");
        catalogue_free(&c);
    }
END_TEST

START_TEST(articles_are_found_by_their_path_alone)
    {
        struct catalogue *c = good("[b]\nprice=free\nfile=b\n[a/b]\nprice=free\nfile=c\n"
                                   "[a]\nprice=free\nfile=a\n");
        static const char *const in_order[] = {"/a", "/a/b", "/b"};
        static const char *const none[] = {"", "a", "/A", "/a/", "//a", "/a/..", "/c", "/b\n"};
        char far[200];

        ck_assert_uint_eq(catalogue_size(c), COUNT(in_order));
        for (size_t i = 0; i < COUNT(in_order); i++) {
            ck_assert_str_eq(catalogue_at(c, i)->path, in_order[i]);
            ck_assert_ptr_eq(catalogue_find(c, in_order[i]), catalogue_at(c, i));
        }
        for (size_t i = 0; i < COUNT(none); i++)
            ck_assert_ptr_null(catalogue_find(c, none[i]));
        memset(far, 'a', sizeof(far));
        far[0] = '/';
        far[sizeof(far) - 1] = '\0';
        ck_assert_ptr_null(catalogue_find(c, far));
        catalogue_free(&c);
    }
END_TEST

#define MARIE "8tbHII-0XIZRpkQs-ogFQDIG2or56R1qHgDZtx7KZ2M"

START_TEST(what_one_user_owes)
    {
        struct catalogue *c = good("[b]\nprice = 42 EUR\nuser = " MARIE "\n"
                                   "[c]\nprice = 1 EUR\nuser = " MARIE "\nfile = c\nstock = 3\n"
                                   "identify = why\nnote = thanks\n");
        const struct article *b = catalogue_find(c, "/b"), *own = catalogue_find(c, "/c");

        ck_assert_str_eq(b->user, MARIE);
        ck_assert(b->stock == 1 && b->delivery == DELIVERY_SHIPPED);
        ck_assert_str_eq(b->identify, "to show what you owe");
        ck_assert_str_eq(b->note, "it is paid");
        ck_assert(own->stock == 3 && own->delivery == DELIVERY_NETWORK);
        ck_assert_str_eq(own->identify, "why");
        catalogue_free(&c);
    }
END_TEST

START_TEST(known_by_a_card)
    {
        struct catalogue *c = good("[a]\nprice = free\nfile = c\nidentify = why\n"
                                   "identify_by = card\n"
                                   "[b]\nprice = free\nfile = c\nidentify = why\n"
                                   "identify_by = key\n");

        ck_assert(catalogue_find(c, "/a")->by_card);
        ck_assert(!catalogue_find(c, "/b")->by_card);
        catalogue_free(&c);
    }
END_TEST

START_TEST(an_article_for_a_number)
    {
        static const char *const none[] = {"/phone",
                                           "/phone/",
                                           "/phone/12",
                                           "/phone/12a",
                                           "/phone/+",
                                           "/phone/++123",
                                           "/phone/123/45",
                                           "/mug/123",
                                           "/other/123",
                                           "phone/123",
                                           "/phone/1234567890123456789012345"};
        struct catalogue *c = good("[phone]\nprice = 10 EUR\ndelivery = shipped\n"
                                   "designation = Credit\nparameter = telephone number\n"
                                   "[mug]\nprice = free\ndelivery = shipped\n");
        struct article a;

        ck_assert(catalogue_find_for(&a, c, "/phone/+33612345678"));
        ck_assert_str_eq(a.path, "/phone/+33612345678");
        ck_assert_str_eq(a.designation, "Credit: +33612345678");
        ck_assert_int_eq(a.amount, 1000);
        ck_assert(catalogue_find_for(&a, c, "/phone/123"));
        for (size_t i = 0; i < COUNT(none); i++)
            ck_assert_msg(!catalogue_find_for(&a, c, none[i]), "%s", none[i]);
        catalogue_free(&c);
    }
END_TEST

START_TEST(bills_lie_in_a_file_of_their_own)
    {
        static const struct {
            const char *text, *said; /* said NULL: good */
        } rows[] = {
            {"[2026-11]\nprice = 42 EUR\ndesignation = Electricity\nuser = " MARIE "\n", NULL},
            {"[2026-11]\nprice = 42 EUR\n", "there is no file to deliver"},
            {"[a/b]\nprice = 42 EUR\nuser = " MARIE "\n", "no / in its number"},
            {"[2026-11]\nprice = free\nuser = " MARIE "\n", "needs a user and a price"},
            {"[2026-11]\nprice = 42 EUR\nuser = marie\n", "user is a name of 43 characters"},
        };
        char dir[] = "/tmp/telepay-bills-XXXXXX", path[64], command[80];
        struct tp_error e = {TP_OK, ""};
        struct catalogue *c = NULL;

        ck_assert_ptr_nonnull(mkdtemp(dir));
        ck_ok(catalogue_load_bills(&c, dir, &e)); /* nobody owes anything */
        ck_assert_uint_eq(catalogue_size(c), 0);
        catalogue_free(&c);
        snprintf(path, sizeof(path), "%s/" BILLS_FILE, dir);
        for (size_t i = 0; i < COUNT(rows); i++) {
            ck_ok(file_replace(path, span_str(rows[i].text), 0600, &e));
            ck_assert_int_eq(catalogue_load_bills(&c, dir, &e) == TP_OK, rows[i].said == NULL);
            if (rows[i].said == NULL) {
                ck_assert_str_eq(catalogue_at(c, 0)->path, "/bills/2026-11");
                ck_assert_str_eq(catalogue_at(c, 0)->designation, "Bill 2026-11: Electricity");
            } else {
                ck_assert_msg(strstr(e.text, rows[i].said) != NULL, "%s", e.text);
            }
            catalogue_free(&c);
        }
        snprintf(command, sizeof(command), "rm -rf %s", dir);
        ck_assert_int_eq(system(command), 0);
    }
END_TEST

START_TEST(nothing_is_a_catalogue_too)
    {
        struct catalogue *c = good("\n; nothing yet\n");

        ck_assert_uint_eq(catalogue_size(c), 0);
        ck_assert_ptr_null(catalogue_find(c, "/"));
        catalogue_free(&c);
    }
END_TEST

#define FORTY "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
#define LONG  FORTY FORTY FORTY FORTY FORTY

/* What is wrong, and the sentence that is said of it. */
static const struct {
    const char *text, *said;
    enum tp_err code;
} wrong[] = {
    {"price = 1 EUR\n", "shop.ini line 1: price stands before any article: write [NAME] above",
     TP_ERR_USAGE},
    {"[a]\nnonsense\n", "shop.ini line 2 is neither [article] nor key = value", TP_ERR_FORMAT},
    {"[a\nprice = free\n", "shop.ini line 1 is neither", TP_ERR_FORMAT},
    {"[a]\ncolour = red\n", "line 2: [a]: \"colour\" is no word of a catalogue", TP_ERR_USAGE},
    {"[a]\nprice = free\nfile = c\nidentify_by = card\n",
     "article /a: identify_by says how, and identify is to say why", TP_ERR_USAGE},
    {"[a]\nprice = free\nfile = c\nidentify = why\nidentify_by = face\n",
     "identify_by is key, or card, not \"face\"", TP_ERR_USAGE},
    {"[a]\nfile = a\n", "article /a: there is no price: write \"price = 1.50 EUR\", or free",
     TP_ERR_USAGE},
    {"[a]\nprice = 1\n", "[a]: price \"1\" is none: write \"1.50 EUR\", or \"free\"", TP_ERR_USAGE},
    {"[a]\nprice = 1 EURO\n", "price \"1 EURO\" is none", TP_ERR_USAGE},
    {"[a]\nprice = 1  EUR\n", "price \"1  EUR\" is none", TP_ERR_USAGE},
    {"[a]\nprice = EUR\n", "price \"EUR\" is none", TP_ERR_USAGE},
    {"[a]\nprice = Free\n", "price \"Free\" is none", TP_ERR_USAGE},
    {"[a]\nprice = 1.505 EUR\n", "[a]: price, \"1.50 EUR\" or \"free\": the amount 1.505 has too",
     TP_ERR_USAGE},
    {"[a]\nprice = 1.5 JPY\n", "has too many decimals: JPY has 0", TP_ERR_USAGE},
    {"[a]\nprice = 0.00 EUR\n", "or \"free\": the amount is zero", TP_ERR_USAGE},
    {"[a]\nprice = -1 EUR\n", "is not an amount", TP_ERR_USAGE},
    {"[a]\nprice = 99999999999 EUR\n", "too large", TP_ERR_USAGE},
    {"[a]\nprice = 0000000000000000000000000000000000001 EUR\n", "is none", TP_ERR_USAGE},
    {"[a]\nprice = free\nprice = 1 EUR\n", "line 3: [a]: price stands there twice", TP_ERR_USAGE},
    {"[a]\nprice = free\n  1 EUR\n", "a line that begins with a blank goes on", TP_ERR_USAGE},
    {"[a]\nprice = free\n", "article /a: there is no file to deliver: write \"file = NAME\"",
     TP_ERR_USAGE},
    {"[a]\nprice = free\nfile = a\ndelivery = shipped\n",
     "what is shipped has no file: take one of the two away", TP_ERR_USAGE},
    {"[a]\nprice = free\nfile = a\ndelivery = included\nstock = 1\n",
     "is not counted: take the stock away", TP_ERR_USAGE},
    {"[a]\nprice = free\nfile = a\nfrom = 2026-02-01\nuntil = 2026-01\n", "until is before from",
     TP_ERR_USAGE},
    {"[a]\ndelivery = post\n", "delivery \"post\" is none: network, shipped, included and",
     TP_ERR_USAGE},
    {"[a]\nprice = 1 EUR\nfile = a\ndelivery = stream\n", "\"per = SECONDS\"", TP_ERR_USAGE},
    {"[a]\nprice = 1 EUR\nfile = a\nper = 10\n", "\"delivery = stream\"", TP_ERR_USAGE},
    {"[a]\nprice = 1 EUR\nfile = a\nrate = 10\n", "\"delivery = stream\"", TP_ERR_USAGE},
    {"[a]\nprice = free\nfile = a\ndelivery = stream\nper = 10\n", "a stream is sold",
     TP_ERR_USAGE},
    {"[a]\nper = 0\n", "per is the seconds that the price pays for", TP_ERR_USAGE},
    {"[a]\navailable = maybe\n", "available is yes or no, not \"maybe\"", TP_ERR_USAGE},
    {"[a]\nfrom = 31.12.2026\n", "from is a day, 2026-12-31, not \"31.12.2026\"", TP_ERR_USAGE},
    {"[a]\nuntil = 2026-02-30\n", "until is a day", TP_ERR_USAGE},
    {"[a]\nstock = -1\n", "stock", TP_ERR_USAGE},
    {"[a]\nstock = 1000000000\n", "stock", TP_ERR_USAGE},
    {"[a]\nvalid = 0\n", "valid is the minutes that a quote holds, 1 at least", TP_ERR_USAGE},
    {"[a]\nvalid = 1441\n", "valid", TP_ERR_USAGE},
    {"[a]\ntype = text\n", "type is a media type, text/html or the like", TP_ERR_USAGE},
    {"[a]\ntype = text/h\xc3\xa9\n", "type is a media type", TP_ERR_USAGE},
    {"[a]\ndesignation =\n", "[a]: designation", TP_ERR_USAGE},
    {"[a]\ndesignation = di\ang\n", "no control characters", TP_ERR_USAGE},
    {"[a]\nmerchant = caf\xe9\n", "UTF-8", TP_ERR_USAGE},
    {"[a\x1b[1m]\nprice = free\n", "an article's name", TP_ERR_USAGE},
    {"[a]\nfile = /etc/passwd\n", "[a]: file \"/etc/passwd\" leads out of the folder shop: name",
     TP_ERR_SECURITY},
    {"[a]\nfile = ../pki/server.key\n", "leads out", TP_ERR_SECURITY},
    {"[a]\nfile = b/../../seal.key\n", "leads out", TP_ERR_SECURITY},
    {"[a]\nfile = ..\n", "leads out", TP_ERR_SECURITY},
    {"[a]\nfile = b/./c\n", "leads out", TP_ERR_SECURITY},
    {"[a]\nfile = b//c\n", "leads out", TP_ERR_SECURITY},
    {"[a]\nfile = b/\n", "leads out", TP_ERR_SECURITY},
    {"[a b]\nprice = free\n", "an article is named as it stands in its address", TP_ERR_USAGE},
    {"[a//b]\nprice = free\n", "an article is named", TP_ERR_USAGE},
    {"[a/../b]\nprice = free\n", "an article is named", TP_ERR_USAGE},
    {"[a/]\nprice = free\n", "an article is named", TP_ERR_USAGE},
    {"[//]\nprice = free\n", "an article is named", TP_ERR_USAGE},
    {"[a?b]\nprice = free\n", "an article is named", TP_ERR_USAGE},
    {"[a%20b]\nprice = free\n", "an article is named", TP_ERR_USAGE},
    {"[a]\nprice = free\nfile = a\n; " LONG "\nnonsense\n",
     "shop.ini line 4 is too long: a line has at most 198 bytes", TP_ERR_RANGE},
    {"[a]\nnonsense\nprice = free\nfile = " LONG "\n", "shop.ini line 2 is neither", TP_ERR_FORMAT},
    {"[a]\nprice = free\nfile = a\n[/a]\nprice = 1 EUR\nfile = b\n",
     "article /a stands there twice, from line 1 and from line 4", TP_ERR_USAGE},
    {"[a]\nprice = free\nfile = a\n\n[a]\nprice = 1 EUR\nfile = b\n",
     "article /a stands there twice, from line 1 and from line 5", TP_ERR_USAGE},
    {"[a]\nprice = free\nfile = a\n[b]\nprice = free\nfile = b\n[a]\nstock = 1\n",
     "article /a stands there twice, from line 1 and from line 7", TP_ERR_USAGE},
    {"[aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa]\nprice = free\n",
     "the address of an article has at most 48 characters", TP_ERR_RANGE},
    {"[aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa]\nprice=1\n",
     "at most 48 characters", TP_ERR_RANGE},
};

START_TEST(what_is_wrong_is_said)
    {
        struct tp_error e = {TP_OK, ""};
        struct catalogue *c = read_text(wrong[_i].text, &e);

        ck_assert_msg(c == NULL, "taken: %s", wrong[_i].text);
        ck_assert_msg(strstr(e.text, wrong[_i].said) != NULL, "\"%s\" has no \"%s\"", e.text,
                      wrong[_i].said);
        ck_assert_int_eq(e.code, wrong[_i].code);
        ck_assert_msg(strncmp(e.text, "shop.ini", 8) == 0, "%s", e.text);
        for (const char *at = e.text; *at != '\0'; at++)
            ck_assert_msg((unsigned char)*at >= ' ', "a control character in \"%s\"", e.text);
    }
END_TEST

/* A line of 198 bytes is read, with an end and without. */
START_TEST(lines_have_an_end)
    {
        char text[600];
        struct tp_error e = {TP_OK, ""};
        struct catalogue *c;
        int n;

        for (size_t i = 0; i < 2; i++) {
            n = snprintf(text, sizeof(text), "[a]\nprice = free\nfile = %191s%s", "b",
                         i == 0 ? "\n" : "");
            c = good(text);
            ck_assert_str_eq(catalogue_at(c, 0)->file, "b");
            catalogue_free(&c);
        }
        strcpy(text + n, "aa");
        ck_assert_ptr_null(read_text(text, &e));
        ck_assert_msg(strstr(e.text, "line 3 is too long") != NULL, "%s", e.text);
    }
END_TEST

/* A text of 64 characters is the longest, whatever their bytes. */
START_TEST(texts_have_an_end)
    {
        char text[600] = "[a]\nprice = free\nfile = a\ndesignation = ";
        struct tp_error e = {TP_OK, ""};
        struct catalogue *c;
        size_t n = strlen(text);

        for (size_t i = 0; i < 40; i++, n += 4)
            memcpy(text + n, "\xf0\x9f\x8d\xba", 4);
        text[n] = '\0';
        c = good(text);
        ck_assert_uint_eq(strlen(catalogue_at(c, 0)->designation), 160);
        catalogue_free(&c);
        n = strlen("[a]\nprice = free\nfile = a\ndesignation = ");
        memset(text + n, 'a', 65);
        text[n + 65] = '\0';
        ck_assert_ptr_null(read_text(text, &e));
        ck_assert_msg(strstr(e.text, "designation") != NULL, "%s", e.text);
        text[n + 64] = '\0';
        c = good(text);
        ck_assert_uint_eq(strlen(catalogue_at(c, 0)->designation), 64);
        catalogue_free(&c);
    }
END_TEST

START_TEST(it_is_sold_from_its_first_day_to_its_last)
    {
        struct tm noon = {
            .tm_year = 126, .tm_mon = 5, .tm_mday = 15, .tm_hour = 12, .tm_isdst = -1};
        const time_t now = mktime(&noon);
        static const struct {
            struct article a;
            bool sold;
        } cases[] = {
            {{.from = 0}, true},          {{.from = 20260615}, true},
            {{.from = 20260616}, false},  {{.until = 20260615}, true},
            {{.until = 20260614}, false}, {{.from = 20260615, .until = 20260615}, true},
            {{.withheld = true}, false},
        };

        for (size_t i = 0; i < COUNT(cases); i++)
            ck_assert_msg(article_on_sale(&cases[i].a, now) == cases[i].sold, "case %zu", i);
    }
END_TEST

/* ---- files ---- */

static char dir[32];

static const char *at(const char *name)
{
    static char path[128];

    snprintf(path, sizeof(path), "%s/%s", dir, name);
    return path;
}

static void write_file(const char *name, const char *text)
{
    FILE *f = fopen(at(name), "w");

    ck_assert_ptr_nonnull(f);
    ck_assert(fputs(text, f) >= 0 && fclose(f) == 0);
}

static void make_folder(void)
{
    strcpy(dir, "/tmp/test_catalogue.XXXXXX");
    ck_assert_ptr_nonnull(mkdtemp(dir));
    ck_assert_int_eq(mkdir(at("shop"), 0755), 0);
    ck_assert_int_eq(mkdir(at("shop/inner"), 0755), 0);
    write_file("secret", "secret");
    write_file("shop/file", "12345");
    write_file("shop/inner/file", "123");
    ck_assert_int_eq(symlink("../secret", at("shop/link")), 0);
    ck_assert_int_eq(symlink("inner", at("shop/way")), 0);
    ck_assert_int_eq(mkfifo(at("shop/pipe"), 0600), 0);
}

static void drop_folder(void)
{
    char command[64];

    snprintf(command, sizeof(command), "rm -rf %s", dir);
    ck_assert_int_eq(system(command), 0);
}

START_TEST(files_of_the_folder_are_opened)
    {
        struct tp_error e;
        uint64_t size = 0;
        char text[8] = "";
        int fd = -1;

        ck_ok(catalogue_open_file(&fd, &size, dir, "file", &e));
        ck_assert_uint_eq(size, 5);
        ck_assert_int_eq(read(fd, text, sizeof(text)), 5);
        ck_assert_str_eq(text, "12345");
        close(fd);
        ck_ok(catalogue_open_file(&fd, &size, dir, "inner/file", &e));
        ck_assert_uint_eq(size, 3);
        close(fd);
    }
END_TEST

START_TEST(nothing_else_is)
    {
        static const struct {
            const char *file, *said;
            enum tp_err code;
        } cases[] = {
            {"none", "there is no file shop/none", TP_ERR_NOT_FOUND},
            {"none/file", "there is no file shop/none/file", TP_ERR_NOT_FOUND},
            {"link", "shop/link is reached by a symbolic link", TP_ERR_SECURITY},
            {"way/file", "shop/way/file is reached by a symbolic link", TP_ERR_SECURITY},
            {"file/file", "or by what is no folder", TP_ERR_SECURITY},
            {"inner", "shop/inner is no file", TP_ERR_SECURITY},
            {"pipe", "shop/pipe is no file", TP_ERR_SECURITY},
        };

        for (size_t i = 0; i < COUNT(cases); i++) {
            struct tp_error e = {TP_OK, ""};
            uint64_t size = 0;
            int fd = 0;

            ck_assert_int_eq(catalogue_open_file(&fd, &size, dir, cases[i].file, &e),
                             cases[i].code);
            ck_assert_msg(strstr(e.text, cases[i].said) != NULL, "%s: %s", cases[i].file, e.text);
            ck_assert_int_eq(fd, -1);
        }
    }
END_TEST

START_TEST(a_catalogue_that_is_not_there)
    {
        struct catalogue *c = NULL;
        struct tp_error e = {TP_OK, ""};

        ck_assert_int_eq(catalogue_load(&c, dir, &e), TP_ERR_NOT_FOUND);
        ck_assert_msg(strstr(e.text, at("catalogue.ini")) != NULL, "%s", e.text);
        write_file("catalogue.ini", "[a]\nprice = free\nfile = file\n");
        ck_ok(catalogue_load(&c, dir, &e));
        ck_assert_uint_eq(catalogue_size(c), 1);
        catalogue_free(&c);
        write_file("catalogue.ini", "[a]\nprice = dear\n");
        ck_assert_int_eq(catalogue_load(&c, dir, &e), TP_ERR_USAGE);
        ck_assert_msg(strstr(e.text, at("catalogue.ini line 2: [a]: price")) != NULL, "%s", e.text);
        ck_assert_ptr_null(c);
    }
END_TEST

static Suite *catalogue_suite(void)
{
    Suite *s = suite_create("catalogue");
    TCase *text = tcase_create("text"), *files = tcase_create("files");

    tcase_add_test(text, every_key_is_taken);
    tcase_add_test(text, what_is_not_said_has_a_default);
    tcase_add_test(text, articles_are_found_by_their_path_alone);
    tcase_add_test(text, what_one_user_owes);
    tcase_add_test(text, known_by_a_card);
    tcase_add_test(text, an_article_for_a_number);
    tcase_add_test(text, bills_lie_in_a_file_of_their_own);
    tcase_add_test(text, nothing_is_a_catalogue_too);
    tcase_add_loop_test(text, what_is_wrong_is_said, 0, COUNT(wrong));
    tcase_add_test(text, lines_have_an_end);
    tcase_add_test(text, texts_have_an_end);
    tcase_add_test(text, it_is_sold_from_its_first_day_to_its_last);
    suite_add_tcase(s, text);
    tcase_add_checked_fixture(files, make_folder, drop_folder);
    tcase_add_test(files, files_of_the_folder_are_opened);
    tcase_add_test(files, nothing_else_is);
    tcase_add_test(files, a_catalogue_that_is_not_there);
    suite_add_tcase(s, files);
    return s;
}

UNIT_MAIN(catalogue_suite)
