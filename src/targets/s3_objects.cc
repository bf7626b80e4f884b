#include "targets/s3_objects.h"

#include <fmt/format.h>

#include <atomic>

#include "aws/error.h"
#include "base/bytes.h"

namespace lambent::targets {
namespace {

using aws::ObjectRead;
using base::Task;
using Kind = aws::ObjectRead::Kind;

/// Below the 60 s after which clients give an operation up.
constexpr std::chrono::milliseconds kTime{50'000};

/// The text of an element of S3's error document, which is flat: at most its beginning, on one line.
std::string element(std::string_view document, std::string_view name) {
  constexpr std::size_t kShown = 300;
  const auto begin = document.find(fmt::format("<{}>", name));
  if (begin == std::string_view::npos) return {};
  auto text = document.substr(begin + name.size() + 2);
  text = text.substr(0, text.find('<')).substr(0, kShown);
  std::string line(text);
  for (char& c : line)
    if (static_cast<unsigned char>(c) < ' ' || c == '\x7f') c = ' ';
  return line;
}

ObjectRead outcome_of(base::http::Response response) {
  ObjectRead outcome;
  if (response.status == 200) {
    outcome.bytes = std::move(response.body);
    return outcome;
  }
  outcome.code = element(response.body, "Code");
  outcome.message = element(response.body, "Message");
  if (outcome.code.empty()) outcome.code = std::to_string(response.status);
  outcome.kind = response.status >= 500 || response.status == 429 ? Kind::unreachable : Kind::refused;
  if (outcome.kind == Kind::unreachable) outcome.message = fmt::format("{}: {}", outcome.code, outcome.message);
  return outcome;
}

class S3Objects final : public aws::Objects {
 public:
  S3Objects(Endpoint endpoint, ObjectsParts parts)
      : endpoint_(std::move(endpoint)),
        parts_(std::move(parts)),
        left_(std::make_shared<std::atomic<std::size_t>>(parts_.budget_bytes)) {}

  Task<ObjectRead> read(aws::Caller reader, aws::ObjectName object, std::size_t max_bytes) override {
    ObjectRead outcome;
    std::shared_ptr<const void> share;
    bool busy = false;
    try {
      auto request = request_for(object);
      sign(request, parts_.credentials(reader), reader.region, "s3", parts_.clock.now_s());
      ExchangeLimits limits;
      limits.time = kTime;
      limits.answer_bytes = max_bytes;
      limits.before_body = [&](std::optional<std::uint64_t> length) {
        share = take(length ? static_cast<std::size_t>(*length) : max_bytes);
        busy = share == nullptr;
        return !busy;
      };
      auto work = exchange(endpoint_, std::move(request), std::move(limits));
      auto response = co_await std::move(work);
      outcome = outcome_of(std::move(response));
      outcome.share = std::move(share);
    } catch (const AnswerTooLarge&) {
      outcome.kind = Kind::too_large;
    } catch (const std::exception& error) {
      outcome.kind = busy ? Kind::busy : Kind::unreachable;
      outcome.message = error.what();
    }
    co_return outcome;
  }

 private:
  base::http::Request request_for(const aws::ObjectName& object) const {
    base::http::Request request;
    request.method = "GET";
    request.path =
        endpoint_.path + "/" + base::percent_encode(object.bucket) + "/" + base::percent_encode(object.key, true);
    if (!object.version.empty()) request.query = "versionId=" + base::percent_encode(object.version);
    request.headers.add("Host", endpoint_.authority());
    return request;
  }

  /// Null when it is not there to be had.
  std::shared_ptr<const void> take(std::size_t bytes) {
    auto left = left_->load();
    do {
      if (bytes > left) return nullptr;
    } while (!left_->compare_exchange_weak(left, left - bytes));
    return {left_.get(), [budget = left_, bytes](const void*) { budget->fetch_add(bytes); }};
  }

  const Endpoint endpoint_;
  const ObjectsParts parts_;
  /// Shares may outlive this.
  const std::shared_ptr<std::atomic<std::size_t>> left_;
};

}  // namespace

std::unique_ptr<aws::Objects> make_objects(Endpoint endpoint, ObjectsParts parts) {
  return std::make_unique<S3Objects>(std::move(endpoint), std::move(parts));
}

}  // namespace lambent::targets
