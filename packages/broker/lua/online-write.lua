-- Writes how many users of partitions are online, except where a later claim of the partition has written.
-- KEYS[1]  online (hash: partition → '<users> <fence>')
-- ARGV[1]  time to live, ms
-- ARGV[2…] for each partition: its number, its users, the fence of its claim
for i = 2, #ARGV, 3 do
  local partition, users, fence = ARGV[i], ARGV[i + 1], ARGV[i + 2]
  local stored = redis.call('HGET', KEYS[1], partition) or ''
  local stored_fence = string.match(stored, ' (%d+)$') or 0
  if tonumber(fence) >= tonumber(stored_fence) then
    redis.call('HSET', KEYS[1], partition, users .. ' ' .. fence)
  end
end
redis.call('PEXPIRE', KEYS[1], ARGV[1])
