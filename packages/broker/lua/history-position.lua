-- Precedes history-append.lua and history-read.lua, in one text: finds the epoch and the offset of a room.
-- It begins an epoch where the room has none. The room continues in a new epoch, behind a bridge, if Redis may have lost messages:
-- the server has another term than the room, or does not reach a known position.
-- KEYS[1]  position (hash: epoch, offset, term, bridges)
-- KEYS[2]  envelopes (stream)
-- ARGV[1]  epoch, when one begins
-- ARGV[2]  term: master_replid of INFO replication, as known on this connection; "" where unknown: the script asks
-- ARGV[3]  epoch of a position that was surely given, or ""
-- ARGV[4]  its offset
-- ARGV[5]  time to live of the position, ms
-- The field term is that of the server that checked the room last. The field bridges is JSON, newest first:
-- [earlier epoch, offset up to which this epoch contains it]. Offsets never decrease, so a later bridge never has a lower one.
local MAX_BRIDGES = 8

local found = redis.call('HMGET', KEYS[1], 'epoch', 'offset', 'term')
local epoch, offset = found[1], tonumber(found[2] or 0)
local reaches = epoch ~= ARGV[3] or offset >= tonumber(ARGV[4])
if not epoch or found[3] ~= ARGV[2] or not reaches then
  -- The caller may not know the term yet, so the server decides. Without the right to INFO, the term does not change.
  local info = redis.pcall('INFO', 'replication')
  local last = found[3]
  local term = type(info) == 'string' and string.match(info, 'master_replid:(%w+)') or last or ''
  if not epoch then
    epoch = ARGV[1]
    redis.call('HSET', KEYS[1], 'epoch', epoch, 'offset', 0, 'term', term)
    redis.call('DEL', KEYS[2])
  elseif not reaches or (last and last ~= term) then
    local bridges = cjson.decode(redis.call('HGET', KEYS[1], 'bridges') or '[]')
    table.insert(bridges, 1, { epoch, offset })
    bridges[MAX_BRIDGES + 1] = nil
    epoch = ARGV[1]
    redis.call('HSET', KEYS[1], 'epoch', epoch, 'term', term, 'bridges', cjson.encode(bridges))
  elseif not last then
    redis.call('HSET', KEYS[1], 'term', term)
  end
end
