#include "unix_socket.h"

#include <errno.h>
#include <stdbool.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

static bool fill_address(struct sockaddr_un *address, const char *path)
{
    size_t length = strlen(path);
    if (length >= sizeof address->sun_path) {
        errno = ENAMETOOLONG;
        return false;
    }
    *address = (struct sockaddr_un){.sun_family = AF_UNIX};
    memcpy(address->sun_path, path, length);
    return true;
}

static int fail_close(int fd)
{
    int reason = errno;
    close(fd);
    errno = reason;
    return -1;
}

int unix_connect(const char *path)
{
    struct sockaddr_un address;
    if (!fill_address(&address, path))
        return -1;
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd < 0)
        return -1;
    if (connect(fd, (struct sockaddr *)&address, sizeof address) < 0)
        return fail_close(fd);
    return fd;
}

int unix_listen(const char *path)
{
    struct sockaddr_un address;
    if (!fill_address(&address, path))
        return -1;
    int probe = unix_connect(path);
    if (probe >= 0 || errno == EAGAIN) {
        if (probe >= 0)
            close(probe);
        errno = EADDRINUSE;
        return -1;
    }
    struct stat file;
    if (errno == ECONNREFUSED && lstat(path, &file) == 0 && S_ISSOCK(file.st_mode))
        unlink(path);
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd < 0)
        return -1;
    if (bind(fd, (struct sockaddr *)&address, sizeof address) < 0 || listen(fd, 16) < 0)
        return fail_close(fd);
    return fd;
}

int unix_accept(int listener)
{
    return accept4(listener, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
}
