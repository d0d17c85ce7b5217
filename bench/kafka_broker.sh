#!/usr/bin/env bash
# Runs one Kafka broker in the foreground, for the Kafka Streams peer: bench/kafka_broker.sh DIR PORT. Its jars come from Maven Central;
# JDK 17 and Maven must be there. The controller listens on PORT + 1.
set -euo pipefail
mkdir -p "$1"
cd "$1"
port=$2

cat >pom.xml <<'XML'
<project><modelVersion>4.0.0</modelVersion>
  <groupId>guildhall</groupId><artifactId>kafka</artifactId><version>1</version><packaging>pom</packaging>
  <dependencies>
    <dependency><groupId>org.apache.kafka</groupId><artifactId>kafka_2.13</artifactId><version>4.1.1</version></dependency>
    <dependency><groupId>org.apache.logging.log4j</groupId><artifactId>log4j-slf4j-impl</artifactId><version>2.24.3</version></dependency>
    <dependency><groupId>org.apache.logging.log4j</groupId><artifactId>log4j-core</artifactId><version>2.24.3</version></dependency>
  </dependencies></project>
XML
cat >server.properties <<PROPERTIES
process.roles=broker,controller
node.id=1
controller.quorum.voters=1@127.0.0.1:$((port + 1))
controller.listener.names=CONTROLLER
listeners=PLAINTEXT://127.0.0.1:$port,CONTROLLER://127.0.0.1:$((port + 1))
log.dirs=$PWD/data
auto.create.topics.enable=false
offsets.topic.replication.factor=1
offsets.topic.num.partitions=4
transaction.state.log.replication.factor=1
transaction.state.log.min.isr=1
transaction.state.log.num.partitions=4
share.coordinator.state.topic.replication.factor=1
share.coordinator.state.topic.min.isr=1
group.initial.rebalance.delay.ms=0
transaction.abort.timed.out.transaction.cleanup.interval.ms=1000
num.network.threads=2
num.io.threads=4
group.coordinator.threads=1
background.threads=4
log.cleaner.dedupe.buffer.size=33554432
PROPERTIES
cat >log4j2.properties <<'PROPERTIES'
rootLogger.level=WARN
rootLogger.appenderRef.c.ref=C
appender.c.type=Console
appender.c.name=C
appender.c.layout.type=PatternLayout
appender.c.layout.pattern=%d %p %m (%c)%n
PROPERTIES

[[ -d libs ]] || mvn -B -q dependency:copy-dependencies -DincludeScope=runtime -DoutputDirectory="$PWD/libs"
id=$(java -cp 'libs/*' kafka.tools.StorageTool random-uuid)
java -cp 'libs/*' kafka.tools.StorageTool format --ignore-formatted -t "$id" -c server.properties
exec java -Xms1g -Xmx1g -XX:+AlwaysPreTouch -XX:+UseG1GC -XX:MaxGCPauseMillis=20 -XX:ParallelGCThreads=2 -XX:ConcGCThreads=1 \
  -Dkafka.logs.dir="$PWD/logs" -Dlog4j2.configurationFile=log4j2.properties -cp 'libs/*' kafka.Kafka server.properties
