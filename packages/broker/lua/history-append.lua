-- Counts, remembers and publishes one envelope of a room, or does nothing when its idempotency key is known.
-- Follows history-position.lua, which describes KEYS[1], KEYS[2] and ARGV[1] to ARGV[5].
-- KEYS[1]  position
-- KEYS[2]  envelopes (stream: entry id <offset>-0, field e)
-- KEYS[3]  idempotency key (string: <offset> <epoch>); may be missing
-- ARGV[6]  channel
-- ARGV[7]  envelope; its third byte is the first of the header's fields
-- ARGV[8]  envelopes to remember
-- ARGV[9]  time to live of the envelopes, ms
-- ARGV[10] idempotency window, ms
-- Returns { epoch, offset, 1 when the key was known and 0 otherwise }.
if KEYS[3] then
  local known = redis.call('GET', KEYS[3])
  if known then
    local space = string.find(known, ' ', 1, true)
    local of = string.sub(known, space + 1)
    -- The key was stored with its message: if a bridge leads here from its epoch, this epoch contains the message.
    for _, bridge in ipairs(of ~= epoch and cjson.decode(redis.call('HGET', KEYS[1], 'bridges') or '[]') or {}) do
      if bridge[1] == of then of = epoch end
    end
    return { of, tonumber(string.sub(known, 1, space - 1)), 1 }
  end
end
-- The first write: a full Redis refuses it, and would allow all that follow another one.
offset = redis.call('HINCRBY', KEYS[1], 'offset', 1)
redis.call('PEXPIRE', KEYS[1], ARGV[5])
-- Joined, not formatted: %s ends at a zero byte.
local place = string.format('"o":%d,"h":"%s",', offset, epoch)
local envelope = string.sub(ARGV[7], 1, 2) .. place .. string.sub(ARGV[7], 3)
redis.call('XADD', KEYS[2], 'MAXLEN', ARGV[8], string.format('%d-0', offset), 'e', envelope)
redis.call('PEXPIRE', KEYS[2], ARGV[9])
if KEYS[3] then
  redis.call('SET', KEYS[3], string.format('%d %s', offset, epoch), 'PX', ARGV[10])
end
redis.call('PUBLISH', ARGV[6], envelope)
return { epoch, offset, 0 }
