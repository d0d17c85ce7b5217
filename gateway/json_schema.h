// JSON Schema 2020-12 of commands, events and resources: what transcode() reads and to_json() writes, said for clients.
#pragma once

#include <boost/json/object.hpp>

#include "gateway/schema.h"

namespace guildhall {

// Of one field as a client sends it, or as the server writes it.
boost::json::object json_schema_sent(const FieldSchema& field);
boost::json::object json_schema_written(const FieldSchema& field);

// The body of a command: without the fields of its path and those that the server sets. It has no "properties" when nothing is
// left.
boost::json::object json_schema_of_body(const CommandSchema& command);
// A whole table as to_json() writes it.
boost::json::object json_schema_of(const TableSchema& table);

}  // namespace guildhall
