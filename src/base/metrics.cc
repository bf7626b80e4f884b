#include "base/metrics.h"

#include <fmt/format.h>

namespace lambent::base {
namespace {

std::string escaped(std::string_view value) {
  std::string out;
  for (char c : value) {
    if (c == '\\' || c == '"') out += '\\';
    if (c == '\n')
      out += "\\n";
    else
      out += c;
  }
  return out;
}

std::string label_text(const std::vector<std::string>& names, const std::vector<std::string>& values,
                       std::string_view more = {}) {
  std::string out;
  for (std::size_t i = 0; i < names.size(); ++i)
    out += fmt::format("{}{}=\"{}\"", out.empty() ? "" : ",", names[i], escaped(values[i]));
  if (!more.empty()) out += fmt::format("{}{}", out.empty() ? "" : ",", more);
  return out.empty() ? out : "{" + out + "}";
}

}  // namespace

void Histogram::observe(double seconds) {
  std::size_t bucket = 0;
  while (bucket < kBounds.size() && seconds > kBounds[bucket]) ++bucket;
  buckets_[bucket].fetch_add(1, std::memory_order_relaxed);
  total_us_.fetch_add(static_cast<std::uint64_t>(seconds * 1e6), std::memory_order_relaxed);
}

Family<Counter>& Metrics::counter(std::string name, std::string help, std::vector<std::string> labels) {
  std::lock_guard lock(mutex_);
  return *counters_.emplace_back(
      std::make_unique<Family<Counter>>(std::move(name), std::move(help), std::move(labels)));
}

Family<Histogram>& Metrics::histogram(std::string name, std::string help, std::vector<std::string> labels) {
  std::lock_guard lock(mutex_);
  return *histograms_.emplace_back(
      std::make_unique<Family<Histogram>>(std::move(name), std::move(help), std::move(labels)));
}

void Metrics::gauge(std::string name, std::string help, std::function<double()> read) {
  std::lock_guard lock(mutex_);
  gauges_.push_back({std::move(name), std::move(help), std::move(read)});
}

std::string Metrics::text() const {
  std::lock_guard lock(mutex_);
  std::string out;
  for (const auto& gauge : gauges_)
    out += fmt::format("# HELP {0} {1}\n# TYPE {0} gauge\n{0} {2}\n", gauge.name, gauge.help, gauge.read());
  for (const auto& family : counters_) {
    out += fmt::format("# HELP {0} {1}\n# TYPE {0} counter\n", family->name_, family->help_);
    std::shared_lock series_lock(family->mutex_);
    for (const auto& [values, series] : family->series_)
      out += fmt::format("{}{} {}\n", family->name_, label_text(family->labels_, values), series->value());
  }
  for (const auto& family : histograms_) {
    out += fmt::format("# HELP {0} {1}\n# TYPE {0} histogram\n", family->name_, family->help_);
    std::shared_lock series_lock(family->mutex_);
    for (const auto& [values, series] : family->series_) {
      std::uint64_t count = 0;
      for (std::size_t i = 0; i <= Histogram::kBounds.size(); ++i) {
        count += series->buckets_[i].load(std::memory_order_relaxed);
        const std::string bound =
            i < Histogram::kBounds.size() ? fmt::format("le=\"{}\"", Histogram::kBounds[i]) : "le=\"+Inf\"";
        out += fmt::format("{}_bucket{} {}\n", family->name_, label_text(family->labels_, values, bound), count);
      }
      const std::string labels = label_text(family->labels_, values);
      out += fmt::format("{0}_sum{1} {2}\n{0}_count{1} {3}\n", family->name_, labels,
                         static_cast<double>(series->total_us_.load(std::memory_order_relaxed)) / 1e6, count);
    }
  }
  return out;
}

}  // namespace lambent::base
