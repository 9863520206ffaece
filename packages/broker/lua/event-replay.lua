-- Appends a dead letter's event again, for its group alone, and removes the letter.
-- KEYS[1]  the log, or the replays of a group of lifecycle events (stream)
-- KEYS[2]  the group's dead letters (stream)
-- KEYS[3]  time to live of a log (string, ms); may be missing. Not given for replays
-- ARGV[1]  id of the dead letter
-- ARGV[2]  group
-- ARGV[3]  time to live where none is known, ms
-- Returns the new entry's id, or nothing when the letter is not there or holds no event.
local letter = redis.call('XRANGE', KEYS[2], ARGV[1], ARGV[1])[1]
if not letter then return false end
local event = { 'only_group', ARGV[2] }
-- The first four fields and values are the letter's own.
for i = 9, #letter[2] do event[#event + 1] = letter[2][i] end
if #event == 2 then return false end
local id = redis.call('XADD', KEYS[1], '*', unpack(event))
redis.call('PEXPIRE', KEYS[1], KEYS[3] and redis.call('GET', KEYS[3]) or ARGV[3])
redis.call('XDEL', KEYS[2], ARGV[1])
return id
