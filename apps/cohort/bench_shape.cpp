#include "bench_shape.h"

#include <fmt/format.h>

#include "cohort/error.h"

namespace cohort::app {

using engine::ThroughputCase;

ThroughputCase throughput_case(const BenchShape& shape, std::optional<int> n) {
  const bool images = shape.task == "row_mnist";
  ThroughputCase result = images ? engine::row_image_case() : ThroughputCase();
  if (images && shape.steps && *shape.steps != result.n_steps)
    throw Error(fmt::format("--steps is {}; task row_mnist has {} time steps", *shape.steps, result.n_steps));
  result.n_hidden = n.value_or(result.n_hidden);
  result.batch = shape.batch.value_or(result.batch);
  result.n_steps = shape.steps.value_or(result.n_steps);
  return result;
}

}  // namespace cohort::app
