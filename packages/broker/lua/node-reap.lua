-- Moves incarnations from the living to the dead, and lists the dead whose turn has come. A late check begins a hold: Redis or
-- presence was stalled, renewals may have had no chance, and no incarnation dies before the hold ends. Follows wire-version.lua.
-- KEYS[1]  the living (sorted set: incarnation → expiry, ms since 1970)
-- KEYS[2]  the dead (sorted set: incarnation → when its turn comes, ms since 1970)
-- KEYS[3]  checks (hash, ms since 1970: at: the last one, held: the last hold began, first: the first hold in a row began)
-- ARGV[1]  'expired', or 'all' to fence everybody
-- ARGV[2]  their turn comes after, ms
-- ARGV[3]  time to live of the keys, ms
-- ARGV[4]  lease, ms: a hold lasts half of it
-- ARGV[5]  ms after which a check is late
-- Returns in how many ms the next one expires or has its turn (-1: never), 1 when a hold began or 0, then the dead.
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local lease = tonumber(ARGV[4])
local last, began, held_ms = '+inf', 0, 0
if ARGV[1] == 'expired' then
  local checks = redis.call('HMGET', KEYS[3], 'at', 'held', 'first')
  local at, held, first = tonumber(checks[1] or now), tonumber(checks[2] or 0), tonumber(checks[3] or 0)
  if now - at > tonumber(ARGV[5]) then
    local is_first = now - at > lease or now - held > 2 * lease
    -- Bounded: presence that is always a little late must not keep the dead for ever.
    local goes_on = at < held + lease / 2 and now - first < 4 * lease
    if is_first then first = now end
    if is_first or goes_on then held, began = now, 1 end
  end
  redis.call('HSET', KEYS[3], 'at', string.format('%d', now), 'held', string.format('%d', held), 'first',
    string.format('%d', first))
  redis.call('PEXPIRE', KEYS[3], ARGV[3])
  held_ms = math.ceil(held + lease / 2 - now)
  last = held_ms > 0 and '-inf' or now
  write_wire_version(now)
end
for _, incarnation in ipairs(redis.call('ZRANGEBYSCORE', KEYS[1], '-inf', last)) do
  redis.call('ZADD', KEYS[2], now + ARGV[2], incarnation)
  redis.call('PEXPIRE', KEYS[2], ARGV[3])
  redis.call('ZREM', KEYS[1], incarnation)
end
local nearest = -1
for _, first in ipairs({
  redis.call('ZRANGE', KEYS[1], 0, 0, 'WITHSCORES'),
  redis.call('ZRANGEBYSCORE', KEYS[2], '(' .. string.format('%d', now), '+inf', 'WITHSCORES', 'LIMIT', 0, 1),
}) do
  if first[2] and (nearest < 0 or first[2] - now < nearest) then
    nearest = math.max(0, held_ms, first[2] - now)
  end
end
local reply = redis.call('ZRANGEBYSCORE', KEYS[2], '-inf', now)
table.insert(reply, 1, began)
table.insert(reply, 1, string.format('%d', nearest))
return reply
