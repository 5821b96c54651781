// Values and documents: what is written reads back, and everything knows where it stood.
#include "config/document.h"

#include <gtest/gtest.h>

#include <cmath>
#include <random>

#include "config/value.h"

namespace cohort::engine {
namespace {

const Node& item(const Node& table, const std::string& key) {
  for (const Node& node : table.table()->items)
    if (node.key == key) return node;
  throw std::out_of_range(key);
}

TEST(Value, ReadsBackToTheSameBits) {
  std::mt19937_64 random(3);
  std::vector<double> numbers{0.0, -0.0, 2.0, 0.1, 1e300, 5e-324, 1e15, 1e16, 123456789.0, -1.25e-7};
  for (int i = 0; i < 1000; ++i) {
    const double v = std::ldexp(double(random() >> 11), int(random() % 200) - 150);
    numbers.push_back(random() % 2 ? v : -v);
  }
  for (const double v : numbers) {
    const Node root = parse_document("v = " + to_toml(v), "x");
    EXPECT_EQ(std::get<double>(item(root, "v").value), v) << to_toml(v);
    EXPECT_EQ(std::signbit(std::get<double>(item(root, "v").value)), std::signbit(v));
  }
  for (const std::string& word : {std::string("plain"), std::string("q\"uote\\ \n\t\x01"), std::string("\xc3\xa4")}) {
    const Node root = parse_document("v = " + to_toml(word), "x");
    EXPECT_EQ(std::get<std::string>(item(root, "v").value), word);
  }
  EXPECT_EQ(to_toml(int64_t(-3)), "-3");
  EXPECT_EQ(to_toml(true), "true");
  EXPECT_EQ(to_toml(std::vector<std::string>{"a", "b"}), "[\"a\", \"b\"]");
  EXPECT_EQ(to_text(std::string("a")), "a");
  EXPECT_EQ(to_text(2.0), "2.0");
  EXPECT_EQ(quoted(std::string(100, 'x'), 3), "\"xxx...\"");
}

TEST(Document, KeepsTheOrderAndThePlaces) {
  const Node root = parse_document("zebra = 1\n[table]\n\"quoted.key\" = [10, 'x']\na.b = {c = true}\n", "x.toml");
  ASSERT_EQ(root.table()->items.size(), 2u);
  EXPECT_EQ(root.table()->items[0].key, "zebra");
  const Node& table = item(root, "table");
  ASSERT_EQ(table.table()->items.size(), 2u);
  const Node& list = table.table()->items[0];
  EXPECT_EQ(list.key, "quoted.key");
  EXPECT_EQ(list.key_at.line, 3u);
  EXPECT_EQ(list.key_at.column, 1u);
  EXPECT_EQ(list.at.column, 16u);
  EXPECT_EQ(list.array()->items[1].at.column, 21u);
  const Node& deep = item(item(item(table, "a"), "b"), "c");
  EXPECT_TRUE(std::get<bool>(deep.value));
  EXPECT_EQ(deep.at.line, 4u);
  EXPECT_EQ(deep.at.column, 12u);
  EXPECT_EQ(deep.at.source->name, "x.toml");
}

TEST(Document, AcceptsWhatIsJustSmallEnough) {
  EXPECT_NO_THROW(parse_document(std::string(max_config_bytes - 1, ' ') + "\n", "x"));
  std::string deep = "a";
  for (int i = 1; i < max_config_depth; ++i) deep += ".a";
  EXPECT_NO_THROW(parse_document(deep + " = 1", "x"));
  EXPECT_NO_THROW(parse_document("[" + deep + "]", "x"));
  EXPECT_THROW(parse_document(deep + ".a = 1", "x"), ConfigError);
  EXPECT_THROW(parse_document("[" + deep + ".a]", "x"), ConfigError);
}

TEST(Document, DotsAndBracketsInQuotesAndCommentsAreNotDepth) {
  const std::string dots(200, '.'), brackets(200, '[');
  for (const std::string& text : {dots, brackets})
    for (const std::string& line :
         {"# " + text + "\n", "v = \"" + text + "\"\n", "v = '" + text + "'\n", "v = \"\"\"\n" + text + "\n\"\"\"\n",
          "v = '''\n" + text + "\n'''\n", "v = \"\\\"" + text + "\"\n", "\"" + text + "\" = 1\n",
          "v = \"\"\"a" + text + "\"\"\"\"\"\nw = [1.5, 2.5, 3.5]\n"})
      EXPECT_NO_THROW(parse_document(line, "x")) << line;
}

TEST(Document, CountsManyShallowThingsAsShallow) {
  std::string text;
  for (int i = 0; i < 1000; ++i) text += "[t" + std::to_string(i) + ".a]\nb.c = [[1.5, 2.5], [{x.y = 1}]]\n";
  EXPECT_NO_THROW(parse_document(text, "x"));
}

TEST(Document, OverridesAreTomlOrABareWord) {
  const auto value = [](const std::string& assignment) { return parse_override(assignment).table()->items.front(); };
  EXPECT_EQ(std::get<std::string>(value("v=tanh").value), "tanh");
  EXPECT_EQ(std::get<std::string>(value("v=\"tanh\"").value), "tanh");
  for (const std::string path : {"runs/a", "../runs/a-2", "./a", "/data/x.3", "~/a", "x-1", "_a"})
    EXPECT_EQ(std::get<std::string>(value("v=" + path).value), path);
  EXPECT_EQ(std::get<int64_t>(value("v=3").value), 3);
  EXPECT_EQ(std::get<int64_t>(value("v=-3").value), -3);
  EXPECT_EQ(std::get<double>(value("v=-3e-1").value), -0.3);
  for (const std::string neither : {"v=.5", "v=3/4", "v=..", "v=-a"})
    EXPECT_THROW(value(neither), ConfigError) << neither;
  EXPECT_EQ(std::get<double>(value("v = 3e-1").value), 0.3);
  EXPECT_TRUE(std::get<bool>(value("v=true").value));
  EXPECT_EQ(item(value("a.b=1"), "b").key, "b");
  EXPECT_EQ(value("v=[1, 2]").array()->items.size(), 2u);
}

}  // namespace
}  // namespace cohort::engine
