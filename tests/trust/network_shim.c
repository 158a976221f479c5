/* Notes every connection, listening socket, datagram and look-up of a name in $CARMONY_CALLS.

   Put in by LD_PRELOAD. A line: what, family, address. Sockets of the same machine (AF_UNIX,
   loopback) are noted too; who reads the file tells them apart. */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <dlfcn.h>
#include <fcntl.h>
#include <netdb.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

static void note(const char *what, const struct sockaddr *to, const char *name) {
  const char *path = getenv("CARMONY_CALLS");
  char text[INET6_ADDRSTRLEN] = "", line[512];
  int family = to ? to->sa_family : -1;
  if (path == NULL) return;
  if (family == AF_INET)
    inet_ntop(family, &((const struct sockaddr_in *)to)->sin_addr, text, sizeof text);
  if (family == AF_INET6)
    inet_ntop(family, &((const struct sockaddr_in6 *)to)->sin6_addr, text, sizeof text);
  int n = snprintf(line, sizeof line, "%s %s %s\n", what,
                   family == AF_UNIX ? "unix" : family == AF_NETLINK ? "netlink" : "inet",
                   name ? name : text);
  int file = open(path, O_WRONLY | O_APPEND | O_CREAT, 0600);
  if (file < 0) return;
  if (write(file, line, n) != n) abort();
  close(file);
}

#define REAL(name) \
  static __typeof__(&name) real; \
  if (real == NULL) real = (__typeof__(&name))dlsym(RTLD_NEXT, #name)

int connect(int s, const struct sockaddr *to, socklen_t n) {
  REAL(connect);
  note("connect", to, NULL);
  return real(s, to, n);
}

int bind(int s, const struct sockaddr *at, socklen_t n) {
  REAL(bind);
  note("bind", at, NULL);
  return real(s, at, n);
}

int listen(int s, int backlog) {
  REAL(listen);
  struct sockaddr_storage at;
  socklen_t n = sizeof at;
  if (getsockname(s, (struct sockaddr *)&at, &n) == 0) note("listen", (struct sockaddr *)&at, NULL);
  return real(s, backlog);
}

ssize_t sendto(int s, const void *data, size_t n, int flags, const struct sockaddr *to, socklen_t m) {
  REAL(sendto);
  if (to != NULL) note("send", to, NULL);
  return real(s, data, n, flags, to, m);
}

ssize_t sendmsg(int s, const struct msghdr *message, int flags) {
  REAL(sendmsg);
  if (message->msg_name != NULL) note("send", message->msg_name, NULL);
  return real(s, message, flags);
}

int getaddrinfo(const char *name, const char *service, const struct addrinfo *hints, struct addrinfo **out) {
  REAL(getaddrinfo);
  note("look up", NULL, name ? name : "");
  return real(name, service, hints, out);
}
