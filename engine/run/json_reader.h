// Access to JSON of unknown origin: every access is checked, and what is not as expected is an IoError.
#pragma once

#include <cstdint>
#include <nlohmann/json.hpp>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "cohort/error.h"

namespace cohort::engine {

class JsonReader {
 public:
  using json = nlohmann::json;

  // `what` begins all messages: "runs/a/manifest.json: damaged manifest".
  explicit JsonReader(std::string what) : what_(std::move(what)) {}

  [[noreturn]] void damaged(const std::string& why) const { throw IoError(what_ + ": " + why); }

  json parse(std::string_view text) const {
    json value = json::parse(text, nullptr, false);
    if (value.is_discarded()) damaged("not JSON");
    return value;
  }
  const json& get(const json& object, const char* key) const {
    if (!object.is_object()) damaged(std::string("no '") + key + "'");
    const auto found = object.find(key);
    if (found == object.end()) damaged(std::string("no '") + key + "'");
    return *found;
  }
  const json& list(const json& object, const char* key) const {
    const json& value = get(object, key);
    if (!value.is_array()) damaged(std::string("'") + key + "' is not a list");
    return value;
  }
  std::string text(const json& value, const char* name) const {
    if (!value.is_string()) damaged(std::string("'") + name + "' is not text");
    return value.get<std::string>();
  }
  std::string text_of(const json& object, const char* key) const { return text(get(object, key), key); }
  int64_t integer(const json& value, const char* name, int64_t least, int64_t most) const {
    const bool fits = value.is_number_unsigned()
                          ? value.get<uint64_t>() <= uint64_t(INT64_MAX) && value.get<int64_t>() >= least &&
                                value.get<int64_t>() <= most
                          : value.is_number_integer() && value.get<int64_t>() >= least && value.get<int64_t>() <= most;
    if (!fits)
      damaged(std::string("'") + name + "' is not an integer from " + std::to_string(least) + " to " +
              std::to_string(most));
    return value.get<int64_t>();
  }
  int64_t integer_of(const json& object, const char* key, int64_t least, int64_t most) const {
    return integer(get(object, key), key, least, most);
  }
  std::vector<std::pair<std::string, std::string>> pairs_of(const json& object, const char* key) const {
    std::vector<std::pair<std::string, std::string>> pairs;
    for (const json& pair : list(object, key)) {
      if (!pair.is_array() || pair.size() != 2) damaged(std::string("'") + key + "' is not a list of pairs");
      pairs.emplace_back(text(pair[0], key), text(pair[1], key));
    }
    return pairs;
  }

 private:
  std::string what_;
};

}  // namespace cohort::engine
