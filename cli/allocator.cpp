// What jemalloc reads at start (its manual, TUNING); MALLOC_CONF in the environment wins.
//
// Huge pages: the memtables of RocksDB are lists of some hundred megabytes that every command walks, and without huge pages each
// step also misses the processor's address cache: up to a quarter of the CPU per command (docs/performance.md).
extern "C" {
extern const char* malloc_conf;
const char* malloc_conf = "thp:always";
}
