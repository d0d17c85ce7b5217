#include "aggregates/state.h"

#include "events/one_of_operations.h"

namespace guildhall {

template class OneOf<StateTypes>;

}  // namespace guildhall
