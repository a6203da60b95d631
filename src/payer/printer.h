/* A receipt printer as a file: a device, a FIFO, or a file that tickets are put behind one another
 * in. */
#ifndef TP_PAYER_PRINTER_H
#define TP_PAYER_PRINTER_H

#include "base/err.h"
#include "base/span.h"

/* All of it, or TP_ERR_IO naming the device: also when it takes nothing for ten seconds (it is off,
 * out of paper, or nobody reads). Ignores SIGPIPE from then on. */
TP_MUST_CHECK enum tp_err printer_write(const char *device, struct span bytes, struct tp_error *e);

#endif
