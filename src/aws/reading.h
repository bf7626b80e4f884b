// One request's input while it is read: where the reader is, and what the model's constraints have been broken.
//
// Lives for one decode. Every violation is collected, so that the caller sees all of them at once, as AWS answers.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "aws/binding.h"
#include "aws/error.h"

namespace lambent::aws {

/// How a service says what is wrong with a request.
enum class Wording {
  /// "Value 'x' at 'name' failed to satisfy constraint: ..."
  with_values,
  /// IAM's: values are not repeated, and what names and paths are made of it checks by itself, after all the rest.
  iam,
};

class Reading {
 public:
  explicit Reading(Wording wording = Wording::with_values) : wording_(wording) {}

  /// The reader is inside this member until the scope ends.
  class Scope {
   public:
    Scope(Reading& reading, std::string_view step);
    ~Scope() { reading_.path_.resize(length_); }
    Scope(const Scope&) = delete;

   private:
    Reading& reading_;
    std::size_t length_;
  };

  /// `value` as AWS echoes it; nothing for what must not be echoed.
  void violation(std::optional<std::string> value, std::string_view constraint);
  void violations(const std::optional<std::string>& value, const std::vector<std::string>& constraints);
  void missing(std::string_view member);

  /// The request sets a member that the operation's handler does not know.
  void not_implemented(std::string_view member);

  /// Throws what was collected: first all violations of constraints, else what is not implemented.
  void finish(std::string_view operation, std::string_view validation_code) const;

 private:
  Wording wording_;
  std::string path_;
  /// IAM's own sentence, the first of them.
  std::string sentence_;
  std::size_t count_ = 0;
  std::string text_;
  std::string not_implemented_;
};

/// A value as AWS echoes it: 'x', bounded in length.
std::string echo(std::string_view value);

}  // namespace lambent::aws
