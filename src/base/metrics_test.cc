#include "base/metrics.h"

#include <gtest/gtest.h>

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

}  // namespace
}  // namespace lambent::base
