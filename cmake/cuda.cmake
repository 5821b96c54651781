# COHORT_CUDA = AUTO | ON | OFF -> COHORT_CUDA_ENABLED. CUDA code is C++20 for the architectures of CMAKE_CUDA_ARCHITECTURES,
# with warnings as errors. Nothing that a user starts links CUDA: the backend is a module (engine/device/open_device.cpp).
set(COHORT_CUDA_ENABLED OFF)
if(NOT COHORT_CUDA MATCHES "^(AUTO|ON|OFF)$")
  message(FATAL_ERROR "COHORT_CUDA is '${COHORT_CUDA}'; allowed: AUTO, ON, OFF")
endif()
if(COHORT_CUDA STREQUAL "OFF")
  return()
endif()

# 80 also gives PTX for cards to come; the PTX of 90a would run on no other card.
set(CMAKE_CUDA_ARCHITECTURES "80;90a-real" CACHE STRING "architectures of the CUDA backend")
include(CheckLanguage)
check_language(CUDA)
if(NOT CMAKE_CUDA_COMPILER AND EXISTS /usr/local/cuda/bin/nvcc)  # often not in PATH
  set(CMAKE_CUDA_COMPILER /usr/local/cuda/bin/nvcc)
endif()
if(NOT CMAKE_CUDA_COMPILER)
  if(COHORT_CUDA STREQUAL "ON")
    message(FATAL_ERROR "COHORT_CUDA=ON, but no CUDA compiler was found; set CMAKE_CUDA_COMPILER or put nvcc into PATH")
  endif()
  message(STATUS "CUDA backend: off, no compiler was found")
  return()
endif()
enable_language(CUDA)
find_package(CUDAToolkit REQUIRED)
set(COHORT_CUDA_ENABLED ON)
message(STATUS "CUDA backend: on, nvcc ${CMAKE_CUDA_COMPILER_VERSION}, architectures ${CMAKE_CUDA_ARCHITECTURES}")

# CMake 3.25 does not know the C++20 option of nvcc 13.
if(NOT CMAKE_CUDA20_STANDARD_COMPILE_OPTION)
  set(CMAKE_CUDA20_STANDARD_COMPILE_OPTION -std=c++20)
  set(CMAKE_CUDA20_EXTENSION_COMPILE_OPTION -std=c++20)
endif()

# Advisories of ptxas, such as serialised wgmma, pass --Werror; this fails for them, and sees what ccache repeats.
list(PREPEND CMAKE_CUDA_COMPILER_LAUNCHER ${CMAKE_CURRENT_LIST_DIR}/strict.sh)

add_library(cohort_cuda_house INTERFACE)
target_compile_options(cohort_cuda_house INTERFACE
  "$<$<COMPILE_LANGUAGE:CUDA>:--Werror=all-warnings;-Xcompiler=-Wall,-Wextra,-Werror>")

# cohort_cuda_kernels(name real architectures...): the CUDA programs for one Real; the tuned ones are fp32, normality takes
# no other weights.
function(cohort_cuda_kernels name real)
  list(TRANSFORM ARGN REPLACE "-(real|virtual)$" "" OUTPUT_VARIABLE isa)
  list(TRANSFORM isa PREPEND "sm_")
  list(JOIN isa "," isa)
  set(folder ${PROJECT_SOURCE_DIR}/kernels/cuda)
  file(GLOB mma CONFIGURE_DEPENDS ${folder}/tuned/mma/*.cu)
  add_library(${name} STATIC ${folder}/driver.cu ${folder}/feedforward.cu ${folder}/policy.cu ${folder}/update.cu ${folder}/tuned/shallow.cu)
  if(real STREQUAL "float")
    target_sources(${name} PRIVATE ${folder}/normality.cu ${folder}/segmented_sort.cu ${folder}/tuned/tiled/tiled.cu ${folder}/tuned/cublas.cu ${mma})
    target_link_libraries(${name} PRIVATE CUDA::cublas)
  endif()
  set_target_properties(${name} PROPERTIES CUDA_ARCHITECTURES "${ARGN}")
  target_compile_definitions(${name} PRIVATE COHORT_TARGET=cuda_${real} COHORT_REAL=${real} COHORT_ISA="${isa}")
  target_link_libraries(${name} PUBLIC cohort_kernel_headers PRIVATE cohort_cuda_house CUDA::cudart_static)
endfunction()
