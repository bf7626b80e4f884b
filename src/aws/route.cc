#include "aws/route.h"

#include <algorithm>
#include <stdexcept>

#include "aws/error.h"
#include "base/bytes.h"

namespace lambent::aws {
namespace {

// No template of AWS's is as long; a longer path can only be a greedy label's, which is not split.
constexpr std::size_t max_segments = 16;

bool is_date(std::string_view segment) {
  if (segment.size() != 10 || segment[4] != '-' || segment[7] != '-') return false;
  for (const std::size_t i : {0, 1, 2, 3, 5, 6, 8, 9}) {
    if (segment[i] < '0' || segment[i] > '9') return false;
  }
  return true;
}

std::string_view take_segment(std::string_view& rest) {
  const auto slash = rest.find('/');
  const auto segment = rest.substr(0, slash);
  rest = slash == std::string_view::npos ? std::string_view() : rest.substr(slash + 1);
  return segment;
}

std::string decoded(std::string_view label) {
  auto text = base::percent_decode(label);
  if (!text || !base::is_utf8(*text)) throw Error("SerializationException", "Malformed escape in the request's path");
  return *std::move(text);
}

}  // namespace

/// What a template ends in.
struct Leaf {
  std::string method;
  /// Literal parts of the query; an empty value asks for the name alone.
  std::vector<std::pair<std::string, std::string>> query;
  std::vector<std::string> labels;
  std::size_t operation;
  Routes::Needs needs;

  /// More literal query before less, then more needs before fewer.
  bool before(const Leaf& other) const {
    return std::pair(query.size(), needs.count()) > std::pair(other.query.size(), other.needs.count());
  }
};

struct Routes::Node {
  std::map<std::string, std::unique_ptr<Node>, std::less<>> fixed;
  std::unique_ptr<Node> label;
  /// Templates that end in a greedy label here, and those that end here, in the order of Leaf::before.
  std::vector<Leaf> greedy;
  std::vector<Leaf> leaves;

  using Raw = std::vector<std::string_view>;
  using Pairs = std::vector<std::pair<std::string, std::string>>;

  /// A request, its query parsed when it is first asked for.
  struct Asked {
    const base::http::Request& request;
    std::optional<Pairs> parsed;

    const Pairs& pairs() {
      if (!parsed) parsed = base::http::parse_query(request.query);
      if (!parsed) throw Error("SerializationException", "Malformed escape in the request's query string");
      return *parsed;
    }
    bool has(const std::pair<std::string, std::string>& wanted) {
      return std::ranges::any_of(pairs(), [&](const auto& pair) {
        return pair.first == wanted.first && (wanted.second.empty() || pair.second == wanted.second);
      });
    }
    bool has_all(const Needs& needs) {
      return std::ranges::all_of(needs.query, [&](const auto& name) { return has({name, {}}); }) &&
             std::ranges::all_of(needs.headers,
                                 [&](const auto& name) { return request.headers.find(name) != nullptr; });
    }
  };

  /// Among those with the most literal query, the first whose needs are met, else the one that needs least: what it then
  /// misses, its own validation says.
  static const Leaf* fitting(const std::vector<Leaf>& leaves, Asked& asked) {
    const Leaf* best = nullptr;
    for (const auto& leaf : leaves) {
      if (leaf.method != asked.request.method) continue;
      if (best != nullptr && leaf.query.size() < best->query.size()) break;
      if (!std::ranges::all_of(leaf.query, [&](const auto& wanted) { return asked.has(wanted); })) continue;
      if (asked.has_all(leaf.needs)) return &leaf;
      best = &leaf;
    }
    return best;
  }

  const Leaf* find(std::string_view rest, Asked& asked, Raw& labels, std::size_t depth) const {
    if (rest.empty()) {
      if (const auto* leaf = fitting(leaves, asked)) return leaf;
    }
    if (rest.empty() || depth == max_segments) return nullptr;
    const auto whole = rest;
    const auto segment = take_segment(rest);
    if (const auto child = fixed.find(segment); child != fixed.end()) {
      if (const auto* leaf = child->second->find(rest, asked, labels, depth + 1)) return leaf;
    }
    if (label && !segment.empty()) {
      labels.push_back(segment);
      if (const auto* leaf = label->find(rest, asked, labels, depth + 1)) return leaf;
      labels.pop_back();
    }
    if (const auto* leaf = fitting(greedy, asked)) {
      labels.push_back(whole);
      return leaf;
    }
    return nullptr;
  }
};

Routes::Routes() : root_(std::make_unique<Node>()) {}
Routes::~Routes() = default;
Routes::Routes(Routes&&) noexcept = default;

void Routes::add(std::string_view method, std::string_view uri, std::size_t operation, Needs needs) {
  const auto mark = uri.find('?');
  auto rest = uri.substr(1, mark == std::string_view::npos ? mark : mark - 1);
  Leaf leaf{std::string(method), {}, {}, operation, std::move(needs)};
  if (mark != std::string_view::npos) {
    auto literals = base::http::parse_query(uri.substr(mark + 1)).value();
    for (auto& pair : literals) {
      // x-id only repeats the operation's name, and hand-written clients leave it out.
      if (pair.first != "x-id") leaf.query.push_back(std::move(pair));
    }
  }
  auto* node = root_.get();
  bool greedy = false;
  for (bool first = true; !rest.empty(); first = false) {
    const auto segment = take_segment(rest);
    if (first && is_date(segment)) {
      dated_ = true;
    } else if (!segment.starts_with('{')) {
      auto& child = node->fixed[std::string(segment)];
      if (!child) child = std::make_unique<Node>();
      node = child.get();
    } else if (segment.ends_with("+}")) {
      if (!rest.empty()) throw std::logic_error("a greedy label that does not end its template");
      leaf.labels.emplace_back(segment.substr(1, segment.size() - 3));
      greedy = true;
    } else {
      leaf.labels.emplace_back(segment.substr(1, segment.size() - 2));
      if (!node->label) node->label = std::make_unique<Node>();
      node = node->label.get();
    }
  }
  auto& leaves = greedy ? node->greedy : node->leaves;
  const auto after = std::ranges::find_if(leaves, [&](const Leaf& each) { return leaf.before(each); });
  leaves.insert(after, std::move(leaf));
}

std::optional<Routes::Found> Routes::find(const base::http::Request& request) const {
  std::string_view rest = request.path;
  if (!rest.starts_with('/')) return std::nullopt;
  rest.remove_prefix(1);
  if (dated_ && !is_date(take_segment(rest))) return std::nullopt;
  Node::Asked asked{request, std::nullopt};
  Node::Raw labels;
  const auto* leaf = root_->find(rest, asked, labels, 0);
  if (leaf == nullptr) return std::nullopt;
  Found found{leaf->operation, {}};
  for (std::size_t i = 0; i < labels.size(); ++i) found.labels.emplace_back(leaf->labels[i], decoded(labels[i]));
  return found;
}

}  // namespace lambent::aws
