# THE list of analyses: a word here plus analysis/<word>.h.
set(COHORT_ANALYSES
    weight_change representation_alignment cka kernel_alignment kernel_target_alignment sign_similarity sign_flips
    svd_entropy effective_rank participation_ratio stable_rank spectral_radius singular_values log_weight_moments)
