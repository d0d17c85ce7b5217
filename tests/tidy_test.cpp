// The house rules that no compiler checks: which folder may include which, where a library may be named, where time, chance,
// environment and threads come in, and a few habits. Each table below is the rule; a new exception is a visible line in it.
#include <gtest/gtest.h>

#include <algorithm>
#include <cctype>
#include <filesystem>
#include <fstream>
#include <map>
#include <set>
#include <sstream>
#include <string>
#include <string_view>
#include <vector>

namespace {

namespace fs = std::filesystem;
using Strings = std::vector<std::string_view>;

constexpr std::size_t max_columns = 130;
constexpr std::uintmax_t max_file_bytes = 1024 * 1024;

// ---- the rules

// Folder → what it may include of ours, besides itself. Includes point down.
const std::map<std::string_view, Strings> folder_sees{
    {"events", {}},
    {"aggregates", {"events"}},
    {"projectors", {"events"}},
    {"infra", {"events", "aggregates", "projectors"}},  // Of the last two the seam headers only.
    {"gateway", {"events", "aggregates", "projectors", "infra"}},
    {"cli", {"events", "aggregates", "projectors", "infra", "gateway"}},
    {"tests",
     {"events", "aggregates", "projectors", "infra", "gateway", "cli", "bench"}},  // These two end the table: both see all.
    {"bench", {"events", "aggregates", "projectors", "infra", "gateway", "cli", "tests"}},
};

// What infra implements, so that it can know no business rule.
const Strings seam_headers{"aggregates/effects.h",    "aggregates/shard/inbox_entry.h", "aggregates/shard/state_store.h",
                           "aggregates/time_zones.h", "projectors/projection.h",        "projectors/row_store.h",
                           "projectors/snapshot_store.h"};

// Library → the files that may name it, by the beginning of their path; then, if given, by its end. The longest matching
// beginning of an include counts. Tests and bench may name every library but Asio and Beast, which take too long to compile.
struct Home {
  std::string_view library;
  Strings files;
  std::string_view suffix;
};
const std::vector<Home> library_homes{
    {"boost/", {"gateway/"}, ""},
    {"boost/json", {"gateway/", "infra/kafka_log.cpp"}, ""},
    {"boost/asio", {"gateway/http_server.cpp", "gateway/peer_client.cpp"}, ""},
    {"boost/beast", {"gateway/peer_client.cpp"}, ""},
    {"openssl/", {"events/sha256.cpp", "gateway/"}, ""},
    {"flatbuffers/", {"events/", "gateway/schema"}, ""},  // The gateway reads the schemas' reflection.
    {"rocksdb/", {"infra/"}, ".cpp"},
    {"pqxx", {"infra/"}, ".cpp"},
    {"librdkafka/", {"infra/"}, ".cpp"},
    {"prometheus/", {"infra/"}, ".cpp"},
    {"spdlog/", {"infra/"}, ".cpp"},
    {"date/", {"infra/"}, ".cpp"},
    {"fmt/", {"infra/", "gateway/", "cli/"}, ""},
    {"CLI/", {"cli/"}, ""},
    {"toml++/", {"cli/"}, ""},
    {"gtest/", {"tests/"}, ""},
    {"gmock/", {}, ""},  // A seam has a real in-memory twin.
    {"rapidcheck", {"tests/"}, ""},
};

// What makes a run unrepeatable when it hides → where it may stand, because it is a seam's implementation or the composition
// root. Tests and benchmarks may watch real time, and press with real threads.
struct Source {
  Strings words;
  Strings files;
};
const std::vector<Source> sources_of_surprise{
    {{"::now(", "clock_gettime", "gettimeofday", "time(nullptr)"},
     // Waits for rows and for brokers end by the steady clock, which no row and no record depends on.
     {"infra/system_clock.cpp", "infra/postgres_pool.cpp", "infra/kafka_", "gateway/http_server.cpp", "projectors/runner.cpp",
      "projectors/offset_watch.cpp", "projectors/board_follower.cpp", "gateway/leaderboards.cpp", "cli/"}},
    {{"random_device", "getrandom", "RAND_bytes", "std::rand", "srand"}, {"infra/disk.cpp", "infra/secrets.cpp"}},
    {{"getenv", "environ"}, {"cli/"}},
    {{"std::thread", "std::jthread", "std::async", "pthread_create"},
     {"infra/segment_log.", "infra/postgres_pool.", "infra/kafka_", "gateway/http_server.cpp", "gateway/peer_client.cpp",
      "cli/"}},
    {{"sleep_for", "sleep_until", "usleep", "nanosleep"}, {"cli/"}},
};

// Names that say nothing of what is inside. Put code beside its one user, or give it a real noun.
const std::set<std::string_view> refused_names{"utils", "util", "common", "misc", "manager", "base", "helpers"};

// ---- the sources

const fs::path root = GUILDHALL_SOURCE_DIR;

// All files of the repository, relative to it, in order; without what is built, fetched or running.
std::vector<fs::path> all_files() {
  std::vector<fs::path> files;
  for (auto entry = fs::recursive_directory_iterator(root); entry != fs::recursive_directory_iterator(); ++entry) {
    const fs::path path = entry->path().lexically_relative(root);
    const std::string name = path.filename().string();
    const bool at_root = !path.has_parent_path();
    if (entry->is_directory()) {
      if (name == ".git" || name == "node_modules" || (at_root && (name == "build" || name == "data")))
        entry.disable_recursion_pending();
    } else if (entry->is_regular_file() && !(at_root && name == ".git")) {
      files.push_back(path);
    }
  }
  std::sort(files.begin(), files.end());
  return files;
}

std::string top_folder(const fs::path& path) { return path.begin()->string(); }

bool is_source(const fs::path& path) {
  return (path.extension() == ".h" || path.extension() == ".cpp") && folder_sees.contains(top_folder(path));
}

std::vector<std::string> lines_of(const fs::path& path) {
  std::vector<std::string> lines;
  std::ifstream file(root / path);
  for (std::string line; std::getline(file, line);) lines.push_back(std::move(line));
  return lines;
}

// ---- the checks: what is wrong with one line, or nothing

using Problem = std::string;

bool stands_in(const std::string& file, const Strings& places, std::string_view suffix = "") {
  return file.ends_with(suffix) && std::any_of(places.begin(), places.end(), [&](auto place) { return file.starts_with(place); });
}

Problem wrong_include_of_ours(const std::string& file, const std::string& target) {
  if (target.starts_with('.') || target.contains("/../")) return "includes name their folder, never a way up";
  if (!target.contains('/')) return target.ends_with("_generated.h") ? "" : "\"" + target + "\" lacks its folder";
  const std::string from = top_folder(file);
  const std::string to = top_folder(target);
  if (from == to) return "";
  const Strings& seen = folder_sees.at(from);
  if (std::find(seen.begin(), seen.end(), to) == seen.end()) return from + " may not include " + to;
  const bool narrowed = from == "infra" && to != "events";
  if (narrowed && std::find(seam_headers.begin(), seam_headers.end(), target) == seam_headers.end())
    return "infra may include only seam headers of " + to + ", not " + target;
  return "";
}

Problem wrong_library(const std::string& file, const std::string& target) {
  const Home* home = nullptr;
  for (const Home& h : library_homes)
    if (target.starts_with(h.library) && (home == nullptr || h.library.size() > home->library.size())) home = &h;
  if (home == nullptr) {
    if (folder_sees.contains(top_folder(target)) && target.contains('/')) return "our own headers are included with quotes";
    const bool of_the_system = !target.contains('/') || target.starts_with("sys/") || target.starts_with("arpa/") ||
                               target.starts_with("netinet/") || target.starts_with("linux/");
    return of_the_system ? "" : "<" + target + "> has no home: add it to library_homes";
  }
  const bool anywhere = (file.starts_with("tests/") || file.starts_with("bench/")) && home->library != "boost/asio" &&
                        home->library != "boost/beast" && home->library != "gmock/";
  if (anywhere || stands_in(file, home->files, home->suffix)) return "";
  return "<" + target + "> may not be named here";
}

std::string_view without_spaces_before(std::string_view text) {
  return text.substr(std::min(text.find_first_not_of(" \t"), text.size()));
}

Problem wrong_include(const std::string& file, const std::string& line) {
  std::string_view rest = without_spaces_before(line);
  if (!rest.starts_with('#')) return "";
  rest = without_spaces_before(rest.substr(1));
  if (!rest.starts_with("include")) return "";
  rest = without_spaces_before(rest.substr(std::string_view("include").size()));
  const bool of_ours = rest.starts_with('"');
  const std::string target(rest.substr(1, rest.find_first_of(of_ours ? "\"" : ">", 1) - 1));
  return of_ours ? wrong_include_of_ours(file, target) : wrong_library(file, target);
}

bool continues_a_name(char c) { return std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '_'; }

// Where `word` stands by itself: not inside a longer name, and not as the scope of one (std::thread::id is no thread).
std::size_t find_word(std::string_view text, std::string_view word) {
  for (std::size_t at = text.find(word); at != text.npos; at = text.find(word, at + 1)) {
    const std::size_t end = at + word.size();
    const bool joined_before = continues_a_name(word.front()) && at > 0 && continues_a_name(text[at - 1]);
    const bool joined_after =
        continues_a_name(word.back()) && end < text.size() && (continues_a_name(text[end]) || text[end] == ':');
    if (!joined_before && !joined_after) return at;
  }
  return text.npos;
}

Problem surprise(const std::string& file, const std::string& line) {
  if (file.starts_with("tests/") || file.starts_with("bench/")) return "";
  const std::string_view code = std::string_view(line).substr(0, line.find("//"));
  for (const Source& source : sources_of_surprise) {
    if (stands_in(file, source.files)) continue;
    for (const std::string_view word : source.words) {
      const std::size_t at = find_word(code, word);
      if (at == code.npos) continue;
      // `Micros SystemClock::now() const {` defines: it begins at the line's start, and nothing is called or assigned before it.
      const bool defines = code.front() != ' ' && code.substr(0, at).find_first_of("=(") == code.npos && word == "::now(";
      if (!defines) return "`" + std::string(word) + "` belongs behind a seam";
    }
  }
  return "";
}

Problem unfinished(const std::string&, const std::string& line) {
  for (const std::string_view mark : {"TO"
                                      "DO",
                                      "FIX"
                                      "ME",
                                      "X"
                                      "XX"})
    if (find_word(line, mark) != line.npos || line.contains(std::string(mark) + ":")) return "an open end: finish it";
  return "";
}

Problem too_wide(const std::string&, const std::string& line) {
  const auto columns = static_cast<std::size_t>(
      std::count_if(line.begin(), line.end(), [](char c) { return (static_cast<unsigned char>(c) & 0xC0) != 0x80; }));
  return columns > max_columns ? std::to_string(columns) + " columns" : "";
}

using Check = Problem (*)(const std::string& file, const std::string& line);

void expect_lines_pass(Check check, bool (*applies_to)(const fs::path&)) {
  std::ostringstream problems;
  int sources = 0;
  for (const fs::path& path : all_files()) {
    if (!applies_to(path)) continue;
    ++sources;
    int number = 0;
    for (const std::string& line : lines_of(path)) {
      ++number;
      const Problem problem = check(path.string(), line);
      if (!problem.empty()) problems << path.string() << ":" << number << ": " << problem << "\n";
    }
  }
  EXPECT_GT(sources, 50) << "nothing was read below " << root;
  EXPECT_EQ(problems.str(), "");
}

// ---- the tests

TEST(Tidy, includes_point_down_and_libraries_stay_at_home) { expect_lines_pass(wrong_include, is_source); }
TEST(Tidy, time_chance_environment_and_threads_come_through_seams) { expect_lines_pass(surprise, is_source); }
TEST(Tidy, nothing_is_left_open) {
  expect_lines_pass(unfinished, [](const fs::path& path) {
    const std::string folder = top_folder(path);
    return is_source(path) || folder == "script" || folder == "docs" || path.extension() == ".fbs" || path.extension() == ".sql";
  });
}
TEST(Tidy, lines_fit) { expect_lines_pass(too_wide, is_source); }

TEST(Tidy, the_checks_see_what_they_are_for) {
  const struct {
    Check check;
    std::string file;
    std::string line;
    bool is_wrong;
  } cases[] = {
      {wrong_include, "events/a.cpp", "#include \"events/ids.h\"", false},
      {wrong_include, "events/a.cpp", "#include \"aggregates/state.h\"", true},
      {wrong_include, "aggregates/a.cpp", "#include \"projectors/runner.h\"", true},
      {wrong_include, "projectors/a.cpp", "#include \"aggregates/state.h\"", true},
      {wrong_include, "infra/a.cpp", "#include \"aggregates/shard/state_store.h\"", false},
      {wrong_include, "infra/a.cpp", "#include \"aggregates/booking.h\"", true},
      {wrong_include, "infra/a.cpp", "#include \"gateway/http.h\"", true},
      {wrong_include, "gateway/a.cpp", "#include \"cli/platform.h\"", true},
      {wrong_include, "cli/a.cpp", "#include \"tests/given.h\"", true},
      {wrong_include, "cli/a.cpp", "#  include  \"../infra/disk.h\"", true},
      {wrong_include, "infra/a.cpp", "#include \"disk.h\"", true},
      {wrong_include, "events/a.h", "#include \"ids_generated.h\"", false},
      {wrong_include, "gateway/a.cpp", "#include <infra/disk.h>", true},
      {wrong_include, "infra/a.cpp", "#include <rocksdb/db.h>", false},
      {wrong_include, "infra/a.h", "#include <rocksdb/db.h>", true},
      {wrong_include, "aggregates/a.cpp", "#include <rocksdb/db.h>", true},
      {wrong_include, "gateway/a.cpp", "#include <pqxx/pqxx>", true},
      {wrong_include, "gateway/a.cpp", "#include <boost/json/value.hpp>", false},
      {wrong_include, "infra/a.cpp", "#include <boost/json/value.hpp>", true},
      {wrong_include, "gateway/api.cpp", "#include <boost/asio/post.hpp>", true},
      {wrong_include, "tests/a.cpp", "#include <boost/beast.hpp>", true},
      {wrong_include, "gateway/http_server.cpp", "#include <boost/asio/post.hpp>", false},
      {wrong_include, "events/record.cpp", "#include <openssl/sha.h>", true},
      {wrong_include, "events/sha256.cpp", "#include <openssl/sha.h>", false},
      {wrong_include, "events/a.cpp", "#include <unheard/of.h>", true},
      {wrong_include, "events/a.cpp", "#include <sys/types.h>", false},
      {surprise, "aggregates/a.cpp", "  const auto t = std::chrono::system_clock::now();", true},
      {surprise, "aggregates/a.cpp", "static const auto t = Clock::now();", true},
      {surprise, "aggregates/a.cpp", "Micros Shard::now() { return 0; }", false},
      {surprise, "aggregates/a.cpp", "  return env_.clock.now();  // Not Clock::now().", false},
      {surprise, "gateway/a.cpp", "  std::random_device device;", true},
      {surprise, "infra/a.cpp", "  if (getenv(\"HOME\"))", true},
      {surprise, "aggregates/a.cpp", "  std::jthread worker;", true},
      {surprise, "gateway/a.cpp", "  std::thread::id owner_;", false},
      {surprise, "infra/segment_log.cpp", "  std::thread worker;", false},
      {surprise, "projectors/a.cpp", "  std::this_thread::sleep_for(second);", true},
      {unfinished, "events/a.cpp",
       "// TO"
       "DO: later",
       true},
      {unfinished, "events/a.cpp", "// What is to do.", false},
      {too_wide, "events/a.cpp", std::string(max_columns, 'x'), false},
      {too_wide, "events/a.cpp", std::string(max_columns + 1, 'x'), true},
      {too_wide, "events/a.cpp", std::string(max_columns - 1, 'x') + "é", false},
  };
  for (const auto& c : cases) EXPECT_EQ(!c.check(c.file, c.line).empty(), c.is_wrong) << c.file << ": " << c.line;
}

TEST(Tidy, folders_and_files_have_real_names) {
  std::set<std::string> problems;
  for (const fs::path& path : all_files()) {
    fs::path partial;
    for (const fs::path& part : path) {
      partial /= part;
      if (refused_names.contains(part.stem().string())) problems.insert(partial.string());
    }
  }
  EXPECT_EQ(problems, std::set<std::string>{});
}

TEST(Tidy, files_are_small) {
  for (const fs::path& path : all_files()) EXPECT_LT(fs::file_size(root / path), max_file_bytes) << path;
}

// [text](target), [text](target#part), ![picture](target); the web's addresses are not followed.
TEST(Tidy, links_of_documents_lead_somewhere) {
  int links = 0;
  for (const fs::path& path : all_files()) {
    if (path.extension() != ".md") continue;
    int number = 0;
    for (const std::string& line : lines_of(path)) {
      ++number;
      for (std::size_t at = line.find("]("); at != line.npos; at = line.find("](", at + 1)) {
        const std::string target = line.substr(at + 2, line.find_first_of("#)", at + 2) - at - 2);
        if (target.empty() || target.contains("://") || target.starts_with("mailto:")) continue;
        ++links;
        EXPECT_TRUE(fs::exists(root / path.parent_path() / target)) << path.string() << ":" << number << ": " << target;
      }
    }
  }
  EXPECT_GT(links, 0);
}

}  // namespace
