// One fiber per CUDA thread, all on the OS thread that launches. A fiber runs until it waits (barrier, warp collective,
// spin) or ends; then the next ready one in the order of the block goes on. Compiled without -fsanitize=thread:
// EMULATOR_TSAN says that the kernels are compiled with it, and the order that barriers impose is reported by hand.
#include <pthread.h>
#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <cstdarg>
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <numeric>
#include <random>
#include <string>
#include <vector>

#include "emulator/internal.h"

#if defined(EMULATOR_ASAN)
#include <sanitizer/common_interface_defs.h>
#endif
#if defined(EMULATOR_TSAN)
extern "C" {
void* __tsan_get_current_fiber(void);
void* __tsan_create_fiber(unsigned flags);
void __tsan_destroy_fiber(void* fiber);
void __tsan_switch_to_fiber(void* fiber, unsigned flags);
void __tsan_acquire(void* address);
void __tsan_release(void* address);
}
#define EMULATOR_ACQUIRE(address) __tsan_acquire(address)
#define EMULATOR_RELEASE(address) __tsan_release(address)
#else
#define EMULATOR_ACQUIRE(address) ((void)(address))
#define EMULATOR_RELEASE(address) ((void)(address))
#endif

#if defined(__x86_64__)
// Saves the callee-saved registers on the stack, its pointer in *save, and goes on at `load`.
extern "C" void emulator_switch(void** save, void* load);
asm(R"(.text
.globl emulator_switch
.type emulator_switch,@function
emulator_switch:
  pushq %rbp
  pushq %rbx
  pushq %r12
  pushq %r13
  pushq %r14
  pushq %r15
  movq %rsp,(%rdi)
  movq %rsi,%rsp
  popq %r15
  popq %r14
  popq %r13
  popq %r12
  popq %rbx
  popq %rbp
  ret
.size emulator_switch,.-emulator_switch
)");
#else
#include <ucontext.h>
#endif

namespace emulator {
namespace {

enum class State { ready, at_barrier, at_collective, done };

struct Context {
#if defined(__x86_64__)
  void* stack_pointer = nullptr;
#else
  ucontext_t saved;
#endif
  void* bottom = nullptr;
  size_t bytes = 0;
  void* fake_stack = nullptr;  // AddressSanitizer's
  void* tsan = nullptr;        // ThreadSanitizer's identity
};

struct Fiber : Context {
  uint3 thread{};
  unsigned index = 0;
  State state = State::done;
  Site site;  // where it waits
  uint32_t mask = 0;
  void* payload = nullptr;
  unsigned barrier = 0;            // where it waits, if at one
  char arrived = 0, released = 0;  // ThreadSanitizer's objects of the collective
  PendingCopies copies;
  ~Fiber();
};

struct Warp {
  uint32_t waiting = 0, exited = 0;
};

constexpr unsigned n_barriers = 16, max_warps = 32;

// Barrier 0 is __syncthreads'.
struct Barrier {
  unsigned n_arrived = 0, n_expected = 0;
  Site site;                       // of the first to arrive
  uint32_t lanes[max_warps] = {};  // of each warp that have arrived,
  Site sites[max_warps];           // where, and
  bool waits[max_warps] = {};      // whether they wait
  // Two alternating ThreadSanitizer objects: a late leaver must not see what is released in the next phase.
  unsigned phase = 0;
  char sync[2] = {};
};

struct Block {
  const Kernel* kernel = nullptr;
  std::vector<std::unique_ptr<Fiber>> fibers;  // reused from block to block
  std::vector<unsigned> order, position;       // of the fibers, and its inverse
  std::vector<Warp> warps;
  Barrier barriers[n_barriers];
  Context host;
  Fiber* current = nullptr;
  unsigned n = 0, n_live = 0;
  uint64_t spins = 0;
  char start = 0, end = 0;  // ThreadSanitizer's objects of the launch
  std::mt19937_64 random;
};
thread_local Block block;

size_t page() { return size_t(sysconf(_SC_PAGESIZE)); }

Fiber::~Fiber() {
  if (bottom) munmap(static_cast<char*>(bottom) - page(), bytes + page());
#if defined(EMULATOR_TSAN)
  if (tsan) __tsan_destroy_fiber(tsan);
#endif
}

bool same(const Site& a, const Site& b) {
  return a.line() == b.line() && a.column() == b.column() && !std::strcmp(a.file_name(), b.file_name());
}

void shuffle_threads() {
  if (options().order != Order::random) return;
  std::shuffle(block.order.begin(), block.order.end(), block.random);
  for (unsigned i = 0; i < block.n; ++i) block.position[block.order[i]] = i;
}

void switch_context(Context& from, Context& to) {
#if defined(EMULATOR_ASAN)
  __sanitizer_start_switch_fiber(&from.fake_stack, to.bottom, to.bytes);
#endif
#if defined(EMULATOR_TSAN)
  __tsan_switch_to_fiber(to.tsan, 1);  // 1: the switch orders nothing
#endif
#if defined(__x86_64__)
  emulator_switch(&from.stack_pointer, to.stack_pointer);
#else
  swapcontext(&from.saved, &to.saved);
#endif
#if defined(EMULATOR_ASAN)
  __sanitizer_finish_switch_fiber(from.fake_stack, nullptr, nullptr);
#endif
}

[[noreturn]] void deadlock() {
  std::string waiting;
  int shown = 0;
  for (const auto& f : block.fibers) {
    if (f->state != State::at_barrier && f->state != State::at_collective) continue;
    if (++shown > 8) break;
    waiting += "\n  thread " + std::to_string(f->index) + " in a " +
               (f->state == State::at_barrier ? "barrier" : "warp collective") + " at " + text(f->site);
  }
  fail("deadlock: %u of %u threads have ended, the others wait%s", block.n - block.n_live, block.n, waiting.c_str());
}

// Leaves the running fiber for the next ready one, or for the host when all are done.
void resume_next() {
  Fiber* const me = block.current;
  Fiber* next = nullptr;
  for (unsigned k = 1; k <= block.n && !next; ++k) {
    Fiber* const f = block.fibers[block.order[(block.position[me->index] + k) % block.n]].get();
    if (f->state == State::ready) next = f;
  }
  if (!next && block.n_live) deadlock();
  block.current = next;
  if (next) threadIdx = next->thread;
  if (next != me) switch_context(*me, next ? *next : block.host);
}

void fiber_main() {
#if defined(EMULATOR_ASAN)
  __sanitizer_finish_switch_fiber(nullptr, nullptr, nullptr);
#endif
  for (;;) {  // one turn per block
    EMULATOR_ACQUIRE(&block.start);
    block.kernel->thread();
    Fiber* const me = block.current;
    me->state = State::done;
    --block.n_live;
    block.spins = 0;
    block.warps[me->index / 32].exited |= 1u << (me->index & 31);
    check_all_landed(me->copies, me->index);
    for (const Barrier& b : block.barriers)
      if (b.n_arrived && (b.n_expected == block.n || block.n_live == 0))
        fail("thread %u ended while %u threads wait in the barrier at %s", me->index, b.n_arrived,
             text(b.site).c_str());
    EMULATOR_RELEASE(&block.end);
    resume_next();
  }
}

void create(Fiber& f) {
  const size_t bytes = (options().stack_bytes + page() - 1) / page() * page();
  void* const memory =
      mmap(nullptr, bytes + page(), PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (memory == MAP_FAILED) fail("cannot map the stack of a fiber");
  mprotect(memory, page(), PROT_NONE);  // a stack overflow faults
  f.bottom = static_cast<char*>(memory) + page();
  f.bytes = bytes;
#if defined(__x86_64__)
  void** const top =
      reinterpret_cast<void**>(static_cast<char*>(f.bottom) + bytes) - 2;  // aligns the entry as a call does
  top[0] = reinterpret_cast<void*>(fiber_main);
  top[1] = nullptr;
  f.stack_pointer = top - 6;  // six zero registers
#else
  getcontext(&f.saved);
  f.saved.uc_stack.ss_sp = f.bottom;
  f.saved.uc_stack.ss_size = bytes;
  f.saved.uc_link = nullptr;
  makecontext(&f.saved, fiber_main, 0);
#endif
#if defined(EMULATOR_TSAN)
  f.tsan = __tsan_create_fiber(0);
#endif
}

void enter_host() {
  if (!block.host.bottom) {
    pthread_attr_t attributes;
    pthread_getattr_np(pthread_self(), &attributes);
    pthread_attr_getstack(&attributes, &block.host.bottom, &block.host.bytes);
    pthread_attr_destroy(&attributes);
  }
#if defined(EMULATOR_TSAN)
  block.host.tsan = __tsan_get_current_fiber();
#endif
}

void run_block(const Kernel& kernel, uint3 index) {
  const unsigned n = kernel.block.x * kernel.block.y * kernel.block.z;
  if (options().inter_block_races) block.fibers.clear();  // new stacks and identities: nothing is ordered by reuse
  while (block.fibers.size() < n) create(*block.fibers.emplace_back(std::make_unique<Fiber>()));
  block.kernel = &kernel;
  block.n = block.n_live = n;
  block.spins = 0;
  for (Barrier& b : block.barriers) b.n_arrived = 0;
  block.warps.assign((n + 31) / 32, Warp{});
  if (n % 32) block.warps.back().exited = ~0u << (n % 32);
  block.order.resize(n);
  block.position.resize(n);
  for (unsigned i = 0; i < n; ++i) {
    block.order[i] = options().order == Order::descending ? n - 1 - i : i;
    block.position[block.order[i]] = i;
    Fiber& f = *block.fibers[i];
    f.index = i;
    f.state = State::ready;
    f.copies.copies.clear();
    f.copies.next = f.copies.n_groups = 0;
    f.thread = {i % kernel.block.x, i / kernel.block.x % kernel.block.y, i / kernel.block.x / kernel.block.y};
  }
  for (size_t i = n; i < block.fibers.size(); ++i) block.fibers[i]->state = State::done;
  shuffle_threads();
  blockDim = kernel.block;
  gridDim = kernel.grid;
  blockIdx = index;
  begin_shared(kernel.smem_bytes);
  enter_host();
  block.current = block.fibers[block.order[0]].get();
  threadIdx = block.current->thread;
  EMULATOR_RELEASE(&block.start);
  switch_context(block.host, *block.current);
  if (!options().inter_block_races) EMULATOR_ACQUIRE(&block.end);
  end_shared(options().inter_block_races);
  block.kernel = nullptr;
}

}  // namespace

std::string text(const Site& site) { return std::string(site.file_name()) + ":" + std::to_string(site.line()); }

Options& options() {
  static Options chosen = [] {
    Options o;
    const char* const order = std::getenv("COHORT_EMULATOR_ORDER");
    const char* const seed = std::getenv("COHORT_EMULATOR_SEED");
    if (seed) o.seed = std::strtoull(seed, nullptr, 10);
    if (!order || !std::strcmp(order, "ascending")) return o;
    o.lazy_streams = true;
    if (!std::strcmp(order, "descending"))
      o.order = Order::descending;
    else if (!std::strcmp(order, "random"))
      o.order = Order::random;
    else
      fail("COHORT_EMULATOR_ORDER is %s, not ascending, descending or random", order);
    return o;
  }();
  return chosen;
}

void fail(const char* format, ...) {
  std::fflush(stdout);
  std::fprintf(stderr, "emulator: ");
  if (block.current)
    std::fprintf(stderr, "%s, block (%u,%u,%u), thread (%u,%u,%u): ", kernel_name(block.kernel->entry), blockIdx.x,
                 blockIdx.y, blockIdx.z, threadIdx.x, threadIdx.y, threadIdx.z);
  va_list values;
  va_start(values, format);
  std::vfprintf(stderr, format, values);
  va_end(values);
  std::fprintf(stderr, "\n");
  std::abort();
}

unsigned lane() { return block.current->index & 31; }

PendingCopies& pending_copies() { return block.current->copies; }

namespace {

// The running thread arrives at a barrier, which opens when n_expected threads have; then it may wait.
void arrive(unsigned id, unsigned n_expected, bool wait, const Site& site) {
  Fiber* const me = block.current;
  Barrier& b = block.barriers[id];
  const unsigned warp = me->index / 32;
  const uint32_t bit = 1u << (me->index & 31);
  if (b.n_arrived == 0) {
    b.n_expected = n_expected;
    b.site = site;
    std::fill(std::begin(b.lanes), std::end(b.lanes), 0u);
  }
  if (b.n_expected != n_expected)
    fail("barrier %u is for %u threads at %s and for %u at %s", id, n_expected, text(site).c_str(), b.n_expected,
         text(b.site).c_str());
  if (b.lanes[warp] & bit) fail("%s: the thread is in barrier %u already", text(site).c_str(), id);
  if (b.lanes[warp] && (!same(b.sites[warp], site) || b.waits[warp] != wait))
    fail("divergent barrier: %s here, %s in other threads of the warp", text(site).c_str(),
         text(b.sites[warp]).c_str());
  b.lanes[warp] |= bit;
  b.sites[warp] = me->site = site;
  b.waits[warp] = wait;
  char* const sync = &b.sync[b.phase & 1];
  EMULATOR_RELEASE(sync);
  block.spins = 0;
  if (wait) {
    me->state = State::at_barrier;
    me->barrier = id;
  }
  if (++b.n_arrived == n_expected) {
    for (unsigned w = 0; w < block.warps.size(); ++w) {
      const uint32_t all = w * 32 + 32 <= block.n ? ~0u : ~(~0u << (block.n % 32));
      if (b.lanes[w] && b.lanes[w] != all)
        fail("barrier %u at %s: lanes %08x of warp %u take part, not all of them", id, text(b.sites[w]).c_str(),
             b.lanes[w], w);
    }
    b.n_arrived = 0;
    ++b.phase;
    for (unsigned i = 0; i < block.n; ++i) {
      Fiber& f = *block.fibers[i];
      if (f.state == State::at_barrier && f.barrier == id) f.state = State::ready;
    }
    shuffle_threads();
  }
  if (wait) {
    resume_next();
    EMULATOR_ACQUIRE(sync);
  }
}

}  // namespace

void barrier(const Site& site) {
  const Barrier& b = block.barriers[0];
  if (block.n_live != block.n)
    fail("barrier at %s after %u threads have ended", text(site).c_str(), block.n - block.n_live);
  if (b.n_arrived && !same(b.site, site))
    fail("divergent barrier: %s here, %s in %u other threads", text(site).c_str(), text(b.site).c_str(), b.n_arrived);
  arrive(0, block.n, true, site);
}

void named_barrier(int id, int n_threads, bool wait, const Site& site) {
  if (id < 1 || unsigned(id) >= n_barriers)
    fail("%s: barrier %d; named ones are 1 to %u", text(site).c_str(), id, n_barriers - 1);
  if (n_threads <= 0 || n_threads % 32 || unsigned(n_threads) > block.n)
    fail("%s: a barrier for %d threads in a block of %u; allowed: whole warps of it", text(site).c_str(), n_threads,
         block.n);
  arrive(unsigned(id), unsigned(n_threads), wait, site);
}

void meet_all(void* payload, Combine combine, const char* what, const Site& site) {
  if ((block.current->index & ~31u) + 32 > block.n)
    fail("%s at %s: the warp has %u lanes; all 32 take part", what, text(site).c_str(), block.n % 32);
  meet(0xffffffffu, payload, combine, site);
}

void check_matrix_row(const void* row, const char* what, const Site& site) {
  if (reinterpret_cast<uintptr_t>(row) % 16)
    fail("%s at %s: the row %p is not 16-byte aligned", what, text(site).c_str(), row);
  if (!is_shared_range(row, 16))
    fail("%s at %s: the row %p is not inside a shared array", what, text(site).c_str(), row);
}

void yield_spin() {
  if (++block.spins > options().spin_limit) fail("hung: every thread that can run only spins");
  resume_next();
}

void meet(uint32_t mask, void* payload, Combine combine, const Site& site) {
  Fiber* const me = block.current;
  const unsigned first = me->index & ~31u, my_lane = me->index & 31;
  Warp& warp = block.warps[first / 32];
  if (first + 32 > block.n && mask == 0xffffffffu) mask = ~0u >> (32 - (block.n - first));  // last warp, not full
  if (!(mask >> my_lane & 1)) fail("%s: lane %u is not in its own mask %08x", text(site).c_str(), my_lane, mask);
  if (mask & warp.exited)
    fail("%s: mask %08x names lanes %08x, which have ended", text(site).c_str(), mask, mask & warp.exited);
  me->mask = mask;
  me->payload = payload;
  me->site = site;
  me->state = State::at_collective;
  warp.waiting |= 1u << my_lane;
  EMULATOR_RELEASE(&me->arrived);
  block.spins = 0;
  if ((warp.waiting & mask) == mask) {
    const auto for_each = [&](auto f) {
      for (unsigned l = 0; l < 32; ++l)
        if (mask >> l & 1) f(l, *block.fibers[first + l]);
    };
    void* payloads[32] = {};
    for_each([&](unsigned l, Fiber& other) {
      if (other.mask != mask || !same(other.site, site))
        fail("divergent warp collective: lane %u at %s with mask %08x, lane %u at %s with mask %08x", my_lane,
             text(site).c_str(), mask, l, text(other.site).c_str(), other.mask);
      payloads[l] = other.payload;
    });
    combine(payloads, mask);
    for_each([](unsigned, Fiber& other) { EMULATOR_ACQUIRE(&other.arrived); });
    for_each([](unsigned, Fiber& other) { EMULATOR_RELEASE(&other.released); });
    for_each([](unsigned, Fiber& other) { other.state = State::ready; });
    warp.waiting &= ~mask;
  }
  if (me->state != State::ready || options().order == Order::random) resume_next();
  EMULATOR_ACQUIRE(&me->released);
}

void run_grid(const Kernel& kernel) {
  if (block.current) fail("a kernel launches a kernel");
  open_device();
  const dim3 g = kernel.grid;
  std::vector<unsigned> order(size_t(g.x) * g.y * g.z);
  std::iota(order.begin(), order.end(), 0u);
  if (options().order == Order::descending) std::reverse(order.begin(), order.end());
  block.random.seed(options().seed);
  if (options().order == Order::random) std::shuffle(order.begin(), order.end(), block.random);
  for (const unsigned i : order) run_block(kernel, {i % g.x, i / g.x % g.y, i / g.x / g.y});
  EMULATOR_ACQUIRE(&block.end);
  release_shared();
  close_device();
}

}  // namespace emulator
