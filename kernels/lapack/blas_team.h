// A team of one whose products are BLAS's.
#pragma once

#include "lapack/routines.h"
#include "team/serial.h"

COHORT_BEGIN

struct BlasTeam : SerialTeam {
  template <class Real, int n_products, class Epilogue>
  void gemm(int m, int n, const Product<Real> (&products)[n_products], const Epilogue& epilogue) const {
    for (const Product<Real>& p : products)
      if (p.a_k != 1 && p.a_row != 1) return SerialTeam::gemm(m, n, products, epilogue);
    const int width = pad<Real>(n);
    alignas(64) Real out[size];
    const int most = size / width;
    if (most == 0) return SerialTeam::gemm(m, n, products, epilogue);
    for (int row = 0; row < m; row += most) {
      const int rows = m - row < most ? m - row : most;
      for (int i = 0; i < n_products; ++i) add(products[i], row, rows, width, i > 0, out);
      for (int r = 0; r < rows; ++r)
        for (int c = 0; c < width; ++c) epilogue(row + r, c, out[r * width + c]);
    }
  }

 private:
  static constexpr int size = 1 << 15;  // numbers of a block of results, on the stack
  template <class Real>
  static void add(const Product<Real>& p, int row, int rows, int width, bool more, Real* out) {
    const bool transposed = p.a_k != 1;
    lapack::gemm(transposed, rows, width, p.k, p.a + row * p.a_row, int(transposed ? p.a_k : p.a_row), p.b, int(p.ldb),
                 Real(more), out, width);
  }
};

COHORT_END
