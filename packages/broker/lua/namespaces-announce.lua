-- Replaces the announced namespaces in one step: no reader finds the hash without a namespace that it had and has.
-- KEYS[1]  namespaces (hash: name, JSON)
-- ARGV[1]  time to live, ms
-- ARGV[2…] name, JSON, name, JSON, …
-- The first write is one that a full Redis refuses.
redis.call('HSET', KEYS[1], ARGV[2], ARGV[3])
redis.call('DEL', KEYS[1])
-- Lua's stack takes about 8,000 arguments.
for at = 2, #ARGV, 4000 do
  redis.call('HSET', KEYS[1], unpack(ARGV, at, math.min(at + 3999, #ARGV)))
end
redis.call('PEXPIRE', KEYS[1], ARGV[1])
return 1
