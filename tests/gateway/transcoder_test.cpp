#include "gateway/transcoder.h"

#include <algorithm>
#include <random>

#include <gtest/gtest.h>
#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>

#include "decision_generated.h"
#include "events/codec.h"
#include "infra/wire_time.h"
#include "tests/gateway/inline_schema.h"

namespace guildhall {
namespace {

namespace json = boost::json;

constexpr const char* slot = "018f3c5a-7b1d-7abc-8def-0123456789ab";
constexpr const char* learner = "9f3c5a7b-1d2e-4abc-8def-0123456789ac";

const SchemaCatalogue& catalogue() {
  static const SchemaCatalogue made(schemas());
  return made;
}

std::expected<std::string, std::vector<Problem>> send(std::string_view type, std::string_view body,
                                                      std::span<const PathParam> path = {},
                                                      std::span<const ServerField> server = {}) {
  return transcode(*catalogue().command(type), path, body, server);
}

// "/pointer code" of each problem.
std::vector<std::string> faults(const std::expected<std::string, std::vector<Problem>>& result) {
  std::vector<std::string> out;
  if (!result)
    for (const Problem& problem : result.error()) out.push_back(problem.pointer + " " + std::string(name_of(problem.code)));
  return out;
}

std::string booking(const std::string& rest = "") {
  return R"({"slot_id": ")" + std::string(slot) + R"(", "learner_id": ")" + learner + "\"" + rest + "}";
}

booking::CreateBooking decoded_booking(const std::string& bytes) {
  return get<booking::CreateBooking>(decode_command("booking.v1.CreateBooking", bytes).value());
}

TEST(Transcoder, makes_a_command) {
  const auto bytes = send("booking.v1.CreateBooking", booking(R"(, "notes": "hello")"));
  ASSERT_TRUE(bytes.has_value()) << faults(bytes).front();
  const auto command = decoded_booking(*bytes);
  EXPECT_EQ(to_string(command.slot_id), slot);
  EXPECT_EQ(to_string(command.learner_id), learner);
  EXPECT_EQ(command.notes, "hello");
  const CommandSchema& schema = *catalogue().command("booking.v1.CreateBooking");
  EXPECT_EQ(to_string(uuid_field(*bytes, *schema.group)), slot);
  EXPECT_EQ(to_string(uuid_field(*bytes, *schema.account)), learner);
  EXPECT_EQ(string_field(*bytes, *schema.table->field("notes")), "hello");
  EXPECT_EQ(string_field(send("booking.v1.CreateBooking", booking()).value(), *schema.table->field("notes")), "");
}

TEST(Transcoder, null_and_empty_text_are_absent) {
  const std::string absent = send("booking.v1.CreateBooking", booking()).value();
  EXPECT_EQ(send("booking.v1.CreateBooking", booking(R"(, "notes": null)")).value(), absent);
  EXPECT_EQ(send("booking.v1.CreateBooking", booking(R"(, "notes": "")")).value(), absent);
  EXPECT_EQ(faults(send("booking.v1.CreateBooking", R"({"slot_id": null, "learner_id": null})")),
            (std::vector<std::string>{"/slot_id required", "/learner_id required"}));
}

TEST(Transcoder, uuids_come_in_any_case) {
  std::string upper = slot;
  std::transform(upper.begin(), upper.end(), upper.begin(),
                 [](char c) { return c >= 'a' && c <= 'f' ? static_cast<char>(c - 32) : c; });
  EXPECT_EQ(send("booking.v1.CreateBooking", R"({"slot_id": ")" + upper + R"(", "learner_id": ")" + learner + "\"}").value(),
            send("booking.v1.CreateBooking", booking()).value());
}

TEST(Transcoder, reports_all_problems_at_once) {
  EXPECT_EQ(faults(send("booking.v1.CreateBooking", R"({"slot_id": "nil", "learner_id": 7, "notes": "a\u0000b", "a/b~c": 1})")),
            (std::vector<std::string>{"/slot_id not_a_uuid", "/learner_id wrong_type", "/notes bad_character",
                                      "/a~1b~0c unknown_field"}));
}

TEST(Transcoder, a_body_full_of_problems_is_given_up) {
  std::string body = "{";
  for (int i = 0; i < 200; ++i) body += "\"x" + std::to_string(i) + "\": 1,";
  body.back() = '}';
  EXPECT_EQ(faults(send("booking.v1.CreateBooking", body)).size(), max_problems);
}

TEST(Transcoder, refuses_what_is_no_json_object) {
  EXPECT_EQ(faults(send("booking.v1.CreateBooking", "[1]")), std::vector<std::string>{" wrong_type"});
  EXPECT_EQ(faults(send("booking.v1.CreateBooking", "{")), std::vector<std::string>{" invalid_json"});
  EXPECT_EQ(faults(send("booking.v1.CreateBooking", R"({"notes": "a", "notes": "b"})")),
            std::vector<std::string>{" invalid_json"});
}

TEST(Transcoder, takes_path_parameters_and_compares_the_body_with_them) {
  const CommandSchema& cancel = *catalogue().command("booking.v1.CancelBooking");
  const PathParam path[] = {{cancel.group, slot}};
  const std::string bytes = transcode(cancel, path, "").value();
  EXPECT_EQ(to_string(uuid_field(bytes, *cancel.group)), slot);
  EXPECT_EQ(transcode(cancel, path, R"({"booking_id": ")" + std::string(slot) + "\"}").value(), bytes);
  EXPECT_EQ(faults(transcode(cancel, path, R"({"booking_id": ")" + std::string(learner) + "\"}")),
            std::vector<std::string>{"/booking_id path_mismatch"});
  const PathParam wrong[] = {{cancel.group, "42"}};
  EXPECT_EQ(faults(transcode(cancel, wrong, "{}")), std::vector<std::string>{"/booking_id not_a_uuid"});
}

TEST(Transcoder, the_server_sets_what_a_body_may_not) {
  const std::string body = R"({"email": "a@b.dk", "display_name": "A", "role": "learner", "timezone": "Europe/Copenhagen")";
  EXPECT_EQ(faults(send("account.v1.RegisterAccount", body + R"(, "email_claim_id": ")" + slot + "\"}")),
            std::vector<std::string>{"/email_claim_id unknown_field"});
  const ServerField server[] = {{"id", *parse_uuid(learner), true}, {"email_claim_id", *parse_uuid(slot)}};
  const auto filled = send("account.v1.RegisterAccount", body + "}", {}, server);
  const auto command = get<account::RegisterAccount>(decode_command("account.v1.RegisterAccount", filled.value()).value());
  EXPECT_EQ(to_string(command.id), learner);
  EXPECT_EQ(to_string(command.email_claim_id), slot);
  // A default gives way to the client's value, so that the gateway can compare it with the token's subject.
  const auto named = send("account.v1.RegisterAccount", body + R"(, "id": ")" + slot + "\"}", {}, server);
  EXPECT_EQ(to_string(uuid_field(named.value(), *catalogue().command("account.v1.RegisterAccount")->group)), slot);
}

struct Case {
  const char* field;
  const char* value;
  const char* fault;  // "" = accepted
};

TEST(Transcoder, checks_every_constraint) {
  const InlineSchema schema(R"(
    enum Colour : ubyte { red, green }
    table View { id: ids.Uuid (native_inline); version: uint64; }
    table Put (http: "POST /v1/things", roles: "authenticated", aggregate: "thing", resource: "shop.v1.View", summary: "s") {
      id: ids.Uuid (native_inline, group);
      flag: bool;
      minutes: int32 (min: "15", max: "480", multiple_of: "15");
      tiny: int8;
      big: int64;
      huge: uint64;
      colour: Colour;
      name: string (min_length: "2", max_length: "4");
      slug: string (pattern: "[a-z]+", max_length: "10");
      at: int64 (format: "instant");
      day: int32 (format: "date");
      start_time: int16 (format: "time_of_day");
      end_time: int16 (format: "time_of_day");
      email: string (format: "email", max_length: "254");
      url: string (format: "url", max_length: "200");
      zone: string (format: "zone", max_length: "64");
      currency: string (format: "currency");
      key: string (format: "hex", max_length: "64");
      content: string (format: "json", max_length: "200");
      tags: [string] (max_items: "2", max_length: "3");
      refs: [ids.Uuid] (max_items: "2");
    })");
  const SchemaCatalogue made(schema.schemas());
  const CommandSchema& put = *made.command("shop.v1.Put");
  const Case cases[] = {
      {"flag", "true", ""},
      {"flag", "1", "wrong_type"},
      {"flag", "\"true\"", "wrong_type"},
      // TU-17: a duration is a multiple of 15.
      {"minutes", "45", ""},
      {"minutes", "50", "not_a_multiple"},
      {"minutes", "0", "out_of_range"},
      {"minutes", "495", "out_of_range"},
      {"minutes", "45.0", "wrong_type"},
      {"minutes", "4.5e1", "wrong_type"},
      {"minutes", "\"45\"", "wrong_type"},
      {"tiny", "-128", ""},
      {"tiny", "-129", "out_of_range"},
      {"tiny", "127", ""},
      {"tiny", "128", "out_of_range"},
      {"tiny", "18446744073709551615", "out_of_range"},
      {"big", "9223372036854775807", ""},
      {"big", "\"9223372036854775807\"", ""},
      {"big", "\"-9223372036854775808\"", ""},
      {"big", "9223372036854775808", "out_of_range"},
      {"big", "\"9223372036854775808\"", "out_of_range"},
      {"big", "\"18446744073709551616\"", "wrong_type"},
      {"big", "\"007\"", "wrong_type"},
      {"big", "\"+7\"", "wrong_type"},
      {"big", "\"-0\"", "wrong_type"},
      {"big", "\"1e3\"", "wrong_type"},
      {"big", "\"\"", "wrong_type"},
      {"big", "\"0\"", ""},
      {"huge", "18446744073709551615", ""},
      {"huge", "\"18446744073709551615\"", ""},
      {"huge", "-1", "out_of_range"},
      {"colour", "\"green\"", ""},
      {"colour", "\"Green\"", "not_in_enum"},
      {"colour", "1", "wrong_type"},
      {"name", "\"ab\"", ""},
      {"name", "\"a\"", "too_short"},
      {"name", "\"abcde\"", "too_long"},
      {"name", "\"\\u00e6\\u00f8\\u00e5\\ud83d\\ude00\"", ""},  // Four scalars in ten bytes.
      {"name", "\"a\\u0007\"", "bad_character"},
      {"name", "\"a\\n\\t\\r\"", ""},
      {"name", "[]", "wrong_type"},
      {"slug", "\"abc\"", ""},
      {"slug", "\"abc1\"", "bad_format"},
      {"slug", "\"ABC\"", "bad_format"},
      {"at", "\"2026-03-29T01:00:00Z\"", ""},
      {"at", "\"2026-03-29\"", "bad_format"},
      {"at", "1774746000", "wrong_type"},
      {"day", "\"2024-02-29\"", ""},
      {"day", "\"2026-02-29\"", "bad_format"},
      {"day", "\"2026-2-9\"", "bad_format"},
      {"start_time", "\"09:30\"", ""},
      {"start_time", "\"09:30:00\"", ""},
      {"start_time", "\"09:30:01\"", "bad_format"},
      {"start_time", "\"24:00\"", "bad_format"},
      {"start_time", "\"9:30\"", "bad_format"},
      {"start_time", "\"09:60\"", "bad_format"},
      {"end_time", "\"24:00\"", ""},
      {"end_time", "\"24:01\"", "bad_format"},
      {"email", "\"a@b.dk\"", ""},
      {"email", "\"a b@c.dk\"", "bad_format"},
      {"email", "\"a@b@c\"", "bad_format"},
      {"email", "\"@b.dk\"", "bad_format"},
      {"email", "\"a@\"", "bad_format"},
      {"email", "\"a@b..c\"", "bad_format"},
      {"url", "\"https://a.dk/x?y=1#z\"", ""},
      {"url", "\"http://a.dk\"", ""},
      {"url", "\"ftp://a.dk\"", "bad_format"},
      {"url", "\"https://\"", "bad_format"},
      {"url", "\"/x\"", "bad_format"},
      {"url", "\"https://a b\"", "bad_format"},
      {"url", "\"https://user:secret@a.dk\"", "bad_format"},
      {"url", "\"javascript:alert(1)\"", "bad_format"},
      {"zone", "\"America/Port-au-Prince\"", ""},
      {"zone", "\"Etc/GMT+1\"", ""},
      {"zone", "\"Europe/Paris;\"", "bad_format"},
      {"currency", "\"DKK\"", ""},
      {"currency", "\"dkk\"", "bad_format"},
      {"currency", "\"DKKK\"", "too_long"},
      {"currency", "\"DK\"", "bad_format"},
      {"key", "\"00ffAB\"", ""},
      {"key", "\"0f0\"", "bad_format"},
      {"key", "\"zz\"", "bad_format"},
      {"content", R"("{\"a\": [1, 2.5e3, null, \"\\u00e6\"]}")", ""},
      {"content", R"("[]")", ""},
      {"content", R"("{\"a\": 1, \"a\": 2}")", "bad_format"},
      {"content", R"("{\"a\": \"\\u0000\"}")", "bad_format"},  // jsonb refuses it.
      {"content", R"("{\"\\u0000\": 1}")", "bad_format"},
      {"content", R"("[1e999]")", "bad_format"},
      {"content", R"("{a: 1}")", "bad_format"},
      {"content", R"({"a": 1})", "wrong_type"},
      {"tags", "[\"a\", \"\"]", ""},
      {"tags", "[\"a\", \"b\", \"c\"]", "too_many_items"},
      {"tags", "\"a\"", "wrong_type"},
      {"refs", "[\"018f3c5a-7b1d-7abc-8def-0123456789ab\"]", ""},
      {"refs", "null", ""},
      {"refs", "{}", "wrong_type"},
  };
  for (const Case& c : cases) {
    const auto result = transcode(put, {}, "{\"" + std::string(c.field) + "\": " + c.value + "}");
    const std::vector<std::string> wanted =
        *c.fault == 0 ? std::vector<std::string>{} : std::vector<std::string>{"/" + std::string(c.field) + " " + c.fault};
    EXPECT_EQ(faults(result), wanted) << c.field << " = " << c.value;
  }
  // A problem inside a vector points at its item.
  EXPECT_EQ(faults(transcode(put, {}, R"({"tags": ["abcd", 1], "refs": ["x"]})")),
            (std::vector<std::string>{"/tags/0 too_long", "/tags/1 wrong_type", "/refs/0 not_a_uuid"}));
}

// What clients send comes back as it is written, for every command and every kind of field.
TEST(Transcoder, bytes_read_back_as_the_same_json) {
  const auto bytes =
      send("session.v1.UpdateSession",
           R"({"session_id": "018f3c5a-7b1d-7abc-8def-0123456789ab", "title": "T \"q\" \\ \n ø", "duration_minutes": 60,
                              "price_cents": 50000, "currency": "DKK", "topic_tags": ["a", "b"], "level": "advanced"})");
  ASSERT_TRUE(bytes.has_value()) << faults(bytes).front();
  EXPECT_EQ(to_json(catalogue(), "session.v1.UpdateSession", *bytes),
            R"({"session_id":"018f3c5a-7b1d-7abc-8def-0123456789ab","title":"T \"q\" \\ \n ø","description":null,)"
            R"("short_description":null,"duration_minutes":60,"price_cents":50000,"currency":"DKK","topic_tags":["a","b"],)"
            R"("level":"advanced","prerequisites":null,"materials_url":null,"max_participants":1})");
}

// A valid value of the field, at random.
json::value sample(const FieldSchema& field, std::mt19937_64& random) {
  const auto upto = [&](std::uint64_t n) { return random() % (n + 1); };
  const auto uuid = [&] { return json::string(to_string(Uuid(random() | 1, random()))); };
  const auto text = [&] {
    if (field.format == FieldFormat::email) return json::string("a" + std::to_string(upto(999)) + "@b.dk");
    const bool url = field.format == FieldFormat::url || (field.pattern && field.pattern->text.starts_with("https?://"));
    if (url) return json::string("https://a.dk/" + std::to_string(upto(999)));
    if (field.format == FieldFormat::zone) return json::string("Europe/Paris");
    if (field.format == FieldFormat::json) return json::string(R"({"a":[)" + std::to_string(upto(999)) + "]}");
    if (field.format == FieldFormat::currency) return json::string("EUR");
    std::size_t length = field.min_length + upto(20);
    if (field.max_length != 0) length = std::min<std::size_t>(length, field.max_length);
    return json::string(std::string(std::max<std::size_t>(length, field.needed ? 1 : 0), static_cast<char>('a' + upto(25))));
  };
  switch (field.kind) {
    case FieldKind::boolean: return upto(1) == 1;
    case FieldKind::enumeration: {
      const auto name = field.enumeration->values[upto(field.enumeration->values.size() - 1)].name;
      return json::string(name.data(), name.size());
    }
    case FieldKind::string: return text();
    case FieldKind::uuid: return uuid();
    case FieldKind::strings:
    case FieldKind::uuids: {
      json::array out;
      for (auto n = upto(3); n > 0; --n) out.push_back(field.kind == FieldKind::strings ? text() : uuid());
      return out;
    }
    default: break;
  }
  if (field.format == FieldFormat::time_of_day) return json::string("12:" + std::to_string(10 + upto(40)));
  if (field.format == FieldFormat::date) return json::string("2026-03-" + std::to_string(10 + upto(20)));
  if (field.format == FieldFormat::instant) return json::string("2026-03-29T01:00:" + std::to_string(10 + upto(40)) + "+02:00");
  const std::uint64_t width = field.max - static_cast<std::uint64_t>(field.min);
  return static_cast<std::int64_t>(static_cast<std::uint64_t>(field.min) + upto(std::min<std::uint64_t>(width, 1'000'000)));
}

TEST(Transcoder, bytes_are_those_of_the_object_api_whatever_the_order_of_members) {
  constexpr std::uint64_t seed = 20260329;
  std::mt19937_64 random(seed);
  std::size_t made = 0;
  for (const CommandSchema& command : catalogue().commands()) {
    for (int round = 0; round < 20; ++round) {
      std::vector<std::pair<std::string, json::value>> members;
      for (const FieldSchema& field : command.table->fields) {
        if (field.server_set || (!field.needed && random() % 3 == 0)) continue;
        members.emplace_back(std::string(field.name), sample(field, random));
      }
      const auto body = [&] {
        json::object out;
        for (const auto& [name, value] : members) out[name] = value;
        return json::serialize(out);
      };
      const auto bytes = transcode(command, {}, body());
      ASSERT_TRUE(bytes.has_value()) << command.table->name << " " << body() << " " << faults(bytes).front() << " seed " << seed;
      const auto decoded = decode_command(command.table->name, *bytes);
      ASSERT_TRUE(decoded.has_value()) << command.table->name;
      EXPECT_EQ(encode(*decoded), *bytes) << command.table->name << " " << body() << " seed " << seed;
      std::shuffle(members.begin(), members.end(), random);
      EXPECT_EQ(transcode(command, {}, body()), bytes) << command.table->name << " seed " << seed;
      // And the JSON of the bytes is a body that makes the same bytes.
      json::object again = json::parse(to_json(*command.table, *bytes).value()).as_object();
      for (const FieldSchema& field : command.table->fields)
        if (field.server_set) again.erase(json::string_view(field.name.data(), field.name.size()));
      EXPECT_EQ(transcode(command, {}, again), bytes) << command.table->name << " " << json::serialize(again);
      ++made;
    }
  }
  EXPECT_EQ(made, catalogue().commands().size() * 20);
}

booking::BookingView sample_view() {
  booking::BookingView view;
  view.id = *parse_uuid(slot);
  view.version = 3;
  view.status = ::booking::v1::Status::confirmed;
  view.learner_id = *parse_uuid(learner);
  view.start_at = parse_instant("2026-03-29T01:00:00Z").value();
  view.end_at = view.start_at + 1;
  view.amount_cents = (std::int64_t{1} << 53) + 1;
  view.currency = "DKK";
  return view;
}

TEST(ToJson, writes_a_resource) {
  const std::string bytes = pack(sample_view());
  const std::string wanted =
      R"({"id":"018f3c5a-7b1d-7abc-8def-0123456789ab","version":3,"status":"confirmed",)"
      R"("learner_id":"9f3c5a7b-1d2e-4abc-8def-0123456789ac","expert_id":null,"session_id":null,"slot_id":null,)"
      R"("payment_id":null,"start_at":"2026-03-29T01:00:00Z","end_at":"2026-03-29T01:00:00.000001Z",)"
      R"("amount_cents":"9007199254740993","currency":"DKK","expires_at":null})";
  EXPECT_EQ(to_json(catalogue(), "booking.v1.BookingView", bytes), wanted);
  EXPECT_EQ(to_json(catalogue(), "booking.v1.BookingView", bytes, {.verified = true}), wanted);
  // Misaligned bytes read the same.
  EXPECT_EQ(to_json(catalogue(), "booking.v1.BookingView", std::string_view("x" + bytes).substr(1)), wanted);
}

TEST(ToJson, refuses_bytes_that_do_not_verify) {
  const std::string bytes = pack(sample_view());
  EXPECT_EQ(to_json(catalogue(), "booking.v1.Nothing", bytes), std::nullopt);
  for (std::size_t length = 0; length < bytes.size(); length += 8)
    EXPECT_EQ(to_json(catalogue(), "booking.v1.BookingView", std::string_view(bytes).substr(0, length)), std::nullopt) << length;
}

TEST(ToJson, writes_structs_times_and_bytes) {
  calendar::SlotsGenerated event;
  event.day = parse_date("2026-03-29").value();
  event.added.emplace_back(*parse_uuid(slot), Uuid{}, Uuid{}, 0, 1'000'000, 5, true);
  event.removed.push_back(*parse_uuid(learner));
  EXPECT_EQ(
      to_json(catalogue(), "calendar.v1.SlotsGenerated", pack(event)),
      R"({"expert_id":null,"day":"2026-03-29","added":[{"slot_id":"018f3c5a-7b1d-7abc-8def-0123456789ab","session_id":null,)"
      R"("window_id":null,"start_at":"1970-01-01T00:00:00Z","end_at":"1970-01-01T00:00:01Z","max":5,"hidden":true}],)"
      R"("removed":["9f3c5a7b-1d2e-4abc-8def-0123456789ac"],"changed":[],"tzdb_version":null})");
  schedule::WindowAdded window;
  window.start_time = 9 * 60 + 5;
  window.end_time = 1440;
  const std::string text = to_json(catalogue(), "schedule.v1.WindowAdded", pack(window)).value();
  EXPECT_NE(text.find(R"("start_time":"09:05","end_time":"24:00")"), std::string::npos) << text;
  ::decision::v1::InboxCommandT inbox;
  inbox.command = {0x00, 0xff, 0x1a};
  EXPECT_NE(to_json(catalogue(), "decision.v1.InboxCommand", pack(inbox)).value().find(R"("command":"00ff1a")"),
            std::string::npos);
}

TEST(ToJson, masks_personal_values_that_are_present) {
  account::AccountRegistered event;
  event.email = "a@b.dk";
  event.timezone = "Europe/Paris";
  const std::string masked = to_json(catalogue(), "account.v1.AccountRegistered", pack(event), {.mask_pii = true}).value();
  EXPECT_EQ(masked.find("a@b.dk"), std::string::npos);
  EXPECT_NE(masked.find(R"("email":"[masked]")"), std::string::npos);
  EXPECT_NE(masked.find(R"("first_name":null)"), std::string::npos);
  EXPECT_NE(masked.find(R"("timezone":"Europe/Paris")"), std::string::npos);
}

// A newer writer's enum member, a time that has no date, and bytes that are no text stay readable.
TEST(ToJson, never_fails_on_values_that_it_does_not_know) {
  booking::BookingView view = sample_view();
  view.status = static_cast<::booking::v1::Status>(200);
  view.start_at = std::numeric_limits<std::int64_t>::min();
  view.currency = "\xff\x01\xc3";
  const std::string text = to_json(catalogue(), "booking.v1.BookingView", pack(view)).value();
  EXPECT_NE(text.find(R"("status":200)"), std::string::npos) << text;
  EXPECT_NE(text.find(R"("start_at":"-9223372036854775808")"), std::string::npos) << text;
  EXPECT_NE(text.find("\"currency\":\"\xef\xbf\xbd\\u0001\xef\xbf\xbd\""), std::string::npos) << text;
  EXPECT_NO_THROW(json::parse(text));
}

TEST(WireTime, instants_of_any_offset) {
  struct Row {
    const char* text;
    const char* utc;  // nullptr = refused
  };
  const Row rows[] = {
      {"2026-03-29T01:00:00Z", "2026-03-29T01:00:00Z"},
      {"2026-03-29t03:00:00.5+02:00", "2026-03-29T01:00:00.500000Z"},
      {"2026-03-29T01:00:00-00:00", "2026-03-29T01:00:00Z"},
      {"2026-01-01T00:30:00+01:00", "2025-12-31T23:30:00Z"},
      {"1969-12-31T23:59:59.999999Z", "1969-12-31T23:59:59.999999Z"},
      {"0000-01-01T00:00:00Z", "0000-01-01T00:00:00Z"},
      {"9999-12-31T23:59:59.999999Z", "9999-12-31T23:59:59.999999Z"},
      {"2026-03-29T01:00:00.123456000Z", "2026-03-29T01:00:00.123456Z"},
      {"2026-03-29T01:00:00.1234567Z", nullptr},
      {"0000-01-01T00:00:00+01:00", nullptr},
      {"9999-12-31T23:59:59-01:00", nullptr},
      {"2026-03-29T01:00:60Z", nullptr},
      {"2026-03-29T24:00:00Z", nullptr},
      {"2026-02-30T01:00:00Z", nullptr},
      {"2026-03-29T01:00:00", nullptr},
      {"2026-03-29T01:00:00.Z", nullptr},
      {"2026-03-29 01:00:00Z", nullptr},
      {"2026-03-29T01:00:00+2:00", nullptr},
      {"2026-03-29T01:00:00+24:00", nullptr},
      {"2026-03-29T01:00:00Zx", nullptr},
      {"+026-03-29T01:00:00Z", nullptr},
      {"", nullptr},
  };
  for (const Row& row : rows) {
    const auto micros = parse_instant(row.text);
    ASSERT_EQ(micros.has_value(), row.utc != nullptr) << row.text;
    if (!micros) continue;
    std::string out;
    EXPECT_TRUE(append_instant(out, *micros));
    EXPECT_EQ(out, row.utc);
  }
}

}  // namespace
}  // namespace guildhall
