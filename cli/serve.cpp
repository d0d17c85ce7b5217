// guildhall serve: runs a platform until SIGTERM or SIGINT.
#include <pthread.h>
#include <sys/resource.h>
#include <unistd.h>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <memory>

#include "cli/commands.h"
#include "cli/platform.h"
#include "infra/json_log.h"
#include "infra/secrets.h"
#include "infra/system_clock.h"

namespace guildhall {
namespace {

// Thousands of connections and RocksDB's files: shells often allow 1,024, though the machine allows many more.
void raise_file_limit() {
  rlimit limit{};
  if (::getrlimit(RLIMIT_NOFILE, &limit) != 0) return;
  limit.rlim_cur = limit.rlim_max;
  ::setrlimit(RLIMIT_NOFILE, &limit);  // Without it fewer connections are taken; nothing else changes.
}

int serve(const CommandLine& line, bool accept_loss) {
  raise_file_limit();
  const Settings settings = line.settings();
  arm_crash_point(settings);

  // Every thread inherits the mask; the signals are taken here, one by one.
  sigset_t signals;
  sigemptyset(&signals);
  for (const int s : {SIGTERM, SIGINT, SIGUSR1}) sigaddset(&signals, s);
  pthread_sigmask(SIG_BLOCK, &signals, nullptr);
  std::signal(SIGPIPE, SIG_IGN);

  const SystemClock clock;
  const std::filesystem::path data = settings.text("data");
  std::filesystem::create_directories(data);
  const std::filesystem::path description = data / "dev.json";
  int status = exit_ok;
  {
    // A failure wakes the wait below.
    const pid_t self = ::getpid();
    // What a killed server left behind goes only when the folder is ours: a second server must not take the first one's.
    const auto on_owned = [&description] { std::filesystem::remove(description); };
    Platform platform(settings, accept_loss, on_owned, [self](const std::string&) { ::kill(self, SIGUSR1); });
    write_private_file(description, platform.description(settings.text("postgres_url")));
    log_line(LogLevel::info, clock.now(), "ready",
             {{"platform", std::string_view(settings.text("platform"))}, {"port", static_cast<std::int64_t>(platform.port())}});
    int signal = 0;
    sigwait(&signals, &signal);
    std::filesystem::remove(description);
    log_line(LogLevel::info, clock.now(), signal == SIGUSR1 ? "ending after a failure" : "stopping");
    if (signal == SIGUSR1) status = exit_error;
    else pthread_sigmask(SIG_UNBLOCK, &signals, nullptr);  // A second signal ends it at once.
  }
  if (status != exit_ok) std::_Exit(status);
  log_line(LogLevel::info, clock.now(), "stopped");
  return status;
}

}  // namespace

void add_serve(CLI::App& app, CommandLine& line, Run& run) {
  auto* serve_app = app.add_subcommand("serve", "Run a platform, or a part of it: HTTP gateway, shards, read models");
  for (const auto& entry : setting_entries())
    if (!entry.secret) line.add_setting(*serve_app, std::string(entry.name));
  // No setting: it must not stay in a file.
  const auto accept_loss = std::make_shared<bool>(false);
  serve_app->add_flag("--accept-loss", *accept_loss, "Start though the log's end is damaged or missing, and cut it there");
  serve_app->callback([&line, &run, accept_loss] { run = [&line, accept_loss] { return serve(line, *accept_loss); }; });
}

}  // namespace guildhall
