-- Acknowledges entries, if the lease is this consumer's. Follows event-trim.lua.
-- KEYS[1]  the log (stream)
-- KEYS[2]  the lease (string: consumer)
-- ARGV[1]  consumer
-- ARGV[2]  group
-- ARGV[3]  1 to trim
-- ARGV[4…] entry ids
-- Returns 1, or 0 when the lease is lost.
if redis.call('GET', KEYS[2]) ~= ARGV[1] then return 0 end
redis.call('XACK', KEYS[1], ARGV[2], unpack(ARGV, 4))
if ARGV[3] == '1' then trim(KEYS[1]) end
return 1
