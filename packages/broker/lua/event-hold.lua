-- Takes or renews the lease of a group, and with it the lifetime of all that belongs to it. Follows event-trim.lua.
-- KEYS[1]  the log (stream)
-- KEYS[2]  its time to live (string, ms); missing where no event was appended yet
-- KEYS[3]  the lease (string: consumer)
-- KEYS[4]  the group's dead letters (stream)
-- ARGV[1]  consumer
-- ARGV[2]  group
-- ARGV[3]  lease, ms
-- ARGV[4]  1 when this consumer believes that it holds the lease, which is then renewed only
-- ARGV[5]  time to live where none is known, ms
-- ARGV[6]  1 to trim
-- Returns 1 when the consumer holds the lease, else 0.
local holder = redis.call('GET', KEYS[3])
if holder and holder ~= ARGV[1] then return 0 end
if not holder and ARGV[4] == '1' then return 0 end
local ttl = redis.call('GET', KEYS[2]) or ARGV[5]
if not holder then
  local created = redis.pcall('XGROUP', 'CREATE', KEYS[1], ARGV[2], 0, 'MKSTREAM')
  if created.err and not string.find(created.err, 'BUSYGROUP', 1, true) then return created end
end
redis.call('SET', KEYS[3], ARGV[1], 'PX', ARGV[3])
redis.call('PEXPIRE', KEYS[1], ttl)
redis.call('PEXPIRE', KEYS[2], ttl)
redis.call('PEXPIRE', KEYS[4], ttl)
if ARGV[6] == '1' then trim(KEYS[1]) end
return 1
