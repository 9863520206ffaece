-- Moves incarnations from the living to the dead, and lists the dead whose turn has come.
-- KEYS[1]  the living (sorted set: incarnation → expiry, ms since 1970)
-- KEYS[2]  the dead (sorted set: incarnation → when its turn comes, ms since 1970)
-- ARGV[1]  'expired', or 'all' to fence everybody
-- ARGV[2]  their turn comes after, ms
-- ARGV[3]  time to live of the keys, ms
-- Returns in how many ms the next one expires or has its turn (-1: never), then the dead.
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local last = ARGV[1] == 'all' and '+inf' or now
for _, incarnation in ipairs(redis.call('ZRANGEBYSCORE', KEYS[1], '-inf', last)) do
  redis.call('ZREM', KEYS[1], incarnation)
  redis.call('ZADD', KEYS[2], now + ARGV[2], incarnation)
  redis.call('PEXPIRE', KEYS[2], ARGV[3])
end
local nearest = -1
for _, first in ipairs({
  redis.call('ZRANGE', KEYS[1], 0, 0, 'WITHSCORES'),
  redis.call('ZRANGEBYSCORE', KEYS[2], '(' .. string.format('%d', now), '+inf', 'WITHSCORES', 'LIMIT', 0, 1),
}) do
  if first[2] and (nearest < 0 or first[2] - now < nearest) then
    nearest = math.max(0, first[2] - now)
  end
end
local reply = redis.call('ZRANGEBYSCORE', KEYS[2], '-inf', now)
table.insert(reply, 1, string.format('%d', nearest))
return reply
