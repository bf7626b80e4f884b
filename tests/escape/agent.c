// The hostile function as a native program: does what the event's steps say and tells how each went. agent.py does the same.
//
// Built static it is the bootstrap of an OS-only runtime; built as a library it is a part of Agent.cs's process. So that it needs
// no JSON its event is a string of the steps' words in hexadecimal, "," between words and ";" between steps (conftest.py packs them);
// a "!" before them has the answer printed too.
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <spawn.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#define MOST_WORDS 16
#define API "/2018-06-01/runtime/invocation/"

extern char** environ;

struct word {
  char* text;
  size_t size;
};
struct text {
  char* bytes;
  size_t size;
};

static void put(struct text* to, const void* bytes, size_t size) {
  to->bytes = realloc(to->bytes, to->size + size + 1);
  if (to->bytes == NULL) abort();
  memcpy(to->bytes + to->size, bytes, size);
  to->bytes[to->size += size] = 0;
}

static void say(struct text* to, const char* text) { put(to, text, strlen(text)); }

// As a JSON string; a byte is the character of its number.
static void quote(struct text* to, const char* bytes, size_t size) {
  say(to, "\"");
  for (size_t i = 0; i < size; ++i) {
    const unsigned char byte = (unsigned char)bytes[i];
    char escaped[8];
    if (byte < 0x20 || byte > 0x7e || byte == '"' || byte == '\\') {
      snprintf(escaped, sizeof escaped, "\\u%04x", byte);
      say(to, escaped);
    } else {
      put(to, &bytes[i], 1);
    }
  }
  say(to, "\"");
}

static void count(struct text* to, long number) {
  char digits[32];
  snprintf(digits, sizeof digits, "%ld", number);
  say(to, digits);
}

static void member(struct text* to, const char* name) {
  say(to, to->bytes[to->size - 1] == '{' ? "" : ",");
  quote(to, name, strlen(name));
  say(to, ":");
}

static void read_all(int from, struct text* to) {
  char block[4096];
  for (ssize_t got; (got = read(from, block, sizeof block)) > 0;) put(to, block, (size_t)got);
}

static int put_into(const struct word* words, int flags, struct text* out) {
  const int file = open(words[1].text, flags | O_CLOEXEC, 0600);
  if (file < 0) return errno;
  const ssize_t wrote = write(file, words[2].text, words[2].size);
  const int error = wrote < 0 ? errno : 0;
  close(file);
  count(out, wrote);
  return error;
}

static int read_file(const struct word* words, struct text* out) {
  char block[4096];
  const int file = open(words[1].text, O_RDONLY | O_CLOEXEC);
  if (file < 0) return errno;
  const ssize_t got = read(file, block, sizeof block);
  const int error = got < 0 ? errno : 0;
  close(file);
  if (got >= 0) quote(out, block, (size_t)got);
  return error;
}

static int list(const struct word* words, int with_links, struct text* out) {
  DIR* directory = opendir(words[1].text);
  if (directory == NULL) return errno;
  say(out, with_links ? "{" : "[");
  for (const struct dirent* entry; (entry = readdir(directory)) != NULL;) {
    if (!strcmp(entry->d_name, ".") || !strcmp(entry->d_name, "..")) continue;
    if (with_links) {
      char target[4096];
      const ssize_t size = readlinkat(dirfd(directory), entry->d_name, target, sizeof target);
      member(out, entry->d_name);
      if (size >= 0)
        quote(out, target, (size_t)size);
      else
        quote(out, strerrorname_np(errno), strlen(strerrorname_np(errno)));
    } else {
      say(out, out->bytes[out->size - 1] == '[' ? "" : ",");
      quote(out, entry->d_name, strlen(entry->d_name));
    }
  }
  closedir(directory);
  say(out, with_links ? "}" : "]");
  return 0;
}

static int read_link(const struct word* words, struct text* out) {
  char target[4096];
  const ssize_t size = readlink(words[1].text, target, sizeof target);
  if (size < 0) return errno;
  quote(out, target, (size_t)size);
  return 0;
}

static int dial(const struct sockaddr* name, socklen_t size) {
  const struct timeval patience = {.tv_sec = 5};
  const int to = socket(name->sa_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (to < 0) return -1;
  setsockopt(to, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof patience);
  if (connect(to, name, size) == 0) return to;
  const int error = errno;
  close(to);
  errno = error;
  return -1;
}

static int dial_host(const char* host, int port) {
  struct sockaddr_in name = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port)};
  struct sockaddr_in6 longer = {.sin6_family = AF_INET6, .sin6_port = htons((uint16_t)port)};
  if (inet_pton(AF_INET, host, &name.sin_addr) == 1) return dial((struct sockaddr*)&name, sizeof name);
  inet_pton(AF_INET6, host, &longer.sin6_addr);
  return dial((struct sockaddr*)&longer, sizeof longer);
}

static int dial_unix(const struct word* word) {
  struct sockaddr_un name = {.sun_family = AF_UNIX};
  memcpy(name.sun_path, word->text, word->size < sizeof name.sun_path ? word->size : sizeof name.sun_path);
  return dial((struct sockaddr*)&name, (socklen_t)(offsetof(struct sockaddr_un, sun_path) + word->size));
}

static int ended(int to) {
  if (to < 0) return errno;
  close(to);
  return 0;
}

// The whole of what a port of loopback answers.
static struct text exchange(int port, const char* method, const char* path, const char* headers, const char* body,
                            size_t size) {
  struct text said = {0}, answer = {0};
  say(&said, method);
  say(&said, " ");
  say(&said, path);
  say(&said, " HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\nContent-Length: ");
  count(&said, (long)size);
  say(&said, "\r\n");
  say(&said, headers);
  say(&said, "\r\n");
  put(&said, body, size);
  const int to = dial_host("127.0.0.1", port);
  for (size_t sent = 0; to >= 0 && sent < said.size;) {
    const ssize_t wrote = send(to, said.bytes + sent, said.size - sent, MSG_NOSIGNAL);
    if (wrote <= 0) break;
    sent += (size_t)wrote;
  }
  say(&answer, "");
  if (to >= 0) read_all(to, &answer);
  if (to >= 0) close(to);
  free(said.bytes);
  return answer;
}

static size_t body_of(const struct text* answer) {
  const char* blank = memmem(answer->bytes, answer->size, "\r\n\r\n", 4);
  return blank == NULL ? answer->size : (size_t)(blank - answer->bytes) + 4;
}

static int fetch(const struct word* words, struct text* out) {
  struct text answer =
      exchange(atoi(words[1].text), words[2].text, words[3].text, words[4].text, words[5].text, words[5].size);
  if (answer.size < 12) return EPROTO;
  const size_t at = body_of(&answer);
  say(out, "[");
  count(out, atoi(answer.bytes + 9));
  say(out, ",");
  quote(out, answer.bytes + at, answer.size - at);
  say(out, "]");
  free(answer.bytes);
  return 0;
}

static int run(int words_count, const struct word* words, struct text* out) {
  char* argv[MOST_WORDS + 1] = {0};
  for (int i = 1; i < words_count; ++i) argv[i - 1] = words[i].text;
  int streams[2];
  if (pipe2(streams, O_CLOEXEC) != 0) return errno;
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0);
  posix_spawn_file_actions_adddup2(&actions, streams[1], 1);
  posix_spawn_file_actions_adddup2(&actions, streams[1], 2);
  pid_t child;
  const int refused = posix_spawn(&child, argv[0], &actions, NULL, argv, environ);
  posix_spawn_file_actions_destroy(&actions);
  close(streams[1]);
  struct text said = {0};
  say(&said, "");
  if (refused == 0) read_all(streams[0], &said);
  close(streams[0]);
  if (refused != 0) return refused;
  int status = 0;
  waitpid(child, &status, 0);
  say(out, "{");
  member(out, "status");
  count(out, WIFSIGNALED(status) ? -WTERMSIG(status) : WEXITSTATUS(status));
  member(out, "out");
  quote(out, said.bytes, said.size);
  say(out, "}");
  free(said.bytes);
  return 0;
}

static void environment(struct text* out) {
  say(out, "{");
  for (char** each = environ; *each != NULL; ++each) {
    const size_t size = strcspn(*each, "=");
    say(out, each == environ ? "" : ",");
    quote(out, *each, size);
    say(out, ":");
    quote(out, *each + size + 1, strlen(*each + size + 1));
  }
  say(out, "}");
}

static void identity(struct text* out) {
  gid_t groups[64];
  const int groups_count = getgroups(64, groups);
  say(out, "{");
  member(out, "uid");
  count(out, getuid());
  member(out, "gid");
  count(out, getgid());
  member(out, "groups");
  say(out, "[");
  for (int i = 0, told = 0; i < groups_count; ++i) {
    if (groups[i] == getgid()) continue;
    say(out, told++ ? "," : "");
    count(out, groups[i]);
  }
  say(out, "]}");
}

static void hoard(void) {
  for (;;) {
    char* block = malloc(4000000);
    if (block != NULL) memset(block, 'x', 4000000);
    // Or the compiler makes nothing of it.
    __asm__ volatile("" : : "r"(block) : "memory");
  }
}

static struct text kept;

static void recall(struct text* out) {
  say(out, "[");
  if (kept.size > 0) quote(out, kept.bytes, kept.size);
  say(out, "]");
}

static volatile long ticks;

static void* ticking(void* unused) {
  (void)unused;
  const struct sockaddr_in nobody = {.sin_family = AF_INET, .sin_port = htons(9), .sin_addr = {htonl(INADDR_LOOPBACK)}};
  const int packets = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  for (;; usleep(1000))
    if (sendto(packets, "x", 1, 0, (const void*)&nobody, sizeof nobody) == 1) ++ticks;
  return NULL;
}

static void tick(struct text* out) {
  pthread_t thread;
  if (pthread_create(&thread, NULL, ticking, NULL) != 0) abort();
  while (ticks < 100) usleep(1000);
  count(out, ticks);
}

// 0, or the errno of what was refused.
static int attempt(int words_count, const struct word* words, struct text* out) {
  const char *what = words[0].text, *first = words[1].text, *second = words[2].text;
  if (!strcmp(what, "read")) return read_file(words, out);
  if (!strcmp(what, "write")) return put_into(words, O_WRONLY, out);
  if (!strcmp(what, "create")) return put_into(words, O_WRONLY | O_CREAT, out);
  if (!strcmp(what, "list")) return list(words, 0, out);
  if (!strcmp(what, "links")) return list(words, 1, out);
  if (!strcmp(what, "readlink")) return read_link(words, out);
  if (!strcmp(what, "fetch")) return fetch(words, out);
  if (!strcmp(what, "run")) return run(words_count, words, out);
  if (!strcmp(what, "environment")) return environment(out), 0;
  if (!strcmp(what, "identity")) return identity(out), 0;
  if (!strcmp(what, "hoard")) hoard();
  if (!strcmp(what, "tick")) return tick(out), 0;
  if (!strcmp(what, "ticks")) return count(out, ticks), 0;
  if (!strcmp(what, "remember")) return put(&kept, first, words[1].size), recall(out), 0;
  if (!strcmp(what, "recall")) return recall(out), 0;
  if (!strcmp(what, "connect")) return ended(dial_host(first, atoi(second)));
  if (!strcmp(what, "connect_unix")) return ended(dial_unix(&words[1]));
  if (!strcmp(what, "mkdir")) return mkdir(first, 0777) == 0 ? 0 : errno;
  if (!strcmp(what, "unlink")) return unlink(first) == 0 ? 0 : errno;
  if (!strcmp(what, "symlink")) return symlink(first, second) == 0 ? 0 : errno;
  if (!strcmp(what, "link")) return link(first, second) == 0 ? 0 : errno;
  if (!strcmp(what, "rename")) return rename(first, second) == 0 ? 0 : errno;
  if (!strcmp(what, "chmod")) return chmod(first, (mode_t)atoi(second)) == 0 ? 0 : errno;
  abort();
}

static struct word unpack(const char* digits, size_t size, const char* id) {
  struct text word = {0};
  say(&word, "");
  for (size_t i = 0; i + 1 < size; i += 2) {
    unsigned byte = 0;
    sscanf((char[]){digits[i], digits[i + 1], 0}, "%x", &byte);
    put(&word, &(char){(char)byte}, 1);
  }
  char* named = memmem(word.bytes, word.size, "$ID", 3);
  if (named != NULL) {
    struct text whole = {0};
    put(&whole, word.bytes, (size_t)(named - word.bytes));
    say(&whole, id);
    say(&whole, named + 3);
    word = whole;
  }
  return (struct word){word.bytes, word.size};
}

/// How the steps of a packed event went, as JSON; whoever asks need not free it.
char* agent_answer(const char* packed, const char* id) {
  struct text out = {0};
  say(&out, "[");
  packed += strspn(packed, "\"");
  const int aloud = *packed == '!';
  for (packed += aloud; *packed != '"' && *packed != 0; packed += *packed == ';') {
    struct word words[MOST_WORDS] = {0};
    int words_count = 0;
    for (size_t size; words_count < MOST_WORDS; packed += size + 1) {
      size = strspn(packed, "0123456789abcdef");
      words[words_count++] = unpack(packed, size, id);
      if (packed[size] == ',') continue;
      packed += size;
      break;
    }
    struct text value = {0};
    say(&value, "");
    const int error = attempt(words_count, words, &value);
    say(&out, out.size > 1 ? ",{\"" : "{\"");
    say(&out, error ? "error\":\"" : "ok\":");
    say(&out, error ? strerrorname_np(error) : value.size ? value.bytes : "null");
    say(&out, error ? "\"}" : "}");
    free(value.bytes);
    for (int i = 0; i < words_count; ++i) free(words[i].text);
  }
  say(&out, "]");
  if (aloud) puts(out.bytes);
  if (aloud) fflush(stdout);
  return out.bytes;
}

int main(void) {
  const char* api = getenv("AWS_LAMBDA_RUNTIME_API");
  if (api == NULL || strchr(api, ':') == NULL) return 1;
  const int port = atoi(strchr(api, ':') + 1);
  for (;;) {
    struct text event = exchange(port, "GET", API "next", "", "", 0);
    const char* named = strcasestr(event.bytes, "\r\nLambda-Runtime-Aws-Request-Id:");
    if (named == NULL) return 2;
    char id[64] = {0}, path[160];
    sscanf(strchr(named, ':') + 1, " %63[0-9a-f-]", id);
    snprintf(path, sizeof path, API "%s/response", id);
    char* answer = agent_answer(event.bytes + body_of(&event), id);
    struct text taken = exchange(port, "POST", path, "", answer, strlen(answer));
    free(taken.bytes);
    free(answer);
    free(event.bytes);
  }
}
