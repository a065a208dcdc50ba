#ifndef HTTP_H
#define HTTP_H

#include <stddef.h>

/* Reads one request from a socket and copies its path; returns 0, or -1 when it is none. */
int http_path(int socket, char *path, size_t size);

void http_reply(int socket, int status, const char *text);

#endif
