-- Reads a room's position and some of its envelopes.
-- KEYS[1]  position (hash: epoch, offset)
-- KEYS[2]  envelopes (stream: entry id <offset>-0, field e)
-- ARGV[1]  epoch, when one begins
-- ARGV[2]  time to live of the position, ms: where there are readers it does not end
-- ARGV[3]  first stream id
-- ARGV[4]  last stream id
-- ARGV[5]  entries at most; 0 for none
-- ARGV[6]  "oldest" or "newest": which ones when there are more
-- ARGV[7]  epoch of a position that was surely given, or ""
-- ARGV[8]  its offset
-- ARGV[9]  bytes of the envelopes at most, with "newest"; 0 for no bound; may be missing
-- Returns { epoch, offset, entries as XRANGE does }. If the envelopes are larger than the bound, there are no entries.
-- The fourth value is then the offset of the newest one that does not fit.
local position = redis.call('HMGET', KEYS[1], 'epoch', 'offset')
local epoch, offset = position[1], tonumber(position[2] or 0)
-- Data older than what was given out: offsets would come to name other envelopes.
if not epoch or (epoch == ARGV[7] and offset < tonumber(ARGV[8])) then
  epoch, offset = ARGV[1], 0
  redis.call('HSET', KEYS[1], 'epoch', epoch, 'offset', 0)
  redis.call('DEL', KEYS[2])
end
redis.call('PEXPIRE', KEYS[1], ARGV[2])
local limit = tonumber(ARGV[5])
if limit == 0 then
  return { epoch, offset, {} }
end
if ARGV[6] ~= 'newest' then
  return { epoch, offset, redis.call('XRANGE', KEYS[2], ARGV[3], ARGV[4], 'COUNT', limit) }
end
local bound = tonumber(ARGV[9] or 0)
if bound == 0 then
  return { epoch, offset, redis.call('XREVRANGE', KEYS[2], ARGV[4], ARGV[3], 'COUNT', limit) }
end
-- Page by page: entries beyond the bound are not read.
local PAGE = 64
local entries, bytes, last = {}, 0, ARGV[4]
repeat
  local page = redis.call('XREVRANGE', KEYS[2], last, ARGV[3], 'COUNT', math.min(PAGE, limit - #entries))
  for _, entry in ipairs(page) do
    local at = tonumber(string.match(entry[1], '^%d+'))
    bytes = bytes + #(entry[2][2] or '')
    if bytes > bound then
      return { epoch, offset, {}, at }
    end
    entries[#entries + 1] = entry
    last = string.format('%d-0', at - 1)
  end
until #page < PAGE or #entries >= limit
return { epoch, offset, entries }
