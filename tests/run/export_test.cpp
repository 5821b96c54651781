#include "run/export.h"

#include <gtest/gtest.h>

#include <sstream>

#include "cohort/error.h"
#include "fixture.h"

namespace cohort::engine {
namespace {

std::string written(const Table& table, TableFormat format) {
  std::ostringstream out;
  write_table(out, table, format);
  return out.str();
}

TEST(ReadTable, OneRowANetwork) {
  const TemporaryDirectory here;
  RunDirectory run = RunDirectory::open(here / "run", small(), kCpu);
  Table table = read_table(run);
  const std::vector<std::string> fixed = {"net",  "network.n_hidden", "rule.geometry", "rule.lr",
                                          "seed", "status",           "overflowed_at"};
  EXPECT_EQ(table.columns, fixed);
  EXPECT_TRUE(table.rows.empty());

  run.finish_unit(1, made_up(run.networks(1)));
  EXPECT_EQ(read_table(run).rows.size(), 12u);
  run.finish_unit(0, made_up(run.networks(0)));
  table = read_table(run);
  ASSERT_EQ(table.rows.size(), 24u);
  std::vector<std::string> columns = fixed;
  columns.insert(columns.end(), {"final.loss", "final.accuracy", "svd_entropy.initial", "weight_change.final"});
  EXPECT_EQ(table.columns, columns);

  const Experiment experiment = small();
  for (int64_t net = 0; net < 24; ++net) {
    const auto& row = table.rows[size_t(net)];
    const ResolvedNetwork network = experiment.network(net);
    const auto cell = [&](const char* name) { return row[size_t(table.column(name))]; };
    EXPECT_EQ(cell("net"), Cell(net));
    EXPECT_EQ(cell("network.n_hidden"), Cell(int64_t(network.signature.n_hidden)));
    EXPECT_EQ(cell("rule.geometry"), Cell(std::string(info(network.spec.rule[1].geometry).name)));
    EXPECT_EQ(cell("rule.lr"), Cell(network.spec.rule[1].lr));
    EXPECT_EQ(cell("seed"), Cell(int64_t(network.spec.seed)));
    EXPECT_EQ(cell("status"), Cell(std::string(net == 3 ? "diverged@7" : "ok")));
    EXPECT_EQ(cell("overflowed_at"), net == 2 || net == 3 ? Cell(net + 3) : Cell());
    EXPECT_EQ(cell("final.loss"), net == 3 ? Cell() : Cell(1.0 / double(net + 1)));
    EXPECT_EQ(cell("final.accuracy"), net == 3 || net == 4 ? Cell() : Cell(0.5 + double(net) / 100));
    EXPECT_EQ(cell("svd_entropy.initial"), net == 3 ? Cell() : Cell(double(net) + 0.1)) << "empty where diverged";
  }
}

TEST(ReadTable, ColumnsOfSomeUnitsOnlyKeepTheirPlace) {
  const TemporaryDirectory here;
  RunDirectory run = RunDirectory::open(here / "run", small(), kCpu);
  UnitResult first = made_up(run.networks(0)), second = made_up(run.networks(1));
  first.columns.erase(first.columns.begin() + 1);  // no final.accuracy
  second.columns.pop_back();                       // no weight_change.final
  run.finish_unit(0, first);
  run.finish_unit(1, second);
  const Table table = read_table(run);
  const std::vector<std::string> last(table.columns.end() - 4, table.columns.end());
  EXPECT_EQ(last,
            (std::vector<std::string>{"final.loss", "final.accuracy", "svd_entropy.initial", "weight_change.final"}));
  EXPECT_EQ(table.rows[0][size_t(table.column("final.accuracy"))], Cell());
  EXPECT_EQ(table.rows[0][size_t(table.column("weight_change.final"))], Cell(0.0));
  EXPECT_EQ(table.rows[20][size_t(table.column("weight_change.final"))], Cell());
  EXPECT_EQ(table.rows[20][size_t(table.column("final.accuracy"))], Cell(0.7));
}

TEST(ReadTable, MixedAndUnsweptKeys) {
  const TemporaryDirectory here;
  const Experiment experiment = Experiment::parse(
      "name = \"mixed\"\nseed = 11\n[task]\nname = \"perceptual_decision\"\n[sweep]\n\"init.rank\" = [1, "
      "\"full\"]\n\"network.bias\" = [true, false]\n");
  RunDirectory run = RunDirectory::open(here / "run", experiment, kCpu);
  finish_all(run);
  const Table table = read_table(run);
  EXPECT_EQ(std::vector<std::string>(table.columns.begin(), table.columns.begin() + 5),
            (std::vector<std::string>{"net", "init.rank", "network.bias", "seed", "status"}));
  EXPECT_EQ(table.rows[0][1], Cell(std::string("1")));
  EXPECT_EQ(table.rows[2][1], Cell(std::string("full")));
  EXPECT_EQ(table.rows[0][2], Cell(std::string("true")));
  EXPECT_EQ(table.rows[0][3], Cell(int64_t(11)));
}

const Table kAwkward = {{"net", "a,b", "say \"x\"", "number"},
                        {{int64_t(0), std::string("plain"), std::string("one\ntwo"), 0.1},
                         {int64_t(1), std::string("with, comma"), std::string("a \"quote\""), Cell()},
                         {int64_t(-2), std::string(), std::string(" space "), 1e22},
                         {int64_t(3), std::string("\xC3\xA4"), Cell(), 5e-324},
                         {int64_t(4), Cell(), Cell(), std::numeric_limits<double>::infinity()},
                         {int64_t(5), Cell(), Cell(), 0.30000000000000004}}};

TEST(WriteTable, CsvQuotesWhereNeeded) {
  EXPECT_EQ(written(kAwkward, TableFormat::csv),
            "net,\"a,b\",\"say \"\"x\"\"\",number\n"
            "0,plain,\"one\ntwo\",0.1\n"
            "1,\"with, comma\",\"a \"\"quote\"\"\",\n"
            "-2,, space ,1e+22\n"
            "3,\xC3\xA4,,5e-324\n"
            "4,,,inf\n"
            "5,,,0.30000000000000004\n");
}

TEST(WriteTable, JsonHasNullsAndEscapes) {
  EXPECT_EQ(written(kAwkward, TableFormat::json),
            "[\n"
            "{\"net\": 0, \"a,b\": \"plain\", \"say \\\"x\\\"\": \"one\\ntwo\", \"number\": 0.1},\n"
            "{\"net\": 1, \"a,b\": \"with, comma\", \"say \\\"x\\\"\": \"a \\\"quote\\\"\", \"number\": null},\n"
            "{\"net\": -2, \"a,b\": \"\", \"say \\\"x\\\"\": \" space \", \"number\": 1e+22},\n"
            "{\"net\": 3, \"a,b\": \"\xC3\xA4\", \"say \\\"x\\\"\": null, \"number\": 5e-324},\n"
            "{\"net\": 4, \"a,b\": null, \"say \\\"x\\\"\": null, \"number\": null},\n"
            "{\"net\": 5, \"a,b\": null, \"say \\\"x\\\"\": null, \"number\": 0.30000000000000004}\n"
            "]\n");
  EXPECT_EQ(written({{"net"}, {}}, TableFormat::json), "[\n]\n");
  EXPECT_EQ(written({{"net"}, {}}, TableFormat::csv), "net\n");
}

TEST(WriteTable, AnOutputThatFailsIsAnIoError) {
  std::ostringstream out;
  out.setstate(std::ios::badbit);
  EXPECT_THROW(write_table(out, kAwkward, TableFormat::csv), IoError);
}

TEST(WriteHistory, LongFormWithoutGaps) {
  const TemporaryDirectory here;
  RunDirectory run = RunDirectory::open(here / "run", small(), kCpu);
  run.finish_unit(0, made_up(run.networks(0)));
  std::ostringstream out;
  write_history(out, run, TableFormat::csv);
  const std::string text = out.str();
  EXPECT_EQ(text.substr(0, text.find("1,")),
            "net,step,name,value\n0,0,loss,0\n0,5,loss,5\n0,9,loss,9\n0,5,eval.loss,-0.625\n0,10,eval.loss,-1.25\n");
  EXPECT_NE(text.find("3,5,loss,305\n3,5,eval.loss"), std::string::npos)
      << "step 9 of the diverged network has no value";
  EXPECT_EQ(std::count(text.begin(), text.end(), '\n'), 1 + 12 * 5 - 1);
}

}  // namespace
}  // namespace cohort::engine
