#include "services/lambda/validation.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <array>
#include <boost/json.hpp>

#include "base/digest.h"
#include "services/lambda/errors.h"
#include "services/lambda/lambda.h"

namespace lambent::lambda {
namespace {

// "Using Lambda environment variables", the reserved ones. AWS_LAMBDA_EXEC_WRAPPER and others of that prefix are the
// owner's to set; names that begin with '_' never get past the model's pattern.
constexpr std::array<std::string_view, 18> kReserved{
    "AWS_ACCESS_KEY",
    "AWS_ACCESS_KEY_ID",
    "AWS_DEFAULT_REGION",
    "AWS_EXECUTION_ENV",
    "AWS_LAMBDA_FUNCTION_MEMORY_SIZE",
    "AWS_LAMBDA_FUNCTION_NAME",
    "AWS_LAMBDA_FUNCTION_VERSION",
    "AWS_LAMBDA_INITIALIZATION_TYPE",
    "AWS_LAMBDA_LOG_GROUP_NAME",
    "AWS_LAMBDA_LOG_STREAM_NAME",
    "AWS_LAMBDA_RUNTIME_API",
    "AWS_REGION",
    "AWS_SECRET_ACCESS_KEY",
    "AWS_SESSION_TOKEN",
    "LAMBDA_RUNTIME_DIR",
    "LAMBDA_TASK_ROOT",
    "_HANDLER",
    "_X_AMZN_TRACE_ID",
};

bool given(const OptionalText& text) { return text && !text->empty(); }
template <class T>
bool given(const std::optional<std::vector<T>>& list) {
  return list && !list->empty();
}

void refuse_code_elsewhere(bool image, bool encrypted) {
  if (image) throw invalid_parameter("Please don't provide ImageUri when updating a function with packageType Zip.");
  if (encrypted) throw unsupported("SourceKMSKeyArn", "encrypted code");
}

}  // namespace

void refuse_unsupported(const FunctionSettings& in) {
  if (in.SnapStart && in.SnapStart->ApplyOn.value_or("None") != "None")
    throw unsupported("SnapStart.ApplyOn", "SnapStart");
  if (in.ImageConfig &&
      (given(in.ImageConfig->EntryPoint) || given(in.ImageConfig->Command) || given(in.ImageConfig->WorkingDirectory)))
    throw unsupported("ImageConfig", "a container image");
}

void refuse_unsupported(const CreateFunctionInput& in) {
  refuse_unsupported(static_cast<const FunctionSettings&>(in));
  if (in.PackageType.value_or("Zip") != "Zip") throw unsupported("PackageType", "a container image");
  const auto& code = in.Code;
  if (given(code.ImageUri)) throw unsupported("Code.ImageUri", "a container image");
  refuse_code_elsewhere(false, given(code.SourceKMSKeyArn));
}

void refuse_unsupported(const UpdateFunctionCodeInput& in) {
  refuse_code_elsewhere(given(in.ImageUri), given(in.SourceKMSKeyArn));
}

void check_environment(const TextMap& variables) {
  constexpr std::string_view kUnable =
      "Lambda was unable to configure your environment variables because the environment variables you have provided";
  std::vector<std::string_view> reserved;
  for (const auto& [name, value] : variables)
    if (std::find(kReserved.begin(), kReserved.end(), name) != kReserved.end()) reserved.push_back(name);
  if (!reserved.empty())
    throw invalid_parameter(
        fmt::format("{} contains reserved keys that are currently not supported for modification. "
                    "Reserved keys used in this request: {}",
                    kUnable, fmt::join(reserved, ", ")));
  boost::json::object object;
  for (const auto& [name, value] : variables) object.emplace(name, value);
  const auto measured = boost::json::serialize(object);
  if (measured.size() > kMaxEnvironmentBytes)
    throw invalid_parameter(fmt::format("{} exceeded the 4KB limit. String measured: {}", kUnable, measured));
}

runtimes::Runtime find_runtime(const runtimes::Catalog& catalog, const std::string& identifier, bool strict) {
  auto found = catalog.find(identifier, strict);
  if (found.runtime) return std::move(*found.runtime);
  std::vector<std::string_view> accepted;
  for (const auto& runtime : catalog.available()) accepted.push_back(runtime.identifier);
  if (std::find(accepted.begin(), accepted.end(), identifier) != accepted.end()) throw invalid_parameter(found.why_not);
  // AWS has this sentence without "validation error detected" and with this code; our reason follows it.
  throw invalid_parameter(
      fmt::format("Value {} at 'runtime' failed to satisfy constraint: Member must satisfy enum value "
                  "set: [{}] or be a valid ARN ({})",
                  identifier, fmt::join(accepted, ", "), found.why_not));
}

void refuse_retired(const LambdaParts& parts, const std::string& identifier, runtimes::Change change) {
  if (!parts.refuse_retired) return;
  if (const auto words = runtimes::retired(identifier, change, runtimes::date_text(parts.clock.now())))
    throw invalid_parameter(*words);
}

std::string runtime_version_arn(const runtimes::Runtime& runtime, std::string_view region) {
  const auto build = base::sha256_hex(runtime.identifier + "\n" + runtime.runtime_version + "\n" + runtime.version);
  return fmt::format("arn:aws:lambda:{}::runtime:{}", region, build);
}

}  // namespace lambent::lambda
