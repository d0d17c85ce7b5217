// What happens to a lesson, and what may be asked of it. Declared once, in events/lesson.fbs.
#pragma once

#include <variant>

#include "lesson_generated.h"

namespace guildhall::lesson {

using CreateLesson = ::lesson::v1::CreateLessonT;
using UpdateLesson = ::lesson::v1::UpdateLessonT;
using PublishLesson = ::lesson::v1::PublishLessonT;
using RetireLesson = ::lesson::v1::RetireLessonT;

using LessonCreated = ::lesson::v1::LessonCreatedT;
using LessonUpdated = ::lesson::v1::LessonUpdatedT;
using LessonPublished = ::lesson::v1::LessonPublishedT;
using LessonRetired = ::lesson::v1::LessonRetiredT;

using LessonView = ::lesson::v1::LessonViewT;

using Command = std::variant<CreateLesson, UpdateLesson, PublishLesson, RetireLesson>;
using Event = std::variant<LessonCreated, LessonUpdated, LessonPublished, LessonRetired>;
using Resource = std::variant<LessonView>;

}  // namespace guildhall::lesson
