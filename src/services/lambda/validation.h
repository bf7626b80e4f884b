// What is wrong with a function's settings, beyond what the model's constraints say: each check throws the refusal.
#pragma once

#include <string>
#include <string_view>

#include "runtimes/catalog.h"
#include "services/lambda/shapes.h"

namespace lambent::lambda {

struct LambdaParts;

/// AWS quota "Environment variables": all of them together, as JSON.
constexpr std::size_t kMaxEnvironmentBytes = 4096;

/// AWS quota "Number of tags" of a resource.
constexpr std::size_t kMaxTags = 50;

/// The number of a resource's tags, all together.
void check_tags(const TextMap& tags);

/// Members that exist on AWS but only have their harmless value here.
void refuse_unsupported(const FunctionSettings& settings);
void refuse_unsupported(const CreateFunctionInput& in);
void refuse_unsupported(const UpdateFunctionCodeInput& in);

/// Reserved names and the 4 KB of all.
void check_environment(const TextMap& variables);

/// The runtime as it will run here.
runtimes::Runtime find_runtime(const runtimes::Catalog& catalog, const std::string& identifier, bool strict);

/// Throws AWS's answer to a function that is created with, or updated while it has, a runtime that AWS has blocked for that.
void refuse_retired(const LambdaParts& parts, const std::string& identifier, runtimes::Change change);

/// arn:aws:lambda:REGION::runtime:HASH, one for each build of an interpreter.
std::string runtime_version_arn(const runtimes::Runtime& runtime, std::string_view region);

}  // namespace lambent::lambda
