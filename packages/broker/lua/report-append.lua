-- Appends entries to a partition's log, or none when it is full.
-- KEYS[1]  the log (stream)
-- ARGV[1]  entries it may hold
-- ARGV[2]  time to live of the log, ms
-- ARGV[3…] the entries
-- Returns { 1 when taken and 0 when the log is full, entries before, age of the oldest entry in ms }.
local length = redis.call('XLEN', KEYS[1])
local taken = 0
if length < tonumber(ARGV[1]) then
  for i = 3, #ARGV do
    redis.call('XADD', KEYS[1], '*', 'r', ARGV[i])
  end
  redis.call('PEXPIRE', KEYS[1], ARGV[2])
  taken = 1
end
local age = 0
local oldest = redis.call('XRANGE', KEYS[1], '-', '+', 'COUNT', 1)[1]
if oldest then
  local time = redis.call('TIME')
  age = time[1] * 1000 + math.floor(time[2] / 1000) - tonumber(string.match(oldest[1], '^%d+'))
end
return { taken, length, math.max(0, age) }
