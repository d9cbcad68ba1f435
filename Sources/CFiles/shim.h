#pragma once
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

// open is variadic, which Swift cannot call, and errno is a macro. Links are not followed: what a device keeps is never
// written through a link that somebody planted.
static inline int starling_open_to_write(const char *path) {
    return open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600);
}

static inline int starling_open_to_read(const char *path) {
    return open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
}

static inline int starling_open_folder(const char *path) {
    return open(path, O_RDONLY | O_CLOEXEC | O_DIRECTORY);
}

static inline int starling_errno(void) {
    return errno;
}
