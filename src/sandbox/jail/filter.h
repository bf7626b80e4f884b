// The system calls that a function may make, as data, and the classic BPF program that the kernel checks them with.
//
// The list is calls.cc; the program is made once, when the launcher starts. What a call answers: allowed ones go through,
// refused ones give EPERM, everything else (clone3, calls newer than the list, another architecture's) gives ENOSYS, which
// C libraries take as an old kernel's and fall back from.
#pragma once

#include <linux/filter.h>

#include <cstdint>
#include <span>
#include <vector>

namespace lambent::sandbox::jail {

enum class Verdict : std::uint8_t { allow, refuse, unknown };

struct Call {
  const char* name;
  std::int32_t number;
};

/// One condition on the low half of an argument: the kernel itself looks at no more of those named here.
struct Condition {
  std::uint8_t argument;
  std::uint32_t mask;
  /// The masked argument must be one of these, or none of them when `forbidden`.
  std::span<const std::uint32_t> values;
  bool forbidden = false;
};

/// A call that is allowed when every condition holds, and refused otherwise.
struct LimitedCall {
  Call call;
  std::span<const Condition> conditions;
};

std::span<const Call> allowed_calls();
std::span<const Call> refused_calls();
std::span<const LimitedCall> limited_calls();

/// The program for this architecture.
std::vector<sock_filter> make_filter();

}  // namespace lambent::sandbox::jail
