#include "base/metrics.h"

#include <gtest/gtest.h>

#include <algorithm>

namespace lambent::base {
namespace {

TEST(Metrics, PrintsPrometheusTextWithEscapedLabels) {
  Metrics metrics;
  metrics.counter("requests_total", "Requests.", {"name"}).at({"a\"b\n"}).add(3);
  metrics.gauge("depth", "Depth.", [] { return 2.5; });
  metrics.histogram("seconds", "Time.", {"op"}).at({"x"}).observe(0.002);
  const std::string text = metrics.text();
  EXPECT_NE(text.find("requests_total{name=\"a\\\"b\\n\"} 3\n"), std::string::npos);
  EXPECT_NE(text.find("# TYPE depth gauge\ndepth 2.5\n"), std::string::npos);
  EXPECT_NE(text.find("seconds_bucket{op=\"x\",le=\"0.001\"} 0\n"), std::string::npos);
  EXPECT_NE(text.find("seconds_bucket{op=\"x\",le=\"0.0025\"} 1\n"), std::string::npos);
  EXPECT_NE(text.find("seconds_count{op=\"x\"} 1\n"), std::string::npos);
}

TEST(Metrics, BoundsTheSeriesOfAFamily) {
  Metrics metrics;
  auto& family = metrics.counter("many", "Many.", {"k"});
  for (int i = 0; i < 2000; ++i) family.at({std::to_string(i)}).add();
  EXPECT_EQ(family.at({"other"}).value(), 1000u);
}

TEST(Metrics, AFamilyIsTheSameForAllWhoAskForIt) {
  Metrics metrics;
  metrics.counter("refused_total", "Refused.", {"reason"}).at({"full"}).add(2);
  metrics.counter("refused_total", "Refused.", {"reason"}).at({"rate"}).add();
  metrics.histogram("seconds", "Time.").at({}).observe(1);
  metrics.histogram("seconds", "Time.").at({}).observe(1);
  const std::string text = metrics.text();
  EXPECT_TRUE(
      text.starts_with("# HELP refused_total Refused.\n# TYPE refused_total counter\n"
                       "refused_total{reason=\"full\"} 2\nrefused_total{reason=\"rate\"} 1\n#"))
      << text;
  EXPECT_NE(text.find("\nseconds_count 2\n"), std::string::npos);
}

// A rate over a counter that is there only from its first event on misses that one.
TEST(Metrics, WhatHasNoLabelsIsThereBeforeItIsCounted) {
  Metrics metrics;
  metrics.counter("runs_total", "Runs.");
  metrics.counter("refused_total", "Refused.", {"reason"});
  metrics.histogram("seconds", "Time.");
  const std::string text = metrics.text();
  EXPECT_TRUE(
      text.starts_with("# HELP runs_total Runs.\n# TYPE runs_total counter\nruns_total 0\n"
                       "# HELP refused_total Refused.\n# TYPE refused_total counter\n#"))
      << text;
  EXPECT_TRUE(text.ends_with("seconds_sum 0\nseconds_count 0\n")) << text;
}

TEST(MetricsDeathTest, AFamilyHasOneSetOfLabels) {
  Metrics metrics;
  metrics.counter("refused_total", "Refused.", {"reason"});
  EXPECT_DEATH(metrics.counter("refused_total", "Refused."), "");
}

TEST(Metrics, AGaugeWithLabelsShowsWhatThereIsThen) {
  Metrics metrics;
  Readings now{{{"1", "g"}, 2}, {{"1", "f"}, 0.5}};
  metrics.gauge("running", "Running.", {"account", "function"}, [&] { return now; });
  EXPECT_EQ(metrics.text(),
            "# HELP running Running.\n# TYPE running gauge\n"
            "running{account=\"1\",function=\"f\"} 0.5\nrunning{account=\"1\",function=\"g\"} 2\n");
  now = {{{"1", "g"}, -1}};
  EXPECT_EQ(metrics.text(),
            "# HELP running Running.\n# TYPE running gauge\nrunning{account=\"1\",function=\"g\"} -1\n");
  now.clear();
  EXPECT_EQ(metrics.text(), "# HELP running Running.\n# TYPE running gauge\n");
}

// "label_value can be any sequence of UTF-8 characters, but the backslash (\), double-quote ("), and line feed (\n) characters have to
// be escaped" (Prometheus, Exposition formats).
TEST(Metrics, EscapesTheLabelsOfEveryKind) {
  Metrics metrics;
  const std::string hostile = "a\"} 1\nb\\\t\u00e9";
  const std::string escaped = "{name=\"a\\\"} 1\\nb\\\\\t\u00e9\"} ";
  metrics.gauge("depth", "Depth.", {"name"}, [&] { return Readings{{{hostile}, 7}}; });
  metrics.counter("runs_total", "Runs.", {"name"}).at({hostile}).add(8);
  metrics.histogram("seconds", "Time.", {"name"}).at({hostile}).observe(1);
  const std::string text = metrics.text();
  EXPECT_NE(text.find("\ndepth" + escaped + "7\n"), std::string::npos) << text;
  EXPECT_NE(text.find("\nruns_total" + escaped + "8\n"), std::string::npos) << text;
  EXPECT_NE(text.find("\nseconds_count" + escaped + "1\n"), std::string::npos) << text;
}

TEST(Metrics, AddsUpWhatAGaugeShowsTwiceAndWhatIsTooMuch) {
  Metrics metrics;
  Readings readings;
  for (std::size_t i = 0; i < kMaxSeries + 500; ++i) readings.push_back({{"1", std::to_string(i)}, 2});
  readings.push_back({{"1", "0"}, 3});
  metrics.gauge("running", "Running.", {"account", "function"}, [&] { return readings; });
  const std::string text = metrics.text();
  EXPECT_NE(text.find("running{account=\"1\",function=\"0\"} 5\n"), std::string::npos);
  EXPECT_NE(text.find("running{account=\"1\",function=\"999\"} 2\n"), std::string::npos);
  EXPECT_EQ(text.find("function=\"1000\""), std::string::npos);
  EXPECT_NE(text.find("running{account=\"other\",function=\"other\"} 1000\n"), std::string::npos);
  EXPECT_EQ(static_cast<std::size_t>(std::ranges::count(text, '\n')), 2 + kMaxSeries + 1);
}

}  // namespace
}  // namespace lambent::base
