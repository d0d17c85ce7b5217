// guildhall money reconcile: what the log says moved through the processors, against what a processor's export says. Takes no
// lock.
#include <fmt/format.h>

#include <algorithm>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <iterator>

#include "cli/log_filter.h"
#include "cli/log_source.h"
#include "cli/money_commands.h"
#include "gateway/problem.h"
#include "infra/processor_export.h"
#include "infra/wire_time.h"
#include "projectors/reconciliation.h"

namespace guildhall {
namespace {

constexpr std::uintmax_t max_file_bytes = std::uintmax_t{1} << 30;
constexpr std::int64_t max_tolerance_hours = 366 * 24;

struct ReconcileFlags {
  std::string file;
  std::string processor;
  std::string since, until;
  std::int64_t tolerance_hours = 24;
  std::string format = "text";
};

Micros instant(const char* flag, const std::string& text, Micros otherwise) {
  if (text.empty()) return otherwise;
  const auto time = parse_instant(text);
  if (!time) throw SettingsError(std::string(flag) + " must be a time such as 2026-03-29T01:00:00Z");
  return *time;
}

Period period_of(const ReconcileFlags& flags) {
  Period out;
  out.since = instant("--since", flags.since, out.since);
  out.until = instant("--until", flags.until, out.until);
  if (out.since >= out.until) throw SettingsError("--since must be before --until");
  return out;
}

// With what may be the counterpart of something in the period.
Period widened(Period period, Micros by) {
  if (period.since != Period().since) period.since -= by;
  if (period.until != Period().until) period.until += by;
  return period;
}

std::vector<Movement> movements_of_file(const ReconcileFlags& flags) {
  std::error_code error;
  const auto bytes = std::filesystem::file_size(flags.file, error);
  std::ifstream in(flags.file, std::ios::binary);
  if (error || !in) throw SettingsError(flags.file + ": can't be read");
  if (bytes > max_file_bytes) throw SettingsError(flags.file + ": is larger than 1 GiB; give the file of a shorter time");
  const std::string text{std::istreambuf_iterator<char>(in), {}};
  std::vector<Movement> out;
  try {
    for (ExportRow& row : parse_export(text))
      out.push_back({.processor = std::move(row.processor),
                     .type = std::move(row.type),
                     .external_id = std::move(row.external_id),
                     .amount_cents = row.amount_cents,
                     .fee_cents = row.fee_cents,
                     .currency = std::move(row.currency),
                     .time = row.time});
  } catch (const ExportError& e) {
    throw SettingsError(flags.file + ": " + e.what());
  }
  return out;
}

std::string text_of(Micros time) {
  std::string out;
  append_instant(out, time);
  return out;
}

std::string_view kind_of(const Mismatch& m) {
  if (!m.in_log) return "missing_in_log";
  return m.in_file ? "differs" : "missing_in_file";
}

std::string text_of(const Movement& m) {
  return fmt::format("{} {}, fee {}, {}", m.amount_cents, m.currency, m.fee_cents, text_of(m.time));
}

std::string text_of(const Reconciliation& result) {
  std::string out;
  for (const Mismatch& m : result.mismatches) {
    const Movement& named = m.in_log ? *m.in_log : *m.in_file;
    out += fmt::format("{:<16} {:<8} {:<14} {}\n", kind_of(m), named.processor, named.type, named.external_id);
    if (m.in_log) out += fmt::format("    log:  {}\n", text_of(*m.in_log));
    if (m.in_file) out += fmt::format("    file: {}\n", text_of(*m.in_file));
  }
  return out + fmt::format("{} agree, {} do not\n", result.agreeing, result.mismatches.size());
}

std::string json_of(const Reconciliation& result) {
  const auto json_string = [](std::string_view text) {
    std::string out;
    append_json_string(out, text);
    return out;
  };
  const auto side = [&](const std::optional<Movement>& m) {
    if (!m) return std::string("null");
    return fmt::format("{{\"amount_cents\":{},\"fee_cents\":{},\"currency\":{},\"time\":\"{}\"}}", m->amount_cents, m->fee_cents,
                       json_string(m->currency), text_of(m->time));
  };
  std::string out = "{\"mismatches\":[";
  for (const char* comma = ""; const Mismatch& m : result.mismatches) {
    const Movement& named = m.in_log ? *m.in_log : *m.in_file;
    out += fmt::format("{}{{\"kind\":\"{}\",\"processor\":{},\"type\":{},\"external_id\":{},\"fields\":[", comma, kind_of(m),
                       json_string(named.processor), json_string(named.type), json_string(named.external_id));
    for (const char* between = ""; const std::string_view field : m.fields) {
      out.append(between).append(json_string(field));
      between = ",";
    }
    out += fmt::format("],\"log\":{},\"file\":{}}}", side(m.in_log), side(m.in_file));
    comma = ",";
  }
  return out + fmt::format("],\"agreeing\":{},\"ok\":{}}}\n", result.agreeing, result.mismatches.empty());
}

int reconcile_file(const CommandLine& line, const ReconcileFlags& flags) {
  const Period period = period_of(flags);
  const Period looked_at = widened(period, flags.tolerance_hours * hour_us);
  const auto counts = [&](const Movement& m) {
    return looked_at.has(m.time) && (flags.processor.empty() || m.processor == flags.processor);
  };
  std::vector<Movement> in_file = movements_of_file(flags);
  std::erase_if(in_file, [&](const Movement& m) { return !counts(m); });
  std::vector<Movement> in_log;
  ProcessorMovements movements;
  const auto log = open_log_to_read(line.settings());
  const auto reached = visit_money(*log, whole_log(*log), [&](const RecordHeader& at, const AnyEvent& event) {
    for (Movement& m : movements.of(at, event))
      if (counts(m)) in_log.push_back(std::move(m));
  });
  if (!reached) return exit_interrupted;
  const Reconciliation result = reconcile(in_log, in_file, period);
  const std::string out = flags.format == "json" ? json_of(result) : text_of(result);
  if (std::fputs(out.c_str(), stdout) < 0 || std::fflush(stdout) != 0) return exit_error;
  if (result.mismatches.empty()) return exit_ok;
  std::fprintf(stderr, "guildhall: %s disagrees with the log: %zu mismatches\n", flags.file.c_str(), result.mismatches.size());
  return exit_mismatch;
}

}  // namespace

void add_money_reconcile(CLI::App& money, CommandLine& line, Run& run) {
  auto* app = money.add_subcommand("reconcile", "Compare what moved through the processors with a processor's export");
  const auto flags = std::make_shared<ReconcileFlags>();
  app->add_option("--processor-file", flags->file, "CSV: processor, external_id, type, amount_cents, fee_cents, currency, time")
      ->required();
  app->add_option("--processor", flags->processor, "Only stripe or paypal [all]")->check(CLI::IsMember({"stripe", "paypal"}));
  app->add_option("--since", flags->since, "Judge what moved from then on");
  app->add_option("--until", flags->until, "Judge what moved before then");
  app->add_option("--tolerance-hours", flags->tolerance_hours, "How far beyond the period a counterpart may lie")
      ->check(CLI::Range(std::int64_t{0}, max_tolerance_hours))
      ->capture_default_str();
  app->add_option("--format", flags->format, "text or json")->check(CLI::IsMember({"text", "json"}))->capture_default_str();
  add_log_source(*app, line);
  app->callback([&run, &line, flags] { run = [&line, flags] { return reconcile_file(line, *flags); }; });
}

}  // namespace guildhall
