#include "targets/targets.h"

#include <fmt/format.h>

#include <stdexcept>

#include "aws/arn.h"
#include "aws/error.h"
#include "targets/messages.h"

namespace lambent::targets {
namespace {

using aws::DeliveryOutcome;
using base::Task;
using Kind = aws::DeliveryOutcome::Kind;

constexpr int kExchanges = 64;

/// S3's ARNs name no region and no account: it is the sender's.
std::string region_of(const aws::Arn& target, const aws::Sender& sender) {
  return target.region.empty() ? sender.region : target.region;
}

class ServerTargets final : public aws::Targets {
 public:
  ServerTargets(std::map<std::string, Endpoint> endpoints, TargetsParts parts)
      : endpoints_(std::move(endpoints)), parts_(std::move(parts)) {}

  Task<DeliveryOutcome> deliver(aws::Delivery delivery) override {
    const auto target = aws::Arn::parse(delivery.target_arn);
    if (!target) co_return DeliveryOutcome{Kind::refused, "no ARN"};
    if (const auto lacking = lacking_permission(delivery.sender, delivery.target_arn); !lacking.empty())
      co_return DeliveryOutcome{Kind::refused, fmt::format("{} may not {}", delivery.sender.role_arn, lacking)};
    if (const auto why = why_unreachable(delivery.target_arn); !why.empty())
      co_return DeliveryOutcome{Kind::refused, why};
    if (target->service == "lambda") {
      auto work = invoke(delivery);
      co_return co_await std::move(work);
    }
    auto work = send(delivery, *target);
    co_return co_await std::move(work);
  }

  std::string why_unreachable(std::string_view target_arn) const override {
    const auto target = aws::Arn::parse(target_arn);
    if (!target || !action_of(target->service)) return fmt::format("{} takes no deliveries", target_arn);
    if (target->service == "lambda")
      return parts_.function_exists(std::string(target_arn)) ? "" : fmt::format("there is no {}", target_arn);
    if (endpoints_.contains(target->service)) return "";
    return fmt::format("no endpoint is configured for {}: start Lambent with --target-endpoint {}=URL", target->service,
                       target->service);
  }

  std::string lacking_permission(const aws::Sender& sender, std::string_view target_arn) const override {
    const auto target = aws::Arn::parse(target_arn);
    const auto action = target ? action_of(target->service) : std::nullopt;
    if (!action) return "deliver";
    // Another account's function is for that account's policies to give, which are not asked here.
    if (target->service == "lambda" && target->account != sender.account) return *action;
    const auto caller = parts_.caller(sender);
    // Objects of a bucket, whatever their key will be.
    const std::string resource = target->service == "s3" ? std::string(target_arn) + "/*" : std::string(target_arn);
    return caller && parts_.authorizer.allowed(*caller, *action, resource) ? "" : *action;
  }

 private:
  Task<DeliveryOutcome> invoke(const aws::Delivery& delivery) {
    DeliveryOutcome outcome;
    try {
      auto work = parts_.invoke_function(delivery);
      co_await std::move(work);
    } catch (const aws::Error& error) {
      outcome = {error.status() == 429 || error.status() >= 500 ? Kind::unavailable : Kind::refused, error.message()};
    }
    co_return outcome;
  }

  Task<DeliveryOutcome> send(const aws::Delivery& delivery, const aws::Arn& target) {
    struct Count {
      std::atomic<int>& count;
      int before = count.fetch_add(1);
      ~Count() { count.fetch_sub(1); }
    };
    const Count count{exchanges_};
    if (count.before >= kExchanges) co_return DeliveryOutcome{Kind::unavailable, "too many deliveries at once"};
    DeliveryOutcome outcome;
    try {
      const Endpoint& endpoint = endpoints_.at(target.service);
      auto request = message_of(delivery, target, endpoint);
      const Credentials credentials = parts_.credentials(delivery.sender);
      sign(request, credentials, region_of(target, delivery.sender), target.service, parts_.clock.now_s());
      ExchangeLimits limits;
      auto work = exchange(endpoint, std::move(request), limits);
      const auto response = co_await std::move(work);
      outcome = outcome_of(target.service, response);
    } catch (const aws::Error& error) {
      outcome = {Kind::refused, error.message()};
    } catch (const std::exception& error) {
      outcome = {Kind::unavailable, error.what()};
    }
    co_return outcome;
  }

  const std::map<std::string, Endpoint> endpoints_;
  const TargetsParts parts_;
  std::atomic<int> exchanges_{0};
};

}  // namespace

std::unique_ptr<aws::Targets> make_targets(std::map<std::string, Endpoint> endpoints, TargetsParts parts) {
  return std::make_unique<ServerTargets>(std::move(endpoints), std::move(parts));
}

std::pair<std::string, Endpoint> parse_target_endpoint(const std::string& text) {
  const auto equals = text.find('=');
  const std::string service = text.substr(0, equals);
  const auto endpoint = equals == std::string::npos ? std::nullopt : Endpoint::parse(text.substr(equals + 1));
  if (!endpoint || service == "lambda" || !action_of(service))
    throw std::invalid_argument("--target-endpoint wants SERVICE=URL with sqs, sns, events or s3, not '" + text + "'");
  return {service, *endpoint};
}

}  // namespace lambent::targets
