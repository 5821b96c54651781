// What an inference says, for people and for programs.
#pragma once

#include <string>

#include "inference/geometry_inference.h"

namespace cohort::engine {

std::string inference_text(const Inference& inference, const InferenceOptions& options);
// One object; numbers that do not exist are null.
std::string inference_json(const Inference& inference, const InferenceOptions& options);

// "neg_entropy", "1.5": a member of the p-norm family in tables.
std::string name_of_p(double p);

}  // namespace cohort::engine
