// A refusal, in AWS's words.
//
// Thrown by whoever refuses (codec, authenticator, authorizer, operation) and caught in exactly one place, the gateway's
// pipeline, where it becomes the response that the service's protocol prescribes. The status is the model's for codes
// that the operation's service models, else `status`.
#pragma once

#include <exception>
#include <string>
#include <utility>
#include <vector>

namespace lambent::aws {

class Error : public std::exception {
 public:
  /// `status` is used when the service model gives the code none of its own.
  Error(std::string code, std::string message, int status = 400)
      : code_(std::move(code)), message_(std::move(message)), status_(status) {}

  /// AWS's short name, for example "ResourceNotFoundException".
  const std::string& code() const { return code_; }
  const std::string& message() const { return message_; }
  int status() const { return status_; }
  /// Further members of the error's body, for example {"Reason", "ReservedFunction..."}.
  const std::vector<std::pair<std::string, std::string>>& members() const { return members_; }
  Error& with(std::string name, std::string value) & {
    members_.emplace_back(std::move(name), std::move(value));
    return *this;
  }
  Error&& with(std::string name, std::string value) && {
    members_.emplace_back(std::move(name), std::move(value));
    return std::move(*this);
  }
  const char* what() const noexcept override { return message_.c_str(); }

 private:
  std::string code_;
  std::string message_;
  int status_;
  std::vector<std::pair<std::string, std::string>> members_;
};

}  // namespace lambent::aws
