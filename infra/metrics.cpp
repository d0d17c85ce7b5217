#include "infra/metrics.h"

#include <prometheus/counter.h>
#include <prometheus/gauge.h>
#include <prometheus/histogram.h>
#include <prometheus/registry.h>
#include <prometheus/text_serializer.h>

#include <array>

namespace guildhall {
namespace {

const prometheus::Histogram::BucketBoundaries request_buckets{0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05,
                                                              0.1,    0.25,  0.5,    1,     2.5,  5,     10};

}  // namespace

struct Metrics::Registry {
  prometheus::Registry registry;
  std::array<prometheus::Histogram*, 6> requests{};  // By status class; looked up once, since a family's Add is dear.
  std::vector<Collect> collectors;
};

Metrics::Metrics(std::string version) : registry_(std::make_unique<Registry>()) {
  auto& family = prometheus::BuildHistogram()
                     .Name("http_server_request_duration_seconds")
                     .Help("Time from the complete header block to the last byte of the answer.")
                     .Register(registry_->registry);
  for (std::size_t i = 1; i < registry_->requests.size(); ++i)
    registry_->requests[i] = &family.Add({{"http_response_status_class", std::to_string(i) + "xx"}}, request_buckets);
  prometheus::BuildGauge()
      .Name("guildhall_build_info")
      .Help("1, with the version.")
      .Register(registry_->registry)
      .Add({{"version", version}})
      .Set(1);
}
Metrics::~Metrics() = default;

void Metrics::add(Collect collect) { registry_->collectors.push_back(std::move(collect)); }

void Metrics::observe_request(int status, double seconds) {
  const auto status_class = static_cast<std::size_t>(status / 100);
  if (status_class >= 1 && status_class < registry_->requests.size()) registry_->requests[status_class]->Observe(seconds);
}

std::string Metrics::text() const {
  auto families = registry_->registry.Collect();
  for (const auto& collect : registry_->collectors) {
    for (auto& family : collect()) {
      prometheus::MetricFamily out;
      out.name = std::move(family.name);
      out.help = std::move(family.help);
      out.type = family.type == MetricType::counter ? prometheus::MetricType::Counter : prometheus::MetricType::Gauge;
      for (auto& sample : family.samples) {
        prometheus::ClientMetric metric;
        for (auto& [name, value] : sample.labels) metric.label.push_back({std::move(name), std::move(value)});
        if (family.type == MetricType::counter) metric.counter.value = sample.value;
        else metric.gauge.value = sample.value;
        out.metric.push_back(std::move(metric));
      }
      families.push_back(std::move(out));
    }
  }
  return prometheus::TextSerializer().Serialize(families);
}

}  // namespace guildhall
