#include "services/lambda/code_source.h"

#include "services/lambda/code_signing.h"
#include "services/lambda/errors.h"
#include "services/lambda/layer_shapes.h"

namespace lambent::lambda {
namespace {

using Kind = aws::ObjectRead::Kind;

/// What an archive of S3 may have: more than a function may unpack is never of use.
constexpr auto kMaxFetchedBytes = static_cast<std::size_t>(store::kMaxUnzippedBytes);

/// The archive's refusal as AWS words it. AWS gives no reason for a bad zip; ours follows its sentence.
aws::Error refusal_of(const store::BadArchive& bad) {
  using Why = store::BadArchive::Why;
  if (bad.why() == Why::too_large) return invalid_parameter(bad.what());
  return invalid_parameter(
      std::string("Could not unzip uploaded file. Please check your file, then try to upload again. (") + bad.what() +
      ")");
}

aws::Error too_large() {
  return invalid_parameter(fmt::format("Unzipped size must be smaller than {} bytes", store::kMaxUnzippedBytes));
}

/// S3 says that the caller may not, or the caller's own policies do.
aws::Error denied(const aws::ObjectName& object, std::string_view code, std::string_view message) {
  return {"AccessDeniedException",
          fmt::format("Your access has been denied by S3, please make sure your request credentials have permission to "
                      "GetObject for {}/{}. S3 Error Code: {}. S3 Error Message: {}",
                      object.bucket, object.key, code, message),
          403};
}

aws::Error refusal_of(const aws::ObjectName& object, const aws::ObjectRead& read) {
  switch (read.kind) {
    case Kind::too_large:
      return too_large();
    case Kind::busy:
      return {"TooManyRequestsException", "Rate exceeded: too much code is being fetched from S3", 429};
    case Kind::unreachable:
      return {"ServiceException", fmt::format("Error occurred while GetObject. {}", read.message), 500};
    default:
      if (read.code == "AccessDenied") return denied(object, read.code, read.message);
      return invalid_parameter(fmt::format("Error occurred while GetObject. S3 Error Code: {}. S3 Error Message: {}",
                                           read.code, read.message));
  }
}

/// As S3 asks on AWS, where Lambda reads with the caller's rights.
void require_right(const Lambda& lambda, const aws::Caller& caller, const aws::ObjectName& object) {
  const std::string_view action = object.version.empty() ? "s3:GetObject" : "s3:GetObjectVersion";
  if (!lambda.parts().allowed(caller, action, fmt::format("arn:aws:s3:::{}/{}", object.bucket, object.key), ""))
    throw denied(object, "AccessDenied", "Access Denied");
}

void require_zip_size(const std::string& zip) {
  if (zip.size() > static_cast<std::size_t>(store::kMaxZippedBytes))
    throw aws::Error("RequestEntityTooLargeException",
                     fmt::format("Zipped size must be smaller than {} bytes", store::kMaxZippedBytes), 413);
}

/// What the caller's policy judges must be what the store reads, also by way of a proxy that takes dots out of paths.
void require_plain_name(std::string_view bucket, std::string_view key) {
  bool plain = !bucket.empty();
  for (std::string_view rest = key; plain;) {
    const auto slash = rest.find('/');
    const std::string_view segment = rest.substr(0, slash);
    plain = segment != "." && segment != "..";
    if (slash == std::string_view::npos) break;
    rest.remove_prefix(slash + 1);
  }
  if (!plain)
    throw invalid_parameter("Error occurred while GetObject. S3 Error Code: InvalidArgument. S3 Error Message: " +
                            std::string(bucket.empty() ? "A bucket must be named" : "A key has no segment . or .."));
}

}  // namespace

template <class In>
CodeSource source_of(In& in) {
  CodeSource source{std::move(in.ZipFile), in.S3Bucket, in.S3Key, in.S3ObjectVersion};
  if (source.zip && (in.S3Bucket || in.S3Key || in.S3ObjectVersion || in.S3ObjectStorageMode))
    throw invalid_parameter("Please do not provide other FunctionCode parameters when providing a ZipFile.");
  if (!source.zip && !(source.bucket && source.key))
    throw invalid_parameter("Please provide a source for function code.");
  if (in.S3ObjectStorageMode.value_or("COPY") != "COPY")
    throw unsupported("S3ObjectStorageMode", "code that stays in its bucket");
  return source;
}

template CodeSource source_of(FunctionCode&);
template CodeSource source_of(UpdateFunctionCodeInput&);
template CodeSource source_of(LayerContentInput&);

base::Task<Archive> take_archive(Lambda& lambda, aws::Caller caller, CodeSource source) {
  Archive archive;
  if (source.zip) {
    require_zip_size(source.zip->bytes);
    archive.zip = std::move(source.zip->bytes);
    co_return archive;
  }
  require_plain_name(*source.bucket, *source.key);
  const aws::ObjectName object{*source.bucket, *source.key, source.version.value_or("")};
  auto* objects = lambda.parts().objects;
  if (objects == nullptr)
    throw invalid_parameter(
        "S3Bucket: no endpoint is configured for s3: start Lambent with --target-endpoint s3=URL, or send the code as "
        "ZipFile.");
  require_right(lambda, caller, object);
  auto work = objects->read(std::move(caller), object, kMaxFetchedBytes);
  auto read = co_await std::move(work);
  if (read.kind != Kind::read) throw refusal_of(object, read);
  archive.zip = std::move(read.bytes);
  archive.share = std::move(read.share);
  co_return archive;
}

base::Task<TakenCode> take_code(Lambda& lambda, Archive archive, CodeOwner owner, Keep keep) {
  auto work = [&parts = lambda.parts(), archive = std::move(archive), owner = std::move(owner), keep] {
    try {
      TakenCode taken;
      // Before it is stored: what is refused leaves nothing behind.
      if (parts.signing != nullptr) taken.signature = parts.signing->judge(archive.zip, owner, parts.clock.now_s());
      taken.stored = keep == Keep::yes ? parts.code.add(archive.zip) : store::CodeStore::check(archive.zip);
      return taken;
    } catch (const store::BadArchive& bad) {
      throw refusal_of(bad);
    }
  };
  co_return co_await lambda.parts().cpu.run(std::move(work));
}

void set_code(store::FunctionVersion& function, const TakenCode& code) {
  Lambda::set_code(function, code.stored);
  function.signing_profile_arn = code.signature.profile_version_arn;
  function.signing_job_arn = code.signature.job_arn;
}

}  // namespace lambent::lambda
