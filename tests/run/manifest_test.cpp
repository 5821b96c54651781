#include "run/manifest.h"

#include <gtest/gtest.h>

#include "cohort/error.h"
#include "fixture.h"
#include "run/atomic_file.h"

namespace cohort::engine {
namespace {

Manifest example() {
  Manifest m;
  m.tool = "cohort 0.1.0";
  m.name = "a \"name\"\nof two lines";
  m.canonical = R"({"axes":[["init.rank"]],"keys":{"init.rank":"[1, 2]"}})";
  m.made_by = kCpu;
  m.axes = {{{"init.rank"}, 2}, {{"seed"}, 3}};
  m.n_networks = 6;
  Signature s;
  s.n_hidden = 8;
  s.precision = Precision::fp32x3;
  m.units = {{{s, {{0, 3, 2}}}, Manifest::Done{{"0123456789abcdef", 42}, 1, 2}}, {{s, {{1, 3, 2}}}, std::nullopt}};
  return m;
}

// A manifest whose text was changed and whose hash was put right, as an attacker would.
std::string forged(std::string text, const std::string& from, const std::string& to) {
  const size_t at = text.find(from);
  EXPECT_NE(at, std::string::npos) << from;
  text.replace(at, from.size(), to);
  const std::string body = text.substr(0, text.rfind("\"xxh3\": \""));
  return body + "\"xxh3\": \"" + xxh3(body) + "\"\n}\n";
}

TEST(Manifest, RoundTrip) {
  const Manifest m = example();
  const std::string text = to_json(m);
  const Manifest back = manifest_from_json(text, "m");
  EXPECT_EQ(to_json(back), text);
  EXPECT_EQ(back.name, m.name);
  EXPECT_EQ(back.canonical, m.canonical);
  EXPECT_EQ(back.made_by, m.made_by);
  EXPECT_EQ(back.units[0].unit.signature, m.units[0].unit.signature);
  EXPECT_EQ(back.units[0].unit.networks, m.units[0].unit.networks);
  ASSERT_TRUE(back.units[0].done);
  EXPECT_EQ(back.units[0].done->file, m.units[0].done->file);
  EXPECT_EQ(back.units[0].done->n_diverged, 1);
  EXPECT_EQ(back.units[0].done->n_overflowed, 2);
  EXPECT_FALSE(back.units[1].done);
}

TEST(Manifest, EveryChangedBitAndEveryTruncationIsFound) {
  const std::string text = to_json(example());
  for (size_t n = 0; n < text.size(); ++n) EXPECT_THROW(manifest_from_json(text.substr(0, n), "m"), IoError) << n;
  for (size_t bit = 0; bit < 8 * text.size(); ++bit) {
    std::string changed = text;
    changed[bit / 8] = char(changed[bit / 8] ^ (1 << (bit % 8)));
    EXPECT_THROW(manifest_from_json(changed, "m"), IoError) << bit;
  }
  EXPECT_THROW(manifest_from_json(text + " ", "m"), IoError);
}

TEST(Manifest, ForgedOnesAreRefused) {
  const std::string text = to_json(example());
  const std::pair<const char*, const char*> forgeries[] = {
      {"\"n_networks\": 6", "\"n_networks\": 7"},
      {"\"n_networks\": 6", "\"n_networks\": 99999999999999999999"},
      {"\"n_networks\": 6", "\"n_networks\": -6"},
      {"\"n_networks\": 6", "\"n_networks\": \"6\""},
      {"[[0,3,2]]", "[[0,3,1]]"},                    // a network in two units
      {"[[0,3,2]]", "[[0,2,2]]"},                    // and in none
      {"[[0,3,2]]", "[[0,3,9223372036854775807]]"},  // overflow
      {"[[0,3,2]]", "[[0,4,2]]"},
      {"[[0,3,2]]", "[[4,1,1],[0,2,2]]"},
      {"[[0,3,2]]", "[[0,3]]"},
      {"[[0,3,2]]", "[]"},
      {"[[0,3,2]]", "[[0,3,2.0]]"},
      {"\"id\": 0", "\"id\": \"../../x\""},
      {"\"id\": 0", "\"id\": 1"},
      {"\"signature\": 0", "\"signature\": 1"},
      {"\"recurrent\"", "\"recurring\""},
      {"\"fp32x3\"", "\"fp48\""},
      {"\"fp32x3\"", "3"},
      {"\"n_hidden\":8", "\"n_hidden\":-8"},
      {"0123456789abcdef", "../../../etc/pass"},
      {"\"diverged\": 1", "\"diverged\": 4"},
      {"\"overflowed\": 2", "\"overflowed\": 4"},
      {"\"bytes\": 42", "\"bytes\": 0"},
      {"\"config\": \"", "\"config\": \" "},
      {"\"axes\": [", "\"axes\": [3, "},
      {"\"made_by\": [", "\"made_by\": [[1], "},
      {"\"tool\": ", "\"tool\": {}, \"tool2\": "},
      {"\"units\": [", "\"units\": 3, \"more\": ["},
      {"\"units\": [", "\"units\": [[[[], "}};
  for (const auto& [from, to] : forgeries)
    EXPECT_NE(
        message_of<IoError>([&] { manifest_from_json(forged(text, from, to), "m"); }).find("m: damaged manifest: "),
        std::string::npos)
        << from << " -> " << to;
  const std::string deep(1000000, '[');
  EXPECT_THROW(manifest_from_json(forged(text, "\"tool\": ", "\"tool\": " + deep), "m"), IoError);
}

// As versions without other precisions wrote them.
TEST(Manifest, WithoutPrecisionItIsFp32) {
  std::string old = forged(to_json(example()), ", \"overflowed\": 2", "");
  old = forged(old, ",\"precision\":\"fp32x3\"", "");
  const Manifest manifest = manifest_from_json(old, "m");
  EXPECT_EQ(manifest.units[0].unit.signature.precision, Precision::fp32);
  EXPECT_EQ(manifest.units[0].unit.signature.n_hidden, 8);
  EXPECT_EQ(manifest.units[0].done->n_diverged, 1);
  EXPECT_EQ(manifest.units[0].done->n_overflowed, 0);
}

TEST(Manifest, ALaterFormatIsSaidToBeOne) {
  const std::string later = forged(to_json(example()), "\"format\": 1", "\"format\": 2");
  EXPECT_NE(message_of<Error>([&] { manifest_from_json(later, "m"); }).find("later version"), std::string::npos);
}

}  // namespace
}  // namespace cohort::engine
