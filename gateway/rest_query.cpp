#include "gateway/rest_query.h"

#include <algorithm>
#include <array>
#include <cctype>
#include <charconv>
#include <limits>
#include <set>
#include <utility>

#include <fmt/format.h>
#include <boost/json/serialize.hpp>
#include <boost/json/string.hpp>
#include <boost/json/value.hpp>

namespace guildhall {
namespace {

using Sql = std::expected<std::string, RestError>;
using Unexpected = std::unexpected<RestError>;

constexpr std::string_view page_alias = "\"the page\"";  // Holds a space, so that no column or alias of a client can be it.
constexpr std::string_view supported_operators =
    "eq, neq, gt, gte, lt, lte, like, ilike, in, is, cs, cd, ov, fts, plfts, phfts, wfts, each also after not.";
constexpr std::size_t max_alias_bytes = 63;  // PostgreSQL cuts longer names.

// A word of the grammar, and PostgreSQL's for it.
struct Word {
  std::string_view name;
  std::string_view sql;
};
constexpr std::array<Word, 6> comparisons{{{"eq", "="}, {"neq", "<>"}, {"gt", ">"}, {"gte", ">="}, {"lt", "<"}, {"lte", "<="}}};
constexpr std::array<Word, 3> containments{{{"cs", "@>"}, {"cd", "<@"}, {"ov", "&&"}}};
// By the function that makes a tsquery of what a client sends: PostgreSQL's own syntax, all of the words, a phrase, and what
// people write to search engines.
constexpr std::array<Word, 4> text_searches{
    {{"fts", "to_tsquery"}, {"plfts", "plainto_tsquery"}, {"phfts", "phraseto_tsquery"}, {"wfts", "websearch_to_tsquery"}}};
constexpr std::array<Word, 4> is_values{{{"null", "NULL"}, {"true", "TRUE"}, {"false", "FALSE"}, {"unknown", "UNKNOWN"}}};

using Names = std::set<std::string, std::less<>>;

// A column that a view computes, and that orders rows just as another column reversed does, which an index has: where filters
// hold some columns to one value.
struct ReversedOrder {
  std::string_view relation;
  std::string_view column;
  std::string_view by;
  std::array<std::string_view, 2> fixed;
};
constexpr std::array<ReversedOrder, 1> reversed_orders{{{"leaderboard", "rank", "xp_points", {"period", "period_start_date"}}}};

std::optional<std::string_view> reversed_order(std::string_view relation, std::string_view column, const Names& fixed) {
  for (const ReversedOrder& o : reversed_orders)
    if (o.relation == relation && o.column == column &&
        std::ranges::all_of(o.fixed, [&](std::string_view name) { return fixed.contains(name); }))
      return o.by;
  return std::nullopt;
}

Unexpected unparsable(std::string_view what, std::string_view text, std::string details, std::optional<std::string> hint = {}) {
  return Unexpected(RestError{400, "PGRST100", fmt::format("\"failed to parse {} ({})\" (line 1, column 1)", what, text),
                              std::move(details), std::move(hint)});
}

Unexpected too_many(std::string_view what, std::size_t limit) {
  return Unexpected(
      RestError{400, "PGRST100", fmt::format("too many {}", what), fmt::format("At most {} are allowed.", limit), {}});
}

Unexpected not_satisfiable(std::string details) {
  return Unexpected(RestError{416, "PGRST103", "Requested range not satisfiable", std::move(details), {}});
}

std::string quoted(std::string_view identifier) {
  std::string out = "\"";
  for (const char c : identifier) out.append(c == '"' ? 2 : 1, c);
  return out + '"';
}

std::string_view trimmed(std::string_view text) {
  while (!text.empty() && (text.front() == ' ' || text.front() == '\t')) text.remove_prefix(1);
  while (!text.empty() && (text.back() == ' ' || text.back() == '\t')) text.remove_suffix(1);
  return text;
}

std::string lower(std::string_view text) {
  std::string out(text);
  for (char& c : out)
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  return out;
}

bool consume(std::string_view& text, std::string_view prefix) {
  if (!text.starts_with(prefix)) return false;
  text.remove_prefix(prefix.size());
  return true;
}

// The part before the next separator, which is taken off with it.
std::string_view next_part(std::string_view& rest, char separator) {
  const std::size_t end = rest.find(separator);
  const std::string_view part = rest.substr(0, end);
  rest = end == std::string_view::npos ? std::string_view{} : rest.substr(end + 1);
  return part;
}

// A whole number that PostgreSQL's bigint holds.
std::optional<std::int64_t> integer(std::string_view text) {
  std::int64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc{} || end != text.data() + text.size()) return std::nullopt;
  return value;
}

bool is_plain_name(std::string_view text) {
  if (text.empty() || text.size() > max_alias_bytes || std::isdigit(static_cast<unsigned char>(text.front()))) return false;
  return std::ranges::all_of(text, [](char c) { return std::isalnum(static_cast<unsigned char>(c)) || c == '_'; });
}

std::string array_literal(const std::vector<std::string>& values) {
  std::string out = "{";
  for (const std::string& value : values) {
    if (out.size() > 1) out += ',';
    out += '"';
    for (const char c : value) {
      if (c == '"' || c == '\\') out += '\\';
      out += c;
    }
    out += '"';
  }
  return out + '}';
}

// A value in double quotes, where a backslash takes the next character as it is; taken off the text. Nothing if it does not end.
std::optional<std::string> quoted_value(std::string_view& text) {
  std::string value;
  for (std::size_t at = 1; at < text.size(); ++at) {
    if (text[at] == '"') {
      text.remove_prefix(at + 1);
      return value;
    }
    if (text[at] == '\\' && ++at == text.size()) break;
    value += text[at];
  }
  return std::nullopt;
}

// A value of a list or a group: quoted, or up to the next comma or closing parenthesis.
std::optional<std::string> delimited_value(std::string_view& text) {
  if (text.starts_with('"')) return quoted_value(text);
  const std::size_t end = std::min(text.find_first_of(",)"), text.size());
  std::string value(text.substr(0, end));
  text.remove_prefix(end);
  return value;
}

// The bytes of the array or JSON object at the front of the text, up to the brace that ends it; 0 if none does. Braces in double
// quotes and after a backslash do not count.
std::size_t braced_size(std::string_view text) {
  std::size_t depth = 0;
  bool in_quotes = false;
  for (std::size_t at = 0; at < text.size(); ++at) {
    const char c = text[at];
    if (c == '\\') ++at;
    else if (c == '"') in_quotes = !in_quotes;
    else if (c == '{' && !in_quotes) ++depth;
    else if (c == '}' && !in_quotes && --depth == 0) return at + 1;
  }
  return 0;
}

// A value of a group: as delimited_value, but an array or JSON object keeps the commas within its braces.
std::optional<std::string> group_value(std::string_view& text) {
  const std::size_t size = text.starts_with('{') ? braced_size(text) : 0;
  if (size == 0 || text.find_first_of(",)", size) != size) return delimited_value(text);
  std::string value(text.substr(0, size));
  text.remove_prefix(size);
  return value;
}

// Conditions, columns and orders of one relation, turned into SQL; collects the parameters.
class StatementBuilder {
 public:
  StatementBuilder(std::string_view name, const Relation& relation) : name_(name), relation_(relation) {}

  std::expected<const RelationColumn*, RestError> column(std::string_view name) const {
    if (const RelationColumn* found = relation_.find(name)) return found;
    return Unexpected(RestError{400, "42703", fmt::format("column {}.{} does not exist", name_, name), {}, {}});
  }

  // `text` is what stands after `column=`: [not.]operator.value, all of it the value.
  Sql filter(std::string_view name, std::string_view text) {
    if (name.contains("->")) return unparsable("filter", name, "paths into JSON columns are not supported");
    if (name.contains('.')) return unparsable("filter", name, "filters on embedded relations are not supported", embed_hint);
    std::string_view rest = text;
    return condition(name, rest, text, false);
  }

  // `text` is a group in parentheses, after or= or and=.
  Sql group(std::string_view text, std::string_view joiner) {
    std::string_view rest = text;
    Sql sql = parenthesized(rest, joiner, text, 1);
    if (sql && !rest.empty()) return unparsable("logic tree", text, fmt::format("unexpected \"{}\" after the group", rest));
    return sql;
  }

  Sql selection(std::string_view text) const {
    std::string sql;
    std::map<std::string, std::string_view, std::less<>> outputs;  // Name in the object → its column.
    std::size_t count = 0;
    for (std::string_view rest = text; !rest.empty();) {
      std::string_view item = trimmed(next_part(rest, ','));
      if (++count > rest_max_selected) return too_many("selected columns", rest_max_selected);
      if (item.contains('(') || item.contains(')') || item.starts_with("..."))
        return unparsable("select parameter", text, "embedding and aggregates are not supported", embed_hint);
      if (item.contains("::")) return unparsable("select parameter", text, "casts are not supported");
      if (item.contains("->")) return unparsable("select parameter", text, "paths into JSON columns are not supported");
      std::string_view alias;
      if (const std::size_t colon = item.find(':'); colon != std::string_view::npos) {
        alias = trimmed(item.substr(0, colon));
        item = trimmed(item.substr(colon + 1));
        if (!is_plain_name(alias) || item == "*")
          return unparsable("select parameter", text, "an alias is a name of letters, digits and underscores before a column");
      }
      if (item.empty()) return unparsable("select parameter", text, "a column name is missing");
      std::vector<const RelationColumn*> columns;
      if (item == "*") {
        for (const RelationColumn& each : relation_.columns) columns.push_back(&each);
      } else {
        const auto found = column(item);
        if (!found) return Unexpected(found.error());
        columns.push_back(*found);
      }
      for (const RelationColumn* each : columns) {
        const std::string_view output = alias.empty() ? std::string_view(each->name) : alias;
        const auto [known, is_new] = outputs.emplace(output, each->name);
        if (!is_new && known->second != each->name)
          return unparsable("select parameter", text, fmt::format("two columns would be named {}", output));
        if (!is_new) continue;
        if (!sql.empty()) sql += ", ";
        sql += "t." + quoted(each->name);
        if (!alias.empty()) sql += " AS " + quoted(alias);
      }
    }
    return sql;
  }

  // `fixed`: columns that a filter holds to one value.
  Sql order(std::string_view text, const Names& fixed) const {
    std::string sql;
    std::size_t count = 0;
    for (std::string_view rest = text; !rest.empty();) {
      std::string_view item = trimmed(next_part(rest, ','));
      if (++count > rest_max_order) return too_many("order columns", rest_max_order);
      if (item.contains('(')) return unparsable("order", text, "ordering by embedded relations is not supported", embed_hint);
      if (item.contains("->")) return unparsable("order", text, "paths into JSON columns are not supported");
      const auto found = column(next_part(item, '.'));
      if (!found) return Unexpected(found.error());
      if (!sql.empty()) sql += ", ";
      const auto by_index = reversed_order(name_, (*found)->name, fixed);
      sql += "t." + quoted(by_index.value_or((*found)->name));
      std::string_view word = next_part(item, '.');
      const bool has_direction = word == "asc" || word == "desc";
      if (has_direction || by_index) sql += (word == "desc") != by_index.has_value() ? " DESC" : " ASC";
      if (has_direction) word = next_part(item, '.');
      if (word == "nullsfirst" || word == "nullslast") {
        sql += word == "nullsfirst" ? " NULLS FIRST" : " NULLS LAST";
        word = {};
      }
      if (!word.empty() || !item.empty())
        return unparsable("order", text, "expecting column[.asc|.desc][.nullsfirst|.nullslast]");
    }
    return sql;
  }

  std::vector<std::string> take_parameters() { return std::move(parameters_); }

 private:
  static constexpr const char* embed_hint = "Read each relation by its own request, or a view that joins them.";

  std::string parameter(std::string value, std::string_view type) {
    parameters_.push_back(std::move(value));
    return fmt::format("${}::{}", parameters_.size(), type);
  }

  // Takes [not.]operator.value off the front of `rest`. In a group a value ends at a comma or parenthesis unless it is quoted.
  Sql condition(std::string_view name, std::string_view& rest, std::string_view whole, bool in_group) {
    if (++conditions_ > rest_max_conditions) return too_many("conditions", rest_max_conditions);
    const auto found = column(name);
    if (!found) return Unexpected(found.error());
    const std::string field = "t." + quoted((*found)->name);
    const std::string& type = (*found)->type;
    const std::string negation = consume(rest, "not.") ? "NOT " : "";

    const std::size_t dot = rest.find('.');
    const std::string_view op = rest.substr(0, dot);
    if (dot == std::string_view::npos)
      return unparsable("filter", whole, "expecting an operator, a dot and a value",
                        fmt::format("Supported operators: {}", supported_operators));
    rest.remove_prefix(dot + 1);

    if (op == "in") {
      const auto values = list(rest, whole);
      if (!values) return Unexpected(values.error());
      if (!in_group && !rest.empty()) return unparsable("filter", whole, fmt::format("unexpected \"{}\" after the list", rest));
      return negation + field + " = ANY (" + parameter(array_literal(*values), type + "[]") + ")";
    }
    std::optional<std::string> value;
    if (in_group) {
      value = group_value(rest);
      if (!value) return unparsable("logic tree", whole, "a quoted value does not end");
    } else {
      value = std::string(std::exchange(rest, {}));
    }
    for (const Word& comparison : comparisons)
      if (op == comparison.name)
        return fmt::format("{}{} {} {}", negation, field, comparison.sql, parameter(std::move(*value), type));
    for (const Word& containment : containments) {
      if (op != containment.name) continue;
      // PostgreSQL compares each value of the one array with each of the other.
      if (static_cast<std::size_t>(std::ranges::count(*value, ',')) >= rest_max_list)
        return too_many("values in a list", rest_max_list);
      return fmt::format("{}{} {} {}", negation, field, containment.sql, parameter(std::move(*value), type));
    }
    for (const Word& search : text_searches) {
      std::string_view modifier = op;
      if (!consume(modifier, search.name) || (!modifier.empty() && !modifier.starts_with('('))) continue;
      const Sql match = text_search(**found, search.sql, modifier, std::move(*value), whole);
      if (!match) return match;
      return negation + *match;
    }
    if (op == "like" || op == "ilike") {
      std::ranges::replace(*value, '*', '%');  // A percent sign would have to be encoded in a URL.
      return fmt::format("{}{} {} {}", negation, field, op == "like" ? "LIKE" : "ILIKE", parameter(std::move(*value), "text"));
    }
    if (op == "is") {
      const std::string wanted = lower(*value);
      for (const Word& is : is_values)
        if (wanted == is.name) return fmt::format("{}{} IS {}", negation, field, is.sql);
      return unparsable("filter", whole, "expecting null, true, false or unknown after is.");
    }
    return unparsable("filter", whole, fmt::format("unknown operator \"{}\"", op),
                      fmt::format("Supported operators: {}", supported_operators));
  }

  // `modifier` is what stands between fts and the dot: nothing, or the name of a configuration in parentheses.
  Sql text_search(const RelationColumn& column, std::string_view function, std::string_view modifier, std::string words,
                  std::string_view whole) {
    if (words.size() > rest_max_search_bytes) return too_many("bytes in a text search", rest_max_search_bytes);
    std::string configuration;
    if (consume(modifier, "(")) {
      const std::string_view name = modifier.substr(0, modifier.size() - (modifier.ends_with(')') ? 1 : 0));
      // Only a name: regconfig would also take the number of a configuration, or one of another schema.
      if (name.size() == modifier.size() || !is_plain_name(name)) {
        return unparsable("filter", whole,
                          "the configuration of a text search is a name of letters, digits and underscores in parentheses");
      }
      configuration = parameter(std::string(name), "regconfig") + ", ";
    }
    std::string document = "t." + quoted(column.name);
    // As PostgREST does, so that texts and JSON can be searched too; the same configuration makes words of both sides.
    if (column.type != "tsvector") document = fmt::format("to_tsvector({}{})", configuration, document);
    return fmt::format("{} @@ {}({}{})", document, function, configuration, parameter(std::move(words), "text"));
  }

  std::expected<std::vector<std::string>, RestError> list(std::string_view& rest, std::string_view whole) const {
    std::vector<std::string> values;
    if (!consume(rest, "(")) return unparsable("filter", whole, "expecting ( after in.");
    if (consume(rest, ")")) return values;
    while (true) {
      std::optional<std::string> value = delimited_value(rest);
      if (!value) return unparsable("filter", whole, "a quoted value does not end");
      values.push_back(std::move(*value));
      if (values.size() > rest_max_list) return too_many("values in a list", rest_max_list);
      if (consume(rest, ")")) return values;
      if (!consume(rest, ",")) return unparsable("filter", whole, "expecting , or ) in a list");
    }
  }

  Sql parenthesized(std::string_view& rest, std::string_view joiner, std::string_view whole, std::size_t depth) {
    if (depth > rest_max_depth) return too_many("nested groups", rest_max_depth);
    if (!consume(rest, "(")) return unparsable("logic tree", whole, "expecting ( after and or or");
    std::string sql = "(";
    while (true) {
      const Sql member = group_member(rest, whole, depth);
      if (!member) return member;
      sql += *member;
      if (consume(rest, ")")) return sql + ")";
      if (!consume(rest, ",")) return unparsable("logic tree", whole, "expecting , or ) in a group");
      sql += joiner;
    }
  }

  Sql group_member(std::string_view& rest, std::string_view whole, std::size_t depth) {
    while (consume(rest, " ")) {
    }
    for (const auto& [word, negation, joiner] : {std::array<std::string_view, 3>{"and(", "", " AND "},
                                                 {"or(", "", " OR "},
                                                 {"not.and(", "NOT ", " AND "},
                                                 {"not.or(", "NOT ", " OR "}}) {
      if (!rest.starts_with(word)) continue;
      rest.remove_prefix(word.size() - 1);
      Sql inner = parenthesized(rest, joiner, whole, depth + 1);
      if (!inner) return inner;
      return std::string(negation) + *inner;
    }
    std::string name;
    if (rest.starts_with('"')) {
      std::optional<std::string> in_quotes = quoted_value(rest);
      if (!in_quotes) return unparsable("logic tree", whole, "a quoted name does not end");
      name = std::move(*in_quotes);
    } else {
      const std::size_t end = std::min(rest.find_first_of(".,()"), rest.size());
      name = rest.substr(0, end);
      rest.remove_prefix(end);
    }
    if (name.empty() || !consume(rest, ".")) return unparsable("logic tree", whole, "expecting column.operator.value");
    if (name.contains("->")) return unparsable("logic tree", whole, "paths into JSON columns are not supported");
    return condition(name, rest, whole, true);
  }

  std::string_view name_;
  const Relation& relation_;
  std::vector<std::string> parameters_;
  std::size_t conditions_ = 0;
};

// ---- headers

enum class Media : std::uint8_t { list, single_object };

// The best of the types that we make, by quality and then by order.
std::expected<Media, RestError> negotiate(std::string_view accept) {
  if (trimmed(accept).empty()) return Media::list;
  std::optional<Media> best;
  double best_quality = 0;
  for (std::string_view rest = accept; !rest.empty();) {
    std::string_view range = next_part(rest, ',');
    const std::string type = lower(trimmed(next_part(range, ';')));
    double quality = 1;
    bool plain = true;  // Other parameters than q change the form, and we have but one.
    while (!range.empty()) {
      const std::string parameter = lower(trimmed(next_part(range, ';')));
      if (parameter.starts_with("q=")) {
        const auto [end, error] = std::from_chars(parameter.data() + 2, parameter.data() + parameter.size(), quality);
        if (error != std::errc{}) quality = 0;
      } else if (parameter != "charset=utf-8") {
        plain = false;
      }
    }
    std::optional<Media> media;
    if (type == "application/json" || type == "application/*" || type == "*/*" || type == "application/vnd.pgrst.array+json") {
      media = Media::list;
    } else if ((type == "application/vnd.pgrst.object+json" || type == "application/vnd.pgrst.object") && plain) {
      media = Media::single_object;
    }
    if (media && quality > best_quality) {
      best = media;
      best_quality = quality;
    }
  }
  if (best) return *best;
  return Unexpected(RestError{406, "PGRST107", fmt::format("None of these media types are available: {}", accept), {}, {}});
}

struct Preferences {
  std::optional<Handling> handling;
  bool count_exact = false;
  std::optional<std::chrono::seconds> wait;
  std::vector<std::string_view> ignored;
};

// RFC 7240: of a preference given twice the first counts.
std::expected<Preferences, RestError> preferences_of(std::string_view header) {
  Preferences found;
  for (std::string_view rest = header; !rest.empty();) {
    const std::string_view item = trimmed(next_part(rest, ','));
    std::string_view value = item;
    const std::string name = lower(trimmed(next_part(value, '=')));
    value = trimmed(value);
    if (item.empty()) continue;
    if (name == "handling" && (value == "strict" || value == "lenient")) {
      if (!found.handling) found.handling = value == "strict" ? Handling::strict : Handling::lenient;
    } else if (name == "count" && value == "exact") {
      found.count_exact = true;
    } else if (const auto seconds = name == "wait" ? integer(value) : std::nullopt; seconds && *seconds >= 0) {
      if (!found.wait) found.wait = std::min(std::chrono::seconds(*seconds), rest_max_wait);
    } else if (name != "return") {  // Known, and without a meaning for reads.
      found.ignored.push_back(item);
    }
  }
  if (found.handling == Handling::strict && !found.ignored.empty()) {
    return Unexpected(RestError{400,
                                "PGRST122",
                                "Invalid preferences given with handling=strict",
                                fmt::format("Invalid preferences: {}", fmt::join(found.ignored, ", ")),
                                {}});
  }
  return found;
}

std::string applied(const Preferences& preferences) {
  std::vector<std::string> parts;
  if (preferences.handling)
    parts.emplace_back(*preferences.handling == Handling::strict ? "handling=strict" : "handling=lenient");
  if (preferences.count_exact) parts.emplace_back("count=exact");
  if (preferences.wait) parts.push_back(fmt::format("wait={}", preferences.wait->count()));
  return fmt::format("{}", fmt::join(parts, ", "));
}

struct Window {
  std::uint64_t first = 0;
  std::uint64_t end = std::numeric_limits<std::int64_t>::max();  // Exclusive.
};

std::expected<Window, RestError> window_of(std::optional<std::string_view> limit, std::optional<std::string_view> offset,
                                           std::string_view range) {
  Window window;
  if (offset) {
    const auto number = integer(*offset);
    if (!number) return unparsable("offset parameter", *offset, "expecting a whole number");
    if (*number < 0) return not_satisfiable("Offset should be greater than or equal to zero.");
    window.first = static_cast<std::uint64_t>(*number);
  }
  if (limit) {
    const auto number = integer(*limit);
    if (!number) return unparsable("limit parameter", *limit, "expecting a whole number");
    if (*number < 0) return not_satisfiable("Limit should be greater than or equal to zero.");
    window.end = std::min(window.end, window.first + static_cast<std::uint64_t>(*number));
  }
  // A Range that is none is to be ignored (RFC 9110, 14.2).
  std::string_view upper = trimmed(range);
  const auto from = integer(next_part(upper, '-'));
  const auto to = integer(upper);
  if (!from || *from < 0 || (!upper.empty() && (!to || *to < 0))) return window;
  if (to && *to < *from)
    return not_satisfiable("The lower boundary must be lower than or equal to the upper boundary in the Range header.");
  window.first = std::max(window.first, static_cast<std::uint64_t>(*from));
  if (to) window.end = std::min(window.end, static_cast<std::uint64_t>(*to) + 1);
  if (window.end < window.first) return not_satisfiable("The Range header does not overlap limit and offset.");
  return window;
}

}  // namespace

const RelationColumn* Relation::find(std::string_view column) const {
  const auto found = std::ranges::find(columns, column, &RelationColumn::name);
  return found == columns.end() ? nullptr : &*found;
}

std::optional<std::string> percent_decoded(std::string_view text, bool plus_is_space) {
  std::string out;
  out.reserve(text.size());
  for (std::size_t at = 0; at < text.size(); ++at) {
    char c = text[at];
    if (c == '%') {
      if (text.size() - at < 3) return std::nullopt;
      unsigned char byte = 0;
      const char* const digits = text.data() + at + 1;
      const auto [end, error] = std::from_chars(digits, digits + 2, byte, 16);
      if (error != std::errc{} || end != digits + 2) return std::nullopt;
      c = static_cast<char>(byte);
      at += 2;
    } else if (c == '+' && plus_is_space) {
      c = ' ';
    }
    if (c == '\0') return std::nullopt;
    out += c;
  }
  return out;
}

std::string to_json(const RestError& error) {
  const auto text = [](const std::optional<std::string>& value) {
    return value ? boost::json::serialize(boost::json::value(*value)) : std::string("null");
  };
  return fmt::format(R"({{"code":{},"details":{},"hint":{},"message":{}}})", text(error.code), text(error.details),
                     text(error.hint), text(error.message));
}

std::expected<RestPlan, RestError> plan_read(const RestRequest& request, const RelationCatalogue& catalogue,
                                             std::size_t max_rows) {
  const std::string_view profile = request.accept_profile.empty() ? "public" : request.accept_profile;
  if (profile != "public" && profile != catalogue.schema) {
    return Unexpected(
        RestError{406, "PGRST106", fmt::format("The schema must be one of the following: public, {}", catalogue.schema), {}, {}});
  }
  const auto relation = catalogue.relations.find(request.relation);
  if (relation == catalogue.relations.end()) {
    return Unexpected(RestError{
        404, "PGRST205", fmt::format("Could not find the table '{}.{}' in the schema cache", profile, request.relation), {}, {}});
  }
  const auto media = negotiate(request.accept);
  if (!media) return Unexpected(media.error());
  const auto preferences = preferences_of(request.prefer);
  if (!preferences) return Unexpected(preferences.error());

  StatementBuilder builder(request.relation, relation->second);
  std::map<std::string, std::string, std::less<>> once;  // The parameters that may come but once.
  std::string where;
  Names fixed;
  for (std::string_view rest = request.query; !rest.empty();) {
    const std::string_view pair = next_part(rest, '&');
    if (pair.empty()) continue;
    std::string_view encoded_value = pair;
    const auto name = percent_decoded(next_part(encoded_value, '='), true);
    const auto value = percent_decoded(encoded_value, true);
    if (!name || !value) return unparsable("query", pair, "a percent-encoding is malformed, or a NUL character");
    if (*name == "select" || *name == "order" || *name == "limit" || *name == "offset" || *name == "at_least") {
      if (!once.emplace(*name, *value).second) return unparsable("query", pair, fmt::format("{} is given twice", *name));
      continue;
    }
    std::string_view group = *name;
    const bool after_not = consume(group, "not.");
    const bool is_group = group == "and" || group == "or";
    Sql sql = is_group ? builder.group(*value, group == "and" ? " AND " : " OR ") : builder.filter(*name, *value);
    if (!sql) return Unexpected(std::move(sql.error()));
    if (!is_group && value->starts_with("eq.")) fixed.insert(*name);
    where += where.empty() ? " WHERE " : " AND ";
    if (is_group && after_not) where += "NOT ";
    where += *sql;
  }

  const auto given = [&once](std::string_view name) {
    const auto found = once.find(name);
    return found == once.end() ? std::nullopt : std::optional<std::string_view>(found->second);
  };
  const std::string_view select = trimmed(given("select").value_or("*"));
  const Sql columns = builder.selection(select.empty() ? "*" : select);
  if (!columns) return Unexpected(columns.error());
  const Sql order = builder.order(given("order").value_or(""), fixed);
  if (!order) return Unexpected(order.error());
  const auto window = window_of(given("limit"), given("offset"), request.range);
  if (!window) return Unexpected(window.error());

  const std::uint64_t limit = std::min<std::uint64_t>(window->end - window->first, max_rows);
  const std::string from = fmt::format(" FROM {}.{} AS t{}", quoted(catalogue.schema), quoted(request.relation), where);
  const bool single = *media == Media::single_object;
  std::string body = "''";
  if (!request.head) {
    body = single ? fmt::format("(json_agg({}) -> 0)::text", page_alias)
                  : fmt::format("coalesce(json_agg({}), '[]')::text", page_alias);
  }
  std::string total = "NULL";
  if (preferences->count_exact) {
    // A page that is not full shows the end, and then nothing more needs counting.
    total = fmt::format(
        "CASE WHEN count(*) < {0} AND (count(*) > 0 OR {1} = 0) THEN {1} + count(*) ELSE (SELECT count(*){2}) END::text", limit,
        window->first, from);
  }
  RestPlan plan;
  plan.sql =
      fmt::format("WITH {0} AS (SELECT {1}{2}{3}{4} LIMIT {5} OFFSET {6}) SELECT count(*)::text, {7}, {8} FROM {0}", page_alias,
                  *columns, from, order->empty() ? "" : " ORDER BY ", *order, limit, window->first, body, total);
  plan.parameters = builder.take_parameters();
  plan.offset = window->first;
  plan.single_object = single;
  plan.preferences_applied = applied(*preferences);
  plan.handling = preferences->handling;
  plan.wait = preferences->wait.value_or(rest_default_wait);
  plan.at_least = given("at_least").value_or("");
  return plan;
}

std::expected<RestRange, RestError> judge_page(const RestPlan& plan, const RestPage& page) {
  if (page.total && plan.offset > *page.total) {
    return not_satisfiable(fmt::format("An offset of {} was requested, but there are only {} rows.", plan.offset, *page.total));
  }
  if (plan.single_object && page.rows != 1) {
    return Unexpected(RestError{406,
                                "PGRST116",
                                "JSON object requested, multiple (or no) rows returned",
                                fmt::format("The result contains {} rows", page.rows),
                                {}});
  }
  const std::string total = page.total ? std::to_string(*page.total) : "*";
  RestRange range;
  range.status = page.total && page.rows < *page.total ? 206 : 200;
  range.content_range = page.rows == 0 ? "*/" + total : fmt::format("{}-{}/{}", plan.offset, plan.offset + page.rows - 1, total);
  return range;
}

}  // namespace guildhall
