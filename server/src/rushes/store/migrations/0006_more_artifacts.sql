-- First and last frame, an animated preview and a manifest beside video and thumbnail. The check moves only the names
-- of kinds; rows stay as they are.
ALTER TABLE artifacts DROP CONSTRAINT artifacts_kind_check;
ALTER TABLE artifacts ADD CONSTRAINT artifacts_kind_check
  CHECK (kind IN ('video', 'thumbnail', 'first_frame', 'last_frame', 'preview', 'manifest'));
