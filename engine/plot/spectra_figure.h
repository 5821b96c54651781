// Spectra of weights at the start and at the end of training: eigenvalues in the complex plane, histograms of singular values.
#pragma once

#include <string>
#include <vector>

#include "plot/svg.h"

namespace cohort::engine {

inline constexpr size_t most_spectra_panels = 24;

struct EigenvaluesFigure {
  std::string title = {};
  struct Panel {
    std::string title = {};
    std::vector<svg::Point> start = {}, end = {};  // real and imaginary parts; what is not finite is left out
  };
  std::vector<Panel> panels = {};
  std::vector<std::string> notes = {};
};

// An SVG document: a panel each on the same scale, real and imaginary axis equally long, with the unit circle. Throws Error for
// more than most_spectra_panels panels.
std::string eigenvalues_figure(const EigenvaluesFigure& figure);

struct HistogramFigure {
  std::string title = {};
  std::string quantity = "singular value";
  struct Panel {
    std::string title = {};
    std::vector<double> start = {}, end = {};  // >= 0; what is not finite is left out
  };
  std::vector<Panel> panels = {};
  int n_bins = 40;   // from 0 to the largest value of all panels
  bool log = false;  // a logarithmic axis of shares
  std::vector<std::string> notes = {};
};

// An SVG document: a panel each with the same bins; of each bin the share of all values of the panel. Throws Error for more than
// most_spectra_panels panels or fewer than one bin.
std::string histogram_figure(const HistogramFigure& figure);

}  // namespace cohort::engine
