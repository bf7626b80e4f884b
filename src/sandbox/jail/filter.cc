#include "sandbox/jail/filter.h"

#include <linux/audit.h>
#include <linux/seccomp.h>

#include <algorithm>
#include <cerrno>
#include <cstddef>
#include <cstdlib>
#include <map>

namespace lambent::sandbox::jail {
namespace {

#if defined(__x86_64__)
constexpr std::uint32_t kArchitecture = AUDIT_ARCH_X86_64;
#elif defined(__aarch64__)
constexpr std::uint32_t kArchitecture = AUDIT_ARCH_AARCH64;
#endif

constexpr std::uint32_t kAllow = SECCOMP_RET_ALLOW;
constexpr std::uint32_t kRefuse = SECCOMP_RET_ERRNO | EPERM;
constexpr std::uint32_t kUnknown = SECCOMP_RET_ERRNO | ENOSYS;

std::uint32_t argument_offset(std::uint8_t argument) {
  // The low half comes first on both architectures.
  static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__);
  return static_cast<std::uint32_t>(offsetof(seccomp_data, args) + 8U * argument);
}

/// What is said of call numbers from `first` up to the next span's.
struct Span {
  std::uint32_t first;
  std::uint32_t answer;
  const LimitedCall* limited;
};

class Builder {
 public:
  std::vector<sock_filter> build() {
    collect_spans();
    add(BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(seccomp_data, arch)));
    add(BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, kArchitecture, 1, 0));
    answer(kUnknown);
    add(BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(seccomp_data, nr)));
    search(0, spans_.size());
    if (program_.size() > BPF_MAXINSNS) std::abort();
    return std::move(program_);
  }

 private:
  void add(sock_filter instruction) { program_.push_back(instruction); }
  void answer(std::uint32_t value) { add(BPF_STMT(BPF_RET | BPF_K, value)); }

  /// Neighbours with the same answer become one span, so that the tree is as deep as the answers differ, not the calls.
  void collect_spans() {
    std::map<std::uint32_t, Span> said;
    const auto say = [&said](std::int32_t number, std::uint32_t value, const LimitedCall* limited) {
      const auto at = static_cast<std::uint32_t>(number);
      // Two verdicts on one call: the lists contradict each other.
      if (!said.emplace(at, Span{at, value, limited}).second) std::abort();
    };
    for (const Call& call : allowed_calls()) say(call.number, kAllow, nullptr);
    for (const Call& call : refused_calls()) say(call.number, kRefuse, nullptr);
    for (const LimitedCall& limited : limited_calls()) say(limited.call.number, 0, &limited);
    spans_ = {{0, kUnknown, nullptr}};
    for (const auto& [number, span] : said) {
      append(span);
      append({number + 1, kUnknown, nullptr});
    }
  }

  void append(const Span& span) {
    // A span that ends where it began said nothing.
    if (spans_.back().first == span.first) spans_.pop_back();
    const bool same = !spans_.empty() && spans_.back().answer == span.answer && spans_.back().limited == span.limited;
    if (!same) spans_.push_back(span);
  }

  void search(std::size_t from, std::size_t to) {
    if (to - from == 1) {
      const Span& span = spans_[from];
      span.limited != nullptr ? conditions(*span.limited) : answer(span.answer);
      return;
    }
    const std::size_t middle = from + (to - from) / 2;
    add(BPF_JUMP(BPF_JMP | BPF_JGE | BPF_K, spans_[middle].first, 0, 1));
    // A conditional jump reaches 255 instructions, this one any.
    const std::size_t jump = program_.size();
    add(BPF_STMT(BPF_JMP | BPF_JA, 0));
    search(from, middle);
    program_[jump].k = static_cast<std::uint32_t>(program_.size() - jump - 1);
    search(middle, to);
  }

  void conditions(const LimitedCall& limited) {
    for (const Condition& condition : limited.conditions) {
      add(BPF_STMT(BPF_LD | BPF_W | BPF_ABS, argument_offset(condition.argument)));
      if (condition.mask != 0xffffffff) add(BPF_STMT(BPF_ALU | BPF_AND | BPF_K, condition.mask));
      auto left = static_cast<std::uint8_t>(condition.values.size());
      // After the values stands one instruction: the refusal of "none of them", or the way past that of "one of them".
      for (const std::uint32_t value : condition.values) add(BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, value, left--, 0));
      if (condition.forbidden) add(BPF_STMT(BPF_JMP | BPF_JA, 1));
      answer(kRefuse);
    }
    answer(kAllow);
  }

  std::vector<Span> spans_;
  std::vector<sock_filter> program_;
};

}  // namespace

std::vector<sock_filter> make_filter() { return Builder().build(); }

}  // namespace lambent::sandbox::jail
