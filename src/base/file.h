/* Files, whole and durable. */
#ifndef TP_BASE_FILE_H
#define TP_BASE_FILE_H

#include <sys/types.h>

#include "base/span.h"

/* Reads a whole file of at most max bytes; *out is the caller's to free() and is followed by a zero
 * byte that *n does not count. TP_ERR_NOT_FOUND, TP_ERR_RANGE (larger), TP_ERR_IO. */
TP_MUST_CHECK enum tp_err file_read(const char *path, size_t max, uint8_t **out, size_t *n,
                                    struct tp_error *e);

/* A file that holds a secret (of a link: what it leads to) is its owner's alone, who is this user
 * or root, in a folder that not everybody writes. TP_ERR_SECURITY, saying what to do;
 * TP_ERR_NOT_FOUND, TP_ERR_IO. */
TP_MUST_CHECK enum tp_err file_check_private(const char *path, struct tp_error *e);

/* Makes this process the only one that serves what lies in the folder: until *fd is closed, which
 * the end of the process does too. `program` is named to people. TP_ERR_STATE when another does. */
TP_MUST_CHECK enum tp_err file_lock_folder(int *fd, const char *dir, const char *program,
                                           struct tp_error *e);

/* Replaces path so that at every instant, power loss included, it holds the old or the new content
 * whole: new file, fsync, rename, fsync of the folder. TP_ERR_USAGE: it is a device, a pipe, a
 * folder, or a link. */
TP_MUST_CHECK enum tp_err file_replace(const char *path, struct span content, mode_t mode,
                                       struct tp_error *e);

/* Makes a folder (and its parents) if it is not there. */
TP_MUST_CHECK enum tp_err file_make_dir(const char *path, mode_t mode, struct tp_error *e);

/* The same, its parents as they come (0755) and itself closed to all others (0700), also one that
 * was there. */
TP_MUST_CHECK enum tp_err file_make_private_dir(const char *path, struct tp_error *e);

/* Copies a file of at most FILE_COPY_MAX bytes to dir/name, as file_replace does; a key leaves
 * nothing in memory. */
#define FILE_COPY_MAX (4U << 20)
TP_MUST_CHECK enum tp_err file_copy(const char *from, const char *dir, const char *name,
                                    mode_t mode, struct tp_error *e);

/* TP_ERR_EXISTS, with what to do then, when dir has one of the files (ended by NULL). */
TP_MUST_CHECK enum tp_err file_none_there(const char *dir, const char *const *names,
                                          const char *advice, struct tp_error *e);

/* Where a daemon keeps its books: the folder that `given` (--dir) names, else `here` when it holds
 * them, else the system's. */
struct file_home {
    const char *what, *here, *system; /* "acquirer", "acq", "/var/lib/telepay/acquirer" */
    const char *books; /* the file that makes it one, or the one that says where they are */
    const char *elsewhere;
};
/* out has PATH_MAX bytes. TP_ERR_NOT_FOUND, saying how to make one, when there are no books in it.
 */
TP_MUST_CHECK enum tp_err file_home(char *out, const struct file_home *home, const char *given,
                                    struct tp_error *e);

/* "dir/name" into out of cap bytes; TP_ERR_RANGE when it does not fit. */
TP_MUST_CHECK enum tp_err file_join(char *out, size_t cap, const char *dir, const char *name,
                                    struct tp_error *e);

/* Path of a data file of the project: $TELEPAY_DATADIR (for runs from the build tree), else the
 * installed folder. */
TP_MUST_CHECK enum tp_err file_data_path(char *out, size_t cap, const char *name,
                                         struct tp_error *e);

/* Raises the soft limit of descriptors to the hard one and returns it; 0: nobody knows. */
unsigned file_descriptors(void);

#endif
