-- Who follows whom, either way (PA-41), and notifications (PA-102).
CREATE UNIQUE INDEX idx_followers_follower_id ON followers (follower_id, following_id);
CREATE INDEX idx_followers_following_id ON followers (following_id, follower_id);
CREATE UNIQUE INDEX idx_notifications_user_id ON notifications (user_id, sequence);
CREATE INDEX idx_notifications_created_at ON notifications (user_id, created_at DESC);
