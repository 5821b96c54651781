#include "commands.h"
#include "output.h"
#include "run/directory.h"
#include "run/export.h"

namespace cohort::app {

using namespace cohort::engine;

int export_table(const std::string& path, const std::string& format, bool history) {
  const RunDirectory directory = RunDirectory::read(path);
  const TableFormat as = format == "json" ? TableFormat::json : TableFormat::csv;
  if (history)
    write_history(std::cout, directory, as);
  else
    write_table(std::cout, read_table(directory), as);
  finish_output();
  return ok;
}

}  // namespace cohort::app
