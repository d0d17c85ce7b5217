// The machine's clock.
#pragma once

#include "events/clock.h"

namespace guildhall {

class SystemClock final : public Clock {
 public:
  Micros now() const override;
};

}  // namespace guildhall
