// The reader of texts and embeddings: small files that the tests write, and every way in which they can be wrong.
#include "data/tokens.h"

#include <gtest/gtest.h>
#include <sys/stat.h>

#include <cmath>
#include <filesystem>
#include <fstream>
#include <random>
#include <string>

#include "cohort/error.h"

namespace cohort::engine {
namespace {

namespace fs = std::filesystem;

// A directory of its own, gone at the end.
class Tokens : public ::testing::Test {
 protected:
  void SetUp() override {
    std::string name = (fs::temp_directory_path() / "cohort-tokens-XXXXXX").string();
    ASSERT_NE(mkdtemp(name.data()), nullptr);
    directory_ = name;
    write("embeddings.txt", "the 0.5 -1\ncat 2e-1 +3\nsat .25 0\n");
    write("train.txt", "the cat sat the cat sat the cat\n");
    write("valid.txt", "cat sat the\n");
    write("test.txt", "sat sat\tsat\r\n\n the ");
  }
  void TearDown() override { fs::remove_all(directory_); }

  void write(const std::string& name, const std::string& text) const {
    std::ofstream file(directory_ / name, std::ios::binary);
    file << text;
    ASSERT_TRUE(file.good());
  }
  TokenSet load(int32_t steps = 2) const { return load_tokens(directory_.string(), steps); }

  std::string refusal(int32_t steps = 2) const {
    try {
      load(steps);
    } catch (const IoError& error) {
      return error.what();
    }
    return "accepted";
  }
  // Loading fails by an IoError of one line that has all of `parts`.
  void expect_refused(const std::vector<std::string>& parts, int32_t steps = 2) const {
    const std::string what = refusal(steps);
    EXPECT_EQ(what.find('\n'), std::string::npos) << what;
    for (const std::string& part : parts) EXPECT_NE(what.find(part), std::string::npos) << part << " in: " << what;
  }
  void expect_bad_embeddings(const std::string& text, const std::vector<std::string>& parts) const {
    write("embeddings.txt", text);
    expect_refused(parts);
  }
  std::string path(const char* name) const { return (directory_ / name).string(); }

  fs::path directory_;
};

TEST_F(Tokens, ReadsTextsAndEmbeddings) {
  const TokenSet set = load();
  EXPECT_EQ(set.vocabulary, 3);
  EXPECT_EQ(set.dimension, 2);
  EXPECT_EQ(set.steps, 2);
  EXPECT_EQ(set.embeddings, (std::vector<float>{0.5f, -1, 0.2f, 3, 0.25f, 0}));
  // 8 words: windows (the cat) (sat the) (cat sat), each with the word after it; 3: one; 4: one.
  EXPECT_EQ(set.tokens, (std::vector<int32_t>{0, 1, 2, 0, 1, 2, 0, 1, 1, 2, 0, 0, 2, 2, 2, 0}));
  const int32_t first[3] = {0, 4, 6}, count[3] = {3, 1, 1};
  const Dataset view = set.view();
  for (int split = 0; split < 3; ++split) {
    EXPECT_EQ(view.first[split], first[split]) << split;
    EXPECT_EQ(view.count[split], count[split]) << split;
  }
  EXPECT_EQ(view.tokens, set.tokens.data());
  EXPECT_EQ(view.n_tokens, 16);
  EXPECT_EQ(view.embeddings, set.embeddings.data());
  EXPECT_EQ(view.pixels, nullptr);
}
// Whatever the lengths, every window of every split is the text's own.
TEST_F(Tokens, WindowsAreThoseOfTheTexts) {
  std::mt19937 random(3);
  const char* const words[] = {"the", "cat", "sat"};
  for (const int32_t steps : {1, 2, 3, 7}) {
    std::vector<int32_t> texts[3];
    const char* const names[] = {"train.txt", "valid.txt", "test.txt"};
    for (int split = 0; split < 3; ++split) {
      std::string text;
      for (int k = 0, n = steps + 1 + int(random() % 30); k < n; ++k) {
        texts[split].push_back(int32_t(random() % 3));
        text += words[texts[split].back()];
        text += random() % 4 ? " " : "\n";
      }
      write(names[split], text);
    }
    const TokenSet set = load(steps);
    for (int split = 0; split < 3; ++split) {
      ASSERT_EQ(set.count[split], int32_t(texts[split].size() - 1) / steps);
      for (int w = 0; w < set.count[split]; ++w)
        for (int t = 0; t <= steps; ++t)
          ASSERT_EQ(set.tokens.at(size_t(set.first[split] + w) * size_t(steps) + size_t(t)),
                    texts[split].at(size_t(w * steps + t)));
    }
  }
}
TEST_F(Tokens, TakesTheFormsThatAreAbout) {
  const TokenSet plain = load();
  const auto expect_same = [&](const std::string& embeddings) {
    SCOPED_TRACE(embeddings);
    write("embeddings.txt", embeddings);
    const TokenSet set = load();
    EXPECT_EQ(set.embeddings, plain.embeddings);
    EXPECT_EQ(set.tokens, plain.tokens);
  };
  expect_same("3 2\nthe 0.5 -1\ncat 2e-1 +3\nsat .25 0\n");                    // word2vec's header
  expect_same("the 0.5 -1\r\ncat 2e-1 +3 \r\nsat .25 0");                      // other line ends, none at the end
  expect_same("\n  the\t0.5   -1\n\ncat 2e-1 +3\n   \nsat .25 0\n\n");         // blanks
  expect_same("\xEF\xBB\xBFthe 0.5 -1\ncat 2E-1 +3e0\nsat 2500e-4 -0.0e5\n");  // byte order mark, other spellings
}
TEST_F(Tokens, UnknownWordsAreUnkWhereThatIsThere) {
  write("train.txt", "the dog sat\n");
  expect_refused({path("train.txt") + ":1:5: ", "\"dog\"", "not in the vocabulary", "<unk>"});
  write("embeddings.txt", "<unk> 9 9\nthe 0.5 -1\ncat 1 1\nsat .25 0\n");
  const TokenSet set = load();
  EXPECT_EQ(std::vector<int32_t>(set.tokens.begin(), set.tokens.begin() + 3), (std::vector<int32_t>{1, 0, 3}));
}
TEST_F(Tokens, PlacesAreThoseOfTheWords) {
  write("valid.txt", "cat sat the\n\n  cat\t dog cat\n");
  expect_refused({path("valid.txt") + ":3:8: ", "\"dog\""});
  write("valid.txt", "cat");
  expect_refused({path("valid.txt") + ": 1 words", "at least 3", "task.steps = 2"});
  write("valid.txt", "");
  expect_refused({path("valid.txt") + ": 0 words"});
  write("valid.txt", "cat cat");
  expect_refused({path("valid.txt") + ": 2 words", "at least 3"});
  EXPECT_THROW(load(0), Error);
  EXPECT_THROW(load(-3), Error);
}
TEST_F(Tokens, EmbeddingsThatAreWrong) {
  const std::string at = path("embeddings.txt");
  expect_bad_embeddings("the 1 2\ncat 1\n", {at + ":2:1: ", "\"cat\" has 1 numbers", "before it have 2"});
  expect_bad_embeddings("the 1 2\n cat 1 2 3\n", {at + ":2:2: ", "\"cat\" has 3 numbers"});
  expect_bad_embeddings("the 1 2\ncat 1 x2\n", {at + ":2:7: ", "\"x2\" is not a number"});
  expect_bad_embeddings("the 1 2\ncat 1 2x\n", {at + ":2:7: ", "\"2x\" is not a number"});
  expect_bad_embeddings("the 1 2\ncat +-1 2\n", {at + ":2:5: ", "not a number"});
  expect_bad_embeddings("the 1 2\ncat + 2\n", {at + ":2:5: ", "not a number"});
  expect_bad_embeddings("the 1 2\ncat 0x10 2\n", {at + ":2:5: ", "not a number"});
  expect_bad_embeddings("the 1 nan\n", {at + ":1:7: ", "\"nan\" is not finite"});
  expect_bad_embeddings("the -inf 1\n", {at + ":1:5: ", "\"-inf\" is not finite"});
  expect_bad_embeddings("the 1e39 1\n", {at + ":1:5: ", "\"1e39\"", "range of single precision"});
  expect_bad_embeddings("the 1e999 1\n", {at + ":1:5: ", "\"1e999\"", "range of single precision"});
  expect_bad_embeddings("the 1 2\ncat 1 2\nthe 3 4\n", {at + ":3:1: ", "\"the\" was there before"});
  expect_bad_embeddings("the\n", {at + ":1:1: ", "\"the\" has no numbers"});
  expect_bad_embeddings("", {at, "has no words"});
  expect_bad_embeddings(" \n\n", {at, "has no words"});
  expect_bad_embeddings("2 2\n", {at, "has no words"});
  expect_bad_embeddings("4 2\nthe 1 2\ncat 1 2\n", {at, "promises 4 words", "holds 2"});
  expect_bad_embeddings("2 3\nthe 1 2\ncat 1 2\n", {at + ":2:1: ", "2 numbers", "promises 3"});
  expect_bad_embeddings(std::string("the 1 2\nc\0t 1 \0\n", 16), {at + ":2:7: ", "\"?\" is not a number"});
  expect_bad_embeddings("\x1b[2J\x07 1 2\n\x1b[2J\x07 1 2\n", {at + ":2:1: ", "\"?[2J?\" was there before"});
}
TEST_F(Tokens, SizesAreBounded) {
  const std::string at = path("embeddings.txt");
  std::string line = "the";
  while (line.size() <= max_embedding_line) line += " 1";
  expect_bad_embeddings(line + "\n", {at + ":1:", "line of more than 65536 bytes"});
  expect_bad_embeddings("the 1" + std::string(max_embedding_line, ' ') + "\n", {at + ":1:", "line of more than 65536"});
  expect_bad_embeddings("the 1 2\n" + std::string(max_word + 1, 'a') + " 1 2\n",
                        {at + ":2:1: ", "more than 1024 bytes"});
  write("embeddings.txt", "the 0.5 -1\n" + std::string(max_word, 'a') + " 2e-1 3\nsat 1 2\ncat 1 2\n");
  EXPECT_EQ(load().vocabulary, 4);
  write("test.txt", "the " + std::string(size_t(1) << 20, 'b'));
  expect_refused({path("test.txt") + ":1:5: ", "more than 1024 bytes"});
  // Lines of texts may be long: one of a megabyte.
  std::string text;
  while (text.size() < size_t(1) << 20) text += "the cat sat ";
  write("test.txt", text);
  EXPECT_EQ(load().count[2], int32_t(text.size() / 4 - 1) / 2);

  // A file of two gigabytes and more that takes no place on the disk.
  fs::resize_file(directory_ / "test.txt", max_token_file + 1);
  expect_refused({path("test.txt") + ": larger than 2147483648 bytes"});
}
TEST_F(Tokens, TooManyWords) {
  std::string text;
  for (int32_t i = 0; i <= max_vocabulary; ++i) text += "w" + std::to_string(i) + " 1\n";
  expect_bad_embeddings(text, {path("embeddings.txt") + ":1000001:1: ", "more than 1000000 words"});
}
TEST_F(Tokens, FilesThatAreNone) {
  EXPECT_THROW(load_tokens((directory_ / "absent").string(), 2), IoError);
  EXPECT_THROW(load_tokens(path("train.txt"), 2), IoError);
  for (const char* const name : {"embeddings.txt", "train.txt", "valid.txt", "test.txt"}) {
    SCOPED_TRACE(name);
    const fs::path file = directory_ / name, kept = directory_ / "kept";
    fs::rename(file, kept);
    expect_refused({path(name) + ": not found"});
    fs::create_directory(file);
    expect_refused({path(name) + ": not a regular file"});
    fs::remove(file);
    ASSERT_EQ(mkfifo(file.c_str(), 0600), 0);
    expect_refused({path(name) + ": not a regular file"});
    fs::remove(file);
    fs::create_symlink("/dev/zero", file);
    expect_refused({path(name) + ": not a regular file"});
    fs::remove(file);
    fs::rename(kept, file);
  }
  EXPECT_EQ(refusal(), "accepted");
}
// Damaged files are refused or read, never anything else.
TEST_F(Tokens, AnyBytes) {
  const std::string embeddings = "3 2\nthe 0.5 -1\ncat 2e-1 +3\nsat .25 0\n";
  std::mt19937 random(7);
  constexpr char bytes[] = "\0\n\r\t .+-e0123456789\x7f\x80\xff<unk>thecatsat";
  const std::string alphabet(bytes, sizeof(bytes) - 1);
  int accepted = 0;
  for (int round = 0; round < 3000; ++round) {
    std::string text = embeddings, words = "the cat sat the cat";
    for (std::string* s : {&text, &words})
      for (int changes = int(random() % 4); changes > 0; --changes) {
        const size_t at = random() % s->size();
        const char c = alphabet[random() % alphabet.size()];
        if (random() % 3 == 0)
          s->erase(at, 1 + random() % 3);
        else if (random() % 2)
          s->insert(at, 1, c);
        else
          (*s)[at] = c;
      }
    write("embeddings.txt", text);
    write("train.txt", words);
    try {
      const TokenSet set = load();
      ++accepted;
      ASSERT_EQ(set.embeddings.size(), size_t(set.vocabulary) * size_t(set.dimension));
      for (const int32_t token : set.tokens) ASSERT_TRUE(token >= 0 && token < set.vocabulary);
      for (const float v : set.embeddings) ASSERT_TRUE(std::isfinite(v));
    } catch (const IoError& error) {
      ASSERT_EQ(std::string(error.what()).find('\n'), std::string::npos) << error.what();
    }
  }
  EXPECT_GT(accepted, 100);
  EXPECT_LT(accepted, 2900);
}

}  // namespace
}  // namespace cohort::engine
