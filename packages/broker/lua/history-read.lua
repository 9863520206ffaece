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
-- Returns { epoch, offset, entries as XRANGE does }.
local position = redis.call('HMGET', KEYS[1], 'epoch', 'offset')
local epoch, offset = position[1], tonumber(position[2] or 0)
-- Data older than what was given out: offsets would come to name other envelopes.
if not epoch or (epoch == ARGV[7] and offset < tonumber(ARGV[8])) then
  epoch, offset = ARGV[1], 0
  redis.call('HSET', KEYS[1], 'epoch', epoch, 'offset', 0)
  redis.call('DEL', KEYS[2])
end
redis.call('PEXPIRE', KEYS[1], ARGV[2])
local entries = {}
if tonumber(ARGV[5]) > 0 then
  if ARGV[6] == 'newest' then
    entries = redis.call('XREVRANGE', KEYS[2], ARGV[4], ARGV[3], 'COUNT', ARGV[5])
  else
    entries = redis.call('XRANGE', KEYS[2], ARGV[3], ARGV[4], 'COUNT', ARGV[5])
  end
end
return { epoch, offset, entries }
