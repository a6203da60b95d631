/* A lesson as a page of HTML, with a picture. What is said is escaped, all of it: it comes from
 * cards. */
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "payer/lesson_priv.h"
#include "wire/html.h"

#define PAGE_MAX 65536

/* ---- the picture: a line down for each who speaks, an arrow for each word ---- */

#define LANE  190
#define LEFT  80
#define HEAD  44
#define ROW   34
#define LABEL 64 /* characters of a label */
#define LANES 5

static const char *const lanes[LANES] = {N_("cardholder"), N_("card"), N_("terminal"),
                                         N_("acquirer"), N_("issuer")};

static int lane(const char *who)
{
    int i = 0;

    while (i < LANES - 1 && strcmp(lanes[i], who) != 0)
        i++;
    return LEFT + i * LANE;
}

static void label(FILE *to, int x, int y, const char *style, const char *text)
{
    size_t cut = 0;

    for (size_t n = 0; text[cut] != '\0'; cut++)
        if (((unsigned char)text[cut] & 0xC0) != 0x80 && n++ == LABEL)
            break;
    fprintf(to, "<text class=\"%s\" x=\"%d\" y=\"%d\">", style, x, y);
    html_put(to, text, cut);
    fprintf(to, "%s</text>\n", text[cut] != '\0' ? "…" : "");
}

static void arrow(FILE *to, const char *from, const char *whom, int y, const char *style,
                  const char *text)
{
    const int x1 = lane(from), x2 = lane(whom), tip = x2 > x1 ? -8 : 8;

    fprintf(to, "<path class=\"%s\" d=\"M%d %dH%d\"/><path class=\"tip\" d=\"M%d %dl%d -4v8z\"/>\n",
            style, x1, y, x2 + tip, x2, y, tip);
    label(to, (x1 + x2) / 2, y - 4, "said", text);
}

static int picture_item(FILE *to, const json_t *o, int y)
{
    const char *kind = lesson_text(o, "kind");

    if (strcmp(kind, "message") == 0) {
        if (to != NULL)
            arrow(to, lesson_text(o, "from"), lesson_text(o, "to"), y + 16, "call",
                  lesson_text(o, "text"));
        return y + 22;
    }
    if (strcmp(kind, "command") != 0)
        return y;
    if (to != NULL) {
        char text[200];

        snprintf(text, sizeof(text), "%s %s", lesson_text(o, "name"), lesson_text(o, "wanted"));
        arrow(to, "terminal", "card", y + 16, "call", text);
        snprintf(text, sizeof(text), "%s %s", lesson_text(o, "status"), lesson_text(o, "given"));
        if (lesson_text(o, "status")[0] != '\0')
            arrow(to, "card", "terminal", y + 31, "answer", text);
    }
    return y + ROW;
}

/* Returns how far down it goes; to NULL: only that. */
static int picture_steps(FILE *to, const json_t *steps, int y)
{
    const json_t *step, *o;
    size_t i, k;

    json_array_foreach(steps, i, step)
    {
        y += 24;
        if (to != NULL) {
            fprintf(to, "<path class=\"step\" d=\"M0 %dH%d\"/>\n", y - 14,
                    2 * LEFT + (LANES - 1) * LANE);
            label(to, 4, y - 2, "title", lesson_text(step, "title"));
        }
        json_array_foreach(json_object_get(step, "items"), k, o) y = picture_item(to, o, y);
    }
    return y;
}

static void picture(FILE *to, const json_t *steps)
{
    const int height = picture_steps(NULL, steps, HEAD) + 16, width = 2 * LEFT + (LANES - 1) * LANE;

    fprintf(to,
            "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 %d %d\" role=\"img\" "
            "aria-labelledby=\"picture-title picture-text\">\n"
            "<title id=\"picture-title\">%s</title>\n"
            "<desc id=\"picture-text\">%s</desc>\n",
            width, height, _("Who says what to whom"),
            _("A line down for cardholder, card, terminal, acquirer and issuer; between them an "
              "arrow for each command, answer and message, from top to bottom in the order of "
              "time. The steps below say the same in words."));
    for (int i = 0; i < LANES; i++) {
        label(to, LEFT + i * LANE, 20, "who", gettext(lanes[i]));
        fprintf(to, "<path class=\"lane\" d=\"M%d 30V%d\"/>\n", LEFT + i * LANE, height - 4);
    }
    picture_steps(to, steps, HEAD);
    fputs("</svg>\n", to);
}

/* ---- the words ---- */

/* <tag class="style">text</tag> */
static void element(FILE *to, const char *tag, const char *style, const char *text)
{
    if (text[0] == '\0')
        return;
    fprintf(to, "<%s%s%s%s>", tag, style != NULL ? " class=\"" : "", style != NULL ? style : "",
            style != NULL ? "\"" : "");
    html_put(to, text, strlen(text));
    fprintf(to, "</%s>", tag);
}

static void list(FILE *to, const json_t *texts)
{
    const json_t *text;
    size_t i;

    if (json_array_size(texts) == 0)
        return;
    fputs("<ul class=\"means\">\n", to);
    json_array_foreach(texts, i, text) element(to, "li", NULL, json_string_value(text));
    fputs("</ul>\n", to);
}

static void objects(FILE *to, const json_t *all)
{
    char value[LESSON_VALUE_MAX];
    const json_t *o;
    size_t i;

    if (json_array_size(all) == 0)
        return;
    fputs("<ul class=\"objects\">\n", to);
    json_array_foreach(all, i, o)
    {
        fputs("<li>", to);
        element(to, "b", NULL, lesson_text(o, "tag"));
        element(to, "span", NULL, lesson_text(o, "name"));
        element(to, "code", NULL, lesson_value(value, o));
        fputc('\n', to);
        list(to, json_object_get(o, "meaning"));
        element(to, "p", "wrong", lesson_text(o, "fault"));
        objects(to, json_object_get(o, "objects"));
        fputs("</li>\n", to);
    }
    fputs("</ul>\n", to);
}

static void command(FILE *to, const json_t *o)
{
    const char *name = lesson_text(o, "name"), *status = lesson_text(o, "status");

    fputs("<article class=\"command\">\n", to);
    element(to, "h3", NULL, name[0] != '\0' ? name : _("An unknown command"));
    fputs("\n<p>", to);
    element(to, "span", NULL, lesson_text(o, "purpose"));
    fprintf(to, _(" (line %d of the trace)"), (int)json_integer_value(json_object_get(o, "line")));
    element(to, "cite", NULL, lesson_text(o, "clause"));
    fputs("</p>\n", to);
    objects(to, json_object_get(o, "objects"));
    if (status[0] == '\0')
        element(to, "p", "wrong", _("No answer came."));
    fputs("</article>\n", to);
}

static void bit(FILE *to, const json_t *o)
{
    fputs("<p class=\"bit\">", to);
    fprintf(to, _("<b>%s</b> byte %d bit %d is set: "), lesson_text(o, "of"),
            (int)json_integer_value(json_object_get(o, "byte")),
            (int)json_integer_value(json_object_get(o, "bit")));
    element(to, "strong", NULL, lesson_text(o, "name"));
    fputs(_(", because "), to);
    element(to, "span", NULL, lesson_text(o, "why"));
    fprintf(to, _(". %s is now "), lesson_text(o, "of"));
    element(to, "code", NULL, lesson_text(o, "value"));
    element(to, "cite", NULL, lesson_text(o, "clause"));
    fputs("</p>\n", to);
}

static void item(FILE *to, const json_t *o)
{
    const char *kind = lesson_text(o, "kind");

    if (strcmp(kind, "command") == 0) {
        command(to, o);
    } else if (strcmp(kind, "bit") == 0) {
        bit(to, o);
    } else if (strcmp(kind, "data") == 0) {
        objects(to, json_object_get(o, "objects"));
    } else if (strcmp(kind, "message") == 0) {
        fputs("<p class=\"message\">", to);
        fprintf(to, _("%s to %s: "), gettext(lesson_text(o, "from")),
                gettext(lesson_text(o, "to")));
        element(to, "q", NULL, lesson_text(o, "text"));
        fputs("</p>\n", to);
    } else {
        fputs("<p class=\"says\">", to);
        element(to, "span", NULL, lesson_text(o, "text"));
        element(to, "cite", NULL, lesson_text(o, "clause"));
        fputs("</p>\n", to);
        list(to, json_object_get(o, "lines"));
    }
}

static void contents(FILE *to, const json_t *steps)
{
    const json_t *step;
    size_t i;

    json_array_foreach(steps, i, step)
    {
        fprintf(to, "<li><a href=\"#step-%zu\">", i + 1);
        element(to, "span", NULL, lesson_text(step, "title"));
        fputs("</a></li>\n", to);
    }
}

static void words(FILE *to, const json_t *steps)
{
    const json_t *step, *o;
    size_t i, k;

    json_array_foreach(steps, i, step)
    {
        fprintf(to, "<section aria-labelledby=\"step-%zu\">\n<h2 id=\"step-%zu\">%zu. ", i + 1,
                i + 1, i + 1);
        element(to, "span", NULL, lesson_text(step, "title"));
        fputs("</h2>\n<p>", to);
        element(to, "span", NULL, lesson_text(step, "purpose"));
        element(to, "cite", NULL, lesson_text(step, "clause"));
        fputs("</p>\n", to);
        json_array_foreach(json_object_get(step, "items"), k, o) item(to, o);
        fputs("</section>\n", to);
    }
}

/* ---- the page ---- */

static void of_summary(FILE *to, const json_t *lesson)
{
    list(to, json_object_get(lesson, "summary"));
}

static void of_contents(FILE *to, const json_t *lesson)
{
    contents(to, json_object_get(lesson, "steps"));
}

static void of_picture(FILE *to, const json_t *lesson)
{
    picture(to, json_object_get(lesson, "steps"));
}

static void of_words(FILE *to, const json_t *lesson)
{
    words(to, json_object_get(lesson, "steps"));
}

static const struct part {
    const char *name;
    void (*put)(FILE *to, const json_t *lesson);
} parts[] = {{"summary", of_summary},
             {"contents", of_contents},
             {"picture", of_picture},
             {"steps", of_words}};
#define PARTS (sizeof(parts) / sizeof(parts[0]))

/* Of the template itself. */
static const struct {
    const char *name, *text;
} fixed[] = {{"lang", N_("en")},
             {"contents_label", N_("Steps")},
             {"picture_label", N_("Picture: who says what to whom")}};

struct page {
    const char *title;
    char *part[PARTS];
};

static const char *value_of(const void *ctx, const char *name)
{
    const struct page *p = ctx;

    for (size_t i = 0; i < PARTS; i++)
        if (strcmp(parts[i].name, name) == 0)
            return p->part[i];
    for (size_t i = 0; i < sizeof(fixed) / sizeof(fixed[0]); i++)
        if (strcmp(fixed[i].name, name) == 0)
            return gettext(fixed[i].text);
    return strcmp(name, "title") == 0 ? p->title : NULL;
}

static enum tp_err make_parts(struct page *p, const json_t *lesson, struct tp_error *e)
{
    for (size_t i = 0; i < PARTS; i++) {
        size_t n;
        FILE *to = open_memstream(&p->part[i], &n);

        if (to != NULL)
            parts[i].put(to, lesson);
        if (to == NULL || fclose(to) != 0)
            return tp_fail(e, TP_ERR_NO_MEMORY, "no memory for a page");
    }
    return TP_OK;
}

enum tp_err lesson_page(FILE *to, const json_t *lesson, struct tp_error *e)
{
    struct page p = {.title = lesson_text(lesson, "title")};
    char path[PATH_MAX], *page = NULL;
    uint8_t *template = NULL;
    size_t n;
    enum tp_err r = file_data_path(path, sizeof(path), "lesson/page.html", e);

    if (r == TP_OK)
        r = file_read(path, PAGE_MAX, &template, &n, e);
    if (r == TP_OK)
        r = make_parts(&p, lesson, e);
    if (r == TP_OK)
        r = html_fill(&page, (const char *)template, value_of, &p, e);
    if (r == TP_OK)
        fputs(page, to);
    for (size_t i = 0; i < PARTS; i++)
        free(p.part[i]);
    free(template);
    free(page);
    return r;
}
