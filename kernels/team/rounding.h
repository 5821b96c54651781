// A team of one that rounds the operands of products, as a program on tensor cores would; the contract is in team/serial.h.
// Products and sums stay those of SerialTeam.
#pragma once

#include "math/rounding.h"
#include "team/serial.h"

COHORT_BEGIN

enum class Operands { half, two_halves, two_bfloat16s };

struct RoundingTeam : SerialTeam {
  Operands operands = Operands::half;
  float scale = 1;  // a power of two, by which operands are multiplied before they are rounded, divided after
  bool* overflowed = nullptr;  // set once a finite number was rounded to one that is not
  void* inputs = nullptr;      // room for a copy of the batch's inputs, which may have to be rounded once more

  RoundingTeam scaled(float by) const {
    RoundingTeam team = *this;
    team.scale = by;
    return team;
  }

  template <class Real>
  void round_operands(Real* x, int n) const {
    switch (operands) {
      case Operands::half:
        return round_each(x, n, [](float v) { return math::to_half(v); });
      case Operands::two_halves:
        return round_each(x, n, [](float v) { return math::split_half(v).sum(); });
      case Operands::two_bfloat16s:
        return round_each(x, n, [](float v) { return math::split_bfloat16(v).sum(); });
    }
  }

 private:
  template <class Real, class Round>
  void round_each(Real* x, int n, Round round) const {
    bool left_range = false;
    for (int i = 0; i < n; ++i) {
      const float exact = float(x[i]), rounded = round(exact * scale);
      left_range |= exact - exact == 0.0f && !(rounded - rounded == 0.0f);
      x[i] = Real(rounded / scale);
    }
    if (overflowed && left_range) *overflowed = true;
  }
};

COHORT_END
