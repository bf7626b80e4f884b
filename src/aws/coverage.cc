#include "aws/coverage.h"

#include <fmt/format.h>

#include <algorithm>

namespace lambent::aws {

std::string coverage_markdown(const std::vector<const Service*>& services) {
  std::string page =
      "# Coverage\n\nEvery operation of AWS's service models that this build embeds: it works, or it answers 501.\n";
  for (const auto* service : services) {
    const auto operations = service->coverage();
    const auto works = std::ranges::count_if(operations, [](const auto& operation) { return operation.second; });
    page += fmt::format("\n## {}\n\n{} of {} operations work.\n\n| operation | answer |\n|---|---|\n", service->name(),
                        works, operations.size());
    for (const auto& [name, implemented] : operations) {
      page += fmt::format("| {} | {} |\n", name, implemented ? "works" : "501");
    }
  }
  return page;
}

}  // namespace lambent::aws
