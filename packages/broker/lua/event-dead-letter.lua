-- Moves an entry to the dead letters and acknowledges it, if the lease is this consumer's.
-- KEYS[1]  the log (stream)
-- KEYS[2]  its time to live (string, ms); may be missing
-- KEYS[3]  the lease (string: consumer)
-- KEYS[4]  the group's dead letters (stream)
-- ARGV[1]  consumer
-- ARGV[2]  group
-- ARGV[3]  entry id
-- ARGV[4]  reason
-- ARGV[5]  dead letters to keep
-- ARGV[6]  time to live where none is known, ms
-- Returns 1, also when the entry was done before, or 0 when the lease is lost.
if redis.call('GET', KEYS[3]) ~= ARGV[1] then return 0 end
local pending = redis.pcall('XPENDING', KEYS[1], ARGV[2], ARGV[3], ARGV[3], 1)
if pending.err then
  if string.find(pending.err, 'NOGROUP', 1, true) then return 1 end
  return pending
end
if #pending == 0 then return 1 end
local time = redis.call('TIME')
local now = string.format('%.0f', time[1] * 1000 + math.floor(time[2] / 1000))
local letter = { 'entry', ARGV[3], 'reason', ARGV[4], 'attempts', tostring(pending[1][4]), 'buried_at', now }
local entry = redis.call('XRANGE', KEYS[1], ARGV[3], ARGV[3])[1]
if entry then
  -- An event has 20 texts; an entry of another program may have more than Lua can pass on.
  for i = 1, math.min(#entry[2], 200) do letter[#letter + 1] = entry[2][i] end
end
redis.call('XADD', KEYS[4], 'MAXLEN', ARGV[5], '*', unpack(letter))
redis.call('PEXPIRE', KEYS[4], redis.call('GET', KEYS[2]) or ARGV[6])
redis.call('XACK', KEYS[1], ARGV[2], ARGV[3])
return 1
