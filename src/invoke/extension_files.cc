#include "invoke/extension_files.h"

#include <set>
#include <string_view>

#include "base/log.h"
#include "sandbox/sandbox.h"

namespace lambent::invoke {

namespace fs = std::filesystem;

std::vector<std::string> extension_names(const fs::path& trees, const store::FunctionVersion& function) {
  std::set<std::string> names;
  for (const store::LayerUse& layer : function.layers) {
    std::error_code error;
    for (const fs::directory_entry& entry : fs::directory_iterator(trees / layer.hash / "extensions", error))
      if (entry.is_regular_file(error)) names.insert(entry.path().filename().string());
  }
  std::vector<std::string> found(names.begin(), names.end());
  if (found.size() > sandbox::kMaxExtensions) {
    base::log::warn("a function has more extensions than may start", {{"function", function.key.name}});
    found.resize(sandbox::kMaxExtensions);
  }
  return found;
}

std::vector<std::string> extension_environment(const std::vector<std::string>& environment) {
  static const std::set<std::string_view> theirs{
      "AWS_XRAY_CONTEXT_MISSING", "AWS_XRAY_DAEMON_ADDRESS", "AWS_LAMBDA_LOG_GROUP_NAME", "AWS_LAMBDA_LOG_STREAM_NAME",
      "LAMBDA_TASK_ROOT",         "LAMBDA_RUNTIME_DIR",      "AWS_EXECUTION_ENV"};
  std::vector<std::string> kept;
  for (const std::string& pair : environment) {
    const std::string_view name = std::string_view(pair).substr(0, pair.find('='));
    if (!name.starts_with('_') && !theirs.contains(name)) kept.push_back(pair);
  }
  return kept;
}

}  // namespace lambent::invoke
