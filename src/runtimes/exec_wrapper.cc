#include "runtimes/exec_wrapper.h"

#include <algorithm>

namespace lambent::runtimes {

std::vector<std::string> with_exec_wrapper(std::vector<std::string> argv, const std::vector<std::string>& environment,
                                           const Runtime& runtime) {
  constexpr std::string_view kName = "AWS_LAMBDA_EXEC_WRAPPER=";
  const auto found =
      std::ranges::find_if(environment, [&](const std::string& pair) { return pair.starts_with(kName); });
  if (runtime.family == Family::provided || found == environment.end() || found->size() == kName.size()) return argv;
  // By a shell, as AWS's own bootstrap is one: a script without #! runs too, and a missing one is status 127.
  std::vector<std::string> wrapped{"/bin/sh", "-c", "exec \"$0\" \"$@\"", found->substr(kName.size())};
  std::ranges::move(argv, std::back_inserter(wrapped));
  return wrapped;
}

}  // namespace lambent::runtimes
