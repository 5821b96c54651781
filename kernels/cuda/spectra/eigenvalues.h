// Eigenvalues of one real matrix by a block, in double. In order:
//   scale     by a power of two
//   isolate   indices whose row or column is zero but for the diagonal give their eigenvalue exactly; so do all of a permuted
//             triangular matrix
//   balance   by powers of two on the diagonal: rows and columns of like sums (Osborne 1960; Parlett and Reinsch 1969)
//   reduce    to Hessenberg form by reflections (Householder 1958)
//   iterate   QR steps with two shifts at once (Francis 1961) on the last block that has not come apart yet. A subdiagonal
//             element counts as zero where that moves no eigenvalue by more than rounding (Ahues and Tisseur 1997)
// Matrices are row-major in rows of ld elements, ld odd, so that neither rows nor columns meet in the banks of shared memory.
#pragma once

#include "cuda/gpu.h"
#include "spectra/measures.h"
#include "spectra/scale.h"
#include "team/cta.h"

COHORT_BEGIN
namespace eigen {

struct Room {
  double* h;  // [n][ld]
  int ld;
  double *re, *im;    // [n] eigenvalues of the scaled matrix
  double *v, *w, *y;  // [n] each
  int *rows, *cols;   // [n] each

  static __host__ __device__ int odd(int n) { return n | 1; }
  // All but h.
  __host__ __device__ void take_small(gpu::Smem& memory, int n) {
    ld = odd(n);
    re = memory.take<double>(size_t(n));
    im = memory.take<double>(size_t(n));
    v = memory.take<double>(size_t(n));
    w = memory.take<double>(size_t(n));
    y = memory.take<double>(size_t(n));
    rows = memory.take<int>(size_t(n));
    cols = memory.take<int>(size_t(n));
  }
};

// Takes isolated indices out, one after another: their eigenvalues go to the end of re and im. Returns how many are left, and
// leaves which they are in room.cols.
COHORT_PHASE_FN int isolate(const CtaTeam& team, const Room& room, int n) {
  const double* const h = room.h;
  int *const rows = room.rows, *const cols = room.cols, ld = room.ld;
  team.for_each(n, [=](int i) {  // elements off the diagonal that are not zero
    int in_row = 0, in_col = 0;
    for (int j = 0; j < n; ++j) {
      in_row += h[i * ld + j] != 0.0 && j != i;
      in_col += h[j * ld + i] != 0.0 && j != i;
    }
    rows[i] = in_row;
    cols[i] = in_col;
  });
  int left = n;
  for (;;) {  // every lane looks at its own indices only; one that is out has -1
    const int found = int(team.largest(n, [=](int i) { return rows[i] == 0 || cols[i] == 0 ? float(i + 1) : 0.0f; }));
    if (found == 0) break;
    const int out = found - 1;
    --left;
    team.for_each(n, [=](int i) {
      if (i == out) {
        rows[i] = cols[i] = -1;
        room.re[left] = h[i * ld + i];
        room.im[left] = 0.0;
      } else if (rows[i] >= 0) {
        rows[i] -= h[i * ld + out] != 0.0;
        cols[i] -= h[out * ld + i] != 0.0;
      }
    });
  }
  team.sync();
  if (team.lane() == 0)
    for (int i = 0, next = 0; i < n; ++i)
      if (rows[i] >= 0) cols[next++] = i;
  team.sync();
  return left;
}

// H becomes D^-1 H D, D powers of two. All indices move at once, by half of what would make row and column alike: two that
// lean on one another would overshoot otherwise.
COHORT_PHASE_FN void balance(const CtaTeam& team, const Room& room, int n) {
  double* const h = room.h;
  int *const shift = room.rows, ld = room.ld;
  constexpr int most_sweeps = 16;
  for (int sweep = 0; sweep < most_sweeps; ++sweep) {
    team.for_each(n, [=](int i) {
      double row = 0.0, col = 0.0;
      for (int j = 0; j < n; ++j) {
        row += j == i ? 0.0 : math::abs(h[i * ld + j]);
        col += j == i ? 0.0 : math::abs(h[j * ld + i]);
      }
      shift[i] = row > 0.0 && col > 0.0 ? (::ilogb(row) - ::ilogb(col)) / 4 : 0;
    });
    if (team.largest(n, [=](int i) { return shift[i] != 0 ? 1.0f : 0.0f; }) == 0.0f) break;
    team.for_each_2d(n, n, [=](int r, int c) {
      const int by = shift[c] - shift[r];
      if (by != 0) h[r * ld + c] = ::ldexp(h[r * ld + c], by);
    });
    team.sync();
  }
}

// Column k below the subdiagonal becomes zero by P = I - tau v v^T, and H becomes P H P in one pass: with w = tau H^T v and
// y = tau H v it is H - v w^T - y v^T + tau (v^T y) v v^T. rows_by_warps: a row's dot product with v by a warp instead of a
// lane, for memory that is read best in rows.
COHORT_PHASE_FN void reduce(const CtaTeam& team, const Room& room, int n, bool rows_by_warps) {
  double* const h = room.h;
  double *const v = room.v, *const w = room.w, *const y = room.y;
  const int ld = room.ld;
  for (int k = 0; k + 2 < n; ++k) {
    const int m = n - k - 1, top = k + 1;
    const double alpha = h[top * ld + k];
    const double tail = team.sum<double>(m - 1, [=](int i) {
      const double x = h[(top + 1 + i) * ld + k];
      return x * x;
    });
    if (tail == 0.0) {  // or too small to be seen beside the matrix
      team.for_each(m - 1, [=](int i) { h[(top + 1 + i) * ld + k] = 0.0; });
      continue;
    }
    const double norm = math::sqrt(alpha * alpha + tail), beta = alpha < 0.0 ? norm : -norm;
    const double tau = (beta - alpha) / beta, inverse = 1.0 / (alpha - beta);
    team.for_each(m, [=](int i) {
      v[i] = i == 0 ? 1.0 : h[(top + i) * ld + k] * inverse;
      if (i > 0) h[(top + i) * ld + k] = 0.0;
    });
    team.sync();
    if (team.lane() == 0) h[top * ld + k] = beta;
    team.for_each(m, [=](int j) {
      double dot = 0.0;
      for (int i = 0; i < m; ++i) dot += v[i] * h[(top + i) * ld + top + j];
      w[j] = tau * dot;
    });
    if (rows_by_warps) {
      for (int r = team.lane() / 32; r < n; r += team.size() / 32) {
        double dot = 0.0;
        for (int j = team.lane() % 32; j < m; j += 32) dot += h[r * ld + top + j] * v[j];
        for (int distance = 16; distance > 0; distance /= 2) dot += __shfl_xor_sync(0xffffffffu, dot, distance);
        if (team.lane() % 32 == 0) y[r] = tau * dot;
      }
    } else {
      team.for_each(n, [=](int r) {
        double dot = 0.0;
        for (int j = 0; j < m; ++j) dot += h[r * ld + top + j] * v[j];
        y[r] = tau * dot;
      });
    }
    team.sync();
    const double both = tau * team.sum<double>(m, [=](int i) { return v[i] * y[top + i]; });
    team.for_each_2d(n, m, [=](int r, int c) {
      const double of_row = r < top ? 0.0 : v[r - top];
      h[r * ld + top + c] -= of_row * w[c] + (y[r] - both * of_row) * v[c];
    });
    team.sync();
  }
}

// Does h[k][k - 1] count as zero, k in (0, hi]?
COHORT_TEAM_FN bool negligible(const double* h, int ld, int k, int hi) {
  constexpr double ulp = 0x1p-52, smallest = 0x1p-960;
  const double sub = math::abs(h[k * ld + k - 1]);
  if (sub <= smallest) return true;
  const double a = h[(k - 1) * ld + k - 1], d = h[k * ld + k];
  double size = math::abs(a) + math::abs(d);
  if (size == 0.0) {
    if (k >= 2) size += math::abs(h[(k - 1) * ld + k - 2]);
    if (k < hi) size += math::abs(h[(k + 1) * ld + k]);
  }
  if (sub > ulp * size) return false;
  const double super = math::abs(h[(k - 1) * ld + k]), corner = math::abs(d), apart = math::abs(a - d);
  const double off_large = math::max(sub, super), off_small = math::min(sub, super);
  const double on_large = math::max(corner, apart), on_small = math::min(corner, apart);
  const double sum = on_large + off_large;
  return off_small * (off_large / sum) <= math::max(smallest, ulp * (on_small * (on_large / sum)));
}

// Eigenvalues of [a b; c d]: re[0] +- i im[0], or two real ones.
COHORT_TEAM_FN void eigenvalues_of_2x2(double a, double b, double c, double d, double* re, double* im) {
  const double p = .5 * (a - d), q = ::fma(p, p, b * c);
  if (q >= 0.0) {
    const double z = p < 0.0 ? p - math::sqrt(q) : p + math::sqrt(q);
    re[0] = d + z;
    re[1] = z != 0.0 ? d - b * c / z : d;
    im[0] = im[1] = 0.0;
  } else {
    re[0] = re[1] = d + p;
    im[0] = math::sqrt(-q);
    im[1] = -im[0];
  }
}

// The shifts of one step: re +- i im, or re twice.
struct Shifts {
  double re, im;
};
// From the last two rows of rows [lo, hi]; every tenth step of a block from somewhere else, against cycles.
COHORT_TEAM_FN Shifts shifts(const double* h, int ld, int lo, int hi, int step) {
  double a, b, c, d;
  if (step > 0 && step % 10 == 0) {
    const bool from_top = step % 20 == 10;
    const double s = from_top ? math::abs(h[(lo + 1) * ld + lo]) + math::abs(h[(lo + 2) * ld + lo + 1])
                              : math::abs(h[hi * ld + hi - 1]) + math::abs(h[(hi - 1) * ld + hi - 2]);
    a = d = .75 * s + (from_top ? h[lo * ld + lo] : h[hi * ld + hi]);
    b = -.4375 * s;
    c = s;
  } else {
    a = h[(hi - 1) * ld + hi - 1];
    b = h[(hi - 1) * ld + hi];
    c = h[hi * ld + hi - 1];
    d = h[hi * ld + hi];
  }
  double re[2], im[2];
  eigenvalues_of_2x2(a, b, c, d, re, im);
  return {im[0] == 0.0 && math::abs(re[1] - d) > math::abs(re[0] - d) ? re[0] : re[1], im[0]};
}

// I - tau (1, v1, v2)(1, v1, v2)^T takes x to (beta, 0, 0).
struct Reflection {
  double tau = 0.0, v1 = 0.0, v2 = 0.0, beta = 0.0;
  COHORT_TEAM_FN Reflection(double x0, double x1, double x2) {
    const double size = math::abs(x0) + math::abs(x1) + math::abs(x2);
    if (size == 0.0) return;
    const double a = x0 / size, b = x1 / size, c = x2 / size;
    const double norm = math::sqrt(a * a + (b * b + c * c)), end = a < 0.0 ? norm : -norm;
    const double inverse = 1.0 / (a - end);
    tau = (end - a) / end;
    v1 = b * inverse;
    v2 = c * inverse;
    beta = end * size;
  }
  COHORT_TEAM_FN void apply(double& x0, double& x1) const {
    const double sum = tau * (x0 + v1 * x1);
    x0 -= sum;
    x1 -= sum * v1;
  }
  COHORT_TEAM_FN void apply(double& x0, double& x1, double& x2) const {
    const double sum = tau * (x0 + v1 * x1 + v2 * x2);
    x0 -= sum;
    x1 -= sum * v1;
    x2 -= sum * v2;
  }
};

// One QR step on rows and columns [lo, hi], hi >= lo + 2: the bulge that the shifts make goes down the diagonal. Every lane
// works out every reflection, from what all of them see.
COHORT_TEAM_FN void step(const CtaTeam& team, double* h, int ld, int lo, int hi, const Shifts& s) {
  double x, y, z;
  {  // (H - s1)(H - s2) e_lo, scaled
    const double a = h[lo * ld + lo], b = h[lo * ld + lo + 1], c = h[(lo + 1) * ld + lo];
    const double d = h[(lo + 1) * ld + lo + 1], e = h[(lo + 2) * ld + lo + 1];
    const double size = math::abs(a - s.re) + math::abs(s.im) + math::abs(c), below = c / size;
    x = (a - s.re) * ((a - s.re) / size) + s.im * (s.im / size) + b * below;
    y = below * (a + d - 2.0 * s.re);
    z = below * e;
  }
  team.sync();  // all have seen what gave the shifts and the first reflection
  for (int k = lo; k < hi; ++k) {
    const bool three = k + 2 <= hi;
    if (k > lo) {
      x = h[k * ld + k - 1];
      y = h[(k + 1) * ld + k - 1];
      z = three ? h[(k + 2) * ld + k - 1] : 0.0;
    }
    const Reflection p(x, y, z);
    team.for_each(hi - k + 1, [=](int j) {
      double* const column = h + k * ld + k + j;
      if (three)
        p.apply(column[0], column[ld], column[2 * ld]);
      else
        p.apply(column[0], column[ld]);
    });
    team.sync();
    const int end = k + 3 <= hi ? k + 3 : hi;
    team.for_each(end - lo + 1, [=](int i) {
      double* const row = h + (lo + i) * ld + k;
      if (three)
        p.apply(row[0], row[1], row[2]);
      else
        p.apply(row[0], row[1]);
    });
    if (k > lo && team.lane() == 0) {
      h[k * ld + k - 1] = p.beta;
      h[(k + 1) * ld + k - 1] = 0.0;
      if (three) h[(k + 2) * ld + k - 1] = 0.0;
    }
    team.sync();
  }
}

// Eigenvalues of the Hessenberg matrix; false where 30 steps per eigenvalue were not enough. Ends synced.
COHORT_PHASE_FN bool iterate(const CtaTeam& team, const Room& room, int n) {
  double* const h = room.h;
  const int ld = room.ld, most_steps = 30 * (n > 10 ? n : 10);
  int hi = n - 1, n_steps = 0, of_block = 0;
  while (hi >= 0) {
    const int last = hi;
    const int lo = int(team.largest(hi, [=](int i) { return negligible(h, ld, i + 1, last) ? float(i + 1) : 0.0f; }));
    if (lo >= hi - 1) {
      if (team.lane() == 0) {
        if (lo == hi) {
          room.re[hi] = h[hi * ld + hi];
          room.im[hi] = 0.0;
        } else {
          eigenvalues_of_2x2(h[lo * ld + lo], h[lo * ld + hi], h[hi * ld + lo], h[hi * ld + hi], room.re + lo,
                             room.im + lo);
        }
      }
      hi = lo - 1;
      of_block = 0;
      continue;
    }
    if (++n_steps > most_steps) return false;
    const Shifts s = shifts(h, ld, lo, hi, of_block++);
    if (lo > 0 && team.lane() == 0) h[lo * ld + lo - 1] = 0.0;  // for good
    step(team, h, ld, lo, hi, s);
  }
  team.sync();
  return true;
}

// By falling modulus, then real part, then |imaginary part|; the positive imaginary part was put first.
template <class Real>
COHORT_TEAM_FN void write_sorted(const CtaTeam& team, const Room& room, int n, int exponent, Real* eigenvalues) {
  const double *const re = room.re, *const im = room.im;
  double* const modulus = room.v;
  team.for_each(n, [=](int i) { modulus[i] = measures::modulus(re[i], im[i]); });
  team.sync();
  team.for_each(n, [=](int i) {
    const double length = modulus[i], real = re[i], imaginary = math::abs(im[i]);
    int place = 0;
    for (int j = 0; j < n; ++j) {
      const double other = math::abs(im[j]);
      place += modulus[j] != length ? modulus[j] > length
               : re[j] != real      ? re[j] > real
               : other != imaginary ? other > imaginary
                                    : j < i;
    }
    eigenvalues[2 * place] = Real(::ldexp(real, exponent));
    eigenvalues[2 * place + 1] = Real(::ldexp(im[i], exponent));
  });
}

// a [n][n], eigenvalues [n][2]. Ends synced.
template <class Real>
COHORT_TEAM_FN SpectrumStatus eigenvalues_of(const CtaTeam& team, const Real* a, int n, const Room& room,
                                             bool rows_by_warps, Real* eigenvalues) {
  double* const h = room.h;
  const int* const kept = room.cols;
  const int ld = room.ld;
  const MatrixScale scale = scale_of(team, a, n * n);
  SpectrumStatus status = scale.finite ? SpectrumStatus::ok : SpectrumStatus::not_finite;
  if (scale.finite) {
    const int exponent = scale.exponent;
    team.for_each_2d(n, n, [=](int r, int c) { h[r * ld + c] = ::ldexp(double(a[ptrdiff_t(r) * n + c]), -exponent); });
    team.sync();
    const int left = isolate(team, room, n);
    if (left < n) {
      team.for_each_2d(left, left, [=](int r, int c) {
        h[r * ld + c] = ::ldexp(double(a[ptrdiff_t(kept[r]) * n + kept[c]]), -exponent);
      });
      team.sync();
    }
    balance(team, room, left);
    reduce(team, room, left, rows_by_warps);
    if (!iterate(team, room, left)) status = SpectrumStatus::not_converged;
  }
  if (status == SpectrumStatus::ok)
    write_sorted(team, room, n, scale.exponent, eigenvalues);
  else
    team.for_each(2 * n, [=](int i) { eigenvalues[i] = Real(__builtin_nanf("")); });
  team.sync();
  return status;
}

}  // namespace eigen
COHORT_END
