/* The file of --trace: each command and response on a line of hex, with what must not be seen masked. */
#ifndef TP_PAYER_TRACE_H
#define TP_PAYER_TRACE_H

#include "drivers/reader.h"

struct trace;

/* Makes (or empties) the file, readable by its owner only, and writes the lines that say what it is. TP_ERR_IO. */
TP_MUST_CHECK enum tp_err trace_open(struct trace **out, const char *path, struct tp_error *e);

/* The reader_trace to hand to reader_set_trace, with the struct trace as ctx. */
void trace_exchange(void *ctx, struct span command, struct span response);

/* TP_ERR_IO when not everything could be written. */
TP_MUST_CHECK enum tp_err trace_close(struct trace **t, struct tp_error *e);

#endif
