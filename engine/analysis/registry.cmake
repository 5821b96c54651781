# THE list of analyses: a word here plus analysis/<word>.h.
set(COHORT_ANALYSES
    weight_change representation_alignment cka kernel_alignment kernel_target_alignment sign_similarity sign_flips
    svd_entropy effective_rank participation_ratio stable_rank spectral_radius spectral_gap
    singular_values eigenvalues matrix_norms log_weight_moments dual_change)

# Writes analysis_registry.h into `directory`: every analysis's header and the X-macro COHORT_FOR_EACH_ANALYSIS.
function(cohort_generate_analysis_registry directory)
  set(text "// Generated from engine/analysis/registry.cmake.\n#pragma once\n")
  foreach(word ${COHORT_ANALYSES})
    string(APPEND text "#include \"analysis/${word}.h\"\n")
  endforeach()
  string(REPLACE ";" ") X(" words "${COHORT_ANALYSES}")
  string(APPEND text "#define COHORT_FOR_EACH_ANALYSIS(X) X(${words})\n")
  file(CONFIGURE OUTPUT ${directory}/analysis_registry.h CONTENT "${text}")
endfunction()
