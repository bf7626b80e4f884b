// What an environment leaves behind in the kernel and in processes, and who finds it: "door: text" a line, or an errno's number.
#include <errno.h>
#include <fcntl.h>
#include <mqueue.h>
#include <netinet/in.h>
#include <poll.h>
#include <signal.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ipc.h>
#include <sys/mman.h>
#include <sys/msg.h>
#include <sys/shm.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "probe.h"

#define KEY 0x1a3be47
#define PORT 7077
#define SIZE 256

struct message {
  long type;
  char text[SIZE];
};

static int listen_abstract(void) {
  struct sockaddr_un name = {.sun_family = AF_UNIX, .sun_path = "\0lambent-mark"};
  const int at = socket(AF_UNIX, SOCK_STREAM, 0);
  if (bind(at, (void*)&name, offsetof(struct sockaddr_un, sun_path) + 13) != 0 || listen(at, 8) != 0) return -1;
  return at;
}

static int connect_abstract(void) {
  struct sockaddr_un name = {.sun_family = AF_UNIX, .sun_path = "\0lambent-mark"};
  const int to = socket(AF_UNIX, SOCK_STREAM, 0);
  return connect(to, (void*)&name, offsetof(struct sockaddr_un, sun_path) + 13) == 0 ? to : -1;
}

static struct sockaddr_in loopback(void) {
  return (struct sockaddr_in){.sin_family = AF_INET, .sin_port = htons(PORT), .sin_addr = {htonl(INADDR_LOOPBACK)}};
}

static int listen_loopback(void) {
  const struct sockaddr_in name = loopback();
  const int at = socket(AF_INET, SOCK_STREAM, 0), on = 1;
  setsockopt(at, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
  if (bind(at, (const void*)&name, sizeof name) != 0 || listen(at, 8) != 0) return -1;
  return at;
}

static int connect_loopback(void) {
  const struct sockaddr_in name = loopback();
  const int to = socket(AF_INET, SOCK_STREAM, 0);
  return connect(to, (const void*)&name, sizeof name) == 0 ? to : -1;
}

// A process that stays and tells everybody who asks.
static void stay(const char* text) {
  struct pollfd doors[2] = {{.fd = listen_abstract(), .events = POLLIN}, {.fd = listen_loopback(), .events = POLLIN}};
  if (doors[0].fd < 0 || doors[1].fd < 0) exit(2);
  if (fork() != 0) return;
  for (int fd = 0; fd < 3; ++fd) close(fd);
  signal(SIGPIPE, SIG_IGN);
  for (;;) {
    poll(doors, 2, -1);
    for (int i = 0; i < 2; ++i) {
      if (!(doors[i].revents & POLLIN)) continue;
      const int guest = accept(doors[i].fd, NULL, NULL);
      if (write(guest, text, strlen(text)) < 0) continue;
      close(guest);
    }
  }
}

static int keep_memory(const char* text) {
  const int id = shmget(KEY, SIZE, IPC_CREAT | 0666);
  char* memory = id < 0 ? (void*)-1 : shmat(id, NULL, 0);
  if (memory == (void*)-1) return -1;
  snprintf(memory, SIZE, "%s", text);
  return 0;
}

static int keep_message(const char* text) {
  struct message message = {.type = 1};
  snprintf(message.text, SIZE, "%s", text);
  const int id = msgget(KEY, IPC_CREAT | 0666);
  return id < 0 ? -1 : msgsnd(id, &message, SIZE, IPC_NOWAIT);
}

static int keep_posix_memory(const char* text) {
  const int file = shm_open("/lambent-mark", O_CREAT | O_RDWR, 0666);
  return file < 0 || write(file, text, strlen(text)) < 0 ? -1 : 0;
}

static int keep_posix_message(const char* text) {
  struct mq_attr sizes = {.mq_maxmsg = 1, .mq_msgsize = SIZE};
  const mqd_t queue = mq_open("/lambent-mark", O_CREAT | O_RDWR, 0666, &sizes);
  return queue < 0 ? -1 : mq_send(queue, text, strlen(text), 0);
}

static const struct {
  const char* name;
  int (*keep)(const char*);
} kWays[] = {{"shared memory", keep_memory},
             {"message", keep_message},
             {"posix memory", keep_posix_memory},
             {"posix message", keep_posix_message}};

void keep(const char* text) {
  for (size_t i = 0; i < sizeof kWays / sizeof kWays[0]; ++i)
    if (kWays[i].keep(text) != 0) printf("not kept %s: %d\n", kWays[i].name, errno);
  fflush(stdout);
  stay(text);
}

static void tell(const char* door, long got, char* text) {
  if (got < 0) {
    printf("%s: %d\n", door, errno);
  } else {
    text[got < SIZE ? got : SIZE - 1] = 0;
    printf("%s: %s\n", door, text);
  }
}

static void tell_guest(const char* door, int to) {
  char text[SIZE] = {0};
  tell(door, to < 0 ? -1 : read(to, text, SIZE), text);
}

void tell_kept(void) {
  char text[SIZE] = {0};
  const int memory = shmget(KEY, SIZE, 0);
  const char* seen = memory < 0 ? (void*)-1 : shmat(memory, NULL, SHM_RDONLY);
  if (seen != (void*)-1) snprintf(text, SIZE, "%s", seen);
  tell("shared memory", seen == (void*)-1 ? -1 : (long)strlen(text), text);

  // What is taken out is put back.
  struct message message = {0};
  const int queue = msgget(KEY, 0);
  const long got = queue < 0 ? -1 : msgrcv(queue, &message, SIZE, 0, IPC_NOWAIT);
  tell("message", got, message.text);
  if (got >= 0) msgsnd(queue, &message, (size_t)got, IPC_NOWAIT);

  const int file = shm_open("/lambent-mark", O_RDONLY, 0);
  tell("posix memory", file < 0 ? -1 : read(file, text, SIZE), text);

  const mqd_t messages = mq_open("/lambent-mark", O_RDWR | O_NONBLOCK);
  const long taken = messages < 0 ? -1 : mq_receive(messages, text, SIZE, NULL);
  tell("posix message", taken, text);
  if (taken >= 0) mq_send(messages, text, (size_t)taken, 0);

  tell_guest("abstract socket", connect_abstract());
  tell_guest("loopback", connect_loopback());
}
