-- Moves incarnations from the living to the dead, and lists the dead whose turn has come.
-- KEYS[1]  the living (sorted set: incarnation → expiry, ms since 1970)
-- KEYS[2]  the dead (sorted set: incarnation → when its turn comes, ms since 1970)
-- ARGV[1]  'expired', or 'all' to fence everybody
-- ARGV[2]  their turn comes after, ms
-- ARGV[3]  time to live of the keys, ms
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local last = ARGV[1] == 'all' and '+inf' or now
for _, incarnation in ipairs(redis.call('ZRANGEBYSCORE', KEYS[1], '-inf', last)) do
  redis.call('ZREM', KEYS[1], incarnation)
  redis.call('ZADD', KEYS[2], now + ARGV[2], incarnation)
  redis.call('PEXPIRE', KEYS[2], ARGV[3])
end
return redis.call('ZRANGEBYSCORE', KEYS[2], '-inf', now)
