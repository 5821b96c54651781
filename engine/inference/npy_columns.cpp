#include "inference/npy_columns.h"

#include <fmt/format.h>

#include <algorithm>
#include <bit>
#include <charconv>
#include <cmath>
#include <cstring>

#include "cohort/error.h"
#include "data/shown.h"

namespace cohort::engine {
namespace {

constexpr std::string_view magic = "\x93NUMPY";
constexpr uint64_t max_header = 1 << 16, max_columns = 10'000;

struct Header {
  std::string dtype;
  bool fortran_order = false;
  std::vector<uint64_t> shape;
};

// The header: the Python literal of a dictionary with three keys.
class HeaderParser {
 public:
  HeaderParser(std::string_view text, const std::string& file) : rest_(text), file_(file) {}

  Header parse() {
    Header header;
    int seen = 0;
    demand('{');
    while (!take('}')) {
      const std::string key = text();
      demand(':');
      if (key == "descr") {
        if (blank(); !rest_.starts_with('\'') && !rest_.starts_with('"'))
          fail("a structured array; float32 and float64 are read");
        header.dtype = text();
        seen |= 1;
      } else if (key == "fortran_order") {
        header.fortran_order = truth();
        seen |= 2;
      } else if (key == "shape") {
        header.shape = tuple();
        seen |= 4;
      } else {
        fail("unknown key " + quoted_word(key));
      }
      if (!take(',')) {
        demand('}');
        break;
      }
    }
    if (blank(); !rest_.empty()) fail("text after the dictionary");
    if (seen != 7) fail("'descr', 'fortran_order' and 'shape' are not all there");
    return header;
  }

  [[noreturn]] void fail(const std::string& what) const {
    throw Error(fmt::format("{}: header of an NPY file: {}", file_, what));
  }

 private:
  void blank() {
    while (!rest_.empty() && (rest_[0] == ' ' || rest_[0] == '\n' || rest_[0] == '\t')) rest_.remove_prefix(1);
  }
  bool take(char c) {
    blank();
    if (!rest_.starts_with(c)) return false;
    rest_.remove_prefix(1);
    return true;
  }
  void demand(char c) {
    if (!take(c)) fail(fmt::format("'{}' is expected", c));
  }
  std::string text() {
    const char quote = take('\'') ? '\'' : '"';
    if (quote == '"') demand('"');
    const size_t end = rest_.find(quote);
    if (end == std::string_view::npos) fail("a text without its end");
    std::string out(rest_.substr(0, end));
    rest_.remove_prefix(end + 1);
    return out;
  }
  bool truth() {
    blank();
    for (const std::string_view word : {"True", "False"})
      if (rest_.starts_with(word)) {
        rest_.remove_prefix(word.size());
        return word == "True";
      }
    fail("fortran_order is neither True nor False");
  }
  std::vector<uint64_t> tuple() {
    std::vector<uint64_t> out;
    demand('(');
    while (!take(')')) {
      blank();
      uint64_t n = 0;
      const auto [end, error] = std::from_chars(rest_.data(), rest_.data() + rest_.size(), n);
      if (error != std::errc()) fail("a shape of anything but whole numbers");
      rest_.remove_prefix(size_t(end - rest_.data()));
      out.push_back(n);
      if (!take(',')) {
        demand(')');
        break;
      }
    }
    return out;
  }

  std::string_view rest_;
  const std::string& file_;
};

uint64_t little_endian(std::string_view bytes) {
  uint64_t value = 0;
  for (size_t i = bytes.size(); i-- > 0;) value = value << 8 | static_cast<unsigned char>(bytes[i]);
  return value;
}

template <class Real>
double element(const char* at, bool swapped) {
  char bytes[sizeof(Real)];
  std::memcpy(bytes, at, sizeof bytes);
  if (swapped) std::reverse(bytes, bytes + sizeof bytes);
  return double(std::bit_cast<Real>(bytes));
}

}  // namespace

bool is_npy(std::string_view bytes) { return bytes.starts_with(magic); }

Columns read_npy(std::string_view bytes, const ColumnRequest& request) {
  static_assert(std::endian::native == std::endian::little);
  const auto fail = [&](const std::string& what) { throw Error(request.file + ": " + what); };
  if (bytes.size() < 10) fail("truncated in the header of an NPY file");
  const int version = bytes[6];
  if (version < 1 || version > 3 || bytes[7] != 0)
    fail(fmt::format("NPY format {}.{}; 1.0 to 3.0 are read", version, int(bytes[7])));
  const size_t prefix = version == 1 ? 10 : 12;
  if (bytes.size() < prefix) fail("truncated in the header of an NPY file");
  const uint64_t header_size = little_endian(bytes.substr(8, prefix - 8));
  if (header_size > max_header || header_size > bytes.size() - prefix)
    fail(fmt::format("an NPY header of {} bytes in a file of {}", header_size, bytes.size()));
  HeaderParser parser(bytes.substr(prefix, header_size), request.file);
  const Header header = parser.parse();
  const std::string_view data = bytes.substr(prefix + header_size);

  const bool swapped = header.dtype.starts_with('>');
  const std::string kind = header.dtype.empty() ? "" : header.dtype.substr(1);
  if ((!swapped && !header.dtype.starts_with('<')) || (kind != "f4" && kind != "f8"))
    parser.fail("dtype " + quoted_word(header.dtype) + "; float32 (<f4, >f4) and float64 (<f8, >f8) are read");
  if (header.shape.empty() || header.shape.size() > 2)
    parser.fail(fmt::format("{} dimensions; shapes (n,) and (n, k) are read", header.shape.size()));
  const uint64_t rows = header.shape[0], n_columns = header.shape.size() == 2 ? header.shape[1] : 1,
                 size = kind == "f4" ? 4 : 8;
  if (rows > max_synapses || n_columns < 1 || n_columns > max_columns)
    parser.fail(
        fmt::format("shape ({}, {}); up to {} rows of 1 to {} are read", rows, n_columns, max_synapses, max_columns));
  if (data.size() != rows * n_columns * size)
    fail(fmt::format("an NPY file of shape ({}, {}) has {} bytes of data; this one has {}", rows, n_columns,
                     rows * n_columns * size, data.size()));

  Columns columns;
  for (const size_t c : numbered_columns(request, n_columns)) {
    std::vector<double>& column = columns.emplace_back(rows);
    for (uint64_t r = 0; r < rows; ++r) {
      const char* const at = data.data() + (header.fortran_order ? c * rows + r : r * n_columns + c) * size;
      column[r] = size == 4 ? element<float>(at, swapped) : element<double>(at, swapped);
      if (!std::isfinite(column[r])) fail(fmt::format("row {}, column {}: not finite", r + 1, c + 1));
    }
  }
  return columns;
}

}  // namespace cohort::engine
