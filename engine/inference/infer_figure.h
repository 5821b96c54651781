// What an inference looks like.
#pragma once

#include <string>

#include "inference/geometry_inference.h"

namespace cohort::engine {

// An SVG document of four panels: the standardised dual changes against the weights before learning, as measured, under the best
// model and under the least likely candidate that is possible; the profile likelihood of p with its interval; the Delta-CDF of
// every candidate.
std::string infer_figure(const WeightPairs& pairs, const Inference& inference, const InferenceOptions& options);

}  // namespace cohort::engine
