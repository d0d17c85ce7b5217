// Real Kafka brokers for tests, run by script/kafka: a data folder and ports of their own, nothing shared with the machine's.
//
// Everything lives in one fresh folder under $TMPDIR (or /tmp) and is gone after the test program, however that ends: a guard
// process waits for the end of a pipe that only the program holds, then stops the brokers and removes the folder. The first
// cluster on a machine gathers Kafka's jars, which takes a minute. Failures of the world are std::runtime_error with the
// script's own words in the message.
#pragma once

#include <sys/types.h>

#include <cstdio>
#include <string>

namespace guildhall {

class KafkaCluster {
 public:
  // Starts 1 or 3 brokers, all of which serve when it returns (six seconds; ten for three). `version` of Kafka: empty means that
  // of the environment's GUILDHALL_KAFKA_VERSION, else script/kafka's own. Prefer shared(); one of its own is for tests that
  // harm brokers.
  explicit KafkaCluster(int brokers, const std::string& version = {});
  ~KafkaCluster();
  KafkaCluster(const KafkaCluster&) = delete;
  KafkaCluster& operator=(const KafkaCluster&) = delete;

  // The one broker of this test program, started by the first call; or, where the environment's GUILDHALL_KAFKA_BOOTSTRAP names
  // one that runs already, that one, which other programs use at the same time: topics, groups and transactional ids need names
  // of the test's own. Any thread.
  static KafkaCluster& shared();

  const std::string& bootstrap() const { return bootstrap_; }

  // For fault tests, on a cluster of one's own, from one thread. Brokers count from 1 and keep their ports.
  pid_t pid(int broker) const;
  void kill(int broker);    // SIGKILL; returns when the process is gone.
  void pause(int broker);   // SIGSTOP: its connections stay, nothing is answered.
  void resume(int broker);  // SIGCONT
  void start(
      int broker);  // After kill(); returns when it serves. Others may be down or paused, while enough are left for a quorum.

 private:
  explicit KafkaCluster(std::string running) : bootstrap_(std::move(running)) {}
  std::string run_start(const std::string& arguments) const;
  void end_guard();

  std::string folder_;  // Empty where the brokers are not ours.
  std::string bootstrap_;
  std::FILE* guard_ = nullptr;
};

}  // namespace guildhall
