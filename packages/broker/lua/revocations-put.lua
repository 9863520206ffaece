-- Adds revocations and withdrawals in one step, and forgets those that ended.
-- KEYS[1]  entries (hash: id, JSON; an empty text is a withdrawal)
-- KEYS[2]  versions (sorted set: id by version)
-- KEYS[3]  ends (sorted set: id by the ms since 1970 when it ends)
-- KEYS[4]  meta (hash: epoch, version)
-- ARGV[1]  epoch of a new log
-- ARGV[2]  maximum number of entries
-- ARGV[3]  1: only ids that are not known
-- ARGV[4…] id, JSON, end, id, JSON, end, …; an end below 0 is a duration from now
-- Returns 1 if the first id had a revocation, 0 if not, -1 if there was no place for one.
local entries, versions, ends, meta = KEYS[1], KEYS[2], KEYS[3], KEYS[4]
-- The first write is one that a full Redis refuses.
redis.call('HSETNX', meta, 'epoch', ARGV[1])
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)

for _, id in ipairs(redis.call('ZRANGEBYSCORE', ends, '-inf', now, 'LIMIT', 0, 1000)) do
  redis.call('HDEL', entries, id)
  redis.call('ZREM', versions, id)
  redis.call('ZREM', ends, id)
end

local result = 0
local size = redis.call('HLEN', entries)
for at = 4, #ARGV, 3 do
  local id, json, ending = ARGV[at], ARGV[at + 1], tonumber(ARGV[at + 2])
  local before = redis.call('HGET', entries, id)
  if at == 4 and before and before ~= '' then result = 1 end
  if not before and size >= tonumber(ARGV[2]) then return -1 end
  if not before or ARGV[3] ~= '1' then
    if not before then size = size + 1 end
    if ending < 0 then ending = now - ending end
    redis.call('HSET', entries, id, json)
    redis.call('ZADD', versions, redis.call('HINCRBY', meta, 'version', 1), id)
    redis.call('ZADD', ends, string.format('%.0f', ending), id)
  end
end

local last = redis.call('ZREVRANGE', ends, 0, 0, 'WITHSCORES')
if last[2] then
  for _, key in ipairs(KEYS) do redis.call('PEXPIREAT', key, string.format('%.0f', last[2] + 60000)) end
end
return result
