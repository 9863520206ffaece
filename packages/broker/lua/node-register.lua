-- Begins an incarnation's lease, unless it was declared dead.
-- KEYS[1]  the living (sorted set: incarnation → expiry, ms since 1970)
-- KEYS[2]  the dead (sorted set: incarnation → when its turn comes, ms since 1970)
-- ARGV[1]  incarnation
-- ARGV[2]  lease, ms
-- ARGV[3]  time to live of the key, ms
if redis.call('ZSCORE', KEYS[2], ARGV[1]) then
  return 0
end
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
redis.call('ZADD', KEYS[1], now + ARGV[2], ARGV[1])
redis.call('PEXPIRE', KEYS[1], ARGV[3])
return 1
