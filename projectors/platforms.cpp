#include "projectors/platforms.h"

#include <stdexcept>

#include "projectors/dracarys.h"
#include "projectors/producers_avenue.h"
#include "projectors/tutoring.h"

namespace guildhall {

PlatformReadModels read_models_of(std::string_view platform) {
  if (platform == tutoring_projection().name) return {tutoring_projection(), tutoring_sql()};
  if (platform == producers_avenue_projection().name) return {producers_avenue_projection(), producers_avenue_sql()};
  if (platform == dracarys_projection().name) return {dracarys_projection(), dracarys_sql()};
  throw std::invalid_argument("there are no read models of the platform " + std::string(platform));
}

}  // namespace guildhall
