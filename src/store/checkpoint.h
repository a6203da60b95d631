/* The checkpoints of SQLite's write-ahead log, beside the thread that writes. */
#ifndef TP_STORE_CHECKPOINT_H
#define TP_STORE_CHECKPOINT_H

#include <sqlite3.h>

struct checkpoint;

/* From now on the log that `db` (a file at path, in WAL mode) writes is brought into the file by a
 * thread with a connection of its own, which starts when the log has grown so far for the first
 * time. Without memory NULL, and SQLite's own checkpoints within the commit. */
struct checkpoint *checkpoint_watch(sqlite3 *db, const char *path);

/* In the log after the last commit; 0: none was. */
int checkpoint_frames(const struct checkpoint *k);

/* Before db is closed. */
void checkpoint_end(struct checkpoint **out);

#endif
