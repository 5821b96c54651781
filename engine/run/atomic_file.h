// Files that are either there as a whole or not at all, and the hash by which they are recognised.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace cohort::engine {

// XXH3 (64 bits) of the bytes as 16 lower-case hexadecimal digits.
std::string xxh3(std::string_view bytes);

// Whether the text could have come from xxh3().
bool is_xxh3(std::string_view text);

// Writes PATH.tmp, flushes it to the disk, renames it to PATH and flushes the directory: after a crash PATH holds
// either what it held before or all of `bytes`. PATH must be absent or a regular file. One writer of a path at a time.
// Throws IoError; then PATH is as it was and PATH.tmp is gone.
void write_file_atomically(const std::string& path, std::string_view bytes);

// The whole of a regular file. Symbolic links, other kinds of files and files of more than `most` bytes are refused.
// Throws IoError.
std::string read_whole_file(const std::string& path, uint64_t most);

}  // namespace cohort::engine
