-- Renews the life of keys.
-- KEYS[1]  meta of the partition
-- KEYS[2…] hashes
-- ARGV[1]  time to live of meta, ms
-- ARGV[2]  time to live of the hashes, ms
redis.call('PEXPIRE', KEYS[1], ARGV[1])
for i = 2, #KEYS do
  redis.call('PEXPIRE', KEYS[i], ARGV[2])
end
