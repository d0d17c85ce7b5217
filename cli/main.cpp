// The composition root: which subcommands there are, and how errors become exit codes.
#include <cstdio>
#include <cstdlib>
#include <exception>

#include "cli/commands.h"
#include "cli/platform.h"
#include "events/event_log.h"
#include "infra/crash_point.h"
#include "projectors/row_store.h"

namespace guildhall {

Settings CommandLine::settings() const {
  return Settings::load(flags, config_file, [](const char* name) { return std::getenv(name); });
}

void CommandLine::add_setting(CLI::App& app, const std::string& name) {
  std::string flag = "--" + name;
  for (char& c : flag)
    if (c == '_') c = '-';
  for (const auto& entry : setting_entries())
    if (entry.name == name)
      app.add_option_function<std::string>(
          flag, [this, name](const std::string& value) { flags[name] = value; },
          std::string(entry.help) + (entry.fallback.empty() ? "" : " [" + std::string(entry.fallback) + "]"));
}

void arm_crash_point(const Settings& settings) {
  const std::string& place = settings.text("crash_at");
  if (!place.empty() && !arm_crash_point(std::string_view(place)))
    throw SettingsError("crash_at: no such place, or not a build with crash points: " + place);
}

}  // namespace guildhall

int main(int argc, char** argv) {
  using namespace guildhall;
  CLI::App app{
      "Guildhall: an event-sourced backend for marketplaces.\n\n"
      "  guildhall serve --data ./data            run a platform on the embedded log\n"
      "  guildhall serve --log kafka --brokers HOST:PORT   run it, or a part of it, on Kafka\n"
      "  guildhall token --role authenticated --sub UUID --data ./data\n"
      "  guildhall log tail --data ./data         follow the events as JSON lines\n"
      "  guildhall log export --format csv        every record, for analysts\n"
      "  guildhall log verify --data ./data       check every record, its order and its chain\n"
      "  guildhall log copy --from embedded:./data --to kafka --brokers HOST:PORT\n"
      "                                           move a platform's log\n"
      "  guildhall stream show booking/UUID       what happened to one booking\n"
      "  guildhall projection rebuild             make the read models anew from the log\n"
      "  guildhall money trial-balance            what every account of the books holds\n"
      "  guildhall money reconcile --processor-file FILE\n"
      "                                           compare them with a processor's export\n\n"
      "Settings come from flags, GUILDHALL_* variables, ./guildhall.toml, the user's and the machine's config.toml, in this "
      "order;\n"
      "`guildhall config show --origin` says which one won. Exit codes: 0 ok, 1 error, 2 usage, 3 not found, 4 conflict, 5 "
      "mismatch,\n"
      "6 unavailable, 7 partial, 130 interrupted.",
      "guildhall"};
  app.set_version_flag("--version", "guildhall " + std::string(software_version));
  app.require_subcommand(1);
  app.failure_message(CLI::FailureMessage::help);
  CommandLine line;
  app.add_option("--config", line.config_file, "TOML file with settings");
  app.fallthrough();
  Run run;
  add_serve(app, line, run);
  add_log(app, line, run);
  add_stream(app, line, run);
  add_projection(app, line, run);
  add_state(app, line, run);
  add_money(app, line, run);
  add_token(app, line, run);
  add_config(app, line, run);

  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& e) {
    return app.exit(e) == 0 ? exit_ok : exit_usage;
  }
  try {
    return run();
  } catch (const SettingsError& e) {
    std::fprintf(stderr, "guildhall: %s\n", e.what());
    return exit_usage;
  } catch (const CorruptLog& e) {
    std::fprintf(
        stderr,
        "guildhall: the log is damaged: %s\n"
        "  hint: restore the folder from a copy; where there is none, `guildhall serve --accept-loss` cuts the log's end there\n",
        e.what());
    return exit_mismatch;
  } catch (const LogError& e) {
    std::fprintf(stderr, "guildhall: %s\n  hint: %s\n", e.what(), e.hint().c_str());
    return e.retryable() ? exit_unavailable : exit_error;
  } catch (const RowStoreError& e) {
    std::fprintf(stderr, "guildhall: read models: %s\n%s%s%s", e.what(), e.hint().empty() ? "" : "  hint: ", e.hint().c_str(),
                 e.hint().empty() ? "" : "\n");
    return e.retryable() ? exit_unavailable : exit_error;
  } catch (const std::exception& e) {
    std::fprintf(stderr, "guildhall: %s\n", e.what());
    return exit_error;
  }
}
