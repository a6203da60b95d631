/* The main of a fuzz target where there is no libFuzzer: gives it every seed of
 * $TESTS_SRCDIR/fuzz/corpus/NAME, and of the files and folders named as arguments, in order of
 * names. NAME is the program's own without "fuzz_". Fails when there was nothing to replay. */
#include "fuzz.h"

#include <dirent.h>
#include <errno.h>
#include <string.h>
#include <sys/stat.h>

#define SEED_MAX (1 << 20)

static unsigned long replayed;

static int replay_file(const char *path)
{
    /* An allocation of the exact size, so that a sanitizer sees a read past the end. */
    FILE *f = fopen(path, "rb");
    struct stat st;
    uint8_t *data = NULL;
    int failed = 1;

    if (f == NULL || fstat(fileno(f), &st) != 0 || st.st_size > SEED_MAX)
        goto out;
    data = malloc(st.st_size > 0 ? (size_t)st.st_size : 1);
    if (data == NULL || fread(data, 1, (size_t)st.st_size, f) != (size_t)st.st_size)
        goto out;
    (void)LLVMFuzzerTestOneInput(data, (size_t)st.st_size);
    replayed++;
    failed = 0;
out:
    if (failed)
        fprintf(stderr, "cannot replay %s: %s\n", path, errno != 0 ? strerror(errno) : "too large");
    if (f != NULL)
        fclose(f);
    free(data);
    return failed;
}

static int replay(const char *path)
{
    struct dirent **entries = NULL;
    struct stat st;
    char file[4096];
    int n, failed = 0;

    if (stat(path, &st) == 0 && !S_ISDIR(st.st_mode))
        return replay_file(path);
    n = scandir(path, &entries, NULL, alphasort);
    if (n < 0) {
        fprintf(stderr, "cannot read %s: %s\n", path, strerror(errno));
        return 1;
    }
    for (int i = 0; i < n; i++) {
        if (entries[i]->d_name[0] != '.') {
            snprintf(file, sizeof(file), "%s/%s", path, entries[i]->d_name);
            failed |= replay_file(file);
        }
        free(entries[i]);
    }
    free(entries);
    return failed;
}

int main(int argc, char **argv)
{
    const char *slash = strrchr(argv[0], '/'), *name = slash != NULL ? slash + 1 : argv[0],
               *tests = getenv("TESTS_SRCDIR");
    char seeds[4096];
    int failed = 0;

    if (strncmp(name, "fuzz_", 5) != 0 || (tests == NULL && argc < 2)) {
        fprintf(stderr, "usage: TESTS_SRCDIR=…/tests %s [FILE|FOLDER]…\n", argv[0]);
        return 2;
    }
    if (tests != NULL) {
        snprintf(seeds, sizeof(seeds), "%s/fuzz/corpus/%s", tests, name + 5);
        failed |= replay(seeds);
    }
    for (int i = 1; i < argc; i++)
        failed |= replay(argv[i]);
    printf("%s: %lu inputs replayed\n", name, replayed);
    return failed != 0 || replayed == 0 ? 1 : 0;
}
