-- Appends one event, or does nothing when its idempotency key is known or too many wait. Follows event-trim.lua.
-- KEYS[1]  the log (stream)
-- KEYS[2]  its time to live (string, ms), for those who only read
-- KEYS[3]  idempotency key (string: entry id); may be missing
-- ARGV[1]  events that may wait
-- ARGV[2]  time to live of the log, ms
-- ARGV[3]  idempotency window, ms
-- ARGV[4…] field, value, …
-- Returns { entry id, 1 when the key was known and 0 otherwise, entries in the log }, or nothing when the log is full.
if KEYS[3] then
  local known = redis.call('GET', KEYS[3])
  if known then return { known, 1, redis.call('XLEN', KEYS[1]) } end
end
local max = tonumber(ARGV[1])
local length = redis.call('XLEN', KEYS[1])
-- Programs that only XACK never trim. From half on, each 64th append does: users then have shares of what is left.
if length >= max or (length >= max / 2 and length % 64 == 0) then
  trim(KEYS[1])
  length = redis.call('XLEN', KEYS[1])
  if length >= max then return false end
end
local id = redis.call('XADD', KEYS[1], '*', unpack(ARGV, 4))
redis.call('PEXPIRE', KEYS[1], ARGV[2])
redis.call('SET', KEYS[2], ARGV[2], 'PX', ARGV[2])
if KEYS[3] then redis.call('SET', KEYS[3], id, 'PX', ARGV[3]) end
return { id, 0, length + 1 }
