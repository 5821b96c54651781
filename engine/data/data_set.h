// What the tasks of an experiment read, whichever kind of data that is.
#pragma once

#include <string>

#include "config/experiment.h"
#include "data/idx.h"
#include "data/tokens.h"

namespace cohort::engine {

// At most one of the two holds anything.
struct DataSet {
  ImageSet images;
  TokenSet tokens;

  // Points into this set, which must outlive it unmoved and unchanged; empty where nothing was loaded.
  Dataset view() const;
};

// The kind of data that an experiment's tasks read. Error where some read images and others tokens.
DataKind needed_data(const Experiment& experiment);

// Loads what an experiment's tasks read, from the directory that `option` (the value of --data) or the environment names;
// nothing where no task needs data. Errors and IoErrors as those of needed_data, data_directory, load_images and load_tokens;
// Error where task.vocabulary or task.dimension of a network are not those of embeddings.txt, task.steps of two networks that
// read tokens differ, or a network is to be evaluated on more samples than there are (evaluated_trials).
DataSet load_data(const Experiment& experiment, const std::string& option);

}  // namespace cohort::engine
