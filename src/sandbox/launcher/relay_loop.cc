#include <arpa/inet.h>
#include <netdb.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <chrono>
#include <cstring>
#include <fstream>
#include <list>
#include <map>
#include <sstream>
#include <vector>

#include "sandbox/launcher/name_relay.h"

namespace lambent::sandbox::launcher {
namespace {

using Clock = std::chrono::steady_clock;

/// At most so many questions wait for answers, and so many of one environment.
constexpr std::size_t kMaxQuestions = 512, kMaxQuestionsOfOne = 64;
constexpr std::size_t kMaxConnections = 128, kMaxConnectionsOfOne = 8;
/// "resolv.conf": MAXNS.
constexpr std::size_t kMaxServers = 3;
constexpr auto kPatience = std::chrono::milliseconds(1500);
constexpr auto kIdle = std::chrono::seconds(10);
constexpr int kSweepMs = 100;
/// A header of RFC 1035, and the largest datagram that there is.
constexpr std::size_t kHeader = 12, kMaxDatagram = 65'535, kChunk = 16'384;
constexpr char kServerFailed = 2;

struct Server {
  sockaddr_storage address{};
  socklen_t length = 0;
};

/// The host's name servers, as its resolver reads them.
class Servers {
 public:
  explicit Servers(const char* path) : path_(path) {}

  const std::vector<Server>& current() {
    struct stat now{};
    if (::stat(path_, &now) != 0) now = {};
    const bool same = !servers_.empty() && now.st_ino == seen_.st_ino && now.st_mtim.tv_sec == seen_.st_mtim.tv_sec &&
                      now.st_mtim.tv_nsec == seen_.st_mtim.tv_nsec;
    if (!same) read();
    seen_ = now;
    return servers_;
  }

 private:
  void read() {
    servers_.clear();
    std::ifstream file(path_);
    for (std::string line; servers_.size() < kMaxServers && std::getline(file, line);) {
      std::istringstream words(line);
      std::string keyword, host;
      if (words >> keyword >> host && keyword == "nameserver") add(host);
    }
    // As glibc does without any.
    if (servers_.empty()) add("127.0.0.1");
  }

  void add(const std::string& host) {
    addrinfo hints{}, *found = nullptr;
    hints.ai_flags = AI_NUMERICHOST | AI_NUMERICSERV;
    hints.ai_socktype = SOCK_DGRAM;
    if (::getaddrinfo(host.c_str(), "53", &hints, &found) != 0) return;
    Server server;
    std::memcpy(&server.address, found->ai_addr, found->ai_addrlen);
    server.length = found->ai_addrlen;
    servers_.push_back(server);
    ::freeaddrinfo(found);
  }

  const char* path_;
  struct stat seen_{};
  std::vector<Server> servers_;
};

base::Fd connect_to(const Server& server, int type) {
  base::Fd socket(::socket(server.address.ss_family, type | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  const auto* const address = reinterpret_cast<const sockaddr*>(&server.address);
  if (socket && ::connect(socket.get(), address, server.length) != 0 && errno != EINPROGRESS) socket.reset();
  return socket;
}

struct Question {
  sockaddr_in asker{};
  std::string text;
  base::Fd socket;
  std::size_t server = 0;  // the next one to try
  Clock::time_point patience;
};

/// One way of a connection: what was read and is not yet written.
struct Flow {
  std::string waiting;
  bool ended = false;  // nothing more comes
  bool closed = false;
};

struct Connection {
  in_addr_t asker = 0;
  base::Fd near, far;
  Flow out, back;
  Clock::time_point idle;
};

class Relay {
 public:
  Relay(int datagrams, int connections, const char* resolv_conf)
      : datagrams_(datagrams), connections_(connections), servers_(resolv_conf), buffer_(kMaxDatagram, '\0') {}

  [[noreturn]] void run() {
    for (;;) {
      collect();
      const bool waits = !questions_.empty() || !open_.empty();
      if (::poll(polled_.data(), polled_.size(), waits ? kSweepMs : -1) < 0) continue;
      handle();
    }
  }

 private:
  void collect() {
    polled_.assign({{datagrams_, POLLIN, 0}, {connections_, POLLIN, 0}});
    for (const Question& question : questions_) polled_.push_back({question.socket.get(), POLLIN, 0});
    for (const Connection& connection : open_) {
      polled_.push_back(poll_for(connection.near, connection.out, connection.back));
      polled_.push_back(poll_for(connection.far, connection.back, connection.out));
    }
  }

  /// Of a socket whose bytes go to `reads` and that is written from `writes`. One that nothing is wanted of is not asked:
  /// that it hung up would be said again and again.
  static pollfd poll_for(const base::Fd& socket, const Flow& reads, const Flow& writes) {
    short events = 0;
    if (!reads.ended && reads.waiting.empty()) events |= POLLIN;
    if (!writes.waiting.empty()) events |= POLLOUT;
    return {events == 0 ? -1 : socket.get(), events, 0};
  }

  /// In the order of collect(); new ones are added at the end only.
  void handle() {
    std::size_t next = 2;
    const auto now = Clock::now();
    for (auto question = questions_.begin(); question != questions_.end();) {
      const bool over =
          polled_[next++].revents != 0 ? take_answer(*question) : now >= question->patience && !send_on(*question);
      question = over ? forget(question) : std::next(question);
    }
    for (auto connection = open_.begin(); connection != open_.end();) {
      const short near = polled_[next++].revents, far = polled_[next++].revents;
      const bool over = carry(*connection, near, far, now);
      connection = over ? hang_up(connection) : std::next(connection);
    }
    if (polled_[0].revents != 0) take_questions();
    if (polled_[1].revents != 0) take_connection();
  }

  std::list<Question>::iterator forget(std::list<Question>::iterator question) {
    release(asking_, question->asker.sin_addr.s_addr);
    return questions_.erase(question);
  }

  std::list<Connection>::iterator hang_up(std::list<Connection>::iterator connection) {
    release(calling_, connection->asker);
    return open_.erase(connection);
  }

  static void release(std::map<in_addr_t, std::size_t>& counts, in_addr_t asker) {
    if (--counts[asker] == 0) counts.erase(asker);
  }

  void take_questions() {
    // So many at a time that answers are not forgotten over them.
    for (std::size_t taken = 0; taken < kMaxQuestionsOfOne; ++taken) {
      Question question;
      socklen_t length = sizeof question.asker;
      const ssize_t got = ::recvfrom(datagrams_, buffer_.data(), buffer_.size(), 0,
                                     reinterpret_cast<sockaddr*>(&question.asker), &length);
      if (got < 0) return;
      // An answer is no question.
      if (static_cast<std::size_t>(got) < kHeader || (buffer_[2] & 0x80) != 0) continue;
      std::size_t& count = asking_[question.asker.sin_addr.s_addr];
      if (questions_.size() < kMaxQuestions && count < kMaxQuestionsOfOne) {
        question.text.assign(buffer_.data(), static_cast<std::size_t>(got));
        ++count;
        questions_.push_back(std::move(question));
        if (!send_on(questions_.back())) forget(std::prev(questions_.end()));
      } else {
        fail(question.asker, {buffer_.data(), static_cast<std::size_t>(got)});
        if (count == 0) asking_.erase(question.asker.sin_addr.s_addr);
      }
    }
  }

  /// To the next server; false, and the asker is told, when none is left.
  bool send_on(Question& question) {
    const std::vector<Server>& servers = servers_.current();
    while (question.server < servers.size()) {
      question.socket = connect_to(servers[question.server++], SOCK_DGRAM);
      if (!question.socket) continue;
      question.patience = Clock::now() + kPatience;
      if (::send(question.socket.get(), question.text.data(), question.text.size(), 0) >= 0) return true;
    }
    fail(question.asker, question.text);
    return false;
  }

  /// True when the question has its answer.
  bool take_answer(Question& question) {
    const ssize_t got = ::recv(question.socket.get(), buffer_.data(), buffer_.size(), 0);
    if (got < 0) return errno != EAGAIN && !send_on(question);
    // Of another question: the right one may still come.
    if (static_cast<std::size_t>(got) < kHeader || std::memcmp(buffer_.data(), question.text.data(), 2) != 0)
      return false;
    answer(question.asker, {buffer_.data(), static_cast<std::size_t>(got)});
    return true;
  }

  void fail(const sockaddr_in& asker, std::string text) {
    text[2] = static_cast<char>(text[2] | 0x80);
    text[3] = static_cast<char>((text[3] & 0xf0) | kServerFailed);
    answer(asker, text);
  }

  void answer(const sockaddr_in& asker, const std::string& text) const {
    ::sendto(datagrams_, text.data(), text.size(), 0, reinterpret_cast<const sockaddr*>(&asker), sizeof asker);
  }

  void take_connection() {
    sockaddr_in asker{};
    socklen_t length = sizeof asker;
    base::Fd near(::accept4(connections_, reinterpret_cast<sockaddr*>(&asker), &length, SOCK_CLOEXEC | SOCK_NONBLOCK));
    if (!near) return;
    const in_addr_t address = asker.sin_addr.s_addr;
    const auto count = calling_.find(address);
    if (open_.size() >= kMaxConnections || (count != calling_.end() && count->second >= kMaxConnectionsOfOne)) return;
    Connection connection;
    connection.asker = address;
    connection.near = std::move(near);
    connection.far = connect_to(servers_.current().front(), SOCK_STREAM);
    connection.idle = Clock::now() + kIdle;
    if (!connection.far) return;
    ++calling_[address];
    open_.push_back(std::move(connection));
  }

  /// True when the connection is over.
  bool carry(Connection& connection, short near, short far, Clock::time_point now) {
    if (near == 0 && far == 0) return now >= connection.idle;
    connection.idle = now + kIdle;
    const bool ok = read(connection.near, near, connection.out) && read(connection.far, far, connection.back) &&
                    write(connection.far, connection.out) && write(connection.near, connection.back);
    return !ok || connection.back.closed;
  }

  bool read(const base::Fd& from, short events, Flow& into) {
    if ((events & (POLLIN | POLLHUP | POLLERR)) == 0 || into.ended || !into.waiting.empty()) return true;
    const ssize_t got = ::recv(from.get(), buffer_.data(), kChunk, 0);
    if (got < 0) return errno == EAGAIN;
    into.ended = got == 0;
    into.waiting.assign(buffer_.data(), static_cast<std::size_t>(got));
    return true;
  }

  static bool write(const base::Fd& to, Flow& from) {
    if (!from.waiting.empty()) {
      const ssize_t put = ::send(to.get(), from.waiting.data(), from.waiting.size(), MSG_NOSIGNAL);
      if (put < 0) return errno == EAGAIN;
      from.waiting.erase(0, static_cast<std::size_t>(put));
    }
    if (from.waiting.empty() && from.ended && !from.closed) {
      ::shutdown(to.get(), SHUT_WR);
      from.closed = true;
    }
    return true;
  }

  int datagrams_, connections_;
  Servers servers_;
  std::string buffer_;
  std::list<Question> questions_;
  std::list<Connection> open_;
  std::map<in_addr_t, std::size_t> asking_, calling_;
  std::vector<pollfd> polled_;
};

}  // namespace

void relay_names(int datagrams, int connections, const char* resolv_conf) {
  Relay(datagrams, connections, resolv_conf).run();
}

}  // namespace lambent::sandbox::launcher
