#include "projectors/counterparties.h"

namespace guildhall {

const Table& Counterparties::table() {
  static const Table table{"counterparties", {{"owner_id", ColumnType::uuid}, {"other_id", ColumnType::uuid}}, {}};
  return table;
}

void acquaint(const Uuid& one, const Uuid& other, Writes& out) {
  out.upsert(Counterparties::table(), {one, other});
  out.upsert(Counterparties::table(), {other, one});
}

}  // namespace guildhall
