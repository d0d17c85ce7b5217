// The figures of a platform as `guildhall serve` reads them: a value that the rules forbid ends it before it opens anything.
#include <gtest/gtest.h>

#include <fstream>

#include "tests/cli/binary.h"
#include "tests/infra/segment_folder.h"

namespace guildhall::test {
namespace {

class Policy : public testing::Test {
 protected:
  CommandResult serve(const std::string& figures) const {
    const std::filesystem::path file = data_.path() / "platform.toml";
    std::ofstream(file) << "name = \"producers_avenue\"\n" << figures;
    return run_guildhall({"serve", "--platform", "producers_avenue", "--platform-file", file.string(), "--data",
                          (data_.path() / "data").string()});
  }
  Folder data_;
};

TEST_F(Policy, a_commission_lies_between_ten_and_forty_per_cent) {  // A-PA-9, PA-90
  for (const std::string tier : {"basic", "standard", "premium", "ultimate"})
    for (const int basis_points : {999, 4001, 0, -1}) {
      const CommandResult refused = serve("[commission_bp]\n" + tier + " = " + std::to_string(basis_points) + "\n");
      EXPECT_EQ(refused.exit_code, 2) << tier << " " << basis_points;
      EXPECT_NE(refused.err.find("commission_bp." + tier + " must lie between 1000 and 4000"), std::string::npos) << refused.err;
    }
  // Both ends are allowed: what is refused is the name, which is looked at last.
  const CommandResult named = serve("[commission_bp]\nbasic = 4000\nultimate = 1000\ngold = 2000\n");
  EXPECT_EQ(named.exit_code, 2);
  EXPECT_NE(named.err.find("commission_bp.gold is no policy value"), std::string::npos) << named.err;
}

}  // namespace
}  // namespace guildhall::test
