// The archive that a request brings, or that it says is in S3: fetched, checked, judged and stored.
#pragma once

#include <memory>
#include <string>

#include "aws/caller.h"
#include "services/lambda/lambda.h"
#include "services/lambda/signing_profiles.h"

namespace lambent::lambda {

struct CodeSource {
  std::optional<aws::Blob> zip;
  OptionalText bucket;
  OptionalText key;
  OptionalText version;
};

/// Moves the archive out of FunctionCode, UpdateFunctionCodeInput or LayerVersionContentInput. Throws InvalidParameterValueException
/// for none, for two, and for an object that is to be referred to and not copied.
template <class In>
CodeSource source_of(In& in);

struct Archive {
  std::string zip;
  /// Its part of what may be in memory at once; null for what came with the request.
  std::shared_ptr<const void> share;
};

/// The archive itself. Throws in AWS's words what S3 answered, that it did not, and that the archive is too large: 50 MB with the
/// request, from S3 what a function may have unpacked.
base::Task<Archive> take_archive(Lambda& lambda, aws::Caller caller, CodeSource source);

struct TakenCode {
  store::StoredCode stored;
  CodeSignature signature;
};

/// What is done with an archive that is in order.
enum class Keep { yes, no };

/// Unpacks and judges it on the CPU pool, and stores it there. Throws aws::Error for one that is refused.
base::Task<TakenCode> take_code(Lambda& lambda, Archive archive, CodeOwner owner, Keep keep);

/// Puts what was taken into the function.
void set_code(store::FunctionVersion& function, const TakenCode& code);

}  // namespace lambent::lambda
