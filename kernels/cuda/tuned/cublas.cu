// The cuBLAS program: training of wide networks, a group of them in step. A time step is one strided-batched product over the
// group and one pointwise kernel; inputs are projected before the sequence and weight gradients made after it, each as one
// product with T x rows rows. One training step of a group is a CUDA graph, replayed for every step and group; what a
// network does apart from its products is the generic program's, a block each. The size of a group depends on the signature
// alone, so that cuBLAS always adds in the same order.
#include <cublas_v2.h>

#include <map>
#include <mutex>

#include "cuda/arguments.h"
#include "cuda/programs.h"
#include "program/train.h"
#include "team/quad.h"

COHORT_BEGIN

namespace {

using Args = TrainArgs<float>;
constexpr int n_threads = CtaTeam::threads;
constexpr size_t cublas_bytes = size_t(32) << 20;  // of scratch memory, what cuBLAS recommends for sm_90

// ---- memory: [header][scratch of cuBLAS][slots]
struct Header {
  int first, count;  // the group's networks
};
struct Progress {
  int64_t done;  // steps of this launch
  int active;    // whether the network takes part in the current one
  float loss;
};
struct Slot {
  Progress* progress;
  Workspace<float> w;
  COHORT_FN static Slot carve(Arena& arena, const Signature& g) {
    Slot slot{};
    slot.progress = arena.take<Progress>(1);
    slot.w = Workspace<float>::carve<CtaTeam>(arena, g, g.batch, Purpose::learning);
    return slot;
  }
  static size_t bytes(const Signature& g) {
    Arena arena(nullptr);
    carve(arena, g);
    return arena.used();
  }
};

// Networks in step: a GFLOP per product, if that takes no more than 4 GiB.
int group_size(const Signature& g) {
  const double flop = 2.0 * g.batch * g.n_hidden * g.n_hidden;
  const double wanted = std::clamp(1e9 / flop, 1.0, 64.0), most = double(size_t(4) << 30) / double(Slot::bytes(g));
  return std::max(1, int(std::min(wanted, most)));
}

// ---- kernels: block (., s) treats the network in slot s
struct Group {
  Args args;
  const Header* header;
  unsigned char* slots;
  size_t slot_bytes;

  COHORT_TEAM_FN Slot slot(int s) const {
    Arena arena(slots + size_t(s) * slot_bytes);
    return Slot::carve(arena, args.cohort.signature);
  }
};

__global__ void begin_group_kernel(Header* header, int first, int count, unsigned char* slots, size_t slot_bytes,
                                   const __grid_constant__ Signature g) {
  Arena arena(slots + size_t(blockIdx.x) * slot_bytes);
  const Slot slot = Slot::carve(arena, g);
  clear_weights(CtaTeam{}, slot.w);
  if (threadIdx.x != 0) return;
  *slot.progress = {};
  if (blockIdx.x == 0) *header = {first, count};
}

// The batch, the weights, and what is added to the products of each step.
__global__ void __launch_bounds__(n_threads, 2) begin_step_kernel(const __grid_constant__ Group group) {
  const CtaTeam team;
  const int s = int(blockIdx.x), i = group.header->first + s;
  const Slot slot = group.slot(s);
  const Signature& g = group.args.cohort.signature;
  if (s >= group.header->count) return;
  const Network<float> net(group.args.cohort, i);
  const bool active =
      slot.progress->done < group.args.steps && net.state.step < net.spec.steps && net.state.diverged_at < 0;
  team.sync();
  if (team.lane() == 0) slot.progress->active = active;
  if (!active) return;
  const uint64_t step = uint64_t(net.state.step);
  fill_batch(team, g, net.spec, group.args.cohort.data, Split::train, {rng::phase_train, step, 0}, g.batch,
             slot.w.batch);
  assemble(team, g, net.spec, net.theta, slot.w.weights);
  clear_gradients(team, slot.w);
  const bool noisy = net.spec.noise > 0;
  if (!noisy) {
    const int n = g.n_layers * (g.n_steps + 1) * g.batch * CtaTeam::pad<float>(g.n_hidden);
    float* const h = slot.w.h;
    team.for_each(n, [=](int j) { h[j] = 0.0f; });
    team.sync();
  }
  prepare_states(team, g, net.spec, g.batch, slot.w.h, noisy, step);
}

// What a pointwise kernel needs of the group; pointers are those of slot 0, so that no thread lays out a workspace.
struct Pointwise {
  const NetSpec* nets;
  const Header* header;
  const Progress* progress;
  size_t slot_bytes;
  int n, ld;  // floats of a time step, of a row

  template <class T>
  COHORT_TEAM_FN T* of_slot(T* first) const {
    return reinterpret_cast<T*>(reinterpret_cast<uintptr_t>(first) + blockIdx.y * slot_bytes);
  }
  // f(activation, j) for every fourth j < n, if the block's network takes part.
  template <class F>
  COHORT_TEAM_FN void for_each_quad(F f) const {
    const int s = int(blockIdx.y);
    if (s >= header->count || !of_slot(progress)->active) return;
    with_activation(nets[header->first + s].activation, [&](auto activation) {
      for (int j = 4 * int(blockIdx.x * blockDim.x + threadIdx.x); j < n; j += 4 * int(gridDim.x * blockDim.x))
        f(activation, j);
    });
  }
};

// h = f(h + c).
__global__ void activation_kernel(const __grid_constant__ Pointwise p, float* h_of_first, const float* c_of_first) {
  float* const h = p.of_slot(h_of_first);
  const float* const c = p.of_slot(c_of_first);
  p.for_each_quad([&](auto f, int j) {
    Quad<float> z = load_quad(h + j);
    const Quad<float> bias = load_quad(c + j % p.ld);
    COHORT_UNROLL
    for (int k = 0; k < 4; ++k) z.v[k] = f.value(z.v[k] + bias.v[k]);
    store_quad(h + j, z);
  });
}

// delta *= f'(h).
__global__ void slope_kernel(const __grid_constant__ Pointwise p, float* delta_of_first, const float* h_of_first) {
  float* const delta = p.of_slot(delta_of_first);
  const float* const h = p.of_slot(h_of_first);
  p.for_each_quad([&](auto f, int j) {
    Quad<float> d = load_quad(delta + j);
    const Quad<float> states = load_quad(h + j);
    COHORT_UNROLL
    for (int k = 0; k < 4; ++k) d.v[k] *= f.slope(states.v[k]);
    store_quad(delta + j, d);
  });
}

// Logits, loss and errors; the errors' share of the last layer's deltas.
__global__ void __launch_bounds__(n_threads, 2) loss_kernel(const __grid_constant__ Group group) {
  const CtaTeam team;
  const int s = int(blockIdx.x);
  const Slot slot = group.slot(s);
  const Signature& g = group.args.cohort.signature;
  if (s >= group.header->count || !slot.progress->active) return;
  const NetSpec& spec = group.args.cohort.nets[group.header->first + s];
  const Extent extent = extent_of(g, spec, g.batch);
  const Workspace<float>& w = slot.w;
  recurrent_readout(team, g, w.weights, extent, w.h, w.batch.y);
  team.sync();
  const float loss = batch_loss(team, g, spec, has_classes(spec.task.id), g.batch, w.batch);
  if (team.lane() == 0) slot.progress->loss = loss;
  const int n = g.n_steps * g.batch, ld = CtaTeam::pad<float>(g.n_hidden);
  const Product<float> errors[1] = {{w.batch.y, 1, n, w.weights.v, ld, g.n_out}};
  float* const out = w.delta + ptrdiff_t(g.n_layers - 1) * n * ld;
  team.gemm(n, g.n_hidden, errors, [=](int r, int u, float z) { out[ptrdiff_t(r) * ld + u] = z; });
}

// The narrow gradients, the update and the history.
__global__ void __launch_bounds__(n_threads, 2) end_step_kernel(const __grid_constant__ Group group) {
  const CtaTeam team;
  const int s = int(blockIdx.x), i = group.header->first + s;
  const Slot slot = group.slot(s);
  const Signature& g = group.args.cohort.signature;
  if (s >= group.header->count) return;
  const Network<float> net(group.args.cohort, i);
  const Workspace<float>& w = slot.w;
  const int64_t done = slot.progress->done, step = net.state.step;
  float loss = __builtin_nanf("");
  if (slot.progress->active) {
    loss = slot.progress->loss;
    const Extent extent = extent_of(g, net.spec, g.batch);
    const ptrdiff_t size = ptrdiff_t(g.batch) * CtaTeam::pad<float>(g.n_hidden);
    for (int l = 0; l < g.n_layers; ++l)
      narrow_gradients(team, g, extent, l, 0, g.n_steps, w.h + l * size * (g.n_steps + 1), w.batch.y,
                       w.delta + l * size * g.n_steps, w.dweights);
    team.sync();
    readout_bias_gradient(team, g, extent, w.batch.y, w.dweights);
    pull_back(team, g, net.spec, net.theta, w.dweights, w.gradient);
    const bool healthy = loss - loss == 0.0f && update(team, g, net, step, w.gradient);
    team.sync();
    if (team.lane() == 0) {
      net.state.step = step + healthy;
      if (!healthy) net.state.diverged_at = step;
    }
  }
  team.sync();
  if (team.lane() != 0 || done >= group.args.steps) return;
  group.args.loss[size_t(i) * size_t(group.args.steps) + size_t(done)] = loss;
  slot.progress->done = done + 1;
}

// ---- cuBLAS
void check(cublasStatus_t status, const char* what) {
  if (status != CUBLAS_STATUS_SUCCESS)
    throw CudaError(int(status), std::string(what) + ": cuBLAS status " + std::to_string(int(status)));
}

// One for each device and for good: making one takes long, and unmaking one at the end of the process may come too late.
struct Handle {
  cublasHandle_t blas = nullptr;
  cudaStream_t stream = nullptr;  // on which graphs are recorded
  Handle() {
    check(cublasCreate(&blas), "cuBLAS");
    gpu::check(cudaStreamCreateWithFlags(&stream, cudaStreamNonBlocking), "stream for recording");
    check(cublasSetStream(blas, stream), "cuBLAS stream");
  }
};
Handle& handle_of_device(int device) {
  static auto* const handles = new std::map<int, Handle>;
  return (*handles)[device];
}

// Records the training step of a group.
class Recording {
 public:
  Recording(const Handle& handle, const Group& group, int n_slots, void* scratch)
      : handle_(handle), group_(group), g_(group.args.cohort.signature), n_slots_(n_slots) {
    Arena arena(group.slots);
    const Slot first = Slot::carve(arena, g_);
    w_ = first.w;
    pointwise_ = {group.args.cohort.nets,
                  group.header,
                  first.progress,
                  group.slot_bytes,
                  g_.batch * CtaTeam::pad<float>(g_.n_hidden),
                  CtaTeam::pad<float>(g_.n_hidden)};
    check(cublasSetWorkspace(handle_.blas, scratch, cublas_bytes), "workspace of cuBLAS");
    gpu::check(cudaStreamBeginCapture(handle_.stream, cudaStreamCaptureModeThreadLocal),
               "recording of a training step");
    cudaGraph_t graph = nullptr;
    try {
      record();
    } catch (...) {
      cudaStreamEndCapture(handle_.stream, &graph);
      if (graph) cudaGraphDestroy(graph);
      throw;
    }
    gpu::check(cudaStreamEndCapture(handle_.stream, &graph), "recording of a training step");
    const cudaError_t error = cudaGraphInstantiate(&step_, graph, 0);
    cudaGraphDestroy(graph);
    gpu::check(error, "graph of a training step");
  }
  Recording(const Recording&) = delete;
  Recording& operator=(const Recording&) = delete;
  ~Recording() { cudaGraphExecDestroy(step_); }  // freed when what was launched is done
  void launch(cudaStream_t stream) const { gpu::check(cudaGraphLaunch(step_, stream), "launch of a training step"); }

 private:
  // Row-major C [m][n] += or = op(A) [m][k] B [k][n] in every slot, rows of B and C at a distance of ldb and ldc floats; A is
  // [m][lda], or [k][lda] where transposed.
  void multiply(int m, int n, int k, const float* a, int lda, bool transposed, const float* b, int ldb, bool add,
                float* c, int ldc) const {
    const float one = 1, beta = add ? 1.0f : 0.0f;
    const long long next = static_cast<long long>(group_.slot_bytes / sizeof(float));
    check(cublasSgemmStridedBatched(handle_.blas, CUBLAS_OP_N, transposed ? CUBLAS_OP_T : CUBLAS_OP_N, n, m, k, &one, b,
                                    ldb, next, a, lda, next, &beta, c, ldc, next, n_slots_),
          "product of cuBLAS");
  }
  template <class... P>
  void blocks(void (*kernel)(P...), dim3 grid, std::type_identity_t<P>... args) const {
    gpu::launch(kernel, grid, n_threads, 0, handle_.stream, args...);
  }

  void record() const {
    const int rows = g_.batch, n = g_.n_hidden, ld = CtaTeam::pad<float>(n), T = g_.n_steps;
    const ptrdiff_t slot = ptrdiff_t(rows) * ld;
    const dim3 one_block(unsigned(n_slots_), 1, 1),
        pointwise(unsigned(std::clamp(rows * ld / (4 * n_threads), 1, 64)), unsigned(n_slots_), 1);
    const auto states = [&](int l) { return w_.h + l * slot * (T + 1); };
    const auto deltas = [&](int l) { return w_.delta + l * slot * T; };

    blocks(begin_step_kernel, one_block, group_);
    for (int l = 0; l < g_.n_layers; ++l) {
      const auto& layer = w_.weights.layer[l];
      float* const h = states(l);
      multiply(T * rows, n, l == 0 ? g_.n_in : n, l == 0 ? w_.batch.x : states(l - 1) + slot, l == 0 ? g_.n_in : ld,
               false, layer.s_t, ld, true, h + slot, ld);
      for (int t = 0; t < T; ++t) {
        if (t > 0) multiply(rows, n, n, h + t * slot, ld, false, layer.r_t, ld, true, h + (t + 1) * slot, ld);
        blocks(activation_kernel, pointwise, pointwise_, h + (t + 1) * slot, layer.c);
      }
    }
    blocks(loss_kernel, one_block, group_);
    for (int l = g_.n_layers - 1; l >= 0; --l) {
      const auto& layer = w_.weights.layer[l];
      float* const d = deltas(l);
      if (l + 1 < g_.n_layers)
        multiply(T * rows, n, n, deltas(l + 1), ld, false, w_.weights.layer[l + 1].s, ld, false, d, ld);
      for (int t = T - 1; t >= 0; --t) {
        if (t + 1 < T) multiply(rows, n, n, d + (t + 1) * slot, ld, false, layer.r, ld, true, d + t * slot, ld);
        blocks(slope_kernel, pointwise, pointwise_, d + t * slot, states(l) + (t + 1) * slot);
      }
      multiply(n, n, T * rows, d, ld, true, states(l), ld, false, w_.dweights.layer[l].r, ld);
      multiply(l == 0 ? g_.n_in : n, n, T * rows, l == 0 ? w_.batch.x : states(l - 1) + slot, l == 0 ? g_.n_in : ld,
               true, d, ld, false, w_.dweights.layer[l].s_t, ld);
    }
    blocks(end_step_kernel, one_block, group_);
  }

  const Handle& handle_;
  Group group_;
  Signature g_;
  int n_slots_;
  Workspace<float> w_;  // of slot 0
  Pointwise pointwise_{};
  cudaGraphExec_t step_ = nullptr;
};

// ---- the row
void check_layers(const Args& a) {
  check(a.cohort, "train");
  require(a.cohort.signature.n_dense == 0, "train", "signature", "is not for the program 'cublas': dense layers");
  check_steps(a);
}

size_t workspace(const Args& a, int32_t count) {
  check_layers(a);
  require_at_least(0, count, "train", "count");
  const Signature& g = a.cohort.signature;
  return count == 0 ? 0 : Arena::alignment + cublas_bytes + Slot::bytes(g) * size_t(group_size(g));
}

void launch(const Args& a, const Launch& l) {
  check_layers(a);
  check(a.cohort, l, workspace(a, 1), "train");
  if (l.count == 0 || a.steps == 0) return;
  check_history(a);
  const Signature& g = a.cohort.signature;
  const int n_slots = group_size(g);
  auto* const memory = static_cast<unsigned char*>(l.workspace);
  auto* const header = reinterpret_cast<Header*>(memory);
  unsigned char* const scratch = memory + Arena::alignment;
  const Group group = {a, header, scratch + cublas_bytes, Slot::bytes(g)};

  static std::mutex mutex;  // the handle's stream and workspace are for one recording at a time
  const std::lock_guard lock(mutex);
  int device = 0;
  gpu::check(cudaGetDevice(&device), "current device");
  const Recording step(handle_of_device(device), group, n_slots, scratch);
  for (int first = l.first; first < l.first + l.count; first += n_slots) {
    gpu::launch(begin_group_kernel, n_slots, n_threads, 0, l.stream, header, first,
                std::min(n_slots, l.first + l.count - first), group.slots, group.slot_bytes, g);
    for (int64_t k = 0; k < a.steps; ++k) step.launch(l.stream);
  }
}

}  // namespace

const Program<float>& cublas_program() {
  static const Program<float> program = [] {
    Program<float> p = generic_program();
    p.name = "cublas";
    p.train_workspace = workspace;
    p.train = launch;
    return p;
  }();
  return program;
}
const char* cublas_refuses(const Signature& g) {
  if (g.n_dense > 0) return "dense layers";
  return g.n_hidden > 256 ? nullptr : "at most 256 hidden units";
}

COHORT_END
