-- Renews the life of keys, for the owner of their partition.
-- KEYS[1]  meta of the partition
-- KEYS[2…] hashes and the lifecycle
-- ARGV[1]  owner, as its claim names it
-- ARGV[2]  time to live of meta, ms
-- ARGV[3]  time to live of the others, ms
-- Returns 1, or 0 when the partition has another owner or is lost.
if redis.call('HGET', KEYS[1], 'owner') ~= ARGV[1] then
  return 0
end
redis.call('PEXPIRE', KEYS[1], ARGV[2])
for i = 2, #KEYS do
  redis.call('PEXPIRE', KEYS[i], ARGV[3])
end
return 1
