// Reads in PostgREST's grammar: a request's query string and headers become one SQL statement with parameters, or a refusal as
// PostgREST words it. Pure: no database, no clock.
//
// What a client sends reaches the SQL text only as a name that the catalogue knows, as an alias of plain letters, or as a number
// that was parsed; every value is a parameter, cast to the type of the column it meets, so that a bad one is PostgreSQL's 22P02.
// So is the configuration of a text search: one that the database does not have is its 42704.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <expected>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace guildhall {

struct RelationColumn {
  std::string name;
  std::string type;  // As SQL spells it, quoted where needed: "uuid", "timestamp with time zone", "techfix.booking_status".
};

struct Relation {
  std::vector<RelationColumn> columns;
  const RelationColumn* find(std::string_view column) const;  // nullptr when there is none.
};

// The tables and views of one schema that clients may name. What they may read of them is PostgreSQL's business.
struct RelationCatalogue {
  std::string schema;
  std::map<std::string, Relation, std::less<>> relations;
};

inline constexpr std::size_t rest_max_rows = 1'000;          // Of one page; more are had by Range or offset.
inline constexpr std::size_t rest_max_selected = 256;        // Columns in select.
inline constexpr std::size_t rest_max_conditions = 64;       // In all filters and groups together.
inline constexpr std::size_t rest_max_depth = 8;             // Groups inside one another.
inline constexpr std::size_t rest_max_list = 1'024;          // Values of one in.(…), or of a literal after cs, cd or ov.
inline constexpr std::size_t rest_max_search_bytes = 1'024;  // Words of one text search.
inline constexpr std::size_t rest_max_order = 16;            // Columns in order.
inline constexpr std::chrono::seconds rest_default_wait{2};  // For the position that a consistency token names.
inline constexpr std::chrono::seconds rest_max_wait{30};

struct RestRequest {
  std::string_view relation;  // Decoded.
  std::string_view query;     // As sent.
  std::string_view accept;
  std::string_view accept_profile;
  std::string_view prefer;  // All its lines, joined by commas.
  std::string_view range;
  bool head = false;
};

// An answer in PostgREST's shape.
struct RestError {
  int status = 400;
  std::string code;
  std::string message;
  std::optional<std::string> details;
  std::optional<std::string> hint;
  bool operator==(const RestError&) const = default;
};

// {"code":…,"details":…,"hint":…,"message":…}, null where there is none.
std::string to_json(const RestError& error);

enum class Handling : std::uint8_t { strict, lenient };

// The statement yields one row of three texts: how many rows the page has, the body (empty for HEAD), and how many rows there are
// in all (NULL unless asked for by count=exact).
struct RestPlan {
  std::string sql;
  std::vector<std::string> parameters;  // $1, $2, …
  std::uint64_t offset = 0;
  bool single_object = false;
  std::string preferences_applied;  // For Preference-Applied; may be empty.
  std::optional<Handling> handling;
  std::chrono::seconds wait = rest_default_wait;
  std::string at_least;  // The consistency token of the query string; may be empty.
};

std::expected<RestPlan, RestError> plan_read(const RestRequest& request, const RelationCatalogue& catalogue,
                                             std::size_t max_rows = rest_max_rows);

// What the statement's row says about the page. `total` as in its third text.
struct RestPage {
  std::uint64_t rows = 0;
  std::optional<std::uint64_t> total;
};

struct RestRange {
  int status = 200;  // 206 when the page is not all there is.
  std::string content_range;
};

// The Content-Range and status of a page, or why there is none: 416 beyond the end, 406 when a single object was asked for and
// not exactly one row came.
std::expected<RestRange, RestError> judge_page(const RestPlan& plan, const RestPage& page);

// '%' and two hex digits become a byte, and '+' a space if `plus_is_space`. Nothing for broken escapes and for NUL, which
// PostgreSQL's texts cannot hold.
std::optional<std::string> percent_decoded(std::string_view text, bool plus_is_space);

}  // namespace guildhall
