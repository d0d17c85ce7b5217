#include "bench/order_flow.h"

#include <fstream>
#include <stdexcept>

#include "bench/requests.h"

namespace guildhall {
OrderStage set_order_stage(const Server& server, std::size_t sellers, std::size_t buyers) {
  std::mt19937_64 random(1);
  std::vector<std::string> ids;
  OrderStage stage;
  for (std::size_t i = 0; i < sellers + buyers; ++i) ids.push_back(random_uuid(random));
  send_all(server, ids.size(), [&](std::size_t i) { return Command{"/v1/accounts", account_body(ids[i], "member", i)}; });
  stage.buyers.assign(ids.begin() + static_cast<std::ptrdiff_t>(sellers), ids.end());
  for (const std::string& made : send_all(server, sellers, [&](std::size_t i) {
         return Command{"/v1/services", R"({"seller_id":")" + ids[i] + R"(","title":"Mixing","service_type":"mixing"})"};
       }))
    stage.services.push_back(text_member(made, "id"));
  const auto of_service = [&](std::string_view path, std::string_view body) {
    send_all(server, sellers, [&](std::size_t i) {
      return Command{"/v1/services/" + stage.services[i] + std::string(path), std::string(body)};
    });
  };
  of_service("/packages", R"({"name":"paid","price_cents":5000,"delivery_days":3,"revisions":1})");
  of_service("/packages", R"({"name":"free","price_cents":0,"delivery_days":3,"revisions":1})");
  of_service("/publish", "{}");
  return stage;
}

std::filesystem::path write_shop_policy(const std::filesystem::path& source, const std::filesystem::path& folder) {
  std::string text = text_of_file(source);
  constexpr std::string_view sandbox = R"(processor = "sandbox")";
  const auto at = text.find(sandbox);
  if (at == std::string::npos) throw std::runtime_error(source.string() + " names no sandbox processor");
  text.replace(at, sandbox.size(), R"(processor = "off")");
  const auto path = folder / source.filename();
  std::ofstream(path) << text;
  return path;
}

OrderFlows::OrderFlows(const Server& server, const OrderStage& stage, bool paid, std::uint64_t seed)
    : server_(server), stage_(stage), paid_(paid), random_(seed), run_(hex(random_())) {}

bool OrderFlows::next(std::string& out) {
  const std::string key = run_ + hex(++sent_);
  if (!ready_.empty()) {
    const auto [path, body] = std::move(ready_.back());
    ready_.pop_back();
    out = post_request(server_, path, key, body);
    return true;
  }
  out = post_request(server_, "/v1/orders", key,
                     R"({"service_id":")" + stage_.services[random_() % stage_.services.size()] + R"(","buyer_id":")" +
                         stage_.buyers[random_() % stage_.buyers.size()] +
                         (paid_ ? R"(","package_name":"paid","payment_method":"card"})" : R"(","package_name":"free"})"));
  return true;
}

void OrderFlows::answered(int status, std::string_view body) {
  if (status == 503) return;  // Counted by the load; the flow is given up.
  expect_accepted("a step of an order", status, body);
  if (body.contains(R"("subject_id")")) {  // The payment's own answer.
    ready_.emplace_back("/v1/orders/" + text_member(body, "subject_id") + "/start", "{}");
    return;
  }
  const std::string order = "/v1/orders/" + text_member(body, "id");
  const std::string now = text_member(body, "status");
  if (now == "pending" && paid_)
    ready_.emplace_back("/v1/payments/" + text_member(body, "payment_id") + "/captured", R"({"external_id":"pi"})");
  else if (now == "pending") ready_.emplace_back(order + "/start", "{}");
  else if (now == "in_progress") ready_.emplace_back(order + "/deliver", R"({"delivery_notes":"done"})");
  else if (now == "delivered") ready_.emplace_back(order + "/approve", "{}");
  else if (now == "completed") ++completed_;
  else throw std::runtime_error("an order is " + now);
}

}  // namespace guildhall
