// guildhall money trial-balance: what every account of the ledger holds, folded from the log. Takes no lock.
#include <fmt/format.h>

#include <algorithm>
#include <cstdio>
#include <utility>

#include "cli/log_filter.h"
#include "cli/log_source.h"
#include "cli/money_commands.h"
#include "cli/platform.h"
#include "gateway/consistency_token.h"
#include "gateway/problem.h"
#include "infra/csv.h"
#include "infra/secrets.h"
#include "infra/wire_time.h"
#include "projectors/trial_balance.h"

namespace guildhall {
namespace {

using ::ledger::v1::Account;
using ::ledger::v1::Processor;

constexpr std::size_t told_rules = 20;  // Broken ones on stderr; JSON has them all.

struct TrialBalanceFlags {
  std::string at;
  std::string format = "text";
  bool owners = false;
};

ConsistencyToken token_of(const std::string& text, const LogIdentity& log, const Settings& settings) {
  const auto key = PlatformFolders(settings).secrets / "token_key";
  if (!std::filesystem::exists(key)) throw SettingsError(key.string() + ": not there, so tokens can't be checked; see --secrets");
  const auto token = ConsistencyTokens(secret_file(key, 0), log.log_id).decode(text);
  if (!token) throw SettingsError("--at: not a token of this log: " + std::string(name_of(token.error())));
  return *token;
}

// Of a token: what it names; shards that it does not name count nothing.
LogCut cut_at(const std::string& text, const EventLog& log, const Settings& settings) {
  LogCut cut = whole_log(log);
  if (text.empty()) return cut;
  if (const auto time = parse_instant(text)) {
    cut.at = *time;
    return cut;
  }
  const ConsistencyToken token = token_of(text, log.identity(), settings);
  const std::vector<Sequence> durable = std::exchange(cut.ends, std::vector<Sequence>(cut.ends.size()));
  for (const auto& [shard, sequence] : token.positions) {
    if (shard >= durable.size() || sequence > durable[shard])
      throw LogError("--at: the log ends before shard " + std::to_string(shard) + ", sequence " + std::to_string(sequence),
                     "the token is of another copy of the log, or of a moment that this copy has yet to see", false);
    cut.ends[shard] = sequence;
  }
  return cut;
}

std::string json_text(std::string_view text) {
  std::string out;
  append_json_string(out, text);
  return out;
}

std::string_view account_of(const LedgerAccount& a) { return ::ledger::v1::EnumNameAccount(a.account); }
// Empty for accounts that are not kept by processor.
std::string_view processor_of(const LedgerAccount& a) {
  return a.processor == Processor::none ? "" : ::ledger::v1::EnumNameProcessor(a.processor);
}

std::string text_of(const TrialBalance& books, bool owners) {
  static constexpr const char* row = "{:<20} {:<8} {:>18} {:>18} {:>18}\n";
  std::string out = fmt::format(row, "ACCOUNT", "CURRENCY", "DEBITS", "CREDITS", "BALANCE");
  for (const auto& [account, sums] : books.rows())
    out += fmt::format(row, name_of(account), account.currency, sums.debits, sums.credits, sums.balance());
  for (const auto& [currency, sums] : books.totals())
    out += fmt::format(row, "total", currency, sums.debits, sums.credits, sums.balance());
  if (owners) {
    static constexpr const char* owner_row = "{:<20} {:<8} {:<37} {:>18}\n";
    out.append("\n").append(fmt::format(owner_row, "ACCOUNT", "CURRENCY", "OWNER", "BALANCE"));
    for (const auto& [account, owner, balance] : books.owners())
      out += fmt::format(owner_row, name_of(account), account.currency, to_string(owner), balance);
  }
  return out += fmt::format("\nIn cents. Payments in transit: {}, in suspense: {}.\n", books.payments_in(Account::transit),
                            books.payments_in(Account::suspense));
}

std::string csv_of(const TrialBalance& books, bool owners) {
  std::string out;
  const auto line = [&](std::initializer_list<std::string_view> cells) {
    std::string text;
    for (const std::string_view cell : cells) append_csv_cell(text, cell);
    out.append(text).append(csv_line_end);
  };
  line({"account", "processor", "owner", "currency", "debits", "credits", "balance"});
  for (const auto& [account, sums] : books.rows())
    line({account_of(account), processor_of(account), "", account.currency, std::to_string(sums.debits),
          std::to_string(sums.credits), std::to_string(sums.balance())});
  if (owners)
    for (const auto& [account, owner, balance] : books.owners())
      line({account_of(account), "", to_string(owner), account.currency, "", "", std::to_string(balance)});
  return out;
}

std::string json_of(const TrialBalance& books, const LogIdentity& log, const std::vector<Sequence>& reached, bool owners) {
  std::string out =
      fmt::format("{{\"platform\":{},\"log_id\":\"{}\",\"shards\":[", json_text(log.platform), to_string(log.log_id));
  for (ShardNo n = 0; n < reached.size(); ++n)
    out += fmt::format("{}{{\"shard\":{},\"sequence\":{}}}", n > 0 ? "," : "", n, reached[n]);
  const auto list = [&](const char* name, const auto& rows, const auto& member) {
    out += fmt::format("],\"{}\":[", name);
    for (const char* comma = ""; const auto& r : rows) {
      out.append(comma).append("{").append(member(r)).append("}");
      comma = ",";
    }
  };
  const auto sums = [](const LedgerSums& s) {
    return fmt::format("\"debits\":{},\"credits\":{},\"balance\":{}", s.debits, s.credits, s.balance());
  };
  const auto or_null = [](std::string_view text) { return text.empty() ? std::string("null") : json_text(text); };
  const auto account = [&](const LedgerAccount& a) {
    return fmt::format("\"account\":\"{}\",\"processor\":{},\"currency\":{}", account_of(a), or_null(processor_of(a)),
                       json_text(a.currency));
  };
  const auto owner = [&](const OwnerRow& r) {
    return fmt::format("{},\"owner\":{},\"balance\":{}", account(r.account),
                       is_nil(r.owner) ? std::string("null") : json_text(to_string(r.owner)), r.balance);
  };
  list("accounts", books.rows(), [&](const LedgerRow& r) { return account(r.account) + "," + sums(r.sums); });
  if (owners) list("owners", books.owners(), owner);
  list("totals", books.totals(),
       [&](const LedgerTotal& t) { return fmt::format("\"currency\":{},{}", json_text(t.currency), sums(t.sums)); });
  const auto broken = books.broken_rules();
  list("broken_rules", broken,
       [&](const BrokenRule& b) { return fmt::format("{},\"rule\":{}", owner(b.row), json_text(b.rule)); });
  return out += fmt::format("],\"events\":{},\"in_transit\":{},\"in_suspense\":{},\"ok\":{}}}\n", books.events(),
                            books.payments_in(Account::transit), books.payments_in(Account::suspense), broken.empty());
}

// What is wrong goes to stderr; 0 or the exit code.
int judge(const TrialBalance& books) {
  int status = exit_ok;
  for (const auto& [currency, sums] : books.totals()) {
    if (sums.balance() == 0) continue;
    std::fprintf(stderr, "guildhall: the books do not balance: %s cents %s are left over\n",
                 std::to_string(sums.balance()).c_str(), currency.c_str());
    status = exit_mismatch;
  }
  const auto broken = books.broken_rules();
  for (std::size_t i = 0; i < std::min(broken.size(), told_rules); ++i) {
    const auto& [row, rule] = broken[i];
    std::string whose = name_of(row.account);
    if (!is_nil(row.owner)) whose.append(" of ").append(to_string(row.owner));
    std::fprintf(stderr, "guildhall: %s is %s cents %s: it %s\n", whose.c_str(), std::to_string(row.balance).c_str(),
                 row.account.currency.c_str(), std::string(rule).c_str());
  }
  if (broken.size() > told_rules)
    std::fprintf(stderr, "guildhall: %zu more; --format json has them all\n", broken.size() - told_rules);
  return broken.empty() ? status : exit_mismatch;
}

int trial_balance(const CommandLine& line, const TrialBalanceFlags& flags) {
  const Settings settings = line.settings();
  const auto log = open_log_to_read(settings);
  TrialBalance books;
  const auto reached = visit_money(*log, cut_at(flags.at, *log, settings),
                                   [&](const RecordHeader& at, const AnyEvent& event) { books.add(at, event); });
  if (!reached) return exit_interrupted;
  const std::string out = flags.format == "json"  ? json_of(books, log->identity(), *reached, flags.owners)
                          : flags.format == "csv" ? csv_of(books, flags.owners)
                                                  : text_of(books, flags.owners);
  if (std::fputs(out.c_str(), stdout) < 0 || std::fflush(stdout) != 0) return exit_error;
  return judge(books);
}

}  // namespace

void add_money_trial_balance(CLI::App& money, CommandLine& line, Run& run) {
  auto* app = money.add_subcommand("trial-balance", "Print what every account holds, and check that the books balance");
  const auto flags = std::make_shared<TrialBalanceFlags>();
  app->add_option("--at", flags->at, "As of then: a time such as 2026-03-29T01:00:00Z, or a consistency token [the log's end]");
  app->add_option("--format", flags->format, "text, json or csv")
      ->check(CLI::IsMember({"text", "json", "csv"}))
      ->capture_default_str();
  app->add_flag("--owners", flags->owners, "Also whose money it is: users, and payments in transit or suspense");
  add_log_source(*app, line);
  line.add_setting(*app, "secrets");
  app->callback([&run, &line, flags] { run = [&line, flags] { return trial_balance(line, *flags); }; });
}

}  // namespace guildhall
