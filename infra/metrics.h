// What /metrics shows (Prometheus text format). Counters that the parts keep anyway are read when asked for, so the hot path pays
// nothing; only HTTP durations are observed as they happen.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace guildhall {

struct Sample {
  std::vector<std::pair<std::string, std::string>> labels;  // Never an id.
  double value = 0;
};
enum class MetricType : unsigned char { counter, gauge };
struct MetricFamily {
  std::string name;
  std::string help;
  MetricType type = MetricType::gauge;
  std::vector<Sample> samples;
};

// Any thread.
class Metrics {
 public:
  // Asked at every scrape, in the order of adding. Added before the first scrape.
  using Collect = std::function<std::vector<MetricFamily>()>;
  explicit Metrics(std::string version);
  ~Metrics();
  void add(Collect collect);

  void observe_request(int status, double seconds);  // http_server_request_duration_seconds by status class.
  std::string text() const;

 private:
  struct Registry;
  std::unique_ptr<Registry> registry_;
};

}  // namespace guildhall
