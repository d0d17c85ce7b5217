#include "tests/postgres_cluster.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <pwd.h>
#include <spawn.h>
#include <sys/random.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cctype>
#include <cerrno>
#include <charconv>
#include <csignal>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <stdexcept>
#include <system_error>

// libpqxx 6.4.5 forgets one PGresult of two kilobytes whenever a connection breaks under a statement (jtv/libpqxx#500).
// LeakSanitizer asks the program for this list; without the sanitizer nobody calls it.
extern "C" const char* __lsan_default_suppressions() { return "leak:libpqxx-6.4.so\n"; }

namespace guildhall {
namespace {

constexpr int port_attempts = 5;                 // Another process may take the free port before the server binds it.
constexpr const char* server_user = "postgres";  // Whom the server runs as when the test is root, because initdb refuses root.

[[noreturn]] void fail(const std::string& what, int error) { throw std::system_error(error, std::generic_category(), what); }

std::string contents_of(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  std::ostringstream text;
  text << file.rdbuf();
  return text.str();
}

std::string find_binaries() {
  int newest = 0;
  std::string found;
  std::error_code none;
  for (const auto& version : std::filesystem::directory_iterator("/usr/lib/postgresql", none)) {
    const std::string name = version.path().filename().string();
    int number = 0;
    std::from_chars(name.data(), name.data() + name.size(), number);
    if (number > newest && std::filesystem::exists(version.path() / "bin" / "initdb", none)) {
      newest = number;
      found = (version.path() / "bin").string() + "/";
    }
  }
  return found;  // Empty: the tools are looked up in PATH.
}

std::string random_hex() {
  std::array<unsigned char, 16> bytes{};
  if (::getrandom(bytes.data(), bytes.size(), 0) != static_cast<ssize_t>(bytes.size())) fail("getrandom", errno);
  std::string hex;
  for (const unsigned char byte : bytes) {
    hex += "0123456789abcdef"[byte >> 4];
    hex += "0123456789abcdef"[byte & 15];
  }
  return hex;
}

std::uint16_t free_port() {
  const int fd = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof address;
  if (fd < 0 || ::bind(fd, reinterpret_cast<sockaddr*>(&address), size) != 0 ||
      ::getsockname(fd, reinterpret_cast<sockaddr*>(&address), &size) != 0)
    fail("no free port", errno);
  ::close(fd);
  return ntohs(address.sin_port);
}

std::string percent_encoded(std::string_view text) {
  std::string out;
  for (const char c : text) {
    if (std::isalnum(static_cast<unsigned char>(c)) || c == '_' || c == '-' || c == '.') {
      out += c;
    } else {
      out += '%';
      out += "0123456789ABCDEF"[static_cast<unsigned char>(c) >> 4];
      out += "0123456789ABCDEF"[static_cast<unsigned char>(c) & 15];
    }
  }
  return out;
}

// The tools must not see PGHOST and the like of whoever runs the tests.
std::vector<std::string> tool_environment() {
  std::vector<std::string> variables{"LC_ALL=C.UTF-8", "TZ=UTC"};
  if (const char* path = std::getenv("PATH")) variables.push_back(std::string("PATH=") + path);
  return variables;
}

std::vector<char*> pointers_to(std::vector<std::string>& texts) {
  std::vector<char*> pointers;
  for (std::string& text : texts) pointers.push_back(text.data());
  pointers.push_back(nullptr);
  return pointers;
}

// posix_spawn, because fork in a program with threads and sanitizers may not do anything but exec anyway.
pid_t spawn(std::vector<std::string> arguments, const std::string& folder, int in, int out, bool own_session) {
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_adddup2(&actions, in, 0);
  posix_spawn_file_actions_adddup2(&actions, out, 1);
  posix_spawn_file_actions_adddup2(&actions, out, 2);
  posix_spawn_file_actions_addchdir_np(&actions, folder.c_str());  // The server's user may not enter ours.
  posix_spawnattr_t attributes;
  posix_spawnattr_init(&attributes);
  short flags = POSIX_SPAWN_SETSIGMASK;
  if (own_session) flags |= POSIX_SPAWN_SETSID;
  sigset_t no_signals;
  sigemptyset(&no_signals);
  posix_spawnattr_setsigmask(&attributes, &no_signals);
  posix_spawnattr_setflags(&attributes, flags);
  std::vector<std::string> environment = tool_environment();
  pid_t child = -1;
  const int error = ::posix_spawnp(&child, arguments.front().c_str(), &actions, &attributes, pointers_to(arguments).data(),
                                   pointers_to(environment).data());
  posix_spawnattr_destroy(&attributes);
  posix_spawn_file_actions_destroy(&actions);
  if (error != 0) fail("cannot run " + arguments.front(), error);
  return child;
}

int wait_for(pid_t child) {
  int status = 0;
  while (::waitpid(child, &status, 0) < 0)
    if (errno != EINTR) fail("waitpid", errno);
  return status;
}

}  // namespace

PostgresCluster::PostgresCluster(Options options) : binaries_(find_binaries()), password_(random_hex()) {
  const char* temp = std::getenv("TMPDIR");
  std::string pattern = std::string(temp != nullptr && *temp != '\0' ? temp : "/tmp") + "/guildhall_postgres_XXXXXX";
  if (::mkdtemp(pattern.data()) == nullptr) fail("mkdtemp " + pattern, errno);
  folder_ = pattern;
  start_guard();
  try {
    if (::geteuid() == 0) {
      const passwd* user = ::getpwnam(server_user);
      if (user == nullptr) throw std::runtime_error("no user `postgres`: install postgresql-15, or run the tests as a user");
      if (::chown(folder_.c_str(), user->pw_uid, user->pw_gid) != 0) fail("chown " + folder_, errno);
    }
    run({binaries_ + "initdb", "--pgdata", folder_ + "/data", "--username", "postgres", "--auth-local", "trust", "--auth-host",
         "scram-sha-256", "--pwfile", "/dev/stdin", "--encoding", "UTF8", "--locale", "C.UTF-8", "--no-sync",
         "--no-instructions"},
        RunAs::server, password_ + "\n");

    std::string configuration = "listen_addresses = '127.0.0.1'\nunix_socket_directories = '" + folder_ +
                                "'\ntimezone = 'UTC'\njit = off\nmax_connections = 100\nautovacuum = off\n";
    if (!options.fsync) configuration += "fsync = off\nfull_page_writes = off\n";
    for (const auto& [name, value] : options.settings) {
      configuration += name + " = '";
      for (const char c : value) configuration.append(c == '\'' ? 2 : 1, c);
      configuration += "'\n";
    }
    std::ofstream(folder_ + "/data/postgresql.conf", std::ios::app) << configuration;

    for (int attempt = 1;; ++attempt) {
      port_ = free_port();
      try {
        start();
        break;
      } catch (const std::runtime_error&) {
        if (attempt == port_attempts) throw;
      }
    }
  } catch (...) {
    end_guard();
    throw;
  }
}

PostgresCluster::~PostgresCluster() { end_guard(); }

PostgresCluster& PostgresCluster::shared() {
  static PostgresCluster cluster;
  return cluster;
}

std::string PostgresCluster::new_database(Via via) {
  std::string name;
  {
    const std::lock_guard lock(mutex_);
    name = "test_" + std::to_string(++databases_);
  }
  run_sql(url("postgres", "postgres"), "CREATE DATABASE " + name);
  return url(name, "postgres", via, password_);
}

std::string PostgresCluster::url(std::string_view database, std::string_view role, Via via, std::string_view password) const {
  std::string text = "postgresql://" + std::string(role);
  if (via == Via::tcp)
    return text + ":" + percent_encoded(password) + "@127.0.0.1:" + std::to_string(port_) + "/" + std::string(database);
  return text + "@/" + std::string(database) + "?host=" + percent_encoded(folder_) + "&port=" + std::to_string(port_);
}

std::string PostgresCluster::database_of(std::string_view url) {
  url.remove_prefix(url.find('@') + 1);
  url.remove_prefix(url.find('/') + 1);
  return std::string(url.substr(0, url.find('?')));
}

std::string PostgresCluster::run_sql(const std::string& url, std::string_view script) {
  return run({binaries_ + "psql", "--no-psqlrc", "--quiet", "--no-align", "--tuples-only", "--set", "ON_ERROR_STOP=1", url},
             RunAs::self, script);
}

void PostgresCluster::stop(Stop how) {
  run({binaries_ + "pg_ctl", "--pgdata", folder_ + "/data", "--mode", how == Stop::fast ? "fast" : "immediate", "--wait", "stop"},
      RunAs::server);
}

void PostgresCluster::start() {
  try {
    run({binaries_ + "pg_ctl", "--pgdata", folder_ + "/data", "--log", folder_ + "/server.log", "--wait", "--options",
         "-p " + std::to_string(port_), "start"},
        RunAs::server);
  } catch (const std::runtime_error& error) {
    throw std::runtime_error(error.what() + contents_of(folder_ + "/server.log"));
  }
}

std::vector<std::string> PostgresCluster::as_server(std::vector<std::string> arguments) const {
  if (::geteuid() != 0) return arguments;
  std::vector<std::string> prefixed{"setpriv", std::string("--reuid=") + server_user, std::string("--regid=") + server_user,
                                    "--init-groups"};
  prefixed.insert(prefixed.end(), arguments.begin(), arguments.end());
  return prefixed;
}

std::string PostgresCluster::run(std::vector<std::string> arguments, RunAs user, std::string_view input) {
  const std::lock_guard lock(mutex_);
  // Unlinked at once: the tools get descriptors, so no other user needs the right to open them, and nothing is left over.
  const auto scratch = [this] {
    std::string path = folder_ + "/scratch_XXXXXX";
    const int fd = ::mkostemp(path.data(), O_CLOEXEC);
    if (fd < 0) fail("cannot write to " + folder_, errno);
    ::fchmod(fd, 0666);  // initdb opens /dev/stdin by name as its own user.
    ::unlink(path.c_str());
    return fd;
  };
  const int in = scratch();
  const int out = scratch();
  for (std::size_t at = 0; at < input.size();) {
    const ssize_t written = ::write(in, input.data() + at, input.size() - at);
    if (written < 0) fail("write", errno);
    at += static_cast<std::size_t>(written);
  }
  ::lseek(in, 0, SEEK_SET);
  const std::string name = arguments.front();
  if (user == RunAs::server) arguments = as_server(std::move(arguments));
  const int status = wait_for(spawn(std::move(arguments), folder_, in, out, false));

  std::string output;
  ::lseek(out, 0, SEEK_SET);
  std::array<char, 65536> buffer;
  for (ssize_t count; (count = ::read(out, buffer.data(), buffer.size())) > 0;)
    output.append(buffer.data(), static_cast<std::size_t>(count));
  ::close(in);
  ::close(out);
  if (!WIFEXITED(status) || WEXITSTATUS(status) != 0) throw std::runtime_error(name + " failed: " + output);
  if (output.ends_with('\n')) output.pop_back();
  return output;
}

void PostgresCluster::start_guard() {
  std::array<int, 2> ends{};
  if (::pipe2(ends.data(), O_CLOEXEC) != 0) fail("pipe", errno);
  const int nowhere = ::open("/dev/null", O_RDWR | O_CLOEXEC);
  // `read` returns when the last holder of the other end is gone. Its own session keeps Ctrl-C away from it. It removes
  // the folder again if an initdb that outlived the program was still writing.
  std::vector<std::string> arguments{
      "sh", "-c", R"(read -r never; folder=$1; shift; "$@"; cd /; for try in 1 2 3; do rm -rf "$folder" && break; sleep 1; done)",
      "guard", folder_};
  for (std::string& argument :
       as_server({binaries_ + "pg_ctl", "--pgdata", folder_ + "/data", "--mode", "immediate", "--wait", "stop"}))
    arguments.push_back(std::move(argument));
  guard_ = spawn(std::move(arguments), folder_, ends[0], nowhere, true);
  guard_pipe_ = ends[1];
  ::close(ends[0]);
  ::close(nowhere);
}

void PostgresCluster::end_guard() {
  ::close(guard_pipe_);
  wait_for(guard_);
}

}  // namespace guildhall
