-- Gives out the next entries after a position: first those that were given out before and not acknowledged, then new ones.
-- To Redis the group has one consumer, `hubbub`, whoever holds the lease: names of the dead do not pile up.
-- KEYS[1]  the log (stream)
-- KEYS[2]  its time to live (string, ms); may be missing
-- KEYS[3]  the lease (string: consumer)
-- ARGV[1]  consumer
-- ARGV[2]  group
-- ARGV[3]  the last entry that this consumer has, or 0-0
-- ARGV[4]  entries in the answer
-- ARGV[5]  time to live where none is known, ms
-- Returns { state, newest entry id, { entry id, fields, number of the next attempt }, … }.
-- State is `lost` (the lease), `again` (the group is new, or entries were deleted: read again), or `ok`.
if redis.call('GET', KEYS[3]) ~= ARGV[1] then return { 'lost', '' } end
local limit = tonumber(ARGV[4])
local pending = redis.pcall('XPENDING', KEYS[1], ARGV[2], '(' .. ARGV[3], '+', limit)
if pending.err then
  if not string.find(pending.err, 'NOGROUP', 1, true) then return pending end
  -- The log was lost, or an operator removed the group.
  redis.call('XGROUP', 'CREATE', KEYS[1], ARGV[2], 0, 'MKSTREAM')
  redis.call('PEXPIRE', KEYS[1], redis.call('GET', KEYS[2]) or ARGV[5])
  return { 'again', '' }
end
local answer = { 'ok', '' }
if #pending > 0 then
  -- Not counted here: a delivered event is not an attempt until its handler starts.
  for _, entry in ipairs(pending) do
    local found = redis.call('XRANGE', KEYS[1], entry[1], entry[1])[1]
    if found then
      answer[#answer + 1] = { entry[1], found[2], entry[4] + 1 }
    else
      redis.call('XACK', KEYS[1], ARGV[2], entry[1]) -- Another program deleted it.
    end
  end
end
if #pending == limit then
  if #answer == 2 then answer[1] = 'again' end
  return answer
end
local count = limit - #pending
local new = redis.call('XREADGROUP', 'GROUP', ARGV[2], 'hubbub', 'COUNT', count, 'STREAMS', KEYS[1], '>')
if new then
  for _, entry in ipairs(new[1][2]) do answer[#answer + 1] = { entry[1], entry[2], 1 } end
end
if #answer == 2 then
  local newest = redis.call('XREVRANGE', KEYS[1], '+', '-', 'COUNT', 1)[1]
  answer[2] = newest and newest[1] or '0-0'
end
return answer
