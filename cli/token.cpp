// guildhall token: a signed token under the local secret of a data folder.
#include <cstdio>

#include "cli/commands.h"
#include "cli/platform.h"
#include "gateway/jwt.h"
#include "infra/secrets.h"
#include "infra/system_clock.h"

namespace guildhall {
namespace {

struct TokenOptions {
  std::string role;
  std::string sub;
  std::string email;
  std::int64_t minutes = 60;
};

int token(const CommandLine& line, const TokenOptions& options) {
  const Settings settings = line.settings();
  TokenGrant grant;
  if (options.role == "anon") grant.role = TokenRole::anon;
  else if (options.role == "authenticated") grant.role = TokenRole::authenticated;
  else if (options.role == "service_role") grant.role = TokenRole::service_role;
  else throw SettingsError("--role must be anon, authenticated or service_role");
  if (!options.sub.empty()) {
    grant.sub = parse_uuid(options.sub);
    if (!grant.sub) throw SettingsError("--sub must be a UUID");
  } else if (grant.role == TokenRole::authenticated) {
    throw SettingsError("--role authenticated needs --sub UUID: the account");
  }
  if (options.minutes < 1) throw SettingsError("--minutes must be at least 1");
  grant.life_us = options.minutes * minute_us;
  grant.email = options.email;
  grant.platform = settings.text("platform");
  std::string secret = settings.text("jwt_secret");
  if (secret.empty()) {
    const PlatformFolders folders(settings);
    const auto path = folders.secrets / "jwt_secret";
    if (!std::filesystem::exists(path))
      throw SettingsError(path.string() + ": no secret yet; run `guildhall serve` on this folder once");
    secret = secret_file(path, 0);
  }
  std::printf("%s\n", issue_hs256(secret, grant, SystemClock().now()).c_str());
  return exit_ok;
}

}  // namespace

void add_token(CLI::App& app, CommandLine& line, Run& run) {
  auto* token_app = app.add_subcommand("token", "Print a token signed with the local secret");
  auto options = std::make_shared<TokenOptions>();
  token_app->add_option("--role", options->role, "anon, authenticated or service_role")->required();
  token_app->add_option("--sub", options->sub, "The account that the token speaks for");
  token_app->add_option("--email", options->email, "An email claim");
  token_app->add_option("--minutes", options->minutes, "How long it is valid")->capture_default_str();
  line.add_setting(*token_app, "data");
  line.add_setting(*token_app, "platform");
  token_app->callback([&run, &line, options] { run = [&line, options] { return token(line, *options); }; });
}

}  // namespace guildhall
