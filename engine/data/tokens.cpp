#include "data/tokens.h"

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <cmath>
#include <cstdio>
#include <cstring>
#include <filesystem>
#include <limits>
#include <memory>
#include <unordered_map>
#include <utility>

#include <fmt/core.h>

#include "cohort/error.h"
#include "data/shown.h"

namespace cohort::engine {
namespace {

// Words of one file in their order, with the place of each.
class WordReader {
 public:
  struct Place {
    uint64_t line = 1, column = 1;  // of its first byte
  };
  enum class What { word, line_end, file_end };

  explicit WordReader(const std::filesystem::path& path) : name_(shown(path)) {
    std::error_code error;
    const auto status = std::filesystem::status(path, error);
    if (status.type() == std::filesystem::file_type::not_found) fail("not found");
    if (error) fail(error.message());
    if (!std::filesystem::is_regular_file(status)) fail("not a regular file");
    const uint64_t size = std::filesystem::file_size(path, error);
    if (error) fail(error.message());
    if (size > max_token_file) too_large();
    errno = 0;
    file_.reset(std::fopen(path.c_str(), "rb"));
    if (!file_) fail(std::strerror(errno));
    fill();
    if (have_ >= 3 && std::memcmp(buffer_.data(), "\xEF\xBB\xBF", 3) == 0) next_ = 3;
  }

  const std::string& name() const { return name_; }
  [[noreturn]] void fail(const std::string& what) const { throw IoError(name_ + ": " + what); }
  [[noreturn]] void fail(const Place& at, const std::string& what) const {
    throw IoError(fmt::format("{}:{}:{}: {}", name_, at.line, at.column, what));
  }

  // The next word, or end of a line or of the file. `at`: where it begins.
  What next(std::string& word, Place& at) {
    int c = get();
    while (c == ' ' || c == '\t' || c == '\r' || c == '\v' || c == '\f') c = get();
    at = here_;
    if (c < 0) return What::file_end;
    if (c == '\n') return What::line_end;
    word.clear();
    for (; !is_space(c); c = get()) {
      if (word.size() == max_word) fail(at, fmt::format("a word of more than {} bytes", max_word));
      word += char(c);
    }
    put_back(c);
    return What::word;
  }

 private:
  struct Close {
    void operator()(std::FILE* file) const { std::fclose(file); }
  };
  static bool is_space(int c) { return c < 0 || c == ' ' || (c >= '\t' && c <= '\r'); }

  [[noreturn]] void too_large() const { fail(fmt::format("larger than {} bytes", max_token_file)); }

  void fill() {
    next_ = 0;
    have_ = std::fread(buffer_.data(), 1, buffer_.size(), file_.get());
    if (have_ < buffer_.size() && std::ferror(file_.get()))
      fail(fmt::format("cannot be read: {}", std::strerror(errno)));
    read_ += have_;
    if (read_ > max_token_file) too_large();  // it grows
  }
  // The next byte, or -1; here_ is its place.
  int get() {
    here_ = after_;
    if (next_ == have_ && have_ > 0) fill();
    if (next_ == have_) return -1;
    const unsigned char c = static_cast<unsigned char>(buffer_[next_++]);
    if (c == '\n')
      after_ = {here_.line + 1, 1};
    else
      ++after_.column;
    return c;
  }
  // Only of what the last get() gave.
  void put_back(int c) {
    if (c < 0) return;
    --next_;
    after_ = here_;
  }

  std::string name_;  // as shown in messages
  std::unique_ptr<std::FILE, Close> file_;
  std::vector<char> buffer_ = std::vector<char>(size_t(1) << 18);
  size_t next_ = 0, have_ = 0;
  uint64_t read_ = 0;
  Place here_, after_;
};

using Vocabulary = std::unordered_map<std::string, int32_t>;

bool whole_number(const std::string& text, uint64_t* value) {
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), *value);
  return error == std::errc() && end == text.data() + text.size();
}

float number(const WordReader& file, const WordReader::Place& at, const std::string& text) {
  double value = 0;
  const char* const first = text.data() + (text.size() > 1 && text[0] == '+' && text[1] != '-');
  const auto [end, error] = std::from_chars(first, text.data() + text.size(), value);
  if (error == std::errc::invalid_argument || end != text.data() + text.size())
    file.fail(at, fmt::format("{} is not a number", quoted_word(text)));
  if (error == std::errc() && !std::isfinite(value)) file.fail(at, fmt::format("{} is not finite", quoted_word(text)));
  if (error != std::errc() || std::abs(value) > double(std::numeric_limits<float>::max()))
    file.fail(at, fmt::format("{} is out of the range of single precision", quoted_word(text)));
  return float(value);
}

struct Header {
  uint64_t count = 0, dimension = 0;
};

// Fills `words` and the set's embeddings.
void read_embeddings(WordReader file, TokenSet& set, Vocabulary& words) {
  using What = WordReader::What;
  std::vector<std::string> columns;
  std::vector<WordReader::Place> places;
  std::string word;
  WordReader::Place at;
  Header header;
  bool has_header = false, first_line = true;
  for (What what = What::line_end; what != What::file_end;) {
    columns.clear();
    places.clear();
    while ((what = file.next(word, at)) == What::word) {
      if (at.column + word.size() - 1 > max_embedding_line)
        file.fail(at, fmt::format("a line of more than {} bytes", max_embedding_line));
      columns.push_back(word);
      places.push_back(at);
    }
    if (at.column - 1 > max_embedding_line)
      file.fail(at, fmt::format("a line of more than {} bytes", max_embedding_line));
    if (columns.empty()) continue;
    if (std::exchange(first_line, false) && columns.size() == 2 && whole_number(columns[0], &header.count) &&
        whole_number(columns[1], &header.dimension)) {
      has_header = true;
      continue;
    }
    const size_t dimension = columns.size() - 1;
    if (set.vocabulary == 0) {
      if (dimension == 0) file.fail(places[0], fmt::format("{} has no numbers", quoted_word(columns[0])));
      if (has_header && dimension != header.dimension)
        file.fail(places[0], fmt::format("{} has {} numbers; the first line promises {}", quoted_word(columns[0]),
                                         dimension, header.dimension));
      set.dimension = int32_t(dimension);
    }
    if (dimension != size_t(set.dimension))
      file.fail(places[0], fmt::format("{} has {} numbers; the words before it have {}", quoted_word(columns[0]),
                                       dimension, set.dimension));
    if (set.vocabulary == max_vocabulary) file.fail(places[0], fmt::format("more than {} words", max_vocabulary));
    if (!words.emplace(columns[0], set.vocabulary).second)
      file.fail(places[0], fmt::format("{} was there before", quoted_word(columns[0])));
    ++set.vocabulary;
    for (size_t k = 1; k < columns.size(); ++k) set.embeddings.push_back(number(file, places[k], columns[k]));
  }
  if (set.vocabulary == 0) file.fail("has no words; a word and its numbers on each line are expected");
  if (has_header && header.count != uint64_t(set.vocabulary))
    file.fail(fmt::format("its first line promises {} words, it holds {}", header.count, set.vocabulary));
}

// Appends a text's whole windows to the set's tokens, as its split.
void read_text(WordReader file, const Vocabulary& words, Split split, TokenSet& set) {
  const auto unknown = words.find("<unk>");
  const size_t begin = set.tokens.size();
  std::string word;
  WordReader::Place at;
  for (auto what = WordReader::What::word; what != WordReader::What::file_end;) {
    what = file.next(word, at);
    if (what != WordReader::What::word) continue;
    auto found = words.find(word);
    if (found == words.end()) found = unknown;
    if (found == words.end())
      file.fail(at, fmt::format("{} is not in the vocabulary, that of embeddings.txt, which has no <unk> either",
                                quoted_word(word)));
    set.tokens.push_back(found->second);
  }
  const size_t n = set.tokens.size() - begin, steps = size_t(set.steps);
  if (n < steps + 1)
    file.fail(fmt::format("{} words; at least {} are needed, a window of task.steps = {} and the word after it", n,
                          steps + 1, set.steps));
  const size_t windows = (n - 1) / steps;
  if (begin / steps + windows >= size_t(std::numeric_limits<int32_t>::max()))
    file.fail(fmt::format("too many windows of task.steps = {}: 2^31 of all texts together are too many", set.steps));
  set.first[int(split)] = int32_t(begin / steps);
  set.count[int(split)] = int32_t(windows);
  set.tokens.resize(begin + (windows + 1) * steps);  // the word after the last window, and room up to the next text
}

}  // namespace

Dataset TokenSet::view() const {
  Dataset data;
  data.tokens = tokens.data();
  data.n_tokens = int64_t(tokens.size());
  data.embeddings = embeddings.data();
  data.vocabulary = vocabulary;
  data.dimension = dimension;
  std::copy_n(first, 3, data.first);
  std::copy_n(count, 3, data.count);
  return data;
}

TokenSet load_tokens(const std::string& directory, int32_t steps) {
  if (steps < 1) throw Error(fmt::format("task.steps = {}; allowed: 1 or more", steps));
  std::error_code error;
  const std::filesystem::path folder = directory;
  if (!std::filesystem::is_directory(folder, error))
    throw IoError(fmt::format("{}: {}; a directory with embeddings.txt, train.txt, valid.txt and test.txt is expected",
                              shown(folder),
                              std::filesystem::exists(folder, error) ? "not a directory" : "no such directory"));
  TokenSet set;
  set.steps = steps;
  Vocabulary words;
  read_embeddings(WordReader(folder / "embeddings.txt"), set, words);
  read_text(WordReader(folder / "train.txt"), words, Split::train, set);
  read_text(WordReader(folder / "valid.txt"), words, Split::validation, set);
  read_text(WordReader(folder / "test.txt"), words, Split::test, set);
  return set;
}

}  // namespace cohort::engine
