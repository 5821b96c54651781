// The CUDA programs that the launch policy chooses from, one row each.
#pragma once

#include "cohort/kernels.h"
#include "team/target.h"

COHORT_BEGIN

const Program<COHORT_REAL>& generic_program();                  // driver.cu: any shape of recurrent networks
const Program<COHORT_REAL>& feedforward_program();              // feedforward.cu: any shape of feedforward networks
const Program<COHORT_REAL>& shallow_program();                  // tuned/shallow.cu: no hidden layers, in groups
const Program<float>& tiled_program();                          // tuned/tiled/tiled.cu: up to 256 hidden units
const Program<float>& cublas_program();                         // tuned/cublas.cu: beyond
const Program<float>& mma_program(const Signature& signature);  // tuned/mma: half precision on tensor cores
// Why a program does not take networks of this signature on the current device; nullptr where it does.
const char* shallow_refuses(const Signature& signature);
const char* tiled_refuses(const Signature& signature);
const char* cublas_refuses(const Signature& signature);
const char* mma_refuses(const Signature& signature);

// Trains the networks of a launch that follow natural gradients, by the generic program (feedforward.cu), and no others.
void train_natural(const TrainArgs<COHORT_REAL>& args, const Launch& launch);

COHORT_END
