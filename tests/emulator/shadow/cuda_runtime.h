// Stands in for the CUDA runtime's header in emulated builds.
#pragma once
#include "emulator/emulator.h"
