#include "bench/database.h"

#include <fstream>
#include <stdexcept>

namespace guildhall {
namespace {

std::unique_ptr<PostgresCluster> private_cluster() {
  auto cluster = std::make_unique<PostgresCluster>(PostgresCluster::Options{.fsync = true,
                                                                            .settings = {{"shared_buffers", "256MB"},
                                                                                         {"max_wal_size", "2GB"},
                                                                                         {"wal_compression", "lz4"},
                                                                                         {"checkpoint_timeout", "15min"},
                                                                                         {"random_page_cost", "1.1"},
                                                                                         {"max_connections", "300"},
                                                                                         {"autovacuum", "on"}}});
  // The peers bring no password. The cluster listens on 127.0.0.1 only, holds no data of anybody and ends with this process.
  const std::string admin = cluster->url("postgres", "postgres");
  const std::string rules = cluster->run_sql(admin, "SHOW hba_file");
  if (!(std::ofstream(rules, std::ios::trunc) << "local all all trust\nhost all all 127.0.0.1/32 trust\n").flush())
    throw std::runtime_error("cannot write " + rules);
  cluster->run_sql(admin, "SELECT pg_reload_conf()");
  return cluster;
}

std::string take_until(std::string_view& text, char end) {
  const auto at = std::min(text.find(end), text.size());
  std::string out(text.substr(0, at));
  text.remove_prefix(std::min(at + 1, text.size()));
  return out;
}

}  // namespace

Database::Database(const std::string& url, std::filesystem::path errors) : errors_(std::move(errors)) {
  if (url.empty()) {
    cluster_ = private_cluster();
    user_ = "postgres";
    host_ = "127.0.0.1";
    port_ = std::to_string(cluster_->port());
    return;
  }
  std::string_view rest = url;
  constexpr std::string_view scheme = "postgresql://";
  if (!rest.starts_with(scheme) || !rest.contains('@'))
    throw std::runtime_error("--postgres is postgresql://USER[:PASSWORD]@HOST:PORT/DATABASE");
  rest.remove_prefix(scheme.size());
  const std::string login = take_until(rest, '@');
  std::string_view names = login;
  user_ = take_until(names, ':');
  password_ = names;
  const std::string place = take_until(rest, '/');
  names = place;
  host_ = take_until(names, ':');
  port_ = names.empty() ? "5432" : std::string(names);
}

std::string Database::url(std::string_view database) const {
  return "postgresql://" + user_ + (password_.empty() ? "" : ":" + password_) + "@" + host_ + ":" + port_ + "/" +
         std::string(database);
}

Environment Database::environment() const {
  Environment out{{"PGHOST", host_}, {"PGPORT", port_}, {"PGUSER", user_}};
  if (!password_.empty()) out.emplace_back("PGPASSWORD", password_);
  return out;
}

std::string Database::sql(std::string_view database, const std::string& statement) const {
  std::string out = run_program({"psql", "--no-psqlrc", "--quiet", "--no-align", "--tuples-only", "--set", "ON_ERROR_STOP=1",
                                 "--command", statement, "--dbname", std::string(database)},
                                environment(), errors_);
  while (out.ends_with('\n')) out.pop_back();
  return out;
}

void Database::create(const std::string& name, const std::string& from) const {
  drop(name);
  sql("postgres", "CREATE DATABASE " + name + (from.empty() ? "" : " TEMPLATE " + from + " STRATEGY file_copy"));
  sql("postgres", "CHECKPOINT");  // Nobody's figures pay for the copy.
}

void Database::drop(const std::string& name) const { sql("postgres", "DROP DATABASE IF EXISTS " + name + " WITH (FORCE)"); }

std::uint64_t Database::bytes_of(const std::string& name) const {
  return std::stoull(sql("postgres", "SELECT pg_database_size('" + name + "')"));
}

}  // namespace guildhall
