#include <cusolverDn.h>

#include <lapacke.h>

#include <vector>

struct cusolverDnContext {
  cudaStream_t stream = nullptr;
};
struct cusolverDnParams {};

namespace {

using emulator::fail;

// Sizes that are not those of the real library, so that nobody counts on one.
constexpr size_t device_scratch = 96, host_scratch = 40;

std::vector<double> fetch(const void* device, size_t n) {
  std::vector<double> host(n);
  if (cudaMemcpy(host.data(), device, n * sizeof(double), cudaMemcpyDeviceToHost) != cudaSuccess)
    fail("cuSOLVER: copy from the device");
  return host;
}
template <class T>
void store(void* device, const T* host, size_t n) {
  if (cudaMemcpy(device, host, n * sizeof(T), cudaMemcpyHostToDevice) != cudaSuccess)
    fail("cuSOLVER: copy to the device");
}

void check_buffers(void* device_buffer, size_t device_bytes, void* host_buffer, size_t host_bytes) {
  if (device_bytes < device_scratch || host_bytes < host_scratch)
    fail("cuSOLVER: the buffers are smaller than asked for");
  if (cudaMemset(device_buffer, 0xff, device_bytes) != cudaSuccess) fail("cuSOLVER: the device's buffer");
  std::memset(host_buffer, 0xff, host_bytes);
}

}  // namespace

cusolverStatus_t cusolverDnCreate(cusolverDnHandle_t* handle) {
  *handle = new cusolverDnContext;
  return CUSOLVER_STATUS_SUCCESS;
}
cusolverStatus_t cusolverDnDestroy(cusolverDnHandle_t handle) {
  delete handle;
  return CUSOLVER_STATUS_SUCCESS;
}
cusolverStatus_t cusolverDnSetStream(cusolverDnHandle_t handle, cudaStream_t stream) {
  handle->stream = stream;
  return CUSOLVER_STATUS_SUCCESS;
}
cusolverStatus_t cusolverDnCreateParams(cusolverDnParams_t* params) {
  *params = new cusolverDnParams;
  return CUSOLVER_STATUS_SUCCESS;
}
cusolverStatus_t cusolverDnDestroyParams(cusolverDnParams_t params) {
  delete params;
  return CUSOLVER_STATUS_SUCCESS;
}

cusolverStatus_t cusolverDnXsyevBatched_bufferSize(cusolverDnHandle_t, cusolverDnParams_t, cusolverEigMode_t,
                                                   cublasFillMode_t, int64_t, cudaDataType, const void*, int64_t,
                                                   cudaDataType, const void*, cudaDataType, size_t* device_bytes,
                                                   size_t* host_bytes, int64_t) {
  *device_bytes = device_scratch;
  *host_bytes = host_scratch;
  return CUSOLVER_STATUS_SUCCESS;
}
cusolverStatus_t cusolverDnXsyevBatched(cusolverDnHandle_t handle, cusolverDnParams_t, cusolverEigMode_t mode,
                                        cublasFillMode_t uplo, int64_t n, cudaDataType type_a, void* a, int64_t lda,
                                        cudaDataType type_w, void* w, cudaDataType compute_type, void* device_buffer,
                                        size_t device_bytes, void* host_buffer, size_t host_bytes, int* info,
                                        int64_t count) {
  if (type_a != CUDA_R_64F || type_w != CUDA_R_64F || compute_type != CUDA_R_64F || n < 1 || lda < n)
    return CUSOLVER_STATUS_INVALID_VALUE;
  cudaStreamSynchronize(handle->stream);
  check_buffers(device_buffer, device_bytes, host_buffer, host_bytes);
  std::vector<double> matrices = fetch(a, size_t(count * n * lda)), values(size_t(count * n));
  std::vector<int> failed(size_t(count), 0);
  for (int64_t i = 0; i < count; ++i)
    failed[size_t(i)] = LAPACKE_dsyev(LAPACK_COL_MAJOR, mode == CUSOLVER_EIG_MODE_VECTOR ? 'V' : 'N',
                                      uplo == CUBLAS_FILL_MODE_LOWER ? 'L' : 'U', lapack_int(n),
                                      matrices.data() + i * n * lda, lapack_int(lda), values.data() + i * n);
  store(a, matrices.data(), matrices.size());
  store(w, values.data(), values.size());
  store(info, failed.data(), failed.size());
  return CUSOLVER_STATUS_SUCCESS;
}
