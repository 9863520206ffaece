-- Reads a room's position and some of its envelopes.
-- Follows history-position.lua, which describes KEYS[1], KEYS[2] and ARGV[1] to ARGV[5]. Where there are readers, the position stays.
-- KEYS[1]  position
-- KEYS[2]  envelopes (stream: entry id <offset>-0, field e)
-- ARGV[6]  first stream id
-- ARGV[7]  last stream id
-- ARGV[8]  entries at most; 0 for none
-- ARGV[9]  "oldest" or "newest": which ones when there are more
-- ARGV[10] bytes of the envelopes at most, with "newest"; 0 for no bound; may be missing
-- Returns { epoch, offset, entries as XRANGE does, bridges }. If the envelopes are larger than the bound, there are no entries.
-- The fifth value is then the offset of the newest one that does not fit.
redis.call('PEXPIRE', KEYS[1], ARGV[5])
local bridges = redis.call('HGET', KEYS[1], 'bridges') or '[]'
local limit = tonumber(ARGV[8])
if limit == 0 then
  return { epoch, offset, {}, bridges }
end
if ARGV[9] ~= 'newest' then
  return { epoch, offset, redis.call('XRANGE', KEYS[2], ARGV[6], ARGV[7], 'COUNT', limit), bridges }
end
local bound = tonumber(ARGV[10] or 0)
if bound == 0 then
  return { epoch, offset, redis.call('XREVRANGE', KEYS[2], ARGV[7], ARGV[6], 'COUNT', limit), bridges }
end
-- Page by page: the script reads no further than the bound.
local PAGE = 64
local entries, bytes, last = {}, 0, ARGV[7]
repeat
  local page = redis.call('XREVRANGE', KEYS[2], last, ARGV[6], 'COUNT', math.min(PAGE, limit - #entries))
  for _, entry in ipairs(page) do
    local at = tonumber(string.match(entry[1], '^%d+'))
    bytes = bytes + #(entry[2][2] or '')
    if bytes > bound then
      return { epoch, offset, {}, bridges, at }
    end
    entries[#entries + 1] = entry
    last = string.format('%d-0', at - 1)
  end
until #page < PAGE or #entries >= limit
return { epoch, offset, entries, bridges }
