#include "auth/error_words.h"

#include <array>
#include <string_view>

namespace lambent::auth {
namespace {

struct Words {
  std::string_view rest;
  std::string_view query;
  /// As IAM and STS answer: 400 for IncompleteSignature (aws/aws-sdk-go#1042, kubernetes-sigs/aws-iam-authenticator#374), 403
  /// for the others (aws/aws-cli#6676 and IAM's "Common errors").
  int status;
  /// Empty: the message stays.
  std::string_view message;
};

constexpr std::array<Words, 6> kWords = {{
    {"InvalidSignatureException", "SignatureDoesNotMatch", 403, ""},
    {"UnrecognizedClientException", "InvalidClientTokenId", 403, ""},
    {"MissingAuthenticationTokenException", "MissingAuthenticationToken", 403,
     "Request is missing Authentication Token"},
    {"IncompleteSignatureException", "IncompleteSignature", 400, ""},
    {"ExpiredTokenException", "ExpiredToken", 403, ""},
    {"AccessDeniedException", "AccessDenied", 403, ""},
}};

}  // namespace

aws::Error in_query_words(const aws::Error& error) {
  for (const Words& words : kWords) {
    if (error.code() != words.rest) continue;
    aws::Error out(std::string(words.query), words.message.empty() ? error.message() : std::string(words.message),
                   words.status);
    for (const auto& [name, value] : error.members()) out.with(name, value);
    return out;
  }
  return error;
}

}  // namespace lambent::auth
