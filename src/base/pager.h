/* What is too long for the terminal's screen goes through a pager: $PAGER, else less -FRSX, else
 * more. PAGER=cat is none, and so is an empty one. */
#ifndef TP_BASE_PAGER_H
#define TP_BASE_PAGER_H

#include <signal.h>
#include <stdbool.h>
#include <stdio.h>

struct pager {
    FILE *to;                               /* stdout, until there is a pager */
    struct sigaction interrupt, quit, pipe; /* as they were before */
};

/* Where there is to be none, or no process can be made, p->to stays what it was. */
void pager_start(struct pager *p);
/* Waits until the person has read; one who leaves the pager before the end has read enough. False:
 * there is no such pager. */
bool pager_end(struct pager *p);

#endif
