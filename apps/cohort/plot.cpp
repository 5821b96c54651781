#include <fmt/format.h>

#include "cohort/error.h"
#include "commands.h"
#include "output.h"
#include "plot/plot.h"
#include "plot/recordings.h"
#include "plot/sweep_figure.h"
#include "run/atomic_file.h"
#include "run/directory.h"
#include "run/export.h"

namespace cohort::app {

using namespace cohort::engine;

int plot(const std::string& path, const std::string& out, bool history, bool json, const PlotOptions& options) {
  const RunDirectory directory = RunDirectory::read(path);
  const std::string title = directory.manifest().name;
  Plot drawn;
  if (history) {
    if (options.kind != "sweep") throw Error("--history and --kind exclude each other; see --kind curves");
    if (!options.measures.empty() || !options.where.empty() || !options.select.empty() || !options.x.empty())
      throw Error("--history takes none of --measure, --where, --select and --x; --kind curves does");
    const Table table = read_table(directory);
    const RecordedSeries loss = read_series(directory, table, "loss", false);
    drawn.svg = sweep_history_figure(table, loss.step, loss.value, {.title = title});
    drawn.json = "{}";
  } else {
    drawn = plot_run(directory, options);
  }
  const std::string name = history ? "history" : options.kind == "sweep" ? "figure" : options.kind;
  const std::string file = !out.empty() ? out : path + "/" + name + ".svg";
  write_file_atomically(file, drawn.svg);
  if (json)
    fmt::print("{}\n", drawn.json);
  else
    fmt::print("{}", drawn.text);
  finish_output();
  fmt::print(stderr, "{}\n", file);
  return ok;
}

}  // namespace cohort::app
