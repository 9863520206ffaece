-- Appends a dead letter's event again, for its group alone, and removes the letter.
-- KEYS[1]  the log (stream)
-- KEYS[2]  its time to live (string, ms); may be missing
-- KEYS[3]  the group's dead letters (stream)
-- ARGV[1]  id of the dead letter
-- ARGV[2]  group
-- ARGV[3]  time to live where none is known, ms
-- Returns the new entry's id, or nothing when the letter is not there or holds no event.
local letter = redis.call('XRANGE', KEYS[3], ARGV[1], ARGV[1])[1]
if not letter then return false end
local event = { 'only_group', ARGV[2] }
-- The first four fields and values are the letter's own.
for i = 9, #letter[2] do event[#event + 1] = letter[2][i] end
if #event == 2 then return false end
local id = redis.call('XADD', KEYS[1], '*', unpack(event))
redis.call('PEXPIRE', KEYS[1], redis.call('GET', KEYS[2]) or ARGV[3])
redis.call('XDEL', KEYS[3], ARGV[1])
return id
