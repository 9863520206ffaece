-- Counts, remembers and publishes one envelope of a room, or does nothing when its idempotency key is known.
-- KEYS[1]  position (hash: epoch, offset)
-- KEYS[2]  envelopes (stream: entry id <offset>-0, field e)
-- KEYS[3]  idempotency key (string: <offset> <epoch>); may be missing
-- ARGV[1]  channel
-- ARGV[2]  envelope; its third byte is the first of the header's fields
-- ARGV[3]  envelopes to remember
-- ARGV[4]  time to live of the envelopes, ms
-- ARGV[5]  time to live of the position, ms
-- ARGV[6]  epoch, when one begins
-- ARGV[7]  idempotency window, ms
-- ARGV[8]  epoch of a position that was surely given, or ""
-- ARGV[9]  its offset
-- Returns { epoch, offset, 1 when the key was known and 0 otherwise }.
if KEYS[3] then
  local known = redis.call('GET', KEYS[3])
  if known then
    local space = string.find(known, ' ', 1, true)
    return { string.sub(known, space + 1), tonumber(string.sub(known, 1, space - 1)), 1 }
  end
end
local position = redis.call('HMGET', KEYS[1], 'epoch', 'offset')
local epoch = position[1]
-- Data older than what was given out: offsets would come to name other envelopes.
if not epoch or (epoch == ARGV[8] and tonumber(position[2] or 0) < tonumber(ARGV[9])) then
  epoch = ARGV[6]
  redis.call('HSET', KEYS[1], 'epoch', epoch, 'offset', 0)
  redis.call('DEL', KEYS[2])
end
local offset = redis.call('HINCRBY', KEYS[1], 'offset', 1)
-- Joined, not formatted: %s ends at a zero byte.
local place = string.format('"o":%d,"h":"%s",', offset, epoch)
local envelope = string.sub(ARGV[2], 1, 2) .. place .. string.sub(ARGV[2], 3)
redis.call('XADD', KEYS[2], 'MAXLEN', ARGV[3], string.format('%d-0', offset), 'e', envelope)
redis.call('PEXPIRE', KEYS[2], ARGV[4])
redis.call('PEXPIRE', KEYS[1], ARGV[5])
if KEYS[3] then
  redis.call('SET', KEYS[3], string.format('%d %s', offset, epoch), 'PX', ARGV[7])
end
redis.call('PUBLISH', ARGV[1], envelope)
return { epoch, offset, 0 }
