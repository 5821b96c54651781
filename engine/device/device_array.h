// An array in a device's memory.
#pragma once

#include <span>
#include <utility>
#include <vector>

#include "device/device.h"

namespace cohort::engine {

template <class T>
class DeviceArray {
 public:
  DeviceArray() = default;
  DeviceArray(Device& device, size_t size)
      : device_(&device), data_(static_cast<T*>(device.allocate(size * sizeof(T)))), size_(size) {}
  DeviceArray(Device& device, std::span<const T> values) : DeviceArray(device, values.size()) { upload(values); }
  DeviceArray(DeviceArray&& other) noexcept { swap(other); }
  DeviceArray& operator=(DeviceArray&& other) noexcept {
    swap(other);
    return *this;
  }
  ~DeviceArray() {
    if (data_) device_->release(data_);
  }
  T* data() const { return data_; }
  size_t size() const { return size_; }
  void upload(std::span<const T> values) { device_->upload(data_, values.data(), values.size() * sizeof(T)); }
  std::vector<T> download() const {
    std::vector<T> values(size_);
    if (size_) device_->download(values.data(), data_, size_ * sizeof(T));
    return values;
  }

 private:
  void swap(DeviceArray& other) noexcept {
    std::swap(device_, other.device_);
    std::swap(data_, other.data_);
    std::swap(size_, other.size_);
  }
  Device* device_ = nullptr;
  T* data_ = nullptr;
  size_t size_ = 0;
};

}  // namespace cohort::engine
