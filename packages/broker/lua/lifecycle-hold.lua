-- Takes or renews the lease of a group that follows lifecycle streams.
-- KEYS[1] the lease (text: the consumer)
-- KEYS[2] positions of the group (hash: partition → id)
-- ARGV[1] consumer
-- ARGV[2] lease, ms
-- ARGV[3] 1 to renew only
-- ARGV[4] time to live of the positions, ms
-- Returns 1 when the consumer has the lease.
local holder = redis.call('GET', KEYS[1])
if holder and holder ~= ARGV[1] then
  return 0
end
if not holder and ARGV[3] == '1' then
  return 0
end
redis.call('SET', KEYS[1], ARGV[1], 'PX', ARGV[2])
redis.call('PEXPIRE', KEYS[2], ARGV[4])
return 1
