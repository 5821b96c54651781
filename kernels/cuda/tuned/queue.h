// Work of a persistent kernel: items (chunk of training steps, network), handed out in that order by a counter, so that no
// block idles while others still have several networks to go. A chunk of a network waits for the chunk before it, which
// was handed out earlier and therefore is done or running: nothing deadlocks.
#pragma once

#include "cuda/gpu.h"
#include "cuda/ptx.h"
#include "team/cta.h"

COHORT_BEGIN

struct WorkQueue {
  int* next;  // counter, 0 at the start
  int* done;  // [count] chunks done of each network, 0 at the start; nullptr where all steps are one chunk
  int count;  // networks
  int64_t steps, chunk;

  struct Item {
    int network;
    int64_t first_step, n_steps;
  };

  // One for all lanes. False: nothing is left.
  COHORT_TEAM_FN bool take(const CtaTeam& team, Item* item) const {
    GPU_SHARED(int, shared, 1);
    team.sync();
    if (team.lane() == 0) shared[0] = atomicAdd(next, 1);
    team.sync();
    const int i = shared[0], c = i / count;
    *item = {i % count, c * chunk, steps - c * chunk < chunk ? steps - c * chunk : chunk};
    if (item->n_steps <= 0) return false;
    if (c > 0) {
      if (team.lane() == 0)
        while (ptx::load_acquire(done + item->network) < c) gpu::spin_hint();
      team.sync();
    }
    return true;
  }
  // After the last sync of the item's work.
  COHORT_TEAM_FN void finish(const CtaTeam& team, const Item& item) const {
    if (done && team.lane() == 0)
      ptx::store_release(done + item.network, int((item.first_step + item.n_steps + chunk - 1) / chunk));
  }

  // Chunks so short that every block takes some sixteen items, where there are more networks than blocks.
  static int64_t chunk_steps(int64_t steps, int count, int n_blocks) {
    if (count <= n_blocks) return steps;
    const int64_t chunk = (steps * count + 16 * int64_t(n_blocks) - 1) / (16 * int64_t(n_blocks));
    const int64_t least = steps * count / (int64_t(1) << 30) + 1;  // the counter is an int
    return chunk > steps ? steps : chunk > least ? chunk : least;
  }
};

COHORT_END
