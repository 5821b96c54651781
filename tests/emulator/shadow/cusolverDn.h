// The slice of cuSOLVER that the project uses, by LAPACK on emulated device memory. Names, codes and order of
// parameters are cuSOLVER's; double only. Work is done when a function returns, after everything that its stream holds.
#pragma once

#include "emulator/emulator.h"

enum cusolverStatus_t { CUSOLVER_STATUS_SUCCESS = 0, CUSOLVER_STATUS_INVALID_VALUE = 3 };
enum cusolverEigMode_t { CUSOLVER_EIG_MODE_NOVECTOR = 0, CUSOLVER_EIG_MODE_VECTOR = 1 };
enum cublasFillMode_t { CUBLAS_FILL_MODE_LOWER = 0, CUBLAS_FILL_MODE_UPPER = 1 };
enum cudaDataType { CUDA_R_32F = 0, CUDA_R_64F = 1, CUDA_C_64F = 5 };
struct cusolverDnContext;
struct cusolverDnParams;
using cusolverDnHandle_t = cusolverDnContext*;
using cusolverDnParams_t = cusolverDnParams*;

cusolverStatus_t cusolverDnCreate(cusolverDnHandle_t* handle);
cusolverStatus_t cusolverDnDestroy(cusolverDnHandle_t handle);
cusolverStatus_t cusolverDnSetStream(cusolverDnHandle_t handle, cudaStream_t stream);
cusolverStatus_t cusolverDnCreateParams(cusolverDnParams_t* params);
cusolverStatus_t cusolverDnDestroyParams(cusolverDnParams_t params);

cusolverStatus_t cusolverDnXsyevBatched_bufferSize(cusolverDnHandle_t, cusolverDnParams_t, cusolverEigMode_t,
                                                   cublasFillMode_t, int64_t n, cudaDataType type_a, const void* a,
                                                   int64_t lda, cudaDataType type_w, const void* w,
                                                   cudaDataType compute_type, size_t* device_bytes, size_t* host_bytes,
                                                   int64_t count);
cusolverStatus_t cusolverDnXsyevBatched(cusolverDnHandle_t, cusolverDnParams_t, cusolverEigMode_t, cublasFillMode_t,
                                        int64_t n, cudaDataType type_a, void* a, int64_t lda, cudaDataType type_w,
                                        void* w, cudaDataType compute_type, void* device_buffer, size_t device_bytes,
                                        void* host_buffer, size_t host_bytes, int* info, int64_t count);
