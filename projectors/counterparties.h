// Who has dealt with whom on the marketplace, where everybody may both buy and sell: either reads the other's name in people.
#pragma once

#include "projectors/projection.h"

namespace guildhall {

// Presence rows, one for each way of looking: its owner's policy needs no second look-up.
struct Counterparties {
  static const Table& table();
};

void acquaint(const Uuid& one, const Uuid& other, Writes& out);

}  // namespace guildhall
