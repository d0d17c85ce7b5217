#include "gateway/live_body.h"

#include <mutex>

#include "events/check.h"

namespace guildhall {

class LivePipe {
 public:
  explicit LivePipe(std::size_t limit_bytes) : limit_bytes_(limit_bytes) {}

  bool write(std::string_view bytes) {
    const std::lock_guard lock(mutex_);
    if (unread_ || state_ != LiveBody::State::open) return false;
    if (bytes.size() > limit_bytes_ - bytes_.size()) {
      state_ = LiveBody::State::overrun;
      std::string().swap(bytes_);
      wake();
      return false;
    }
    bytes_ += bytes;
    if (!std::exchange(woken_, true)) wake();  // What follows until the next take() costs no wake-up.
    return true;
  }
  void end() {
    const std::lock_guard lock(mutex_);
    if (state_ != LiveBody::State::open) return;
    state_ = LiveBody::State::ended;
    wake();
  }
  bool closed() const {
    const std::lock_guard lock(mutex_);
    return unread_ || state_ != LiveBody::State::open;
  }

  void on_more(std::function<void()> wake) {
    const std::lock_guard lock(mutex_);
    wake_ = std::move(wake);
  }
  LiveBody::State take(std::string& into) {
    std::string().swap(into);  // Not to be kept by the pipe.
    const std::lock_guard lock(mutex_);
    into.swap(bytes_);
    woken_ = false;
    return state_;
  }
  LiveBody::State state() const {
    const std::lock_guard lock(mutex_);
    return state_;
  }
  void leave_unread() {
    const std::lock_guard lock(mutex_);
    unread_ = true;
    wake_ = nullptr;
    std::string().swap(bytes_);
  }

 private:
  void wake() const {
    if (wake_) wake_();
  }

  const std::size_t limit_bytes_;
  mutable std::mutex mutex_;
  std::string bytes_;
  LiveBody::State state_ = LiveBody::State::open;
  bool unread_ = false;  // The server's end has gone.
  bool woken_ = false;
  std::function<void()> wake_;
};

LiveBody::~LiveBody() { pipe_->leave_unread(); }
void LiveBody::on_more(std::function<void()> wake) { pipe_->on_more(std::move(wake)); }
LiveBody::State LiveBody::take(std::string& into) { return pipe_->take(into); }
LiveBody::State LiveBody::state() const { return pipe_->state(); }

LiveBodyWriter::~LiveBodyWriter() {
  if (pipe_) pipe_->end();
}
bool LiveBodyWriter::write(std::string_view bytes) { return pipe_->write(bytes); }
bool LiveBodyWriter::closed() const { return pipe_->closed(); }

std::pair<std::shared_ptr<LiveBody>, LiveBodyWriter> live_body(LiveBodyOptions options) {
  CHECK(!options.heartbeat.empty());
  auto pipe = std::make_shared<LivePipe>(options.limit_bytes);
  return {std::make_shared<LiveBody>(pipe, std::move(options)), LiveBodyWriter(pipe)};
}

}  // namespace guildhall
