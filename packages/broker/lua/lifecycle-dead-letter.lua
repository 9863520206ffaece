-- Adds an event to the dead letters of a group, if the consumer has the lease.
-- KEYS[1] the lease
-- KEYS[2] dead letters of the group (stream)
-- ARGV[1] consumer
-- ARGV[2] time to live of the dead letters, ms
-- ARGV[3] dead letters to keep
-- ARGV[4] entry
-- ARGV[5] reason
-- ARGV[6] attempts
-- ARGV[7…] fields and values of the event
-- Returns 1, or 0 when another has the lease.
if redis.call('GET', KEYS[1]) ~= ARGV[1] then
  return 0
end
local time = redis.call('TIME')
local now = string.format('%.0f', time[1] * 1000 + math.floor(time[2] / 1000))
local own = { 'entry', ARGV[4], 'reason', ARGV[5], 'attempts', ARGV[6], 'buried_at', now }
for i = 7, #ARGV do own[#own + 1] = ARGV[i] end
redis.call('XADD', KEYS[2], 'MAXLEN', ARGV[3], '*', unpack(own))
redis.call('PEXPIRE', KEYS[2], ARGV[2])
return 1
