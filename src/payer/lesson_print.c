/* A lesson as text, 80 columns wide. */
#include <stdio.h>
#include <string.h>

#include "payer/lesson_priv.h"

#define WIDTH 80

/* Characters of UTF-8 in n bytes. */
static size_t characters(const char *text, size_t n)
{
    size_t count = 0;

    for (size_t i = 0; i < n; i++)
        count += ((unsigned char)text[i] & 0xC0) != 0x80;
    return count;
}

/* The bytes of so many characters. */
static size_t bytes(const char *text, size_t count)
{
    size_t n = 0;

    while (characters(text, n + 1) <= count)
        n++;
    return n;
}

/* Words, from column `at` on, further lines indented; a word that is longer than a line is broken.
 */
static void words(FILE *to, size_t at, size_t indent, const char *text)
{
    bool first = true; /* of its line */

    for (; *(text += strspn(text, " ")) != '\0'; first = false) {
        size_t n = strcspn(text, " "), wide = characters(text, n);

        if (!first && at + 1 + wide > WIDTH) {
            fprintf(to, "\n%*s", (int)indent, "");
            at = indent;
        } else if (!first) {
            fputc(' ', to);
            at++;
        }
        if (wide > WIDTH - at) { /* the rest on the next line */
            wide = WIDTH - at;
            n = bytes(text, wide);
        }
        fwrite(text, 1, n, to);
        at += wide;
        text += n;
    }
    fputc('\n', to);
}

static void paragraph(FILE *to, const char *bullet, size_t indent, const char *text,
                      const char *clause)
{
    char all[SENTENCE_MAX + 128];

    snprintf(all, sizeof(all), "%s%s%s%s", text, clause[0] != '\0' ? " (" : "", clause,
             clause[0] != '\0' ? ")" : "");
    fprintf(to, "%*s%s", (int)indent, "", bullet);
    words(to, indent + strlen(bullet), indent + strlen(bullet), all);
}

static void underlined(FILE *to, const char *title, char with)
{
    words(to, 0, 0, title);
    for (size_t i = characters(title, strlen(title)); i > 0 && i <= WIDTH; i--)
        fputc(with, to);
    fputc('\n', to);
}

static void objects(FILE *to, const json_t *list, size_t indent)
{
    char head[400], value[LESSON_VALUE_MAX];
    const json_t *o, *line;
    size_t i, k;

    json_array_foreach(list, i, o)
    {
        snprintf(head, sizeof(head), "%s %s%s%s", lesson_text(o, "tag"), lesson_text(o, "name"),
                 lesson_text(o, "value")[0] != '\0' ? _(": ") : "", lesson_value(value, o));
        fprintf(to, "%*s", (int)indent, "");
        words(to, indent, indent + 2, head);
        json_array_foreach(json_object_get(o, "meaning"), k, line)
            paragraph(to, "- ", indent + 2, json_string_value(line), "");
        if (lesson_text(o, "fault")[0] != '\0')
            paragraph(to, "! ", indent + 2, lesson_text(o, "fault"), "");
        objects(to, json_object_get(o, "objects"), indent + 2 < WIDTH / 2 ? indent + 2 : indent);
    }
}

static void command(FILE *to, const json_t *o)
{
    const json_t *all = json_object_get(o, "objects");
    char text[600];

    snprintf(text, sizeof(text), "%s%s%s.",
             lesson_text(o, "name")[0] != '\0' ? lesson_text(o, "name") : _("An unknown command"),
             lesson_text(o, "purpose")[0] != '\0' ? " " : "", lesson_text(o, "purpose"));
    paragraph(to, "> ", 0, text, lesson_text(o, "clause"));
    objects(to, all, 4);
    if (lesson_text(o, "status")[0] == '\0')
        paragraph(to, "", 4, _("No answer came."), "");
}

static void bit(FILE *to, const json_t *o)
{
    char text[SENTENCE_MAX];

    snprintf(text, sizeof(text), _("%s byte %d bit %d is set, %s: %s. The %s is now %s."),
             lesson_text(o, "of"), (int)json_integer_value(json_object_get(o, "byte")),
             (int)json_integer_value(json_object_get(o, "bit")), lesson_text(o, "name"),
             lesson_text(o, "why"), lesson_text(o, "of"), lesson_text(o, "value"));
    paragraph(to, "* ", 0, text, lesson_text(o, "clause"));
}

static void message(FILE *to, const json_t *o)
{
    char text[SENTENCE_MAX + 64];

    snprintf(text, sizeof(text), _("%s to %s: %s"), gettext(lesson_text(o, "from")),
             gettext(lesson_text(o, "to")), lesson_text(o, "text"));
    paragraph(to, "~ ", 0, text, "");
}

static void item(FILE *to, const json_t *o)
{
    const char *kind = lesson_text(o, "kind");
    const json_t *line;
    size_t i;

    if (strcmp(kind, "command") == 0) {
        command(to, o);
    } else if (strcmp(kind, "bit") == 0) {
        bit(to, o);
    } else if (strcmp(kind, "message") == 0) {
        message(to, o);
    } else if (strcmp(kind, "data") == 0) {
        objects(to, json_object_get(o, "objects"), 4);
    } else {
        paragraph(to, "= ", 0, lesson_text(o, "text"), lesson_text(o, "clause"));
        json_array_foreach(json_object_get(o, "lines"), i, line)
            paragraph(to, "- ", 4, json_string_value(line), "");
    }
}

static void step(FILE *to, size_t number, const json_t *o)
{
    char title[200];
    const json_t *one;
    size_t i;

    snprintf(title, sizeof(title), "%zu. %s", number, lesson_text(o, "title"));
    fputc('\n', to);
    underlined(to, title, '-');
    paragraph(to, "", 0, lesson_text(o, "purpose"), lesson_text(o, "clause"));
    json_array_foreach(json_object_get(o, "items"), i, one) item(to, one);
}

void lesson_print(FILE *to, const json_t *lesson)
{
    const json_t *o;
    size_t i;

    underlined(to, lesson_text(lesson, "title"), '=');
    json_array_foreach(json_object_get(lesson, "summary"), i, o)
        paragraph(to, "", 0, json_string_value(o), "");
    paragraph(to, "", 0,
              _("Marks: > a command to the card, with its answer; * a bit that was set in what the "
                "terminal notes (TVR, TSI); = what was found or decided; ~ what others say."),
              "");
    json_array_foreach(json_object_get(lesson, "steps"), i, o) step(to, i + 1, o);
}
