-- Counts one more attempt at an entry, if the lease is this consumer's and the entry was given out.
-- KEYS[1]  the log (stream)
-- KEYS[2]  the lease (string: consumer)
-- ARGV[1]  consumer
-- ARGV[2]  group
-- ARGV[3]  entry id
-- Returns the attempts, or 0 when the lease is lost or the entry is not given out.
if redis.call('GET', KEYS[2]) ~= ARGV[1] then return 0 end
local pending = redis.pcall('XPENDING', KEYS[1], ARGV[2], ARGV[3], ARGV[3], 1)
if pending.err then
  if string.find(pending.err, 'NOGROUP', 1, true) then return 0 end
  return pending
end
if #pending == 0 then return 0 end
local attempts = pending[1][4] + 1
redis.call('XCLAIM', KEYS[1], ARGV[2], 'hubbub', 0, ARGV[3], 'RETRYCOUNT', attempts, 'JUSTID')
return attempts
