#include "tests/infra/segment_folder.h"
