// Potentials as a configuration names them: "neg_entropy", "euclidean", "p_norm:1.5", "hypentropy:0.1".
#pragma once

#include <string>
#include <vector>

#include "cohort/normality.h"

namespace cohort::engine {

// Throws Error, one line that says what is wrong with the word: an unknown geometry, a parameter that is missing, too much, or
// out of range (p in (1, 1000], beta > 0), or a number that is not written the shortest way (1.50).
Potential read_potential(const std::string& word);

std::vector<std::string> potential_words();  // what is allowed, for messages
std::string potential_word(const Potential& potential);
std::string potential_name(const Potential& potential);  // the same in the name of a column: "p_norm_1.5"

// Is the dual space the same? The p-norm of p = 2 is the Euclidean one.
bool same_dual_space(const Potential& a, const Potential& b);

}  // namespace cohort::engine
