/* libjose without its lines on stderr: what it refuses is an outcome that the caller tells. */
#ifndef TP_ORDER_JOSE_QUIET_H
#define TP_ORDER_JOSE_QUIET_H

#include <jose/cfg.h>

/* NULL: no memory. jose_cfg_decref. */
jose_cfg_t *jose_quiet(void);

#endif
