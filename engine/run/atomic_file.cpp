#include "run/atomic_file.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>
#include <xxhash.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <utility>

#include "cohort/error.h"

namespace cohort::engine {
namespace {

[[noreturn]] void fail(const char* what, const std::string& path, int error) {
  throw IoError(fmt::format("cannot {} {}: {}", what, path, std::strerror(error)));
}

// An open file, closed at the end of its scope.
class File {
 public:
  File(const char* what, const std::string& path, int flags, mode_t mode = 0) : path_(path) {
    do fd_ = ::open(path.c_str(), flags | O_CLOEXEC, mode);
    while (fd_ < 0 && errno == EINTR);
    if (fd_ < 0) fail(what, path, errno);
  }
  File(const File&) = delete;
  File& operator=(const File&) = delete;
  ~File() {
    if (fd_ >= 0) ::close(fd_);
  }
  int fd() const { return fd_; }

  void write(std::string_view bytes) const {
    while (!bytes.empty()) {
      const ssize_t n = ::write(fd_, bytes.data(), std::min(bytes.size(), size_t(1) << 30));
      if (n < 0 && errno == EINTR) continue;
      if (n < 0) fail("write", path_, errno);
      bytes.remove_prefix(size_t(n));
    }
  }
  // Directories of some file systems cannot be flushed and say EINVAL: there is nothing to do then.
  void flush(bool directory = false) const {
    if (::fsync(fd_) != 0 && !(directory && errno == EINVAL)) fail("flush", path_, errno);
  }
  // Errors of delayed writes show here.
  void close() {
    const int fd = std::exchange(fd_, -1);
    if (::close(fd) != 0 && errno != EINTR) fail("close", path_, errno);
  }

 private:
  std::string path_;
  int fd_ = -1;
};

std::string directory_of(const std::string& path) {
  const size_t slash = path.rfind('/');
  return slash == std::string::npos ? "." : slash == 0 ? "/" : path.substr(0, slash);
}

}  // namespace

std::string xxh3(std::string_view bytes) { return fmt::format("{:016x}", XXH3_64bits(bytes.data(), bytes.size())); }

bool is_xxh3(std::string_view text) {
  return text.size() == 16 && text.find_first_not_of("0123456789abcdef") == std::string_view::npos;
}

void write_file_atomically(const std::string& path, std::string_view bytes) {
  struct stat found;
  if (::lstat(path.c_str(), &found) == 0) {
    if (!S_ISREG(found.st_mode)) throw IoError(fmt::format("cannot write {}: not a regular file", path));
  } else if (errno != ENOENT) {
    fail("write", path, errno);
  }
  const std::string temporary = path + ".tmp";
  if (::unlink(temporary.c_str()) != 0 && errno != ENOENT) fail("remove", temporary, errno);
  try {
    File file("write", temporary, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW, 0666);
    file.write(bytes);
    file.flush();
    file.close();
    if (::rename(temporary.c_str(), path.c_str()) != 0) fail("write", path, errno);
  } catch (...) {
    ::unlink(temporary.c_str());
    throw;
  }
  File("flush", directory_of(path), O_RDONLY | O_DIRECTORY).flush(true);
}

std::string read_whole_file(const std::string& path, uint64_t most) {
  const File file("read", path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK);
  struct stat found;
  if (::fstat(file.fd(), &found) != 0) fail("read", path, errno);
  if (!S_ISREG(found.st_mode)) throw IoError(fmt::format("cannot read {}: not a regular file", path));
  if (uint64_t(found.st_size) > most)
    throw IoError(
        fmt::format("cannot read {}: {} bytes, more than the {} that are allowed", path, found.st_size, most));
  std::string bytes(size_t(found.st_size), '\0');
  size_t have = 0;
  while (have < bytes.size()) {
    const ssize_t n = ::read(file.fd(), bytes.data() + have, std::min(bytes.size() - have, size_t(1) << 30));
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) fail("read", path, errno);
    if (n == 0) break;
    have += size_t(n);
  }
  bytes.resize(have);  // shorter if the file was cut meanwhile
  return bytes;
}

}  // namespace cohort::engine
