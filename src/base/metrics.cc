#include "base/metrics.h"

#include <fmt/format.h>

#include <cstdlib>

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

std::string head(std::string_view name, std::string_view help, std::string_view type) {
  return fmt::format("# HELP {0} {1}\n# TYPE {0} {2}\n", name, help, type);
}

}  // namespace

void Histogram::observe(double seconds) {
  std::size_t bucket = 0;
  while (bucket < kBounds.size() && seconds > kBounds[bucket]) ++bucket;
  buckets_[bucket].fetch_add(1, std::memory_order_relaxed);
  total_us_.fetch_add(static_cast<std::uint64_t>(seconds * 1e6), std::memory_order_relaxed);
}

template <class Series>
Family<Series>& Metrics::family(Families<Series>& families, std::string name, std::string help,
                                std::vector<std::string> labels) {
  std::lock_guard lock(mutex_);
  for (const auto& family : families) {
    if (family->name_ != name) continue;
    if (family->labels_ != labels) std::abort();
    return *family;
  }
  auto& made =
      *families.emplace_back(std::make_unique<Family<Series>>(std::move(name), std::move(help), std::move(labels)));
  if (made.labels_.empty()) made.at({});
  return made;
}

Family<Counter>& Metrics::counter(std::string name, std::string help, std::vector<std::string> labels) {
  return family(counters_, std::move(name), std::move(help), std::move(labels));
}

Family<Histogram>& Metrics::histogram(std::string name, std::string help, std::vector<std::string> labels) {
  return family(histograms_, std::move(name), std::move(help), std::move(labels));
}

void Metrics::gauge(std::string name, std::string help, std::vector<std::string> labels,
                    std::function<Readings()> read) {
  std::lock_guard lock(mutex_);
  gauges_.push_back({std::move(name), std::move(help), std::move(labels), std::move(read)});
}

void Metrics::gauge(std::string name, std::string help, std::function<double()> read) {
  gauge(std::move(name), std::move(help), {}, [read = std::move(read)] { return Readings{{{}, read()}}; });
}

std::string Metrics::text_of(const Gauge& gauge) {
  const std::vector<std::string> other(gauge.labels.size(), "other");
  std::map<std::vector<std::string>, double> series;
  for (auto& [values, number] : gauge.read()) {
    const bool full = series.size() >= kMaxSeries && !series.contains(values);
    series[full ? other : std::move(values)] += number;
  }
  std::string out = head(gauge.name, gauge.help, "gauge");
  for (const auto& [values, number] : series)
    out += fmt::format("{}{} {}\n", gauge.name, label_text(gauge.labels, values), number);
  return out;
}

std::string Metrics::text_of(const Family<Counter>& family) {
  std::string out = head(family.name_, family.help_, "counter");
  std::shared_lock lock(family.mutex_);
  for (const auto& [values, series] : family.series_)
    out += fmt::format("{}{} {}\n", family.name_, label_text(family.labels_, values), series->value());
  return out;
}

std::string Metrics::text_of(const Family<Histogram>& family) {
  std::string out = head(family.name_, family.help_, "histogram");
  std::shared_lock lock(family.mutex_);
  for (const auto& [values, series] : family.series_) {
    std::uint64_t count = 0;
    for (std::size_t i = 0; i <= Histogram::kBounds.size(); ++i) {
      count += series->buckets_[i].load(std::memory_order_relaxed);
      const std::string bound =
          i < Histogram::kBounds.size() ? fmt::format("le=\"{}\"", Histogram::kBounds[i]) : "le=\"+Inf\"";
      out += fmt::format("{}_bucket{} {}\n", family.name_, label_text(family.labels_, values, bound), count);
    }
    const std::string labels = label_text(family.labels_, values);
    out += fmt::format("{0}_sum{1} {2}\n{0}_count{1} {3}\n", family.name_, labels,
                       static_cast<double>(series->total_us_.load(std::memory_order_relaxed)) / 1e6, count);
  }
  return out;
}

std::string Metrics::text() const {
  std::lock_guard lock(mutex_);
  std::string out;
  for (const Gauge& gauge : gauges_) out += text_of(gauge);
  for (const auto& family : counters_) out += text_of(*family);
  for (const auto& family : histograms_) out += text_of(*family);
  return out;
}

}  // namespace lambent::base
