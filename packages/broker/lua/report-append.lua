-- Appends entries to a partition's log, or none when it is full, or when it has this append already.
-- KEYS[1]  the log (stream)
-- KEYS[2]  number of the appender's last append (string); may be missing
-- ARGV[1]  entries it may hold
-- ARGV[2]  time to live of the keys, ms
-- ARGV[3]  number of this append, higher than those of the appender's earlier ones; with KEYS[2]
-- ARGV[4…] the entries
-- Returns { 1 when taken and 0 when the log is full, entries before, age of the oldest entry in ms }.
local length = redis.call('XLEN', KEYS[1])
local taken = 0
if KEYS[2] and tonumber(redis.call('GET', KEYS[2]) or 0) >= tonumber(ARGV[3]) then
  taken = 1
elseif length < tonumber(ARGV[1]) then
  for i = 4, #ARGV do
    redis.call('XADD', KEYS[1], '*', 'r', ARGV[i])
  end
  redis.call('PEXPIRE', KEYS[1], ARGV[2])
  if KEYS[2] then
    redis.call('SET', KEYS[2], ARGV[3], 'PX', ARGV[2])
  end
  taken = 1
end
local age = 0
local oldest = redis.call('XRANGE', KEYS[1], '-', '+', 'COUNT', 1)[1]
if oldest then
  local time = redis.call('TIME')
  age = time[1] * 1000 + math.floor(time[2] / 1000) - tonumber(string.match(oldest[1], '^%d+'))
end
return { taken, length, math.max(0, age) }
