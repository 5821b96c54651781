#include "run/directory.h"

#include <fcntl.h>
#include <fmt/chrono.h>
#include <fmt/format.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <ctime>
#include <filesystem>
#include <optional>

#include "device/device.h"
#include "run/atomic_file.h"
#include "run/version.h"

namespace cohort::engine {
namespace {

namespace fs = std::filesystem;

constexpr const char *kLock = "lock", *kManifest = "manifest.json", *kSweep = "sweep.toml", *kUnits = "units",
                     *kLog = "log.jsonl";

[[noreturn]] void fail(const char* what, const std::string& path, int error) {
  throw IoError(fmt::format("cannot {} {}: {}", what, path, std::strerror(error)));
}

// A file descriptor, closed with its owner.
class Descriptor {
 public:
  Descriptor() = default;
  Descriptor(const char* what, const std::string& path, int flags)
      : fd_(::open(path.c_str(), flags | O_CLOEXEC | O_NOFOLLOW, 0666)) {
    if (fd_ < 0) fail(what, path, errno);
  }
  Descriptor(Descriptor&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
  Descriptor& operator=(Descriptor&& other) noexcept {
    std::swap(fd_, other.fd_);
    return *this;
  }
  ~Descriptor() {
    if (fd_ >= 0) ::close(fd_);
  }
  int get() const { return fd_; }

 private:
  int fd_ = -1;
};

std::string shown(const std::string& path) { return "--out " + path; }

// What is at the place where a run is to be written.
enum class Found { nothing, unfinished, run };  // unfinished: its creation was cut short before there was a manifest

Found survey(const std::string& path) {
  std::error_code error;
  const fs::file_status status = fs::status(path, error);
  if (!fs::exists(status)) {
    if (error && status.type() != fs::file_type::not_found) fail("read", path, error.value());
    return Found::nothing;
  }
  if (!fs::is_directory(status)) throw Error(shown(path) + " is not a directory");
  bool lock = false, manifest = false, other = false, any = false;
  fs::directory_iterator entry(path, error);
  for (; !error && entry != fs::directory_iterator(); entry.increment(error)) {
    const std::string name = entry->path().filename();
    any = true;
    lock |= name == kLock;
    manifest |= name == kManifest;
    other |= name != kLock && name != kSweep && name != kSweep + std::string(".tmp") && name != kUnits &&
             name != kManifest + std::string(".tmp");
  }
  if (error) fail("read", path, error.value());
  if (manifest) return Found::run;
  if (!any) return Found::nothing;
  if (!lock || other) throw Error(shown(path) + " is not empty and holds no run; nothing was written");
  return Found::unfinished;
}

// The members of a run directory are what they seem to be.
void refuse_links(const std::string& path) {
  for (const char* name : {kLock, kManifest, kSweep, kUnits, kLog}) {
    const std::string member = path + "/" + name;
    struct stat found;
    if (::lstat(member.c_str(), &found) != 0) {
      if (errno == ENOENT) continue;
      fail("read", member, errno);
    }
    const bool right = name == kUnits ? S_ISDIR(found.st_mode) : S_ISREG(found.st_mode);
    if (!right)
      throw IoError(fmt::format("{}: {}, which is refused in a run directory", member,
                                S_ISLNK(found.st_mode) ? "a symbolic link" : "neither a file nor a directory"));
  }
}

Manifest read_manifest(const std::string& path) {
  const std::string file = path + "/" + kManifest;
  return manifest_from_json(read_whole_file(file, kMaxManifestBytes), file);
}

void refuse_another(const std::string& path, const Manifest& manifest, const Experiment& experiment) {
  const std::string canonical = experiment.canonical();
  if (manifest.canonical == canonical && manifest.n_networks == experiment.size()) return;
  const std::vector<std::string> lines = differences(manifest.canonical, canonical);
  throw Error(fmt::format("{} holds another sweep: {}", shown(path),
                          lines.empty() ? "written by another version" : fmt::format("{}", fmt::join(lines, ", "))));
}

void refuse_other_bits(const std::string& path, const Manifest& manifest, const MadeBy& made_by) {
  const bool any =
      std::any_of(manifest.units.begin(), manifest.units.end(), [](const auto& u) { return bool(u.done); });
  if (!any || manifest.made_by == made_by) return;
  const auto words = [](const MadeBy& list) {
    std::string text;
    for (const auto& [key, value] : list) text += (text.empty() ? "" : ", ") + key + " " + value;
    return text;
  };
  throw Error(fmt::format("{} was computed with {}; results with {} differ in their last bits", shown(path),
                          words(manifest.made_by), words(made_by)));
}

Descriptor lock(const std::string& path) {
  const std::string file = path + "/" + kLock;
  Descriptor descriptor("write", file, O_RDWR | O_CREAT);
  if (::flock(descriptor.get(), LOCK_EX | LOCK_NB) != 0) {
    if (errno == EWOULDBLOCK) throw IoError(path + " is being written by another process");
    // Some file systems have no locks. Two writers would then only repeat each other's work: same bytes, atomic
    // renames.
    if (errno != ENOSYS && errno != ENOTSUP && errno != ENOLCK) fail("lock", file, errno);
  }
  return descriptor;
}

// The kind of values that a swept key takes anywhere on its axis, so that it is stored in the same way in all shards.
enum class SweptType { boolean, integer, number, text };

SweptType type_of(const Value& value) {
  if (std::holds_alternative<bool>(value)) return SweptType::boolean;
  if (std::holds_alternative<int64_t>(value)) return SweptType::integer;
  if (std::holds_alternative<double>(value)) return SweptType::number;
  return SweptType::text;
}

SweptType common(SweptType a, SweptType b) {
  if (a == b) return a;
  const bool numbers =
      a != SweptType::boolean && b != SweptType::boolean && a != SweptType::text && b != SweptType::text;
  return numbers ? SweptType::number : SweptType::text;
}

std::vector<SweptType> swept_types(const Experiment& experiment) {
  std::vector<SweptType> types;
  for (size_t a = 0; a < experiment.axes().size(); ++a) {
    const AxisInfo& axis = experiment.axes()[a];
    for (size_t k = 0; k < axis.keys.size(); ++k) {
      SweptType type = type_of(experiment.axis_value(a, k, 0));
      for (int64_t j = 1; j < axis.size && type != SweptType::text; ++j)
        type = common(type, type_of(experiment.axis_value(a, k, j)));
      types.push_back(type);
    }
  }
  return types;
}

SweptColumn::Values no_values(SweptType type) {
  switch (type) {
    case SweptType::boolean:
      return std::vector<bool>();
    case SweptType::integer:
      return std::vector<int64_t>();
    case SweptType::number:
      return std::vector<double>();
    case SweptType::text:
      break;
  }
  return std::vector<std::string>();
}

struct Append {
  const Value& value;
  void operator()(std::vector<bool>& to) const { to.push_back(std::get<bool>(value)); }
  void operator()(std::vector<int64_t>& to) const { to.push_back(std::get<int64_t>(value)); }
  void operator()(std::vector<double>& to) const {
    const auto* integer = std::get_if<int64_t>(&value);
    to.push_back(integer ? double(*integer) : std::get<double>(value));
  }
  void operator()(std::vector<std::string>& to) const { to.push_back(to_text(value)); }
};

}  // namespace

MadeBy made_by(const Device& device) {
  const Device::Info& info = device.info();
  return {{"backend", info.backend}, {"isa", info.isa}, {"device", info.name}};
}

struct RunDirectory::Body {
  std::string path;
  Manifest manifest;
  std::vector<int64_t> lost;
  // To write in; else all of this is empty.
  std::optional<Experiment> experiment;
  MadeBy made_by;
  std::vector<SweptType> types;
  Descriptor lock;

  std::string file(const char* name) const { return path + "/" + name; }
  std::string shard(int64_t unit) const { return fmt::format("{}/{}/{:06}.h5", path, kUnits, unit); }

  Manifest::Entry& entry(int64_t unit) {
    if (unit < 0 || unit >= int64_t(manifest.units.size()))
      throw Error(fmt::format("{}: no unit {}; there are {}", path, unit, manifest.units.size()));
    return manifest.units[size_t(unit)];
  }

  void write_manifest() const { write_file_atomically(file(kManifest), to_json(manifest)); }

  void make_units() const {
    if (::mkdir(file(kUnits).c_str(), 0777) != 0 && errno != EEXIST) fail("write", file(kUnits), errno);
    refuse_links(path);
  }

  void create() {
    write_file_atomically(file(kSweep), experiment->text());
    manifest.tool = std::string("cohort ") + version;
    manifest.name = experiment->name();
    manifest.canonical = experiment->canonical();
    manifest.made_by = made_by;
    for (const AxisInfo& axis : experiment->axes()) manifest.axes.push_back({axis.keys, axis.size});
    manifest.n_networks = experiment->size();
    for (Unit& unit : cut_units(*experiment)) manifest.units.push_back({std::move(unit), std::nullopt});
    write_manifest();
  }

  // Units whose shard is not what the manifest says are no longer done.
  void verify_shards() {
    for (size_t id = 0; id < manifest.units.size(); ++id) {
      auto& done = manifest.units[id].done;
      if (!done) continue;
      try {
        const std::string bytes = read_whole_file(shard(int64_t(id)), uint64_t(done->file.bytes));
        if (done->file == ShardFile{xxh3(bytes), int64_t(bytes.size())}) continue;
      } catch (const IoError&) {
        // Missing or unreadable: trained again.
      }
      done.reset();
      lost.push_back(int64_t(id));
    }
    if (!lost.empty()) write_manifest();
  }

  ShardMetadata metadata(int64_t unit, const std::vector<int64_t>& networks) const {
    ShardMetadata m{manifest.name, manifest.config_xxh3(), unit, {{"tool", std::string("cohort ") + version}}, {}, {}};
    m.made_by.insert(m.made_by.end(), made_by.begin(), made_by.end());
    const std::vector<std::string>& keys = experiment->swept_keys();
    for (size_t k = 0; k < keys.size(); ++k) m.swept.push_back({keys[k], no_values(types[k])});
    for (const int64_t net : networks) {
      const ResolvedNetwork network = experiment->network(net);
      m.seed.push_back(int64_t(network.spec.seed));
      for (size_t k = 0; k < keys.size(); ++k) std::visit(Append{network.swept[k].second}, m.swept[k].value);
    }
    return m;
  }
};

RunDirectory::RunDirectory(std::unique_ptr<Body> body) : body_(std::move(body)) {}
RunDirectory::RunDirectory(RunDirectory&&) noexcept = default;
RunDirectory& RunDirectory::operator=(RunDirectory&&) noexcept = default;
RunDirectory::~RunDirectory() = default;

RunDirectory RunDirectory::open(const std::string& path, const Experiment& experiment, const MadeBy& made_by,
                                bool mixed) {
  if (path.empty()) throw Error("--out is empty; wanted a directory");
  const auto admit = [&](const Manifest& manifest) {
    refuse_another(path, manifest, experiment);
    if (!mixed) refuse_other_bits(path, manifest, made_by);
  };
  if (survey(path) == Found::run) {
    refuse_links(path);
    admit(read_manifest(path));
  }
  std::error_code error;
  fs::create_directories(path, error);
  if (error) fail("write", path, error.value());

  auto body = std::make_unique<Body>();
  body->path = path;
  body->experiment = experiment;
  body->made_by = made_by;
  body->types = swept_types(experiment);
  body->lock = engine::lock(path);
  body->make_units();
  if (survey(path) == Found::run) {  // again: another process may have been faster
    body->manifest = read_manifest(path);
    admit(body->manifest);
    body->verify_shards();
    const std::vector<Manifest::Entry>& units = body->manifest.units;
    const bool any = std::any_of(units.begin(), units.end(), [](const auto& entry) { return bool(entry.done); });
    if (!any && body->manifest.made_by != made_by) {
      body->manifest.made_by = made_by;
      body->write_manifest();
    }
  } else {
    body->create();
  }
  return RunDirectory(std::move(body));
}

RunDirectory RunDirectory::read(const std::string& path) {
  std::error_code error;
  if (fs::is_directory(path, error) && !fs::exists(fs::symlink_status(path + "/" + kManifest, error)))
    throw Error(path + " is not the directory of a run: there is no " + kManifest);
  auto body = std::make_unique<Body>();
  body->path = path;
  refuse_links(path);
  body->manifest = read_manifest(path);
  return RunDirectory(std::move(body));
}

const std::string& RunDirectory::path() const { return body_->path; }
const Manifest& RunDirectory::manifest() const { return body_->manifest; }
const std::vector<int64_t>& RunDirectory::lost() const { return body_->lost; }
int64_t RunDirectory::n_units() const { return int64_t(body_->manifest.units.size()); }
bool RunDirectory::done(int64_t unit) const { return body_->entry(unit).done.has_value(); }

std::vector<int64_t> RunDirectory::pending() const {
  std::vector<int64_t> units;
  for (int64_t id = 0; id < n_units(); ++id)
    if (!done(id)) units.push_back(id);
  return units;
}

std::vector<int64_t> RunDirectory::networks(int64_t unit) const {
  const Unit& of = body_->entry(unit).unit;
  std::vector<int64_t> networks = from_ranges(of.networks);
  if (body_->experiment)
    for (const int64_t net : networks)
      if (body_->experiment->network(net).signature != of.signature)
        throw IoError(
            fmt::format("{}: damaged manifest: network {} does not belong to unit {}", body_->path, net, unit));
  return networks;
}

void RunDirectory::finish_unit(int64_t unit, const UnitResult& result) {
  if (!body_->experiment) throw Error(body_->path + " was opened to be read only");
  Manifest::Entry& entry = body_->entry(unit);
  if (result.net != from_ranges(entry.unit.networks))
    throw Error(fmt::format("unit {} is made of other networks than this result", unit));
  const auto count = [](const std::vector<int64_t>& steps) {
    return int64_t(std::count_if(steps.begin(), steps.end(), [](int64_t at) { return at >= 0; }));
  };
  entry.done = {write_shard(body_->shard(unit), result, body_->metadata(unit, result.net)), count(result.diverged_at),
                count(result.overflowed_at)};
  body_->write_manifest();
}

Shard RunDirectory::read_unit(int64_t unit) const {
  const Manifest::Entry& entry = body_->entry(unit);
  if (!entry.done) throw Error(fmt::format("{}: unit {} is not done", body_->path, unit));
  const std::string file = body_->shard(unit);
  Shard shard = read_shard(file, entry.done->file);
  if (shard.metadata.unit != unit || shard.metadata.config_xxh3 != body_->manifest.config_xxh3() ||
      shard.result.net != from_ranges(entry.unit.networks))
    throw IoError(file + ": damaged: not the results of this unit");
  return shard;
}

void RunDirectory::log(const std::string& event, const std::string& fields) {
  if (!body_->experiment) throw Error(body_->path + " was opened to be read only");
  const std::string line =
      fmt::format("{{\"time\": \"{:%Y-%m-%dT%H:%M:%SZ}\", \"event\": {}{}{}}}\n", fmt::gmtime(std::time(nullptr)),
                  quoted(event), fields.empty() ? "" : ", ", fields);
  const std::string file = body_->file(kLog);
  const Descriptor log("write", file, O_WRONLY | O_APPEND | O_CREAT);
  const ssize_t written = ::write(log.get(), line.data(), line.size());  // one write: lines of two writers stay whole
  if (written < 0) fail("write", file, errno);
  if (size_t(written) < line.size()) fail("write", file, ENOSPC);
}

}  // namespace cohort::engine
