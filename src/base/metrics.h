// Counters, gauges and histograms, printed as Prometheus text (exposition format 0.0.4).
//
// A Metrics registry is owned by the composition root; families are made at start and live as long as it does. Series of counters
// and histograms are made at first use, but for the one of a family without labels, which is there from the start; those of gauges are
// read whenever the text is made. Of one family 1,000 are told apart; what would be the 1,001st is counted under label values "other".
// Any thread.
#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <shared_mutex>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace lambent::base {

/// How many series of a family are told apart. The rest is one more, "other" in all its labels.
inline constexpr std::size_t kMaxSeries = 1000;

class Counter {
 public:
  void add(std::uint64_t n = 1) { value_.fetch_add(n, std::memory_order_relaxed); }
  std::uint64_t value() const { return value_.load(std::memory_order_relaxed); }

 private:
  std::atomic<std::uint64_t> value_{0};
};

/// Durations in seconds in fixed buckets from 100 us to 15 min.
class Histogram {
 public:
  static constexpr std::array<double, 14> kBounds{0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01,
                                                  0.025,  0.1,     0.5,    2.5,   10,     60,    900};
  void observe(double seconds);

 private:
  friend class Metrics;
  std::array<std::atomic<std::uint64_t>, kBounds.size() + 1> buckets_{};
  std::atomic<std::uint64_t> total_us_{0};
};

template <class Series>
class Family {
 public:
  Family(std::string name, std::string help, std::vector<std::string> labels)
      : name_(std::move(name)), help_(std::move(help)), labels_(std::move(labels)) {}

  /// The series with these label values, in the order of the labels.
  Series& at(const std::vector<std::string>& values) {
    {
      std::shared_lock lock(mutex_);
      if (const auto found = series_.find(values); found != series_.end()) return *found->second;
    }
    std::unique_lock lock(mutex_);
    const bool full = series_.size() >= kMaxSeries;
    auto& slot = series_[full ? std::vector<std::string>(labels_.size(), "other") : values];
    if (!slot) slot = std::make_unique<Series>();
    return *slot;
  }

 private:
  friend class Metrics;
  std::string name_, help_;
  std::vector<std::string> labels_;
  mutable std::shared_mutex mutex_;
  std::map<std::vector<std::string>, std::unique_ptr<Series>> series_;
};

/// What a gauge shows: the values of its labels, in the order of the labels, with the number of each.
using Readings = std::vector<std::pair<std::vector<std::string>, double>>;

class Metrics {
 public:
  /// Those who ask for the same name count in the same family; its labels are then the same too.
  Family<Counter>& counter(std::string name, std::string help, std::vector<std::string> labels = {});
  Family<Histogram>& histogram(std::string name, std::string help, std::vector<std::string> labels = {});
  /// Read when the text is made: `read` may be called on any thread, and must not ask for the text or for a family. Readings with
  /// the same labels are added up, and so are those past the first kMaxSeries, under "other": show nothing whose sum says nothing.
  void gauge(std::string name, std::string help, std::vector<std::string> labels, std::function<Readings()> read);
  /// One number, without labels.
  void gauge(std::string name, std::string help, std::function<double()> read);
  std::string text() const;

 private:
  struct Gauge {
    std::string name, help;
    std::vector<std::string> labels;
    std::function<Readings()> read;
  };
  template <class Series>
  using Families = std::vector<std::unique_ptr<Family<Series>>>;

  template <class Series>
  Family<Series>& family(Families<Series>& families, std::string name, std::string help,
                         std::vector<std::string> labels);
  static std::string text_of(const Gauge& gauge);
  static std::string text_of(const Family<Counter>& family);
  static std::string text_of(const Family<Histogram>& family);

  mutable std::mutex mutex_;
  Families<Counter> counters_;
  Families<Histogram> histograms_;
  std::vector<Gauge> gauges_;
};

}  // namespace lambent::base
