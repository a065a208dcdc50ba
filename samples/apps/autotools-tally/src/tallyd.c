/* Counts votes for the words of a list, in a database. */
#include <netinet/in.h>
#include <signal.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

static sqlite3 *votes;

static void run(const char *text) {
  char *error = NULL;
  if (sqlite3_exec(votes, text, NULL, NULL, &error) != SQLITE_OK) {
    fprintf(stderr, "%s\n", error);
    exit(1);
  }
}

static int is_word(const char *wanted) {
  char line[64];
  int found = 0;
  FILE *words = fopen(WORDS, "r");
  if (!words) {
    perror(WORDS);
    exit(1);
  }
  while (fgets(line, sizeof line, words)) {
    line[strcspn(line, "\n")] = '\0';
    found |= strcmp(line, wanted) == 0;
  }
  fclose(words);
  return found;
}

static int count(const char *word) {
  sqlite3_stmt *statement = NULL;
  int number = 0;
  sqlite3_prepare_v2(votes, "SELECT number FROM votes WHERE word = ?", -1, &statement, NULL);
  sqlite3_bind_text(statement, 1, word, -1, SQLITE_TRANSIENT);
  if (sqlite3_step(statement) == SQLITE_ROW) number = sqlite3_column_int(statement, 0);
  sqlite3_finalize(statement);
  return number;
}

static void vote(const char *word) {
  sqlite3_stmt *statement = NULL;
  sqlite3_prepare_v2(votes,
                     "INSERT INTO votes VALUES (?, 1) ON CONFLICT (word) DO UPDATE SET number = number + 1", -1,
                     &statement, NULL);
  sqlite3_bind_text(statement, 1, word, -1, SQLITE_TRANSIENT);
  if (sqlite3_step(statement) != SQLITE_DONE) {
    fprintf(stderr, "%s\n", sqlite3_errmsg(votes));
    exit(1);
  }
  sqlite3_finalize(statement);
}

static void answer(int client) {
  char request[1024] = {0}, method[8] = {0}, word[64] = {0}, reply[256];
  if (read(client, request, sizeof request - 1) <= 0) return;
  sscanf(request, "%7s /%63[a-z]", method, word);
  if (!is_word(word)) {
    snprintf(reply, sizeof reply, "HTTP/1.0 404 Not Found\r\nContent-Length: 8\r\n\r\nno word\n");
  } else {
    char body[96];
    if (strcmp(method, "POST") == 0) vote(word);
    int length = snprintf(body, sizeof body, "%s %d\n", word, count(word));
    snprintf(reply, sizeof reply, "HTTP/1.0 200 OK\r\nContent-Length: %d\r\n\r\n%s", length, body);
  }
  if (write(client, reply, strlen(reply)) < 0) perror("write");
}

int main(void) {
  signal(SIGPIPE, SIG_IGN);
  if (sqlite3_open("/var/lib/tally/votes.db", &votes) != SQLITE_OK) {
    fprintf(stderr, "%s\n", sqlite3_errmsg(votes));
    return 1;
  }
  run("CREATE TABLE IF NOT EXISTS votes (word TEXT PRIMARY KEY, number INTEGER)");
  int server = socket(AF_INET, SOCK_STREAM, 0), yes = 1;
  setsockopt(server, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes);
  struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons(7070)};
  if (bind(server, (struct sockaddr *)&address, sizeof address) || listen(server, 16)) {
    perror("listen");
    return 1;
  }
  for (;;) {
    int client = accept(server, NULL, NULL);
    if (client < 0) continue;
    answer(client);
    close(client);
  }
}
