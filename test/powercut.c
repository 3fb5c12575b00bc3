/*
 * A model of a power cut, preloaded into the process under test (LD_PRELOAD).
 *
 * A process that is killed loses nothing that it wrote: the page cache outlives it. A power cut loses every write that
 * was not synced. This library keeps a second copy of each watched file, the mirror, which gets the writes only when
 * the process calls fsync or fdatasync. After a kill the mirror is what the disk would hold after a power cut.
 *
 *   PL_PREFIX  watch the files whose path begins with this
 *   PL_MIRROR  an existing folder; a mirror has the base name of its file
 *   PL_FULL    while this file exists, the disk is full: a watched file takes no further byte
 *   PL_UNSYNCED  when this file exists, the next sync of a watched file fails once with EIO and removes it. As on Linux,
 *              what waited for that sync is dropped: a later sync that succeeds does not bring it to the disk
 *   PL_EARLY   0 to 100, default 0: the share of single writes that reaches the mirror at once and so out of order,
 *              as when the system flushes a page early
 *
 * Build: cc -shared -fPIC -o powercut.so powercut.c -ldl
 *
 * What it does not model: a disk that lies about having flushed, and a removed file that comes back (unlink counts as
 * durable at once). It sees write and pwrite, as SQLite uses them, and not writev, O_APPEND or O_TRUNC. Shared memory
 * files ("-shm") are left out: SQLite maps them and never syncs them.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define FILES_MAX 256
#define DESCRIPTORS_MAX 4096
#define PATH_BYTES 256
#define MIRROR_PATH_BYTES 512

/* One write or truncation that waits for a sync. */
typedef struct Change {
  off_t offset; /* for a truncation, the new length */
  size_t length;
  int is_truncation;
  char *bytes;
  struct Change *next;
} Change;

typedef struct {
  char path[PATH_BYTES]; /* empty once the file was removed */
  Change *first;
  Change *last;
  int mirror;
} WatchedFile;

typedef int (*OpenFunction)(const char *, int, ...);
typedef ssize_t (*WriteFunction)(int, const void *, size_t);
typedef ssize_t (*PwriteFunction)(int, const void *, size_t, off_t);
typedef int (*TruncateFunction)(int, off_t);
typedef int (*DescriptorFunction)(int);
typedef int (*PathFunction)(const char *);

static WatchedFile files[FILES_MAX];
static int file_count;
static int file_of_descriptor[DESCRIPTORS_MAX]; /* index in `files` plus one; 0 is "not watched" */
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static int early_percent = -1; /* -1 until it was read */

/* The function that this library stands in front of. */
static void *real(const char *name) { return dlsym(RTLD_NEXT, name); }

/* Whether the file that the variable names exists. */
static int is_set(const char *variable) {
  const char *path = getenv(variable);
  return path != NULL && access(path, F_OK) == 0;
}

static int is_watched(int descriptor) {
  return descriptor >= 0 && descriptor < DESCRIPTORS_MAX && file_of_descriptor[descriptor] != 0;
}

static WatchedFile *file_behind(int descriptor) { return &files[file_of_descriptor[descriptor] - 1]; }

static void mirror_path(const char *path, char *result) {
  snprintf(result, MIRROR_PATH_BYTES, "%s/%s", getenv("PL_MIRROR"), strrchr(path, '/') + 1);
}

static int should_watch(const char *path) {
  const char *prefix = getenv("PL_PREFIX");
  if (prefix == NULL || getenv("PL_MIRROR") == NULL) return 0;
  return strncmp(path, prefix, strlen(prefix)) == 0 && strstr(path, "-shm") == NULL;
}

static void read_early_percent(void) {
  if (early_percent >= 0) return;
  const char *setting = getenv("PL_EARLY");
  early_percent = setting == NULL ? 0 : atoi(setting);
  srandom(getpid());
}

/* The index of the file with this path, which is added with an empty mirror when it is new. */
static int find_or_add_file(const char *path) {
  for (int index = 0; index < file_count; index++) {
    if (strcmp(files[index].path, path) == 0) return index;
  }
  if (file_count == FILES_MAX) {
    fprintf(stderr, "powercut: more than %d files\n", FILES_MAX);
    abort();
  }
  char mirror[MIRROR_PATH_BYTES];
  mirror_path(path, mirror);
  strncpy(files[file_count].path, path, PATH_BYTES - 1);
  files[file_count].mirror = ((OpenFunction)real("open"))(mirror, O_RDWR | O_CREAT, 0644);
  return file_count++;
}

static void watch_opened(int descriptor, const char *path) {
  if (descriptor < 0 || descriptor >= DESCRIPTORS_MAX || !should_watch(path)) return;
  read_early_percent();
  pthread_mutex_lock(&lock);
  file_of_descriptor[descriptor] = find_or_add_file(path) + 1;
  pthread_mutex_unlock(&lock);
}

static void apply_write(int mirror, const void *bytes, size_t length, off_t offset) {
  ((PwriteFunction)real("pwrite64"))(mirror, bytes, length, offset);
}

/* A new entry at the end of the file's queue. The caller holds the lock. */
static Change *append_change(WatchedFile *file, off_t offset) {
  Change *change = calloc(1, sizeof *change);
  change->offset = offset;
  if (file->last != NULL) file->last->next = change;
  else file->first = change;
  file->last = change;
  return change;
}

static int awaits_truncation(const WatchedFile *file) {
  for (const Change *change = file->first; change != NULL; change = change->next) {
    if (change->is_truncation) return 1;
  }
  return 0;
}

static void queue_write(int descriptor, off_t offset, const void *bytes, size_t length) {
  pthread_mutex_lock(&lock);
  WatchedFile *file = file_behind(descriptor);
  /* A write cannot overtake a truncation that was asked for before it: the file would lose what was written since. */
  if (!awaits_truncation(file) && random() % 100 < early_percent) {
    apply_write(file->mirror, bytes, length, offset);
  } else {
    Change *change = append_change(file, offset);
    change->length = length;
    change->bytes = malloc(length);
    memcpy(change->bytes, bytes, length);
  }
  pthread_mutex_unlock(&lock);
}

static void queue_truncation(int descriptor, off_t length) {
  pthread_mutex_lock(&lock);
  append_change(file_behind(descriptor), length)->is_truncation = 1;
  pthread_mutex_unlock(&lock);
}

/* Empties the file's queue, into its mirror or into nothing. The caller holds the lock. */
static void drain_queue(WatchedFile *file, int into_mirror) {
  for (Change *change = file->first; change != NULL;) {
    Change *done = change;
    if (into_mirror && change->is_truncation) {
      ((TruncateFunction)real("ftruncate64"))(file->mirror, change->offset);
    } else if (into_mirror) {
      apply_write(file->mirror, change->bytes, change->length, change->offset);
    }
    change = change->next;
    free(done->bytes);
    free(done);
  }
  file->first = file->last = NULL;
}

static void reach_mirror(int descriptor) {
  if (!is_watched(descriptor)) return;
  pthread_mutex_lock(&lock);
  drain_queue(file_behind(descriptor), 1);
  pthread_mutex_unlock(&lock);
}

static int refuse(int error) {
  errno = error;
  return -1;
}

/* Whether this sync is the one that is to fail. */
static int fail_sync(int descriptor) {
  if (!is_set("PL_UNSYNCED") || ((PathFunction)real("unlink"))(getenv("PL_UNSYNCED")) != 0) return 0;
  pthread_mutex_lock(&lock);
  drain_queue(file_behind(descriptor), 0);
  pthread_mutex_unlock(&lock);
  return 1;
}

static void forget_file(const char *path) {
  pthread_mutex_lock(&lock);
  for (int index = 0; index < file_count; index++) {
    if (strcmp(files[index].path, path) != 0) continue;
    char mirror[MIRROR_PATH_BYTES];
    mirror_path(path, mirror);
    ((PathFunction)real("unlink"))(mirror);
    drain_queue(&files[index], 0);
    files[index].path[0] = '\0';
  }
  pthread_mutex_unlock(&lock);
}

/* From here on: the functions of the C library that the process calls, each of them and then the model. */

#define DEFINE_OPEN(NAME)                                             \
  int NAME(const char *path, int flags, ...) {                        \
    va_list rest;                                                     \
    va_start(rest, flags);                                            \
    int mode = va_arg(rest, int);                                     \
    va_end(rest);                                                     \
    int descriptor = ((OpenFunction)real(#NAME))(path, flags, mode);  \
    watch_opened(descriptor, path);                                   \
    return descriptor;                                                \
  }
DEFINE_OPEN(open)
DEFINE_OPEN(open64)

ssize_t write(int descriptor, const void *bytes, size_t length) {
  WriteFunction real_write = (WriteFunction)real("write");
  if (!is_watched(descriptor)) return real_write(descriptor, bytes, length);
  if (is_set("PL_FULL")) return refuse(ENOSPC);
  off_t offset = lseek(descriptor, 0, SEEK_CUR);
  ssize_t written = real_write(descriptor, bytes, length);
  if (written > 0) queue_write(descriptor, offset, bytes, written);
  return written;
}

#define DEFINE_PWRITE(NAME)                                                             \
  ssize_t NAME(int descriptor, const void *bytes, size_t length, off_t offset) {        \
    if (is_watched(descriptor) && is_set("PL_FULL")) return refuse(ENOSPC);             \
    ssize_t written = ((PwriteFunction)real(#NAME))(descriptor, bytes, length, offset); \
    if (is_watched(descriptor) && written > 0) {                                        \
      queue_write(descriptor, offset, bytes, written);                                  \
    }                                                                                   \
    return written;                                                                     \
  }
DEFINE_PWRITE(pwrite)
DEFINE_PWRITE(pwrite64)

#define DEFINE_FTRUNCATE(NAME)                                      \
  int NAME(int descriptor, off_t length) {                          \
    int result = ((TruncateFunction)real(#NAME))(descriptor, length); \
    if (is_watched(descriptor) && result == 0) {                    \
      queue_truncation(descriptor, length);                         \
    }                                                               \
    return result;                                                  \
  }
DEFINE_FTRUNCATE(ftruncate)
DEFINE_FTRUNCATE(ftruncate64)

#define DEFINE_SYNC(NAME)                                        \
  int NAME(int descriptor) {                                     \
    if (is_watched(descriptor) && fail_sync(descriptor)) return refuse(EIO); \
    int result = ((DescriptorFunction)real(#NAME))(descriptor);  \
    if (result == 0) reach_mirror(descriptor);                   \
    return result;                                               \
  }
DEFINE_SYNC(fsync)
DEFINE_SYNC(fdatasync)

int unlink(const char *path) {
  int result = ((PathFunction)real("unlink"))(path);
  if (result == 0 && getenv("PL_MIRROR") != NULL) forget_file(path);
  return result;
}

int close(int descriptor) {
  if (is_watched(descriptor)) file_of_descriptor[descriptor] = 0;
  return ((DescriptorFunction)real("close"))(descriptor);
}
