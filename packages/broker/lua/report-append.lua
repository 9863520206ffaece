-- Appends entries to a partition's log, or none when it is full.
-- KEYS[1]  the log (stream)
-- ARGV[1]  entries it may hold
-- ARGV[2]  time to live of the log, ms
-- ARGV[3…] the entries
-- Returns 1 when taken, 0 when the log is full.
if redis.call('XLEN', KEYS[1]) >= tonumber(ARGV[1]) then
  return 0
end
for i = 3, #ARGV do
  redis.call('XADD', KEYS[1], '*', 'r', ARGV[i])
end
redis.call('PEXPIRE', KEYS[1], ARGV[2])
return 1
