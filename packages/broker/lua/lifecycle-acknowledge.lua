-- Keeps how far a group has come, if the consumer still has the lease.
-- KEYS[1] the lease
-- KEYS[2] positions of the group (hash: partition → id)
-- ARGV[1] consumer
-- ARGV[2] time to live of the positions, ms
-- ARGV[3…] partition, id, partition, id, …
-- Returns 1, or 0 when another has the lease.
if redis.call('GET', KEYS[1]) ~= ARGV[1] then
  return 0
end
for i = 3, #ARGV, 2 do
  redis.call('HSET', KEYS[2], ARGV[i], ARGV[i + 1])
end
redis.call('PEXPIRE', KEYS[2], ARGV[2])
return 1
