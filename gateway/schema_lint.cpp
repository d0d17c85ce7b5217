#include "gateway/schema_lint.h"

#include <stdexcept>

#include <flatbuffers/reflection.h>

namespace guildhall {
namespace {

std::string text(const flatbuffers::String* s) { return s == nullptr ? std::string() : s->str(); }

class Linter {
 public:
  Linter(const reflection::Schema& released, const reflection::Schema& present) : old_(released), new_(present) {}

  std::vector<SchemaBreak> run() {
    for (const auto* object : *old_.objects()) {
      const auto* now = new_.objects()->LookupByKey(object->name()->c_str());
      if (now == nullptr)
        add(text(object->name()), object->is_struct() ? "struct_removed" : "table_removed", "it is gone or renamed");
      else if (now->is_struct() != object->is_struct())
        add(text(object->name()), "type_changed", "tables and structs differ on the wire");
      else if (object->is_struct()) check_struct(*object, *now);
      else check_table(*object, *now);
    }
    for (const auto* object : *new_.objects()) check_attributes(*object);
    for (const auto* declared : *old_.enums()) {
      const auto* now = new_.enums()->LookupByKey(declared->name()->c_str());
      if (now == nullptr) add(text(declared->name()), "enum_removed", "it is gone or renamed");
      else check_enum(*declared, *now);
    }
    return std::move(breaks_);
  }

 private:
  void add(std::string place, std::string_view code, std::string detail) {
    breaks_.push_back({std::move(place), code, std::move(detail)});
  }

  // By names, since the indexes of objects and enums differ from schema to schema.
  static std::string name_of_type(const reflection::Schema& schema, const reflection::Type& type) {
    std::string name = reflection::EnumNameBaseType(type.base_type());
    if (type.base_type() == reflection::Vector || type.base_type() == reflection::Array)
      name += std::string(" of ") + reflection::EnumNameBaseType(type.element());
    if (type.base_type() == reflection::Array) name += " x" + std::to_string(type.fixed_length());
    if (type.index() < 0) return name;
    const auto index = static_cast<flatbuffers::uoffset_t>(type.index());
    const bool is_object = type.base_type() == reflection::Obj || type.element() == reflection::Obj;
    return name + " " + text(is_object ? schema.objects()->Get(index)->name() : schema.enums()->Get(index)->name());
  }

  static const reflection::Field* by_id(const reflection::Object& object, std::uint16_t id) {
    for (const auto* field : *object.fields())
      if (field->id() == id) return field;
    return nullptr;
  }

  void check_table(const reflection::Object& before, const reflection::Object& now) {
    for (const auto* field : *before.fields()) {
      const std::string place = text(before.name()) + "." + text(field->name());
      const std::string type = name_of_type(old_, *field->type());
      const auto* kept = now.fields()->LookupByKey(field->name()->c_str());
      if (kept == nullptr) {
        const auto* other = by_id(now, field->id());
        if (other == nullptr) add(place, "field_removed", "a released field stays");
        else if (name_of_type(new_, *other->type()) == type)
          add(place, "field_renamed", "its id is now called " + text(other->name()));
        else add(place, "id_reused", "its id now means " + text(other->name()));
        continue;
      }
      if (kept->id() != field->id())
        add(place, "field_renumbered", "id " + std::to_string(field->id()) + " became " + std::to_string(kept->id()));
      const std::string now_type = name_of_type(new_, *kept->type());
      if (now_type != type) add(place, "type_changed", type + " became " + now_type);
      // Of what is no scalar, `optional` only says that it is not required.
      const bool is_scalar = field->type()->base_type() < reflection::String;
      if (kept->default_integer() != field->default_integer() || kept->default_real() != field->default_real() ||
          (is_scalar && kept->optional() != field->optional()))
        add(place, "default_changed", "absent values would read differently");
      if (kept->required() && !field->required()) add(place, "required_added", "old records that lack it would not verify");
      if (kept->deprecated() && !field->deprecated()) add(place, "field_deprecated", "old records still hold it");
    }
    for (const auto* field : *now.fields()) {
      const bool is_new = before.fields()->LookupByKey(field->name()->c_str()) == nullptr;
      if (is_new && field->required())
        add(text(now.name()) + "." + text(field->name()), "required_added", "old records that lack it would not verify");
    }
  }

  void check_struct(const reflection::Object& before, const reflection::Object& now) {
    const std::string name = text(before.name());
    if (before.bytesize() != now.bytesize() || before.minalign() != now.minalign())
      add(name, "struct_changed", std::to_string(before.bytesize()) + " bytes became " + std::to_string(now.bytesize()));
    for (const auto* field : *before.fields()) {
      const auto* kept = now.fields()->LookupByKey(field->name()->c_str());
      const std::string place = name + "." + text(field->name());
      if (kept == nullptr) add(place, "field_removed", "it is gone or renamed");
      else if (kept->offset() != field->offset()) add(place, "struct_changed", "it moved");
      else if (name_of_type(old_, *field->type()) != name_of_type(new_, *kept->type())) add(place, "type_changed", "in a struct");
    }
    // Padding can hide a field that was added.
    for (const auto* field : *now.fields())
      if (before.fields()->LookupByKey(field->name()->c_str()) == nullptr)
        add(name + "." + text(field->name()), "struct_changed", "a struct cannot grow");
  }

  void check_attributes(const reflection::Object& object) {
    for (const auto* field : *object.fields())
      if (field->attributes() != nullptr && field->attributes()->LookupByKey("nested_flatbuffer") != nullptr)
        add(text(object.name()) + "." + text(field->name()), "nested_flatbuffer", "the verifier does not bound its depth");
  }

  void check_enum(const reflection::Enum& before, const reflection::Enum& now) {
    const std::string name = text(before.name());
    if (before.is_union() != now.is_union() || before.underlying_type()->base_type() != now.underlying_type()->base_type())
      add(name, "type_changed", "its underlying type differs");
    for (const auto* member : *before.values()) {
      const std::string place = name + "." + text(member->name());
      const reflection::EnumVal* by_name = nullptr;
      const reflection::EnumVal* by_number = nullptr;
      for (const auto* candidate : *now.values()) {
        if (text(candidate->name()) == text(member->name())) by_name = candidate;
        if (candidate->value() == member->value()) by_number = candidate;
      }
      if (by_name == nullptr && by_number == nullptr) {
        add(place, "member_removed", "old records may hold it");
      } else if (by_name == nullptr) {
        add(place, "member_renamed", "its number is now called " + text(by_number->name()));
      } else if (by_name->value() != member->value()) {
        add(place, "member_renumbered", std::to_string(member->value()) + " became " + std::to_string(by_name->value()));
      } else if (before.is_union() && now.is_union() && member->union_type() != nullptr && by_name->union_type() != nullptr &&
                 name_of_type(old_, *member->union_type()) != name_of_type(new_, *by_name->union_type())) {
        add(place, "type_changed", "the member's type differs");
      }
    }
  }

  const reflection::Schema& old_;
  const reflection::Schema& new_;
  std::vector<SchemaBreak> breaks_;
};

const reflection::Schema& read(std::string_view bfbs, const char* which) {
  const auto* bytes = reinterpret_cast<const std::uint8_t*>(bfbs.data());
  flatbuffers::Verifier verifier(bytes, bfbs.size());
  if (!reflection::VerifySchemaBuffer(verifier)) throw std::runtime_error(std::string("the ") + which + " schema is no .bfbs");
  return *reflection::GetSchema(bytes);
}

}  // namespace

std::vector<SchemaBreak> lint_schema(std::string_view released, std::string_view present) {
  return Linter(read(released, "released"), read(present, "present")).run();
}

}  // namespace guildhall
