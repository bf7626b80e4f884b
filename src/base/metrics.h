// Counters, gauges and histograms, printed as Prometheus text (exposition format 0.0.4).
//
// A Metrics registry is owned by the composition root; families are made at start and live as long as it does. Series
// are made at first use and bounded per family: what would be the 1,001st is counted under label values "other".
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
#include <vector>

namespace lambent::base {

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
    constexpr std::size_t kMaxSeries = 1000;
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

class Metrics {
 public:
  Family<Counter>& counter(std::string name, std::string help, std::vector<std::string> labels = {});
  Family<Histogram>& histogram(std::string name, std::string help, std::vector<std::string> labels = {});
  /// Asked when the text is made; `read` must be callable from any thread.
  void gauge(std::string name, std::string help, std::function<double()> read);
  std::string text() const;

 private:
  struct Gauge {
    std::string name, help;
    std::function<double()> read;
  };
  mutable std::mutex mutex_;
  std::vector<std::unique_ptr<Family<Counter>>> counters_;
  std::vector<std::unique_ptr<Family<Histogram>>> histograms_;
  std::vector<Gauge> gauges_;
};

}  // namespace lambent::base
