#include "analysis/common.h"

#include <cblas.h>

#include <vector>

#include "device/blas.h"

namespace cohort::engine::analysis {
namespace {

std::vector<double> in_double(const MatrixView& a, bool centred) {
  const std::span<const float> all = a.all();
  std::vector<double> out(all.begin(), all.end());
  if (!centred) return out;
  const size_t n = size_t(a.cols);
  std::vector<double> mean(n, 0.0);
  for (size_t i = 0; i < out.size(); ++i) mean[i % n] += out[i];
  for (double& value : mean) value /= a.rows;
  for (size_t i = 0; i < out.size(); ++i) out[i] -= mean[i % n];
  return out;
}

double dot(const std::vector<double>& a, const std::vector<double>& b) {
  double sum = 0;
  for (size_t i = 0; i < a.size(); ++i) sum += a[i] * b[i];
  return sum;
}

}  // namespace

double gram_cosine(const MatrixView& a, const MatrixView& b, bool centred) {
  if (!comparable(a, b)) return no_value;
  single_threaded_blas();
  const std::vector<double> x = in_double(a, centred), y = in_double(b, centred);
  const int m = a.rows, n = a.cols;
  // The smaller of the two forms of the same three numbers: m x m Gram matrices, or n x n products A^T B.
  const int k = std::min(m, n);
  const auto product = [&](const std::vector<double>& left, const std::vector<double>& right) {
    std::vector<double> out(size_t(k) * size_t(k));
    if (m <= n)
      cblas_dgemm(CblasRowMajor, CblasNoTrans, CblasTrans, m, m, n, 1.0, left.data(), n, right.data(), n, 0.0,
                  out.data(), m);
    else
      cblas_dgemm(CblasRowMajor, CblasTrans, CblasNoTrans, n, n, m, 1.0, left.data(), n, right.data(), n, 0.0,
                  out.data(), n);
    return out;
  };
  const std::vector<double> xx = product(x, x), yy = product(y, y);
  double xy = 0;
  if (m <= n) {
    xy = dot(xx, yy);
  } else {
    const std::vector<double> cross = product(x, y);
    xy = dot(cross, cross);
  }
  return ratio(xy, std::sqrt(dot(xx, xx)) * std::sqrt(dot(yy, yy)));
}

}  // namespace cohort::engine::analysis
