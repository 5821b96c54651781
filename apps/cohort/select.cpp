#include "plot/select.h"

#include <fmt/format.h>

#include "commands.h"
#include "output.h"
#include "run/directory.h"
#include "run/export.h"

namespace cohort::app {

using namespace cohort::engine;

int select(const std::string& path, bool csv, bool json, const SelectOptions& options) {
  const Selection selection = select_settings(read_table(RunDirectory::read(path)), options);
  if (csv || json)
    write_table(std::cout, selection.table, json ? TableFormat::json : TableFormat::csv);
  else
    std::cout << selection.text;
  finish_output();
  for (const std::string& warning : selection.warnings) fmt::print(stderr, "warning: {}\n", warning);
  return ok;
}

}  // namespace cohort::app
