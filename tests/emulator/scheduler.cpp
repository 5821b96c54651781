// One fiber per CUDA thread, all on the OS thread that launches. A fiber runs until it waits (barrier, warp collective,
// spin) or ends; then the next ready one in the order of the block goes on. A block runs until it ends or all its threads
// spin, in the descending order once and in the random one sometimes until a barrier opens; then another resident one
// goes on. Compiled without -fsanitize=thread: EMULATOR_TSAN says that the kernels are compiled with it, and the order
// that barriers impose is reported by hand.
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
  uint3 index{};
  std::vector<std::unique_ptr<Fiber>> fibers;  // reused from block to block
  std::vector<unsigned> order, position;       // of the fibers, and its inverse
  std::vector<Warp> warps;
  Barrier barriers[n_barriers];
  Fiber* current = nullptr;
  unsigned n = 0, n_live = 0;
  unsigned n_spins = 0;  // since anything else happened
  unsigned hold = 0;     // barriers until the block is held while others run on; 0: never
  SharedMemory* shared = nullptr;
};

struct Machine {
  const Kernel* kernel = nullptr;
  Block* block = nullptr;                      // the running one
  std::vector<std::unique_ptr<Block>> blocks;  // reused from launch to launch
  Context host;
  bool others = false;  // the launch has more blocks than the running one
  // Spins since a thread of any block met others, and since one ended.
  uint64_t spins = 0, spins_in_all = 0;
  char start = 0, end = 0;  // ThreadSanitizer's objects of the launch
  std::mt19937_64 random;
};
thread_local Machine machine;

void progress() {
  machine.spins = 0;
  machine.block->n_spins = 0;
}

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

void shuffle_threads(Block& block) {
  if (options().order != Order::random) return;
  std::shuffle(block.order.begin(), block.order.end(), machine.random);
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
  const Block& block = *machine.block;
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

// The next ready fiber of the running one's warp, so that the warp runs ahead of the others.
Fiber* next_of_warp(const Block& block, const Fiber& me) {
  const unsigned first = me.index & ~31u;
  for (unsigned k = 1; k < 32; ++k) {
    const unsigned i = first + ((me.index - k) & 31);
    if (i < block.n && block.fibers[i]->state == State::ready) return block.fibers[i].get();
  }
  return nullptr;
}

enum class Next { any, in_order };

// Leaves the running fiber for a ready one: in the ascending order the next one of the block, in the descending one
// preferably of the warp, in the random one either. For the host when all are done, or if it is asked to.
void resume_next(Next choice = Next::any, bool to_host = false) {
  Block& block = *machine.block;
  Fiber* const me = block.current;
  Fiber* next = nullptr;
  const Order order = options().order;
  if (choice == Next::any && (order == Order::descending || (order == Order::random && machine.random() % 2)))
    next = next_of_warp(block, *me);
  for (unsigned k = 1; k <= block.n && !next; ++k) {
    Fiber* const f = block.fibers[block.order[(block.position[me->index] + k) % block.n]].get();
    if (f->state == State::ready) next = f;
  }
  if (!next && block.n_live) deadlock();
  block.current = next;
  if (next) threadIdx = next->thread;
  if (!next || to_host) {
    machine.block = nullptr;
    switch_context(*me, machine.host);
  } else if (next != me) {
    switch_context(*me, *next);
  }
}

void check_at_end(const Fiber& f) {
  const Block& block = *machine.block;
  check_all_landed(f.copies, f.index);
  for (unsigned id = 0; id < n_barriers; ++id) {
    const Barrier& b = block.barriers[id];
    if (b.n_arrived && (b.n_expected == block.n || block.n_live == 0))
      fail("thread %u ended while %u threads wait in the barrier at %s", f.index, b.n_arrived, text(b.site).c_str());
  }
}

void fiber_main() {
#if defined(EMULATOR_ASAN)
  __sanitizer_finish_switch_fiber(nullptr, nullptr, nullptr);
#endif
  for (;;) {  // one turn per block
    EMULATOR_ACQUIRE(&machine.start);
    machine.kernel->thread();
    Block& block = *machine.block;
    Fiber* const me = block.current;
    me->state = State::done;
    --block.n_live;
    progress();
    machine.spins_in_all = 0;
    block.warps[me->index / 32].exited |= 1u << (me->index & 31);
    check_at_end(*me);
    EMULATOR_RELEASE(&machine.end);
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
  Context& host = machine.host;
  if (!host.bottom) {
    pthread_attr_t attributes;
    pthread_getattr_np(pthread_self(), &attributes);
    pthread_attr_getstack(&attributes, &host.bottom, &host.bytes);
    pthread_attr_destroy(&attributes);
  }
#if defined(EMULATOR_TSAN)
  host.tsan = __tsan_get_current_fiber();
#endif
}

void begin(Block& block, uint3 index) {
  const Kernel& kernel = *machine.kernel;
  const unsigned n = kernel.block.x * kernel.block.y * kernel.block.z;
  if (options().inter_block_races) block.fibers.clear();  // new stacks and identities: nothing is ordered by reuse
  while (block.fibers.size() < n) create(*block.fibers.emplace_back(std::make_unique<Fiber>()));
  block.index = index;
  block.n = block.n_live = n;
  block.n_spins = 0;
  block.hold = options().order == Order::descending ? 1 + unsigned(machine.random() % 16) : 0;
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
  shuffle_threads(block);
  block.shared = begin_shared(kernel.smem_bytes);
  block.current = block.fibers[block.order[0]].get();
}

// Runs a block until it ends (true) or lets another one go on.
bool run(Block& block) {
  machine.block = &block;
  blockIdx = block.index;
  threadIdx = block.current->thread;
  use_shared(block.shared);
  EMULATOR_RELEASE(&machine.start);
  switch_context(machine.host, *block.current);
  if (block.n_live) return false;
  if (!options().inter_block_races) EMULATOR_ACQUIRE(&machine.end);
  end_shared(block.shared, options().inter_block_races);
  return true;
}

// Blocks start in the given order. A waiting one is left for a new one as long as the device has room, then for the one
// that has waited longest; in the random order for any.
void run_blocks(const std::vector<unsigned>& order) {
  const dim3 g = machine.kernel->grid;
  const unsigned n_threads = machine.kernel->block.x * machine.kernel->block.y * machine.kernel->block.z;
  const size_t n_resident = size_t(resident_blocks(int(n_threads), machine.kernel->smem_bytes));
  while (machine.blocks.size() < std::min(n_resident, order.size()))
    machine.blocks.emplace_back(std::make_unique<Block>());
  std::vector<Block*> idle, waiting;
  for (const auto& b : machine.blocks) idle.push_back(b.get());
  size_t n_begun = 0;
  bool ended = false;
  while (n_begun < order.size() || !waiting.empty()) {
    const bool may_begin = n_begun < order.size() && waiting.size() < n_resident;
    size_t choice = 0;  // of the waiting ones; their number: a new one
    if (options().order == Order::random)
      choice = machine.random() % (waiting.size() + may_begin);
    else if (may_begin && !ended)
      choice = waiting.size();
    Block* block;
    if (choice < waiting.size()) {
      block = waiting[choice];
      waiting.erase(waiting.begin() + ptrdiff_t(choice));
    } else {
      block = idle.back();
      idle.pop_back();
      const unsigned i = order[n_begun++];
      begin(*block, {i % g.x, i / g.x % g.y, i / g.x / g.y});
    }
    machine.others = n_begun < order.size() || !waiting.empty();
    ended = run(*block);
    (ended ? idle : waiting).push_back(block);
  }
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
  if (machine.block)
    std::fprintf(stderr, "%s, block (%u,%u,%u), thread (%u,%u,%u): ", kernel_name(machine.kernel->entry), blockIdx.x,
                 blockIdx.y, blockIdx.z, threadIdx.x, threadIdx.y, threadIdx.z);
  va_list values;
  va_start(values, format);
  std::vfprintf(stderr, format, values);
  va_end(values);
  std::fprintf(stderr, "\n");
  std::abort();
}

unsigned lane() { return machine.block->current->index & 31; }

bool in_kernel() { return machine.block != nullptr; }

PendingCopies& pending_copies() { return machine.block->current->copies; }

namespace {

// The running thread arrives at a barrier, which opens when n_expected threads have; then it may wait.
void arrive(unsigned id, unsigned n_expected, bool wait, const Site& site) {
  Block& block = *machine.block;
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
  progress();
  bool leave = false;  // the block
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
    shuffle_threads(block);
    const bool held = block.hold && --block.hold == 0;
    leave = wait && machine.others && (held || (options().order == Order::random && machine.random() % 8 == 0));
  }
  if (wait) {
    resume_next(Next::any, leave);
    EMULATOR_ACQUIRE(sync);
  }
}

}  // namespace

void barrier(const Site& site) {
  const Block& block = *machine.block;
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
  const unsigned n = machine.block->n;
  if (n_threads <= 0 || n_threads % 32 || unsigned(n_threads) > n)
    fail("%s: a barrier for %d threads in a block of %u; allowed: whole warps of it", text(site).c_str(), n_threads, n);
  arrive(unsigned(id), unsigned(n_threads), wait, site);
}

void meet_all(void* payload, Combine combine, const char* what, const Site& site) {
  const Block& block = *machine.block;
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
  const uint64_t limit = options().spin_limit;
  if (++machine.spins > limit || ++machine.spins_in_all > 32 * limit)
    fail("hung: every thread that can run only spins");
  Block& block = *machine.block;
  const bool all_spin = ++block.n_spins >= block.n_live;
  if (all_spin) block.n_spins = 0;
  resume_next(Next::in_order, all_spin && machine.others);
}

void be_late() { resume_next(Next::in_order); }

void meet(uint32_t mask, void* payload, Combine combine, const Site& site) {
  Block& block = *machine.block;
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
  progress();
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
  if (machine.block) fail("a kernel launches a kernel");
  open_device();
  const dim3 g = kernel.grid;
  std::vector<unsigned> order(size_t(g.x) * g.y * g.z);
  std::iota(order.begin(), order.end(), 0u);
  if (options().order == Order::descending) std::reverse(order.begin(), order.end());
  machine.random.seed(options().seed);
  if (options().order == Order::random) std::shuffle(order.begin(), order.end(), machine.random);
  machine.kernel = &kernel;
  machine.spins = machine.spins_in_all = 0;
  blockDim = kernel.block;
  gridDim = g;
  enter_host();
  run_blocks(order);
  machine.kernel = nullptr;
  EMULATOR_ACQUIRE(&machine.end);
  release_shared();
  close_device();
}

}  // namespace emulator
