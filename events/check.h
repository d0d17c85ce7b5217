// CHECK: our bug or a corrupt file. On in every build: it logs and aborts, a restart replays.
#pragma once

#include <cstdio>
#include <cstdlib>

// A macro, because the condition's text and place belong in the message.
#define CHECK(condition)                                                                                       \
  do {                                                                                                         \
    if (!(condition)) {                                                                                        \
      std::fprintf(stderr, "{\"level\":\"fatal\",\"check\":\"%s:%d: %s\"}\n", __FILE__, __LINE__, #condition); \
      std::abort();                                                                                            \
    }                                                                                                          \
  } while (false)
