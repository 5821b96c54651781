// Which device a word opens, on any machine: with a card, without one, without the CUDA module.
#include <gtest/gtest.h>

#include "cohort/error.h"
#include "device/device.h"

namespace cohort::engine {
namespace {

TEST(OpenDevice, AutoAlwaysOpensOne) {
  const auto device = open_device("auto", 1);
  std::string reason;
  const bool cuda = open_cuda_device(0, 1, &reason) != nullptr;
  EXPECT_EQ(device->info().backend, cuda ? "cuda" : "cpu");
  EXPECT_EQ(reason.empty(), cuda) << reason;
}
TEST(OpenDevice, Cpu) {
  const auto device = open_device("cpu", 2);
  EXPECT_EQ(device->info().backend, "cpu");
  EXPECT_EQ(device->info().workers, 2);
}
TEST(OpenDevice, AWordThatIsNoDeviceIsTheCallersMistake) {
  for (const char* const word :
       {"", "gpu", "CPU", "cpu:1", "cuda:", "cuda:x", "cuda:1x", "cuda:-1", "cuda:+1", "cuda: 1", "auto "}) {
    SCOPED_TRACE(word);
    try {
      open_device(word, 1);
      ADD_FAILURE() << "opened";
    } catch (const Error& e) {
      EXPECT_EQ(std::string(e.what()),
                "unknown device '" + std::string(word) + "'; allowed: auto, cpu, cuda, cuda:0, cuda:1, ...");
    }
  }
}
TEST(OpenDevice, ADeviceThatIsNotThereIsAnErrorWithTheReason) {
  for (const char* const word : {"cuda:1000", "cuda:99999999999999999999"}) {
    try {
      open_device(word, 1);
      ADD_FAILURE() << "opened";
    } catch (const CudaError& e) {
      const std::string what = e.what();
      EXPECT_TRUE(what.starts_with("device '" + std::string(word) + "': there is no ")) << what;
      EXPECT_EQ(what.find('\n'), std::string::npos);
    }
  }
}

}  // namespace
}  // namespace cohort::engine
