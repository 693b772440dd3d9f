/* Stands between a program and the C library (`LD_PRELOAD`), counts its calls on files under one directory, and makes the
 * one that is asked for go wrong.
 *
 *   INTERPOSE_UNDER    files whose path begins so are counted, no others
 *   INTERPOSE_CALL     the name of the call that goes wrong
 *   INTERPOSE_NTH      which of them, from 1
 *   INTERPOSE_FAULT    an errno, or `kill`: the process dies instead, or `short`: half of the bytes are transferred
 *   INTERPOSE_LASTING  set: every later one goes wrong too
 *   INTERPOSE_REPORT   where the calls that were made are written in the end, one a line: NAME COUNT
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

enum call {
  OPEN, READ, WRITE, FSYNC, FTRUNCATE, FALLOCATE, LINK, RENAME, UNLINK, LOCK, CHMOD, CHOWN, COPY, CALLS
};

static const char *const names[CALLS] = {
  "open", "read", "write", "fsync", "ftruncate", "fallocate", "link", "rename", "unlink", "lock", "chmod", "chown", "copy"
};

static atomic_long counts[CALLS];
static const char *under;
static int chosen = -1;
static long nth;
static int lasting;
static int fault;

enum { KILL = -1, SHORT = -2 };

__attribute__((constructor)) static void begin(void) {
  const char *name = getenv("INTERPOSE_CALL"), *number = getenv("INTERPOSE_NTH"), *what = getenv("INTERPOSE_FAULT");
  under = getenv("INTERPOSE_UNDER");
  lasting = getenv("INTERPOSE_LASTING") != NULL;
  nth = number ? atol(number) : 0;
  fault = !what ? 0 : !strcmp(what, "kill") ? KILL : !strcmp(what, "short") ? SHORT : atoi(what);
  for (int call = 0; name && call < CALLS; call++)
    if (!strcmp(name, names[call])) chosen = call;
}

__attribute__((destructor)) static void end(void) {
  const char *path = getenv("INTERPOSE_REPORT");
  under = NULL;
  FILE *file = path ? fopen(path, "w") : NULL;
  if (!file) return;
  for (int call = 0; call < CALLS; call++) fprintf(file, "%s %ld\n", names[call], counts[call]);
  fclose(file);
}

static int concerns_path(const char *path) {
  return under && path && !strncmp(path, under, strlen(under));
}

static int concerns(int file) {
  char link[64], path[4096];
  if (!under) return 0;
  snprintf(link, sizeof link, "/proc/self/fd/%d", file);
  long length = syscall(SYS_readlinkat, AT_FDCWD, link, path, sizeof path - 1);
  if (length < 0) return 0;
  path[length] = 0;
  return concerns_path(path);
}

/* Counts a call. Returns whether it is to go wrong, and then sets errno. */
static int strikes(int call) {
  long now = atomic_fetch_add(&counts[call], 1) + 1;
  if (call != chosen || (now != nth && !(lasting && now > nth))) return 0;
  if (fault == KILL) syscall(SYS_kill, (long)getpid(), SIGKILL);
  if (fault != SHORT) errno = fault;
  return 1;
}

#define REAL(name) \
  static __typeof__(&name) real; \
  if (!real) real = (__typeof__(&name))dlsym(RTLD_NEXT, #name)

/* A call that fails as a whole: its name, its kind, whether it concerns us, its parameters, their names. */
#define WHOLE(name, call, whether, parameters, arguments) \
  int name parameters { \
    REAL(name); \
    if (whether && strikes(call)) return -1; \
    return real arguments; \
  }

/* A call that transfers bytes, and can transfer half of them. */
#define TRANSFER(name, call, parameters, whole, half) \
  ssize_t name parameters { \
    REAL(name); \
    if (concerns(file) && strikes(call)) { \
      if (fault != SHORT) return -1; \
      if (length > 1) return real half; \
    } \
    return real whole; \
  }

#define OPENING(name, path_name, before, passed) \
  int name(before const char *path_name, int flags, ...) { \
    REAL(name); \
    va_list rest; \
    va_start(rest, flags); \
    mode_t mode = flags & (O_CREAT | O_TMPFILE) ? va_arg(rest, mode_t) : 0; \
    va_end(rest); \
    if (concerns_path(path_name) && strikes(OPEN)) return -1; \
    return real(passed path_name, flags, mode); \
  }

#define NOTHING
#define COMMA ,
OPENING(open, path, NOTHING, NOTHING)
OPENING(open64, path, NOTHING, NOTHING)
OPENING(openat, path, int directory COMMA, directory COMMA)
OPENING(openat64, path, int directory COMMA, directory COMMA)

TRANSFER(read, READ, (int file, void *buffer, size_t length), (file, buffer, length), (file, buffer, length / 2))
TRANSFER(pread, READ, (int file, void *buffer, size_t length, off_t at), (file, buffer, length, at),
         (file, buffer, length / 2, at))
TRANSFER(pread64, READ, (int file, void *buffer, size_t length, off64_t at), (file, buffer, length, at),
         (file, buffer, length / 2, at))
TRANSFER(write, WRITE, (int file, const void *buffer, size_t length), (file, buffer, length), (file, buffer, length / 2))
TRANSFER(pwrite, WRITE, (int file, const void *buffer, size_t length, off_t at), (file, buffer, length, at),
         (file, buffer, length / 2, at))
TRANSFER(pwrite64, WRITE, (int file, const void *buffer, size_t length, off64_t at), (file, buffer, length, at),
         (file, buffer, length / 2, at))

WHOLE(fsync, FSYNC, concerns(file), (int file), (file))
WHOLE(fdatasync, FSYNC, concerns(file), (int file), (file))
WHOLE(ftruncate, FTRUNCATE, concerns(file), (int file, off_t length), (file, length))
WHOLE(ftruncate64, FTRUNCATE, concerns(file), (int file, off64_t length), (file, length))
WHOLE(link, LINK, concerns_path(old), (const char *old, const char *new), (old, new))
WHOLE(linkat, LINK, concerns_path(old), (int at, const char *old, int to, const char *new, int flags),
      (at, old, to, new, flags))
WHOLE(rename, RENAME, concerns_path(old), (const char *old, const char *new), (old, new))
WHOLE(renameat, RENAME, concerns_path(old), (int at, const char *old, int to, const char *new), (at, old, to, new))
WHOLE(renameat2, RENAME, concerns_path(old), (int at, const char *old, int to, const char *new, unsigned flags),
      (at, old, to, new, flags))
WHOLE(unlink, UNLINK, concerns_path(path), (const char *path), (path))
WHOLE(unlinkat, UNLINK, concerns_path(path), (int at, const char *path, int flags), (at, path, flags))
WHOLE(chmod, CHMOD, concerns_path(path), (const char *path, mode_t mode), (path, mode))
WHOLE(fchmod, CHMOD, concerns(file), (int file, mode_t mode), (file, mode))
WHOLE(chown, CHOWN, concerns_path(path), (const char *path, uid_t user, gid_t group), (path, user, group))
WHOLE(fchown, CHOWN, concerns(file), (int file, uid_t user, gid_t group), (file, user, group))

/* These return the error instead of setting it. */
int posix_fallocate(int file, off_t at, off_t length) {
  REAL(posix_fallocate);
  if (concerns(file) && strikes(FALLOCATE)) return fault;
  return real(file, at, length);
}

int posix_fallocate64(int file, off64_t at, off64_t length) {
  REAL(posix_fallocate64);
  if (concerns(file) && strikes(FALLOCATE)) return fault;
  return real(file, at, length);
}

ssize_t copy_file_range(int from, off64_t *start, int to, off64_t *end, size_t length, unsigned flags) {
  REAL(copy_file_range);
  if (concerns(to) && strikes(COPY)) return -1;
  return real(from, start, to, end, length, flags);
}

/* Taking a lock; letting it go always works. */
#define LOCKING(name) \
  int name(int file, int command, ...) { \
    REAL(name); \
    va_list rest; \
    va_start(rest, command); \
    void *argument = va_arg(rest, void *); \
    va_end(rest); \
    int takes = (command == F_SETLK || command == F_SETLKW) && ((struct flock *)argument)->l_type != F_UNLCK; \
    if (takes && concerns(file) && strikes(LOCK)) return -1; \
    return real(file, command, argument); \
  }

LOCKING(fcntl)
LOCKING(fcntl64)
