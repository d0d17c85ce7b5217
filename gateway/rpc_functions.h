// The seeds' own database functions, as commands by another name: supabase.rpc(name, args) sends the command with the arguments
// renamed. Types and bounds of the arguments and results are the fields'.
#pragma once

#include <span>
#include <string_view>

namespace guildhall {

struct RpcArgument {
  std::string_view name;
  std::string_view field;    // Of the command.
  bool is_required = false;  // It has no default in the seed.
};
struct RpcResult {
  std::string_view name;
  std::string_view field;  // Of the command's resource.
};
struct RpcFunction {
  std::string_view name;
  std::string_view command;
  std::string_view summary;
  std::span<const RpcArgument> arguments;
  // The columns of the one row that it returns; a single column without a name is the bare value.
  std::span<const RpcResult> results;

  bool returns_value() const { return results.size() == 1 && results.front().name.empty(); }
};

std::span<const RpcFunction> rpc_functions();

}  // namespace guildhall
