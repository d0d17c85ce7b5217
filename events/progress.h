// What a learner does with a lesson, and what may be asked for. Declared once, in events/progress.fbs.
#pragma once

#include <variant>

#include "progress_generated.h"

namespace guildhall::progress {

using StartLesson = ::progress::v1::StartLessonT;
using CompleteLesson = ::progress::v1::CompleteLessonT;

using LessonStarted = ::progress::v1::LessonStartedT;
using LessonAttempted = ::progress::v1::LessonAttemptedT;
using LessonCompleted = ::progress::v1::LessonCompletedT;

using ProgressView = ::progress::v1::ProgressViewT;

using Command = std::variant<StartLesson, CompleteLesson>;
using Event = std::variant<LessonStarted, LessonAttempted, LessonCompleted>;
using Resource = std::variant<ProgressView>;

}  // namespace guildhall::progress
