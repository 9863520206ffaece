-- Keeps how far a group has come, and deletes replays that are done, if the consumer still has the lease.
-- KEYS[1] the lease
-- KEYS[2] positions of the group (hash: partition → id; gap → its reason and id until it is acknowledged)
-- KEYS[3] replays of the group (stream)
-- ARGV[1] consumer
-- ARGV[2] time to live of the positions, ms
-- ARGV[3] n
-- ARGV[4…] n fields and values of the positions, then ids of replays
-- Returns 1, or 0 when another has the lease.
if redis.call('GET', KEYS[1]) ~= ARGV[1] then
  return 0
end
local first_replay = 4 + ARGV[3]
for i = 4, first_replay - 1, 2 do
  redis.call('HSET', KEYS[2], ARGV[i], ARGV[i + 1])
end
redis.call('PEXPIRE', KEYS[2], ARGV[2])
for i = first_replay, #ARGV do
  redis.call('XDEL', KEYS[3], ARGV[i])
end
return 1
