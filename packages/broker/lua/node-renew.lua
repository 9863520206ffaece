-- Renews an incarnation's lease, if it still lives.
-- KEYS[1]  the living (sorted set: incarnation → expiry, ms since 1970)
-- KEYS[2]  the wire version (hash: written, …)
-- ARGV[1]  incarnation
-- ARGV[2]  lease, ms
-- ARGV[3]  time to live of the key, ms
-- Returns the version to write (1 where nothing decides it), or 0 when the incarnation is fenced.
if not redis.call('ZSCORE', KEYS[1], ARGV[1]) then
  return 0
end
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
redis.call('ZADD', KEYS[1], now + ARGV[2], ARGV[1])
redis.call('PEXPIRE', KEYS[1], ARGV[3])
return tonumber(redis.call('HGET', KEYS[2], 'written') or 1)
