#include "tests/aggregates/given.h"
