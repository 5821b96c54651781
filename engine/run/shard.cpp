#include "run/shard.h"

#include "cohort/error.h"
#include "run/atomic_file.h"

namespace cohort::engine {
namespace {

constexpr uint64_t kMaxShardBytes = uint64_t(16) << 30;

}  // namespace

std::string status_text(int64_t diverged_at) {
  return diverged_at < 0 ? "ok" : "diverged@" + std::to_string(diverged_at);
}

ShardFile write_shard(const std::string& path, const UnitResult& result, const ShardMetadata& metadata) {
  const std::string bytes = encode_shard(result, metadata);
  write_file_atomically(path, bytes);
  return {xxh3(bytes), int64_t(bytes.size())};
}

Shard read_shard(const std::string& path, const ShardFile& expected) {
  const std::string bytes = read_whole_file(path, kMaxShardBytes);
  if (expected != ShardFile{xxh3(bytes), int64_t(bytes.size())})
    throw IoError(path + ": damaged: not the file whose hash the manifest holds");
  return decode_shard(bytes, path);
}

Shard read_shard(const std::string& path) { return decode_shard(read_whole_file(path, kMaxShardBytes), path); }

}  // namespace cohort::engine
