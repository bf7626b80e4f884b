// A resource's policy as Lambda keeps it: one JSON document, which AddPermission and RemovePermission change statement by
// statement and PutResourcePolicy as a whole. Pure.
#pragma once

#include <boost/json.hpp>
#include <optional>
#include <string>
#include <string_view>

namespace lambent::lambda {

/// What a permission says, in the words of AddPermission.
struct Permission {
  std::string sid;
  std::string action;
  std::string principal;
  std::string resource;
  std::optional<std::string> source_arn;
  std::optional<std::string> source_account;
  std::optional<std::string> organization;
  std::optional<std::string> event_source_token;
  std::optional<std::string> url_auth_type;
  std::optional<bool> via_function_url;
};

/// AWS quota "Function resource-based policy", in bytes.
constexpr std::size_t kMaxPolicyBytes = 20480;

/// The statement as AWS writes it. Throws InvalidParameterValueException for a principal that cannot be one.
boost::json::object statement_of(const Permission& permission);

/// The document with the statement added. Throws ResourceConflictException for a statement id that is taken and
/// PolicyLengthExceededException.
std::string with_statement(std::string_view document, const boost::json::object& statement);
/// Without it; empty when none is left. Throws ResourceNotFoundException.
std::string without_statement(std::string_view document, std::string_view sid);

/// A whole document as it is kept: its statements in a list. Throws InvalidParameterValueException, PolicyLengthExceededException.
std::string normalised_policy(std::string_view document);

/// Does a statement allow something to everybody, with no condition that says from where or for whom?
bool is_public(std::string_view document);

}  // namespace lambent::lambda
