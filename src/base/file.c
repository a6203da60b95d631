#include "base/file.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <limits.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/secret.h"

/* A user's name, or his number where he has none. */
static const char *user_name(char name[64], uid_t uid)
{
    struct passwd entry, *found = NULL;
    char raw[1024];

    if (getpwuid_r(uid, &entry, raw, sizeof(raw), &found) == 0 && found != NULL)
        snprintf(name, 64, "%s", entry.pw_name);
    else
        snprintf(name, 64, "%u", (unsigned)uid);
    return name;
}

/* What cannot be read, from errno. Books that root made for a daemon of another user are told with
 * whose they are and how to give them over. */
static enum tp_err not_readable(const char *path, const char *folder, struct tp_error *e)
{
    const enum tp_err r = errno == ENOENT ? TP_ERR_NOT_FOUND : TP_ERR_IO;
    const uid_t user = geteuid();
    char owner[64], me[64];
    struct stat st;

    if (errno != EACCES)
        return tp_fail(e, r, "cannot read %s: %s", path, strerror(errno));
    if (stat(path, &st) != 0 || st.st_uid == user)
        return tp_fail(e, r, "cannot read %s: it is closed to this user, %s", path,
                       user_name(me, user));
    return tp_fail(e, r, "cannot read %s: it belongs to %s, and this user is %s: chown -R %s %s",
                   path, user_name(owner, st.st_uid), user_name(me, user), me, folder);
}

enum tp_err file_read(const char *path, size_t max, uint8_t **out, size_t *n, struct tp_error *e)
{
    enum tp_err r = TP_OK;
    uint8_t *data = NULL;
    size_t have = 0, room = 0;
    FILE *f = fopen(path, "rbe");

    if (f == NULL)
        return not_readable(path, path, e);
    do {
        room = room == 0 ? 4096 : room * 2;
        uint8_t *more = realloc(data, room + 1);

        if (more == NULL) {
            r = tp_fail(e, TP_ERR_NO_MEMORY, "cannot read %s: out of memory", path);
            goto out;
        }
        data = more;
        have += fread(data + have, 1, room - have, f);
        if (ferror(f)) {
            r = tp_fail(e, errno == EISDIR ? TP_ERR_USAGE : TP_ERR_IO, "cannot read %s: %s", path,
                        strerror(errno));
            goto out;
        }
        if (have > max) {
            r = tp_fail(e, TP_ERR_RANGE, "%s is larger than the %zu bytes such a file may have",
                        path, max);
            goto out;
        }
    } while (have == room);
    data[have] = 0;
    *out = data;
    *n = have;
    data = NULL;
out:
    fclose(f);
    free(data);
    return r;
}

/* Whoever may write the folder can put another file into its place; a sticky one keeps him off. */
static enum tp_err check_folder(const char *path, struct tp_error *e)
{
    char copy[PATH_MAX];
    const char *folder;
    struct stat st;

    snprintf(copy, sizeof(copy), "%s", path);
    folder = dirname(copy);
    if (stat(folder, &st) != 0)
        return not_readable(folder, folder, e);
    if ((st.st_mode & S_IWOTH) == 0 || (st.st_mode & S_ISVTX) != 0)
        return TP_OK;
    return tp_fail(e, TP_ERR_SECURITY,
                   "%s holds a secret, and its folder can be written by everybody (mode %04o): "
                   "chmod o-w %s",
                   path, (unsigned)(st.st_mode & 07777), folder);
}

enum tp_err file_check_private(const char *path, struct tp_error *e)
{
    const uid_t self = geteuid();
    struct stat st;

    if (stat(path, &st) != 0)
        return not_readable(path, path, e);
    if ((st.st_mode & 077) != 0)
        return tp_fail(e, TP_ERR_SECURITY,
                       "%s holds a secret and is open to others than its owner (mode %04o): chmod "
                       "600 %s",
                       path, (unsigned)(st.st_mode & 07777), path);
    if (self != 0 && st.st_uid != self && st.st_uid != 0)
        return tp_fail(e, TP_ERR_SECURITY,
                       "%s holds a secret and belongs to another user (%u): chown %u %s", path,
                       (unsigned)st.st_uid, (unsigned)self, path);
    return check_folder(path, e);
}

enum tp_err file_lock_folder(int *fd, const char *dir, const char *program, struct tp_error *e)
{
    *fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (*fd < 0)
        return tp_fail(e, TP_ERR_IO, "cannot open %s: %s", dir, strerror(errno));
    if (flock(*fd, LOCK_EX | LOCK_NB) == 0)
        return TP_OK;
    return errno == EWOULDBLOCK ? tp_fail(e, TP_ERR_STATE,
                                          "another %s serves %s already: end that one, or name "
                                          "another folder with --dir",
                                          program, dir)
                                : tp_fail(e, TP_ERR_IO, "cannot lock %s: %s", dir, strerror(errno));
}

static enum tp_err sync_folder(const char *path, struct tp_error *e)
{
    char copy[PATH_MAX];
    int fd;

    snprintf(copy, sizeof(copy), "%s", path);
    fd = open(dirname(copy), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0 || fsync(fd) != 0) {
        const int why = errno;

        if (fd >= 0)
            close(fd);
        return tp_fail(e, TP_ERR_IO, "cannot make %s durable: %s", path, strerror(why));
    }
    close(fd);
    return TP_OK;
}

static enum tp_err write_all(int fd, struct span s)
{
    while (s.n > 0) {
        const ssize_t w = write(fd, s.p, s.n);

        if (w < 0 && errno == EINTR)
            continue;
        if (w <= 0)
            return TP_ERR_IO;
        s.p += w;
        s.n -= (size_t)w;
    }
    return TP_OK;
}

enum tp_err file_replace(const char *path, struct span content, mode_t mode, struct tp_error *e)
{
    char fresh[PATH_MAX];
    struct stat st;
    int fd;

    if (lstat(path, &st) == 0 && !S_ISREG(st.st_mode)) /* root would rename over a device */
        return tp_fail(e, TP_ERR_USAGE, "%s is no file that can be replaced: name another", path);
    if (snprintf(fresh, sizeof(fresh), "%s.new", path) >= (int)sizeof(fresh))
        return tp_fail(e, TP_ERR_RANGE, "the file name %s is too long", path);
    if (unlink(fresh) != 0 &&
        errno != ENOENT) /* left by a run that was cut off; its mode must not stay */
        return tp_fail(e, TP_ERR_IO, "cannot replace %s: %s", fresh, strerror(errno));
    fd = open(fresh, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, mode);
    if (fd < 0)
        return tp_fail(e, TP_ERR_IO, "cannot write %s: %s", fresh, strerror(errno));
    if (write_all(fd, content) != TP_OK || fsync(fd) != 0) {
        const int why = errno;

        close(fd);
        unlink(fresh);
        return tp_fail(e, TP_ERR_IO, "cannot write %s: %s", fresh, strerror(why));
    }
    close(fd);
    if (rename(fresh, path) != 0) {
        const int why = errno;

        unlink(fresh);
        return tp_fail(e, TP_ERR_IO, "cannot replace %s: %s", path, strerror(why));
    }
    return sync_folder(path, e);
}

enum tp_err file_make_dir(const char *path, mode_t mode, struct tp_error *e)
{
    char part[PATH_MAX];
    struct stat st;

    if (snprintf(part, sizeof(part), "%s", path) >= (int)sizeof(part))
        return tp_fail(e, TP_ERR_RANGE, "the folder name %s is too long", path);
    for (char *slash = part + 1; *slash != '\0'; slash++) {
        if (*slash != '/')
            continue;
        *slash = '\0';
        if (mkdir(part, mode) != 0 && errno != EEXIST)
            return tp_fail(e, TP_ERR_IO, "cannot make the folder %s: %s", part, strerror(errno));
        *slash = '/';
    }
    if (mkdir(part, mode) != 0 && errno != EEXIST)
        return tp_fail(e, TP_ERR_IO, "cannot make the folder %s: %s", path, strerror(errno));
    if (stat(path, &st) != 0 || !S_ISDIR(st.st_mode))
        return tp_fail(e, TP_ERR_IO, "%s is not a folder", path);
    return TP_OK;
}

enum tp_err file_make_private_dir(const char *path, struct tp_error *e)
{
    const enum tp_err r = file_make_dir(path, 0755, e);

    if (r == TP_OK && chmod(path, 0700) != 0)
        return tp_fail(e, TP_ERR_IO, "cannot close the folder %s to others: %s", path,
                       strerror(errno));
    return r;
}

enum tp_err file_copy(const char *from, const char *dir, const char *name, mode_t mode,
                      struct tp_error *e)
{
    char to[PATH_MAX];
    uint8_t *content = NULL;
    size_t n = 0;
    enum tp_err r = file_join(to, sizeof(to), dir, name, e);

    if (r == TP_OK)
        r = file_read(from, FILE_COPY_MAX, &content, &n, e);
    if (r == TP_OK) {
        r = file_replace(to, span_of(content, n), mode, e);
        secret_wipe(content, n);
    }
    free(content);
    return r;
}

static bool holds(char path[PATH_MAX], const char *dir, const char *name)
{
    return file_join(path, PATH_MAX, dir, name, NULL) == TP_OK && access(path, F_OK) == 0;
}

enum tp_err file_none_there(const char *dir, const char *const *names, const char *advice,
                            struct tp_error *e)
{
    char path[PATH_MAX];

    for (; *names != NULL; names++)
        if (holds(path, dir, *names))
            return tp_fail(e, TP_ERR_EXISTS, "%s is there already: %s", path, advice);
    return TP_OK;
}

/* Each file that lies in the folder must be this user's to read: what root made there is told
 * before a database stumbles over it. */
static enum tp_err all_readable(const char *dir, struct tp_error *e)
{
    DIR *d = opendir(dir);
    enum tp_err r = TP_OK;

    if (d == NULL)
        return not_readable(dir, dir, e);
    for (struct dirent *one; r == TP_OK && (one = readdir(d)) != NULL;) {
        char path[PATH_MAX];
        struct stat st;

        if (file_join(path, sizeof(path), dir, one->d_name, NULL) == TP_OK &&
            stat(path, &st) == 0 && S_ISREG(st.st_mode) && access(path, R_OK) != 0 &&
            errno == EACCES)
            r = not_readable(path, dir, e);
    }
    closedir(d);
    return r;
}

static bool is_home(char path[PATH_MAX], const struct file_home *home, const char *dir)
{
    return holds(path, dir, home->elsewhere) || holds(path, dir, home->books);
}

enum tp_err file_home(char *out, const struct file_home *home, const char *given,
                      struct tp_error *e)
{
    char path[PATH_MAX];
    const char *dir = given != NULL                     ? given
                      : is_home(path, home, home->here) ? home->here
                                                        : home->system;

    if (!is_home(path, home, dir))
        return errno == EACCES
                   ? not_readable(dir, dir, e)
                   : tp_fail(
                         e, TP_ERR_NOT_FOUND,
                         "there is no %s in %s: name its folder with --dir, or make one with init",
                         home->what, dir);
    if (snprintf(out, PATH_MAX, "%s", dir) >= PATH_MAX)
        return tp_fail(e, TP_ERR_RANGE, "the folder name %s is too long", dir);
    return all_readable(dir, e);
}

enum tp_err file_join(char *out, size_t cap, const char *dir, const char *name, struct tp_error *e)
{
    const size_t n = strlen(dir);
    const char *slash = n > 0 && dir[n - 1] == '/' ? "" : "/";
    const int w = snprintf(out, cap, "%s%s%s", dir, slash, name);

    return w >= 0 && (size_t)w < cap
               ? TP_OK
               : tp_fail(e, TP_ERR_RANGE, "the path %s/%s is too long", dir, name);
}

enum tp_err file_data_path(char *out, size_t cap, const char *name, struct tp_error *e)
{
    const char *dir = secure_getenv("TELEPAY_DATADIR");

    return file_join(out, cap, dir != NULL && *dir != '\0' ? dir : TP_DATADIR, name, e);
}

unsigned file_descriptors(void)
{
    struct rlimit files = {0, 0};

    if (getrlimit(RLIMIT_NOFILE, &files) != 0)
        return 0;
    if (files.rlim_cur < files.rlim_max) {
        const rlim_t before = files.rlim_cur;

        files.rlim_cur = files.rlim_max;
        if (setrlimit(RLIMIT_NOFILE, &files) != 0)
            files.rlim_cur = before;
    }
    return files.rlim_cur > UINT_MAX ? UINT_MAX : (unsigned)files.rlim_cur;
}
