// BLAS's product and LAPACK's decompositions of one matrix, for float and double by one name. Row-major matrices are their transposes to LAPACK:
// singular values are the same, U and V change places.
#pragma once

#include <cblas.h>
#include <lapacke.h>

#include <stdexcept>
#include <string>

namespace cohort::lapack {

// False where the iteration failed; a wrong argument is a bug of the caller.
inline bool converged(const char* routine, lapack_int info) {
  if (info < 0) throw std::logic_error(std::string(routine) + ": argument " + std::to_string(-info) + " is wrong");
  return info == 0;
}

// job 'N': values alone; 'S': also the thin U [m][k] and V^T [k][n], by columns.
inline bool gesdd(char job, int m, int n, float* a, float* s, float* u, float* vt, float* work, int n_work,
                  lapack_int* iwork) {
  const int k = m < n ? m : n;
  return converged("sgesdd", LAPACKE_sgesdd_work(LAPACK_COL_MAJOR, job, m, n, a, m, s, u, m, vt, job == 'N' ? 1 : k,
                                                 work, n_work, iwork));
}
inline bool gesdd(char job, int m, int n, double* a, double* s, double* u, double* vt, double* work, int n_work,
                  lapack_int* iwork) {
  const int k = m < n ? m : n;
  return converged("dgesdd", LAPACKE_dgesdd_work(LAPACK_COL_MAJOR, job, m, n, a, m, s, u, m, vt, job == 'N' ? 1 : k,
                                                 work, n_work, iwork));
}
// Numbers of scratch that gesdd asks for.
template <class Real>
int gesdd_work(char job, int m, int n) {
  Real size = 0, none = 0;
  lapack_int one = 0;
  gesdd(job, m, n, &none, &none, &none, &none, &size, -1, &one);
  return int(size) + 1;  // a float rounds large numbers
}

inline bool geev(int n, double* a, double* re, double* im, double* work, int n_work) {
  return converged(
      "dgeev", LAPACKE_dgeev_work(LAPACK_COL_MAJOR, 'N', 'N', n, a, n, re, im, nullptr, 1, nullptr, 1, work, n_work));
}
inline int geev_work(int n) {
  double size = 0, none = 0;
  geev(n, &none, &none, &none, &size, -1);
  return int(size);
}

// c [m][n] = op(a) b + beta c, all by rows; transposed: a is [k][lda].
inline void gemm(bool transposed, int m, int n, int k, const float* a, int lda, const float* b, int ldb, float beta,
                 float* c, int ldc) {
  cblas_sgemm(CblasRowMajor, transposed ? CblasTrans : CblasNoTrans, CblasNoTrans, m, n, k, 1, a, lda, b, ldb, beta, c,
              ldc);
}
inline void gemm(bool transposed, int m, int n, int k, const double* a, int lda, const double* b, int ldb, double beta,
                 double* c, int ldc) {
  cblas_dgemm(CblasRowMajor, transposed ? CblasTrans : CblasNoTrans, CblasNoTrans, m, n, k, 1, a, lda, b, ldb, beta, c,
              ldc);
}

}  // namespace cohort::lapack
