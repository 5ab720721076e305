/*
 * The UDP socket of an endpoint and addresses for OpenSSL.
 *
 * K1. The socket is never connected: one ICMP "unreachable" from one peer would fail it for all.
 * K2. Addresses are numbers, never names: looking a name up could block.
 */
#include "quic.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

static socklen_t parse(const char *text, uint16_t port, union any_address *out) {
  memset(out, 0, sizeof *out);
  if (inet_pton(AF_INET, text, &out->v4.sin_addr) == 1) {
    out->v4.sin_family = AF_INET;
    out->v4.sin_port = htons(port);
    return sizeof out->v4;
  }
  if (inet_pton(AF_INET6, text, &out->v6.sin6_addr) == 1) {
    out->v6.sin6_family = AF_INET6;
    out->v6.sin6_port = htons(port);
    return sizeof out->v6;
  }
  return 0;
}

static bool prepare(int fd, int family) {
  int one = 1;
  int size = SOCKET_BUFFER;
  int flags = fcntl(fd, F_GETFL);
  if (flags < 0 || fcntl(fd, F_SETFL, flags | O_NONBLOCK) < 0) return false;
  if (fcntl(fd, F_SETFD, FD_CLOEXEC) < 0) return false;
  if (family == AF_INET6 && setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &one, sizeof one) < 0) return false;
  /* The kernel may give less than is asked for, or refuse: the endpoint works with any size. */
  (void)setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &size, sizeof size);
  (void)setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &size, sizeof size);
  return true;
}

/* A bound, non-blocking socket, or -1 with the reason in `error`. */
int socket_open(const char *address, uint16_t port, int *error) {
  union any_address name;
  socklen_t length = parse(address, port, &name);
  if (length == 0) {
    *error = EINVAL;
    return -1;
  }
  int fd = socket(name.any.sa_family, SOCK_DGRAM, IPPROTO_UDP);
  if (fd < 0) {
    *error = errno;
    return -1;
  }
  if (!prepare(fd, name.any.sa_family) || bind(fd, &name.any, length) < 0) {
    *error = errno;
    close(fd);
    return -1;
  }
  return fd;
}

bool socket_name(int fd, struct address *out) {
  union any_address name;
  socklen_t length = sizeof name;
  if (getsockname(fd, &name.any, &length) < 0) return false;
  const bool is_v6 = name.any.sa_family == AF_INET6;
  const void *raw = is_v6 ? (const void *)&name.v6.sin6_addr : (const void *)&name.v4.sin_addr;
  out->port = ntohs(is_v6 ? name.v6.sin6_port : name.v4.sin_port);
  return inet_ntop(name.any.sa_family, raw, out->text, sizeof out->text) != NULL;
}

/* A peer's address as OpenSSL wants it, or NULL when the text is no address. */
BIO_ADDR *socket_address(const char *address, uint16_t port) {
  union any_address name;
  if (parse(address, port, &name) == 0) return NULL;
  const bool is_v6 = name.any.sa_family == AF_INET6;
  const void *raw = is_v6 ? (const void *)&name.v6.sin6_addr : (const void *)&name.v4.sin_addr;
  size_t length = is_v6 ? sizeof name.v6.sin6_addr : sizeof name.v4.sin_addr;
  BIO_ADDR *out = BIO_ADDR_new();
  if (out == NULL) return NULL;
  if (BIO_ADDR_rawmake(out, name.any.sa_family, raw, length, htons(port)) == 1) return out;
  BIO_ADDR_free(out);
  return NULL;
}
