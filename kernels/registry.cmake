# THE list. A word here plus one header of that name (folder/<word>.h, struct <word>) registers a component with
# both backends, the tool's options, `cohort list`, the laws and the conformance tests.
set(COHORT_CORES recurrent feedforward)
set(COHORT_GEOMETRIES euclidean p_norm neg_entropy unsigned_eg hypentropy)
set(COHORT_PARAMETERISATIONS dense column_ei dann)
set(COHORT_CELLS dense layer_norm batch_norm column_ei dann dann_subtractive)
set(COHORT_TASKS perceptual_decision delay_match_sample context_decision adding row_mnist flat_mnist language_model
    r_of_k linear_regression)
set(COHORT_DISTRIBUTIONS
    normal uniform uniform_fan_in exponential log_normal orthogonal column_ei_balanced dann he_normal dann_feedforward
    constant)

# Short lists that live in one header each.
set(COHORT_ACTIVATIONS relu tanh linear softplus)          # core/activation.h
set(COHORT_LOSSES cross_entropy mse bce)                   # core/loss.h
set(COHORT_PROJECTIONS none clamp frozen_sign csgd)        # program/projection.h
set(COHORT_SCHEDULES constant cosine step_decay)           # program/schedule.h
set(COHORT_PRECISIONS fp32 fp32x3 fp16)                    # core/precision.h
