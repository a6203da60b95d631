#include "base/pager.h"

#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>

#define NOT_FOUND 127 /* of sh, when there is no such program */
/* more is there wherever util-linux is */
#define DEFAULT "command -v less >/dev/null && exec less; exec more"

void pager_start(struct pager *p)
{
    const struct sigaction ignore = {.sa_handler = SIG_IGN};
    const char *pager = getenv("PAGER");
    FILE *to;

    if (pager != NULL && pager[strspn(pager, " \t")] == '\0')
        return;
    (void)setenv("LESS", "FRSX", 0); /* as git and systemctl have it */
    if (getenv("SUDO_UID") != NULL)  /* who may list as root may not do all as root */
        (void)setenv("LESSSECURE", "1", 1);
    fflush(NULL);
    /* NOLINTNEXTLINE(cert-env33-c): a line for sh is what PAGER holds */
    to = popen(pager != NULL ? pager : DEFAULT, "we");
    if (to == NULL)
        return;
    p->to = to;
    /* the keys are the pager's, as system(3) has it; whoever leaves it kills nobody */
    sigaction(SIGINT, &ignore, &p->interrupt);
    sigaction(SIGQUIT, &ignore, &p->quit);
    sigaction(SIGPIPE, &ignore, &p->pipe);
}

bool pager_end(struct pager *p)
{
    if (p->to == stdout)
        return true;
    const int status = pclose(p->to);

    p->to = stdout;
    sigaction(SIGINT, &p->interrupt, NULL);
    sigaction(SIGQUIT, &p->quit, NULL);
    sigaction(SIGPIPE, &p->pipe, NULL);
    return status != -1 && !(WIFEXITED(status) && WEXITSTATUS(status) == NOT_FOUND);
}
