-- Takes a partition over, unless somebody alive holds it. Follows server-term.lua.
-- KEYS[1]  meta of the partition (hash: owner, fence, seq, pos, term, …)
-- KEYS[2]  index of the rooms (hash: room → …); the hash of a room has 'room:<room>' in place of 'rooms'
-- KEYS[3…] further hashes that a lost partition must not find again
-- ARGV[1]  instance
-- ARGV[2]  time to live of meta, ms
-- ARGV[3…] instances that are alive
-- Returns fence, seq, pos, the server's term, the term of the last commit. seq and pos are empty when the partition is lost.
-- Returns nothing when somebody alive holds it.
local state = redis.call('HMGET', KEYS[1], 'owner', 'seq', 'term')
local owner, seq, term = state[1], state[2], server_term()
-- An earlier version stored no term: the data counts as of this one.
local stored_term = state[3] or term
-- An owner of another term may come from an old dump: it proves nothing.
if owner and owner ~= '' and stored_term == term then
  local holder = string.match(owner, '^(.*)|%d+$')
  if holder ~= ARGV[1] then
    for i = 3, #ARGV do
      if ARGV[i] == holder then
        return false
      end
    end
  end
end
if not seq then
  local room_hash = string.sub(KEYS[2], 1, -2) .. ':'
  for _, room in ipairs(redis.call('HKEYS', KEYS[2])) do
    redis.call('DEL', room_hash .. room)
  end
  for i = 2, #KEYS do
    redis.call('DEL', KEYS[i])
  end
end
-- Not below the time: the online count outlives a lost meta, and must not outrank its next owner.
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local fence = string.format('%d', math.max((redis.call('HGET', KEYS[1], 'fence') or 0) + 1, now))
redis.call('HSET', KEYS[1], 'fence', fence, 'owner', ARGV[1] .. '|' .. fence, 'term', stored_term)
redis.call('PEXPIRE', KEYS[1], ARGV[2])
return { fence, seq or '', redis.call('HGET', KEYS[1], 'pos') or '', term, stored_term }
