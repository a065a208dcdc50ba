#include "http.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

int http_path(int socket, char *path, size_t size) {
  char request[2048];
  ssize_t length = read(socket, request, sizeof request - 1);
  if (length <= 0) return -1;
  request[length] = '\0';
  char *start = strchr(request, ' ');
  char *end = start ? strchr(start + 1, ' ') : NULL;
  if (!end || (size_t)(end - start) > size) return -1;
  memcpy(path, start + 1, (size_t)(end - start) - 1);
  path[end - start - 1] = '\0';
  return 0;
}

void http_reply(int socket, int status, const char *text) {
  char reply[512];
  int length = snprintf(reply, sizeof reply,
                        "HTTP/1.1 %d -\r\nContent-Type: text/plain\r\nConnection: close\r\nContent-Length: %zu\r\n\r\n%s",
                        status, strlen(text), text);
  if (write(socket, reply, (size_t)length) != length) perror("write");
}
