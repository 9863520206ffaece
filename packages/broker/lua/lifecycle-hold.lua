-- Takes or renews the lease of a group that follows lifecycle streams.
-- KEYS[1] the lease (text: the consumer)
-- KEYS[2] positions of the group (hash)
-- KEYS[3] replays of the group (stream)
-- KEYS[4] dead letters of the group (stream)
-- ARGV[1] consumer
-- ARGV[2] lease, ms
-- ARGV[3] 1 to renew only
-- ARGV[4] time to live of all but the lease, ms
-- Returns 1 when the consumer has the lease.
local holder = redis.call('GET', KEYS[1])
if holder and holder ~= ARGV[1] then
  return 0
end
if not holder and ARGV[3] == '1' then
  return 0
end
redis.call('SET', KEYS[1], ARGV[1], 'PX', ARGV[2])
for i = 2, #KEYS do
  redis.call('PEXPIRE', KEYS[i], ARGV[4])
end
return 1
