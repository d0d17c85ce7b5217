#include "events/catalogue.h"

#include "events/one_of_operations.h"

namespace guildhall {

template class OneOf<EventTypes>;
template class OneOf<CommandTypes>;
template class OneOf<ResourceTypes>;

}  // namespace guildhall
