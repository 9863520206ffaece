-- Replaces a document if it is still what was read: compare and set, so that no instance overwrites another's change.
-- KEYS[1] the document
-- ARGV[1] the text that was read, empty for none
-- ARGV[2] the new text, empty to delete it
-- ARGV[3] time to live, ms
-- Returns 1 when it was replaced, 0 when somebody else was faster.
local now = redis.call('GET', KEYS[1]) or ''
if now ~= ARGV[1] then
  return 0
end
if ARGV[2] == '' then
  redis.call('DEL', KEYS[1])
else
  redis.call('SET', KEYS[1], ARGV[2], 'PX', ARGV[3])
end
return 1
