#include "catalog/rocks/families.h"

#include <rocksdb/cache.h>
#include <rocksdb/env.h>
#include <rocksdb/filter_policy.h>
#include <rocksdb/table.h>
#include <rocksdb/write_buffer_manager.h>

#include <memory>
#include <utility>

#include "catalog/keys.h"

namespace guantong {
namespace {

rocksdb::BlockBasedTableOptions TableOptions(const std::shared_ptr<rocksdb::Cache>& cache) {
  rocksdb::BlockBasedTableOptions table;
  table.block_cache = cache;
  table.checksum = rocksdb::kXXH3;
  table.format_version = 5;
  // Otherwise the index and filter of every open file come on top of the cache, without a bound.
  table.cache_index_and_filter_blocks = true;
  // In partitions, or the filter of one large file would push out all else.
  table.index_type = rocksdb::BlockBasedTableOptions::kTwoLevelIndexSearch;
  table.partition_filters = true;
  table.pin_l0_filter_and_index_blocks_in_cache = true;
  return table;
}

rocksdb::ColumnFamilyOptions DefaultOptions(const std::shared_ptr<rocksdb::Cache>& cache) {
  rocksdb::ColumnFamilyOptions options;
  options.write_buffer_size = 4 << 20;
  options.compression = rocksdb::kLZ4Compression;
  rocksdb::BlockBasedTableOptions table = TableOptions(cache);
  table.filter_policy.reset(rocksdb::NewBloomFilterPolicy(10));
  options.table_factory.reset(rocksdb::NewBlockBasedTableFactory(table));
  return options;
}

rocksdb::ColumnFamilyOptions BulkOptions(const std::shared_ptr<rocksdb::Cache>& cache) {
  rocksdb::ColumnFamilyOptions options;
  // Below what all families share, so that the one that is written to most is put to disk alone:
  // at the end of what is shared all are, each as a file, most of them next to empty.
  options.write_buffer_size = 6 << 20;
  options.target_file_size_base = 64 << 20;
  options.max_bytes_for_level_base = 256 << 20;
  options.compression = rocksdb::kNoCompression;
  rocksdb::BlockBasedTableOptions table = TableOptions(cache);
  table.block_size = 64 << 10;
  options.table_factory.reset(rocksdb::NewBlockBasedTableFactory(table));
  return options;
}

rocksdb::ColumnFamilyOptions RowsOptions(const std::shared_ptr<rocksdb::Cache>& cache) {
  rocksdb::ColumnFamilyOptions options;
  options.write_buffer_size = 4 << 20;
  options.max_bytes_for_level_base = 128 << 20;
  options.target_file_size_base = 32 << 20;
  options.compression = rocksdb::kLZ4Compression;
  rocksdb::BlockBasedTableOptions table = TableOptions(cache);
  table.block_size = 8 << 10;
  table.filter_policy.reset(rocksdb::NewBloomFilterPolicy(10));
  options.table_factory.reset(rocksdb::NewBlockBasedTableFactory(table));
  return options;
}

rocksdb::DBOptions DatabaseOptions(const RocksOptions& options) {
  rocksdb::DBOptions database;
  database.create_if_missing = true;
  database.create_missing_column_families = true;
  if (options.env != nullptr) database.env = options.env;
  database.max_total_wal_size = options.log_bytes_max;
  // A record cut short at the end was never acknowledged. One damaged before that may have been:
  // the default would drop it and all after it without a word.
  database.wal_recovery_mode = options.log_to_first_damage
                                   ? rocksdb::WALRecoveryMode::kPointInTimeRecovery
                                   : rocksdb::WALRecoveryMode::kTolerateCorruptedTailRecords;
  database.max_open_files = options.open_files_max;
  database.max_background_jobs = 2;
  // One thread commits: the machinery for many is cost without use.
  database.allow_concurrent_memtable_write = false;
  database.enable_write_thread_adaptive_yield = false;
  database.bytes_per_sync = 256 << 10;
  database.compaction_readahead_size = 512 << 10;
  database.stats_dump_period_sec = 0;
  database.stats_persist_period_sec = 0;
  return database;
}

}  // namespace

Family FamilyOf(char kind) {
  switch (kind) {
    case 'L':
    case 'W':
    case 'H':
    case 'B':
      return kBulkFamily;
    case 'R':
    case 'V':
      return kRowsFamily;
    case 'Y':
    case 'Z':
      return kBlocksFamily;
    default:
      return kDefaultFamily;
  }
}

std::vector<Segment> SegmentsOf(absl::string_view begin, absl::string_view end) {
  std::vector<Segment> segments;
  std::string from(begin);
  int kind = from.empty() ? 0 : static_cast<unsigned char>(from[0]);
  while (end.empty() || from < end) {
    const Family family = FamilyOf(static_cast<char>(kind));
    do {
      ++kind;
    } while (kind < 256 && FamilyOf(static_cast<char>(kind)) == family);
    // The first key of the next family; past the last kind there is none.
    std::string to = kind < 256 ? KindPrefix(static_cast<char>(kind)) : "";
    if (!end.empty() && (to.empty() || end < to)) to = std::string(end);
    segments.push_back({family, std::move(from), to});
    if (to.empty() || kind == 256) break;
    from = std::move(to);
  }
  return segments;
}

Layout LayoutOf(const RocksOptions& options) {
  const auto cache = rocksdb::NewLRUCache(options.memory_bytes_max, /*num_shard_bits=*/2);
  Layout layout;
  layout.database = DatabaseOptions(options);
  // Charged to the cache: what memtables do not use serves reads, and the sum has one bound.
  layout.database.write_buffer_manager =
      std::make_shared<rocksdb::WriteBufferManager>(options.memory_bytes_max * 2 / 3, cache);
  layout.families = {{rocksdb::kDefaultColumnFamilyName, DefaultOptions(cache)},
                     {"bulk", BulkOptions(cache)},
                     {"rows", RowsOptions(cache)},
                     {"blocks", BulkOptions(cache)}};
  return layout;
}

}  // namespace guantong
