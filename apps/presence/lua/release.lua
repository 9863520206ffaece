-- Lets go of a partition, if it is still held.
-- KEYS[1]  meta of the partition
-- ARGV[1]  owner, as its claim names it
if redis.call('HGET', KEYS[1], 'owner') == ARGV[1] then
  redis.call('HSET', KEYS[1], 'owner', '')
end
