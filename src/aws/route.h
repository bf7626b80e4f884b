// Which operations a method and a path may mean, found by walking the path's segments once.
//
// Built at start from the URI templates of a rest model, immutable then. A static segment is preferred to a label, a
// label to a greedy one. A first segment that is an API version date (2015-03-31) is skipped on both sides, so that any
// date finds the operation.
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/http.h"

namespace lambent::aws {

class Routes {
 public:
  using Labels = std::vector<std::pair<std::string, std::string>>;
  struct Found {
    std::size_t operation;
    /// Percent-decoded once.
    Labels labels;
  };

  Routes();
  ~Routes();
  Routes(Routes&&) noexcept;

  /// What a request must carry besides its path; tells operations with one template apart (S3's PutObject and CopyObject).
  struct Needs {
    std::vector<std::string> query;
    std::vector<std::string> headers;
    std::size_t count() const { return query.size() + headers.size(); }
  };

  /// `uri` as the model writes it: /a/{Label}/{Greedy+}?literal&name=value
  void add(std::string_view method, std::string_view uri, std::size_t operation, Needs needs = {});
  /// Nothing when no template fits. Throws Error for a malformed escape in a label or in the query.
  std::optional<Found> find(const base::http::Request& request) const;

 private:
  struct Node;
  std::unique_ptr<Node> root_;
  /// Whether the templates begin with a date.
  bool dated_ = false;
};

}  // namespace lambent::aws
