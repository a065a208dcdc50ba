/* Counts hits and remembers the count in a file. */
#include <netinet/in.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "http.h"

static const char *state = "/var/lib/hits/count";

static long load(void) {
  long count = 0;
  FILE *file = fopen(state, "r");
  if (file) {
    if (fscanf(file, "%ld", &count) != 1) count = 0;
    fclose(file);
  }
  return count;
}

static void store(long count) {
  FILE *file = fopen(state, "w");
  if (!file) {
    perror(state);
    exit(1);
  }
  fprintf(file, "%ld\n", count);
  fclose(file);
}

static void leave(int signal) {
  (void)signal;
  _exit(0);
}

int main(int argc, char **argv) {
  unsigned short port = argc > 1 ? (unsigned short)atoi(argv[1]) : 8090;
  signal(SIGTERM, leave);
  long count = load();
  store(count);

  int listener = socket(AF_INET, SOCK_STREAM, 0), yes = 1;
  setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes);
  struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons(port)};
  if (bind(listener, (struct sockaddr *)&address, sizeof address) || listen(listener, 8)) {
    perror("cannot listen");
    return 1;
  }
  for (;;) {
    char path[256], text[32];
    int client = accept(listener, NULL, NULL);
    if (client < 0) continue;
    if (http_path(client, path, sizeof path) == 0) {
      if (strcmp(path, "/hit") == 0) {
        store(++count);
        snprintf(text, sizeof text, "%ld\n", count);
        http_reply(client, 200, text);
      } else {
        http_reply(client, 404, "only /hit\n");
      }
    }
    close(client);
  }
}
