#include "base/progress.h"

#include <inttypes.h>
#include <stdio.h>
#include <unistd.h>

#include "base/date.h"
#include "base/text.h"

#define PAUSE_MS 200
#define CLEAR    "\r\033[K" /* ECMA-48, 8.3.41: to the end of the line */

void progress_start(struct progress *p, uint64_t of, const char *what)
{
    *p = (struct progress){.what = what, .of = of, .told = isatty(STDERR_FILENO) != 0};
}

void progress_at(struct progress *p, uint64_t done)
{
    const int64_t now = p->told ? time_monotonic_ms() : 0;

    if (!p->told || (p->said_ms != 0 && now - p->said_ms < PAUSE_MS))
        return;
    p->said_ms = now;
    p->shown = true;
    if (p->of > 0)
        fprintf(stderr, _("%s%" PRIu64 " of %" PRIu64 " %s"), CLEAR, done, p->of, gettext(p->what));
    else
        fprintf(stderr, CLEAR "%" PRIu64 " %s", done, gettext(p->what));
}

void progress_hide(struct progress *p)
{
    if (p->shown)
        fputs(CLEAR, stderr);
    p->shown = false;
}
